/* suppression_store.c: decisions and the outbox as rows; the SQL is in sql/. */
#include "services/suppression/suppression_store.h"

#include <stdlib.h>

#include "suppression_sql.h"

#define COLUMN(name, type, member)                                                                 \
    {                                                                                              \
#name, type, offsetof(struct ledger_fact, member), true                                    \
    }

static const struct fact_column columns[] = {
    COLUMN(kind, FACT_INT2, body.kind),
    COLUMN(flags, FACT_INT2, body.flags),
    COLUMN(event, FACT_TEXT, body.event),
    COLUMN(channel, FACT_TEXT, body.channel),
    COLUMN(department, FACT_TEXT, body.department),
    COLUMN(class, FACT_TEXT, body.class),
    COLUMN(purpose, FACT_TEXT, body.purpose),
    COLUMN(tags, FACT_TEXT, body.tags),
    COLUMN(priority, FACT_INT2, body.priority),
    COLUMN(product_id, FACT_TEXT, body.product_id),
    COLUMN(product_category, FACT_TEXT, body.product_category),
    COLUMN(campaign_id, FACT_TEXT, body.campaign_id),
    COLUMN(lines, FACT_TEXT, body.lines),
    COLUMN(source, FACT_TEXT, body.source),
    COLUMN(case_id, FACT_TEXT, body.case_id),
    COLUMN(order_id, FACT_TEXT, body.order_id),
    COLUMN(received_at, FACT_INSTANT, body.received_at),
    COLUMN(consent, FACT_TEXT, body.consent),
    COLUMN(preferences, FACT_TEXT, body.preferences),
    COLUMN(score, FACT_INT2, body.score),
    COLUMN(planned_at, FACT_INSTANT, body.planned_at),
    COLUMN(expires_at, FACT_INSTANT, body.expires_at),
    COLUMN(latest_at, FACT_INSTANT, body.latest_at),
    COLUMN(sequence_id, FACT_TEXT, body.sequence_id),
    COLUMN(decision_id, FACT_TEXT, decision),
    COLUMN(others, FACT_BYTEA, body.others),
    COLUMN(addresses, FACT_BYTEA, body.addresses),
};

const struct timeline_schema suppression_timeline = {
    .schema = "suppression",
    .states = "suppression.states",
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .fact_size = sizeof(struct ledger_fact),
};

void ledger_facts_complete(struct ledger_fact *facts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        facts[i].body.at = facts[i].key.occurred_at;
        facts[i].body.event_id = facts[i].key.event_id;
        facts[i].body.anchor = facts[i].key.anchor;
        if (facts[i].decision.len == 0 ||
            !id_from_uuid(facts[i].decision, &facts[i].body.decision_id))
            facts[i].body.decision_id = (struct id){{0}};
    }
}

/* Repeats of facts that are dated ahead; out is an array of indices. */
static size_t repeats_dated_ahead(const struct ledger_facts *facts, const bool *is_news,
                                  size_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (!is_news[i] && facts->items[i].body.received_at.us != INSTANT_ABSENT.us)
            out[count++] = i;
    return count;
}

static void add_keys(struct params *p, const struct ledger_fact *facts, size_t count)
{
    params_int8_array(p, &facts->key.anchor, sizeof *facts, count);
    params_timestamptz_array(p, &facts->key.occurred_at, sizeof *facts, count);
    params_uuid_array(p, &facts->key.event_id, sizeof *facts, count);
}

