/* database.h: a scratch database of its own for each system test program, on the server of
 * TUTTI_DATABASE_URL. */
#ifndef TUTTI_TESTS_DATABASE_H
#define TUTTI_TESTS_DATABASE_H

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/store/db.h"
#include "tests/support/deadline.h"

enum { DATABASE_SKIPPED = 77 }; /* exit status that ctest reports as skipped */

struct scratch {
    char name[40];
    char url[2048];
};

/* The server's URL, or NULL and one line why the tests are skipped. */
static inline const char *database_server(void)
{
    const char *url = getenv("TUTTI_DATABASE_URL");
    if (url && *url)
        return url;
    fprintf(stderr,
            "SKIPPED: TUTTI_DATABASE_URL is not set (start a server with dev/stack up, then eval "
            "\"$(dev/stack env)\")\n");
    return NULL;
}

/* Waits until the connection works; ends the program if it does not in time. */
static inline void database_wait(struct db *db)
{
    struct err err = {0};
    struct deadline deadline = deadline_start();
    while (db_ready(db, &err) != OUTCOME_OK) {
        deadline_check(deadline, err.message);
        poll(NULL, 0, 5);
    }
}

static inline struct db *database_open(const char *url)
{
    struct db *db;
    struct err err = {0};
    if (db_open_url(url, "tutti-test", &db, &err) != OUTCOME_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    database_wait(db);
    return db;
}

static inline void database_must(enum outcome outcome, const struct err *err)
{
    if (outcome != OUTCOME_OK) {
        fprintf(stderr, "database: %s\n", err->message);
        exit(1);
    }
}

/* Connections to the database from now on name the tables of this slot without a schema. */
static inline void scratch_use_slot(struct db *db, const struct scratch *scratch, int slot)
{
    char sql[128];
    struct err err = {0};
    snprintf(sql, sizeof sql, "ALTER DATABASE %s SET search_path = slot_%d", scratch->name, slot);
    database_must(db_script(db, sql, &err), &err);
}

static inline void scratch_run(const char *before, const char *name, const char *after)
{
    char sql[128];
    struct err err = {0};
    struct db *db = database_open(database_server());
    snprintf(sql, sizeof sql, "%s %.39s %s", before, name, after);
    database_must(db_script(db, sql, &err), &err);
    db_close(db);
}

/* Creates the database; its url is the server's with another dbname. */
static inline void scratch_create(struct scratch *scratch, const char *prefix)
{
    snprintf(scratch->name, sizeof scratch->name, "%s_%d", prefix, (int)getpid());
    scratch_run("DROP DATABASE IF EXISTS", scratch->name, "WITH (FORCE)");
    scratch_run("CREATE DATABASE", scratch->name, "");
    int n = 0;
    char name[sizeof scratch->name];
    memcpy(name, scratch->name, sizeof name);
    PQconninfoOption *options = PQconninfoParse(database_server(), NULL);
    for (PQconninfoOption *o = options; o->keyword; o++)
        if (o->val && strcmp(o->keyword, "dbname") != 0)
            n += snprintf(scratch->url + n, sizeof scratch->url - (size_t)n, "%s='%s' ", o->keyword,
                          o->val);
    snprintf(scratch->url + n, sizeof scratch->url - (size_t)n, "dbname='%s'", name);
    PQconninfoFree(options);
}

static inline void scratch_drop(struct scratch *scratch)
{
    scratch_run("DROP DATABASE IF EXISTS", scratch->name, "WITH (FORCE)");
}

#endif
