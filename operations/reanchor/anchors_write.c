/* anchors_write.c: what a batch of facts changes: facts, their decisions and copies,
 * anchors, links. */
#include "operations/reanchor/anchors_internal.h"

#include "reanchor_sql.h"

#define BY_SCHEMA(name)                                                                            \
    {                                                                                              \
        [ANCHORS_JOURNEY] = &sql_##name##_journey,                                                 \
        [ANCHORS_SUPPRESSION] = &sql_##name##_suppression,                                         \
    }
static const struct statement *const add_anchors[] = BY_SCHEMA(anchors_add);
static const struct statement *const drop_repeats[] = BY_SCHEMA(anchors_drop);
static const struct statement *const move_facts[] = BY_SCHEMA(anchors_move);
static const struct statement *const leave_facts[] = BY_SCHEMA(anchors_leave);

static enum outcome run(struct batch_of_facts *b, const struct statement *statement,
                        const struct params *p, struct err *err)
{
    return db_run(b->db, statement, p, NULL, NULL, err);
}

static void add_keys(struct params *p, const struct changes *changes)
{
    const struct change *items = changes->items;
    params_int8_array(p, &items->key.anchor, sizeof *items, changes->count);
    params_timestamptz_array(p, &items->key.occurred_at, sizeof *items, changes->count);
    params_uuid_array(p, &items->key.event_id, sizeof *items, changes->count);
    params_int8_array(p, &items->anchor, sizeof *items, changes->count);
}

static enum outcome write_anchors(struct batch_of_facts *b, const struct map *anchors,
                                  enum anchors_schema schema, struct err *err)
{
    size_t count = 0;
    struct known *rows = arena_array(b->arena, struct known, anchors->count);
    const void *key;
    for (size_t at = 0; map_next(anchors, &at, &key);)
        rows[count++] = *(const struct known *)map_find(&b->known, key);
    struct params p;
    params_init(&p, b->arena);
    params_uuid_array(&p, &rows->id, sizeof *rows, count);
    params_uuid_array(&p, &rows->profile_id, sizeof *rows, count);
    params_int8_array(&p, &rows->version, sizeof *rows, count);
    return run(b, add_anchors[schema], &p, err);
}

/* With a row of suppression's map for whoever got a place. */
static enum outcome write_places(struct batch_of_facts *b, struct err *err)
{
    const struct change *items = b->moved.items;
    struct params p;
    int64_t written = 0;
    params_init(&p, b->arena);
    params_int8_array(&p, &items->key.anchor, sizeof *items, b->moved.count);
    params_int8_array(&p, &items->anchor, sizeof *items, b->moved.count);
    CHECK(db_run(b->db, &sql_anchors_places, &p, NULL, &written, err));
    return written > 0 ? write_anchors(b, &b->anchors, ANCHORS_SUPPRESSION, err) : OUTCOME_OK;
}

static enum outcome write_moved(struct batch_of_facts *b, struct err *err)
{
    const struct change *items = b->moved.items;
    struct params p;
    if (b->moved.count == 0)
        return OUTCOME_OK;
    CHECK(write_anchors(b, &b->anchors, b->schema, err));
    params_init(&p, b->arena);
    add_keys(&p, &b->moved);
    params_bool_array(&p, &items->is_repeat, sizeof *items, b->moved.count);
    CHECK(run(b, drop_repeats[b->schema], &p, err));
    if (b->schema == ANCHORS_JOURNEY)
        return write_places(b, err);
    params_init(&p, b->arena);
    add_keys(&p, &b->moved);
    params_bytea_array(&p, &items->others, sizeof *items, b->moved.count);
    params_bytea_array(&p, &items->addresses, sizeof *items, b->moved.count);
    CHECK(run(b, &sql_anchors_swap_suppression, &p, err));
    params_init(&p, b->arena);
    params_int8_array(&p, &items->key.anchor, sizeof *items, b->moved.count);
    params_uuid_array(&p, &items->key.event_id, sizeof *items, b->moved.count);
    params_int8_array(&p, &items->anchor, sizeof *items, b->moved.count);
    return run(b, &sql_anchors_move_decisions, &p, err);
}