enum outcome suppression_store_lower_received(struct db *db, struct arena *arena,
                                              const struct ledger_facts *facts, bool *is_news,
                                              struct err *err)
{
    size_t *indices = arena_array(arena, size_t, facts->count);
    size_t count = repeats_dated_ahead(facts, is_news, indices);
    if (count == 0)
        return OUTCOME_OK;
    struct ledger_fact *ahead = arena_array(arena, struct ledger_fact, count);
    for (size_t i = 0; i < count; i++)
        ahead[i] = facts->items[indices[i]];
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    add_keys(&p, ahead, count);
    CHECK(db_run(db, &sql_lock_facts, &p, NULL, NULL, err));
    params_timestamptz_array(&p, &ahead->body.received_at, sizeof *ahead, count);
    CHECK(db_run(db, &sql_lower_received, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++)
        is_news[indices[db_int8(r, i, 0) - 1]] = true;
    return OUTCOME_OK;
}

static struct instant instant_or_absent(const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? INSTANT_ABSENT : db_timestamptz(r, row, column);
}

static struct span copy_or_none(struct arena *arena, const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? SPAN_NONE : arena_copy(arena, db_bytes(r, row, column));
}

static int reservation_compare(const void *a, const void *b)
{
    return id_compare(&((const struct reservation *)a)->request_id,
                      &((const struct reservation *)b)->request_id);
}

enum outcome suppression_store_find_decisions(struct db *db, struct arena *arena,
                                              const struct id *requests, size_t count,
                                              struct reservation **rows, size_t *row_count,
                                              struct err *err)
{
    *row_count = 0;
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, requests, sizeof *requests, count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_decisions, &p, &r, NULL, err));
    *row_count = (size_t)db_rows(r);
    *rows = arena_array(arena, struct reservation, *row_count);
    for (int i = 0; i < db_rows(r); i++)
        (*rows)[i] = (struct reservation){
            .request_id = db_uuid(r, i, 0),
            .verdict = db_int2(r, i, 1),
            .outcome = db_int2(r, i, 2),
            .planned_at = db_timestamptz(r, i, 3),
            .expires_at = db_is_null(r, i, 4) ? INSTANT_NEVER : db_timestamptz(r, i, 4),
            .sent_at = instant_or_absent(r, i, 5),
            .sequence_id = copy_or_none(arena, r, i, 6),
            .claimed_at = instant_or_absent(r, i, 7)};
    qsort(*rows, *row_count, sizeof **rows, reservation_compare);
    return OUTCOME_OK;
}

static struct verdict_row read_verdict(struct arena *arena, const struct db_result *r, int row)
{
    return (struct verdict_row){
        .decision = {.request_id = db_uuid(r, row, 0),
                     .profile_id = db_is_null(r, row, 1) ? (struct id){{0}} : db_uuid(r, row, 1),
                     .verdict = db_int2(r, row, 2),
                     .outcome = db_int2(r, row, 3),
                     .requested_at = db_timestamptz(r, row, 4),
                     .planned_at = db_timestamptz(r, row, 5),
                     .expires_at = instant_or_absent(r, row, 7),
                     .retry_at = instant_or_absent(r, row, 8),
                     .channel = copy_or_none(arena, r, row, 9),
                     .department = copy_or_none(arena, r, row, 10),
                     .class = copy_or_none(arena, r, row, 11),
                     .reason = copy_or_none(arena, r, row, 12),
                     .rule_id = copy_or_none(arena, r, row, 13),
                     .rule_owner = copy_or_none(arena, r, row, 14),
                     .rules = copy_or_none(arena, r, row, 15),
                     .asked_for_at = db_timestamptz(r, row, 16),
                     .moved_by = copy_or_none(arena, r, row, 17),
                     .latest_at = instant_or_absent(r, row, 18),
                     .zones = copy_or_none(arena, r, row, 19),
                     .zone_data = copy_or_none(arena, r, row, 20),
                     .claimed_at = instant_or_absent(r, row, 21)},
        .decided_at = db_timestamptz(r, row, 6)};
}

enum outcome suppression_store_find_verdicts(struct db *db, struct arena *arena,
                                             const struct id *requests, size_t count,
                                             struct verdict_row **rows, size_t *row_count,
                                             struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, requests, sizeof *requests, count);
    CHECK(db_run(db, &sql_find_verdicts, &p, &r, NULL, err));
    *row_count = (size_t)db_rows(r);
    *rows = arena_array(arena, struct verdict_row, *row_count);
    for (int i = 0; i < db_rows(r); i++)
        (*rows)[i] = read_verdict(arena, r, i);
    return OUTCOME_OK;
}

