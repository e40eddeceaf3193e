/* schema_migrations.h: the files of schemas/sql in their order, embedded by the build. */
#ifndef TUTTI_STORE_SCHEMA_MIGRATIONS_H
#define TUTTI_STORE_SCHEMA_MIGRATIONS_H

#include <stddef.h>

#include "common/store/migrations.h"

extern const struct migration schema_migrations[]; /* {"0001_meta.sql", text}, ... */
extern const size_t schema_migrations_count;

#endif
