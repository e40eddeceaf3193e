/* erase_members.c: what the steps of an erasure share: members, counts of rows, patience; see
 * erase_internal.h. */
#include "operations/erasure/erase_internal.h"

#include <stdlib.h>

#include "erasure_sql.h"
#include "operations/report_query.h"

bool erasure_may_wait(struct erasure *e)
{
    return patience_lasts(&e->patience, "services that are busy or behind");
}

void erasure_take_members(struct erasure *e, const struct db_result *r)
{
    struct arena *arena = e->desk->arena;
    e->members = arena_array(arena, struct id, (size_t)db_rows(r));
    e->keys = arena_array(arena, int64_t, (size_t)db_rows(r));
    e->count = 0;
    for (int row = 0; row < db_rows(r); row++) {
        if (db_is_null(r, row, 0))
            continue;
        e->members[e->count] = db_uuid(r, row, 0);
        e->keys[e->count] = id_short(&e->members[e->count]);
        e->count++;
    }
}

void erasure_params(struct erasure *e, struct params *p)
{
    params_init(p, e->desk->arena);
    params_uuid_array(p, e->members, sizeof *e->members, e->count);
    params_int8_array(p, e->keys, sizeof *e->keys, e->count);
}

static struct table_rows *find_table(struct erasure *e, const char *table)
{
    for (size_t i = 0; i < e->tables.count; i++)
        if (strcmp(e->tables.items[i].table, table) == 0)
            return &e->tables.items[i];
    struct table_rows *added = arena_push(e->desk->arena, &e->tables);
    *added = (struct table_rows){.table = table};
    return added;
}

void erasure_add(struct erasure *e, const char *table, int64_t rows)
{
    find_table(e, table)->rows += rows;
}

void erasure_count(struct erasure *e, const struct db_result *r)
{
    for (int row = 0; row < db_rows(r); row++)
        erasure_add(e, result_text(e->desk->arena, r, row, 0),
                    atoll(result_text(e->desk->arena, r, row, 1)));
}

int64_t erasure_waiting(const struct erasure *e)
{
    return e->waiting.identity + e->waiting.journey + e->waiting.suppression;
}

static enum outcome when_erased(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, e->desk->arena);
    params_uuid(&p, &e->identifier);
    CHECK(db_run(e->desk->db, &sql_erase_when, &p, &r, NULL, err));
    enum outcome outcome = OUTCOME_REJECT;
    if (db_rows(r) > 0) {
        char at[32];
        instant_format(db_timestamptz(r, 0, 0), at);
        err_set(err, outcome, "erased_already", "this person was erased at %s; nothing is left",
                at);
    } else {
        err_set(err, outcome, "identifier_unknown",
                "this identifier was never seen in a touchpoint");
    }
    return outcome;
}

enum outcome erasure_find_members(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, e->desk->arena);
    params_uuid(&p, &e->identifier);
    CHECK(db_run(e->desk->db, &sql_erase_members, &p, &r, NULL, err));
    erasure_take_members(e, r);
    return e->count > 0 ? OUTCOME_OK : when_erased(e, err);
}
