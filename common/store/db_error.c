/* db_error.c: what an error of the server means for the batch: the data's fault, a competitor's,
 * the server's or ours. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/pack.h"
#include "common/runtime/log.h"
#include "common/store/db_internal.h"

/* The first row that matches wins; a prefix of two characters is a class. */
static const struct rule {
    const char *prefix;
    enum outcome outcome;
    bool is_down;
    const char *code;
} rules[] = {
    {"25006", OUTCOME_RETRY, true, "db_down"}, /* read-only: the server became a standby */
    /* idle_in_transaction_session_timeout ended the session */
    {"25P03", OUTCOME_RETRY, true, "db_down"},
    /* a pooler or DISCARD dropped our prepared statements */
    {"26000", OUTCOME_RETRY, true, "db_down"},
    {"22", OUTCOME_REJECT, false, "db_data"},        /* bad value */
    {"23", OUTCOME_REJECT, false, "db_constraint"},  /* refused by a constraint */
    {"40", OUTCOME_RETRY, false, "db_conflict"},     /* deadlock, serialization */
    {"55", OUTCOME_RETRY, false, "db_lock_timeout"}, /* lock_timeout, object in use */
    {"08", OUTCOME_RETRY, true, "db_down"},          /* connection */
    {"53", OUTCOME_RETRY, true, "db_down"},          /* disk or memory full, too many connections */
    {"57", OUTCOME_RETRY, true, "db_down"},          /* shutdown, cancelled, starting up */
    {"58", OUTCOME_RETRY, true, "db_down"},          /* I/O error of the server */
    {"XX", OUTCOME_RETRY, true, "db_down"},          /* internal error, corruption */
    {"42", OUTCOME_FATAL, false, "db_statement"},    /* our statement does not fit this schema */
    {"", OUTCOME_FATAL, false, "db_error"},
};

static const struct rule *rule_of(const char *sqlstate)
{
    const struct rule *r = rules;
    while (strncmp(sqlstate, r->prefix, strlen(r->prefix)) != 0)
        r++;
    return r;
}

enum outcome db_classify(const char *sqlstate, bool *is_down)
{
    const struct rule *r = rule_of(sqlstate);
    *is_down = r->is_down;
    return r->outcome;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = result ? PQresultErrorField(result, code) : NULL;
    return text ? text : "";
}

/* The line of a position, which the server counts in characters from 1. */
static int line_of(const char *script, int position)
{
    int line = 1, seen = 0;
    for (const char *p = script; *p; p++) {
        seen += (*p & 0xC0) != 0x80;
        if (seen >= position)
            break;
        line += *p == '\n';
    }
    return line;
}

/* " (SQLSTATE 23505, constraint facts_pkey, line 7)": what a person needs to find the place,
 * without the data. */
static void add_details(struct strbuf *text, const PGresult *result, const char *script)
{
    const char *constraint = field(result, PG_DIAG_CONSTRAINT_NAME),
               *column = field(result, PG_DIAG_COLUMN_NAME);
    const char *position = field(result, PG_DIAG_STATEMENT_POSITION);
    strbuf_addf(text, " (SQLSTATE %s", field(result, PG_DIAG_SQLSTATE));
    if (*constraint)
        strbuf_addf(text, ", constraint %s", constraint);
    if (*column)
        strbuf_addf(text, ", column %s", column);
    if (*position && script)
        strbuf_addf(text, ", line %d", line_of(script, atoi(position)));
    strbuf_addf(text, ")");
}

/* Values appear only in messages of class 22 ("invalid input syntax for type integer: ..."): those
 * stay below debug. */
static enum outcome explain(struct db *db, const PGresult *result, const struct rule *r,
                            const char *what, struct err *err)
{
    const char *primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
    struct strbuf details = {0};
    add_details(&details, result, db->script);
    bool may_hold_data = strncmp(r->prefix, "22", 2) == 0;
    if (may_hold_data)
        log_event(LOG_DEBUG, "db_refused", "statement", what, "message", primary, NULL);
    err_set(err, r->outcome, r->code, "%s: %s%s", what,
            may_hold_data ? "a value was refused" : primary, details.ptr);
    strbuf_free(&details);
    return r->outcome;
}

static enum outcome lost(struct db *db, const char *what, struct err *err)
{
    if (db->conn)
        db_break(db, PQerrorMessage(db->conn));
    return err_set(err, OUTCOME_RETRY, "db_down", "%s: %s", what, db->reason);
}

enum outcome db_fail(struct db *db, PGresult *result, const char *what, struct err *err)
{
    const char *sqlstate = field(result, PG_DIAG_SQLSTATE),
               *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const struct rule *r = rule_of(sqlstate);
    snprintf(db->sqlstate, sizeof db->sqlstate, "%s", sqlstate);
    bool is_session_over = strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
    enum outcome outcome;
    if (result == NULL || (*sqlstate == '\0' && PQstatus(db->conn) == CONNECTION_BAD)) {
        outcome = lost(db, what, err);
    } else if (r->is_down || is_session_over || PQstatus(db->conn) == CONNECTION_BAD) {
        db_break(db, field(result, PG_DIAG_MESSAGE_PRIMARY));
        outcome = err_set(err, OUTCOME_RETRY, "db_down", "%s: %s", what, db->reason);
    } else {
        outcome = explain(db, result, r, what, err);
    }
    db->is_failed = db->in_transaction;
    PQclear(result);
    return outcome;
}

enum outcome db_misused(struct db *db, const char *what, struct err *err)
{
    log_event(LOG_ERROR, "db_misused", "message", what, NULL);
#ifndef NDEBUG
    abort();
#endif
    return err_set(err, OUTCOME_FATAL, "db_misused", "%s", what);
}

bool db_sqlstate_is(const struct db *db, const char *sqlstate)
{
    return strcmp(db->sqlstate, sqlstate) == 0;
}
