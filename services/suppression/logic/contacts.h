/* contacts.h: the contacts of a customer: made, or reserved. Each is there once, whatever was told
 * of it, and at one time that the whole ledger says. Windows are applied afterwards. */
#ifndef TUTTI_CONTACT_CONTACTS_H
#define TUTTI_CONTACT_CONTACTS_H

#include "common/base/map.h"
#include "services/suppression/logic/contact.h"

/* All that the ledger has of one request. The first fact in order counts. */
struct asked {
    const struct contact_fact *request;          /* NULL: of another profile, or not known yet */
    const struct contact_fact *sent, *delivered; /* NULL: none */
    struct reservation *reservation;             /* NULL: not decided */
    struct contact_result result;                /* of all its results together */
};

struct contact {
    struct instant at;
    struct span channel, department, class, purpose, campaign_id, tags;
    struct id request_id;                  /* nil if sent without a request */
    const struct reservation *reservation; /* NULL: made. Else it counts only while it is held */
};

struct contacts {
    struct contact *items; /* sorted by at */
    size_t count, capacity;
    struct map asked; /* struct id of a request -> struct asked */
    /* Room for a time of each contact, of whoever asks at the moment: with many contacts and many
     * requests in a batch an array for each question would fill the memory. */
    struct instant *times;
    size_t times_room;
    const struct contact_policy *policy;
    struct arena *arena;
};

/* Reads the whole ledger once, in O(n log n). Contacts of classes that do not count are left out.
 * The facts and reservations of the ledger are borrowed and must not move. */
struct contacts *contacts_read(const struct contact_policy *policy, const struct ledger *ledger,
                               struct arena *arena);
/* NULL: the ledger has nothing of the request. Valid until the next contacts_add. */
struct asked *contacts_asked(const struct contacts *contacts, const struct id *request_id);
/* A request of the ledger was decided; the reservation must not move. */
void contacts_add(struct contacts *contacts, const struct contact_fact *request,
                  struct reservation *reservation);

/* The first contact later than the instant. */
size_t contacts_after(const struct contacts *contacts, struct instant at);
/* True if the contact was made, or is reserved: granted, open and not over at (at, now). */
bool contact_is_taken(const struct contact *contact, struct instant at, struct instant now);

#endif