static enum outcome write_all(struct batch_of_facts *b, struct err *err)
{
    const struct change *items = b->all.items;
    struct params p;
    if (b->all.count == 0)
        return OUTCOME_OK;
    params_init(&p, b->arena);
    add_keys(&p, &b->all);
    params_bytea_array(&p, &items->others, sizeof *items, b->all.count);
    if (b->schema == ANCHORS_SUPPRESSION)
        params_bytea_array(&p, &items->addresses, sizeof *items, b->all.count);
    return run(b, move_facts[b->schema], &p, err);
}

static enum outcome write_links(struct batch_of_facts *b, struct err *err)
{
    size_t count = 0;
    struct link_row *rows = arena_array(b->arena, struct link_row, b->links.count), *link;
    const void *key;
    if (b->links.count == 0)
        return OUTCOME_OK;
    for (size_t at = 0; (link = map_next(&b->links, &at, &key));)
        rows[count++] = *link;
    struct params p;
    params_init(&p, b->arena);
    params_uuid_array(&p, &rows->key.a, sizeof *rows, count);
    params_uuid_array(&p, &rows->key.b, sizeof *rows, count);
    params_timestamptz_array(&p, &rows->first_seen, sizeof *rows, count);
    params_uuid_array(&p, &rows->evidence, sizeof *rows, count);
    params_bool_array(&p, &rows->is_indirect, sizeof *rows, count);
    CHECK(run(b, &sql_anchors_links, &p, err));
    params_init(&p, b->arena);
    params_uuid_array(&p, b->refused.items, sizeof *b->refused.items, b->refused.count);
    return b->refused.count > 0 ? run(b, &sql_anchors_refused, &p, err) : OUTCOME_OK;
}

/* The touchpoint names no person any more: it is counted among those that do not. */
static enum outcome write_left(struct batch_of_facts *b, struct err *err)
{
    const struct change *items = b->left.items;
    struct params p;
    if (b->left.count == 0)
        return OUTCOME_OK;
    params_init(&p, b->arena);
    params_int8_array(&p, &items->key.anchor, sizeof *items, b->left.count);
    params_timestamptz_array(&p, &items->key.occurred_at, sizeof *items, b->left.count);
    params_uuid_array(&p, &items->key.event_id, sizeof *items, b->left.count);
    return run(b, leave_facts[b->schema], &p, err);
}

/* With a row of suppression's map for whoever named an address first. */
static enum outcome write_known(struct batch_of_facts *b, struct err *err)
{
    struct known_addresses new;
    struct map namers;
    map_init(&namers, b->arena, sizeof(int64_t), 1);
    CHECK(addresses_store_known(b->db, b->arena, &b->addresses, &new, err));
    for (size_t i = 0; i < new.count; i++)
        map_put(&namers, &new.items[i].anchor, NULL);
    return namers.count ? write_anchors(b, &namers, ANCHORS_SUPPRESSION, err) : OUTCOME_OK;
}

static enum outcome advance(struct batch_of_facts *b, struct err *err)
{
    const struct fact_key *last = &b->facts[b->count - 1].key;
    struct params p;
    params_init(&p, b->arena);
    params_int8(&p, last->anchor);
    params_timestamptz(&p, last->occurred_at);
    params_uuid(&p, &last->event_id);
    return run(b, &sql_anchors_advance, &p, err);
}

enum outcome anchors_write(struct batch_of_facts *b, struct err *err)
{
    CHECK(write_moved(b, err));
    CHECK(write_all(b, err));
    CHECK(write_links(b, err));
    CHECK(write_left(b, err));
    CHECK(write_known(b, err));
    return advance(b, err);
}
