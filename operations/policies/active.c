/* active.c: one row of identity.policies; see active.h. */
#include "operations/policies/active.h"

#include "common/codec/digest.h"
#include "policies_sql.h"

enum outcome active_read(struct db *db, struct arena *arena, struct active_row *out,
                         struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_policy_active, NULL, &r, NULL, err));
    *out = (struct active_row){.version = 0};
    if (db_rows(r) > 0)
        *out = (struct active_row){
            .version = db_int4(r, 0, 0),
            .hash = db_uuid(r, 0, 1),
            .policy = arena_copy(arena, db_bytes(r, 0, 2)),
            .swept_to = db_is_null(r, 0, 3) ? (struct id){{0}} : db_uuid(r, 0, 3),
            .is_complete = db_bool(r, 0, 4),
        };
    return OUTCOME_OK;
}

bool active_is(struct span text, const struct active_row *active)
{
    struct id hash = digest_bytes(text);
    return active->version > 0 && id_equal(&hash, &active->hash);
}
