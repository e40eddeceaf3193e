/* suppression_moves.c: identity changes as one flush of a tool. */
#include "services/suppression/suppression_moves.h"

#include "common/runtime/clock.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_transact.h"

static enum outcome open_tool(struct suppression *s, const struct config *config,
                              struct arena *arena, struct err *err)
{
    const char *path =
        generation_policy_path(arena, config_text(config, "policy.dir"), "contact.json");
    CHECK(suppression_policy_read(arena, path, &s->policy, err));
    CHECK(generation_open(s->db, config, &s->generation, err));
    return erased_open(s->db, s->erased, err);
}

enum outcome suppression_moves_apply(struct db *db, const struct config *config,
                                     const struct anchor_move *moves, size_t count, struct err *err)
{
    struct arena arena = {0};
    struct erased erased = {.version = 0};
    struct suppression_flush flush = {.lane = 0};
    struct suppression *s = arena_new(&arena, struct suppression); /* instance 0 is no service's */
    s->db = db;
    s->erased = &erased;
    s->timeline = timeline_new(&suppression_timeline);
    for (size_t i = 0; i < count; i++)
        *arena_push(&arena, &flush.moves) = moves[i];
    enum outcome outcome = open_tool(s, config, &arena, err);
    if (outcome == OUTCOME_OK)
        outcome = suppression_transact(s, &arena, &flush, clock_now(), err);
    timeline_free(s->timeline);
    erased_close(&erased);
    arena_free(&arena);
    return outcome;
}
