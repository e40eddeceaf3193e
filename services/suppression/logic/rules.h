/* rules.h: what each kind of rule answers about one request; contact_decide and contact_revoke walk
 * the policy's list. */
#ifndef TUTTI_CONTACT_RULES_H
#define TUTTI_CONTACT_RULES_H

#include "services/suppression/logic/caps.h"

struct question {
    const struct contact_policy *policy;
    const struct ledger *ledger;
    const struct contact_fact *request;
    struct instant planned_at;
    struct contacts contacts; /* everything that caps may count, without the request itself */
    bool obeys_caps;
    struct arena *arena;
};

struct finding {
    bool passed;
    struct span observed, allowed;
    struct instant ends; /* where it failed: when it will pass by itself; INSTANT_NEVER if not
                            foreseeable; caps: not set */
};

/* Facts later than the planned contact count too where they are already known: the contact is still
 * to be made. */
void rule_ask(const struct contact_rule *rule, const struct question *question,
              struct finding *finding);

/* What the consent text of a fact says of a channel: 1 in, -1 out, 0 nothing. The channel's own
 * word is stronger than that for all. Nobody consents for somebody else, so an opt-in of a copy
 * says nothing. */
int contact_consent_of(const struct contact_fact *fact, struct span channel);

#endif
