/* suppression_profile.c: see suppression_profile.h. */
#include "services/suppression/suppression_profile.h"

#include <stdlib.h>

#include "common/codec/messages.h"
#include "common/words/preferences.h"
#include "services/suppression/logic/rules.h"

struct desk {
    const struct contact_policy *policy;
    struct profile *profile;
    struct ledger ledger; /* its reservations have room for every request */
    struct instant now;
    struct arena *arena;
    struct profile_results *results;
};

static bool is_earlier(struct instant a, struct instant b)
{
    return a.us != INSTANT_ABSENT.us && (b.us == INSTANT_ABSENT.us || instant_compare(a, b) < 0);
}

/* -1, 0 or 1. */
static int ascending(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int time_compare(const void *a, const void *b)
{
    const struct ledger_fact *x = *(struct ledger_fact *const *)a,
                             *y = *(struct ledger_fact *const *)b;
    int c = contact_fact_order(&x->body, &y->body);
    return c ? c : ascending(x->key.anchor, y->key.anchor);
}

static bool is_same_touchpoint(const struct ledger_fact *a, const struct ledger_fact *b)
{
    return a->body.at.us == b->body.at.us && id_equal(&a->body.event_id, &b->body.event_id);
}

/* Under several identifiers a touchpoint may have come in at several times: the earliest counts. */
static void share_received_at(struct ledger_fact **facts, size_t count)
{
    for (size_t from = 0, to; from < count; from = to) {
        struct instant least = INSTANT_ABSENT;
        for (to = from; to < count && is_same_touchpoint(facts[from], facts[to]); to++)
            least = contact_earlier(least, facts[to]->body.received_at);
        for (size_t i = from; i < to; i++)
            facts[i]->body.received_at = least;
    }
}

/* A touchpoint that several identifiers of the profile have counts once. */
static size_t drop_repeats(struct ledger_fact **facts, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !contact_is_repeat(&facts[i]->body, &facts[kept - 1]->body))
            facts[kept++] = facts[i];
    return kept;
}

void profile_put_in_order(struct profile *profile)
{
    if (profile->fact_count > 1)
        qsort(profile->facts, profile->fact_count, sizeof *profile->facts, time_compare);
    share_received_at(profile->facts, profile->fact_count);
    profile->fact_count = drop_repeats(profile->facts, profile->fact_count);
}

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

static const struct reservation *find(const struct reservation *rows, size_t count,
                                      const struct id *request_id)
{
    return count ? bsearch(request_id, rows, count, sizeof *rows, reservation_compare) : NULL;
}

/* With room for the reservation of every request, so that none moves. */
static struct ledger ledger_of(struct profile *profile, const struct reservation *decisions,
                               size_t decision_count, struct arena *arena)
{
    const struct contact_fact **facts =
        arena_array(arena, const struct contact_fact *, profile->fact_count);
    struct ledger ledger = {facts,
                            profile->fact_count,
                            arena_array(arena, struct reservation, profile->fact_count),
                            0,
                            NULL,
                            profile->addresses,
                            &profile->arms,
                            profile->places};
    struct map seen; /* a request that was told twice is one */
    map_init(&seen, arena, sizeof(struct id), 1);
    for (size_t i = 0; i < profile->fact_count; i++) {
        bool is_new = false;
        facts[i] = &profile->facts[i]->body;
        if (facts[i]->kind == CONTACT_REQUEST)
            map_put(&seen, &facts[i]->event_id, &is_new);
        const struct reservation *known =
            is_new ? find(decisions, decision_count, &facts[i]->event_id) : NULL;
        if (known)
            ledger.reservations[ledger.reservation_count++] = *known;
    }
    return ledger;
}

/* A customer with very many contacts has few facts besides. */
static void leave_to_rules(const struct contact_policy *policy, struct ledger *ledger,
                           struct arena *arena)
{
    const struct contact_fact **facts =
        arena_array(arena, const struct contact_fact *, ledger->fact_count);
    size_t count = 0;
    for (size_t i = 0; i < ledger->fact_count; i++)
        if (rules_read(policy, ledger->facts[i]))
            facts[count++] = ledger->facts[i];
    ledger->facts = facts;
    ledger->fact_count = count;
}

/* Writes what the facts say of the decisions into the reservations. */
static void settle(struct desk *desk)
{
    for (size_t i = 0; i < desk->ledger.reservation_count; i++) {
        struct reservation *r = &desk->ledger.reservations[i];
        const struct contact_result *known =
            &contacts_asked(desk->ledger.contacts, &r->request_id)->result;
        if (known->outcome > (enum contact_outcome)r->outcome)
            r->outcome = (int16_t)known->outcome;
        if (is_earlier(known->sent_at, r->sent_at))
            r->sent_at = known->sent_at;
    }
}