static int decision_compare(const void *a, const void *b)
{
    return id_compare(&((const struct decision_row *)a)->request_id,
                      &((const struct decision_row *)b)->request_id);
}

/* Of one request the earliest, then one of a customer, then the one of the smallest anchor. */
static int repeat_compare(const void *a, const void *b)
{
    const struct decision_row *x = a, *y = b;
    int c = decision_compare(a, b);
    c = c ? c : instant_compare(x->requested_at, y->requested_at);
    c = c ? c : id_is_nil(&x->profile_id) - id_is_nil(&y->profile_id);
    return c ? c : (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

/* A request that two customers of one batch were told to ask is one, too. */
static void keep_one_of_each(struct decision_rows *rows)
{
    size_t kept = 0;
    qsort(rows->items, rows->count, sizeof *rows->items, repeat_compare);
    for (size_t i = 0; i < rows->count; i++)
        if (kept == 0 || decision_compare(&rows->items[kept - 1], &rows->items[i]) != 0)
            rows->items[kept++] = rows->items[i];
    rows->count = kept;
}

static void add_instants(struct params *p, const struct instant *first, size_t stride, size_t count)
{
    params_timestamptz_array(p, first, stride, count);
    params_smallest_is_null(p);
}

static void add_decision_columns(struct params *p, const struct decision_row *rows, size_t n)
{
    size_t stride = sizeof *rows;
    params_uuid_array(p, &rows->request_id, stride, n);
    params_int8_array(p, &rows->anchor, stride, n);
    params_smallest_is_null(p);
    params_uuid_array(p, &rows->profile_id, stride, n);
    params_int2_array(p, &rows->verdict, stride, n);
    params_int2_array(p, &rows->outcome, stride, n);
    params_timestamptz_array(p, &rows->requested_at, stride, n);
    params_timestamptz_array(p, &rows->planned_at, stride, n);
    add_instants(p, &rows->expires_at, stride, n);
    add_instants(p, &rows->retry_at, stride, n);
    add_instants(p, &rows->sent_at, stride, n);
    add_instants(p, &rows->outcome_at, stride, n);
    params_int8_array(p, &rows->waited_us, stride, n);
    params_smallest_is_null(p);
    params_text_array(p, &rows->channel, stride, n);
    params_text_array(p, &rows->department, stride, n);
    params_text_array(p, &rows->class, stride, n);
    params_text_array(p, &rows->purpose, stride, n);
    params_text_array(p, &rows->campaign_id, stride, n);
    params_text_array(p, &rows->product_id, stride, n);
    params_text_array(p, &rows->tags, stride, n);
    params_int2_array(p, &rows->priority, stride, n);
    params_smallest_is_null(p);
    params_text_array(p, &rows->reason, stride, n);
    params_text_array(p, &rows->rule_id, stride, n);
    params_text_array(p, &rows->rule_owner, stride, n);
    params_text_array(p, &rows->batch_id, stride, n);
    params_bytea_array(p, &rows->rules, stride, n);
    params_text_array(p, &rows->opportunity_id, stride, n);
    params_text_array(p, &rows->sequence_id, stride, n);
    params_timestamptz_array(p, &rows->asked_for_at, stride, n);
    params_text_array(p, &rows->moved_by, stride, n);
    add_instants(p, &rows->latest_at, stride, n);
    params_text_array(p, &rows->zones, stride, n);
    params_text_array(p, &rows->zone_data, stride, n);
}

enum outcome suppression_store_insert_decisions(struct db *db, struct arena *arena,
                                                struct decision_rows *rows, int32_t generation,
                                                struct instant now, struct err *err)
{
    if (rows->count == 0)
        return OUTCOME_OK;
    struct params p;
    params_init(&p, arena);
    keep_one_of_each(rows);
    params_int4(&p, generation);
    params_timestamptz(&p, now);
    add_decision_columns(&p, rows->items, rows->count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_insert_decisions, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct decision_row key = {.request_id = db_uuid(r, i, 0)};
        struct decision_row *row =
            bsearch(&key, rows->items, rows->count, sizeof key, decision_compare);
        row->is_inserted = true;
    }
    return OUTCOME_OK;
}

static enum outcome lock_decisions(struct db *db, struct arena *arena,
                                   const struct outcome_row *rows, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->request_id, sizeof *rows, count);
    return db_run(db, &sql_lock_decisions, &p, NULL, NULL, err);
}

static int outcome_compare(const void *a, const void *b)
{
    return id_compare(&((const struct outcome_row *)a)->request_id,
                      &((const struct outcome_row *)b)->request_id);
}

enum outcome suppression_store_update_outcomes(struct db *db, struct arena *arena,
                                               struct outcome_row *rows, size_t count,
                                               struct err *err)
{
    if (count == 0)
        return OUTCOME_OK;
    CHECK(lock_decisions(db, arena, rows, count, err));
    size_t stride = sizeof *rows;
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->request_id, stride, count);
    params_int2_array(&p, &rows->outcome, stride, count);
    params_timestamptz_array(&p, &rows->outcome_at, stride, count);
    params_text_array(&p, &rows->cause, stride, count);
    add_instants(&p, &rows->sent_at, stride, count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_update_outcomes, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct outcome_row key = {.request_id = db_uuid(r, i, 0)};
        struct outcome_row *row = bsearch(&key, rows, count, sizeof key, outcome_compare);
        row->is_changed = true;
    }
    return OUTCOME_OK;
}

