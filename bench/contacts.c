/* contacts.c: milliseconds of CPU per contact decision of one customer who was contacted very
 * often, and of a batch of requests of that customer. No arguments; one line per case. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_profile.h"

static const char policy_text[] =
    "{\"classes\":{\"marketing\":{}},\"consent\":{\"*\":{\"on_unknown\":\"allow\"}},\"rules\":["
    "{\"id\":\"optout\",\"kind\":\"opt_out\"},"
    "{\"id\":\"bad\",\"kind\":\"invalid_address\",\"on\":[\"Email Bounced\"]},"
    "{\"id\":\"upset\",\"kind\":\"hold\",\"on\":[\"Complaint Filed\"],\"for\":\"P21D\"},"
    "{\"id\":\"a\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":3},"
    "{\"id\":\"b\",\"kind\":\"cap\",\"per\":\"P30D\",\"limit\":5},"
    "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P90D\",\"limit\":9}]}";

enum { SPAN_DAYS = 80, BATCH = 1000 };

static struct contact_policy policy;
static const int64_t start_us = INT64_C(1767225600) * US_PER_SECOND;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct contact_fact fact_of(enum contact_kind kind, const char *event, int64_t at,
                                   uint32_t number)
{
    struct contact_fact fact = {
        .at = {at},
        .kind = (int16_t)kind,
        .flags = CONTACT_HAS_CONTACT,
        .score = CONTACT_SCORE_ABSENT,
        .priority = CONTACT_PRIORITY_ABSENT,
        .event = span_of(event),
        .channel = SPAN("email"),
        .class = SPAN("marketing"),
        .planned_at = INSTANT_ABSENT,
        .expires_at = INSTANT_ABSENT,
        .latest_at = INSTANT_ABSENT,
    };
    uint64_t scattered = (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15); /* as hashes are */
    memcpy(fact.event_id.bytes, &scattered, sizeof scattered);
    memcpy(fact.event_id.bytes + 12, &number, sizeof number);
    return fact;
}

/* Sends over 80 days, without a request or each with a request and a delivery. */
static size_t fill(struct ledger_fact *facts, size_t sends, bool is_asked)
{
    size_t count = 0;
    for (size_t i = 0; i < sends; i++) {
        int64_t at = start_us + (int64_t)i * SPAN_DAYS * US_PER_DAY / (int64_t)sends;
        struct contact_fact asked =
            fact_of(CONTACT_REQUEST, "Contact Requested", at, (uint32_t)(3 * i));
        struct contact_fact sent =
            fact_of(CONTACT_SENT, "Contact Sent", at + 1, (uint32_t)(3 * i + 1));
        struct contact_fact delivered =
            fact_of(CONTACT_DELIVERED, "Contact Delivered", at + 2, (uint32_t)(3 * i + 2));
        if (is_asked) {
            sent.decision_id = delivered.decision_id = asked.event_id;
            facts[count++].body = asked;
            facts[count++].body = delivered;
        }
        facts[count++].body = sent;
    }
    return count;
}

static size_t add_requests(struct ledger_fact *facts, size_t count, size_t requests)
{
    for (size_t i = 0; i < requests; i++) {
        struct ledger_fact *fact = &facts[count++];
        fact->body = fact_of(CONTACT_REQUEST, "Contact Requested",
                             start_us + SPAN_DAYS * US_PER_DAY + (int64_t)i * US_PER_SECOND,
                             (uint32_t)(1000000 + i));
        fact->origin = fact;
    }
    return count;
}

static int by_request(const void *a, const void *b)
{
    return id_compare(&((const struct reservation *)a)->request_id,
                      &((const struct reservation *)b)->request_id);
}

static size_t reserve(const struct ledger_fact *facts, size_t count, struct reservation *out)
{
    size_t reserved = 0;
    for (size_t i = 0; i < count; i++)
        if (facts[i].body.kind == CONTACT_REQUEST && facts[i].origin == NULL)
            out[reserved++] = (struct reservation){.request_id = facts[i].body.event_id,
                                                   .verdict = VERDICT_GRANT,
                                                   .outcome = RESULT_DELIVERED,
                                                   .planned_at = facts[i].body.at,
                                                   .expires_at = facts[i].body.at,
                                                   .sent_at = {facts[i].body.at.us + 1}};
    qsort(out, reserved, sizeof *out, by_request);
    return reserved;
}

static void measure(size_t sends, bool is_asked, size_t requests)
{
    struct arena arena = {0};
    struct ledger_fact *facts =
        arena_calloc(&arena, 3 * sends + requests, sizeof(struct ledger_fact));
    size_t count = add_requests(facts, fill(facts, sends, is_asked), requests);
    struct reservation *decisions = arena_array(&arena, struct reservation, count);
    size_t decided = reserve(facts, count, decisions);
    struct profile profile = {.facts = arena_array(&arena, struct ledger_fact *, count),
                              .fact_count = count};
    for (size_t i = 0; i < count; i++) {
        facts[i].key.event_id = facts[i].body.event_id;
        facts[i].key.occurred_at = facts[i].body.at;
        profile.facts[i] = &facts[i];
    }
    struct profile_results results = {0};
    double begin = now_ms();
    profile_decide(&policy, &profile, decisions, decided, (struct instant){start_us}, &arena,
                   &results);
    printf("%6zu contacts %-15s %4zu requests %9.1f ms\n", sends,
           is_asked ? "with requests" : "without request", results.decisions.count,
           now_ms() - begin);
    fflush(stdout);
    arena_free(&arena);
}

int main(void)
{
    static const size_t sizes[] = {1000, 5000, 20000, 45000};
    struct arena arena = {0};
    struct err err = {0};
    if (suppression_policy_parse(&arena, span_of(policy_text), "bench.json", &policy, &err) !=
        OUTCOME_OK) {
        fprintf(stderr, "bench-contacts: %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int is_asked = 0; is_asked < 2; is_asked++) {
            measure(sizes[i], is_asked, 1);
            measure(sizes[i], is_asked, BATCH);
        }
    arena_free(&arena);
    return 0;
}
