/* merge.c: one map from (cell, lane) to sums; money is carried into its high part. */
#include "services/metrics-aggregator/logic/merge.h"

/* Without padding: the map compares bytes. */
struct sum_key {
    struct cell_key key;
    int32_t lane;
};

void merge_init(struct merge *merge, struct arena *arena)
{
    merge->arena = arena;
    map_init(&merge->sums, arena, sizeof(struct sum_key), sizeof(int64_t[CELL_VALUES]));
}

static bool add_values(uint32_t family, int64_t *sums, const int64_t *values)
{
    bool overflow = false;
    for (int i = 0; i < CELL_VALUES; i++)
        overflow |= __builtin_add_overflow(sums[i], values[i], &sums[i]);
    for (int i = 0; i < CELL_VALUES - CELL_HIGH; i++)
        if (cell_is_money(family, i))
            cell_carry(sums, i);
    return !overflow;
}

static enum outcome add_to(struct merge *merge, const struct sum_key *key, const int64_t *values,
                           struct err *err)
{
    if (add_values(key->key.family, map_put(&merge->sums, key, NULL), values))
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "sum_overflow",
                   "a sum of lane %d (cell of family %u, period %d) does not fit into 64 bits",
                   key->lane, key->key.family, key->key.period);
}

enum outcome merge_add(struct merge *merge, int32_t lane, const struct cell *cells, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct sum_key key = {cells[i].key, lane};
        CHECK(add_to(merge, &key, cells[i].values, err));
    }
    return OUTCOME_OK;
}

enum outcome merge_join(struct merge *merge, const struct merge *other, struct err *err)
{
    const void *key;
    const int64_t *values;
    for (size_t cursor = 0; (values = map_next(&other->sums, &cursor, &key)) != NULL;)
        CHECK(add_to(merge, key, values, err));
    return OUTCOME_OK;
}

struct lane_cell *merge_list(const struct merge *merge, size_t *count)
{
    static const int64_t nothing[CELL_VALUES];
    struct lane_cell *list = arena_alloc(merge->arena, merge->sums.count * sizeof *list);
    const void *found;
    const int64_t *values;
    size_t n = 0;
    for (size_t cursor = 0; (values = map_next(&merge->sums, &cursor, &found)) != NULL;) {
        const struct sum_key *key = found;
        if (memcmp(values, nothing, sizeof nothing) == 0)
            continue;
        list[n].key = key->key;
        list[n].lane = key->lane;
        memcpy(list[n++].values, values, sizeof nothing);
    }
    *count = n;
    return list;
}
