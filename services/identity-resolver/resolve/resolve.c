/* resolve.c: what the cache covers, and looking up the rest. */
#include "services/identity-resolver/resolve/resolve.h"

#include "services/identity-resolver/resolve/resolve_work.h"

/* (is_indirect, first_seen, evidence) <= those of this sighting, which then says nothing new. */
static bool link_is_old_enough(const struct cached_link *link, const struct sighting *s,
                               bool is_indirect)
{
    if (link == NULL || link->is_indirect != is_indirect)
        return link && is_indirect;
    int c = instant_compare(link->first_seen, s->occurred_at);
    return c < 0 || (c == 0 && link->evidence <= evidence_half(&s->event_id));
}

static bool identifier_is_old_enough(const struct cached_identifier *known,
                                     const struct sighting *s)
{
    return known && instant_compare(known->first_seen, s->occurred_at) <= 0;
}

/* The cache cannot find a link by one of its ends, so it cannot forget the links of an erased
 * identifier. */
static bool had_links_erased(const struct resolver *resolver, const struct id *id)
{
    return resolver->erased && erased_version(resolver->erased, id) > 0;
}

static bool link_is_covered(struct resolver *resolver, const struct sighting *s, size_t i, size_t j)
{
    if (had_links_erased(resolver, &s->ids[i].id) || had_links_erased(resolver, &s->ids[j].id))
        return false;
    struct link_key key = link_key_of(&s->ids[i].id, &s->ids[j].id);
    return link_is_old_enough(resolver_cache_link(&resolver->cache, &key), s, i > 0);
}

static size_t links_until(const struct sighting *s, size_t i)
{
    return s->lacks_anchor ? 0 : identity_links_until(i, s->id_count);
}

static bool links_are_covered(struct resolver *resolver, const struct sighting *s)
{
    for (size_t i = 0; i < s->id_count; i++)
        for (size_t j = i + 1; j < links_until(s, i); j++)
            if (!link_is_covered(resolver, s, i, j))
                return false;
    return true;
}

bool resolver_is_covered(struct resolver *resolver, const struct sighting *s,
                         struct cached_identifier *known)
{
    bool is_covered = s->alias_source.len == 0;
    for (size_t i = 0; i < s->id_count; i++) {
        const struct cached_identifier *held =
            resolver_cache_identifier(&resolver->cache, &s->ids[i].id);
        if (held)
            known[i] = *held;
        is_covered = is_covered && identifier_is_old_enough(held, s);
    }
    return is_covered && links_are_covered(resolver, s);
}

static void want_identifier(struct request *request, const struct sighting *s, size_t i)
{
    *arena_push(request->arena, &request->wanted) =
        (struct identifier_row){.identifier_id = s->ids[i].id,
                                .profile_id = s->ids[i].id,
                                .first_seen = s->occurred_at,
                                .type = s->ids[i].type->rank};
}

/* The anchor is always wanted: the batch must be published with its profile even if the cache
 * forgets it. */
static void collect_aliases(struct request *request, const struct sighting *s)
{
    for (size_t i = 0; i < s->id_count && !s->lacks_anchor; i++)
        for (size_t j = i + 1; j < s->id_count && s->ids[j].type == s->ids[i].type; j++) {
            if (!s->ids[i].type->is_unique)
                break;
            want_identifier(request, s, i);
            want_identifier(request, s, j);
            *arena_push(request->arena, &request->aliases) = (struct alias_row){
                link_key_of(&s->ids[i].id, &s->ids[j].id), s->alias_topic, s->alias_source};
        }
}

/* The links of the i-th with weaker ones. */
static void collect_links(struct request *request, const struct sighting *s, size_t i)
{
    bool has_link = false;
    for (size_t j = i + 1; j < links_until(s, i); j++) {
        if (link_is_covered(request->resolver, s, i, j))
            continue;
        *arena_push(request->arena, &request->links) =
            (struct link_row){link_key_of(&s->ids[i].id, &s->ids[j].id), s->occurred_at,
                              s->event_id, REFUSED_NOT, i > 0};
        want_identifier(request, s, j);
        has_link = true;
    }
    if (has_link && i > 0)
        want_identifier(request, s, i);
}

static void collect_sighting(struct request *request, const struct sighting *s)
{
    want_identifier(request, s, 0);
    if (s->alias_source.len > 0)
        collect_aliases(request, s);
    for (size_t i = 0; i < s->id_count; i++) {
        collect_links(request, s, i);
        if (i > 0 && !identifier_is_old_enough(
                         resolver_cache_identifier(&request->resolver->cache, &s->ids[i].id), s))
            want_identifier(request, s, i);
    }
}

void request_collect(struct request *request, const struct sightings *uncovered)
{
    for (size_t i = 0; i < uncovered->count; i++)
        collect_sighting(request, &uncovered->items[i]);
    request->uncovered = uncovered;
    request_sort(request);
}

