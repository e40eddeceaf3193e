/* plan.c: see plan.h. */
#include "operations/contact/plan.h"

#include <stdlib.h>

#include "common/base/nearest.h"
#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "common/service/zones.h"
#include "contact_sql.h"
#include "operations/contact/histories.h"
#include "operations/contact/plan_tally.h"
#include "operations/contact_ledger.h"
#include "operations/policies/candidate.h"
#include "services/suppression/logic/rules.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_touchpoint.h"

static const struct duration answer_within = {7 * US_PER_DAY};

/* What followed contacts is asked for many of them together: views are read from end to end. */
enum { LOST_AT_ONCE = 20000 };

/* A contact that would go: the candidate refuses it, and it was made or the active policy grants
 * it.
 */
struct lost_contact {
    struct id profile_id, request_id; /* nil request: it was sent without one */
    struct id made_id;                /* its touch; nil: it was not made */
    struct walked after;
    struct contact_fact request; /* after.request, which is gone by then */
    struct instant at;
    struct span campaign_id;
    int32_t place;
    struct plan_effect effect;
};

struct lost_contacts {
    struct lost_contact *items;
    size_t count, capacity;
    struct arena arena;
};

struct plan {
    struct desk *desk;
    const struct contact_plan_request *request;
    const struct contact_policy *active, *candidate;
    struct walk_terms terms;
    struct histories *histories;
    struct plan_tally tally;
    struct lost_contacts lost; /* not counted yet */
    struct arena arena;        /* for the customers at hand */
};

/* ---- what is asked ---- */

static enum outcome must_know_class(const struct contact_policy *policy, const char *whose,
                                    const char *class, struct err *err)
{
    struct nearest nearest = nearest_start(span_of(class), NEAREST_ANY);
    for (size_t i = 0; i < policy->class_count; i++)
        nearest_consider(&nearest, policy->classes[i].name);
    if (span_is(nearest.name, class))
        return OUTCOME_OK;
    if (nearest.name.ptr == NULL)
        return err_set(err, OUTCOME_FATAL, "unknown_class", "%s has no class \"%.60s\", nor any",
                       whose, class);
    return err_set(err, OUTCOME_FATAL, "unknown_class",
                   "%s has no class \"%.60s\" for sends; the nearest is \"" SPAN_FMT "\" (--class)",
                   whose, class, SPAN_ARG(nearest.name));
}

/* The ledger keeps what the active rules ask for: of anything else the plan sees nothing. */
static void warn_of_unseen(const struct plan *plan)
{
    struct arena *arena = plan->desk->arena;
    struct interests seen = suppression_interests(arena, plan->active);
    struct interests asked = suppression_interests(arena, plan->candidate);
    for (size_t i = 0; i < asked.count; i++)
        if (interests_find(&seen, asked.items[i].event) == NULL)
            desk_warn(plan->desk,
                      "%s: no active rule asks for \"" SPAN_FMT
                      "\", so this plan does not know where it happened; tutti policy apply reads "
                      "it from the past",
                      plan->request->path, SPAN_ARG(asked.items[i].event));
    if (asked.has_score && (!seen.has_score || seen.score_max < asked.score_max))
        desk_warn(plan->desk,
                  "%s: active rules ask for lower scores only, so this plan does not know all that "
                  "it asks for",
                  plan->request->path);
}

/* Who is held back is drawn by lot and not by what happened, so a plan does not ask it. */
static const struct contact_policy *without_lots(struct arena *arena,
                                                 const struct contact_policy *policy)
{
    struct contact_policy *out = arena_new(arena, struct contact_policy);
    *out = *policy;
    while (out->rule_count > 0 && out->rules[out->rule_count - 1].kind->draws)
        out->rule_count--; /* they stand last */
    return out;
}

static enum outcome read_candidate(struct plan *plan, struct err *err)
{
    struct arena *arena = plan->desk->arena;
    struct contact_policy *candidate = arena_new(arena, struct contact_policy);
    struct warnings warnings;
    CHECK(suppression_policy_read(arena, plan->request->path, candidate, err));
    suppression_policy_warnings(arena, candidate, instant_day(clock_now(), 0), &warnings);
    candidate_warn(plan->desk, plan->request->path, &warnings);
    plan->candidate = without_lots(arena, candidate);
    return OUTCOME_OK;
}

/* Days are those of UTC; the last one counts. */
static struct walk_terms terms_of(const struct contact_plan_request *request)
{
    static const struct duration day = {US_PER_DAY};
    struct walk_terms terms = {INSTANT_FIRST, INSTANT_NEVER, request->with_sends,
                               span_of(request->class)};
    if (request->from)
        instant_parse(span_of(request->from), &terms.from);
    if (request->to) {
        instant_parse(span_of(request->to), &terms.until);
        terms.until = instant_plus(terms.until, day);
    }
    return terms;
}

static const char *text_of(struct arena *arena, struct instant at)
{
    if (at.us == INSTANT_FIRST.us || at.us == INSTANT_NEVER.us)
        return NULL;
    char text[32];
    instant_format(at, text);
    return arena_printf(arena, "%s", text);
}

