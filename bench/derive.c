/* derive.c: what the journey's derivation costs: per touch in order, packed and unpacked, and for
 * one late event into a timeline of 100,000 touches with a checkpoint every 256. Pure part only: no
 * database. With a file of the time zone database it derives in that reporting zone. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/tzif.h"
#include "tests/support/journey_world.h"

enum { TOUCHES = 100000, EVERY = 256, ROUNDS = 10, BATCH = 1000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* 3 % orders, 2 % campaigns sent, the rest views of three kinds; half an hour apart. */
static struct touch *make_timeline(struct journey_world *world, struct arena *arena)
{
    const char *names[] = {"Page", "Product Viewed", "Search", "Order Completed", "Campaign Sent"};
    const struct shape *shapes[5];
    struct touch *touches = arena_array(arena, struct touch, TOUCHES);
    for (int i = 0; i < 5; i++)
        shapes[i] = world_event(world, names[i]);
    srand(7);
    for (uint32_t i = 0; i < TOUCHES; i++) {
        int r = rand() % 100;
        touches[i] = world_touch(shapes[r < 3   ? 3
                                        : r < 5 ? 4
                                                : r % 3],
                                 (int64_t)i * 1800 * US_PER_SECOND, i);
        world_set_value(&touches[i], 10000000);
    }
    return touches;
}

static void bench_in_order(struct journey_world *world, const struct touch *touches,
                           bool with_effects)
{
    struct arena arena = {0};
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        struct journey_state state;
        struct journey_effects effects;
        arena_reset(&arena);
        journey_state_init(&state, &arena);
        double start = now_ns();
        for (size_t i = 0; i < TOUCHES; i++) {
            if (i % BATCH == 0)
                journey_effects_init(&effects, &arena);
            journey_advance(&world->policy, &state, &touches[i], with_effects ? &effects : NULL);
        }
        double took = (now_ns() - start) / TOUCHES;
        best = took < best ? took : best;
    }
    printf("advance %s: %.0f ns per touch\n", with_effects ? "with cells and rows" : "state only",
           best);
    arena_free(&arena);
}

/* One touch for each of many customers: unpack, advance, trailing, pack. */
static void bench_profile(struct journey_world *world, const struct touch *touches)
{
    struct arena arena = {0};
    struct journey_state state;
    struct strbuf packed = {.arena = &arena};
    struct shape_lookup lookup = world_lookup(world);
    journey_state_init(&state, &arena);
    for (int i = 0; i < 40; i++)
        journey_advance(&world->policy, &state, &touches[i], NULL);
    journey_state_pack(&world->policy, &state, &packed);
    uint32_t without_tail = (uint32_t)packed.len - state.tail.count * 22;
    struct arena reused = {0};
    struct journey_effects effects;
    double start = now_ns();
    for (int i = 0; i < TOUCHES; i++) {
        struct journey_state before, after;
        struct strbuf out = {.arena = &reused};
        struct err err;
        uint32_t missing;
        if (i % BATCH == 0) {
            arena_reset(&reused);
            journey_effects_init(&effects, &reused);
        }
        journey_state_unpack(&world->policy, strbuf_span(&packed), &lookup, &reused, &before,
                             &missing, &err);
        journey_state_copy(&after, &before, &reused);
        journey_advance(&world->policy, &after, &touches[40], &effects);
        journey_trailing_replace(&world->policy, &before, &after, &effects);
        journey_state_pack(&world->policy, &after, &out);
    }
    printf("unpack, advance once, trailing, pack: %.0f ns per profile; state %zu bytes with %u "
           "touches in the tail, about %u "
           "without\n",
           (now_ns() - start) / TOUCHES, packed.len, state.tail.count, without_tail);
    arena_free(&reused);
    arena_free(&arena);
}

struct checkpoints {
    struct span items[TOUCHES / EVERY + 1]; /* packed state after i * EVERY touches */
};

static void make_checkpoints(struct journey_world *world, const struct touch *touches,
                             struct checkpoints *checkpoints, struct arena *arena)
{
    struct journey_state state;
    journey_state_init(&state, arena);
    for (size_t i = 0; i < TOUCHES; i++) {
        if (i % EVERY == 0) {
            struct strbuf packed = {.arena = arena};
            journey_state_pack(&world->policy, &state, &packed);
            checkpoints->items[i / EVERY] = strbuf_span(&packed);
        }
        journey_advance(&world->policy, &state, &touches[i], NULL);
    }
}

