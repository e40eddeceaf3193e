/* migrations.h: numbered plain SQL in dbmate form (-- migrate:up / -- migrate:down), embedded,
 * applied under an advisory lock. */
#ifndef TUTTI_STORE_MIGRATIONS_H
#define TUTTI_STORE_MIGRATIONS_H

#include "common/store/db.h"

struct migration {
    const char *name; /* "0001_meta.sql" */
    const char *sql;
};

/* Applies what is missing, each in its own transaction unless its marker says `-- migrate:up
 * transaction:false` (then it holds one statement). Before each of the list, progress (may be NULL)
 * is called; applied: the database has it already. dry_run only reports and writes nothing. list is
 * in ascending order of versions, the leading digits of the names, all of one width. Waits for
 * another migration under way. Needs a direct connection, not a pooler. An error names file and
 * line; the files before it stay applied. */
enum outcome migrations_up(struct db *db, const struct migration *list, size_t count, bool dry_run,
                           void (*progress)(const char *name, bool applied), struct err *err);
/* The last applied version ("0001"), "" if none; in an arena. */
enum outcome migrations_version(struct db *db, struct arena *arena, struct span *version,
                                struct err *err);
/* One indexed read. FATAL "schema_version" with one clear line naming `tutti migrate` unless the
 * database is at exactly the last of list. */
enum outcome migrations_check(struct db *db, const struct migration *list, size_t count,
                              struct err *err);

#endif
