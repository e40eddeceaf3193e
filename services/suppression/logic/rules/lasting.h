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

/* Of an end and what it may end: by (enum lasting_by) says which of their ids must be the same. One
 * that both have must not differ, and one that either has must be shared, if not the same one then
 * another: so an end without ids ends only what has none. 0: they may be about anything. */
enum lasting_by { LASTING_BY_CASE = 1, LASTING_BY_ORDER = 2 };
bool lasting_is_about(const struct contact_fact *start, const struct contact_fact *end, int by);

/* True if the end came after the start. At one instant the start wins, unless both name the same
 * case or order: then the end cannot have come first. */
bool lasting_comes_after(const struct contact_fact *start, const struct contact_fact *end);

/* When it opens again if its event was at `at`; INSTANT_NEVER without `for`. */
struct instant lasting_end(const struct contact_rule *rule, struct instant at);

/* Fails while `ends` lies after the contact. cause NULL: nothing closed it. none: what the record
 * calls that. */
void lasting_judge(const struct question *question, const struct contact_fact *cause,
                   struct instant ends, struct span none, struct finding *finding);

#endif