/* Chunks derived until both sides agree. */
static int derive_late(struct journey_world *world, const struct touch *touches, size_t at,
                       const struct touch *late, const struct checkpoints *checkpoints,
                       struct arena *arena)
{
    struct journey_state before, after;
    struct journey_effects effects;
    struct shape_lookup lookup = world_lookup(world);
    struct err err;
    uint32_t missing;
    size_t chunk = at / EVERY, end = (chunk + 1) * EVERY, from = chunk * EVERY;
    journey_effects_init(&effects, arena);
    journey_state_unpack(&world->policy, checkpoints->items[chunk], &lookup, arena, &before,
                         &missing, &err);
    if (journey_tail_is_cut(&before)) /* what the service reads from the facts */
        journey_prime(&world->policy, &before, touches + (from > 1440 ? from - 1440 : 0),
                      from > 1440 ? 1440 : from);
    journey_state_copy(&after, &before, arena);
    struct touch *with = arena_array(arena, struct touch, EVERY + 1);
    memcpy(with, touches + from, (at - from) * sizeof *with);
    with[at - from] = *late;
    memcpy(with + (at - from) + 1, touches + at, (end - at) * sizeof *with);
    struct journey_side old_side = {&before, touches + from, EVERY};
    struct journey_side new_side = {&after, with, EVERY + 1};
    journey_rederive(&world->policy, &old_side, &new_side, &effects);
    int chunks = 1;
    while (!journey_converged(&world->policy, &before, &after) && end + EVERY <= TOUCHES) {
        old_side = (struct journey_side){&before, touches + end, EVERY};
        new_side = (struct journey_side){&after, touches + end, EVERY};
        journey_rederive(&world->policy, &old_side, &new_side, &effects);
        end += EVERY;
        chunks++;
    }
    return chunks;
}

static void bench_late(struct journey_world *world, const struct touch *touches, const char *event)
{
    enum { LATE = 300 };
    struct arena kept = {0}, arena = {0};
    struct checkpoints *checkpoints = arena_new(&kept, struct checkpoints);
    const struct shape *shape = world_event(world, event);
    double worst = 0, total = 0;
    int chunks = 0, most = 0;
    make_checkpoints(world, touches, checkpoints, &kept);
    for (int i = 0; i < LATE; i++) {
        size_t at = (size_t)rand() % (TOUCHES - 2 * EVERY) + 1;
        struct touch late = world_touch(shape, touches[at].key.at.us - 1, (uint32_t)i);
        world_set_value(&late, 10000000);
        arena_reset(&arena);
        double start = now_ns();
        int n = derive_late(world, touches, at, &late, checkpoints, &arena);
        double took = now_ns() - start;
        total += took;
        worst = took > worst ? took : worst;
        chunks += n;
        most = n > most ? n : most;
    }
    printf("late %s into %d touches: %.0f us on average, %.0f us at most; chunks of %d: %.1f, at "
           "most %d\n",
           event, TOUCHES, total / LATE / 1e3, worst / 1e3, EVERY, (double)chunks / LATE, most);
    arena_free(&kept);
    arena_free(&arena);
}

/* A file of the time zone database as the reporting zone. */
static void read_zone(struct journey_world *world, const char *path)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    if (tzif_read(&world->arena, (struct span){bytes, n}, &world->policy.zone, NULL) !=
        OUTCOME_OK) {
        fprintf(stderr, "%s is no time zone\n", path);
        exit(1);
    }
    printf("reporting zone: %s, %u changes\n", path, world->policy.zone.count);
}

/* The retailer's three, with figures. */
static const char segments[] =
    "{\"segments\":[{\"id\":\"recent_buyers\",\"figures\":true,"
    "\"when\":{\"did\":{\"events\":[\"Order Completed\"]},\"within\":\"P30D\"}},"
    "{\"id\":\"good_at_risk\",\"figures\":true,\"when\":{\"all\":"
    "[{\"stage_at_least\":\"retention\"},{\"status\":[\"at_risk\",\"lapsed\"]}]}},"
    "{\"id\":\"prospects\",\"figures\":true,\"when\":{\"all\":[{\"new_within\":\"P60D\"},"
    "{\"not\":{\"stage_at_least\":\"purchase\"}}]}}]}";

static void bench_world(const char *of_segments, const char *zone)
{
    struct journey_world world;
    struct arena arena = {0};
    printf("%s\n", of_segments ? "three segments with figures" : "without segments");
    world_open_segments(&world, of_segments);
    if (zone)
        read_zone(&world, zone);
    struct touch *touches = make_timeline(&world, &arena);
    bench_in_order(&world, touches, false);
    bench_in_order(&world, touches, true);
    bench_profile(&world, touches);
    bench_late(&world, touches, "Page");
    bench_late(&world, touches, "Order Completed");
    bench_late(&world, touches, "Campaign Sent");
    world_close(&world);
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    bench_world(NULL, argc > 1 ? argv[1] : NULL);
    bench_world(segments, argc > 1 ? argv[1] : NULL);
    return 0;
}
