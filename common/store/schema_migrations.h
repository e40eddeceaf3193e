/* schema_migrations.h: the files of schemas/sql and schemas/views in their order, embedded by the
 * build. */
#ifndef TUTTI_STORE_SCHEMA_MIGRATIONS_H
#define TUTTI_STORE_SCHEMA_MIGRATIONS_H

#include "common/store/migrations.h"

extern const struct schema_files schema_files;

#endif
