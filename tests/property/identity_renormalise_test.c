/* identity_renormalise_test.c: which rules for values may follow which, where only the forms of
 * values are stored: the form under the rules after must be a function of the form under the rules
 * before, for every value, whether it came hashed or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/codec/digest.h"
#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/policy/identity_fold.h"
#include "services/identity-resolver/policy/identity_policy.h"
#include "tests/support/random.h"

enum { NORMALISERS = 3, RULES = NORMALISERS * 2 * 2, VALUES = 3000 };

static struct arena arena;

/* One type and what is blocked; the rules after block more. */
static struct identity_policy *policy_of(int rules, const char *calling_code, const char *blocked)
{
    static const char *const normalisers[] = {"plain", "email", "phone"};
    struct identity_policy *policy = arena_new(&arena, struct identity_policy);
    struct err err = {0};
    const char *text = arena_printf(
        &arena,
        "{\"types\":[{\"type\":\"t\",\"rank\":1,\"normalise\":\"%s\",\"match_hashed\":%s}],"
        "\"default_calling_code\":\"%s\",\"gmail_dots_and_plus\":%s,\"blocked\":{%s}}",
        normalisers[rules % NORMALISERS], rules / NORMALISERS % 2 ? "true" : "false", calling_code,
        rules / NORMALISERS / 2 ? "true" : "false", blocked);
    if (identity_policy_parse(&arena, span_of(text), "policy", policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    return policy;
}

static const char few[] = "\"values\":[\"null\"],\"patterns\":[{\"pattern\":\"^[0-]*$\"}]";
static const char more[] = "\"values\":[\"null\",\"jane.doe@gmail.com\",\"0151 "
                           "2345678\",\"guest\"],\"patterns\":[{\"pattern\":\"^[0-]*$\"},{"
                           "\"pattern\":\"^[a-c]+$\"}]";

/* What is hashed; nothing where the value is not usable. */
static struct span form_of(const struct identity_policy *policy, struct span value, bool is_digest)
{
    struct identity_value out;
    bool is_usable = identity_normalise(policy, &policy->types[0],
                                        identity_fold(&arena, &policy->types[0], value), is_digest,
                                        &arena, &out);
    return is_usable ? identity_canonical(&out, &arena) : SPAN_NONE;
}

static enum renormalised again(const struct identity_policy *before,
                               const struct identity_policy *after, struct span form,
                               struct span *out)
{
    struct identity_value value;
    const struct renormalising rules = {before, after, &before->types[0], &after->types[0]};
    struct span folded = identity_fold(&arena, &after->types[0], form);
    enum renormalised what = identity_renormalise(&rules, form, folded, &arena, &value);
    *out = what == RENORMALISED ? identity_canonical(&value, &arena) : SPAN_NONE;
    return what;
}

/* ---- values: a few beginnings, made unlike each other ---- */
static struct span mutated(struct random *random, const char *from)
{
    char *text = arena_alloc(&arena, 400);
    size_t n = 0;
    for (const char *p = from; *p && n < 390; p++) {
        char c = *p;
        if (random_below(random, 4) == 0 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            c ^= 0x20;
        if (random_below(random, 20) == 0)
            text[n++] = " .-+\"'0"[random_below(random, 7)];
        text[n++] = c;
    }
    return (struct span){text, n};
}

static struct span hexadecimal(struct random *random)
{
    static const size_t lengths[] = {31, 32, 40, 63, 64, 65, 128, 129};
    size_t n = lengths[random_below(random, 8)];
    const char *digits = random_below(random, 2) ? "0123456789abcdef" : "0123456789ABCDEFabcdef";
    char *text = arena_alloc(&arena, n);
    for (size_t i = 0; i < n; i++)
        text[i] = digits[random_below(random, strlen(digits))];
    return (struct span){text, n};
}

static struct span any_value(struct random *random)
{
    static const char *const from[] = {"Jane.Doe@gmail.com",
                                       "janedoe+tag@googlemail.com",
                                       "j@example.com",
                                       "user-7",
                                       "guest",
                                       " null",
                                       "0151 2345678",
                                       "+49 151 2345678",
                                       "+1 (555) 000-1111",
                                       "00491512345678",
                                       "abcabc",
                                       "caf\303\251",
                                       "cafe\314\201",
                                       "J\303\226RG@m\303\274nchen.example",
                                       "\302\240eve@example.com\342\200\213",
                                       "tel:+49 151\302\2402345678",
                                       "\357\274\220151-2345678",
                                       "\"quoted\"",
                                       "0000"};
    return random_below(random, 4) == 0
               ? hexadecimal(random)
               : mutated(random, from[random_below(random, sizeof from / sizeof *from)]);
}

/* ---- what may follow ---- */
static void check_unsure(const struct identity_policy *before, const struct identity_policy *after,
                         struct span form)
{
    assert_true(span_equal(form_of(before, form, false), form) &&
                span_equal(form_of(before, form, true), form));
    assert_false(span_equal(form_of(after, form, false), form_of(after, form, true)));
}

static void check_value(const struct identity_policy *before, const struct identity_policy *after,
                        struct span value, bool is_digest)
{
    struct span form = form_of(before, value, is_digest), wanted = form_of(after, value, is_digest),
                found;
    if (form.len == 0) { /* it is not stored */
        assert_int_equal(wanted.len, 0);
        return;
    }
    enum renormalised what = again(before, after, form, &found);
    if (what == RENORMALISED_UNSURE)
        check_unsure(before, after, form);
    else if (!span_equal(found, wanted))
        fail_msg("\"" SPAN_FMT "\" (%s) is \"" SPAN_FMT "\", by its form before \"" SPAN_FMT "\"",
                 SPAN_ARG(value), is_digest ? "hashed" : "clear", SPAN_ARG(wanted),
                 SPAN_ARG(found));
    else if (what == RENORMALISED) { /* done again it stays */
        struct span twice = form_of(after, found, identity_is_digest_form(found));
        assert_true(span_equal(found, twice));
    }
}

static void a_form_has_a_form(void **state)
{
    (void)state;
    struct random random = random_from_environment();
    size_t pairs = 0;
    for (int i = 0; i < RULES * RULES; i++) {
        const struct identity_policy *before = policy_of(i / RULES, "1", few),
                                     *after = policy_of(i % RULES, "49", more);
        bool holds = identity_can_renormalise(before, &before->types[0], &after->types[0]);
        pairs += holds;
        for (size_t n = 0; n < VALUES && holds; n++)
            check_value(before, after, any_value(&random), random_below(&random, 3) == 0);
        arena_reset(&arena);
    }
    assert_int_equal(
        pairs,
        /* from plain, whatever the Gmail rule; from e-mail without it, to e-mail alone */
        2 * 12 + 4);
}

/* Two values with one form before and two forms after; other NULL: the digest that the one is. */
static const struct example {
    int before, after;
    const char *code, *one, *other;
} examples[] = {
    {1, 0, "1", "A@b.c", "a@b.c"},                  /* the case is gone */
    {2, 0, "1", "+1 555 0001111", "+15550001111"},  /* separators are gone */
    {2, 2, "49", "0151 2345678", "+1 151 2345678"}, /* the country was guessed */
    {7, 1, "1", "a.b@gmail.com", "ab@gmail.com"},   /* dots are gone */
    {4, 10, "1", "a.b@gmail.com", NULL},            /* no dots in a digest */
    {3, 0, "1", "card", NULL},
};

static void what_is_refused_has_an_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        const struct identity_policy *before = policy_of(e->before, "1", few),
                                     *after = policy_of(e->after, e->code, few);
        struct span one = span_of(e->one);
        struct span other = e->other ? span_of(e->other) : form_of(before, one, false);
        assert_false(identity_can_renormalise(before, &before->types[0], &after->types[0]));
        assert_true(
            span_equal(form_of(before, one, false), form_of(before, other, e->other == NULL)));
        assert_false(
            span_equal(form_of(after, one, false), form_of(after, other, e->other == NULL)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_has_a_form),
        cmocka_unit_test(what_is_refused_has_an_example),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
