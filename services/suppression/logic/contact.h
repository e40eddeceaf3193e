/* contact.h: the vocabulary of contact decisions: what the ledger knows of a customer, and what is
 * decided from it.
 *
 * A customer's ledger is the set of facts of all identifiers of the profile, sorted by (at,
 * event_id), and the reservations: the decisions of its requests. Everything here is pure: no
 * clock, no database; `now` is the wall clock given by the caller.
 *
 * A fact is its anchor's. An opt-out or a hold is a fact of every identifier of its touchpoint:
 * under each of the others a copy is kept. A profile that has the anchor sees the original, however
 * many copies it has; one that has only others sees a copy. */
#ifndef TUTTI_CONTACT_H
#define TUTTI_CONTACT_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"
#include "services/suppression/logic/policy.h"

/* Stored in suppression.facts.kind: never renumber. */
enum contact_kind {
    CONTACT_REQUEST = 1,
    CONTACT_SENT = 2,
    CONTACT_DELIVERED = 3,
    CONTACT_FAILED = 4,
    CONTACT_CANCELLED = 5,
    CONTACT_SIGNAL = 6, /* what rules ask for: consent, address failures, holds, purchases */
};

/* Stored in suppression.facts.flags. */
enum contact_flag {
    CONTACT_HAS_CONTACT = 1, /* the touchpoint has a contact record */
    CONTACT_BAD_TAGS = 2,    /* tags_json is no list of texts */
    /* kept for an identifier of the touchpoint other than its anchor: see contact_copy */
    CONTACT_IS_COPY = 4,
    /* The company speaks (outbound, or a request, a send or a result), or a program does. No
     * customer said its yes, so it does not count. */
    CONTACT_IS_NOT_SAID = 8,
    CONTACT_IS_KEPT = 16,     /* an opt-out of an address that outlived an erasure; a copy */
    CONTACT_IS_NEGATIVE = 32, /* its value is below 0: a purchase that is given back */
};

#define CONTACT_SCORE_ABSENT    INT16_MIN
#define CONTACT_PRIORITY_ABSENT INT16_MIN
#define INSTANT_ABSENT          INSTANT_FIRST
/* How long a claimed contact counts before its channel tells what became of it. */
#define CLAIM_HOLDS ((struct duration){900 * US_PER_SECOND})

struct contact_fact {
    struct instant at; /* occurred_at */
    /* of a signal that came in before its own time: the earliest time at which it did; else
     * INSTANT_ABSENT */
    struct instant received_at;
    struct id event_id;
    int16_t kind;  /* enum contact_kind */
    int16_t flags; /* enum contact_flag */
    int16_t score; /* -100..100 */
    int16_t priority;
    struct span event, channel, department, class, purpose;
    int64_t anchor;        /* short key of the identifier whose fact it is */
    struct id anchor_id;   /* the same in full, of a request that is new; else nil */
    struct span others;    /* short keys of the other identifiers: contact_names */
    struct span addresses; /* of these, and of the anchor, those that its channel reaches */
    struct span tags;      /* separated by line feeds */
    struct span product_id, product_category, campaign_id;
    struct span lines; /* of its order: order_lines.h */
    struct span source, case_id, order_id;
    /* "+email -sms": its consent map as it was sent, see consent.h */
    struct span consent;
    struct span preferences; /* what it asks for in a preference centre: preferences.h */
    /* INSTANT_ABSENT where the request has none */
    struct instant planned_at, expires_at, latest_at;
    struct span sequence_id;
    struct id decision_id; /* nil where absent */
};

/* The copy of a fact for the other identifiers of its touchpoint. A signal is copied whole, a
 * contact that opts out with its consent only. False: the fact has no copy.
 * No policy is asked, so another policy finds the same copies. The rule that reads a copy says what
 * it means: opt-outs and holds count; opt-ins, failures of an address and purchases do not. */
bool contact_copy(const struct contact_fact *fact, struct contact_fact *out);

