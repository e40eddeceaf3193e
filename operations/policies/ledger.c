/* ledger.c: see ledger.h. journey-tracker keeps every touchpoint, so the past is there. */
#include "operations/policies/ledger.h"

#include "operations/policies/active.h"
#include "policies_sql.h"
#include "services/identity-resolver/policy/identity_policy.h"
#include "services/suppression/logic/addresses.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_moves.h"
#include "services/suppression/suppression_touchpoint.h"

enum { PROFILES_AT_ONCE = 200 };

/* ---- the past of the rules ---- */

struct wanted_event {
    struct span event;
    bool needs_product, may_return, is_copied;
};

struct wanted_events {
    struct wanted_event *items;
    size_t count, capacity;
};

/* Consent, requests and their results are stored under every policy. */
static struct wanted_events events_of_rules(struct arena *arena, const struct interests *interests)
{
    struct wanted_events events = {0};
    for (size_t i = 0; i < interests->count; i++)
        if (interests->items[i].kind == CONTACT_SIGNAL)
            *arena_push(arena, &events) = (struct wanted_event){
                interests->items[i].event, interests->items[i].needs_product,
                interests->items[i].may_return, !interests->items[i].ignores_copies};
    return events;
}

/* A type of identifiers that a channel, as it was sent, reaches people by. */
struct reach {
    int16_t code;
    struct span channel;
};

struct reaches {
    struct reach *items;
    size_t count, capacity;
};

static void add_reaches(struct arena *arena, const struct identity_policy *identity,
                        const struct contact_policy *policy, struct span sent, struct reaches *out)
{
    struct span channel;
    policy_channel(policy, sent, &channel);
    for (size_t i = 0; i < identity->type_count; i++)
        if (address_channels_have(identity->types[i].address_of, channel))
            *arena_push(arena, out) = (struct reach){identity->types[i].rank, sent};
}

static enum outcome find_reaches(struct desk *desk, const struct contact_policy *policy,
                                 struct reaches *out, struct err *err)
{
    struct active_row active;
    struct identity_policy *identity = arena_new(desk->arena, struct identity_policy);
    struct db_result *r = NULL;
    CHECK(active_read(desk->db, desk->arena, &active, err));
    if (active.version == 0)
        return OUTCOME_OK;
    CHECK(identity_policy_parse(desk->arena, active.policy, "the active identity policy", identity,
                                err));
    CHECK(db_run(desk->db, &sql_policy_sent_channels, NULL, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        add_reaches(desk->arena, identity, policy, arena_copy(desk->arena, db_bytes(r, row, 0)),
                    out);
    return OUTCOME_OK;
}

static enum outcome fill(struct desk *desk, const struct wanted_events *events, int16_t score_max,
                         const struct reaches *reaches, struct err *err)
{
    struct params p;
    params_init(&p, desk->arena);
    params_text_array(&p, &events->items->event, sizeof *events->items, events->count);
    params_bool_array(&p, &events->items->needs_product, sizeof *events->items, events->count);
    params_bool_array(&p, &events->items->may_return, sizeof *events->items, events->count);
    params_bool_array(&p, &events->items->is_copied, sizeof *events->items, events->count);
    params_int2(&p, score_max);
    params_int2_array(&p, &reaches->items->code, sizeof *reaches->items, reaches->count);
    params_text_array(&p, &reaches->items->channel, sizeof *reaches->items, reaches->count);
    return db_run(desk->db, &sql_policy_fill_ledger, &p, NULL, NULL, err);
}

static enum outcome fill_from_stored(struct desk *desk, const char *dir, struct err *err)
{
    struct contact_policy *policy = arena_new(desk->arena, struct contact_policy);
    CHECK(suppression_policy_read(
        desk->arena, generation_policy_path(desk->arena, dir, "contact.json"), policy, err));
    struct interests interests = suppression_interests(desk->arena, policy);
    struct wanted_events events = events_of_rules(desk->arena, &interests);
    struct reaches reaches = {0};
    CHECK(find_reaches(desk, policy, &reaches, err));
    CHECK(db_begin(desk->db, err));
    enum outcome outcome =
        fill(desk, &events, interests.has_score ? interests.score_max : INT16_MIN, &reaches, err);
    if (outcome == OUTCOME_OK && policy->asks_zones)
        outcome = db_run(desk->db, &sql_policy_fill_places, NULL, NULL, NULL, err);
    return db_end(desk->db, outcome, err);
}

/* ---- open grants ---- */

static enum outcome judge(struct desk *desk, const char *dir, const struct generation *generation,
                          const struct id *profiles, size_t count, struct err *err)
{
    enum outcome outcome = suppression_judge_again(desk->db, dir, generation, profiles, count, err);
    if (outcome != OUTCOME_OK)
        db_rollback(desk->db);
    return outcome;
}

static enum outcome judge_open_grants(struct desk *desk, const char *dir,
                                      const struct generation *generation, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &sql_policy_open_grants, NULL, &r, NULL, err));
    size_t count = (size_t)db_rows(r);
    struct id *profiles = arena_array(desk->arena, struct id, count);
    for (size_t i = 0; i < count; i++)
        profiles[i] = db_uuid(r, (int)i, 0);
    for (size_t from = 0; from < count; from += PROFILES_AT_ONCE) {
        size_t left = count - from;
        CHECK(desk_check_stop(desk, err));
        CHECK(judge(desk, dir, generation, profiles + from,
                    left < PROFILES_AT_ONCE ? left : PROFILES_AT_ONCE, err));
    }
    return OUTCOME_OK;
}

enum outcome policy_renew_ledger(struct desk *desk, const char *dir,
                                 const struct generation *generation, struct err *err)
{
    CHECK(fill_from_stored(desk, dir, err));
    return judge_open_grants(desk, dir, generation, err);
}
