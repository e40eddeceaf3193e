/* policies.c: one generation: its files, its row, and what is derived under it; see policies.h. */
#include "operations/policies/policies.h"

#include "common/runtime/clock.h"
#include "operations/policies/candidate.h"
#include "policies_sql.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/journey_policy_store.h"
#include "services/journey-tracker/journey_sweep.h"
#include "services/suppression/policy/suppression_policy.h"

static enum outcome check_targets(struct desk *desk, const char *dir, struct policy_folder *out,
                                  struct err *err)
{
    struct target_goals goals = target_goals_of(desk->arena, out->journey);
    const char *path = generation_policy_path(desk->arena, dir, "targets.json");
    out->has_targets = !generation_lacks_file(dir, "targets.json");
    return out->has_targets ? goal_targets_read_file(desk->arena, path, &goals, &out->targets, err)
                            : OUTCOME_OK;
}

static enum outcome check_files(struct desk *desk, const char *dir, struct policy_folder *out,
                                struct err *err)
{
    struct journey_policy *journey = arena_new(desk->arena, struct journey_policy);
    struct arena *arena = desk->arena;
    struct identity_policy *identity = arena_new(arena, struct identity_policy);
    struct contact_policy *contact = arena_new(arena, struct contact_policy);
    *out = (struct policy_folder){.journey = journey, .contact = contact};
    const char *contact_path = generation_policy_path(arena, dir, "contact.json");
    struct span text = SPAN_NONE;
    struct warnings warnings;
    CHECK(identity_candidate_read(desk, generation_policy_path(arena, dir, "identity.json"), &text,
                                  identity, err));
    struct policy_source source = policy_source_folder(dir);
    CHECK(journey_policy_load(arena, &source, journey, err));
    CHECK(check_targets(desk, dir, out, err));
    CHECK(suppression_policy_read(arena, contact_path, contact, err));
    journey_policy_warnings(arena, journey, &warnings);
    candidate_warn(desk, generation_policy_path(arena, dir, "journey.json"), &warnings);
    suppression_policy_warnings(arena, contact, instant_day(clock_now(), 0), &warnings);
    candidate_warn(desk, contact_path, &warnings);
    return generation_hash(dir, &(struct generation){.number = 0}, err);
}

enum outcome policies_check(struct desk *desk, const char *dir, struct err *err)
{
    struct policy_folder folder;
    struct zone_files files;
    struct zone_book book;
    CHECK(check_files(desk, dir, &folder, err));
    CHECK(zone_files_read(desk, &files, err));
    zone_files_book(&files, desk->arena, &book);
    CHECK(journey_policy_set_zones(desk->arena, folder.journey, &book.set, err));
    return suppression_policy_set_zones(desk->arena, folder.contact, &book, err);
}

enum outcome policies_targets(struct desk *desk, const char *path, bool writes, size_t *count,
                              struct err *err)
{
    struct target_goals goals;
    struct goal_targets targets;
    CHECK(desk_connect(desk, err));
    CHECK(target_goals_active(desk->db, desk->arena, &goals, err));
    CHECK(goal_targets_read_file(desk->arena, path, &goals, &targets, err));
    *count = targets.count;
    return writes ? goal_targets_store(desk->db, desk->arena, &targets, err) : OUTCOME_OK;
}

enum outcome policy_bundle(struct arena *arena, const char *dir, struct span *out, struct err *err)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; policy_files[i]; i++) {
        if (generation_lacks_file(dir, policy_files[i]))
            continue;
        strbuf_addf(&text, "%s\"%s\":", i ? "," : "{", policy_files[i]);
        CHECK(
            generation_read_file(&text, generation_policy_path(arena, dir, policy_files[i]), err));
    }
    strbuf_addf(&text, "}");
    *out = strbuf_span(&text);
    return OUTCOME_OK;
}

enum outcome policy_find_active(struct db *db, struct arena *arena, struct generation *generation,
                                bool *complete, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, &generation->id);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_policy_find_generation, &p, &r, NULL, err));
    generation->number = db_rows(r) ? db_int4(r, 0, 0) : 0;
    *complete = db_rows(r) && db_bool(r, 0, 1);
    generation->slot = db_rows(r) ? db_int2(r, 0, 2) : 0;
    return OUTCOME_OK;
}

