/* renaming_blocked.c: newly blocked values whose ids can be made from the policy alone.
 *
 * No raw value is needed: the value stands in the policy. It is looked for in the spellings in
 * which programs write a filler. A pattern has no id. */
#include "common/base/pack.h"
#include "operations/reanchor/renaming_internal.h"
#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/policy/identity_fold.h"
#include "services/identity-resolver/store/identity_rules_store.h"

enum spelling { AS_LISTED, CAPITALISED, TITLE, UPPER, SPELLINGS };

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Blocked values are kept in lower case. */
static struct span spelled(struct arena *arena, struct span value, enum spelling spelling)
{
    char *text = arena_alloc(arena, value.len + 1);
    for (size_t i = 0; i < value.len; i++) {
        bool is_first = i == 0 || (spelling == TITLE && !is_letter(value.ptr[i - 1]));
        bool is_upper = spelling == UPPER || (spelling != AS_LISTED && is_first);
        text[i] = is_upper ? upper(value.ptr[i]) : value.ptr[i];
    }
    return (struct span){text, value.len};
}

static void add_hash(struct rereading *work, struct span value, struct value_hashes *out)
{
    struct arena *arena = work->desk->arena;
    struct identity_value usable;
    if (!identity_normalise(work->current, work->now, identity_fold(arena, work->now, value), false,
                            arena, &usable))
        return;
    struct span form = identity_canonical(&usable, arena);
    struct value_hash *hash = arena_push(arena, out);
    *hash =
        (struct value_hash){.hash = digest_identifier(&work->keys.current, work->now->name, form)};
    if (work->keys.state.phase == KEYS_ROTATING)
        hash->previous = digest_identifier(&work->keys.previous, work->now->name, form);
}

static void add_spellings(struct rereading *work, struct span value, struct value_hashes *out)
{
    static const char *const quotes[] = {"", "\"", "'"};
    struct arena *arena = work->desk->arena;
    for (int spelling = AS_LISTED; spelling < SPELLINGS; spelling++)
        for (size_t q = 0; q < sizeof quotes / sizeof *quotes; q++) {
            struct span text = spelled(arena, value, (enum spelling)spelling);
            struct strbuf quoted = {.arena = arena};
            strbuf_addf(&quoted, "%s" SPAN_FMT "%s", quotes[q], SPAN_ARG(text), quotes[q]);
            add_hash(work, strbuf_span(&quoted), out);
        }
}

static void add_new(struct rereading *work, const struct blocked_values *blocked,
                    struct value_hashes *out)
{
    for (size_t i = 0; i < blocked->count; i++)
        if (!identity_is_blocked(work->current, work->now, blocked->items[i]))
            add_spellings(work, blocked->items[i], out);
}

static enum outcome keep_stored(struct rereading *work, const struct found_rows *found,
                                struct err *err)
{
    struct arena *arena = work->desk->arena;
    struct id *ids = arena_array(arena, struct id, found->count);
    struct identifier_rows rows = {0};
    for (size_t i = 0; i < found->count; i++)
        ids[i] = found->items[i].identifier_id;
    CHECK(identity_store_find_identifiers(work->desk->db, arena, ids, found->count, &rows, err));
    for (size_t i = 0; i < rows.count; i++)
        renaming_vanish(work, &rows.items[i].identifier_id);
    return OUTCOME_OK;
}

enum outcome renaming_block_listed(struct rereading *work, struct err *err)
{
    struct value_hashes hashes = {0};
    struct found_rows found = {0};
    if (work->now->is_scoped)
        return OUTCOME_OK;
    CHECK(identity_keys_read(work->desk->config, &work->keys, err));
    CHECK(identity_keys_follow(&work->keys, work->desk->db, work->desk->arena, err));
    add_new(work, &work->candidate->blocked, &hashes);
    add_new(work, &work->then->blocked, &hashes);
    if (hashes.count == 0)
        return OUTCOME_OK;
    CHECK(identity_store_find_hashes(work->desk->db, work->desk->arena, &hashes, &found, err));
    return found.count > 0 ? keep_stored(work, &found, err) : OUTCOME_OK;
}
