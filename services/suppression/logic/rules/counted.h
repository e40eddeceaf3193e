/* counted.h: which contacts a rule counts: those that were made, and those of open grants. */
#ifndef TUTTI_CONTACT_COUNTED_H
#define TUTTI_CONTACT_COUNTED_H

#include "services/suppression/logic/rules.h"

struct counting {
    const struct contact_rule *rule;
    /* What it counts apart from the rest, such as the department; names the made contacts that are
     * remembered for the next request. */
    struct span part;
    bool (*counts)(const struct counting *counting, const struct contact *contact);
    const void *more; /* what `counts` asks besides; NULL: nothing */
};

/* Times later than `after` of all contacts but the request's own, in order. In the contacts' own
 * room: valid until the next call. */
struct times counted_times(const struct counting *counting, const struct question *question,
                           struct instant after);
/* Contacts of one question, each with its place, in order. */
struct places {
    struct placed_contact *items;
    size_t count;
};

/* The same as places: contacts of one sequence take one. Those of the request's own sequence are
 * left out. */
struct places counted_places(const struct counting *counting, const struct question *question,
                             struct instant after);

/* The same where each contact takes a place of its own. */
struct places counted_each(const struct counting *counting, const struct question *question,
                           struct instant after);

/* The first that is later than the instant. */
size_t times_first_after(const struct times *times, struct instant at);

/* Whether the rule would be for the contact. A send that names no class is counted, not overlooked.
 */
bool rule_is_for_contact(const struct contact_rule *rule, const struct contact *contact);

/* "30 d", "4 h" or "90 s". */
const char *length_text(struct arena *arena, struct duration length);

#endif
