/* cli_print_test.c: one report through both printers: sections as tables, lines, lists and pairs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/print.h"

typedef void print_fn(FILE *to, const struct report *report);

static void assert_printed(const struct report *report, print_fn *print, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    print(to, report);
    fclose(to);
    assert_string_equal(text, wanted);
    free(text);
}

static struct arena arena;

static struct report empty_report(void)
{
    struct report report;
    report_init(&report, &arena);
    return report;
}

static void numbers_stand_at_the_right(void **state)
{
    static const struct section_form form = {
        .name = "credit",
        .title = "Credit",
        .columns = {{"campaign", CELL_TEXT}, {"sum", CELL_NUMBER}, {"note", CELL_TEXT}}};
    struct report report = empty_report();
    struct report_part *section = report_section(&report, &form);
    REPORT_ROW(&report, section, cell_words("a\x1b[31m"), cell_micros(&arena, 1234560000),
               cell_words("x"));
    REPORT_ROW(&report, section, cell_words("J\xC3\xA4ger"), cell_micros(&arena, -500000),
               cell_null());
    assert_printed(&report, print_text,
                   "\nCredit\n"
                   "campaign         sum  note\n"
                   "a\\u001b[31m  1234.56  x\n"
                   "J\xC3\xA4ger          -0.50  \n");
    assert_printed(
        &report, print_json,
        "{\"credit\":[{\"campaign\":\"a\\u001b[31m\",\"sum\":\"1234.56\",\"note\":\"x\"},"
        "{\"campaign\":\"J\xC3\xA4ger\",\"sum\":\"-0.50\",\"note\":null}]}\n");
}

static void rows_may_be_lines(void **state)
{
    static const struct section_form form = {
        .name = "moves",
        .title = "Moves",
        .line = "{who:4}-> {to|nothing}\n  because {why}",
        .most_lines = 2,
        .columns = {
            {"who", CELL_TEXT}, {"to", CELL_TEXT}, {"why", CELL_TEXT}, {"word", CELL_WORDS}}};
    struct report report = empty_report();
    struct report_part *section = report_section(&report, &form);
    REPORT_ROW(&report, section, cell_words("a"), cell_words("b"), cell_null(), cell_words("-"));
    REPORT_ROW(&report, section, cell_words("c"), cell_null(), cell_words("d"), cell_words("-"));
    REPORT_ROW(&report, section, cell_words("e"), cell_null(), cell_null(), cell_words("-"));
    assert_printed(&report, print_text,
                   "\nMoves\n"
                   "a   -> b\n"
                   "c   -> nothing\n"
                   "  because d\n"
                   "and 1 more; --json has them all\n");
    assert_printed(&report, print_json,
                   "{\"moves\":[{\"who\":\"a\",\"to\":\"b\",\"why\":null},"
                   "{\"who\":\"c\",\"to\":null,\"why\":\"d\"},"
                   "{\"who\":\"e\",\"to\":null,\"why\":null}]}\n");
}

static void lines_are_for_people_and_values_for_programs(void **state)
{
    static const struct section_form ids = {.name = "ids",
                                            .shape = SECTION_LIST,
                                            .is_for_programs = true,
                                            .columns = {{"id", CELL_ID}}},
                                     tables = {.name = "tables",
                                               .line = "{rows:4} {table}",
                                               .shape = SECTION_PAIRS,
                                               .columns = {{"table", CELL_TEXT},
                                                           {"rows", CELL_INTEGER}}},
                                     shy = {.name = "shy",
                                            .title = "Shy",
                                            .is_shy = true,
                                            .columns = {{"x", CELL_TEXT}}};
    struct report report = empty_report();
    report_line(&report, "two\nlines are %s", "one");
    report_value(&report, "executed", cell_bool(true), NULL);
    report_value(&report, "rows", cell_integer(-7), "rows in all");
    REPORT_ROW(&report, report_section(&report, &ids), cell_id(&(struct id){{0xab}}));
    struct report_part *pairs = report_section(&report, &tables);
    REPORT_ROW(&report, pairs, cell_words("a.b"), cell_integer(3));
    REPORT_ROW(&report, pairs, cell_words("c.d"), cell_integer(40));
    report_section(&report, &shy);
    assert_printed(&report, print_text,
                   "two\\u000alines are one\n"
                   "          -7  rows in all\n"
                   "   3 a.b\n"
                   "  40 c.d\n");
    assert_printed(&report, print_json,
                   "{\"executed\":true,\"rows\":-7,"
                   "\"ids\":[\"ab000000-0000-0000-0000-000000000000\"],"
                   "\"tables\":{\"a.b\":3,\"c.d\":40},\"shy\":[]}\n");
}

static void a_section_without_a_name_is_the_whole_report(void **state)
{
    static const struct section_form form = {
        .line = "{verdict:4}  {at}", .columns = {{"verdict", CELL_TEXT}, {"at", CELL_INSTANT}}};
    struct report report = empty_report();
    report_line(&report, "for people");
    struct report_cell good = cell_words("ok");
    good.tone = TONE_GOOD;
    REPORT_ROW(&report, report_section(&report, &form), good, cell_instant((struct instant){0}));
    assert_printed(&report, print_text, "for people\nok    1970-01-01T00:00:00.000000Z\n");
    assert_printed(&report, print_json,
                   "[{\"verdict\":\"ok\",\"at\":\"1970-01-01T00:00:00.000000Z\"}]\n");
}

static void an_empty_section_says_so(void **state)
{
    static const struct section_form form = {
        .name = "goals", .title = "Goals", .columns = {{"goal", CELL_TEXT}}};
    struct report report = empty_report();
    report_section(&report, &form);
    assert_printed(&report, print_text, "\nGoals\ngoal\n(none)\n");
    assert_printed(&report, print_json, "{\"goals\":[]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_at_the_right),
        cmocka_unit_test(rows_may_be_lines),
        cmocka_unit_test(lines_are_for_people_and_values_for_programs),
        cmocka_unit_test(a_section_without_a_name_is_the_whole_report),
        cmocka_unit_test(an_empty_section_says_so),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
