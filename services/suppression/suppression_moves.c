/* suppression_moves.c: identity changes as one flush of a tool. */
#include "services/suppression/suppression_moves.h"

#include "common/runtime/clock.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_transact.h"

static enum outcome transact_as_tool(struct suppression *s, struct arena *arena,
                                     const struct policy_source *source,
                                     struct suppression_flush *flush, struct err *err)
{
    const struct json *document = NULL;
    struct erased erased = {.version = 0};
    s->erased = &erased;
    s->timeline = timeline_new(&suppression_timeline);
    enum outcome outcome = policy_source_read(source, arena, "contact.json", &document, err);
    if (outcome == OUTCOME_OK)
        outcome = suppression_policy_take(arena, document, &s->policy, err);
    if (outcome == OUTCOME_OK)
        outcome = suppression_load_zones(s, arena, err);
    if (outcome == OUTCOME_OK)
        outcome = erased_open(s->db, &erased, err);
    if (outcome == OUTCOME_OK)
        outcome = suppression_transact(s, arena, flush, clock_now(), err);
    timeline_free(s->timeline);
    erased_close(&erased);
    return outcome;
}

enum outcome suppression_moves_apply(struct db *db, const struct config *config,
                                     const struct anchor_move *moves, size_t count, struct err *err)
{
    struct arena arena = {0};
    struct suppression_flush flush = {.lane = 0};
    struct suppression *s = arena_new(&arena, struct suppression); /* instance 0 is no service's */
    s->db = db;
    for (size_t i = 0; i < count; i++)
        *arena_push(&arena, &flush.moves) = moves[i];
    struct policy_source source = policy_source_of(config);
    enum outcome outcome = policy_source_fetch(db, &source, err);
    if (outcome == OUTCOME_OK)
        outcome = generation_open(db, &source, &s->generation, err);
    if (outcome == OUTCOME_OK)
        outcome = transact_as_tool(s, &arena, &source, &flush, err);
    policy_source_free(&source);
    arena_free(&arena);
    return outcome;
}

enum outcome suppression_judge_again(struct db *db, const char *policy_dir,
                                     const struct generation *generation, const struct id *profiles,
                                     size_t count, struct err *err)
{
    struct arena arena = {0};
    struct suppression_flush flush = {.lane = 0, .judged = profiles, .judged_count = count};
    struct suppression *s = arena_new(&arena, struct suppression);
    s->db = db;
    s->generation = *generation;
    struct policy_source source = policy_source_folder(policy_dir);
    enum outcome outcome = transact_as_tool(s, &arena, &source, &flush, err);
    arena_free(&arena);
    return outcome;
}
