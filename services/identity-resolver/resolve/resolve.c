/* resolve.c: what the cache covers, and looking up the rest. */
#include "services/identity-resolver/resolve/resolve.h"

#include "services/identity-resolver/resolve/resolve_work.h"

/* (first_seen, evidence) <= (occurred_at, event_id): this sighting would not make the link older.
 */
static bool link_is_old_enough(const struct cached_link *link, const struct sighting *s)
{
    int c = link ? instant_compare(link->first_seen, s->occurred_at) : 1;
    return c < 0 || (c == 0 && link->evidence <= id_half(&s->event_id, 0));
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

static bool link_is_covered(struct resolver *resolver, const struct sighting *s, size_t i)
{
    if (had_links_erased(resolver, &s->ids[0].id) || had_links_erased(resolver, &s->ids[i].id))
        return false;
    struct link_key key = link_key_of(&s->ids[0].id, &s->ids[i].id);
    return link_is_old_enough(resolver_cache_link(&resolver->cache, &key), s);
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
    for (size_t i = 1; is_covered && i < s->id_count && !s->lacks_anchor; i++)
        is_covered = link_is_covered(resolver, s, i);
    return is_covered;
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

static void collect_sighting(struct request *request, const struct sighting *s)
{
    want_identifier(request, s, 0);
    if (s->alias_source.len > 0)
        collect_aliases(request, s);
    for (size_t i = 1; i < s->id_count; i++) {
        bool has_link = !s->lacks_anchor && !link_is_covered(request->resolver, s, i);
        if (has_link)
            *arena_push(request->arena, &request->links) =
                (struct link_row){link_key_of(&s->ids[0].id, &s->ids[i].id), s->occurred_at,
                                  s->event_id, REFUSED_NOT};
        if (has_link || !identifier_is_old_enough(
                            resolver_cache_identifier(&request->resolver->cache, &s->ids[i].id), s))
            want_identifier(request, s, i);
    }
}

void request_collect(struct request *request, const struct sightings *uncovered)
{
    for (size_t i = 0; i < uncovered->count; i++)
        collect_sighting(request, &uncovered->items[i]);
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

static void cache_links(struct resolver *resolver, const struct link_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct link_row *row = &rows->items[i];
        resolver_cache_put_link(&resolver->cache, &row->key, row->first_seen, &row->evidence);
    }
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
