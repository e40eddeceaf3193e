/* journey_state_fuzz.c: any bytes as a packed journey state: what is accepted, packs and unpacks,
 * and takes a touch. */
#include <stdlib.h>

#include "tests/support/journey_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct journey_world world;
static const struct shape *order;

static void open_once(void)
{
    if (order)
        return;
    world_open(&world);
    world_follow_paths(&world);
    world_event(&world, "Page Viewed");
    world_event(&world, "Campaign Sent");
    order = world_event(&world, "Order Completed");
}

static struct span pack(struct arena *arena, const struct journey_state *state)
{
    struct strbuf out = {.arena = arena};
    journey_state_pack(&world.policy, state, &out);
    return strbuf_span(&out);
}

static bool unpack(struct arena *arena, struct span packed, struct journey_state *state)
{
    const struct shape_lookup lookup = world_lookup(&world);
    struct err err = {0};
    uint32_t missing = 0;
    return journey_state_unpack(&world.policy, packed, &lookup, arena, state, &missing, &err) ==
           OUTCOME_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    struct arena arena = {0};
    struct journey_state first, second, third;
    if (unpack(&arena, (struct span){(const char *)data, size}, &first)) {
        /* What was not packed by us may lose what pack never writes, once. */
        if (!unpack(&arena, pack(&arena, &first), &second))
            abort();
        struct span packed = pack(&arena, &second);
        if (!unpack(&arena, packed, &third) || !span_equal(packed, pack(&arena, &third)))
            abort();
        struct journey_effects effects;
        journey_effects_init(&effects, &arena);
        struct touch touch = world_touch(order, INT64_C(1700000000000000), 7);
        journey_advance(&world.policy, &second, &touch, &effects);
    }
    arena_free(&arena);
    return 0;
}
