/* erase_sales.c: the sales of an erased person. The money stays in the totals, as that of nobody; a
 * message that tells the sale again adds nothing. */
#include "erasure_sql.h"
#include "operations/erasure/erase_internal.h"

const struct setting erasure_settings[] = {
    {"privacy.keep_money", SETTING_BOOL, "true", 0, 0, NULL,
     "`tutti erase` leaves the person's sales in the totals, as amounts of a day that lead to "
     "nobody."},
    {.name = NULL},
};

bool erase_keeps_money(const struct erasure *e)
{
    return config_bool(e->desk->config, "privacy.keep_money");
}

static void key_params(struct erasure *e, struct params *p)
{
    params_init(p, e->desk->arena);
    params_int8_array(p, e->keys, sizeof *e->keys, e->count);
}

static enum outcome keep_money(struct erasure *e, struct err *err)
{
    struct params p;
    e->kept_sales = 0;
    if (!erase_keeps_money(e))
        return OUTCOME_OK;
    key_params(e, &p);
    CHECK(db_run(e->desk->db, &sql_erase_keep_shapes, &p, NULL, NULL, err));
    key_params(e, &p);
    CHECK(db_run(e->desk->db, &sql_erase_keep_meanings, &p, NULL, NULL, err));
    key_params(e, &p);
    return db_run(e->desk->db, &sql_erase_keep_sales, &p, NULL, &e->kept_sales, err);
}

enum outcome erase_leave_sales(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    CHECK(keep_money(e, err));
    key_params(e, &p);
    CHECK(db_run(e->desk->db, &sql_erase_leave_sales, &p, &r, NULL, err));
    erasure_count(e, r);
    return OUTCOME_OK;
}