enum outcome suppression_store_insert_outbox(struct db *db, struct arena *arena, int64_t instance,
                                             const struct outbox_rows *rows, struct err *err)
{
    if (rows->count == 0)
        return OUTCOME_OK;
    const struct suppression_outbox_row *first = rows->items;
    size_t stride = sizeof *first, n = rows->count;
    struct params p;
    params_init(&p, arena);
    params_int8(&p, instance);
    params_uuid_array(&p, &first->request_id, stride, n);
    params_int2_array(&p, &first->kind, stride, n);
    params_int4_array(&p, &first->lane, stride, n);
    params_uuid_array(&p, &first->profile_id, stride, n);
    params_text_array(&p, &first->channel, stride, n);
    params_text_array(&p, &first->department, stride, n);
    params_bytea_array(&p, &first->correlation, stride, n);
    params_bytea_array(&p, &first->payload, stride, n);
    return db_run(db, &sql_insert_outbox, &p, NULL, NULL, err);
}

enum outcome suppression_store_find_outbox(struct db *db, struct arena *arena, int64_t instance,
                                           const int32_t *lanes, size_t lane_count,
                                           struct duration age, struct outbox_rows *rows,
                                           struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, instance);
    params_int4_array(&p, lanes, sizeof *lanes, lane_count);
    params_int8(&p, age.us);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_outbox, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, rows) =
            (struct suppression_outbox_row){.request_id = db_uuid(r, i, 0),
                                            .kind = db_int2(r, i, 1),
                                            .profile_id = db_uuid(r, i, 2),
                                            .channel = copy_or_none(arena, r, i, 3),
                                            .department = copy_or_none(arena, r, i, 4),
                                            .correlation = copy_or_none(arena, r, i, 5),
                                            .payload = copy_or_none(arena, r, i, 6)};
    return OUTCOME_OK;
}

enum outcome suppression_store_delete_outbox(struct db *db, struct arena *arena,
                                             const struct suppression_outbox_row *rows,
                                             size_t count, struct err *err)
{
    struct id *ids = arena_array(arena, struct id, count);
    for (int kind = OUTBOX_DECISION; kind <= OUTBOX_REVOCATION; kind++) {
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (rows[i].kind == kind)
                ids[n++] = rows[i].request_id;
        if (n == 0)
            continue;
        struct params p;
        params_init(&p, arena);
        params_uuid_array(&p, ids, sizeof *ids, n);
        params_int2(&p, (int16_t)kind);
        CHECK(db_run(db, &sql_delete_outbox, &p, NULL, NULL, err));
    }
    return OUTCOME_OK;
}
