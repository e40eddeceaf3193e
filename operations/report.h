/* report.h: what an operation found or did, without a word about how it is shown. Printers turn it
 * into text or JSON (cli/print_text.c, cli/print_json.c).
 *
 * A report is a list of parts, in the order in which a person reads them:
 *   a line      a sentence for people; programs do not get it
 *   a value     one named cell; people get it as a count with words, or not at all
 *   a section   rows of cells under named columns
 * Warnings are kept apart: a printer shows them after the rest.
 * Everything lives in the report's arena. Texts may come from producers: a printer escapes them. */
#ifndef TUTTI_OPERATIONS_REPORT_H
#define TUTTI_OPERATIONS_REPORT_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"

enum cell_kind {
    CELL_NULL,
    CELL_TEXT,
    CELL_WORDS,  /* of a column: a text for people; programs do not get the column */
    CELL_NUMBER, /* decimal digits as text, exact: "12,345.00" */
    CELL_INTEGER,
    CELL_BOOL,
    CELL_ID,
    CELL_INSTANT,
};

/* How good the news in a cell is; a printer may colour it. */
enum cell_tone { TONE_PLAIN, TONE_GOOD, TONE_DOUBTFUL, TONE_BAD };

struct report_cell {
    enum cell_kind kind;
    enum cell_tone tone;
    union {
        struct span text; /* CELL_TEXT, CELL_NUMBER */
        int64_t integer;
        bool flag;
        struct id id;
        struct instant instant;
    };
};

struct report_cell cell_null(void);
/* CELL_NULL for an absent text. */
struct report_cell cell_text(struct span text);
struct report_cell cell_words(const char *text);
struct report_cell cell_integer(int64_t value);
struct report_cell cell_bool(bool value);
struct report_cell cell_id(const struct id *id);
struct report_cell cell_instant(struct instant instant);
/* An amount of millionths, cut to two decimals. */
struct report_cell cell_micros(struct arena *arena, int64_t micros);

/* What a section is to a program. */
enum section_shape {
    SECTION_ROWS,  /* one object per row */
    SECTION_LIST,  /* the values of the only column */
    SECTION_PAIRS, /* an object: first column the name, second the value */
};

struct report_column {
    const char *name;
    enum cell_kind kind; /* numbers stand at the right edge of a table's column */
};

enum { REPORT_MAX_COLUMNS = 12 };

/* What is known of a section before it has rows. One constant per section. */
struct section_form {
    const char *name;  /* for programs; NULL: the section is the whole report */
    const char *title; /* for people; NULL: none */
    /* How a row reads as text. NULL: as a row of a table. {column} stands for a cell, {column:8}
     * for a cell that takes eight characters at least, {column|word} for a cell or, where it is
     * null, a word. A row may have several lines; one with a null cell and no word is left out. */
    const char *line;
    enum section_shape shape;
    size_t most_lines;    /* rows that people are shown; 0: all */
    bool is_shy;          /* people do not see its title where it has no rows */
    bool is_for_programs; /* people do not see it at all */
    struct report_column columns[REPORT_MAX_COLUMNS + 1]; /* a NULL name ends them */
};

enum part_kind { PART_LINE, PART_VALUE, PART_SECTION };

struct report_part {
    enum part_kind kind;
    const char *text; /* a line; the words after a value, NULL: for programs only */
    const char *name; /* of a value */
    struct report_cell value;
    const struct section_form *form;
    size_t column_count;
    struct {
        struct report_cell *items; /* row after row */
        size_t count, capacity;
    } cells;
    struct report_part *next;
};

struct report {
    struct arena *arena;
    struct report_part *first, *last;
    bool is_complete; /* nothing is missing, although the operation failed after it */
    struct {
        const char **items;
        size_t count, capacity;
    } warnings;
};

void report_init(struct report *report, struct arena *arena);

void report_line(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_warn(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* words NULL: programs only. */
void report_value(struct report *report, const char *name, struct report_cell value,
                  const char *words);
/* An empty section at the end of the report. form must live as long as the report. */
struct report_part *report_section(struct report *report, const struct section_form *form);
/* cells: as many as the form has columns, copied. */
void report_add_row(struct report *report, struct report_part *section,
                    const struct report_cell *cells);
#define REPORT_ROW(report, section, ...)                                                           \
    report_add_row(report, section, (const struct report_cell[]){__VA_ARGS__})

size_t report_rows(const struct report_part *section);
const struct report_cell *report_cell_at(const struct report_part *section, size_t row,
                                         size_t column);

#endif
