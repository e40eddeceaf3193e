/* policy.c: `tutti policy`: checks a policy set, and makes it the active one. */
#include "cli/policy.h"

#include "cli/identity_candidate.h"
#include "cli/progress.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/journey_policy_store.h"
#include "services/journey-tracker/journey_sweep.h"
#include "services/suppression/suppression_policy.h"

static const struct statement find_generation = {
    "policy_find_generation",
    "SELECT number, is_complete FROM tutti_meta.generations WHERE generation = $1 AND is_active"};
static const struct statement mark_complete = {
    "policy_mark_complete", "UPDATE tutti_meta.generations SET is_complete = true WHERE is_active"};
static const struct statement activate = {"policy_activate",
                                          "INSERT INTO tutti_meta.generations (generation, "
                                          "policies, is_active) VALUES ($1, $2::text::jsonb, true) "
                                          "ON CONFLICT (generation) DO UPDATE SET is_active = "
                                          "true, activated_at = now(), number = DEFAULT, "
                                          "is_complete = false RETURNING number"};

/* The figures start anew, and the numbers that the old generation gave count as applied. */
static const char empty_figures[] =
    "TRUNCATE metrics.cells;"
    "INSERT INTO metrics.progress (lane, next_seq) SELECT lane, seq + 1 FROM journey.lanes "
    "ON CONFLICT (lane) DO UPDATE SET next_seq = excluded.next_seq";

static const char *policy_dir(struct call *call)
{
    const char *given = call_argument(call, 1);
    return given ? given : config_text(call->config, "policy.dir");
}

static enum outcome check_policies(struct arena *arena, const char *dir, struct err *err)
{
    struct identity_policy *identity = arena_new(arena, struct identity_policy);
    struct journey_policy *journey = arena_new(arena, struct journey_policy);
    struct contact_policy *contact = arena_new(arena, struct contact_policy);
    struct span text = SPAN_NONE;
    CHECK(identity_candidate_read(arena, generation_policy_path(arena, dir, "identity.json"), &text,
                                  identity, err));
    CHECK(journey_policy_load(arena, dir, journey, err));
    return suppression_policy_read(arena, generation_policy_path(arena, dir, "contact.json"),
                                   contact, err);
}

/* One JSON object with every file under its name. */
static enum outcome bundle(struct arena *arena, const char *dir, struct span *out, struct err *err)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; policy_files[i]; i++) {
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
    CHECK(db_run(db, &find_generation, &p, &r, NULL, err));
    generation->number = db_rows(r) ? db_int4(r, 0, 0) : 0;
    *complete = db_rows(r) && db_bool(r, 0, 1);
    return OUTCOME_OK;
}

enum outcome policy_start_generation(struct db *db, struct arena *arena, const char *dir,
                                     struct generation *generation, struct err *err)
{
    struct span policies = SPAN_NONE;
    CHECK(bundle(arena, dir, &policies, err));
    CHECK(
        db_script(db, "UPDATE tutti_meta.generations SET is_active = false WHERE is_active", err));
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, &generation->id);
    params_text(&p, policies);
    struct db_result *r = NULL;
    CHECK(db_run(db, &activate, &p, &r, NULL, err));
    generation->number = db_int4(r, 0, 0);
    CHECK(journey_policy_store_files(db, arena, dir, &generation->id, err));
    CHECK(db_script(db, empty_figures, err));
    return journey_sweep_clear(db, err);
}

/* In one transaction: the new generation is active, and what was derived under the old one is gone.
 */
static enum outcome switch_generation(struct db *db, struct arena *arena, const char *dir,
                                      struct generation *generation, struct err *err)
{
    CHECK(db_begin(db, err));
    enum outcome o = policy_start_generation(db, arena, dir, generation, err);
    if (o == OUTCOME_OK)
        return db_commit(db, err);
    db_rollback(db);
    return o;
}

enum outcome policy_sweep(struct db *db, const char *dir, const struct generation *generation,
                          struct err *err)
{
    struct sweep *sweep = NULL;
    struct progress progress;
    uint64_t total = 0;
    size_t done = 1;
    enum outcome o = journey_sweep_open(db, dir, generation, &sweep, &total, err);
    progress_start(&progress, "profiles derived again", total);
    while (o == OUTCOME_OK && total > 0 && done > 0) {
        o = journey_sweep_step(sweep, &done, err);
        progress_step(&progress, done);
    }
    if (o == OUTCOME_OK && total > 0)
        progress_end(&progress);
    journey_sweep_close(sweep);
    return o;
}

static enum outcome apply_policies(struct call *call, struct db *db, const char *dir,
                                   struct generation *generation, struct err *err)
{
    bool complete;
    CHECK(policy_find_active(db, &call->arena, generation, &complete, err));
    if (complete)
        return OUTCOME_OK;
    CHECK(database_lock_out_services(call, db, err));
    if (generation->number == 0)
        CHECK(switch_generation(db, &call->arena, dir, generation, err));
    CHECK(policy_sweep(db, dir, generation, err));
    struct params p;
    params_init(&p, &call->arena);
    return db_run(db, &mark_complete, &p, NULL, NULL, err);
}

static enum exit_status run_policy(struct call *call)
{
    const char *what = call_argument(call, 0), *dir = policy_dir(call);
    if (what == NULL || (strcmp(what, "check") != 0 && strcmp(what, "apply") != 0))
        return misuse(call, "expected check or apply");
    struct err err = {0};
    struct generation generation = {.number = 0};
    struct db *db = NULL;
    enum outcome o = check_policies(&call->arena, dir, &err);
    if (o == OUTCOME_OK)
        o = generation_hash(dir, &generation.id, &err);
    if (o == OUTCOME_OK && (strcmp(what, "check") == 0 || call_has(call, "dry-run"))) {
        say("the policies in %s are valid", dir);
        return EXIT_DONE;
    }
    if (o == OUTCOME_OK)
        o = database_connect(call, &db, &err);
    if (o == OUTCOME_OK)
        o = apply_policies(call, db, dir, &generation, &err);
    db_close(db);
    if (o != OUTCOME_OK)
        return failed(&err);
    say("the policies in %s are active (generation %d)", dir, generation.number);
    return EXIT_DONE;
}

static const struct option options[] = {
    {"dry-run", NULL, "Only check the files."},
    {NULL, NULL, NULL},
};

const struct command command_policy = {
    .name = "policy",
    .arguments = "check|apply [DIR]",
    .summary = "Check a set of policies, or make it the active one",
    .details =
        "apply needs the services stopped. It derives every profile again from the stored "
        "touchpoints, and can be run again\n"
        "where it was interrupted. Services refuse to start with other files than the active ones.",
    .options = options,
    .max_arguments = 2,
    .run = run_policy,
};
