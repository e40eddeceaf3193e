/* data_generator_test.c: the same seed gives the same bytes, and the shares are what the generator
 * promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/map.h"
#include "common/codec/avro/avro_to_json.h"
#include "common/codec/avro/json_to_avro.h"
#include "common/codec/avro/touchpoint_writer.h"
#include "common/codec/schema/embedded.h"
#include "common/codec/touchpoint_key.h"
#include "data/generator.h"

struct tally {
    uint64_t arrivals, distinct, duplicates, late, over_a_day_late, identifiers, bytes, orders,
        requests, sends, answers, joined;
    uint64_t hash;
    uint32_t channels;
};

static struct generator *open_profile(enum generator_profile profile, uint64_t events,
                                      uint32_t people, uint64_t seed)
{
    struct generator_options options = {.profile = profile,
                                        .people = people,
                                        .events = events,
                                        .seed = seed,
                                        .days = 30,
                                        .epoch = {INT64_C(1767225600) * US_PER_SECOND}};
    struct generator *g = NULL;
    struct err err = {0};
    if (generator_open(&options, &g, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    return g;
}

static uint64_t hash_bytes(uint64_t hash, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.ptr[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint32_t channel_bit(struct span channel)
{
    static const char *const names[] = {"web",         "app",         "email", "sms", "pos",
                                        "call_center", "direct_mail", "ads",   "crm"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(channel, names[i]))
            return 1u << i;
    fail_msg("unknown channel " SPAN_FMT, SPAN_ARG(channel));
    return 0;
}

static void count_touchpoint(struct tally *tally, const struct generated *item)
{
    const struct touchpoint *t = &item->touchpoint;
    tally->distinct++;
    tally->late += item->is_late;
    tally->over_a_day_late += t->received_at - t->occurred_at > US_PER_DAY;
    tally->identifiers +=
        t->identifier_count + (t->user_id.ptr != NULL) + (t->anonymous_id.ptr != NULL);
    tally->orders += span_is(t->event_name, "Order Completed");
    tally->requests += t->has_contact;
    tally->sends += span_is(t->event_name, "Contact Sent");
    tally->answers += t->decision_id.ptr != NULL;
    tally->joined += t->user_id.ptr != NULL && t->anonymous_id.ptr != NULL;
    tally->channels |= channel_bit(t->channel);
}

static struct tally run(enum generator_profile profile, uint64_t events, uint32_t people,
                        uint64_t seed)
{
    struct generator *g = open_profile(profile, events, people, seed);
    struct tally tally = {.hash = UINT64_C(14695981039346656037)};
    struct strbuf buf = {0};
    struct instant last = INSTANT_FIRST;
    static struct generated item;
    while (generator_next(g, &item)) {
        assert_true(instant_compare(last, item.emitted_at) <= 0);
        assert_true(item.touchpoint.occurred_at < item.emitted_at.us);
        assert_true(item.touchpoint.received_at <= item.emitted_at.us);
        last = item.emitted_at;
        strbuf_reset(&buf);
        touchpoint_write_framed(&buf, 1, &item.touchpoint);
        tally.hash = hash_bytes(tally.hash, strbuf_span(&buf));
        tally.bytes += buf.len;
        tally.arrivals++;
        tally.duplicates += item.is_duplicate;
        if (!item.is_duplicate)
            count_touchpoint(&tally, &item);
    }
    strbuf_free(&buf);
    generator_close(g);
    return tally;
}

static void assert_share(uint64_t part, uint64_t whole, double low, double high)
{
    double share = (double)part / (double)whole;
    if (share < low || share > high)
        fail_msg("%.4f is not within %.4f and %.4f", share, low, high);
}

static void same_seed_same_bytes(void **state)
{
    for (int profile = GENERATOR_BANK; profile <= GENERATOR_BENCH; profile++) {
        struct tally a = run((enum generator_profile)profile, 20000, 500, 7);
        struct tally b = run((enum generator_profile)profile, 20000, 500, 7);
        struct tally c = run((enum generator_profile)profile, 20000, 500, 8);
        assert_true(a.hash == b.hash && a.arrivals == b.arrivals);
        assert_true(a.hash != c.hash);
    }
}

static void bench_has_the_promised_mix(void **state)
{
    struct tally t = run(GENERATOR_BENCH, 200000, 20000, 1);
    assert_int_equal(t.distinct, 200000);
    assert_int_equal(t.arrivals, t.distinct + t.duplicates);
    assert_share(t.bytes, t.arrivals, 250, 270);
    assert_share(t.identifiers, t.distinct, 1.55, 1.65);
    assert_share(t.duplicates, t.distinct, 0.009, 0.011);
    assert_share(t.late, t.distinct, 0.048, 0.052);
    assert_share(t.over_a_day_late, t.late, 0.013, 0.024); /* exp(-24/6) = 0.0183 */
    assert_share(t.orders, t.distinct, 0.028, 0.032);
    assert_share(t.requests, t.distinct, 0.018, 0.022);
    assert_share(t.answers, t.requests, 0.66, 0.74);
    assert_int_equal(t.channels, 0xff);
}

