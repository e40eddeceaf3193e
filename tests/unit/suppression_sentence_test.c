/* suppression_sentence_test.c: verdicts in words. Every kind of rule has some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/suppression/logic/rules.h"
#include "services/suppression/logic/sentence.h"

static struct arena arena;

static struct instant at(const char *text)
{
    struct instant t;
    assert_true(instant_parse(span_of(text), &t));
    return t;
}

static struct told_verdict denied(const char *reason, const char *observed, const char *allowed)
{
    const char *rules = arena_printf(&arena,
                                     "first\x1fhold\x1f"
                                     "1\x1fnone\x1fno hold\x1f\x1e"
                                     "it\x1f%s\x1f"
                                     "0\x1f%s\x1f%s\x1f\x1e",
                                     reason, observed, allowed);
    return (struct told_verdict){
        .verdict = VERDICT_DENY,
        .reason = span_of(reason),
        .rule_id = SPAN("it"),
        .rule_owner = SPAN("office"),
        .channel = SPAN("sms"),
        .rules = span_of(rules),
        .expires_at = INSTANT_ABSENT,
        .retry_at = INSTANT_ABSENT,
    };
}

static void assert_said(const struct told_verdict *told, const char *expected)
{
    struct span said = contact_sentence(told, &arena);
    assert_string_equal(arena_printf(&arena, SPAN_FMT, SPAN_ARG(said)), expected);
}

static void a_full_cap(void **state)
{
    struct told_verdict told = denied("cap", "2 with this one", "1 per 7 d");
    told.retry_at = at("2026-07-02T07:00:00Z");
    assert_said(&told, "No, not by sms: the customer has had enough contacts lately (2 with this "
                       "one; the limit is 1 per 7 d). Rule it, owner office. Earliest: 2 July "
                       "2026, 07:00 UTC.");
    told.retry_at = at("2026-12-31T23:59:00.000001Z"); /* nobody comes too early */
    told.rule_owner = SPAN_NONE;
    assert_said(&told, "No, not by sms: the customer has had enough contacts lately (2 with this "
                       "one; the limit is 1 per 7 d). Rule it. Earliest: 1 January 2027, 00:00 "
                       "UTC.");
}

static void times_are_written_as_people_write_them(void **state)
{
    struct told_verdict told =
        denied("hold", "Complaint Filed at 2026-03-01T10:05:59.000000Z", "no hold");
    assert_said(&told, "No, not by sms: contacts are on hold (Complaint Filed at 1 March 2026, "
                       "10:05 UTC). Rule it, owner office. No date can be given.");
    told = denied("hold", "T0000 at 2026-99-01T10:05:59.000000Z 2026-03", "");
    assert_said(&told, "No, not by sms: contacts are on hold (T0000 at "
                       "2026-99-01T10:05:59.000000Z 2026-03). Rule it, owner office. No date can "
                       "be given.");
}

static void a_grant_says_until_when(void **state)
{
    struct told_verdict told = {.verdict = VERDICT_GRANT,
                                .channel = SPAN("email"),
                                .expires_at = at("2026-07-02T07:00:00Z"),
                                .retry_at = INSTANT_ABSENT};
    assert_said(&told, "Yes, by email, before 2 July 2026, 07:00 UTC.");
    told.outcome = RESULT_REVOKED; /* nobody reads a yes that is void */
    assert_said(&told, "The contact was granted; what became of it: revoked.");
}

static void what_is_of_no_rule(void **state)
{
    struct told_verdict told = denied("unidentified", "", "");
    told.rule_id = told.rule_owner = told.rules = SPAN_NONE;
    assert_said(&told, "No, not by sms: we do not know who this is. No date can be given.");
    told.reason = SPAN("shared_identifier");
    assert_said(&told, "No, not by sms: many people use this identifier. No date can be given.");
    told.verdict = VERDICT_INVALID;
    told.reason = SPAN("no_class");
    assert_said(&told, "This request cannot be answered: it is invalid (no_class).");
}

/* A kind without words, or with a place that nothing fills, fails here. */
static void every_kind_has_words(void **state)
{
    for (size_t i = 0; rule_kinds[i]; i++) {
        const char *name = rule_kinds[i]->name;
        if (rule_kinds[i]->says == NULL)
            fail_msg("%s says nothing", name);
        struct told_verdict told = denied(name, "SAW", "ALLOWS");
        struct span said = contact_sentence(&told, &arena);
        const char *text = arena_printf(&arena, SPAN_FMT, SPAN_ARG(said));
        if (strpbrk(text, "{}") || strstr(text, name) == text || strlen(text) < 60)
            fail_msg("%s: %s", name, text);
        bool shows = strstr(rule_kinds[i]->says, "{observed}") != NULL;
        assert_true(shows == (strstr(text, "SAW") != NULL));
    }
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_cap),
        cmocka_unit_test(times_are_written_as_people_write_them),
        cmocka_unit_test(a_grant_says_until_when),
        cmocka_unit_test(what_is_of_no_rule),
        cmocka_unit_test(every_kind_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