/* The earlier of two times that may be INSTANT_ABSENT. */
struct instant contact_earlier(struct instant a, struct instant b);
/* When a fact counts that frees: a yes, or an end of what an earlier fact began. A clock that is
 * fast must not make it newer than a later no. */
struct instant contact_frees_at(const struct contact_fact *fact);

/* By (at, event_id), an original before its copies. In this order a copy that follows its original,
 * or another copy of it, says nothing new. */
int contact_fact_order(const struct contact_fact *a, const struct contact_fact *b);
bool contact_is_repeat(const struct contact_fact *fact, const struct contact_fact *before);
bool contact_is_same_touchpoint(const struct contact_fact *a, const struct contact_fact *b);
bool contact_is_copy(const struct contact_fact *fact);
/* True if it says what became of a request. */
bool contact_is_result(const struct contact_fact *fact);

/* Stored in suppression.decisions.verdict. */
enum contact_verdict { VERDICT_GRANT = 1, VERDICT_DENY = 2, VERDICT_INVALID = 3 };

/* What became of a decision, in the order in which a later one replaces an earlier one; stored:
 * never renumber. */
enum contact_outcome {
    RESULT_OPEN = 0,
    RESULT_REVOKED = 1,
    RESULT_CANCELLED = 2,
    RESULT_SENT = 3,
    RESULT_FAILED = 4,
    RESULT_DELIVERED = 5,
};

/* A decision made before, of a request in this ledger. */
struct reservation {
    struct id request_id;
    int16_t verdict, outcome;
    struct instant planned_at; /* time of the contact */
    struct instant expires_at; /* INSTANT_NEVER unless granted */
    struct instant sent_at;    /* INSTANT_ABSENT until sent */
    struct instant claimed_at; /* INSTANT_ABSENT: its channel did not claim it */
    struct span sequence_id;   /* of which it takes the place; SPAN_NONE: its own */
};

/* Stored in suppression.arms.arm: never renumber. */
enum contact_arm { ARM_TREATED = 0, ARM_CONTROL = 1 };

/* What an identifier drew in a holdout, once and for all. */
struct arm {
    struct span holdout; /* id of the rule */
    int64_t anchor;      /* short key of the identifier */
    int16_t arm;         /* enum contact_arm */
    int16_t basis_points;
    struct instant assigned_at; /* of the request that drew it */
    struct id request_id;
};

struct arms {
    struct arm *items;
    size_t count, capacity;
};

/* contacts.h */
struct contacts;
/* addresses.h */
struct address_book;
/* whereabouts.h */
struct place_list;

/* Everything is borrowed. facts are sorted by contact_fact_order. Once the contacts are read, facts
 * that no rule reads may be left out. */
struct ledger {
    const struct contact_fact *const *facts;
    size_t fact_count;
    struct reservation *reservations;
    size_t reservation_count;
    /* Of these facts and reservations, and kept up to date by who adds to them. NULL: is read when
     * it is asked for. */
    struct contacts *contacts;
    const struct address_book *addresses; /* what was said of addresses; NULL: nothing */
    /* Of all identifiers of the profile. A request that draws is added; NULL: none is kept. */
    struct arms *arms;
    const struct place_list *places; /* where the customer was; NULL: nothing is known */
};

struct contact_decision {
    enum contact_verdict verdict;
    const char *reason; /* kind of the deciding rule or what is invalid; NULL for a grant */
    int rule;           /* index of the deciding rule, -1 if none */
    size_t failed;      /* so many rules refuse it */
    /* Time of the contact. Of a grant that was booked it is later than it was asked for. */
    struct instant planned_at;
    struct span moved_by; /* id of the rule for which it was booked; SPAN_NONE: it was not */
    /* Zones of the customer that rules asked for, and of which version of the time zone database;
     * SPAN_NONE: none did */
    struct span zones, zone_data;
    struct span sequence_id;   /* of which it takes the place; SPAN_NONE: its own */
    struct instant expires_at; /* of a grant; else INSTANT_ABSENT */
    struct instant retry_at;   /* of a deny; INSTANT_ABSENT where it cannot be said */
    struct span rules;         /* every rule with the values it saw: verdict_pack */
};

