/* evidence_facts.c: the links that all facts show under other ranks, for plan mode. */
#include "operations/plan/evidence.h"

#include "operations/reanchor/anchors.h"

#define FETCH_ROWS "20000"

struct fact_reading {
    struct desk *desk;
    struct evidence *evidence;
    struct fact_links *out;
    struct map node_of; /* short key -> uint32_t node; malloc */
    struct map link_of; /* pair of nodes -> uint32_t index of out; malloc */
};

static void index_nodes(struct fact_reading *reading)
{
    const void *id;
    const uint32_t *node;
    for (size_t at = 0; (node = map_next(&reading->evidence->index, &at, &id));) {
        int64_t key = id_short(id);
        *(uint32_t *)map_put(&reading->node_of, &key, NULL) = *node;
    }
}

static bool counts_before(const struct fact_link *x, const struct fact_link *y)
{
    return x->is_indirect != y->is_indirect ? y->is_indirect
                                            : instant_compare(x->first_seen, y->first_seen) < 0;
}

static void add_link(struct fact_reading *reading, struct fact_link link)
{
    uint64_t pair =
        link.a < link.b ? (uint64_t)link.a << 32 | link.b : (uint64_t)link.b << 32 | link.a;
    bool is_first;
    uint32_t *index = map_put(&reading->link_of, &pair, &is_first);
    if (is_first) {
        *index = (uint32_t)reading->out->count;
        *arena_push(reading->desk->arena, reading->out) = link;
    } else if (counts_before(&link, &reading->out->items[*index])) {
        reading->out->items[*index] = link;
    }
}

/* An identifier that is no node was erased, or names no person under the candidate. */
static void take_fact(struct fact_reading *reading, int64_t anchor, struct span others,
                      struct instant at)
{
    const struct identity_node *nodes = reading->evidence->graph.nodes;
    struct ranked ids[ANCHORS_MOST];
    int64_t keys[ANCHORS_MOST] = {0};
    size_t all = anchors_keys(anchor, others, keys), count = 0;
    for (size_t i = 0; i < all; i++) {
        const uint32_t *node = map_find(&reading->node_of, &keys[i]);
        if (node)
            ids[count++] =
                (struct ranked){id_short(&nodes[*node].identifier_id), nodes[*node].type, *node};
    }
    if (count == 0) {
        reading->evidence->facts_left++;
        return;
    }
    count = anchors_sort(ids, count);
    reading->evidence->facts_moved += ids[0].key != anchor;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < identity_links_until(i, count); k++)
            add_link(reading, (struct fact_link){ids[i].at, ids[k].at, at, i > 0});
}

static enum outcome read_all(struct fact_reading *reading, struct err *err)
{
    static const struct statement fetch = {"evidence_fetch_facts",
                                           "FETCH " FETCH_ROWS " FROM evidence_facts"};
    /* One identifier alone is an anchor under any ranks. */
    CHECK(db_script(
        reading->desk->db,
        reading->evidence->renaming->count > 0
            ? "DECLARE evidence_facts NO SCROLL CURSOR FOR SELECT anchor, others, occurred_at FROM "
              "journey.facts WHERE anchor <> 0"
            : "DECLARE evidence_facts NO SCROLL CURSOR FOR "
              "SELECT anchor, others, occurred_at FROM journey.facts WHERE others IS NOT NULL",
        err));
    desk_begin(reading->desk, "facts read", 0);
    for (int rows = 1; rows > 0;) {
        struct db_result *r = NULL;
        CHECK(desk_check_stop(reading->desk, err));
        CHECK(db_run(reading->desk->db, &fetch, NULL, &r, NULL, err));
        rows = db_rows(r);
        for (int row = 0; row < rows; row++)
            take_fact(reading, db_int8(r, row, 0), db_bytes(r, row, 1), db_timestamptz(r, row, 2));
        desk_step(reading->desk, (uint64_t)rows);
    }
    desk_end(reading->desk);
    return OUTCOME_OK;
}

enum outcome evidence_read_facts(struct desk *desk, struct evidence *evidence,
                                 struct fact_links *out, struct err *err)
{
    struct fact_reading reading = {.desk = desk, .evidence = evidence, .out = out};
    map_init(&reading.node_of, NULL, sizeof(int64_t), sizeof(uint32_t));
    map_init(&reading.link_of, NULL, sizeof(uint64_t), sizeof(uint32_t));
    index_nodes(&reading);
    enum outcome outcome = read_all(&reading, err);
    map_free(&reading.node_of);
    map_free(&reading.link_of);
    return outcome;
}
