/* suppression_places.h: evidence of where customers are, as rows. */
#ifndef TUTTI_SUPPRESSION_PLACES_H
#define TUTTI_SUPPRESSION_PLACES_H

#include "common/codec/touchpoint.h"
#include "common/store/db.h"
#include "services/suppression/logic/whereabouts.h"

/* What a touchpoint says, added to the list, with texts in the arena. Names of zones that the book
 * does not have say nothing. */
void places_read(struct arena *arena, const struct zone_book *book, const struct touchpoint *tp,
                 int64_t anchor, struct place_list *out);

struct place_anchors {
    int64_t *items; /* sorted */
    size_t count, capacity;
};

/* What a batch brought: written after known addresses and before anchors are locked. Sorts the rows
 * and leaves one of each. new: anchors that were not known to have been at one of their places;
 * they must come to the map, since a place is found by the profile of its anchor. */
enum outcome places_store(struct db *db, struct arena *arena, struct place_list *places,
                          struct place_anchors *new, struct err *err);

/* Of these anchors, sorted by anchor. */
enum outcome places_find(struct db *db, struct arena *arena, const int64_t *anchors, size_t count,
                         struct place_list *out, struct err *err);

#endif
