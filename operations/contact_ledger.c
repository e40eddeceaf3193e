/* contact_ledger.c: the stored ledger and the active policy for operations that ask the rules. */
#include "operations/contact_ledger.h"

#include "operations_sql.h"
#include "services/suppression/policy/suppression_policy.h"

enum outcome contact_ledger_policy(struct db *db, struct arena *arena,
                                   const struct contact_policy **out, struct err *err)
{
    struct contact_policy *policy = arena_new(arena, struct contact_policy);
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_contact_policy, &p, &r, NULL, err));
    if (db_rows(r) == 0 || db_is_null(r, 0, 0))
        return err_set(err, OUTCOME_FATAL, "no_generation",
                       "no policies are active: tutti policy apply");
    *out = policy;
    return suppression_policy_parse(arena, arena_copy(arena, db_bytes(r, 0, 0)), "contact.json",
                                    policy, err);
}

static struct span text_at(struct arena *arena, const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? SPAN_NONE : arena_copy(arena, db_bytes(r, row, column));
}

struct contact_fact contact_ledger_fact(struct arena *arena, const struct db_result *r, int row,
                                        int column)
{
    return (struct contact_fact){
        .at = db_timestamptz(r, row, column),
        .event_id = db_uuid(r, row, column + 1),
        .kind = CONTACT_SIGNAL,
        .event = text_at(arena, r, row, column + 2),
        .channel = text_at(arena, r, row, column + 3),
        .consent = text_at(arena, r, row, column + 4),
        .score =
            db_is_null(r, row, column + 5) ? CONTACT_SCORE_ABSENT : db_int2(r, row, column + 5),
        .flags = db_int2(r, row, column + 6),
        .received_at =
            db_is_null(r, row, column + 7) ? INSTANT_ABSENT : db_timestamptz(r, row, column + 7),
        .source = text_at(arena, r, row, column + 8),
        .case_id = text_at(arena, r, row, column + 9),
        .order_id = text_at(arena, r, row, column + 10),
    };
}
