/* sentence.h: a verdict in words, as an agent reads it out to a colleague or a customer. */
#ifndef TUTTI_CONTACT_SENTENCE_H
#define TUTTI_CONTACT_SENTENCE_H

#include "services/suppression/logic/contact.h"

/* What the record of a decision says; SPAN_NONE and INSTANT_ABSENT where it says nothing. */
struct told_verdict {
    enum contact_verdict verdict;
    enum contact_outcome outcome; /* what became of a grant */
    struct span reason, rule_id, rule_owner, channel;
    struct span rules; /* every rule with the values it saw, as decisions pack them */
    struct instant expires_at, retry_at;
};

/* From the record alone, times in UTC: "No, not by sms: the customer has had enough contacts lately
 * (2 with this one; the limit is 1 per 7 d). Rule sms7, owner customer_office. Earliest: 2 July
 * 2026, 07:00 UTC." A refusal ends with the earliest time, or says that no date can be given. */
struct span contact_sentence(const struct told_verdict *told, struct arena *arena);

#endif
