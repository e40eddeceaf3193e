/* walk.h: what a policy would have decided of one customer's past, as if it had been in force.
 *
 * The requests of a time, and on demand the sends that answered none, are decided again in their
 * order. Each is judged by what was known when it was asked, and by the contacts that this walk
 * granted before it. What the walk refuses did not happen, its sends included: a refused contact
 * fills no window. What it grants was made when the request's earliest send says so; without a send
 * it is reserved until it expires, failed or was cancelled. Contacts from before the time, and
 * sends that are not asked about, stand as they are. */
#ifndef TUTTI_CONTACT_WALK_H
#define TUTTI_CONTACT_WALK_H

#include "services/suppression/logic/addresses.h"

/* Everything is borrowed. */
struct history {
    const struct contact_fact *const *facts; /* of the customer, sorted, channels as sent */
    size_t fact_count;
    const struct reservation *decisions; /* as stored, of these requests, sorted by request_id */
    size_t decision_count;
    /* Addresses of the customer, and all that was ever said of each that is asked about. */
    const struct address_book *addresses;
    const struct place_list *places; /* where the customer was */
};

struct walk_terms {
    struct instant from, until; /* from <= occurred_at < until is decided again */
    bool with_sends;            /* also sends that name no request, as if they had been asked for */
    struct span class;          /* of sends that name none */
};

/* A request that was decided again. */
struct walked {
    const struct contact_fact *request; /* of a send: the send as a request; borrowed or in arena */
    bool is_send;
    const struct contact_fact *made; /* its earliest send, else delivery; NULL: none */
    enum contact_verdict verdict;
    const char *reason;        /* kind of the deciding rule, or what is invalid; NULL: granted */
    int rule;                  /* the first that fails; -1: none */
    bool is_alone;             /* no other rule fails */
    struct instant planned_at; /* time of the contact as asked for */
};

/* In the order in which they are decided: the same under every policy. Returns how many; the array
 * lives in the arena. O(n log n) where each window holds few contacts. */
size_t contact_walk(const struct contact_policy *policy, const struct history *history,
                    const struct walk_terms *terms, struct arena *arena, struct walked **out);

/* When the contact was made, or is planned. */
struct instant walked_at(const struct walked *walked);

#endif
