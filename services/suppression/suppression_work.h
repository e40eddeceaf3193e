/* suppression_work.h: what one transaction of suppression knows so far; only its files include it.
 *
 *   suppression_locks.c     facts in, then the locks: anchors, states
 *   suppression_ledger.c    what is read under them: ledgers, decisions, words of addresses
 *   suppression_transact.c  the order of all this, the decisions, and what is written */
#ifndef TUTTI_SUPPRESSION_WORK_H
#define TUTTI_SUPPRESSION_WORK_H

#include "services/suppression/suppression_profile.h"
#include "services/suppression/suppression_transact.h"

/* Whether the ledger of a locked profile is read, whether more is new than its own facts, and
 * whether it was seen with an address of another profile. */
struct reading {
    bool is_needed, has_news, has_address;
};

struct ledger_work {
    const struct suppression *suppression;
    struct arena *arena;
    struct suppression_flush *flush;
    struct instant now;
    struct known_addresses new_known; /* that the flush brought, sorted by anchor */
    struct place_anchors new_placed;  /* anchors that were not known to have been there */
    struct anchor_row *anchors;
    size_t anchor_count;
    bool moves_open; /* a profile of the moves may have an open grant */
    struct state_row *states;
    struct reading *readings; /* of each state */
    size_t state_count;
    struct member_row *members;
    size_t member_count;
    struct ledger_fact *facts; /* all facts of the locked profiles, by key */
    size_t fact_count;
    struct reservation *reservations; /* all decisions of their requests, by request_id */
    size_t reservation_count;
    struct address_ids granted;   /* profiles with open grants whose addresses have news */
    struct known_addresses known; /* of the members, sorted by anchor */
    struct arms arms;             /* the same */
    struct place_list places;     /* the same */
    struct address_words *words;  /* of the addresses that requests rely on */
    size_t word_count;
    struct profile_results results;
};

/* ---- suppression_locks.c ---- */

/* (a): the facts of the flush that are new, or of which it is news that they came in so early. */
enum outcome work_insert_facts(struct ledger_work *w, struct err *err);
/* (b), (c). */
enum outcome work_lock_anchors(struct ledger_work *w, struct err *err);
enum outcome work_lock_states(struct ledger_work *w, struct err *err);
/* The row of a locked anchor; of another one, the place where it would be. */
const struct anchor_row *work_find_anchor(const struct ledger_work *w, int64_t anchor);
/* ---- suppression_ledger.c ---- */

/* Profiles beside the locked ones, and which ledgers are read at all. */
enum outcome work_find_granted(struct ledger_work *w, struct err *err);
void work_choose_ledgers(struct ledger_work *w);
/* NULL: the profile is not locked. */
struct reading *work_reading_of(const struct ledger_work *w, const struct id *profile_id);
/* (d) */
enum outcome work_read_ledgers(struct ledger_work *w, struct err *err);
/* Facts, in time order, addresses and places of a profile that was read. */
void work_gather(struct ledger_work *w, struct profile *profile);

#endif
