/* report.c: reports are built here; see report.h. */
#include "operations/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct report_cell cell_null(void)
{
    return (struct report_cell){.kind = CELL_NULL};
}

struct report_cell cell_text(struct span text)
{
    return (struct report_cell){.kind = text.ptr ? CELL_TEXT : CELL_NULL, .text = text};
}

struct report_cell cell_words(const char *text)
{
    return cell_text(span_of(text));
}

struct report_cell cell_integer(int64_t value)
{
    return (struct report_cell){.kind = CELL_INTEGER, .integer = value};
}

struct report_cell cell_bool(bool value)
{
    return (struct report_cell){.kind = CELL_BOOL, .flag = value};
}

struct report_cell cell_id(const struct id *id)
{
    return (struct report_cell){.kind = CELL_ID, .id = *id};
}

struct report_cell cell_instant(struct instant instant)
{
    return (struct report_cell){.kind = CELL_INSTANT, .instant = instant};
}

struct report_cell cell_micros(struct arena *arena, int64_t micros)
{
    uint64_t cents = (uint64_t)llabs(micros / 10000);
    const char *text = arena_printf(arena, "%s%" PRIu64 ".%02" PRIu64, micros < 0 ? "-" : "",
                                    cents / 100, cents % 100);
    return (struct report_cell){.kind = CELL_NUMBER, .text = span_of(text)};
}

void report_init(struct report *report, struct arena *arena)
{
    *report = (struct report){.arena = arena};
}

static struct report_part *add_part(struct report *report, enum part_kind kind)
{
    struct report_part *part = arena_new(report->arena, struct report_part);
    part->kind = kind;
    if (report->last)
        report->last->next = part;
    else
        report->first = part;
    report->last = part;
    return part;
}

static const char *formatted(struct arena *arena, const char *format, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, ap);
    return text;
}

void report_line(struct report *report, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_part(report, PART_LINE)->text = formatted(report->arena, format, ap);
    va_end(ap);
}

void report_warn(struct report *report, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    *arena_push(report->arena, &report->warnings) = formatted(report->arena, format, ap);
    va_end(ap);
}

void report_value(struct report *report, const char *name, struct report_cell value,
                  const char *words)
{
    struct report_part *part = add_part(report, PART_VALUE);
    part->name = name;
    part->value = value;
    part->text = words;
}

struct report_part *report_section(struct report *report, const struct section_form *form)
{
    struct report_part *part = add_part(report, PART_SECTION);
    part->form = form;
    while (form->columns[part->column_count].name)
        part->column_count++;
    return part;
}

void report_add_row(struct report *report, struct report_part *section,
                    const struct report_cell *cells)
{
    for (size_t i = 0; i < section->column_count; i++)
        *arena_push(report->arena, &section->cells) = cells[i];
}

size_t report_rows(const struct report_part *section)
{
    return section->cells.count / section->column_count;
}

const struct report_cell *report_cell_at(const struct report_part *section, size_t row,
                                         size_t column)
{
    return &section->cells.items[row * section->column_count + column];
}
