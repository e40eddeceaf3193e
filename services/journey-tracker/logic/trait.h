/* trait.h: what touchpoints say of a customer, and which of it counts.
 *
 * Of all observations of a trait one is chosen: the best source, then by the rule of the trait.
 * That is the greatest element of a total order, so it may be found in any sequence and in parts:
 * each anchor keeps its own, and a profile has the best of its anchors. Rules: docs/figures.md,
 * Traits. */
#ifndef TUTTI_JOURNEY_TRAIT_H
#define TUTTI_JOURNEY_TRAIT_H

#include "common/base/instant.h"
#include "common/words/said.h"
#include "services/journey-tracker/logic/policy.h"

struct touch_key;

struct trait_value {
    bool is_nothing; /* the customer does not have it; only of TRAIT_LATEST */
    int64_t number;  /* millionths, days since 1970, or 0 and 1 */
    struct span text;
};

/* What the bytes of a touchpoint (journey.facts.traits) say of a trait; false: no observation.
 * *is_unfit: they name it, with a value of another type. May be NULL. */
bool trait_observe(const struct journey_trait *trait, struct span said, struct trait_value *out,
                   bool *is_unfit);
/* Place of a source: 0 is the best; those that are not listed share the last one. */
uint8_t trait_source_rank(const struct journey_trait *trait, struct span source);
/* Whether an observation takes the place of the one that counts so far. It comes after it in the
 * order of touchpoints. */
bool trait_takes(const struct journey_trait *trait, uint8_t held_rank, int64_t held_number,
                 uint8_t rank, int64_t number);

/* The place of an observation in the total order, as bytes: of two the greater one counts. It
 * agrees with trait_takes. */
enum { TRAIT_PLACE_SIZE = 42 };
void trait_place(const struct journey_trait *trait, uint8_t source_rank,
                 const struct trait_value *value, const struct touch_key *key,
                 uint8_t out[TRAIT_PLACE_SIZE]);
/* A value as it is shown, in the arena; SPAN_NONE: nothing. */
struct span trait_shown(const struct journey_trait *trait, const struct trait_value *value,
                        struct arena *arena);
/* The days since 1970 of a text YYYY-MM-DD; false: it names no day. */
bool trait_day(struct span text, int64_t *day);

#endif
