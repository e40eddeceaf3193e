/* suppression_profile.h: what one profile's ledger asks for after a flush: verdicts of its new
 * requests, outcomes, revocations, and the messages that tell of them. No database here: it runs
 * between reading and saving. */
#ifndef TUTTI_SUPPRESSION_PROFILE_H
#define TUTTI_SUPPRESSION_PROFILE_H

#include "services/suppression/suppression_addresses.h"

struct profile {
    struct id id;
    bool is_merged;   /* an anchor moved in */
    bool is_moved;    /* an anchor moved in or out */
    bool has_news;    /* of an address that an open grant relies on, or the rules changed */
    bool has_address; /* it was seen with another address */
    const struct address_book *addresses;
    struct arms arms; /* that its identifiers have drawn */
    const struct place_list *places;
    struct ledger_fact **facts; /* profile_decide puts them in order */
    size_t fact_count;
    struct instant open_until; /* profile_decide: when its last open grant becomes void; absent:
                                  none is open */
};

struct revoked {
    struct id request_id, profile_id;
    const struct contact_fact *request;
    struct span rule_id;
    const char *cause;
    struct instant expires_at;
};

struct profile_results {
    struct decision_rows decisions;
    struct outcome_rows outcomes;
    /* of new grants, and of open ones that rely on more now, under the addresses that they rely on
     */
    struct address_grants grants;
    struct arms arms; /* that requests have drawn */
    struct {
        struct revoked *items;
        size_t count, capacity;
    } revoked;
    size_t vain_ends; /* new facts that end what never began */
};

/* True if the fact may change what was decided before: it says something that rules ask for. */
bool profile_is_news(const struct contact_fact *fact);
/* What a new result says of its request: no ledger is needed for it. */
void profile_note_outcome(const struct contact_fact *fact, struct arena *arena,
                          struct profile_results *results);
/* Sorts the facts by time, and leaves one of what several identifiers of the profile have. */
void profile_put_in_order(struct profile *profile);
/* decisions: of the requests in this ledger (and of others), sorted by request_id. */
void profile_decide(const struct contact_policy *policy, struct profile *profile,
                    const struct reservation *decisions, size_t decision_count, struct instant now,
                    struct arena *arena, struct profile_results *results);
/* Whether a grant of the profile may be used now. reservation: as it is under its lock. */
void profile_claim(const struct contact_policy *policy, struct profile *profile,
                   const struct reservation *reservation, const struct reservation *decisions,
                   size_t decision_count, struct instant now, struct arena *arena,
                   struct contact_claim *out);
/* A request without a usable identifier (shared NULL), or of a shared profile. */
void profile_refuse(const struct contact_policy *policy, const struct ledger_fact *request,
                    const struct id *shared, struct instant now, struct arena *arena,
                    struct profile_results *results);

/* Sorts the outcomes by request and leaves one row for each. */
void profile_results_merge_outcomes(struct profile_results *results);

/* A message for every decision that was inserted and every revocation that took place. lane: of
 * messages that no single request of this batch asked for. */
void profile_results_messages(const struct profile_results *results, int32_t lane,
                              struct instant now, struct arena *arena, struct outbox_rows *out);

#endif
