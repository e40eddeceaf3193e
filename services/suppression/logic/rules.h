/* rules.h: what a kind of rule is, and the list of all kinds.
 *
 * A kind is one file in rules/ and one line in RULE_KINDS. Its row (struct rule_kind) says
 * everything about it: the keys that it reads from contact.json, what it answers about a request,
 * when it opens again, and what may revoke a grant. The parser of the policy, contact_decide,
 * contact_revoke, `tutti explain`, cuts and identity-resolver ask the row and name no kind. */
#ifndef TUTTI_CONTACT_RULES_H
#define TUTTI_CONTACT_RULES_H

#include "services/suppression/logic/contacts.h"
#include "services/suppression/logic/hours.h"
#include "services/suppression/logic/whereabouts.h"

/* One line per kind: rules/<name>.c defines rule_<name>. */
#define RULE_KINDS(X)                                                                              \
    X(opt_out)                                                                                     \
    X(consent)                                                                                     \
    X(invalid_address)                                                                             \
    X(hold)                                                                                        \
    X(already_bought)                                                                              \
    X(never_after)                                                                                 \
    X(pause)                                                                                       \
    X(goal_met)                                                                                    \
    X(apart)                                                                                       \
    X(cap)                                                                                         \
    X(own_limit)                                                                                   \
    X(quiet_hours)                                                                                 \
    X(own_hours)                                                                                   \
    X(holdout)

/* ---- asking ---- */

struct question {
    const struct contact_policy *policy;
    const struct ledger *ledger;
    const struct contact_fact *request;
    struct instant planned_at;  /* the time that is asked about */
    struct contacts *contacts;  /* what rules may count; NULL: nothing */
    struct instant at, now;     /* clocks by which a reservation is over */
    struct id sequence;         /* contact_sequence: of which the request takes the place */
    bool obeys_caps;            /* false: the request's class is exempt from counting rules */
    struct whereabouts **where; /* question_where; *where NULL: no rule has asked yet */
    struct arena *arena;
};

/* Where the customer may be; found once for all rules. */
const struct whereabouts *question_where(const struct question *question);

/* Instants from `from` on, before `until`. */
struct closing {
    struct instant from, until;
};

/* A rule is a set of allowed instants. Most kinds close once: they say whether they passed and when
 * they open. A kind that closes again later lists all its closings instead. */
struct finding {
    bool passed;
    struct span observed, allowed; /* for the record of the decision */
    struct instant since;          /* where it failed: of the event that caused it; else unset */
    /* where it failed: the earliest time after planned_at at which it would pass by itself;
     * INSTANT_NEVER: not foreseeable */
    struct instant opens;
    /* In order, with gaps between them; NULL: passed and opens say it. rule_ask fills passed and
     * opens from them, and leaves a list in every case. What ends before planned_at may be left
     * out. */
    const struct closing *closings;
    size_t closing_count;
    /* Instead of a list, of what closes and opens by the clock for ever. */
    const struct clock_rule *clock;
};

/* A kind's answer. Facts later than the planned contact count too where they are already known: the
 * contact is still to be made. */
typedef void rule_ask_fn(const struct contact_rule *rule, const struct question *question,
                         struct finding *finding);

/* ---- the row of a kind ---- */

enum rule_key_type {
    /* These fill members of struct contact_rule. */
    KEY_EVENTS,  /* rule->on: names of events, at least one */
    KEY_SIGNALS, /* the same; an entry may also be {"event", "score_max"} */
    KEY_UNTIL,   /* rule->until: names of events */
    /* These fill the member of the kind's own struct at `offset`. */
    KEY_DURATION, /* struct duration */
    KEY_CHOICE,   /* int: position of the text in `words`, which are separated by | */
    KEY_COUNT,    /* int32_t from 0 to RULE_MAX_COUNT */
    KEY_COUNTS,   /* int32_t[]: a section with one count for each of `words`, separated by blanks */
    KEY_SET,     /* int: bit n for the nth of `words`, which are separated by |; a text or a list */
    KEY_PERCENT, /* int32_t: hundredths of a percent, from 0.01 to 50 */
    KEY_TIME,    /* struct instant: a time, or a date, which begins at its midnight in UTC */
    KEY_LENGTHS, /* struct rule_lengths: a section of durations under any names */
    KEY_CHOICES, /* struct rule_choices: a section of KEY_CHOICE under any names, which are folded
                  */
    KEY_NAMES,   /* struct contact_names */
    KEY_CHANNELS,  /* the same, of channels */
    KEY_CLASSES,   /* the same, of classes */
    KEY_SECTION,   /* bool: it is there; its own `keys` say what else it fills */
    KEY_HOUR,      /* int32_t: seconds of the day, of HH:MM */
    KEY_DAYS,      /* int: bit n for the nth day of the week, from Monday */
    KEY_WINDOWS,   /* struct rule_windows: {from, to, days} each */
    KEY_CALENDARS, /* struct rule_dates: the days of calendars of the policy */
};

struct rule_length {
    struct span name;
    struct duration length;
};

struct rule_lengths {
    struct rule_length *items;
    size_t count;
};

struct rule_choice {
    struct span name;
    int choice;
};

struct rule_choices {
    bool is_given;
    struct rule_choice *items;
    size_t count;
};

struct rule_windows {
    struct hours_window *items;
    size_t count;
};

struct rule_dates {
    int32_t *items; /* days since 1970 */
    size_t count, capacity;
};

enum { RULE_MAX_COUNT = 1000000 };

