/* identity_anchors_rules.c: which changes of the anchor rules the stored facts allow, and the order of a fact's identifiers. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/identity_anchors.h"
#include "cli_sql.h"
#include "services/identity-resolver/identity_policy.h"

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return ((uint64_t)x->key > (uint64_t)y->key) - ((uint64_t)x->key < (uint64_t)y->key); /* as ids are: unsigned */
}

void anchors_sort(struct ranked *items, size_t count)
{
    if (count > 1)
        qsort(items, count, sizeof *items, ranked_compare);
}

size_t anchors_keys(int64_t anchor, struct span others, int64_t keys[ANCHORS_MOST])
{
    size_t count = 0;
    keys[count++] = anchor;
    for (size_t at = 0; at + 8 <= others.len && count < ANCHORS_MOST; at += 8) {
        uint64_t key;
        memcpy(&key, others.ptr + at, sizeof key);
        keys[count++] = (int64_t)__builtin_bswap64(key);
    }
    return count;
}

/* Facts have no identifier that links nothing beside another one: of two such types the weaker was dropped. */
static bool keeps_unlinkable_order(const struct identity_policy *candidate, const struct identity_policy *current)
{
    int before = 0;
    for (size_t i = 0; i < current->type_count; i++) {
        if (current->types[i].links)
            continue;
        int rank = identity_find_type(candidate, current->types[i].name)->rank;
        if (rank < before)
            return false;
        before = rank;
    }
    return true;
}

/* What the ids of a type's values are made of. */
static bool hashes_alike(const struct identity_policy *a, const struct identity_type *x, const struct identity_policy *b,
                         const struct identity_type *y)
{
    if (x->normaliser != y->normaliser || x->match_hashed != y->match_hashed || x->is_scoped != y->is_scoped)
        return false;
    return (x->normaliser != NORMALISE_PHONE || span_equal(a->calling_code, b->calling_code)) &&
           (x->normaliser != NORMALISE_EMAIL || a->gmail_dots_and_plus == b->gmail_dots_and_plus);
}

/* Other ids cannot be made for what is stored as a hash; where nothing is, they need not be. */
static enum outcome check_stored(struct db *db, struct arena *arena, const struct identity_type *type, struct err *err)
{
    static const struct statement count = {"anchors_stored", sql_anchors_stored};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int2(&p, type->rank);
    CHECK(db_run(db, &count, &p, &r, NULL, err));
    int64_t stored = db_int8(r, 0, 0), kept = db_int8(r, 0, 1), erased = db_int8(r, 0, 2);
    db_result_free(r);
    return stored + erased == 0
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "anchor_rules",
                         "the type " SPAN_FMT ": how its values are normalised, hashed, scoped and linked cannot change: %" PRId64
                         " identifiers of it are stored as hashes (raw values of %" PRId64 " are kept), and %" PRId64
                         " of any type were erased; this takes a new database and a replay of the input",
                         SPAN_ARG(type->name), stored, kept, erased);
}

static enum outcome check_type(struct db *db, struct arena *arena, const struct identity_policy *candidate,
                               const struct identity_policy *current, const struct identity_type *now, struct err *err)
{
    const struct identity_type *then = identity_find_type(candidate, now->name);
    if (then == NULL)
        return err_set(err, OUTCOME_FATAL, "anchor_rules",
                       "the type " SPAN_FMT " cannot be removed or renamed: identifiers may be stored under it",
                       SPAN_ARG(now->name));
    /* What links nothing is dropped beside others: facts that name it would have to forget it. */
    bool is_kept = then->links || !now->links;
    return is_kept && hashes_alike(candidate, then, current, now) ? OUTCOME_OK : check_stored(db, arena, now, err);
}

static bool can_be_anchor_before(const struct identity_policy *policy, const struct identity_type *added,
                                 const struct identity_policy *current)
{
    for (size_t i = 0; i < current->type_count; i++)
        if (identity_find_type(policy, current->types[i].name)->rank > added->rank)
            return true;
    return false;
}

/* Types that facts could have named, had they been there, or linked. */
static void tell_added(const struct identity_policy *candidate, const struct identity_policy *current)
{
    for (size_t i = 0; i < candidate->type_count; i++) {
        const struct identity_type *type = &candidate->types[i], *before = identity_find_type(current, type->name);
        if (before && (before->links || !type->links))
            continue;
        warn("the type " SPAN_FMT " %s: stored touchpoints do not name it, it acts on what arrives from now on%s",
             SPAN_ARG(type->name), before ? "links now" : "is new",
             can_be_anchor_before(candidate, type, current)
                 ? "; it is stronger than others, so a touchpoint that has it would come under another anchor if it were read "
                   "again, and count twice: do not read old input again"
                 : "");
    }
}

enum outcome anchors_check_rules(struct db *db, struct arena *arena, const struct identity_policy *candidate,
                                 const struct identity_policy *current, bool *differ, struct err *err)
{
    *differ = !span_equal(identity_policy_anchor_rules(arena, candidate), identity_policy_anchor_rules(arena, current));
    for (size_t i = 0; i < current->type_count; i++)
        CHECK(check_type(db, arena, candidate, current, &current->types[i], err));
    if (!keeps_unlinkable_order(candidate, current))
        return err_set(err, OUTCOME_FATAL, "anchor_rules",
                       "the order of types that link nothing cannot change: of a touchpoint that has only such identifiers, the "
                       "strongest alone is stored");
    tell_added(candidate, current);
    return OUTCOME_OK;
}

enum outcome anchors_check_facts(struct db *db, struct err *err)
{
    static const struct statement find = {"anchors_check_facts",
                                          "SELECT name FROM identity.settings WHERE name = 'facts_without_others'"};
    struct db_result *r = NULL;
    CHECK(db_run(db, &find, NULL, &r, NULL, err));
    bool is_there = db_rows(r) > 0;
    db_result_free(r);
    return is_there
               ? err_set(err, OUTCOME_FATAL, "anchor_rules",
                         "types and ranks cannot change: facts that were stored before migration 0010 name their anchor alone; "
                         "this takes a new database and a replay of the input")
               : OUTCOME_OK;
}