/* The verdict of a request. request need not be, and its own sends may be, among the ledger's
 * facts. */
void contact_decide(const struct contact_policy *policy, const struct ledger *ledger,
                    const struct contact_fact *request, struct instant now, struct arena *arena,
                    struct contact_decision *out);

/* The same for a request without one customer: deny, with this reason ("unidentified",
 * "shared_identifier"), or invalid. */
void contact_refuse(const struct contact_policy *policy, const struct contact_fact *request,
                    const char *reason, struct contact_decision *out);

/* Time of the contact a request asks for: planned_at, but not before the request itself. */
struct instant contact_planned_at(const struct contact_fact *request);

/* PRIORITY_NORMAL where the request has none. Of invalid ones any number. */
int contact_priority(const struct contact_fact *request);

/* The order in which requests are decided: by (at, priority, event_id), the highest priority first.
 */
int contact_request_order(const struct contact_fact *a, const struct contact_fact *b);

/* A reservation is over once its expiry has passed on both clocks: event time `at` and wall clock
 * `now`. While only one has passed it stays: a replay of old touchpoints does not free what was
 * taken, a late touchpoint does not either. A claimed one is over CLAIM_HOLDS after its claim, by
 * the wall clock alone: a claim is no touchpoint. */
bool reservation_is_over(const struct reservation *reservation, struct instant at,
                         struct instant now);
/* Its channel said that it acts now: nothing revokes it any more. */
bool reservation_is_claimed(const struct reservation *reservation);
/* Granted, and neither used nor void at (at, now). */
bool reservation_is_open(const struct reservation *reservation, struct instant at,
                         struct instant now);
/* When the contact is supposed to be made: as asked for, or when it was claimed. */
struct instant reservation_contact_at(const struct reservation *reservation);

/* Merges what the facts of the ledger say of a request into its outcome, its time and sent_at
 * (which are kept otherwise). */
struct contact_result {
    enum contact_outcome outcome;
    struct instant at, sent_at;
};
void contact_result_add(struct contact_result *result, const struct contact_fact *fact);

/* The answer to a channel that is about to act on a grant. */
struct contact_claim {
    const char *void_because; /* NULL: go ahead. Else why not: the word is part of the interface */
    int rule;                 /* of the policy, that forbids it now; -1: none does */
    bool is_repeat;           /* it was claimed before, and still holds */
};
/* Asks, at the wall clock `now`, every rule that does not only count contacts: what was granted
 * has its place among these. reservation: one of the ledger; request: its fact, NULL: its customer
 * is not known any more. */
void contact_claim(const struct contact_policy *policy, const struct ledger *ledger,
                   const struct contact_fact *request, const struct reservation *reservation,
                   struct instant now, struct arena *arena, struct contact_claim *out);
/* The word for an outcome: of answers, and of claims of what is open no more. */
const char *contact_outcome_word(int16_t outcome);

/* Why an open reservation may not be used any more. */
struct revocation {
    struct id request_id;
    const char *cause; /* of the rule's kind */
    int rule;
};
/* What is news of a customer beside signals. */
struct contact_news {
    bool is_merged; /* an anchor moved in */
    bool has_hours; /* he said which hours he wants, or in which zone he lives */
};
/* Open reservations that the ledger as it is now forbids, in the order of their requests. Event
 * time of what changed: `at`. Which rules are judged says enum rule_revocation. Claimed ones stay,
 * and keep their places. Returns how many; the array lives in the arena. */
size_t contact_revoke(const struct contact_policy *policy, const struct ledger *ledger,
                      struct contact_news news, struct instant at, struct instant now,
                      struct arena *arena, struct revocation **out);

#endif
