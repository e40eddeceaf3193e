/* migrations.h: the schema of the database, embedded in the program: numbered migrations of tables
 * in dbmate form (-- migrate:up / -- migrate:down), and the views, each of which is written once.
 *
 * A migration is applied once. Views carry no data, so they are not migrated: when the hash of
 * their texts differs from the stored one, all are dropped and created again in one transaction. */
#ifndef TUTTI_STORE_MIGRATIONS_H
#define TUTTI_STORE_MIGRATIONS_H

#include "common/store/db.h"

struct sql_file {
    const char *name; /* "0001_meta.sql" */
    const char *sql;
};

struct schema_files {
    const struct sql_file *tables; /* ascending by the leading digits of the names, of one width */
    size_t tables_count;
    const struct sql_file *views; /* in the order in which they are run; plain SQL */
    size_t views_count;
    const char *views_hash; /* of all their texts */
};

#define SCHEMA_VIEWS "views" /* the name that progress gets for all views together */

/* Applies the migrations that are missing, each in its own transaction unless its marker says
 * `-- migrate:up transaction:false` (then it holds one statement); then makes the views again if
 * they differ. Before each migration, and once for the views, progress (may be NULL) is called;
 * is_current: the database has it already. dry_run only reports and writes nothing.
 * Waits for another migration under way. Needs a direct connection, not a pooler. An error names
 * file and line; the files before it stay applied, and the views stay as they were.
 * FATAL "schema_version" if the database is newer. */
enum outcome migrations_up(struct db *db, const struct schema_files *files, bool dry_run,
                           void (*progress)(const char *name, bool is_current), struct err *err);
/* The last applied version ("0001"), "" if none; in an arena. */
enum outcome migrations_version(struct db *db, struct arena *arena, struct span *version,
                                struct err *err);
/* One indexed read. FATAL "schema_version" with one clear line naming `tutti migrate` unless the
 * tables are at exactly the last of files. Services ask this only, not for the views: they read
 * none of them, and the version before must go on while a new one is rolled out. */
enum outcome migrations_check(struct db *db, const struct schema_files *files, struct err *err);
/* FATAL "views_version" with one clear line unless the views are those of files. */
enum outcome migrations_check_views(struct db *db, const struct schema_files *files,
                                    struct err *err);

#endif
