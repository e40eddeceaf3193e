/* timeline_sql.c: builds the statements of a schema and its columns. Templates are for those that
 * do not depend on the columns. */
#include "common/timeline/timeline_sql.h"

/* Arrays in, rows out. %s is the schema; in statements about states it is their table. Locks are
 * taken in key order by a plain ordered scan (SELECT ... ORDER BY ... FOR NO KEY UPDATE). */
static const char *const templates[SQL_COUNT] = {
    [SQL_FIND_FACTS] = "SELECT u.number FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) "
                       "WITH ORDINALITY AS u (anchor, occurred_at, event_id, number) "
                       "JOIN %s.facts AS f USING (anchor, occurred_at, event_id)",
    [SQL_COPY_ANCHORS] = "COPY %s.anchors (anchor, profile, version, anchor_id, profile_id) "
                         "FROM STDIN BINARY",
    [SQL_LOCK_ANCHORS] = "SELECT anchor, version, anchor_id, profile_id FROM %s.anchors WHERE "
                         "anchor = ANY ($1::bigint[]) "
                         "ORDER BY anchor FOR NO KEY UPDATE",
    [SQL_MOVE_ANCHORS] = "UPDATE %s.anchors a SET profile = u.profile, version = u.version, "
                         "profile_id = u.profile_id "
                         "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[]) AS u "
                         "(anchor, profile, version, profile_id) "
                         "WHERE a.anchor = u.anchor",
    [SQL_COPY_STATES] = "COPY %s (profile, ver, members, generation, payload) "
                        "FROM STDIN BINARY",
    [SQL_LOCK_STATES] = "SELECT profile, ver, members, generation, payload FROM %s WHERE "
                        "profile = ANY ($1::bigint[]) "
                        "ORDER BY profile FOR NO KEY UPDATE",
    /* Uses the index that views need anyway: a short key is a range of profile ids. */
    [SQL_MEMBERS] =
        "SELECT m.profile, m.anchor, m.version FROM unnest($1::uuid[], $2::uuid[]) AS u (low, "
        "high) CROSS JOIN LATERAL "
        "(SELECT profile, anchor, version FROM %s.anchors WHERE profile_id BETWEEN u.low AND "
        "u.high AND version & 1 = 0 OFFSET 0) m "
        "ORDER BY m.profile, m.anchor",
    [SQL_FIRST_FACTS] =
        "SELECT u.n, f.occurred_at FROM unnest($1::bigint[]) WITH ORDINALITY AS u (anchor, n) "
        "CROSS JOIN LATERAL (SELECT occurred_at FROM %s.facts WHERE anchor = u.anchor ORDER BY "
        "occurred_at, event_id LIMIT 1) f",
    [SQL_SAVE_STATES] =
        "UPDATE %s s SET ver = u.ver + 1, members = u.members, generation = u.generation, "
        "payload = u.payload "
        "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::bytea[]) "
        "AS u (profile, ver, members, generation, payload) WHERE s.profile = u.profile",
    [SQL_SWAP_STATES] =
        "UPDATE %s s SET ver = u.ver + 1, payload = u.payload "
        "FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bytea[]) AS u (profile, ver, "
        "generation, payload) "
        "WHERE s.profile = u.profile AND s.ver = u.ver AND s.generation = u.generation",
};

static const char *const names[SQL_COUNT] = {
    "copy_facts",  "find_facts", "copy_anchors", "lock_anchors", "move_anchors", "copy_states",
    "lock_states", "members",    "read_facts",   "first_facts",  "save_states",  "swap_states",
};

static void add_column_names(struct strbuf *sql, const struct timeline_schema *schema,
                             bool only_read, const char *prefix)
{
    for (size_t i = 0; i < schema->column_count; i++)
        if (!only_read || schema->columns[i].is_read)
            strbuf_addf(sql, ", %s%s", prefix, schema->columns[i].name);
}

static const char *copy_sql(struct timeline *tl)
{
    struct strbuf sql = {.arena = &tl->arena};
    strbuf_addf(&sql, "COPY %s.facts (anchor, occurred_at, event_id", tl->schema->schema);
    add_column_names(&sql, tl->schema, false, "");
    strbuf_addf(&sql, ") FROM STDIN BINARY");
    return sql.ptr;
}

static const char *read_sql(struct timeline *tl)
{
    struct strbuf sql = {.arena = &tl->arena};
    strbuf_addf(&sql, "SELECT f.anchor, f.occurred_at, f.event_id");
    add_column_names(&sql, tl->schema, true, "f.");
    strbuf_addf(
        &sql,
        " FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS u (anchor, from_at, "
        "until_at) CROSS JOIN LATERAL "
        "(SELECT * FROM %s.facts WHERE anchor = u.anchor AND occurred_at > u.from_at AND "
        "occurred_at <= u.until_at) f",
        tl->schema->schema);
    return sql.ptr;
}

enum outcome timeline_copy_end(struct db *db, const char *code, struct err *err)
{
    enum outcome outcome = db_copy_end(db, NULL, err);
    if (outcome == OUTCOME_REJECT && db_sqlstate_is(db, "23505"))
        return err_set(err, OUTCOME_RETRY, code, "another instance was first with one of the rows");
    return outcome;
}

static bool is_of_states(int statement)
{
    return statement == SQL_COPY_STATES || statement == SQL_LOCK_STATES ||
           statement == SQL_SAVE_STATES || statement == SQL_SWAP_STATES;
}

void timeline_build_sql(struct timeline *tl)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        struct statement *s = &tl->statements[i];
        s->name = arena_printf(&tl->arena, "%s_%s", tl->schema->schema, names[i]);
        struct strbuf sql = {.arena = &tl->arena};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (templates[i]) {
            strbuf_addf(&sql, templates[i],
                        is_of_states(i) ? tl->schema->states : tl->schema->schema);
            s->sql = sql.ptr;
        }
#pragma GCC diagnostic pop
    }
    tl->statements[SQL_COPY_FACTS].sql = copy_sql(tl);
    tl->statements[SQL_READ_FACTS].sql = read_sql(tl);
}