static void bank_tells_every_story(void **state)
{
    struct tally t = run(GENERATOR_BANK, 100000, 3000, 1);
    assert_int_equal(t.distinct, 100000);
    assert_share(t.duplicates, t.distinct, 0.009, 0.011);
    assert_share(t.late, t.distinct, 0.048, 0.052);
    assert_share(t.requests, t.distinct, 0.03, 0.20);
    assert_share(t.answers, t.requests, 0.60, 0.75);
    assert_true(t.sends > t.answers); /* some are sent without a request */
    assert_true(t.joined > 1000);
}

/* Every send that names a decision comes from the same person as the request it names. */
static void decisions_belong_to_their_requests(void **state)
{
    for (int profile = GENERATOR_BANK; profile <= GENERATOR_BENCH; profile++) {
        struct generator *g = open_profile((enum generator_profile)profile, 20000, 500, 3);
        struct map requests;
        map_init(&requests, NULL, sizeof(struct id), sizeof(uint32_t));
        static struct generated item;
        struct id id;
        for (int pass = 0; pass < 2; pass++) {
            while (generator_next(g, &item)) {
                touchpoint_event_id(item.touchpoint.source, item.touchpoint.message_id, &id);
                if (pass == 0 && item.touchpoint.has_contact)
                    *(uint32_t *)map_put(&requests, &id, NULL) = item.person;
                if (pass == 0 || item.touchpoint.decision_id.ptr == NULL)
                    continue;
                assert_true(id_from_uuid(item.touchpoint.decision_id, &id));
                uint32_t *person = map_find(&requests, &id);
                assert_non_null(person);
                assert_int_equal(*person, item.person);
            }
            generator_close(g);
            g = pass == 0 ? open_profile((enum generator_profile)profile, 20000, 500, 3) : NULL;
        }
        map_free(&requests);
    }
}

static bool is_listed(const struct touchpoint_identifier *list, size_t count, const char *type,
                      struct span value)
{
    for (size_t i = 0; i < count; i++)
        if (span_is(list[i].type, type) && span_equal(list[i].value, value))
            return true;
    return false;
}

static void truth_lists_every_identifier(void **state)
{
    struct arena arena = {0};
    struct generator *g = open_profile(GENERATOR_BANK, 20000, 500, 5);
    static struct generated item;
    struct touchpoint_identifier list[GENERATOR_IDENTIFIERS];
    while (generator_next(g, &item)) {
        const struct touchpoint *t = &item.touchpoint;
        arena_reset(&arena);
        size_t count = generator_identifiers(g, &arena, item.person, list);
        assert_true(t->user_id.ptr == NULL || is_listed(list, count, "user_id", t->user_id));
        assert_true(t->anonymous_id.ptr == NULL ||
                    is_listed(list, count, "anonymous_id", t->anonymous_id));
        for (uint32_t i = 0; i < t->identifier_count; i++) {
            char type[32];
            snprintf(type, sizeof type, SPAN_FMT, SPAN_ARG(t->identifiers[i].type));
            assert_true(is_listed(list, count, type, t->identifiers[i].value));
        }
        assert_non_null(touchpoint_strongest_identifier(t).ptr);
    }
    generator_close(g);
    arena_free(&arena);
}

/* The fast writer against the encoder that follows the schema: bytes -> JSON -> bytes must come
 * back. */
static void fast_writer_agrees_with_the_schema(void **state)
{
    struct err err = {0};
    struct avro_shape *shape;
    assert_int_equal(avro_shape_open(embedded_schema("touchpoint"), &shape, &err), OUTCOME_OK);
    for (int profile = GENERATOR_BANK; profile <= GENERATOR_BENCH; profile++) {
        struct generator *g = open_profile((enum generator_profile)profile, 3000, 100, 9);
        static struct generated item;
        struct strbuf fast = {0}, text = {0}, slow = {0};
        while (generator_next(g, &item)) {
            strbuf_reset(&fast);
            strbuf_reset(&text);
            strbuf_reset(&slow);
            touchpoint_write(&fast, &item.touchpoint);
            struct span rest = strbuf_span(&fast);
            assert_int_equal(avro_to_json(shape, &rest, AVRO_PRINT_SHORT, &text, &err), OUTCOME_OK);
            assert_int_equal(rest.len, 0);
            if (json_text_to_avro(shape, strbuf_span(&text), &slow, NULL, &err) != OUTCOME_OK)
                fail_msg("%s in %s", err.message, text.ptr);
            assert_true(span_equal(strbuf_span(&fast), strbuf_span(&slow)));
        }
        strbuf_free(&fast);
        strbuf_free(&text);
        strbuf_free(&slow);
        generator_close(g);
    }
    avro_shape_close(shape);
}

static void bad_options_are_refused(void **state)
{
    struct generator_options options = {
        .profile = GENERATOR_BENCH, .people = 0, .events = 10, .days = 30};
    struct generator *g = NULL;
    struct err err = {0};
    assert_int_equal(generator_open(&options, &g, &err), OUTCOME_FATAL);
    options.people = 1;
    options.days = 0;
    assert_int_equal(generator_open(&options, &g, &err), OUTCOME_FATAL);
    options.days = 1;
    options.events = 0;
    assert_int_equal(generator_open(&options, &g, &err), OUTCOME_OK);
    static struct generated item;
    assert_false(generator_next(g, &item));
    generator_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(bench_has_the_promised_mix),
        cmocka_unit_test(bank_tells_every_story),
        cmocka_unit_test(decisions_belong_to_their_requests),
        cmocka_unit_test(truth_lists_every_identifier),
        cmocka_unit_test(fast_writer_agrees_with_the_schema),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