/* A key of the policy file. The parser walks a kind's keys in order. */
struct rule_key {
    const char *name;
    enum rule_key_type type;
    bool is_required;
    bool is_positive; /* of durations: zero is an error */
    const char *words;
    const struct rule_key *keys; /* of a section; ended by a NULL name */
    size_t offset;
};

/* What may revoke an open grant that the rule forbids by now. */
enum rule_revocation {
    REVOKES_NEVER,
    REVOKES_ON_SIGNAL, /* any news of the customer, a merge included */
    REVOKES_ON_MERGE,  /* only a merge: earlier requests keep their slot */
    REVOKES_ON_HOURS,  /* only what the customer says of his hours and his zone */
};

struct rule_kind {
    const char *name; /* in contact.json, and the reason of a denial */
    /* Why it refuses, as one says it to a person: a clause that may hold {observed} and {allowed}.
     * It must name nothing of another department, such as a campaign. */
    const char *says;
    const char *cause; /* of a revocation */
    enum rule_revocation revokes;
    bool binds_named;    /* what it reads binds every identifier of a touchpoint, by copies */
    bool wants_product;  /* its events matter only where they name a product, or give one back */
    bool ignores_copies; /* it reads the customer's own facts alone */
    bool exempts;        /* never refuses a request of a class with obeys: false */
    /* It is asked only where all rules before it let the contact pass, and only rules like it stand
     * after it. It names the classes that it is for where one has obeys: false. */
    bool is_last;
    bool draws;  /* it reads the arms of the ledger, and adds to them */
    size_t most; /* rules of a policy; 0: any number */

    const struct rule_key
        *keys;       /* in addition to those of every rule; ended by a NULL name; may be NULL */
    size_t own_size; /* of rule->own */
    const void *own_defaults; /* values of absent keys; NULL: zeros */
    /* What is wrong with the values together (fixed text), NULL: nothing. May be NULL. */
    const char *(*check)(const struct contact_rule *rule);
    /* The same of values that are valid and can hardly be meant. */
    const char *(*doubt)(const struct contact_rule *rule);

    /* Requests that it is for; NULL: those of the rule's channels, classes and tags. */
    bool (*is_for)(const struct contact_rule *rule, const struct contact_fact *request);
    rule_ask_fn *ask;
    /* Whether it asks where the customer is: the policy must say where he may be if nothing is
     * known of him. NULL: it does not. */
    bool (*asks_zones)(const struct contact_rule *rule);
    /* Countries that it names, which must have zones. NULL: it names none. */
    const struct contact_names *(*countries)(const struct contact_rule *rule);
    /* Tells the policy which purposes and topics the rule asks for. May be NULL. */
    void (*declare)(const struct contact_rule *rule, struct arena *arena,
                    struct contact_policy *policy);
    /* Whether `end` is an end of the rule, and about what `start` began, whatever their times are.
     * NULL: nothing is counted of ends. */
    bool (*ends)(const struct contact_rule *rule, const struct contact_fact *start,
                 const struct contact_fact *end);
};

#define RULE_KIND_DECLARE(kind) extern const struct rule_kind rule_##kind;
RULE_KINDS(RULE_KIND_DECLARE)

extern const struct rule_kind *const rule_kinds[]; /* in the order of the list, NULL-ended */

/* ---- asking a rule of a policy ---- */

/* Passes where the rule is not for the request. */
void rule_ask(const struct contact_rule *rule, const struct question *question,
              struct finding *finding);

/* Of a rule that is not asked: it passes. */
void rule_leave_out(const struct question *question, struct finding *finding);

/* The earliest instant from `at` on that is in no closing; INSTANT_NEVER: none. *cursor starts at 0
 * and leaves behind what is over: `at` must not fall from call to call. What goes by the clock must
 * stay open for `least`. */
struct instant finding_next(const struct finding *finding, size_t *cursor, struct instant at,
                            struct duration least);
/* When a rule that goes by the clock closes next; INSTANT_NEVER of all others. */
struct instant finding_closes(const struct finding *finding, struct instant at);

/* Asks about no request in particular: a contact at `at`, of the first channel, class and tag that
 * the rule is for. */
void rule_ask_anyone(const struct contact_policy *policy, const struct contact_rule *rule,
                     const struct ledger *ledger, struct instant at, struct arena *arena,
                     struct finding *finding);

/* "Complaint Filed at 2026-03-01T10:00:00.000000Z": what a finding observed. */
struct span rule_event_and_time(struct arena *arena, struct span event, struct instant at);

/* True if the rule is for requests like this one. */
bool rule_is_for(const struct contact_rule *rule, const struct contact_fact *request);
bool rule_is_for_words(const struct contact_rule *rule, struct span channel, struct span class,
                       struct span tags);
/* True if the fact says something that a rule of the policy may ask for; of nearly all sends it is
 * false. */
bool rules_read(const struct contact_policy *policy, const struct contact_fact *fact);

/* True if the fact is one that the rule waits for. */
bool rule_is_triggered(const struct contact_rule *rule, const struct contact_fact *fact);

/* True if the fact is an end of some rule that knows what it ends. */
bool rules_end(const struct contact_policy *policy, const struct contact_fact *fact);
/* The same, and it ends nothing of the ledger in any of them. */
bool rules_end_in_vain(const struct contact_policy *policy, const struct ledger *ledger,
                       const struct contact_fact *fact);

/* True if some rule of the policy draws. */
bool rules_draw(const struct contact_policy *policy);

/* True if the rule waits for events that bind every identifier of their touchpoint: a hold. */
bool rule_is_hold(const struct contact_rule *rule);
/* True if such a rule is opened or ended by the fact. */
bool rule_speaks_of(const struct contact_rule *rule, const struct contact_fact *fact);

#endif
