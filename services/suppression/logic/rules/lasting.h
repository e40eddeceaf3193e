/* lasting.h: what the kinds share that an event closes for some time: invalid_address, hold and
 * already_bought. */
#ifndef TUTTI_CONTACT_LASTING_H
#define TUTTI_CONTACT_LASTING_H

#include "services/suppression/logic/rules.h"

struct lasting {
    struct duration lasts; /* `for`: DURATION_NONE: without end */
    struct duration then;  /* hold: it lasts on this long after its release */
};

extern const struct lasting lasting_defaults;

#define LASTING_KEY_FOR                                                                            \
    {                                                                                              \
        .name = "for", KEY_DURATION, .offset = offsetof(struct lasting, lasts)                     \
    }

/* When it opens again if its event was at `at`; INSTANT_NEVER without `for`. */
struct instant lasting_end(const struct contact_rule *rule, struct instant at);

/* Fails while `ends` lies after the contact. cause NULL: nothing closed it. none: what the record
 * calls that. */
void lasting_judge(const struct question *question, const struct contact_fact *cause,
                   struct instant ends, struct span none, struct finding *finding);

#endif
