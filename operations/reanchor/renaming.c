/* renaming.c: which types are read again, and the messages about the others. */
#include "operations/reanchor/renaming_internal.h"

#include <inttypes.h>

const struct id *renaming_find(const struct renaming *renaming, const struct id *identifier)
{
    const struct id *to = renaming->count > 0 ? map_find(&renaming->to, identifier) : NULL;
    return to == NULL ? identifier : id_is_nil(to) ? NULL : to;
}

static enum outcome check_complete(const struct rereading *work, struct err *err)
{
    if (work->missing + work->unfound + work->unsure == 0)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "anchor_rules",
                   "the type " SPAN_FMT ": its values cannot be normalised again: of %" PRId64
                   " identifiers no raw value is kept, of %" PRId64
                   " it is not the one that they are found by, and %" PRId64
                   " may have come hashed, clear or both, which the new rules tell apart; this "
                   "takes a new database and a replay "
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

static void warn_blocked(struct desk *desk, const struct identity_type *type, const char *why)
{
    desk_warn(desk,
              "blocked values of the type " SPAN_FMT
              " are different: a listed value leaves what is stored, in its usual spellings; "
              "patterns and other spellings act on what arrives from now on, because %s",
              SPAN_ARG(type->name), why);
}

static bool is_any_free(const struct rereading *work, const struct blocked_values *blocked)
{
    for (size_t i = 0; i < blocked->count; i++)
        if (!identity_is_blocked(work->candidate, work->then, blocked->items[i]))
            return true;
    return false;
}

/* A type is judged as a whole: if some of its values went and some stayed, there would be no rule.
 */
static enum outcome reread_type(struct rereading *work, struct err *err)
{
    size_t before = work->out->count;
    CHECK(renaming_read_values(work, err));
    if (work->is_other)
        return check_complete(work, err);
    if (work->missing > 0) {
        take_back(work, before);
        warn_blocked(work->desk, work->now, "not all of their raw values are kept");
        return renaming_block_listed(work, err);
    } else if (is_any_free(work, &work->current->blocked) ||
               is_any_free(work, &work->now->blocked)) {
        desk_warn(work->desk,
                  "values of the type " SPAN_FMT
                  " that are not blocked any more act on what arrives from now on",
                  SPAN_ARG(work->now->name));
    }
    return OUTCOME_OK;
}

static enum outcome open_keys(struct rereading *work, bool *has_raw_keys, struct err *err)
{
    CHECK(seal_keys_open(work->desk->config, &work->raw_keys, has_raw_keys, err));
    if (!work->is_other)
        return OUTCOME_OK;
    if (!*has_raw_keys)
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "privacy.key_file is not set: the values of the type " SPAN_FMT
                       " are normalised again, and sealed with it",
                       SPAN_ARG(work->now->name));
    CHECK(identity_keys_read(work->desk->config, &work->keys, err));
    CHECK(identity_keys_follow(&work->keys, work->desk->db, work->desk->arena, err));
    return work->keys.state.phase == KEYS_ONE
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "key_phase",
                         "the key of identifier hashes is being exchanged: end that first (`tutti "
                         "identity rotate-key`)");
}

static enum outcome reread_if_needed(struct rereading *work, struct err *err)
{
    bool has_raw_keys = false;
    work->is_other = !renaming_hashes_alike(work->current, work->now, work->candidate, work->then);
    if (!work->is_other && renaming_blocks_alike(work))
        return OUTCOME_OK;
    CHECK(open_keys(work, &has_raw_keys, err));
    const char *why = work->is_other ? NULL : renaming_why_not_judged(work, has_raw_keys);
    if (why == NULL)
        return reread_type(work, err);
    warn_blocked(work->desk, work->now, why);
    return renaming_block_listed(work, err);
}

static enum outcome refuse_target(const struct renamed *one, struct err *err)
{
    char from[37], to[37];
    id_to_uuid(&one->from, from);
    id_to_uuid(&one->to, to);
    return err_set(err, OUTCOME_FATAL, "anchor_rules",
                   "the type " SPAN_FMT ": the value of %s is blocked now, but not that of %s, "
                   "another spelling of it: block both or "
                   "none (`tutti identity reveal` has the values)",
                   SPAN_ARG(one->type->name), to, from);
}

/* Values are blocked as they are sent. So of two spellings of one new form one may be blocked and
 * the other be a person, under the id by which stored facts name the first. The walk could not tell
 * which of the two such a fact means. */
static enum outcome check_targets(const struct rereading *work, struct err *err)
{
    const struct renaming *out = work->out;
    for (size_t i = 0; i < out->count; i++)
        if (!id_is_nil(&out->items[i].to) && map_find(&out->to, &out->items[i].to))
            return refuse_target(&out->items[i], err);
    return OUTCOME_OK;
}

enum outcome renaming_read(struct desk *desk, const struct identity_policy *current,
                           const struct identity_policy *candidate, struct renaming *out,
                           struct err *err)
{
    struct rereading work = {.desk = desk, .current = current, .candidate = candidate, .out = out};
    *out = (struct renaming){0};
    map_init(&out->to, desk->arena, sizeof(struct id), sizeof(struct id));
    desk_begin(desk, "raw values looked at", 0);
    for (size_t i = 0; i < current->type_count; i++) {
        work.now = &current->types[i];
        work.then = identity_find_type(candidate, work.now->name);
        CHECK(reread_if_needed(&work, err));
    }
    if (work.looked_at > 0)
        desk_end(desk);
    CHECK(renaming_follow_hashes(&work, err));
    return check_targets(&work, err);
}
