/* identity_renaming.c: see identity_renaming.h. */
#include "cli/identity_renaming.h"

#include <inttypes.h>

#include "cli/progress.h"
#include "cli_sql.h"
#include "common/codec/seal.h"
#include "common/runtime/stop.h"
#include "services/identity-resolver/identity_rules_store.h"
#include "services/identity-resolver/identity_touchpoint.h"

enum { ROWS_PER_STATEMENT = 10000 };

struct rereading {
    struct call *call;
    struct db *db;
    const struct identity_policy *current, *candidate;
    const struct identity_type *now, *then; /* the type at hand, in both */
    bool is_other;                          /* its values have other forms */
    struct seal_keys raw_keys;
    struct identity_keys keys;
    struct id position;
    int64_t missing, unfound, unsure; /* of the type */
    struct renaming *out;
    struct progress progress;
};

bool renaming_hashes_alike(const struct identity_policy *a, const struct identity_type *x, const struct identity_policy *b,
                           const struct identity_type *y)
{
    if (x->normaliser != y->normaliser || x->match_hashed != y->match_hashed || x->is_scoped != y->is_scoped)
        return false;
    return (x->normaliser != NORMALISE_PHONE || span_equal(a->calling_code, b->calling_code)) &&
           (x->normaliser != NORMALISE_EMAIL || a->gmail_dots_and_plus == b->gmail_dots_and_plus);
}

const struct id *renaming_find(const struct renaming *renaming, const struct id *identifier)
{
    const struct id *to = renaming->count > 0 ? map_find(&renaming->to, identifier) : NULL;
    return to == NULL ? identifier : id_is_nil(to) ? NULL : to;
}

/* ------------------------------------------------------------------------------------------------------ one value */

static struct id hash_of(const struct rereading *work, const struct identity_value *value, struct arena *arena)
{
    return digest_identifier(&work->keys.current, work->now->name, identity_canonical(value, arena));
}

/* Hashes that lead to it are 16 bytes each. */
static bool leads_to(struct span hashes, const struct id *identifier, const struct id *hash)
{
    if (id_equal(hash, identifier))
        return true;
    for (size_t at = 0; at + sizeof hash->bytes <= hashes.len; at += sizeof hash->bytes)
        if (memcmp(hashes.ptr + at, hash->bytes, sizeof hash->bytes) == 0)
            return true;
    return false;
}

/* Whether the value had come clear or hashed is not kept: the hash of its form tells. */
static bool find_form(const struct rereading *work, struct arena *arena, struct span value, const struct id *identifier,
                      struct span hashes, struct span *form)
{
    for (int is_digest = 0; is_digest < 2; is_digest++) {
        struct identity_value before;
        if (!identity_normalise(work->current, work->now, value, is_digest, arena, &before))
            continue;
        struct id hash = hash_of(work, &before, arena);
        *form = before.text;
        if (leads_to(hashes, identifier, &hash))
            return true;
    }
    return false;
}

static void rename_to(struct rereading *work, const struct id *from, struct id to)
{
    struct arena *arena = &work->call->arena;
    *arena_push(arena, work->out) = (struct renamed){*from, to, work->now};
    *(struct id *)map_put(&work->out->to, from, NULL) = to;
    work->out->vanished += id_is_nil(&to);
}

static void reread_form(struct rereading *work, struct arena *arena, const struct id *identifier, struct span form,
                        struct span hashes)
{
    struct identity_value after;
    enum renormalised what = identity_renormalise(work->candidate, work->then, form, arena, &after);
    if (what == RENORMALISED_UNSURE) {
        work->unsure++;
    } else if (what == RENORMALISED_NOTHING) {
        rename_to(work, identifier, (struct id){{0}});
    } else {
        struct id hash = hash_of(work, &after, arena);
        if (!leads_to(hashes, identifier, &hash))
            rename_to(work, identifier, hash);
    }
}

/* What is blocked is blocked as it was sent, so the raw value tells. */
static enum outcome reread_value(struct rereading *work, struct arena *arena, const struct db_result *r, int row, struct err *err)
{
    struct id identifier = db_uuid(r, row, 0);
    struct span value, form, hashes = db_bytes(r, row, 5);
    struct sealed sealed = {.key_id = db_uuid(r, row, 1),
                            .wrapped_key = db_bytes(r, row, 2),
                            .nonce = db_bytes(r, row, 3),
                            .sealed = db_bytes(r, row, 4)};
    CHECK(seal_open(&work->raw_keys, arena, &identifier, &sealed, &value, err));
    value = unicode_nfc(arena, value);
    if (identity_is_blocked(work->candidate, work->then, value))
        rename_to(work, &identifier, (struct id){{0}});
    else if (work->is_other && find_form(work, arena, value, &identifier, hashes, &form))
        reread_form(work, arena, &identifier, form, hashes);
    else
        work->unfound += work->is_other;
    return OUTCOME_OK;
}

