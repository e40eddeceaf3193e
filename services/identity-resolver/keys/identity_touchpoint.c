/* identity_touchpoint.c: normalises and hashes the identifiers of a touchpoint, and keeps them in
 * order. */
#include "services/identity-resolver/keys/identity_touchpoint.h"

#include <sodium.h>

#include "common/words/words.h"
#include "services/identity-resolver/policy/identity_fold.h"

struct collector {
    const struct identity_policy *policy;
    const struct digest_key *key;
    struct id_finder *finder; /* may be NULL */
    struct span source;
    struct arena *arena;
    struct typed_id *ids;
    size_t count;
    struct map *values; /* id -> span, may be NULL */
};

/* Strongest first; equal ranks by id. */
static int typed_compare(const struct typed_id *a, const struct typed_id *b)
{
    return a->type != b->type ? a->type->rank - b->type->rank : id_compare(&a->id, &b->id);
}

/* Keeps the list sorted and free of repeats while it grows: it is a handful long. */
static void insert_sorted(struct collector *c, struct typed_id item)
{
    size_t at = c->count;
    while (at > 0 && typed_compare(&item, &c->ids[at - 1]) < 0)
        at--;
    if (at > 0 && typed_compare(&item, &c->ids[at - 1]) == 0)
        return;
    memmove(&c->ids[at + 1], &c->ids[at], (c->count - at) * sizeof *c->ids);
    c->ids[at] = item;
    c->count++;
}

enum { SHA256_HEX = crypto_hash_sha256_BYTES * 2 + 1 };

/* The form in which other parties hash: lower-case hexadecimal. */
static struct span sha256_hex(struct span text, struct arena *arena)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char *hex = arena_alloc(arena, SHA256_HEX);
    crypto_hash_sha256(digest, (const unsigned char *)text.ptr, text.len);
    sodium_bin2hex(hex, SHA256_HEX, digest, sizeof digest);
    return (struct span){hex, SHA256_HEX - 1};
}

struct span identity_canonical(const struct identity_value *value, struct arena *arena)
{
    return value->needs_digest ? sha256_hex(value->text, arena) : value->text;
}

/* The source stands before the value, so that equal numbers of two systems do not meet. */
static struct span scoped(struct collector *c, struct span value)
{
    char *text = arena_alloc(c->arena, c->source.len + 1 + value.len);
    memcpy(text, c->source.ptr, c->source.len);
    text[c->source.len] = '\0';
    memcpy(text + c->source.len + 1, value.ptr, value.len);
    return (struct span){text, c->source.len + 1 + value.len};
}

/* A type of the policy in any spelling, the strongest if several fold to the same word. An
 * "e-mail" is an email here as among the channels. */
static const struct identity_type *type_named(const struct identity_policy *policy,
                                              struct span name)
{
    char sent[WORD_MAX], listed[WORD_MAX];
    const struct identity_type *type = identity_find_type(policy, name);
    if (type)
        return type;
    struct span folded = word_fold(name, sent);
    for (size_t i = 0; folded.len > 0 && i < policy->type_count; i++)
        if (span_equal(word_fold(policy->types[i].name, listed), folded))
            return &policy->types[i];
    const char *channel = channel_named(folded);
    return channel ? identity_find_type(policy, span_of(channel)) : NULL;
}

static bool is_of_users(struct span collection)
{
    char buffer[WORD_MAX];
    return span_trim(collection).len == 0 ||
           span_is(word_fold(collection, buffer), WORD_COLLECTION_USERS);
}

static void collect_value(struct collector *c, struct span type_name, struct span value,
                          bool is_digest)
{
    if (value.len == 0)
        return;
    const struct identity_type *type = type_named(c->policy, type_name);
    struct identity_value usable;
    if (type == NULL || (type->is_scoped && c->source.len == 0))
        return;
    if (!identity_normalise(c->policy, type, identity_fold(c->arena, type, value), is_digest,
                            c->arena, &usable))
        return;
    struct span canonical = identity_canonical(&usable, c->arena);
    if (type->is_scoped)
        canonical = scoped(c, canonical);
    struct id id = digest_identifier(c->key, type->name, canonical);
    if (c->finder)
        id = id_finder_find(c->finder, &id, type->name, canonical);
    if (c->values)
        *(struct span *)map_put(c->values, &id, NULL) = value;
    insert_sorted(c, (struct typed_id){id, type});
}

/* Identifiers that link nothing are kept only as the anchor of a touchpoint that has no other
 * identifier. */
static void drop_unlinkable(struct collector *c)
{
    size_t kept = 0;
    bool any_links = false;
    for (size_t i = 0; i < c->count; i++)
        any_links = any_links || c->ids[i].type->links;
    for (size_t i = 0; i < c->count; i++)
        if (any_links ? c->ids[i].type->links : i == 0)
            c->ids[kept++] = c->ids[i];
    c->count = kept;
}

bool identity_names_former(const struct touchpoint *tp)
{
    return tp->previous_id.len > 0 && (span_is(tp->type, "alias") || span_is(tp->type, "merge"));
}

static void collect_former(struct collector *c, const struct touchpoint *tp, bool may_alias)
{
    const struct identity_type *user = identity_find_type(c->policy, SPAN("user_id"));
    collect_value(c, SPAN("anonymous_id"), tp->previous_id, false);
    if (may_alias && user && user->is_unique)
        collect_value(c, SPAN("user_id"), tp->previous_id, false);
}

size_t identity_collect_values(const struct identity_policy *policy, const struct digest_key *key,
                               struct id_finder *finder, const struct touchpoint *tp,
                               bool may_alias, struct arena *arena,
                               struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8],
                               struct map *values)
{
    struct collector c = {policy, key, finder, tp->source, arena, ids, 0, values};
    collect_value(&c, SPAN("user_id"), tp->user_id, false);
    collect_value(&c, SPAN("anonymous_id"), tp->anonymous_id, false);
    collect_value(&c, SPAN("device_id"), tp->device.id, false);
    collect_value(&c, SPAN("session_id"), tp->session_id, false);
    if (identity_names_former(tp))
        collect_former(&c, tp, may_alias);
    for (uint32_t i = 0; i < tp->identifier_count; i++) {
        const struct touchpoint_identifier *entry = &tp->identifiers[i];
        if (is_of_users(entry->collection))
            collect_value(&c, entry->type, entry->value,
                          entry->encoding.len > 0 && !span_is(entry->encoding, "none"));
    }
    drop_unlinkable(&c);
    return c.count;
}

size_t identity_collect(const struct identity_policy *policy, const struct digest_key *key,
                        const struct touchpoint *tp, struct arena *arena,
                        struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8])
{
    return identity_collect_values(policy, key, NULL, tp, false, arena, ids, NULL);
}