bool profile_is_news(const struct contact_fact *fact)
{
    return fact->kind == CONTACT_SIGNAL;
}

void profile_note_outcome(const struct contact_fact *fact, struct arena *arena,
                          struct profile_results *results)
{
    if (!contact_is_result(fact))
        return;
    struct contact_result news = {RESULT_OPEN, INSTANT_ABSENT, INSTANT_ABSENT};
    contact_result_add(&news, fact);
    *arena_push(arena, &results->outcomes) = (struct outcome_row){
        fact->decision_id, (int16_t)news.outcome, news.at, news.sent_at, SPAN_NONE, false};
}

/* The outcomes that this batch brought. */
static void note_outcomes(struct desk *desk)
{
    for (size_t i = 0; i < desk->profile->fact_count; i++)
        if (desk->profile->facts[i]->origin)
            profile_note_outcome(&desk->profile->facts[i]->body, desk->arena, desk->results);
}

static void note_revocation(struct desk *desk, const struct revocation *revocation)
{
    const struct asked *asked = contacts_asked(desk->ledger.contacts, &revocation->request_id);
    *arena_push(desk->arena, &desk->results->outcomes) =
        (struct outcome_row){revocation->request_id,     RESULT_REVOKED, desk->now, INSTANT_ABSENT,
                             span_of(revocation->cause), false};
    *arena_push(desk->arena, &desk->results->revoked) = (struct revoked){
        .request_id = revocation->request_id,
        .profile_id = desk->profile->id,
        .request = asked->request,
        .rule_id = desk->policy->rules[revocation->rule].id,
        .cause = revocation->cause,
        .expires_at = asked->reservation->expires_at,
    };
}

/* He said which hours he wants, or in which zone he lives. */
static bool says_hours(const struct contact_fact *fact)
{
    struct preference ignored;
    return !contact_is_copy(fact) && fact->preferences.len > 0 &&
           (preference_find(fact->preferences, SPAN("hours"), &ignored) ||
            preference_find(fact->preferences, SPAN("time_zone"), &ignored));
}

/* New signals, and people who were joined, may forbid what was granted. The event clock of a
 * profile is its last known fact. */
static void revoke(struct desk *desk)
{
    bool is_news = desk->profile->is_merged || desk->profile->has_news;
    struct contact_news news = {.is_merged = desk->profile->is_merged};
    struct instant last = INSTANT_FIRST;
    for (size_t i = 0; i < desk->profile->fact_count; i++) {
        const struct ledger_fact *f = desk->profile->facts[i];
        is_news = is_news || (f->origin && profile_is_news(&f->body));
        news.has_hours = news.has_hours || (f->origin && says_hours(&f->body));
        last = f->body.at;
    }
    if (!is_news)
        return;
    struct revocation *revocations;
    size_t count = contact_revoke(desk->policy, &desk->ledger, news, last, desk->now, desk->arena,
                                  &revocations);
    for (size_t i = 0; i < count; i++)
        note_revocation(desk, &revocations[i]);
}

static void put_rule(const struct contact_policy *policy, const struct contact_decision *decision,
                     struct decision_row *row)
{
    row->reason = decision->reason ? span_of(decision->reason) : SPAN_NONE;
    row->rule_id = row->rule_owner = SPAN_NONE;
    if (decision->rule < 0)
        return;
    row->rule_id = policy->rules[decision->rule].id;
    row->rule_owner = policy->rules[decision->rule].owner;
}

/* origin: the request as this batch brought it. */
static struct decision_row row_of(const struct contact_policy *policy,
                                  const struct contact_decision *decision,
                                  const struct ledger_fact *origin, struct instant now)
{
    const struct contact_fact *request = &origin->body;
    struct span channel;
    policy_channel(policy, request->channel, &channel);
    struct decision_row row = {
        .request_id = origin->key.event_id,
        .anchor = INT64_MIN,
        .verdict = (int16_t)decision->verdict,
        .outcome = RESULT_OPEN,
        .priority = request->priority,
        .requested_at = origin->key.occurred_at,
        .asked_for_at = contact_planned_at(request),
        .planned_at = decision->planned_at,
        .moved_by = decision->moved_by,
        .latest_at = request->latest_at,
        .expires_at = decision->expires_at,
        .retry_at = decision->retry_at,
        .sent_at = INSTANT_ABSENT,
        .claimed_at = INSTANT_ABSENT,
        .outcome_at = INSTANT_ABSENT,
        .waited_us = origin->timestamp_ms < 0 ? INT64_MIN : now.us - origin->timestamp_ms * 1000,
        .channel = channel,
        .department = request->department,
        .class = request->class,
        .purpose = request->purpose,
        .campaign_id = request->campaign_id,
        .product_id = request->product_id,
        .tags = request->tags,
        .batch_id = origin->batch_id,
        .opportunity_id = origin->opportunity_id,
        .sequence_id = decision->sequence_id,
        .rules = decision->rules,
        .zones = decision->zones,
        .zone_data = decision->zone_data,
        .correlation = origin->correlation,
        .lane = origin->lane,
    };
    put_rule(policy, decision, &row);
    return row;
}

