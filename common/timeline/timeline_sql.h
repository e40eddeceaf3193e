/* timeline_sql.h: the statements of a timeline, built once for a schema and its fact columns. */
#ifndef TUTTI_TIMELINE_TIMELINE_SQL_H
#define TUTTI_TIMELINE_TIMELINE_SQL_H

#include "common/base/pack.h"
#include "common/timeline/timeline.h"

enum timeline_statement {
    SQL_COPY_FACTS,
    SQL_FIND_FACTS,
    SQL_COPY_ANCHORS,
    SQL_LOCK_ANCHORS,
    SQL_MOVE_ANCHORS,
    SQL_COPY_STATES,
    SQL_LOCK_STATES,
    SQL_MEMBERS,
    SQL_READ_FACTS,
    SQL_FIRST_FACTS,
    SQL_SAVE_STATES,
    SQL_SWAP_STATES,
    SQL_COUNT,
};

struct timeline {
    const struct timeline_schema *schema;
    struct statement statements[SQL_COUNT];
    struct arena arena; /* texts of the statements */
};

void timeline_build_sql(struct timeline *timeline);

/* Ends a COPY of rows that were not there a moment ago: if another transaction inserted one since,
 * this one runs again. */
enum outcome timeline_copy_end(struct db *db, const char *code, struct err *err);

#endif
