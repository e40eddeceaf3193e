/* anchors.c: see anchors.h: the switch to other rules, and the phases around the
 * walk over facts. */
#include "operations/reanchor/anchors.h"

#include "operations/desk.h"
#include "operations/lock_out.h"
#include "operations/policies/policies.h"
#include "operations/policies/review.h"
#include "operations/reanchor/renaming.h"
#include "reanchor_sql.h"
#include "services/identity-resolver/resolve/resolve.h"

enum { FACTS_PER_PROFILE = 10, NAMES_PER_FACT = 20 }; /* of --batch */

enum outcome anchors_read_state(struct db *db, struct anchors_state *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_anchors_state, NULL, &r, NULL, err));
    *out = (struct anchors_state){0};
    if (db_rows(r) > 0)
        *out = (struct anchors_state){db_int4(r, 0, 0), db_int2(r, 0, 1)};
    return OUTCOME_OK;
}

static const char *policy_dir_of(const struct desk *desk)
{
    return config_text(desk->config, "policy.dir");
}

/* ---- the switch ---- */

static enum outcome begin(struct anchors_apply *apply, int32_t version, struct err *err)
{
    const struct identity_policy *current = apply->current;
    int16_t codes[2][IDENTITY_MAX_TYPES];
    for (size_t i = 0; i < current->type_count; i++) {
        codes[0][i] = current->types[i].rank;
        codes[1][i] = identity_find_type(apply->candidate, current->types[i].name)->rank;
    }
    struct params p;
    params_init(&p, apply->desk->arena);
    params_int4(&p, version);
    params_int2_array(&p, codes[0], sizeof codes[0][0], current->type_count);
    params_int2_array(&p, codes[1], sizeof codes[1][0], current->type_count);
    return db_run(apply->desk->db, &sql_anchors_begin, &p, NULL, NULL, err);
}

/* Links are the anchor and another identifier, and so are the addresses that customers were seen
 * with: all are found again. So is what was derived. */
static enum outcome write_switch(struct anchors_apply *apply, const struct renaming *renaming,
                                 struct generation *generation, struct err *err)
{
    struct desk *desk = apply->desk;
    int32_t version = 0;
    CHECK(resolver_replace_rules(apply->desk->db, desk->arena, apply->text, apply->candidate,
                                 apply->actor, &version, err));
    CHECK(begin(apply, version, err));
    CHECK(renaming_store(apply->desk->db, renaming, err));
    CHECK(db_script(apply->desk->db,
                    "SELECT tutti_meta.clear_tables('identity.links', "
                    "'suppression.known_addresses')",
                    err));
    CHECK(policy_start_generation(apply->desk->db, desk->arena, policy_dir_of(desk), generation,
                                  err));
    CHECK(db_commit(apply->desk->db, err));
    desk_note(desk, "version %d is active; every fact gets its anchor", version);
    return OUTCOME_OK;
}

/* Wrong keys and lost files are found before anything is changed. */
static enum outcome check_tools(struct anchors_apply *apply, struct generation *generation,
                                struct err *err)
{
    struct desk *desk = apply->desk;
    struct resolver resolver = {.db = NULL};
    bool complete = false;
    CHECK(generation_find_zones(apply->desk->db, desk->arena, &generation->zones, err));
    CHECK(generation_hash(policy_dir_of(desk), generation, err));
    CHECK(policy_find_active(apply->desk->db, desk->arena, generation, &complete, err));
    if (generation->number == 0)
        return err_set(err, OUTCOME_FATAL, "other_generation",
                       "the policies in %s are not the active ones: name with policy.dir the files "
                       "that were applied",
                       policy_dir_of(desk));
    CHECK(seal_keys_open(desk->config, &apply->raw_keys, &apply->has_raw_keys, err));
    enum outcome outcome =
        resolver_open_tool(&resolver, desk->arena, apply->desk->db, desk->config, err);
    resolver_close(&resolver);
    return outcome;
}

/* Looked at again: since the plan was made identifiers may have come, and people may have been
 * erased. */
static enum outcome start(struct anchors_apply *apply, struct generation *generation,
                          struct err *err)
{
    struct renaming renaming;
    bool differ;
    CHECK(apply_hold_alone(apply->desk, apply->active.version, err));
    CHECK(anchors_drain(apply->desk, &apply->readers, err));
    CHECK(anchors_check_rules(apply->desk->db, apply->desk->arena, apply->candidate, apply->current,
                              &differ, err));
    CHECK(renaming_read(apply->desk, apply->current, apply->candidate, &renaming, err));
    CHECK(db_begin(apply->desk->db, err));
    enum outcome outcome = write_switch(apply, &renaming, generation, err);
    if (outcome != OUTCOME_OK)
        db_rollback(apply->desk->db);
    return outcome;
}

/* ---- the phases ---- */

struct walk {
    struct anchors_apply *apply;
    struct arena arena; /* of a step */
};

static size_t per_step(const struct walk *walk)
{
    return walk->apply->batch * FACTS_PER_PROFILE;
}

static enum outcome rename_step(struct walk *walk, size_t *count, struct err *err)
{
    struct anchors_apply *apply = walk->apply;
    const struct seal_keys *keys = apply->has_raw_keys ? &apply->raw_keys : NULL;
    return anchors_rename_step(apply->desk->db, &walk->arena, keys, per_step(walk), count, err);
}

