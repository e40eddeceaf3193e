/* evidence.c: cursors over identifiers, orders and links; see evidence.h. */
#include "operations/plan/evidence.h"

#include <stdlib.h>

#include "common/codec/digest.h"
#include "operations/desk.h"
#include "plan_sql.h"
#include "services/identity-resolver/store/identity_rules_store.h"

/* A cursor's rows: FETCH answers in binary, as every statement of ours. */
#define FETCH_ROWS "20000"

struct reading {
    struct desk *desk;
    struct arena *arena; /* the desk's */
    struct evidence *out;
    const struct identity_policy *stored;
    struct map manual; /* pair of nodes -> bool used: orders that link */
    struct {
        struct identity_alias *items;
        size_t count, capacity;
    } aliases;
    struct map spare; /* profiles of identifiers that are no node of their own; in the arena */
};

typedef enum outcome take_fn(struct reading *reading, const struct db_result *r, struct err *err);

static enum outcome stream(struct reading *reading, const char *declare,
                           const struct statement *fetch, take_fn *take, struct err *err)
{
    CHECK(db_script(reading->desk->db, declare, err));
    for (int rows = 1; rows > 0;) {
        struct db_result *r = NULL;
        CHECK(desk_check_stop(reading->desk, err));
        CHECK(db_run(reading->desk->db, fetch, NULL, &r, NULL, err));
        rows = db_rows(r);
        enum outcome outcome = take(reading, r, err);
        desk_step(reading->desk, (uint64_t)rows);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return OUTCOME_OK;
}

static enum outcome count_rows(struct reading *reading, const struct statement *count, size_t *out,
                               struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(reading->desk->db, count, NULL, &r, NULL, err));
    *out = (size_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

/* ---- identifiers ---- */

/* Index of the candidate's type, -1 if it has none of that name. */
static int16_t type_of_code(const struct reading *reading, int16_t code)
{
    int16_t stored = identity_type_of_rank(reading->stored, code);
    const struct identity_type *type =
        stored < 0 ? NULL
                   : identity_find_type(reading->out->policy, reading->stored->types[stored].name);
    return type ? (int16_t)(type - reading->out->policy->types) : -1;
}

static enum outcome start_node(struct reading *reading, uint32_t i, const struct id *id,
                               int16_t code, struct err *err)
{
    struct identity_node *node = &reading->out->graph.nodes[i];
    node->identifier_id = *id;
    node->type = type_of_code(reading, code);
    return node->type >= 0 ? OUTCOME_OK
                           : err_set(err, OUTCOME_FATAL, "identifier_type",
                                     "the policy lacks a type that identifiers are stored under");
}

/* Of several that become one, the one that it is already says what it is today. */
static enum outcome take_identifier(struct reading *reading, const struct id *stored,
                                    const struct id *id, const struct db_result *r, int row,
                                    struct err *err)
{
    struct evidence *e = reading->out;
    struct instant first_seen = db_timestamptz(r, row, 2);
    struct id profile = db_uuid(r, row, 1);
    bool is_first, is_itself = id_equal(stored, id);
    uint32_t *at = map_put(&e->index, id, &is_first),
             i = is_first ? (uint32_t)e->graph.node_count++ : *at;
    *at = i;
    if (is_first)
        CHECK(start_node(reading, i, id, db_int2(r, row, 3), err));
    else
        map_put(&reading->spare, is_itself ? &e->profiles[i] : &profile, NULL);
    struct identity_node *node = &e->graph.nodes[i];
    if (is_first || instant_compare(first_seen, node->first_seen) < 0)
        node->first_seen = first_seen;
    if (is_first || is_itself) {
        e->stored[i] = *stored;
        e->profiles[i] = profile;
        e->was_quarantined[i] = db_bool(r, row, 4);
    }
    if (!is_itself)
        *(uint32_t *)map_put(&e->index, stored, NULL) = i;
    e->united += !is_first;
    return OUTCOME_OK;
}

static enum outcome take_identifiers(struct reading *reading, const struct db_result *r,
                                     struct err *err)
{
    for (int row = 0; row < db_rows(r); row++) {
        struct id stored = db_uuid(r, row, 0), profile = db_uuid(r, row, 1);
        const struct id *id = renaming_find(reading->out->renaming, &stored);
        if (id)
            CHECK(take_identifier(reading, &stored, id, r, row, err));
        else
            map_put(&reading->spare, &profile, NULL);
    }
    return OUTCOME_OK;
}

const uint32_t *evidence_profile(const struct evidence *e, const struct id *profile)
{
    const uint32_t *node = map_find(&e->index, profile);
    return node && id_equal(&e->profiles[*node], profile) ? node : map_find(&e->names, profile);
}

static enum outcome find_profiles(struct evidence *e, struct err *err)
{
    for (uint32_t i = 0; i < e->graph.node_count; i++) {
        const struct id *profile = &e->profiles[i];
        const uint32_t *node = evidence_profile(e, profile);
        if (node == NULL && renaming_find(e->renaming, profile) == profile)
            return err_set(err, OUTCOME_FATAL, "profile_unknown",
                           "an identifier is in a profile that no identifier names");
        if (node == NULL)
            *(uint32_t *)map_put(&e->names, profile, NULL) = i;
        e->before[i] = node ? *node : i;
    }
    return OUTCOME_OK;
}

static void count_gone_profiles(struct reading *reading)
{
    const void *profile;
    for (size_t at = 0; map_next(&reading->spare, &at, &profile);)
        reading->out->gone_profiles += evidence_profile(reading->out, profile) == NULL;
}

static enum outcome read_identifiers(struct reading *reading, struct err *err)
{
    static const struct statement fetch = {"evidence_fetch_identifiers",
                                           "FETCH " FETCH_ROWS " FROM evidence_identifiers"};
    struct evidence *e = reading->out;
    size_t n = 0;
    CHECK(count_rows(reading, &sql_evidence_count_identifiers, &n, err));
    if (n >= UINT32_MAX)
        return err_set(err, OUTCOME_FATAL, "too_many", "more identifiers than plan mode can hold");
    e->graph.nodes = arena_array(reading->arena, struct identity_node, n);
    e->before = arena_array(reading->arena, uint32_t, n);
    e->was_quarantined = arena_array(reading->arena, bool, n);
    e->is_released = arena_array(reading->arena, bool, n);
    e->stored = arena_array(reading->arena, struct id, n);
    e->profiles = arena_array(reading->arena, struct id, n);
    desk_begin(reading->desk, "identifiers read", n);
    CHECK(stream(reading,
                 "DECLARE evidence_identifiers NO SCROLL CURSOR FOR "
                 "SELECT identifier_id, profile_id, first_seen_at, type, is_quarantined FROM "
                 "identity.identifiers",
                 &fetch, take_identifiers, err));
    desk_end(reading->desk);
    CHECK(find_profiles(e, err));
    count_gone_profiles(reading);
    return OUTCOME_OK;
}

/* ---- orders ---- */

static uint64_t pair_of(uint32_t a, uint32_t b)
{
    return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static bool find_pair(const struct evidence *e, const struct db_result *r, int row, uint32_t *a,
                      uint32_t *b)
{
    struct id x = db_uuid(r, row, 1), y = db_is_null(r, row, 2) ? x : db_uuid(r, row, 2);
    const uint32_t *p = map_find(&e->index, &x), *q = map_find(&e->index, &y);
    if (p == NULL || q == NULL)
        return false;
    *a = *p;
    *b = *q;
    return true;
}

/* What counts of the orders about each pair: the newest one. */
static void take_decided(struct reading *reading, const struct map *decided)
{
    struct identity_graph *graph = &reading->out->graph;
    struct identity_cut *cuts = arena_array(reading->arena, struct identity_cut, decided->count);
    const void *key;
    const enum order_kind *kind;
    for (size_t at = 0; (kind = map_next(decided, &at, &key));) {
        uint64_t pair;
        memcpy(&pair, key, sizeof pair);
        uint32_t a = (uint32_t)(pair >> 32), b = (uint32_t)pair;
        if (*kind == ORDER_CUT)
            cuts[graph->cut_count++] = (struct identity_cut){a, b};
        else
            map_put(&reading->manual, &pair, NULL);
        if (*kind == ORDER_SAME)
            *arena_push(reading->arena, &reading->aliases) = (struct identity_alias){a, b};
    }
    graph->cuts = cuts;
}

/* Two pairs may become one, so the newest order of all of them counts. */
static enum outcome read_orders(struct reading *reading, struct err *err)
{
    struct evidence *e = reading->out;
    struct db_result *r = NULL;
    struct map decided;
    map_init(&decided, reading->arena, sizeof(uint64_t), sizeof(enum order_kind));
    CHECK(db_run(reading->desk->db, &sql_evidence_orders, NULL, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        uint32_t a, b;
        if (!find_pair(e, r, row, &a, &b))
            continue;
        uint64_t pair = pair_of(a, b);
        enum order_kind kind = order_kind_of(db_bytes(r, row, 0));
        if (kind == ORDER_RELEASE)
            e->is_released[a] = true;
        else if (a != b) /* else a pair that is one */
            *(enum order_kind *)map_put(&decided, &pair, NULL) = kind;
    }
    take_decided(reading, &decided);
    return OUTCOME_OK;
}

/* Those that the candidate believes. */
static enum outcome read_aliases(struct reading *reading, struct err *err)
{
    struct evidence *e = reading->out;
    struct db_result *r = NULL;
    if (e->policy->trust_count == 0)
        return OUTCOME_OK;
    CHECK(db_run(reading->desk->db, &sql_evidence_aliases, NULL, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        uint32_t a, b;
        if (find_pair(e, r, row, &a, &b) && a != b &&
            identity_may_alias(e->policy, db_bytes(r, row, 3), db_bytes(r, row, 4)))
            *arena_push(reading->arena, &reading->aliases) = (struct identity_alias){a, b};
    }
    return OUTCOME_OK;
}

/* ---- links ---- */

static void take_link(struct reading *reading, uint32_t a, uint32_t b, struct instant first_seen,
                      bool is_indirect)
{
    struct evidence *e = reading->out;
    const struct identity_node *nodes = e->graph.nodes;
    uint64_t pair = pair_of(a, b);
    bool *manual = reading->manual.count > 0 ? map_find(&reading->manual, &pair) : NULL;
    if (manual)
        *manual = true;
    e->graph.links[e->graph.link_count++] = (struct identity_link){.a = a,
                                                                   .b = b,
                                                                   .first_seen = first_seen,
                                                                   .is_manual = manual != NULL,
                                                                   .is_indirect = is_indirect};
    e->degree[a]++;
    e->degree[b]++;
    e->degree_by_type[a * e->policy->type_count + (size_t)nodes[b].type]++;
    e->degree_by_type[b * e->policy->type_count + (size_t)nodes[a].type]++;
}

static enum outcome take_links(struct reading *reading, const struct db_result *r, struct err *err)
{
    struct evidence *e = reading->out;
    for (int row = 0; row < db_rows(r); row++) {
        struct id a = db_uuid(r, row, 0), b = db_uuid(r, row, 1);
        const uint32_t *x = map_find(&e->index, &a), *y = map_find(&e->index, &b);
        if (x == NULL || y == NULL)
            return err_set(err, OUTCOME_FATAL, "identifier_unknown",
                           "a link names an identifier that is not stored");
        take_link(reading, *x, *y, db_timestamptz(r, row, 2), db_bool(r, row, 3));
    }
    return OUTCOME_OK;
}

/* Orders about pairs that were never observed. */
static void add_manual_links(struct reading *reading)
{
    const void *key;
    const bool *is_used;
    for (size_t at = 0; (is_used = map_next(&reading->manual, &at, &key));) {
        uint64_t pair = *(const uint64_t *)key;
        if (!*is_used)
            reading->out->graph.links[reading->out->graph.link_count++] = (struct identity_link){
                .a = (uint32_t)(pair >> 32), .b = (uint32_t)pair, .is_manual = true};
    }
}

static void make_room(struct reading *reading)
{
    struct evidence *e = reading->out;
    e->graph.links = arena_array(reading->arena, struct identity_link,
                                 e->observed_links + reading->manual.count);
    e->degree = arena_array(reading->arena, uint32_t, e->graph.node_count);
    e->degree_by_type =
        arena_array(reading->arena, uint32_t, e->graph.node_count * e->policy->type_count);
}

static enum outcome read_facts(struct reading *reading, struct err *err)
{
    struct fact_links links = {0};
    CHECK(evidence_read_facts(reading->desk, reading->out, &links, err));
    reading->out->observed_links = links.count;
    make_room(reading);
    for (size_t i = 0; i < links.count; i++)
        take_link(reading, links.items[i].a, links.items[i].b, links.items[i].first_seen,
                  links.items[i].is_indirect);
    return OUTCOME_OK;
}

static enum outcome read_links(struct reading *reading, struct err *err)
{
    static const struct statement fetch = {"evidence_fetch_links",
                                           "FETCH " FETCH_ROWS " FROM evidence_links"};
    struct evidence *e = reading->out;
    CHECK(count_rows(reading, &sql_evidence_count_links, &e->observed_links, err));
    make_room(reading);
    desk_begin(reading->desk, "links read", e->observed_links);
    CHECK(stream(reading,
                 "DECLARE evidence_links NO SCROLL CURSOR FOR SELECT a, b, first_seen_at, "
                 "is_indirect FROM identity.links",
                 &fetch, take_links, err));
    desk_end(reading->desk);
    return OUTCOME_OK;
}

static void set_quarantine(struct evidence *e)
{
    for (size_t i = 0; i < e->graph.node_count; i++) {
        struct identity_node *node = &e->graph.nodes[i];
        const uint32_t *degrees = &e->degree_by_type[i * e->policy->type_count];
        node->is_quarantined = !e->is_released[i] && identity_is_quarantined(e->policy, node->type,
                                                                             degrees, e->degree[i]);
    }
}

/* Links that are refused wherever they stand need no place; the others get their hash. */
static void keep_candidates(struct evidence *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->graph.link_count; i++) {
        struct identity_link *link = &e->graph.links[i];
        const struct identity_node *a = &e->graph.nodes[link->a], *b = &e->graph.nodes[link->b];
        bool by_pair = !link->is_manual && !identity_may_link(e->policy, a->type, b->type);
        bool by_quarantine = !by_pair && (a->is_quarantined || b->is_quarantined);
        e->refused_by_pair += by_pair;
        e->refused_by_quarantine += by_quarantine;
        if (by_pair || by_quarantine)
            continue;
        link->hash = digest_link(&a->identifier_id, &b->identifier_id);
        e->graph.links[kept++] = *link;
    }
    e->graph.link_count = kept;
}

static enum outcome read_all(struct reading *reading, struct err *err)
{
    CHECK(db_script(reading->desk->db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                    err));
    CHECK(read_identifiers(reading, err));
    CHECK(read_orders(reading, err));
    CHECK(read_aliases(reading, err));
    reading->out->graph.aliases = reading->aliases.items;
    reading->out->graph.alias_count = reading->aliases.count;
    CHECK(reading->out->has_other_ranks ? read_facts(reading, err) : read_links(reading, err));
    add_manual_links(reading);
    return OUTCOME_OK;
}

enum outcome evidence_read(struct desk *desk, const struct identity_policy *policy,
                           const struct identity_policy *stored, const struct renaming *renaming,
                           bool other_ranks, struct evidence *out, struct err *err)
{
    struct reading reading = {.desk = desk, .arena = desk->arena, .out = out, .stored = stored};
    *out =
        (struct evidence){.policy = policy, .has_other_ranks = other_ranks, .renaming = renaming};
    map_init(&out->index, NULL, sizeof(struct id), sizeof(uint32_t));
    map_init(&out->names, NULL, sizeof(struct id), sizeof(uint32_t));
    map_init(&reading.spare, desk->arena, sizeof(struct id), 1);
    map_init(&reading.manual, desk->arena, sizeof(uint64_t), sizeof(bool));
    CHECK(db_begin(desk->db, err));
    enum outcome outcome = read_all(&reading, err);
    db_rollback(desk->db);
    if (outcome != OUTCOME_OK)
        return outcome;
    set_quarantine(out);
    keep_candidates(out);
    return OUTCOME_OK;
}

void evidence_close(struct evidence *evidence)
{
    map_free(&evidence->index);
    map_free(&evidence->names);
}
