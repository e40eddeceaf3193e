/* policy.h: the contact policy as the decision uses it: contact.json, checked and flattened by
 * policy/suppression_policy.c. Texts live in the caller's arena; read-only afterwards. */
#ifndef TUTTI_CONTACT_POLICY_H
#define TUTTI_CONTACT_POLICY_H

#include "common/base/instant.h"
#include "common/base/outcome.h"
#include "common/base/zone_set.h"
#include "common/words/words.h"

enum { CONTACT_MAX_RULES = 64, CONTACT_MAX_CLASSES = 16 };

struct rule_kind;

struct contact_names {
    struct span *items;
    size_t count;
};

/* What a rule waits for: every given part must match. */
struct contact_trigger {
    struct span event; /* SPAN_NONE: any */
    int16_t score_max; /* INT16_MIN: any; matches scores at or below it */
};

enum contact_priority { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_COUNT };

#define DURATION_NONE ((struct duration){INT64_MAX})

struct contact_rule {
    struct span id, owner;
    const struct rule_kind *kind;                 /* rules.h */
    struct contact_names channels, classes, tags; /* what requests it is for; empty: all */
    struct contact_trigger *on;                   /* what opens it; kinds without events: none */
    size_t on_count;
    struct contact_names until; /* events that end it: `until`, or `release` of a hold */
    bool gives_retry;           /* false: what it denies gets no retry_at (on_fail: drop) */
    const void *own;            /* values of the keys that only its kind has */
};

struct contact_class {
    struct span name;
    bool obeys, counts;
};

struct channel_reservation {
    struct span channel;
    struct duration length;
};

/* Which yes counts: every part that is given must match. A yes from before `since` counts anyway.
 */
struct consent_proof {
    bool is_wanted; /* false: every yes counts */
    struct contact_names sources, events, channels;
    struct instant since; /* INSTANT_FIRST: not given */
};

struct channel_consent {
    struct span channel;
    bool allow_unknown;
    struct consent_proof confirmed_by;
};

/* What a customer can say yes or no to. */
enum consent_about {
    CONSENT_CHANNEL,
    CONSENT_CLASS,
    CONSENT_PURPOSE,
    CONSENT_TOPIC,
    CONSENT_ALL,
    CONSENT_UNDEFINED
};

struct consent_key {
    enum consent_about about;
    /* of CONSENT_UNDEFINED: the word, folded, that means nothing so far; purposes and topics are
     * folded, too */
    struct span name;
    struct span channel; /* of a purpose or topic: on this channel alone; SPAN_NONE: on all */
};

static inline struct consent_key consent_key_of(enum consent_about about, struct span name)
{
    return (struct consent_key){.about = about, .name = name};
}

/* A word and the keys that it stands for; none: it says nothing of contacts. */
struct consent_meaning {
    struct span word; /* folded */
    const struct consent_key *keys;
    size_t count;
};

struct consent_meanings {
    struct consent_meaning *items;
    size_t count;
};

/* Days that are the same for everybody, such as holidays. */
struct contact_calendar {
    struct span name;
    int32_t *dates; /* days since 1970, ascending */
    size_t count;
};

struct contact_policy {
    struct contact_rule rules[CONTACT_MAX_RULES];
    size_t rule_count;
    struct contact_class classes[CONTACT_MAX_CLASSES];
    size_t class_count;
    struct channel_reservation *reservations;
    size_t reservation_count;
    struct duration reservation; /* of channels not named */
    struct channel_consent *consents;
    size_t consent_count;
    struct channel_consent consent;           /* of channels not named: `*` */
    struct contact_names channels;            /* declared, folded */
    struct contact_names purposes, topics;    /* that rules ask for, folded */
    bool asks_purposes, asks_topics;          /* some rule does, of those not named as well */
    struct consent_meanings words;            /* consent_words */
    struct consent_meanings unsubscribe_from; /* by channel */
    struct contact_names preference_center;   /* events */
    int32_t sequence_max;                     /* requests that take one place */
    struct duration sequence_within;          /* of the first of them */
    bool keep_opt_outs;                       /* an erasure leaves the opt-outs of addresses */
    struct contact_names needs_address;       /* channels whose requests must name an address */
    struct contact_calendar *calendars;
    size_t calendar_count;
    /* countries and zones where a customer may be of whom nothing is known, as they are written */
    struct contact_names zones_unknown;
    struct duration zones_memory;      /* how long a device says where its owner is */
    bool asks_zones;                   /* some rule does */
    const struct zone_book *zone_book; /* suppression_policy_set_zones; NULL: only UTC is known */
    /* How much later than it was asked for a contact may be booked, and how long it must then be
     * possible at least. */
    struct duration booking_most, booking_least;
};

/* NULL if the policy does not know the class. */
const struct contact_class *policy_class(const struct contact_policy *policy, struct span name);
struct duration policy_reservation(const struct contact_policy *policy, struct span channel);
/* What the policy says of consent to a channel, or `*` of one that it does not name. */
const struct channel_consent *policy_consent(const struct contact_policy *policy,
                                             struct span channel);
bool policy_allows_unknown(const struct contact_policy *policy, struct span channel);
/* The channel that a word of a producer names, built in or declared; false: none, *channel is the
 * word itself. */
bool policy_channel(const struct contact_policy *policy, struct span word, struct span *channel);
/* The class that a folded word names, NULL for none. */
const struct contact_class *policy_class_named(const struct contact_policy *policy,
                                               struct span folded);
/* What `Unsubscribed` on a channel leaves; count 0: the channel itself. */
struct consent_meaning policy_unsubscribe_from(const struct contact_policy *policy,
                                               struct span channel);
/* The channel that a report of delivery is about: its own, or, from one on which no contact goes
 * out, the one whose name its event begins with: "Email Bounced". SPAN_NONE: it says nothing of
 * that. */
struct span policy_reported_channel(const struct contact_policy *policy, struct span channel,
                                    struct span event);
/* NULL for none. */
const struct contact_calendar *policy_calendar(const struct contact_policy *policy,
                                               struct span name);
/* NULL for none. */
const struct consent_meaning *meaning_find(const struct consent_meanings *meanings,
                                           struct span word);
bool names_contain(const struct contact_names *names, struct span name);
/* True if one of the tags (separated by line feeds) is among the names. */
bool names_contain_tag(const struct contact_names *names, struct span tags);
/* Takes the next word up to the separator from *rest; false at the end. Empty words are skipped. */
bool next_word(struct span *rest, char separator, struct span *word);
bool trigger_matches(const struct contact_trigger *trigger, struct span event, int16_t score);

#endif
