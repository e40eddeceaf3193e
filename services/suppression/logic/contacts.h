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
    struct id sequence;                    /* contact_sequence: of which it takes the place */
    struct id request_id;                  /* nil if sent without a request */
    const struct reservation *reservation; /* NULL: made. Else it counts only while it is held */
};

struct contact_list {
    struct contact *items; /* sorted by at */
    size_t count, capacity;
};

/* A contact of one question, and the place that it takes: that of the first contact of its
 * sequence, or its own. */
struct placed_contact {
    struct instant at;
    struct id sequence;
    uint32_t place; /* index of the first contact that takes it */
    uint32_t held;  /* for whoever counts: of a place, how many of its contacts he holds */
};

struct contacts {
    struct contact_list made, reserved;
    struct contact_list added; /* of those made, what came after the reading, as it came */
    struct map asked;          /* struct id of a request -> struct asked */
    struct map counted;        /* see contacts_counted */
    /* Room for a time of each contact, of whoever asks at the moment: with many contacts and many
     * requests in a batch an array for each question would fill the memory. */
    struct instant *times;
    struct placed_contact *placed; /* the same, of rules that count a sequence once */
    size_t times_room;             /* of both */
    const struct contact_policy *policy;
    struct arena *arena;
};

/* Times of made contacts, in order. */
struct times {
    struct instant *items;
    size_t count;
};

/* Times that a rule counts, kept for its next question. */
struct counted {
    struct times times;
    size_t room, added; /* so many of contacts->added are among them, where they are counted */
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

/* A contact was made that was not in the ledger: of the request that made->decision_id names, or of
 * none. request and reservation (NULL: not known) must not move. A further one of the same request
 * is none. */
void contacts_add_made(struct contacts *contacts, const struct contact_fact *request,
                       struct reservation *reservation, const struct contact_fact *made);
/* True if the send is the same contact as another fact of the ledger: its message was told again
 * with one more identifier. */
bool contacts_told_otherwise(const struct ledger *ledger, size_t send);

/* A number for a sequence of a department, to compare with others; nil for none. */
struct id contact_sequence(struct span department, struct span sequence_id);
/* Granted requests of a sequence of a department. earliest: of their contacts; INSTANT_NEVER: none.
 */
size_t contacts_of_sequence(const struct contacts *contacts, struct span department,
                            struct span sequence_id, struct instant *earliest);

/* The contact that was made of the request, in this ledger; false: none, or of a class that does
 * not count. */
bool contacts_made(const struct contacts *contacts, const struct id *request_id,
                   struct contact *out);

/* The made contacts that a cap counts, kept for the next request: with very many contacts nothing
 * may look at each of them for each request. of: names the cap and what it counts by; NULL until
 * they are put. */
struct counted_key {
    const void *rule;
    struct id part; /* hash of the text */
};
struct counted *contacts_counted(struct contacts *contacts, const struct counted_key *of);
struct counted *contacts_put_counted(struct contacts *contacts, const struct counted_key *of);
/* Adds a time where it belongs. */
void counted_insert(struct contacts *contacts, struct counted *counted, struct instant at);

/* True if the reserved contact is still held: open and not over at (at, now). */
bool contact_is_held(const struct contact *contact, struct instant at, struct instant now);

#endif
