/* closings.h: the closings of a finding, as they are put together. */
#ifndef TUTTI_CONTACT_CLOSINGS_H
#define TUTTI_CONTACT_CLOSINGS_H

#include "services/suppression/logic/rules.h"

/* In order, with gaps between them. */
struct closings {
    struct closing *items;
    size_t count, capacity;
};

/* `from` must not fall from call to call. */
void closings_add(struct closings *closings, struct arena *arena, struct closing closing);
/* Where either is closed. */
struct closings closings_unite(const struct closings *a, const struct closings *b,
                               struct arena *arena);
/* They are the finding's answer, also where there is none. */
void closings_answer(const struct closings *closings, struct finding *finding);

#endif
