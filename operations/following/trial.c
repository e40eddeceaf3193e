/* trial.c: as apply, up to the switch. Then one transaction looks at the other slot as if it were
 * the active one, and rolls back. */
#include "operations/following/trial.h"

#include "following_sql.h"
#include "operations/following/following_internal.h"
#include "operations/report_query.h"

static const struct section_form figures = {
    .name = "figures",
    .columns = {{"figure", CELL_TEXT},
                {"of", CELL_TEXT},
                {"unit", CELL_TEXT},
                {"now", CELL_NUMBER},
                {"then", CELL_NUMBER},
                {"change", CELL_NUMBER}},
};

static enum outcome check_free(struct desk *desk, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &sql_following_is_building, NULL, &r, NULL, err));
    return db_bool(r, 0, 0) ? err_set(err, OUTCOME_FATAL, "apply_interrupted",
                                      "`tutti policy apply` was interrupted: run it again first")
                            : OUTCOME_OK;
}

static enum outcome read_figures(struct following *f, bool is_candidate, struct err *err)
{
    struct params p;
    params_init(&p, f->desk->arena);
    params_bool(&p, is_candidate);
    return db_run(f->desk->db, &sql_following_figures, &p, NULL, NULL, err);
}

static enum outcome compare(struct following *f, struct report *report, struct err *err)
{
    size_t rows = 0;
    CHECK(follow_hold(f->follow, err));
    CHECK(following_finish(f, err));
    CHECK(db_script(f->desk->db,
                    "CREATE TEMP TABLE figures (is_candidate boolean, figure text, of text, unit "
                    "text, value numeric) ON COMMIT DROP",
                    err));
    CHECK(read_figures(f, false, err));
    CHECK(following_activate(f, err));
    CHECK(read_figures(f, true, err));
    CHECK(
        report_query(report, f->desk->db, &figures, &sql_following_differences, NULL, &rows, err));
    if (rows == 0)
        report_line(report, "no figure would change");
    return OUTCOME_OK;
}

static enum outcome look(struct following *f, struct report *report, struct err *err)
{
    CHECK(db_begin(f->desk->db, err));
    enum outcome outcome = compare(f, report, err);
    db_rollback(f->desk->db);
    return outcome;
}

/* Also after an error: nothing may be left. */
static enum outcome tidy_up(struct following *f, struct err *err)
{
    struct params p;
    struct desk *desk = f->desk;
    params_init(&p, desk->arena);
    params_uuid(&p, &f->generation->id);
    CHECK(db_run(desk->db, &sql_following_drop, &p, NULL, NULL, err));
    return following_clear(desk, f->generation->slot, err);
}

static enum outcome plan(struct following *f, struct report *report, struct err *err)
{
    struct err later = {0};
    CHECK(check_free(f->desk, err));
    enum outcome outcome = following_start(f, err);
    if (outcome == OUTCOME_OK)
        outcome = following_run(f, err);
    if (outcome == OUTCOME_OK)
        outcome = look(f, report, err);
    if (f->follow == NULL)
        return outcome;
    enum outcome tidied = tidy_up(f, &later);
    if (outcome == OUTCOME_OK && tidied != OUTCOME_OK)
        *err = later;
    return outcome == OUTCOME_OK ? tidied : outcome;
}

enum outcome policies_plan(struct desk *desk, const struct policy_order *order,
                           struct report *report, struct err *err)
{
    struct policy_folder folder;
    CHECK(policies_prepare(desk, order, &folder, err));
    if (folder.is_complete) {
        report_line(report, "the policies in %s are the active ones", order->dir);
        return OUTCOME_OK;
    }
    struct following f = {
        .desk = desk, .order = order, .generation = &folder.generation, .zones = &folder.zones};
    enum outcome outcome = plan(&f, report, err);
    following_free(&f);
    return outcome;
}
