/* print_text.c: a report as text for people. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/printable.h"

enum { VALUE_WIDTH = 12 }; /* of a count before its words */

static const char *text_of(struct arena *arena, const struct report_cell *cell)
{
    char *text = arena_alloc(arena, 40);
    switch (cell->kind) {
    case CELL_TEXT:
    case CELL_WORDS:
    case CELL_NUMBER:
        return printable(arena, cell->text);
    case CELL_INTEGER:
        snprintf(text, 40, "%" PRId64, cell->integer);
        return text;
    case CELL_BOOL:
        return cell->flag ? "yes" : "no";
    case CELL_ID:
        id_to_uuid(&cell->id, text);
        return text;
    case CELL_INSTANT:
        instant_format(cell->instant, text);
        return text;
    case CELL_NULL:
        break;
    }
    return "";
}

static bool is_number(enum cell_kind kind)
{
    return kind == CELL_NUMBER || kind == CELL_INTEGER;
}

/* Characters, not bytes: continuation bytes take no column. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void add_padded(struct strbuf *out, const char *text, int width, bool right)
{
    int blanks = width > width_of(text) ? width - width_of(text) : 0;
    strbuf_addf(out, "%*s%s%*s", right ? blanks : 0, "", text, right ? 0 : blanks, "");
}

static void put_bold(FILE *to, const char *text)
{
    fprintf(to, "%s%s%s\n", colour(to, COLOUR_BOLD), text, colour(to, COLOUR_OFF));
}

/* ---- rows of a table ---- */

static int column_width(struct arena *arena, const struct report_part *section, size_t column)
{
    int widest = width_of(section->form->columns[column].name);
    for (size_t row = 0; row < report_rows(section); row++) {
        int width = width_of(text_of(arena, report_cell_at(section, row, column)));
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void add_table_cell(struct strbuf *out, const struct report_part *section, size_t column,
                           const char *text, int width)
{
    bool right = is_number(section->form->columns[column].kind),
         is_last = column + 1 == section->column_count;
    add_padded(out, text, is_last && !right ? 0 : width, right);
    strbuf_addf(out, "%s", is_last ? "" : "  ");
}

static void put_table(FILE *to, struct arena *arena, const struct report_part *section)
{
    int widths[REPORT_MAX_COLUMNS];
    struct strbuf line = {.arena = arena};
    for (size_t i = 0; i < section->column_count; i++) {
        widths[i] = column_width(arena, section, i);
        add_table_cell(&line, section, i, section->form->columns[i].name, widths[i]);
    }
    put_bold(to, line.ptr);
    for (size_t row = 0; row < report_rows(section); row++) {
        strbuf_reset(&line);
        for (size_t i = 0; i < section->column_count; i++)
            add_table_cell(&line, section, i, text_of(arena, report_cell_at(section, row, i)),
                           widths[i]);
        fprintf(to, SPAN_FMT "\n", SPAN_ARG(strbuf_span(&line)));
    }
}

/* ---- rows as lines: section_form.line ---- */

static size_t find_column(const struct report_part *section, struct span name)
{
    for (size_t i = 0; i < section->column_count; i++)
        if (span_is(name, section->form->columns[i].name))
            return i;
    abort(); /* a misspelt form */
}

static const char *tone_colour(FILE *to, enum cell_tone tone)
{
    static const enum colour colours[] = {COLOUR_OFF, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED};
    return tone == TONE_PLAIN ? "" : colour(to, colours[tone]);
}

/* What stands between { and }. False for a null cell without a word. */
static bool add_place(FILE *to, struct strbuf *out, const struct report_part *section, size_t row,
                      struct span place)
{
    size_t name_len = strcspn(place.ptr, ":|}");
    size_t column = find_column(section, (struct span){place.ptr, name_len});
    const struct report_cell *cell = report_cell_at(section, row, column);
    char after = place.ptr[name_len];
    if (cell->kind == CELL_NULL && after != '|')
        return false;
    const char *text = cell->kind == CELL_NULL
                           ? arena_printf(out->arena, "%.*s", (int)(place.len - name_len - 1),
                                          place.ptr + name_len + 1)
                           : text_of(out->arena, cell);
    strbuf_addf(out, "%s", tone_colour(to, cell->tone));
    add_padded(out, text, after == ':' ? atoi(place.ptr + name_len + 1) : 0, is_number(cell->kind));
    strbuf_addf(out, "%s", cell->tone == TONE_PLAIN ? "" : colour(to, COLOUR_OFF));
    return true;
}

static bool fill_line(FILE *to, struct strbuf *out, const struct report_part *section, size_t row,
                      struct span form)
{
    for (size_t at = 0; at < form.len;) {
        if (form.ptr[at] != '{') {
            strbuf_add(out, &form.ptr[at++], 1);
            continue;
        }
        struct span place = {form.ptr + at + 1, strcspn(form.ptr + at + 1, "}")};
        if (!add_place(to, out, section, row, place))
            return false;
        at += place.len + 2;
    }
    return true;
}

static void put_lines(FILE *to, struct arena *arena, const struct report_part *section, size_t row)
{
    const char *form = section->form->line;
    while (*form) {
        size_t length = strcspn(form, "\n");
        struct strbuf line = {.arena = arena};
        if (fill_line(to, &line, section, row, (struct span){form, length}))
            fprintf(to, SPAN_FMT "\n", SPAN_ARG(strbuf_span(&line)));
        form += length + (form[length] == '\n');
    }
}

static void put_all_lines(FILE *to, struct arena *arena, const struct report_part *section)
{
    size_t rows = report_rows(section), most = section->form->most_lines;
    size_t shown = most > 0 && rows > most ? most : rows;
    for (size_t row = 0; row < shown; row++)
        put_lines(to, arena, section, row);
    if (shown < rows)
        fprintf(to, "and %zu more; --json has them all\n", rows - shown);
}

/* ---- parts ---- */

static void put_section(FILE *to, struct arena *arena, const struct report_part *section)
{
    const struct section_form *form = section->form;
    size_t rows = report_rows(section);
    if (form->is_for_programs || (form->is_shy && rows == 0))
        return;
    if (form->title) {
        fputc('\n', to);
        put_bold(to, form->title);
    }
    if (form->line)
        put_all_lines(to, arena, section);
    else
        put_table(to, arena, section);
    if (rows == 0 && form->title)
        fputs("(none)\n", to);
}

static void put_value(FILE *to, struct arena *arena, const struct report_part *part)
{
    struct strbuf line = {.arena = arena};
    if (part->text == NULL)
        return;
    add_padded(&line, text_of(arena, &part->value), VALUE_WIDTH, true);
    fprintf(to, SPAN_FMT "  %s\n", SPAN_ARG(strbuf_span(&line)), part->text);
}

void print_text(FILE *to, const struct report *report)
{
    for (const struct report_part *part = report->first; part; part = part->next)
        if (part->kind == PART_LINE)
            fprintf(to, "%s\n", printable(report->arena, span_of(part->text)));
        else if (part->kind == PART_VALUE)
            put_value(to, report->arena, part);
        else
            put_section(to, report->arena, part);
}