/* Both policies go by the zones of the active generation. */
static enum outcome load_zones(struct plan *plan, struct err *err)
{
    struct desk *desk = plan->desk;
    struct zone_book *book = arena_new(desk->arena, struct zone_book);
    struct contact_policy *candidate = arena_new(desk->arena, struct contact_policy),
                          *active = arena_new(desk->arena, struct contact_policy);
    struct id zones;
    *candidate = *plan->candidate;
    *active = *plan->active;
    CHECK(generation_find_zones(desk->db, desk->arena, &zones, err));
    CHECK(zones_load_book(desk->db, desk->arena, &zones, book, err));
    CHECK(suppression_policy_set_zones(desk->arena, candidate, book, err));
    CHECK(suppression_policy_set_zones(desk->arena, active, book, err));
    plan->candidate = candidate;
    plan->active = active;
    return OUTCOME_OK;
}

static enum outcome open_plan(struct plan *plan, size_t *customers, struct err *err)
{
    struct desk *desk = plan->desk;
    CHECK(read_candidate(plan, err));
    CHECK(desk_connect(desk, err));
    CHECK(contact_ledger_policy(desk->db, desk->arena, &plan->active, err));
    CHECK(load_zones(plan, err));
    plan->active = without_lots(desk->arena, plan->active);
    if (plan->request->with_sends) {
        CHECK(must_know_class(plan->candidate, plan->request->path, plan->request->class, err));
        CHECK(must_know_class(plan->active, "the active policy", plan->request->class, err));
    }
    warn_of_unseen(plan);
    plan->terms = terms_of(plan->request);
    plan_tally_open(&plan->tally, desk->arena, plan->candidate);
    struct histories_wish wish = {text_of(desk->arena, plan->terms.from),
                                  text_of(desk->arena, plan->terms.until),
                                  plan->request->with_sends};
    return histories_open(desk, &wish, &plan->histories, customers, err);
}

/* ---- both walks of a customer ---- */

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

static int16_t stored_verdict(const struct history *history, const struct walked *walked)
{
    const struct reservation *r =
        walked->is_send || history->decision_count == 0
            ? NULL
            : bsearch(&walked->request->event_id, history->decisions, history->decision_count,
                      sizeof *r, reservation_compare);
    return r ? r->verdict : 0;
}

static void note_lost(struct plan *plan, const struct customer *customer,
                      const struct walked *before, const struct walked *after)
{
    struct lost_contacts *lost = &plan->lost;
    const struct contact_fact *request = after->request, *made = after->made;
    int32_t place = (int32_t)lost->count;
    *arena_push(&lost->arena, lost) = (struct lost_contact){
        .profile_id = customer->profile_id,
        .request_id = after->is_send ? (struct id){{0}} : request->event_id,
        .made_id = made ? made->event_id : (struct id){{0}},
        .after = *after,
        .request = {.at = request->at,
                    .priority = request->priority,
                    .department = arena_copy(&lost->arena, request->department)},
        .at = walked_at(after),
        .campaign_id =
            arena_copy(&lost->arena, made && made->campaign_id.len > 0 ? made->campaign_id
                                                                       : request->campaign_id),
        .place = place,
        .effect = {.is_new = before->verdict == VERDICT_GRANT},
    };
}

static enum outcome tell(const struct plan *plan, const struct customer *customer,
                         const struct walked *before, const struct walked *after, struct err *err)
{
    if (plan->request->list == NULL)
        return OUTCOME_OK;
    const struct walked *refused = after->verdict == VERDICT_GRANT ? before : after;
    const struct contact_policy *policy = refused == before ? plan->active : plan->candidate;
    struct plan_change change = {customer->profile_id, before, after,
                                 refused->rule >= 0 ? policy->rules[refused->rule].id : SPAN_NONE};
    return plan->request->list(plan->request->context, &change, err);
}

static enum outcome compare(struct plan *plan, const struct customer *customer,
                            const struct walked *before, const struct walked *after,
                            struct err *err)
{
    bool was_granted = before->verdict == VERDICT_GRANT;
    bool is_granted = after->verdict == VERDICT_GRANT;
    bool would_go = !is_granted && (was_granted || before->made);
    plan_tally_add(&plan->tally, before, after, stored_verdict(&customer->history, before));
    if (would_go)
        note_lost(plan, customer, before, after);
    return would_go || (is_granted && !was_granted) ? tell(plan, customer, before, after, err)
                                                    : OUTCOME_OK;
}

static enum outcome walk_customer(struct plan *plan, const struct customer *customer,
                                  struct err *err)
{
    struct walked *before, *after;
    size_t count =
        contact_walk(plan->active, &customer->history, &plan->terms, &plan->arena, &before);
    contact_walk(plan->candidate, &customer->history, &plan->terms, &plan->arena, &after);
    plan->tally.customers += count > 0;
    for (size_t i = 0; i < count; i++)
        CHECK(compare(plan, customer, &before[i], &after[i], err));
    return OUTCOME_OK;
}

/* ---- what followed the contacts that would go ---- */