/* ------------------------------------------------------------------------------------------------------- one type */

static enum outcome reread_rows(struct rereading *work, struct arena *arena, size_t *count, struct err *err)
{
    static const struct statement next = {"renaming_next", sql_renaming_next};
    struct params p;
    struct db_result *r = NULL;
    enum outcome o = OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, &work->position);
    params_int2(&p, work->now->rank);
    CHECK(db_run(work->db, &next, &p, &r, NULL, err));
    *count = (size_t)db_rows(r);
    for (int row = 0; row < db_rows(r) && o == OUTCOME_OK; row++)
        if (db_is_null(r, row, 1))
            work->missing++;
        else
            o = reread_value(work, arena, r, row, err);
    if (*count > 0)
        work->position = db_uuid(r, (int)*count - 1, 0);
    db_result_free(r);
    progress_step(&work->progress, *count);
    return o;
}

static enum outcome reread_all(struct rereading *work, struct err *err)
{
    struct arena arena = {0};
    enum outcome o = OUTCOME_OK;
    work->position = (struct id){{0}};
    work->missing = work->unfound = work->unsure = 0;
    for (size_t count = 1; count > 0 && o == OUTCOME_OK;) {
        arena_reset(&arena);
        o = stop_requested() ? err_set(err, OUTCOME_FATAL, "stopped", "stopped") : reread_rows(work, &arena, &count, err);
    }
    arena_free(&arena);
    return o;
}

static enum outcome check_complete(const struct rereading *work, struct err *err)
{
    if (work->missing + work->unfound + work->unsure == 0)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "anchor_rules",
                   "the type " SPAN_FMT ": its values cannot be normalised anew: of %" PRId64
                   " identifiers no raw value is kept, of %" PRId64 " it is not the one that they are found by, and %" PRId64
                   " may have come hashed, clear or both, which the new rules tell apart; this takes a new database and a replay "
                   "of the input",
                   SPAN_ARG(work->now->name), work->missing, work->unfound, work->unsure);
}

static void take_back(struct rereading *work, size_t count)
{
    struct renaming *out = work->out;
    while (out->count > count) {
        out->count--;
        out->vanished -= id_is_nil(&out->items[out->count].to);
        map_remove(&out->to, &out->items[out->count].from);
    }
}

static void tell_blocked(const struct identity_type *type, const char *why)
{
    warn("blocked values of the type " SPAN_FMT " are different: they act on what arrives from now on, stored identifiers stay, "
         "because %s",
         SPAN_ARG(type->name), why);
}

static bool is_any_free(const struct rereading *work, const struct blocked_values *blocked)
{
    for (size_t i = 0; i < blocked->count; i++)
        if (!identity_is_blocked(work->candidate, work->then, blocked->items[i]))
            return true;
    return false;
}

/* What is judged is judged whole: some values of a type that go and some that stay would be no rule. */
static enum outcome reread_type(struct rereading *work, struct err *err)
{
    size_t before = work->out->count;
    CHECK(reread_all(work, err));
    if (work->is_other)
        return check_complete(work, err);
    if (work->missing > 0) {
        take_back(work, before);
        tell_blocked(work->now, "not all of their raw values are kept");
    } else if (is_any_free(work, &work->current->blocked) || is_any_free(work, &work->now->blocked)) {
        warn("values of the type " SPAN_FMT " that are not blocked any more act on what arrives from now on",
             SPAN_ARG(work->now->name));
    }
    return OUTCOME_OK;
}

/* ------------------------------------------------------------------------------------------------------ all types */

static bool lists_equal(const struct blocked_values *a, const struct blocked_values *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!span_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool is_class_of(const struct identity_policy *policy, const struct char_class_pattern *pattern, struct span type)
{
    return pattern->type < 0 || span_equal(policy->types[pattern->type].name, type);
}

/* In the order in which they are written. */
static bool classes_equal(const struct identity_policy *a, const struct identity_policy *b, struct span type)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a->class_count && !is_class_of(a, &a->classes[i], type))
            i++;
        while (j < b->class_count && !is_class_of(b, &b->classes[j], type))
            j++;
        if (i == a->class_count || j == b->class_count)
            return i == a->class_count && j == b->class_count;
        const struct char_class_pattern *x = &a->classes[i], *y = &b->classes[j];
        if (memcmp(x->accepts, y->accepts, sizeof x->accepts) != 0 || x->matches_empty != y->matches_empty)
            return false;
    }
}

static bool blocks_alike(const struct rereading *work)
{
    return lists_equal(&work->current->blocked, &work->candidate->blocked) &&
           lists_equal(&work->now->blocked, &work->then->blocked) &&
           classes_equal(work->current, work->candidate, work->now->name);
}

