/* anchors_rules.c: which changes of the anchor rules the stored facts allow, and the order
 * of a fact's identifiers. */
#include "operations/reanchor/anchors.h"

#include <inttypes.h>
#include <stdlib.h>

#include "operations/reanchor/renaming.h"
#include "reanchor_sql.h"
#include "services/identity-resolver/policy/identity_policy.h"

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    /* as ids are: unsigned */
    return ((uint64_t)x->key > (uint64_t)y->key) - ((uint64_t)x->key < (uint64_t)y->key);
}

size_t anchors_sort(struct ranked *items, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(items, count, sizeof *items, ranked_compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || items[kept - 1].key != items[i].key)
            items[kept++] = items[i];
    return kept;
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

/* A fact has at most one identifier that links nothing: of two such types the weaker was dropped.
 */
static bool keeps_unlinkable_order(const struct identity_policy *candidate,
                                   const struct identity_policy *current)
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

/* What is stored under the type of this code, and how many were erased, of any type. */
struct stored_counts {
    int64_t stored, kept, erased;
};

static enum outcome count_stored(struct db *db, struct arena *arena, int16_t code,
                                 struct stored_counts *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int2(&p, code);
    CHECK(db_run(db, &sql_anchors_stored, &p, &r, NULL, err));
    *out = (struct stored_counts){db_int8(r, 0, 0), db_int8(r, 0, 1), db_int8(r, 0, 2)};
    return OUTCOME_OK;
}

/* Why other ids cannot be made of what is stored; NULL: of the raw values they can. */
static const char *why_fixed(const struct identity_policy *current, const struct identity_type *now,
                             const struct identity_type *then)
{
    if (now->links && !then->links)
        return "facts name it together with others";
    if (now->is_scoped || then->is_scoped)
        return "no raw value tells of which source it is";
    if (!now->links)
        return "of several values that link nothing, a touchpoint is stored with one";
    if (now->match_hashed)
        return "the value of what came hashed is not known";
    return identity_can_renormalise(current, now, then)
               ? NULL
               : "its values are known by forms that leave out what the new rules look at";
}

/* Of an erased person only hashes are left, and their types are not known. */
static enum outcome check_counts(const struct identity_type *type, const char *why,
                                 const struct stored_counts *n, struct err *err)
{
    if (n->stored + n->erased == 0 || (why == NULL && n->erased == 0 && n->kept == n->stored))
        return OUTCOME_OK;
    if (why == NULL)
        why = n->erased > 0 ? "who was erased would not be recognised under other ids"
                            : "the raw value of each is needed";
    return err_set(
        err, OUTCOME_FATAL, "anchor_rules",
        "the type " SPAN_FMT
        ": how its values are normalised, hashed, scoped and linked cannot change: %" PRId64
        " identifiers of it are stored as hashes (raw values of %" PRId64 " are kept), and %" PRId64
        " of any type were erased; %s; this takes a new database and a replay of the input",
        SPAN_ARG(type->name), n->stored, n->kept, n->erased, why);
}

static enum outcome check_type(struct db *db, struct arena *arena,
                               const struct identity_policy *candidate,
                               const struct identity_policy *current,
                               const struct identity_type *now, struct err *err)
{
    const struct identity_type *then = identity_find_type(candidate, now->name);
    struct stored_counts counts;
    if (then == NULL)
        return err_set(err, OUTCOME_FATAL, "anchor_rules",
                       "the type " SPAN_FMT
                       " cannot be removed or renamed: identifiers may be stored under it",
                       SPAN_ARG(now->name));
    /* An identifier that links nothing is dropped where there are others: facts that name it would
     * have to forget it. */
    bool is_kept = then->links || !now->links;
    if (is_kept && renaming_hashes_alike(candidate, then, current, now))
        return OUTCOME_OK;
    CHECK(count_stored(db, arena, now->rank, &counts, err));
    return check_counts(now, why_fixed(current, now, then), &counts, err);
}

static bool can_be_anchor_before(const struct identity_policy *policy,
                                 const struct identity_type *added,
                                 const struct identity_policy *current)
{
    for (size_t i = 0; i < current->type_count; i++)
        if (identity_find_type(policy, current->types[i].name)->rank > added->rank)
            return true;
    return false;
}

/* Types that facts could have named, had they been there, or linked. */
void anchors_warn_added(struct desk *desk, const struct identity_policy *candidate,
                        const struct identity_policy *current)
{
    for (size_t i = 0; i < candidate->type_count; i++) {
        const struct identity_type *type = &candidate->types[i],
                                   *before = identity_find_type(current, type->name);
        if (before && (before->links || !type->links))
            continue;
        desk_warn(
            desk,
            "the type " SPAN_FMT
            " %s: stored touchpoints do not name it, it acts on what arrives from now on%s",
            SPAN_ARG(type->name), before ? "links now" : "is new",
            can_be_anchor_before(candidate, type, current)
                ? "; it is stronger than others, so a touchpoint that has it would come under "
                  "another anchor if it were read "
                  "again, and count twice: do not read old input again"
                : "");
    }
}

enum outcome anchors_check_rules(struct db *db, struct arena *arena,
                                 const struct identity_policy *candidate,
                                 const struct identity_policy *current, bool *differ,
                                 struct err *err)
{
    *differ = !span_equal(identity_policy_anchor_rules(arena, candidate),
                          identity_policy_anchor_rules(arena, current));
    for (size_t i = 0; i < current->type_count; i++)
        CHECK(check_type(db, arena, candidate, current, &current->types[i], err));
    if (!keeps_unlinkable_order(candidate, current))
        return err_set(err, OUTCOME_FATAL, "anchor_rules",
                       "the order of types that link nothing cannot change: of a touchpoint that "
                       "has only such identifiers, the "
                       "strongest alone is stored");
    return OUTCOME_OK;
}
