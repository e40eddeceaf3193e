/* addresses.h: what was said of the addresses that a request relies on, docs/figures.md#addresses.
 *
 * A request that names addresses of its channel relies on these; one that names none, on all that
 * the customer's own touchpoints named. Of an address the words of anybody count that say no, and
 * its failures; a yes is the customer's own. */
#ifndef TUTTI_CONTACT_ADDRESSES_H
#define TUTTI_CONTACT_ADDRESSES_H

#include "services/suppression/logic/contact.h"

/* An address that touchpoints of an anchor named. */
struct known_address {
    int64_t anchor;
    struct id address_id;
    struct span channels; /* that it is an address of, separated by blanks */
    struct instant first_at;
};

/* What stands under an address, whoever said it: of each saying the newest fact, in order. Every
 * fact is marked as a copy: none is the customer's own. */
struct address_words {
    int64_t address;
    const struct contact_fact **facts;
    size_t count;
};

struct address_book {
    const struct address_words *words; /* by address */
    size_t word_count;
    const struct known_address *known; /* of the customer's anchors */
    size_t known_count;
};

/* An address that a request relies on. */
struct asked_address {
    int64_t address;
    struct instant known_since; /* first named by the customer's own; INSTANT_NEVER: never */
};

struct asked_addresses {
    struct asked_address *items; /* by address */
    size_t count;
    bool is_named; /* by the request; else they are what is known of the customer */
};

/* True if the words, separated by blanks, hold the channel. */
bool address_channels_have(struct span channels, struct span channel);

/* True if the touchpoint of the fact names an address of the channel with which the customer was
 * seen. */
bool addresses_named_by(const struct address_book *book, struct span channel,
                        const struct contact_fact *fact);

/* True if the touchpoint of the fact names the identifier. */
bool contact_names(const struct contact_fact *fact, int64_t address);

/* True if it names the identifier as an address of its channel. */
bool contact_has_address(const struct contact_fact *fact, int64_t address);

/* The request's channel is known by its name. In the arena. */
struct asked_addresses addresses_asked(const struct address_book *book,
                                       const struct contact_fact *request, struct arena *arena);

/* Facts of one address, in order. */
struct address_facts {
    const struct contact_fact **items;
    size_t count;
};

typedef bool address_wants_fn(const struct contact_fact *fact, const void *arg);

/* The facts under the address, and the customer's own that are wanted; each touchpoint once. */
struct address_facts addresses_gather(const struct ledger *ledger, int64_t address,
                                      address_wants_fn *wants, const void *arg,
                                      struct arena *arena);

#endif
