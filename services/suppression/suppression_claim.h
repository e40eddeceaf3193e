/* suppression_claim.h: a channel is about to act on a grant, and asks whether it may still. */
#ifndef TUTTI_SUPPRESSION_CLAIM_H
#define TUTTI_SUPPRESSION_CLAIM_H

#include "services/suppression/suppression_transact.h"

struct claim {
    struct id request_id;
    /* Results; texts in the arena or of the policy. */
    bool is_unknown; /* there is no decision */
    struct contact_claim answer;
    struct span rule_id;       /* of answer.rule; SPAN_NONE: no rule */
    struct instant claimed_at; /* INSTANT_ABSENT: it is not */
};

/* Answers claims, in ONE transaction: under the lock of its customer's state and of its decision
 * each grant is asked about once more, as of `now`. From the commit on nothing revokes what is
 * claimed. Locks in the order states, decisions. On any error the caller rolls back; RETRY: run it
 * again. */
enum outcome suppression_claim(const struct suppression *suppression, struct arena *arena,
                               struct claim *claims, size_t count, struct instant now,
                               struct err *err);

#endif
