/* identity_signals_test.c: what goes on for others when its anchor was erased: opt-outs and holds,
 * as suppression judges them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "services/identity-resolver/policy/resolver_signals.h"
#include "services/suppression/logic/rules.h"
#include "services/suppression/policy/suppression_policy.h"

/* Consent as the decode plan leaves it: the blocks of an Avro map. */
static const char says_no[] = "\2\12email\0", says_yes[] = "\2\12email\1",
                  says_both[] = "\4\12email\1\6sms\0";

static enum outcome read_file(struct arena *arena, const char *path, struct signals *out,
                              struct err *err)
{
    const struct json *contact;
    CHECK(json_read_file(arena, path, &contact, err));
    return signals_read(arena, contact, out, err);
}

static struct touchpoint touchpoint_of(const char *event)
{
    return (struct touchpoint){.type = SPAN("track"),
                               .event_name = span_of(event),
                               .channel = SPAN("web"),
                               .score = LONG_ABSENT};
}

static bool is_included(const struct signals *signals, const char *event, struct span consent,
                        int64_t score)
{
    struct touchpoint tp = touchpoint_of(event);
    tp.consent = consent;
    tp.score = score;
    return signals_include(signals, &tp);
}

static void opt_outs_and_holds_are_included(void **state)
{
    struct arena arena = {0};
    struct signals signals;
    const struct span no = {says_no, sizeof says_no}, yes = {says_yes, sizeof says_yes},
                      both = {says_both, sizeof says_both};
    assert_int_equal(read_file(&arena, TUTTI_SOURCE_DIR "/policies/contact.json", &signals, NULL),
                     OUTCOME_OK);
    assert_true(is_included(&signals, "Anything", no, LONG_ABSENT));
    assert_true(is_included(&signals, "Anything", both, LONG_ABSENT));
    assert_false(is_included(&signals, "Consent Given", yes, LONG_ABSENT));
    assert_true(is_included(&signals, "Unsubscribed", SPAN_NONE, LONG_ABSENT));
    assert_true(is_included(&signals, "Unsubscribed", yes, LONG_ABSENT)); /* a no by itself */
    assert_true(is_included(&signals, "Complaint Filed", SPAN_NONE, LONG_ABSENT));
    assert_true(is_included(&signals, "Complaint Resolved", SPAN_NONE, LONG_ABSENT));
    assert_true(is_included(&signals, "Survey Answered", SPAN_NONE, -50));
    assert_false(is_included(&signals, "Survey Answered", SPAN_NONE, -49));
    assert_false(is_included(&signals, "Order Completed", SPAN_NONE, LONG_ABSENT));
    assert_false(is_included(&signals, "Email Bounced", SPAN_NONE, LONG_ABSENT));
    struct touchpoint unnamed = touchpoint_of("");
    unnamed.type = SPAN("Complaint Filed");
    assert_true(signals_include(&signals, &unnamed));
    arena_free(&arena);
}

/* Every hold that suppression knows is one here. */
static void they_are_those_of_suppression(void **state)
{
    static const char *const paths[] = {TUTTI_SOURCE_DIR "/policies/contact.json",
                                        TUTTI_SOURCE_DIR "/policies/bank/contact.json"};
    struct arena arena = {0};
    size_t triggers = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct signals signals;
        struct contact_policy policy;
        assert_int_equal(read_file(&arena, paths[i], &signals, NULL), OUTCOME_OK);
        assert_int_equal(suppression_policy_read(&arena, paths[i], &policy, NULL), OUTCOME_OK);
        for (const struct contact_rule *rule = policy.rules;
             rule < policy.rules + policy.rule_count; rule++) {
            for (size_t k = 0; rule_is_hold(rule) && k < rule->on_count; k++, triggers++) {
                struct span event = rule->on[k].event;
                assert_true(event.ptr ? is_included(&signals, event.ptr, SPAN_NONE, LONG_ABSENT)
                                      : is_included(&signals, "Anything", SPAN_NONE,
                                                    rule->on[k].score_max));
            }
            for (size_t k = 0; rule_is_hold(rule) && k < rule->until.count; k++, triggers++)
                assert_true(
                    is_included(&signals, rule->until.items[k].ptr, SPAN_NONE, LONG_ABSENT));
        }
    }
    assert_true(triggers >= 4);
    arena_free(&arena);
}

static void a_file_that_is_none_is_refused(void **state)
{
    struct arena arena = {0};
    struct signals signals;
    struct err err = {0};
    assert_int_equal(read_file(&arena, TUTTI_SOURCE_DIR "/policies/none.json", &signals, &err),
                     OUTCOME_FATAL);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opt_outs_and_holds_are_included),
        cmocka_unit_test(they_are_those_of_suppression),
        cmocka_unit_test(a_file_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
