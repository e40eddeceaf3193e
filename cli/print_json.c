/* print_json.c: a report as one line of JSON. */
#include <inttypes.h>

#include "cli/print.h"
#include "common/base/pack.h"
#include "common/codec/json_write.h"

static void put_quoted(struct strbuf *out, const char *text)
{
    strbuf_addf(out, "\"%s\"", text);
}

static void put_cell(struct strbuf *out, const struct report_cell *cell)
{
    char text[40];
    switch (cell->kind) {
    case CELL_NULL:
        strbuf_addf(out, "null");
        break;
    case CELL_TEXT:
    case CELL_WORDS:
    case CELL_NUMBER:
        json_add_text(out, cell->text);
        break;
    case CELL_INTEGER:
        strbuf_addf(out, "%" PRId64, cell->integer);
        break;
    case CELL_BOOL:
        strbuf_addf(out, "%s", cell->flag ? "true" : "false");
        break;
    case CELL_ID:
        id_to_uuid(&cell->id, text);
        put_quoted(out, text);
        break;
    case CELL_INSTANT:
        instant_format(cell->instant, text);
        put_quoted(out, text);
        break;
    }
}

static void put_object(struct strbuf *out, const struct report_part *section, size_t row)
{
    const char *between = "{";
    for (size_t i = 0; i < section->column_count; i++) {
        if (section->form->columns[i].kind == CELL_WORDS)
            continue;
        strbuf_addf(out, "%s\"%s\":", between, section->form->columns[i].name);
        put_cell(out, report_cell_at(section, row, i));
        between = ",";
    }
    strbuf_addf(out, "}");
}

static void put_row(struct strbuf *out, const struct report_part *section, size_t row)
{
    switch (section->form->shape) {
    case SECTION_ROWS:
        put_object(out, section, row);
        break;
    case SECTION_LIST:
        put_cell(out, report_cell_at(section, row, 0));
        break;
    case SECTION_PAIRS:
        put_cell(out, report_cell_at(section, row, 0));
        strbuf_addf(out, ":");
        put_cell(out, report_cell_at(section, row, 1));
        break;
    }
}

static void put_section(struct strbuf *out, const struct report_part *section)
{
    bool is_object = section->form->shape == SECTION_PAIRS;
    strbuf_addf(out, is_object ? "{" : "[");
    for (size_t row = 0; row < report_rows(section); row++) {
        strbuf_addf(out, "%s", row ? "," : "");
        put_row(out, section, row);
    }
    strbuf_addf(out, is_object ? "}" : "]");
}

static const char *name_of(const struct report_part *part)
{
    return part->kind == PART_SECTION ? part->form->name : part->name;
}

static void put_part(struct strbuf *out, const struct report_part *part)
{
    strbuf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", name_of(part));
    if (part->kind == PART_SECTION)
        put_section(out, part);
    else
        put_cell(out, &part->value);
}

/* The section without a name, NULL if the report is an object. */
static const struct report_part *find_whole(const struct report *report)
{
    for (const struct report_part *part = report->first; part; part = part->next)
        if (part->kind == PART_SECTION && part->form->name == NULL)
            return part;
    return NULL;
}

static void put_all(struct strbuf *out, const struct report *report)
{
    strbuf_addf(out, "{");
    for (const struct report_part *part = report->first; part; part = part->next)
        if (part->kind != PART_LINE)
            put_part(out, part);
    strbuf_addf(out, "}");
}

void print_json(FILE *to, const struct report *report)
{
    struct strbuf out = {.arena = report->arena};
    const struct report_part *whole = find_whole(report);
    if (whole)
        put_section(&out, whole);
    else
        put_all(&out, report);
    fprintf(to, SPAN_FMT "\n", SPAN_ARG(strbuf_span(&out)));
}
