/* identity_world.h: random touchpoints, policies and orders for tests of identity, and what one
 * partition over all of it says. */
#ifndef TUTTI_TEST_IDENTITY_WORLD_H
#define TUTTI_TEST_IDENTITY_WORLD_H

#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/random.h"

enum { WORLD_IDS = 16, WORLD_SIGHTINGS = 40, WORLD_TYPES = 4 };

struct identity_world {
    struct random dice;
    struct identity_type types[WORLD_TYPES]; /* name and rank only */
    /* strongest type first, then by id, as identity_collect gives them */
    struct typed_id ids[WORLD_IDS];
    struct typed_id carried[WORLD_SIGHTINGS][WORLD_IDS];
    struct sighting sightings[WORLD_SIGHTINGS];
    size_t sighting_count;
    size_t refused[REFUSED_MAX_IDENTIFIERS + 1]; /* links of all expectations so far, by rule */
    size_t quarantined, cuts, aliases, manual_links;
};

struct text_lines {
    const char **items;
    size_t count, capacity;
};

uint32_t world_draw(struct identity_world *world, uint32_t n);
/* New identifiers and sightings. */
void world_people(struct identity_world *world, uint64_t seed);
/* A policy with few limits, or with many small ones; in the arena. */
struct span world_policy(struct identity_world *world, struct arena *arena);
/* An order about identifiers of this world. */
struct manual_order world_order(struct identity_world *world);
bool world_is_anchor(const struct identity_world *world, const struct id *id);

/* Lines "identifier" and "link" for every row there must be, and "told" for what readers must know:
 * anchors, and identifiers of a unique type. orders are all that were
 * given, oldest first. */
void world_expect(struct identity_world *world, const struct identity_policy *policy,
                  const struct order_row *orders, size_t order_count, struct arena *arena,
                  struct text_lines *lines);

#endif