/* $1 and $2 of both queries: places in the list, and customers. */
static void begin_lost(struct lost_contacts *lost, struct params *p)
{
    const struct lost_contact *first = lost->items;
    params_init(p, &lost->arena);
    params_int4_array(p, &first->place, sizeof *first, lost->count);
    params_uuid_array(p, &first->profile_id, sizeof *first, lost->count);
}

static enum outcome find_answers(struct plan *plan, struct err *err)
{
    struct lost_contacts *lost = &plan->lost;
    const struct lost_contact *first = lost->items;
    struct params p;
    struct db_result *r = NULL;
    begin_lost(lost, &p);
    params_timestamptz_array(&p, &first->at, sizeof *first, lost->count);
    params_text_array(&p, &first->campaign_id, sizeof *first, lost->count);
    params_uuid_array(&p, &first->request_id, sizeof *first, lost->count);
    params_int8(&p, answer_within.us);
    CHECK(db_run(plan->desk->db, &sql_plan_answers, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct lost_contact *contact = &lost->items[db_int4(r, row, 0)];
        bool is_answered = !db_is_null(r, row, 1);
        struct instant last = instant_plus(contact->at, answer_within);
        contact->effect.is_answered_later = is_answered;
        contact->effect.is_answered =
            is_answered && instant_compare(db_timestamptz(r, row, 1), last) <= 0;
        contact->effect.is_converted = db_bool(r, row, 2);
    }
    return OUTCOME_OK;
}

static enum outcome find_credit(struct plan *plan, struct err *err)
{
    struct lost_contacts *lost = &plan->lost;
    const struct lost_contact *first = lost->items;
    struct params p;
    struct db_result *r = NULL;
    begin_lost(lost, &p);
    params_uuid_array(&p, &first->made_id, sizeof *first, lost->count);
    CHECK(db_run(plan->desk->db, &sql_plan_credit, &p, &r, NULL, err));
    struct credited_sum *sums = arena_array(&lost->arena, struct credited_sum, (size_t)db_rows(r));
    for (int row = 0; row < db_rows(r); row++) {
        struct plan_effect *effect = &lost->items[db_int4(r, row, 0)].effect;
        sums[row] = (struct credited_sum){db_bytes(r, row, 1), db_int8(r, row, 2)};
        if (effect->money_count++ == 0)
            effect->money = &sums[row];
    }
    return OUTCOME_OK;
}

static enum outcome count_lost(struct plan *plan, struct err *err)
{
    struct lost_contacts *lost = &plan->lost;
    if (lost->count == 0)
        return OUTCOME_OK;
    CHECK(find_answers(plan, err));
    CHECK(find_credit(plan, err));
    for (size_t i = 0; i < lost->count; i++) {
        struct lost_contact *contact = &lost->items[i];
        contact->after.request = &contact->request;
        plan_tally_refuse(&plan->tally, &contact->profile_id, &contact->after, &contact->effect);
    }
    arena_reset(&lost->arena);
    lost->items = NULL;
    lost->count = lost->capacity = 0;
    return OUTCOME_OK;
}

/* ---- all customers ---- */

static enum outcome some_customers(struct plan *plan, size_t *count, struct err *err)
{
    struct customer *customers = NULL;
    CHECK(desk_check_stop(plan->desk, err));
    CHECK(histories_next(plan->histories, &plan->arena, &customers, count, err));
    for (size_t i = 0; i < *count; i++)
        CHECK(walk_customer(plan, &customers[i], err));
    bool is_due = *count == 0 || plan->lost.count >= LOST_AT_ONCE;
    return is_due ? count_lost(plan, err) : OUTCOME_OK;
}

static enum outcome all_customers(struct plan *plan, size_t total, struct err *err)
{
    enum outcome outcome = OUTCOME_OK;
    desk_begin(plan->desk, "customers", total);
    for (size_t count = 1; count > 0 && outcome == OUTCOME_OK;) {
        outcome = some_customers(plan, &count, err);
        desk_step(plan->desk, outcome == OUTCOME_OK ? count : 0);
        arena_reset(&plan->arena);
    }
    desk_end(plan->desk);
    return outcome;
}

static enum outcome read_model(struct plan *plan, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(plan->desk->db, &sql_plan_stored_model, NULL, &r, NULL, err));
    if (db_rows(r) > 0 && !db_is_null(r, 0, 0))
        plan->tally.model = arena_copy(plan->desk->arena, db_bytes(r, 0, 0));
    return OUTCOME_OK;
}

static enum outcome run(struct plan *plan, struct err *err)
{
    size_t customers = 0;
    CHECK(open_plan(plan, &customers, err));
    CHECK(read_model(plan, err));
    return all_customers(plan, customers, err);
}

enum outcome contact_plan(struct desk *desk, const struct contact_plan_request *request,
                          struct report *report, struct err *err)
{
    struct plan plan = {.desk = desk, .request = request};
    enum outcome outcome = run(&plan, err);
    histories_close(plan.histories);
    arena_free(&plan.lost.arena);
    arena_free(&plan.arena);
    if (outcome == OUTCOME_OK)
        plan_tally_report(&plan.tally, report);
    return outcome;
}
