/* whereabouts.h: in which time zones a customer may be.
 *
 * Evidence is kept by day, of all touchpoints of the customer; docs/figures.md#where-a-customer-is
 * says which of it counts. Every zone that is left must allow a contact, so more of them only
 * narrow it. */
#ifndef TUTTI_CONTACT_WHEREABOUTS_H
#define TUTTI_CONTACT_WHEREABOUTS_H

#include "common/base/zone_set.h"
#include "services/suppression/logic/contact.h"

/* Stored in suppression.places.kind: never renumber. */
enum place_kind {
    PLACE_ZONE = 1,    /* of a device, or of whatever the customer used */
    PLACE_COUNTRY = 2, /* ISO 3166-1, two capitals */
    PLACE_REGION = 3,  /* as it was sent: ISO 3166-2 */
    PLACE_PHONE = 4,   /* country of a phone number, as PLACE_COUNTRY */
};

struct place {
    int64_t anchor;
    int16_t kind;
    struct span value;
    int32_t first_day, last_day; /* since 1970, UTC */
};

struct place_list {
    struct place *items;
    size_t count, capacity;
};

struct whereabouts {
    const struct zone_name **names; /* in the order of their bytes; clocks that agree from a day
                                       before the contact to 400 days later are one */
    const struct zone **zones;      /* of the names */
    size_t count;                   /* 0: nothing is known, and the policy does not say */
    struct span known_by;           /* "stated", "device", "device or country", "unknown: US" */
};

/* Of the ledger's customer, for a request and a contact at planned_at. The policy's zones may be
 * missing: then nothing is known. */
struct whereabouts *whereabouts_find(const struct contact_policy *policy,
                                     const struct ledger *ledger,
                                     const struct contact_fact *request, struct instant planned_at,
                                     struct arena *arena);
/* Evidence of the last year names one of the countries (or regions), or none at all. */
bool whereabouts_may_be_in(const struct ledger *ledger, const struct contact_fact *request,
                           const struct contact_names *countries,
                           const struct contact_names *regions);
/* "Europe/Berlin America/New_York" */
struct span whereabouts_text(const struct whereabouts *where, struct arena *arena);

#endif
