/* journey_world.h: a policy, a dictionary and shapes for tests and benches of the journey's
 * derivation. Only segments are read from JSON. */
#ifndef TUTTI_TEST_JOURNEY_WORLD_H
#define TUTTI_TEST_JOURNEY_WORLD_H

#include "services/journey-tracker/logic/journey.h"

enum { WORLD_WORDS = 256, WORLD_SHAPES = 64 };

struct journey_world {
    struct arena arena;
    struct journey_policy policy;
    struct zone_set zones;
    struct span words[WORLD_WORDS]; /* code - 1 */
    uint32_t word_count;
    struct shape shapes[WORLD_SHAPES]; /* code - 1 */
    uint32_t shape_count;
};

/* The policy is the retailer's with three additions: Complaint Filed puts at risk, Account Closed
 * lapses, Loan Funded is a conversion of any value. Sends may be answered within seven days.
 * journey_world.c has the goals and two time zones. */
void world_open(struct journey_world *world);
/* The same with the segments of a segments.json; NULL: none. */
void world_open_segments(struct journey_world *world, const char *segments);
/* Follows the paths to three goals as well: sale, all of them, by campaign; funded, the first, by
 * channel, a week; third_touch, all, by kind, a day. */
void world_follow_paths(struct journey_world *world);
/* The same where an order converts for three goals: `mailed` within a day, `sale`, and
 * `influenced`, of any value and within 56 days. */
void world_open_goals(struct journey_world *world, const char *segments);
void world_close(struct journey_world *world);

/* Code of a text, made if new; 0 for SPAN_NONE. */
uint32_t world_code(struct journey_world *world, struct span text);
const struct shape *world_shape(struct journey_world *world, const struct shape_text *text);
/* An inbound touch of channel web, or pos with currency USD for Order Completed; outbound
 * direct_mail for Campaign Sent. */
const struct shape *world_event(struct journey_world *world, const char *event);
struct shape_lookup world_lookup(struct journey_world *world);

/* Without a value. */
struct touch world_touch(const struct shape *shape, int64_t at_us, uint32_t id);
/* Sets the value, and with it the rank. */
void world_set_value(struct touch *touch, int64_t micros);

/* The touch names an order, if it is an order or a return. */
void world_name_order(const struct journey_world *world, struct touch *touch, const char *order_id);

/* What was applied so far: sums of cells, rows by key. Lives in its own arena. */
struct figures {
    struct arena arena;
    struct map cells, conversions, stages, orders, memberships, responses;
};

void figures_open(struct figures *figures);
void figures_close(struct figures *figures);
/* Adds the cells, removes the removed rows, writes the rows. */
void figures_apply(struct figures *figures, const struct journey_effects *effects);
/* Everything as sorted lines of text, in arena. */
const char *figures_text(const struct figures *figures, struct arena *arena);

#endif