/* Every step reads the whole history: in few steps. */
static enum outcome forget_step(struct walk *walk, size_t *count, struct err *err)
{
    return anchors_forget_step(walk->apply->desk->db, &walk->arena, per_step(walk) * NAMES_PER_FACT,
                               count, err);
}

static enum outcome recode_step(struct walk *walk, size_t *count, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &walk->arena);
    params_int8(&p, (int64_t)per_step(walk));
    CHECK(db_run(walk->apply->desk->db, &sql_anchors_recode, &p, &r, NULL, err));
    *count = (size_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

static enum outcome facts_step(struct walk *walk, enum anchors_schema schema, size_t *count,
                               struct err *err)
{
    return anchors_facts_step(walk->apply->desk->db, &walk->arena, schema, walk->apply->candidate,
                              per_step(walk), count, err);
}

static enum outcome journey_step(struct walk *walk, size_t *count, struct err *err)
{
    return facts_step(walk, ANCHORS_JOURNEY, count, err);
}

static enum outcome suppression_step(struct walk *walk, size_t *count, struct err *err)
{
    return facts_step(walk, ANCHORS_SUPPRESSION, count, err);
}

/* The walks, each by key. A count is of all rows, even where a walk goes on in the middle. */
static const struct walked {
    const char *what;
    enum outcome (*step)(struct walk *walk, size_t *count, struct err *err);
    const struct statement *total;
} before_review[] = {
    {"identifiers renamed", rename_step, &sql_anchors_count_names},
    {"identifiers ranked", recode_step, &sql_anchors_count_identifiers},
    {"facts of journeys anchored", journey_step, &sql_anchors_count_journey},
    {"facts of suppression anchored", suppression_step, &sql_anchors_count_suppression},
};
static const struct walked after_review = {"former identifiers forgotten", forget_step,
                                           &sql_anchors_count_names};
enum { PHASE_PROFILES = sizeof before_review / sizeof *before_review, PHASE_FORMER, PHASE_DERIVED };

static enum outcome next_phase(struct anchors_apply *apply, struct err *err)
{
    CHECK(db_run(apply->desk->db, &sql_anchors_next_phase, NULL, NULL, NULL, err));
    apply->state.phase++;
    return OUTCOME_OK;
}

static enum outcome walk_through(struct walk *walk, const struct walked *walked, struct err *err)
{
    struct anchors_apply *apply = walk->apply;
    struct db_result *r = NULL;
    size_t count = 1;
    CHECK(db_run(apply->desk->db, walked->total, NULL, &r, NULL, err));
    desk_begin(apply->desk, walked->what, (uint64_t)db_int8(r, 0, 0));
    enum outcome outcome = OUTCOME_OK;
    while (outcome == OUTCOME_OK && count > 0) {
        arena_reset(&walk->arena);
        outcome = desk_check_stop(apply->desk, err);
        if (outcome == OUTCOME_OK)
            outcome = walked->step(walk, &count, err);
        if (outcome == OUTCOME_OK)
            desk_step(apply->desk, count);
    }
    if (outcome != OUTCOME_OK) {
        desk_pause(apply->desk);
        return outcome;
    }
    desk_end(apply->desk);
    return next_phase(apply, err);
}

static enum outcome review_profiles(struct anchors_apply *apply, struct err *err)
{
    struct policy_review review = {
        .text = apply->text, .actor = apply->actor, .batch = apply->batch};
    CHECK(active_read(apply->desk->db, apply->desk->arena, &review.active, err));
    CHECK(apply_policy(apply->desk, &review, err));
    return next_phase(apply, err);
}

static enum outcome walk_all(struct anchors_apply *apply, struct err *err)
{
    struct walk walk = {.apply = apply};
    enum outcome outcome = OUTCOME_OK;
    while (outcome == OUTCOME_OK && apply->state.phase < PHASE_PROFILES)
        outcome = walk_through(&walk, &before_review[apply->state.phase], err);
    if (outcome == OUTCOME_OK && apply->state.phase == PHASE_PROFILES)
        outcome = review_profiles(apply, err);
    if (outcome == OUTCOME_OK && apply->state.phase == PHASE_FORMER)
        outcome = walk_through(&walk, &after_review, err);
    arena_free(&walk.arena);
    return outcome;
}

/* Generation and state together: services start from here on. */
static enum outcome finish(struct anchors_apply *apply, struct err *err)
{
    return db_script(apply->desk->db,
                     "UPDATE tutti_meta.generations SET is_complete = true WHERE is_active; "
                     "DELETE FROM tutti_meta.reanchoring; TRUNCATE tutti_meta.renamed",
                     err);
}

static enum outcome go_on(struct anchors_apply *apply, const struct generation *generation,
                          struct err *err)
{
    CHECK(walk_all(apply, err));
    CHECK(policy_sweep(apply->desk, policy_dir_of(apply->desk), generation, err));
    return finish(apply, err);
}

enum outcome anchors_apply(struct anchors_apply *apply, struct err *err)
{
    struct generation generation = {.number = 0};
    CHECK(lock_out_all(apply->desk, err));
    CHECK(check_tools(apply, &generation, err));
    CHECK(anchors_read_state(apply->desk->db, &apply->state, err));
    if (apply->state.version == 0)
        CHECK(start(apply, &generation, err));
    else
        desk_note(apply->desk, "version %d is active already; going on with the anchors of facts",
                  apply->state.version);
    return go_on(apply, &generation, err);
}
