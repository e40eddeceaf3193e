/* erased.c: see erased.h. */
#include "common/service/erased.h"

static const struct statement read_all = {"erased_read_all", "SELECT identifier_id, erased_at FROM identity.erased"};

enum outcome erased_read(struct db *db, struct arena *arena, struct erased *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    map_init(&out->since, arena, sizeof(struct id), sizeof(struct instant));
    CHECK(db_run(db, &read_all, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct id id = db_uuid(r, row, 0);
        *(struct instant *)map_put(&out->since, &id, NULL) = db_timestamptz(r, row, 1);
    }
    db_result_free(r);
    return OUTCOME_OK;
}

bool erased_covers(const struct erased *erased, const struct id *identifier_id, struct instant occurred_at)
{
    const struct instant *since = erased->since.count == 0 ? NULL : map_find(&erased->since, identifier_id);
    return since && instant_compare(occurred_at, *since) <= 0;
}
