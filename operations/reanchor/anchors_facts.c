/* anchors_facts.c: one batch of facts: which anchor each has now, and what it shows
 * together. */
#include "operations/reanchor/anchors_internal.h"

#include "common/base/pack.h"
#include "reanchor_sql.h"
#include "services/identity-resolver/store/resolver_cache.h"
#include "services/suppression/suppression_touchpoint.h"

static const struct statement *const read_facts[] = {
    [ANCHORS_JOURNEY] = &sql_anchors_read_journey,
    [ANCHORS_SUPPRESSION] = &sql_anchors_read_suppression,
};

/* ---- reading ---- */

static enum outcome read_batch(struct batch_of_facts *b, size_t limit, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, b->arena);
    params_int8(&p, (int64_t)limit);
    CHECK(db_run(b->db, read_facts[b->schema], &p, &r, NULL, err));
    b->count = (size_t)db_rows(r);
    b->facts = arena_array(b->arena, struct fact, b->count);
    for (size_t i = 0; i < b->count; i++)
        b->facts[i] = (struct fact){
            .key = {db_int8(r, (int)i, 0), db_timestamptz(r, (int)i, 1), db_uuid(r, (int)i, 2)},
            .others = arena_copy(b->arena, db_bytes(r, (int)i, 3)),
            .addresses = b->schema == ANCHORS_SUPPRESSION
                             ? arena_copy(b->arena, db_bytes(r, (int)i, 4))
                             : SPAN_NONE,
            .is_outbound = b->schema == ANCHORS_JOURNEY &&
                           suppression_is_outbound(db_bytes(r, (int)i, 4), db_bytes(r, (int)i, 5),
                                                   db_bytes(r, (int)i, 6)),
        };
    return OUTCOME_OK;
}

static enum outcome put_known(struct batch_of_facts *b, const struct id *name,
                              const struct known *known, struct err *err)
{
    int64_t key = id_short(name);
    bool is_first;
    struct known *at = map_put(&b->known, &key, &is_first);
    if (!is_first && !id_equal(&at->id, &known->id))
        return err_set(err, OUTCOME_FATAL, "anchor_collision",
                       "two identifiers share the short key of a fact");
    *at = *known;
    return OUTCOME_OK;
}

static enum outcome take_known(struct batch_of_facts *b, const struct db_result *r, struct err *err)
{
    for (int row = 0; row < db_rows(r); row++) {
        struct id name = db_uuid(r, row, 0);
        struct known known = {.id = {{0}}};
        if (!db_is_null(r, row, 1)) {
            known = (struct known){db_uuid(r, row, 1), db_uuid(r, row, 2), db_int8(r, row, 3),
                                   db_int2(r, row, 4)};
            CHECK(put_known(b, &known.id, &known, err));
        }
        CHECK(put_known(b, &name, &known, err));
    }
    return OUTCOME_OK;
}

static enum outcome look_up(struct batch_of_facts *b, struct err *err)
{
    struct map wanted;
    struct ids low = {0}, high = {0};
    map_init(&wanted, b->arena, sizeof(int64_t), 1);
    for (size_t i = 0; i < b->count; i++) {
        int64_t keys[ANCHORS_MOST] = {0};
        size_t count = anchors_keys(b->facts[i].key.anchor, b->facts[i].others, keys);
        for (size_t k = 0; k < count; k++) {
            bool is_first;
            map_put(&wanted, &keys[k], &is_first);
            if (is_first)
                id_short_range(keys[k], arena_push(b->arena, &low), arena_push(b->arena, &high));
        }
    }
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, b->arena);
    params_uuid_array(&p, low.items, sizeof *low.items, low.count);
    params_uuid_array(&p, high.items, sizeof *high.items, high.count);
    CHECK(db_run(b->db, &sql_anchors_identifiers, &p, &r, NULL, err));
    enum outcome outcome = take_known(b, r, err);
    return outcome;
}

/* ---- choosing ---- */

/* An erasure takes its identifiers out of the facts of others; one that is not there any more
 * belongs to no person. */
static enum outcome rank_fact(const struct batch_of_facts *b, const struct fact *fact,
                              struct ranked ids[ANCHORS_MOST], size_t *count, struct err *err)
{
    int64_t keys[ANCHORS_MOST] = {0};
    size_t all = anchors_keys(fact->key.anchor, fact->others, keys);
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        const struct known *known = map_find(&b->known, &keys[i]);
        if (known == NULL && i == 0)
            return err_set(err, OUTCOME_FATAL, "identifier_unknown",
                           "a fact's anchor is no stored identifier");
        if (known && !id_is_nil(&known->id))
            ids[(*count)++] = (struct ranked){id_short(&known->id), known->type, (uint32_t)i};
    }
    *count = anchors_sort(ids, *count);
    return OUTCOME_OK;
}

static struct span pack_keys(struct arena *arena, const struct ranked *ids, size_t count)
{
    uint8_t *bytes = arena_alloc(arena, count * 8 + 1);
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 8; k++)
            bytes[8 * i + (size_t)k] = (uint8_t)((uint64_t)ids[i].key >> (56 - 8 * k));
    return count == 0 ? SPAN_NONE : (struct span){(const char *)bytes, count * 8};
}

static bool holds_key(struct span keys, int64_t key)
{
    for (struct unpack u = unpack_of(keys); u.at < u.end;)
        if ((int64_t)unpack_be64(&u) == key)
            return true;
    return false;
}

