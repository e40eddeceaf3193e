/* contacts.h: the contacts of a customer that rules may count: made, or reserved. */
#ifndef TUTTI_CONTACT_CONTACTS_H
#define TUTTI_CONTACT_CONTACTS_H

#include "services/suppression/logic/contact.h"

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
 * reservations that are over at (at, now), and what lies too far back for any rule of the policy.
 */
struct contacts contacts_collect(const struct contact_policy *policy, const struct ledger *ledger,
                                 const struct contact_fact *request, struct instant at,
                                 struct instant now, struct arena *arena);

#endif