const struct cached_identifier *resolver_known(struct resolver *resolver, const struct id *id)
{
    const struct cached_identifier *known = resolver_cache_identifier(&resolver->cache, id);
    return known ? known : map_find(&resolver->batch, id);
}

void resolver_forget(struct resolver *resolver, const struct id *identifier_id)
{
    resolver_cache_drop_identifier(&resolver->cache, identifier_id);
    map_remove(&resolver->batch, identifier_id);
}

void resolver_learn(struct resolver *resolver, const struct id *id,
                    const struct cached_identifier *entry)
{
    if (resolver->batch.key_size == 0)
        map_init(&resolver->batch, NULL, sizeof(struct id), sizeof(struct cached_identifier));
    *(struct cached_identifier *)map_put(&resolver->batch, id, NULL) = *entry;
}

/* Learns all of the batch that is known now, so that later puts into the cache cannot make a known
 * identifier look new. */
static void learn_wanted(struct request *request, const struct identifier_rows *found)
{
    struct resolver *resolver = request->resolver;
    map_clear(&resolver->batch);
    for (size_t i = 0; i < request->wanted.count; i++) {
        const struct id *id = &request->wanted.items[i].identifier_id;
        const struct cached_identifier *known = resolver_cache_identifier(&resolver->cache, id);
        if (known)
            resolver_learn(resolver, id, known);
    }
    for (size_t i = 0; i < found->count; i++) {
        const struct identifier_row *row = &found->items[i];
        resolver_learn(resolver, &row->identifier_id,
                       &(struct cached_identifier){row->profile_id, row->first_seen, row->version});
    }
}

static void cache_identifiers(struct resolver *resolver, const struct identifier_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct identifier_row *row = &rows->items[i];
        struct cached_identifier entry = {row->profile_id, row->first_seen, row->version};
        resolver_cache_put_identifier(&resolver->cache, &row->identifier_id, &entry);
    }
}

void resolver_learn_link(struct resolver *resolver, const struct link_row *row)
{
    struct cached_link entry = {row->first_seen, row->is_indirect, evidence_half(&row->evidence)};
    resolver_cache_put_link(&resolver->cache, &row->key, &entry);
}

static void cache_links(struct resolver *resolver, const struct link_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        resolver_learn_link(resolver, &rows->items[i]);
}

static enum outcome warm_up_hashes(struct resolver *resolver, struct arena *arena, size_t count,
                                   struct err *err)
{
    struct found_rows rows = {0};
    CHECK(identity_store_newest_found_by(resolver->db, arena, count, resolver->keys.state.number,
                                         &rows, err));
    for (size_t i = 0; i < rows.count; i++)
        resolver_cache_put_found_by(&resolver->cache, &rows.items[i].hash,
                                    &rows.items[i].identifier_id);
    return OUTCOME_OK;
}

enum outcome resolver_warm_up(struct resolver *resolver, struct arena *arena, size_t count,
                              struct err *err)
{
    struct identifier_rows identifiers = {0};
    struct link_rows links = {0};
    CHECK(identity_store_newest(resolver->db, arena, count, &identifiers, &links, err));
    cache_identifiers(resolver, &identifiers);
    cache_links(resolver, &links);
    return identity_keys_were_rotated(&resolver->keys) ? warm_up_hashes(resolver, arena, count, err)
                                                       : OUTCOME_OK;
}

static enum outcome look_up_links(struct request *request, struct err *err)
{
    struct resolver *resolver = request->resolver;
    struct link_rows missing = {0}, found = {0};
    for (size_t i = 0; i < request->links.count; i++) {
        const struct link_key *key = &request->links.items[i].key;
        /* A link can only be there if both of its identifiers are. */
        if (resolver_cache_link(&resolver->cache, key) == NULL &&
            resolver_known(resolver, &key->a) && resolver_known(resolver, &key->b))
            *arena_push(request->arena, &missing) = request->links.items[i];
    }
    if (missing.count > 0)
        CHECK(identity_store_find_links(resolver->db, request->arena, missing.items, missing.count,
                                        &found, err));
    cache_links(resolver, &found);
    return OUTCOME_OK;
}

enum outcome resolver_look_up(struct resolver *resolver, struct arena *arena,
                              const struct sightings *uncovered, struct err *err)
{
    struct request request = {.resolver = resolver, .arena = arena};
    struct id_list missing = {0};
    struct identifier_rows found = {0};
    request_collect(&request, uncovered);
    for (size_t i = 0; i < request.wanted.count; i++)
        if (resolver_cache_identifier(&resolver->cache, &request.wanted.items[i].identifier_id) ==
            NULL)
            *arena_push(arena, &missing) = request.wanted.items[i].identifier_id;
    if (missing.count > 0)
        CHECK(identity_store_find_identifiers(resolver->db, arena, missing.items, missing.count,
                                              &found, err));
    learn_wanted(&request, &found);
    cache_identifiers(resolver, &found);
    return look_up_links(&request, err);
}