/* Why newly blocked values act on what arrives alone; NULL: on what is stored, too. */
static const char *why_not_judged(const struct rereading *work, bool has_raw_keys)
{
    if (!identity_keeps_spelling(work->current, work->now))
        return "a value is stored in a form that leaves out more than its case";
    if (work->now->is_scoped)
        return "it is scoped";
    return has_raw_keys ? NULL : "privacy.key_file is not set";
}

static enum outcome open_keys(struct rereading *work, bool *has_raw_keys, struct err *err)
{
    CHECK(seal_keys_open(work->call->config, &work->raw_keys, has_raw_keys, err));
    if (!work->is_other)
        return OUTCOME_OK;
    if (!*has_raw_keys)
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "privacy.key_file is not set: the values of the type " SPAN_FMT " are normalised anew, and sealed with it",
                       SPAN_ARG(work->now->name));
    CHECK(identity_keys_read(work->call->config, &work->keys, err));
    CHECK(identity_keys_follow(&work->keys, work->db, &work->call->arena, err));
    return work->keys.state.phase == KEYS_ONE
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "key_phase",
                         "the key of identifier hashes is being exchanged: end that first (`tutti identity rotate-key`)");
}

static enum outcome reread_if_needed(struct rereading *work, struct err *err)
{
    bool has_raw_keys = false;
    work->is_other = !renaming_hashes_alike(work->current, work->now, work->candidate, work->then);
    if (!work->is_other && blocks_alike(work))
        return OUTCOME_OK;
    CHECK(open_keys(work, &has_raw_keys, err));
    const char *why = work->is_other ? NULL : why_not_judged(work, has_raw_keys);
    if (why == NULL)
        return reread_type(work, err);
    tell_blocked(work->now, why);
    return OUTCOME_OK;
}

/* Once keys were exchanged, a hash may lead to an id that was made under a former one. */
static enum outcome follow_hashes(struct rereading *work, size_t from, struct arena *arena, struct err *err)
{
    struct renaming *out = work->out;
    struct value_hashes hashes = {0};
    struct found_rows found = {0};
    struct map ids;
    map_init(&ids, arena, sizeof(struct id), sizeof(struct id));
    for (size_t i = from; i < out->count && i < from + ROWS_PER_STATEMENT; i++)
        *arena_push(arena, &hashes) = (struct value_hash){.hash = out->items[i].to};
    CHECK(store_find_hashes(work->db, arena, &hashes, &found, err));
    for (size_t i = 0; i < found.count; i++)
        *(struct id *)map_put(&ids, &found.items[i].hash, NULL) = found.items[i].identifier_id;
    for (size_t i = from; i < from + hashes.count; i++) {
        const struct id *known = map_find(&ids, &out->items[i].to);
        if (known)
            *(struct id *)map_find(&out->to, &out->items[i].from) = out->items[i].to = *known;
    }
    return OUTCOME_OK;
}

static enum outcome follow_all(struct rereading *work, struct err *err)
{
    struct arena arena = {0};
    enum outcome o = OUTCOME_OK;
    for (size_t at = 0; at < work->out->count && o == OUTCOME_OK && identity_keys_were_rotated(&work->keys);
         at += ROWS_PER_STATEMENT) {
        o = follow_hashes(work, at, &arena, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return o;
}

enum outcome renaming_read(struct call *call, struct db *db, const struct identity_policy *current,
                           const struct identity_policy *candidate, struct renaming *out, struct err *err)
{
    struct rereading work = {.call = call, .db = db, .current = current, .candidate = candidate, .out = out};
    *out = (struct renaming){0};
    map_init(&out->to, &call->arena, sizeof(struct id), sizeof(struct id));
    progress_start(&work.progress, "raw values looked at", 0);
    for (size_t i = 0; i < current->type_count; i++) {
        work.now = &current->types[i];
        work.then = identity_find_type(candidate, work.now->name);
        CHECK(reread_if_needed(&work, err));
    }
    if (work.progress.done > 0)
        progress_end(&work.progress);
    return follow_all(&work, err);
}

/* -------------------------------------------------------------------------------------------------------- storing */

static enum outcome store_some(struct db *db, struct arena *arena, const struct renamed *items, size_t count, struct err *err)
{
    static const struct statement insert = {"renaming_insert", sql_renaming_insert};
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &items->from, sizeof *items, count);
    params_uuid_array(&p, &items->to, sizeof *items, count);
    return db_run(db, &insert, &p, NULL, NULL, err);
}

enum outcome renaming_store(struct db *db, const struct renaming *renaming, struct err *err)
{
    struct arena arena = {0};
    enum outcome o = OUTCOME_OK;
    for (size_t at = 0; at < renaming->count && o == OUTCOME_OK; at += ROWS_PER_STATEMENT) {
        size_t left = renaming->count - at;
        o = store_some(db, &arena, renaming->items + at, left < ROWS_PER_STATEMENT ? left : ROWS_PER_STATEMENT, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return o;
}