/* Sends may have arrived before their request. */
static void put_known_result(const struct desk *desk, struct decision_row *row)
{
    const struct contact_result *known =
        &contacts_asked(desk->ledger.contacts, &row->request_id)->result;
    row->outcome = (int16_t)known->outcome;
    row->outcome_at = known->at;
    row->sent_at = known->sent_at;
}

static void reserve(struct desk *desk, const struct decision_row *row,
                    const struct contact_fact *request)
{
    struct reservation *r = &desk->ledger.reservations[desk->ledger.reservation_count++];
    *r = (struct reservation){
        .request_id = row->request_id,
        .verdict = row->verdict,
        .outcome = row->outcome,
        .planned_at = row->planned_at,
        .expires_at = row->verdict == VERDICT_GRANT ? row->expires_at : INSTANT_NEVER,
        .sent_at = row->sent_at,
        .claimed_at = INSTANT_ABSENT,
        .sequence_id = row->sequence_id,
    };
    contacts_add(desk->ledger.contacts, request, r);
}

/* Whoever says no for one of the addresses finds the grant there. */
static void list_grant(struct desk *desk, const struct asked_addresses *asked,
                       const struct id *request_id, struct instant expires_at)
{
    for (size_t i = 0; i < asked->count; i++)
        *arena_push(desk->arena, &desk->results->grants) =
            (struct address_grant){asked->items[i].address, *request_id, expires_at};
}

static void note_grant(struct desk *desk, const struct decision_row *row,
                       const struct contact_fact *request)
{
    if (row->verdict != VERDICT_GRANT || row->outcome != RESULT_OPEN)
        return;
    struct asked_addresses asked = addresses_asked(desk->profile->addresses, request, desk->arena);
    list_grant(desk, &asked, &row->request_id, row->expires_at);
}

static void note_arms(struct desk *desk, size_t known)
{
    const struct arms *arms = desk->ledger.arms;
    for (size_t i = known; i < arms->count; i++)
        *arena_push(desk->arena, &desk->results->arms) = arms->items[i];
}

static void decide(struct desk *desk, const struct ledger_fact *fact)
{
    struct contact_decision decision;
    size_t arms = desk->ledger.arms->count;
    contact_decide(desk->policy, &desk->ledger, &fact->body, desk->now, desk->arena, &decision);
    struct decision_row row = row_of(desk->policy, &decision, fact->origin, desk->now);
    row.anchor = fact->key.anchor;
    row.profile_id = desk->profile->id;
    put_known_result(desk, &row);
    *arena_push(desk->arena, &desk->results->decisions) = row;
    reserve(desk, &row, &fact->body);
    note_grant(desk, &row, &fact->body);
    note_arms(desk, arms);
}

static int request_compare(const void *a, const void *b)
{
    return contact_request_order(&(*(const struct ledger_fact *const *)a)->body,
                                 &(*(const struct ledger_fact *const *)b)->body);
}

/* New requests one after the other; of one instant the highest priority first. */
static void decide_new(struct desk *desk)
{
    const struct profile *profile = desk->profile;
    const struct ledger_fact **asked =
        arena_array(desk->arena, const struct ledger_fact *, profile->fact_count);
    size_t count = 0;
    for (size_t i = 0; i < profile->fact_count; i++)
        if (profile->facts[i]->origin && profile->facts[i]->body.kind == CONTACT_REQUEST)
            asked[count++] = profile->facts[i];
    if (count > 1)
        qsort(asked, count, sizeof *asked, request_compare);
    for (size_t i = 0; i < count; i++)
        if (!contacts_asked(desk->ledger.contacts, &asked[i]->key.event_id)->reservation)
            decide(desk, asked[i]);
}

