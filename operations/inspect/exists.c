/* exists.c: see exists.h. */
#include "operations/inspect/exists.h"

#include "common/base/nearest.h"

enum outcome must_exist(struct desk *desk, const struct statement *statement, const char *what,
                        const char *name, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    struct nearest nearest = nearest_start(span_of(name), NEAREST_ANY);
    params_init(&p, desk->arena);
    CHECK(db_run(desk->db, statement, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        nearest_consider(&nearest, db_bytes(r, row, 0));
    if (nearest.name.ptr == NULL)
        return err_set(err, OUTCOME_FATAL, "unknown", "there is no %s \"%.100s\", nor any other",
                       what, name);
    if (!span_is(nearest.name, name))
        return err_set(err, OUTCOME_FATAL, "unknown",
                       "there is no %s \"%.100s\"; the nearest is \"" SPAN_FMT "\"", what, name,
                       SPAN_ARG(nearest.name));
    return OUTCOME_OK;
}
