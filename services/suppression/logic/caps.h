/* caps.h: rolling frequency caps over a customer's contacts.
 *
 * A cap holds in EVERY half-open window [a, a + per) that contains the contact asked for, so
 * contacts planned or sent later than it count as well: looking only backwards breaks the cap when
 * requests arrive out of order. */
#ifndef TUTTI_CONTACT_CAPS_H
#define TUTTI_CONTACT_CAPS_H

#include "services/suppression/logic/contact.h"

/* A contact that was made or is reserved. */
struct contact {
    struct instant at;
    struct span channel, department, class, tags;
    struct id request_id; /* nil if sent without a request */
};

struct contacts {
    struct contact *items; /* sorted by at */
    size_t count, capacity;
};

/* Contacts of the ledger, each once: at its send time once sent, at its planned time while
 * reserved. Left out: the contact of the request itself, those of classes that do not count,
 * reservations that are over at (at, now), and what lies too far back for any cap. */
struct contacts contacts_collect(const struct contact_policy *policy, const struct ledger *ledger,
                                 const struct contact_fact *request, struct instant at,
                                 struct instant now, struct arena *arena);

/* Times of the contacts that a cap counts together with the request, in order. */
struct cap_times {
    struct instant *items;
    size_t count;
};
struct cap_times cap_times_of(const struct contact_rule *cap, const struct contacts *contacts,
                              const struct contact_fact *request, struct arena *arena);

/* Most contacts in any window of length per that contains `at`, with one more contact at `at`. */
int32_t cap_most(const struct cap_times *times, struct duration per, struct instant at);

/* True if the cap is for requests like this one (channels, classes, tags). */
bool rule_is_for(const struct contact_rule *rule, const struct contact_fact *request);

#endif