/* Rules compare channels by their names. */
static void name_channels(const struct contact_policy *policy, struct profile *profile)
{
    for (size_t i = 0; i < profile->fact_count; i++) {
        struct contact_fact *body = &profile->facts[i]->body;
        policy_channel(policy, body->channel, &body->channel);
    }
}

static void count_vain_ends(struct desk *desk)
{
    for (size_t i = 0; i < desk->profile->fact_count; i++) {
        const struct ledger_fact *f = desk->profile->facts[i];
        if (f->origin && !contact_is_copy(&f->body) &&
            rules_end_in_vain(desk->policy, &desk->ledger, &f->body))
            desk->results->vain_ends++;
    }
}

/* It may still be revoked. The event clock is the last known fact, as for revocations: what is over
 * by it stays over. */
static bool is_open(const struct desk *desk, const struct reservation *r)
{
    struct instant last = desk->profile->facts[desk->profile->fact_count - 1]->body.at;
    return reservation_is_open(r, last, desk->now) && !reservation_is_claimed(r);
}

static struct instant open_until(const struct desk *desk)
{
    struct instant until = INSTANT_ABSENT;
    for (size_t i = 0; i < desk->ledger.reservation_count; i++) {
        const struct reservation *r = &desk->ledger.reservations[i];
        if (is_open(desk, r) && instant_compare(until, r->expires_at) < 0)
            until = r->expires_at;
    }
    return until;
}

/* An open grant that named no address relies on those that came to the customer since. Of who
 * leaves, too: he may have come while another instance was making the grant, and from now on his
 * words reach it by the list alone. */
static void list_open_grants(struct desk *desk)
{
    if (!desk->profile->is_moved && !desk->profile->has_address)
        return;
    for (size_t i = 0; i < desk->ledger.reservation_count; i++) {
        const struct reservation *r = &desk->ledger.reservations[i];
        const struct contact_fact *request =
            contacts_asked(desk->ledger.contacts, &r->request_id)->request;
        if (!is_open(desk, r) || request->addresses.len > 0)
            continue;
        struct asked_addresses asked =
            addresses_asked(desk->profile->addresses, request, desk->arena);
        list_grant(desk, &asked, &r->request_id, r->expires_at);
    }
}

/* Reads the whole ledger once. The profile has facts. */
static void read_ledger(struct desk *desk, const struct reservation *decisions,
                        size_t decision_count)
{
    struct profile *profile = desk->profile;
    profile_put_in_order(profile);
    name_channels(desk->policy, profile);
    desk->ledger = ledger_of(profile, decisions, decision_count, desk->arena);
    desk->ledger.contacts = contacts_read(desk->policy, &desk->ledger, desk->arena);
    leave_to_rules(desk->policy, &desk->ledger, desk->arena);
    settle(desk);
}

void profile_decide(const struct contact_policy *policy, struct profile *profile,
                    const struct reservation *decisions, size_t decision_count, struct instant now,
                    struct arena *arena, struct profile_results *results)
{
    struct desk desk = {
        .policy = policy, .profile = profile, .now = now, .arena = arena, .results = results};
    profile->open_until = INSTANT_ABSENT;
    if (profile->fact_count == 0)
        return;
    read_ledger(&desk, decisions, decision_count);
    note_outcomes(&desk);
    revoke(&desk);
    list_open_grants(&desk);
    count_vain_ends(&desk);
    decide_new(&desk);
    profile->open_until = open_until(&desk);
}

void profile_claim(const struct contact_policy *policy, struct profile *profile,
                   const struct reservation *reservation, const struct reservation *decisions,
                   size_t decision_count, struct instant now, struct arena *arena,
                   struct contact_claim *out)
{
    struct desk desk = {.policy = policy, .profile = profile, .now = now, .arena = arena};
    const struct asked *asked = NULL;
    if (profile->fact_count > 0) {
        read_ledger(&desk, decisions, decision_count);
        asked = contacts_asked(desk.ledger.contacts, &reservation->request_id);
    }
    contact_claim(policy, &desk.ledger, asked ? asked->request : NULL, reservation, now, arena,
                  out);
}

void profile_refuse(const struct contact_policy *policy, const struct ledger_fact *request,
                    const struct id *shared, struct instant now, struct arena *arena,
                    struct profile_results *results)
{
    struct contact_decision decision;
    contact_refuse(policy, &request->body, shared ? "shared_identifier" : "unidentified",
                   &decision);
    struct decision_row row = row_of(policy, &decision, request, now);
    if (shared) {
        row.anchor = request->key.anchor;
        row.profile_id = *shared;
    }
    *arena_push(arena, &results->decisions) = row;
}

