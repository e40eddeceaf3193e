/* schema_views.h: the views of a database as one set, made from texts with a known hash. */
#ifndef TUTTI_STORE_SCHEMA_VIEWS_H
#define TUTTI_STORE_SCHEMA_VIEWS_H

#include "common/store/migrations.h"

/* Whether the set in the database was made from these texts; false if there is none. */
enum outcome schema_views_current(struct db *db, const struct schema_files *files, bool *is_current,
                                  struct err *err);
/* Drops the set and makes it again, in one transaction. */
enum outcome schema_views_make(struct db *db, const struct schema_files *files, struct err *err);

#endif