enum outcome policy_start_generation(struct db *db, struct arena *arena, const char *dir,
                                     struct generation *generation, struct err *err)
{
    struct span policies = SPAN_NONE;
    CHECK(policy_bundle(arena, dir, &policies, err));
    CHECK(db_script(db, "LOCK TABLE tutti_meta.policy_lock IN EXCLUSIVE MODE", err));
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_policy_deactivate, &p, &r, NULL, err));
    generation->slot = db_rows(r) ? db_int2(r, 0, 0) : 0;
    params_init(&p, arena);
    params_uuid(&p, &generation->id);
    params_text(&p, policies);
    params_uuid(&p, &generation->zones);
    params_int2(&p, generation->slot);
    CHECK(db_run(db, &sql_policy_activate, &p, &r, NULL, err));
    generation->number = db_int4(r, 0, 0);
    CHECK(journey_policy_store_files(db, arena, dir, &generation->id, err));
    CHECK(db_script(db, "SELECT tutti_meta.clear_tables('metrics.cells', 'metrics.late')", err));
    CHECK(db_run(db, &sql_policy_skip_numbers, NULL, NULL, NULL, err));
    return journey_sweep_clear(db, err);
}

static enum outcome step_through(struct desk *desk, struct sweep *sweep, uint64_t total,
                                 struct err *err)
{
    if (total == 0)
        return OUTCOME_OK;
    desk_begin(desk, "profiles derived again", total);
    for (size_t done = 1; done > 0;) {
        CHECK(journey_sweep_step(sweep, &done, err));
        desk_step(desk, done);
    }
    desk_end(desk);
    return OUTCOME_OK;
}

enum outcome policy_sweep(struct desk *desk, const char *dir, const struct generation *generation,
                          struct err *err)
{
    struct sweep *sweep = NULL;
    uint64_t total = 0;
    enum outcome outcome = journey_sweep_open(desk->db, dir, generation, &sweep, &total, err);
    if (outcome == OUTCOME_OK)
        outcome = step_through(desk, sweep, total, err);
    journey_sweep_close(sweep);
    return outcome;
}

static bool has_rule(const struct contact_policy *policy, struct span id)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (span_equal(policy->rules[i].id, id))
            return true;
    return false;
}

/* A holdout is known by its id: under another one customers are drawn anew. */
static enum outcome warn_of_arms(struct desk *desk, const char *dir,
                                 const struct contact_policy *policy, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &sql_policy_arms, NULL, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct span id = db_bytes(r, row, 0);
        if (!has_rule(policy, id))
            desk_warn(desk,
                      "%s: the holdout \"" SPAN_FMT "\" has arms and no rule has its id; under "
                      "another id it is another experiment",
                      generation_policy_path(desk->arena, dir, "contact.json"), SPAN_ARG(id));
    }
    return OUTCOME_OK;
}

/* Which zones the policies work by, and that PostgreSQL has the same reporting zone. */
static enum outcome choose_zones(struct desk *desk, const struct policy_order *order,
                                 const struct policy_folder *folder, struct zone_choice *out,
                                 struct err *err)
{
    struct journey_policy *journey = folder->journey;
    CHECK(zone_choose(desk, order->refresh_zones, out, err));
    CHECK(journey_policy_set_zones(desk->arena, journey, &out->book.set, err));
    CHECK(suppression_policy_set_zones(desk->arena, folder->contact, &out->book, err));
    CHECK(zone_compare(desk, out, journey->reporting_timezone, err));
    return zone_compare(desk, out, journey->default_timezone, err);
}

enum outcome policies_prepare(struct desk *desk, const struct policy_order *order,
                              struct policy_folder *folder, struct err *err)
{
    struct generation *generation = &folder->generation;
    CHECK(check_files(desk, order->dir, folder, err));
    CHECK(desk_connect(desk, err));
    CHECK(warn_of_arms(desk, order->dir, folder->contact, err));
    CHECK(choose_zones(desk, order, folder, &folder->zones, err));
    *generation = (struct generation){.zones = folder->zones.zones};
    CHECK(generation_hash(order->dir, generation, err));
    return policy_find_active(desk->db, desk->arena, generation, &folder->is_complete, err);
}