/* ---- outcomes ---- */

static int outcome_compare(const void *a, const void *b)
{
    return id_compare(&((const struct outcome_row *)a)->request_id,
                      &((const struct outcome_row *)b)->request_id);
}

static void merge_outcome(struct outcome_row *into, const struct outcome_row *from)
{
    if (from->outcome > into->outcome ||
        (from->outcome == into->outcome && is_earlier(from->outcome_at, into->outcome_at))) {
        into->outcome = from->outcome;
        into->outcome_at = from->outcome_at;
        into->cause = from->cause;
    }
    if (is_earlier(from->sent_at, into->sent_at))
        into->sent_at = from->sent_at;
}

void profile_results_merge_outcomes(struct profile_results *results)
{
    struct outcome_rows *rows = &results->outcomes;
    size_t kept = 0;
    if (rows->count > 1)
        qsort(rows->items, rows->count, sizeof *rows->items, outcome_compare);
    for (size_t i = 0; i < rows->count; i++) {
        if (kept > 0 && id_equal(&rows->items[kept - 1].request_id, &rows->items[i].request_id))
            merge_outcome(&rows->items[kept - 1], &rows->items[i]);
        else
            rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
}

/* ---- messages ---- */

static struct span verdict_text(int16_t verdict)
{
    return verdict == VERDICT_GRANT  ? SPAN("grant")
           : verdict == VERDICT_DENY ? SPAN("deny")
                                     : SPAN("invalid");
}

static void add_decision(const struct decision_row *row, struct instant now, struct arena *arena,
                         struct outbox_rows *out)
{
    struct contact_decision_message message = {
        .request_id = row->request_id,
        .profile_id = row->profile_id,
        .verdict = verdict_text(row->verdict),
        .reason = row->reason,
        .rule_id = row->rule_id,
        .channel = row->channel,
        .department = row->department,
        .requested_at = row->requested_at.us,
        .decided_at = now.us,
        .expires_at = row->expires_at.us, /* INSTANT_ABSENT is LONG_ABSENT */
        .retry_at = row->retry_at.us,
        .planned_at = row->planned_at.us,
        .asked_for_at = row->asked_for_at.us,
        .moved_by = row->moved_by,
    };
    struct strbuf payload = {.arena = arena};
    contact_decision_encode(&payload, &message);
    *arena_push(arena, out) = (struct suppression_outbox_row){
        row->request_id, row->profile_id, OUTBOX_DECISION,  row->lane,
        row->channel,    row->department, row->correlation, strbuf_span(&payload)};
}

static void add_revocation(const struct revoked *revoked, int32_t lane, struct instant now,
                           struct arena *arena, struct outbox_rows *out)
{
    const struct contact_fact *request = revoked->request;
    struct contact_decision_message message = {
        .request_id = revoked->request_id,
        .profile_id = revoked->profile_id,
        .verdict = SPAN("revoked"),
        .rule_id = revoked->rule_id,
        .channel = request->channel,
        .department = request->department,
        .cause = span_of(revoked->cause),
        .requested_at = request->at.us,
        .decided_at = now.us,
        .expires_at = revoked->expires_at.us,
        .retry_at = LONG_ABSENT,
        .planned_at = LONG_ABSENT,
        .asked_for_at = LONG_ABSENT,
    };
    struct strbuf payload = {.arena = arena};
    contact_decision_encode(&payload, &message);
    *arena_push(arena, out) = (struct suppression_outbox_row){
        revoked->request_id, revoked->profile_id, OUTBOX_REVOCATION, lane,
        request->channel,    request->department, SPAN_NONE,         strbuf_span(&payload)};
}

static bool took_place(const struct profile_results *results, const struct id *request_id)
{
    struct outcome_row key = {.request_id = *request_id};
    const struct outcome_row *row = bsearch(&key, results->outcomes.items, results->outcomes.count,
                                            sizeof key, outcome_compare);
    return row && row->is_changed && row->outcome == RESULT_REVOKED;
}

void profile_results_messages(const struct profile_results *results, int32_t lane,
                              struct instant now, struct arena *arena, struct outbox_rows *out)
{
    for (size_t i = 0; i < results->decisions.count; i++)
        if (results->decisions.items[i].is_inserted)
            add_decision(&results->decisions.items[i], now, arena, out);
    for (size_t i = 0; i < results->revoked.count; i++)
        if (took_place(results, &results->revoked.items[i].request_id))
            add_revocation(&results->revoked.items[i], lane, now, arena, out);
}