/* In the present order of its identifiers: those that were addresses under their former names. */
static struct span rename_addresses(const struct batch_of_facts *b, const struct fact *fact,
                                    const struct ranked *ids, size_t count)
{
    struct ranked kept[ANCHORS_MOST] = {{0}};
    int64_t keys[ANCHORS_MOST] = {0}, now[ANCHORS_MOST] = {0};
    size_t all = anchors_keys(fact->key.anchor, fact->others, keys), addresses = 0, found = 0;
    for (size_t i = 0; i < all; i++) {
        const struct known *known = map_find(&b->known, &keys[i]);
        if (known && holds_key(fact->addresses, keys[i]))
            now[found++] = id_short(&known->id);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < found; k++)
            if (now[k] == ids[i].key) {
                kept[addresses++] = ids[i];
                break;
            }
    return pack_keys(b->arena, kept, addresses);
}

static void note_change(struct batch_of_facts *b, const struct fact *fact, const struct ranked *ids,
                        size_t count)
{
    struct change change = {
        .key = fact->key,
        .anchor = ids[0].key,
        .others = pack_keys(b->arena, ids + 1, count - 1),
        .addresses = rename_addresses(b, fact, ids, count),
    };
    if (change.anchor == fact->key.anchor && span_equal(change.others, fact->others))
        return;
    if (change.anchor != fact->key.anchor) {
        struct fact_key to = {change.anchor, fact->key.occurred_at, fact->key.event_id};
        bool is_first;
        map_put(&b->taken, &to, &is_first);
        change.is_repeat = !is_first;
        map_put(&b->anchors, &change.anchor, NULL);
        *arena_push(b->arena, &b->moved) = change;
    }
    if (!change.is_repeat)
        *arena_push(b->arena, &b->all) = change;
}

static void note_link(struct batch_of_facts *b, const struct fact_key *fact, const struct known *x,
                      const struct known *y, bool is_indirect)
{
    struct link_row row = {link_key_of(&x->id, &y->id), fact->occurred_at, fact->event_id,
                           REFUSED_PAIR, is_indirect};
    bool is_first;
    struct link_row *link = map_put(&b->links, &row.key, &is_first);
    if (!is_first && link_row_compare(&row, link) >= 0)
        return;
    *link = row;
    if (is_first && !id_equal(&x->profile_id, &y->profile_id)) {
        *arena_push(b->arena, &b->refused) = row.key.a;
        *arena_push(b->arena, &b->refused) = row.key.b;
    }
}

static void note_links(struct batch_of_facts *b, const struct fact *fact, const struct ranked *ids,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < identity_links_until(i, count); k++)
            note_link(b, &fact->key, map_find(&b->known, &ids[i].key),
                      map_find(&b->known, &ids[k].key), i > 0);
}

static struct span channels_of(const struct identity_policy *policy, int16_t code)
{
    for (size_t i = 0; i < policy->type_count; i++)
        if (policy->types[i].rank == code)
            return policy->types[i].address_of;
    return SPAN("");
}

/* Addresses that a customer's own touchpoint names, as suppression keeps them. */
static void note_addresses(struct batch_of_facts *b, const struct fact *fact,
                           const struct ranked *ids, size_t count)
{
    for (size_t i = 0; i < count && !fact->is_outbound; i++) {
        const struct known *known = map_find(&b->known, &ids[i].key);
        struct span channels = channels_of(b->policy, known->type);
        if (channels.len)
            *arena_push(b->arena, &b->addresses) =
                (struct known_address){ids[0].key, known->id, channels, fact->key.occurred_at};
    }
}

static enum outcome choose(struct batch_of_facts *b, struct err *err)
{
    struct ranked ids[ANCHORS_MOST] = {{0}};
    for (size_t i = 0; i < b->count; i++) {
        size_t count;
        CHECK(rank_fact(b, &b->facts[i], ids, &count, err));
        if (count == 0) {
            *arena_push(b->arena, &b->left) = (struct change){.key = b->facts[i].key};
            continue;
        }
        note_change(b, &b->facts[i], ids, count);
        if (b->schema == ANCHORS_JOURNEY) {
            note_links(b, &b->facts[i], ids, count);
            note_addresses(b, &b->facts[i], ids, count);
        }
    }
    return OUTCOME_OK;
}

static enum outcome run_batch(struct batch_of_facts *b, size_t limit, struct err *err)
{
    CHECK(read_batch(b, limit, err));
    if (b->count == 0)
        return db_commit(b->db, err);
    CHECK(look_up(b, err));
    CHECK(choose(b, err));
    CHECK(anchors_write(b, err));
    return db_commit(b->db, err);
}

enum outcome anchors_facts_step(struct db *db, struct arena *arena, enum anchors_schema schema,
                                const struct identity_policy *policy, size_t limit, size_t *count,
                                struct err *err)
{
    struct batch_of_facts b = {.db = db, .arena = arena, .schema = schema, .policy = policy};
    map_init(&b.known, arena, sizeof(int64_t), sizeof(struct known));
    map_init(&b.links, arena, sizeof(struct link_key), sizeof(struct link_row));
    map_init(&b.taken, arena, sizeof(struct fact_key), 1);
    map_init(&b.anchors, arena, sizeof(int64_t), 1);
    CHECK(db_begin(db, err));
    enum outcome outcome = run_batch(&b, limit, err);
    if (outcome != OUTCOME_OK)
        db_rollback(db);
    *count = b.count;
    return outcome;
}
