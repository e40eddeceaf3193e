/* erase_internal.h: one erasure between the files of this folder: what is erased in one transaction
 * that runs alone, and what is tidied up after it.
 *
 * The transaction leaves tombstones and a row of identity.erasures; until that says that it is
 * complete, the next erasure goes on with it first. */
#ifndef TUTTI_OPERATIONS_ERASURE_ERASE_INTERNAL_H
#define TUTTI_OPERATIONS_ERASURE_ERASE_INTERNAL_H

#include "operations/erasure/erase.h"
#include "operations/patience.h"

struct table_rows {
    const char *table;
    int64_t rows;
};

/* As suppression publishes it. */
struct revocation_row {
    struct id request_id, profile_id;
    struct span channel, department, payload;
    struct instant expires_at; /* of the grant */
};

/* An opt-out of an address as it stays. */
struct kept_opt_out {
    struct id address_id;
    struct span type, channel, consent; /* consent: as a fact has it */
    struct instant said_no_at;
};

struct erasure {
    struct desk *desk;
    const struct erase_request *request;
    struct id identifier; /* the one that was asked for */
    struct id *members;   /* of its profile */
    int64_t *keys;        /* their short keys */
    size_t count;
    int64_t version;
    size_t moved; /* identifiers that it had not learnt of */
    struct patience patience;
    int64_t messages;      /* id of the last that waited */
    int64_t kept_sales;    /* sales whose money stays in the totals */
    bool keeps_opt_outs;   /* of addresses: the policy says so and the request does not differ */
    int64_t left_opt_outs; /* by earlier erasures, and taken now */
    struct {
        struct kept_opt_out *items;
        size_t count, capacity;
    } opt_outs; /* of addresses, that are in force */
    struct {
        int64_t identity, journey, suppression; /* by who publishes them */
        int64_t revocations;                    /* of those of suppression */
    } waiting;                                  /* messages that are not published yet */
    struct {
        struct table_rows *items;
        size_t count, capacity;
    } tables;
    struct {
        struct revocation_row *items;
        size_t count, capacity;
    } revocations; /* of grants that a channel may still act on */
};

/* erase_members.c: what the steps share. Reads ids from the first column. */
void erasure_take_members(struct erasure *e, const struct db_result *r);
/* The identifiers of the profile that the asked one belongs to; REJECT "erased_already",
 * "identifier_unknown". */
enum outcome erasure_find_members(struct erasure *e, struct err *err);
/* Members and their keys as $1 and $2. */
void erasure_params(struct erasure *e, struct params *p);
/* Adds (table, rows), both text. */
void erasure_count(struct erasure *e, const struct db_result *r);
void erasure_add(struct erasure *e, const char *table, int64_t rows);
/* True while there is time to try again; waits a little. */
bool erasure_may_wait(struct erasure *e);

/* Messages that wait, of all services. */
int64_t erasure_waiting(const struct erasure *e);

/* erase_sales.c: inside the transaction, before facts are deleted: sales keep their money or not,
 * and stay told. */
enum outcome erase_leave_sales(struct erasure *e, struct err *err);
bool erase_keeps_money(const struct erasure *e);

/* erase_opt_outs.c: inside the transaction, before tombstones are written: which opt-outs of the
 * members' addresses are in force, judged by the active policy. If the request says so, those that
 * earlier erasures of the person left are taken (executes) or counted. */
enum outcome erase_find_opt_outs(struct erasure *e, bool executes, struct err *err);
/* After the facts are deleted: stores them, if they stay. */
enum outcome erase_keep_opt_outs(struct erasure *e, struct err *err);
/* Once err says that the person is erased already: takes or counts what that erasure left. REJECT
 * with the same err if nothing was asked for, or nothing is left. */
enum outcome erase_look_left(struct erasure *e, bool executes, struct err *err);

/* erase_alone.c: tombstones and everything that is keyed by the person, or nothing. REJECT as
 * erasure_find_members; RETRY if it could not be alone, or services lag, until the deadline. */
enum outcome erase_alone(struct erasure *e, struct err *err);

/* erase_grants.c: a revocation for each open grant of the members. A grant is not known any more
 * once its decision is deleted, so revocations are stored in that transaction, for suppression to
 * publish. */
enum outcome erase_find_grants(struct erasure *e, struct err *err);
enum outcome erase_tell_channels(struct erasure *e, struct err *err);

/* erase_without.c: a service that was given up and will never read who this person is. */
bool erase_is_without(const struct erasure *e, const char *service);
/* REJECT "service_runs" if the service of --without is connected to the database. */
enum outcome erase_check_without(struct erasure *e, struct err *err);
/* Before the transaction: its map learns who this person is. Inside it: what it would publish of
 * the person is deleted. */
enum outcome erase_catch_up(struct erasure *e, struct err *err);
enum outcome erase_forget_messages(struct erasure *e, struct err *err);

/* erase_finish.c: what others' rows say of the person, and quarantine; of e->version. */
enum outcome erase_finish(struct erasure *e, struct err *err);
/* Finishes all that were interrupted. *was_asked: the asked identifier was among them; then e says
 * what was done. */
enum outcome erase_finish_pending(struct erasure *e, bool *was_asked, struct err *err);
/* Waits until messages that are older than the erasure, and the revocations, are published. */
enum outcome erase_wait_messages(struct erasure *e, struct err *err);

#endif
