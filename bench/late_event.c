/* late_event.c: one late touchpoint into one customer's timeline of 100,000 through PostgreSQL:
 * journey-tracker's slow transaction from decoded message to COMMIT, where the timeline's length
 * must not matter.
 *
 *   TUTTI_DATABASE_URL=... bench-late_event
 *
 * It creates and drops a database of its own. Exit code 1 if the median of any place takes 5 ms or
 * more. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/codec/avro/touchpoint_writer.h"
#include "common/runtime/telemetry.h"
#include "common/store/schema_migrations.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/journey_tracker.h"
#include "tests/support/database.h"

enum { TOUCHES = 100000, FLUSH = 20000, LATE = 101, LIMIT_US = 5000 };

struct bench {
    struct arena arena, batch;
    struct tracker tracker;
    uint64_t made; /* touchpoints so far */
};

static struct id number_id(uint8_t first, uint64_t number)
{
    struct id id = {{first}};
    number *= UINT64_C(0x9E3779B97F4A7C15);
    memcpy(id.bytes + 8, &number, sizeof number);
    return id;
}

static void activate_generation(struct bench *b, struct db *db)
{
    struct err err = {0};
    struct params p;
    static const struct statement activate = {
        "bench_activate", "INSERT INTO tutti_meta.generations (generation, policies, is_active) "
                          "VALUES ($1, '{}', true) RETURNING number"};
    struct db_result *r = NULL;
    b->tracker.generation.id = number_id(9, 9);
    params_init(&p, &b->arena);
    params_uuid(&p, &b->tracker.generation.id);
    database_must(db_run(db, &activate, &p, &r, NULL, &err), &err);
    b->tracker.generation.number = db_int4(r, 0, 0);
}

static void open_tracker(struct bench *b, struct db *db)
{
    struct err err = {0};
    struct tracker *t = &b->tracker;
    static const char *const off[] = {"enable_hashjoin", "enable_mergejoin", "enable_seqscan",
                                      "enable_bitmapscan"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        database_must(db_script(db, arena_printf(&b->arena, "SET %s = off", off[i]), &err), &err);
    t->db = db;
    t->diff_partitions = 1;
    t->fast = metric_counter("bench_fast", "", "Bench.");
    t->slow = metric_counter("bench_slow", "", "Bench.");
    t->fallbacks = metric_counter("bench_fallbacks", "", "Bench.");
    t->rederived = metric_counter("bench_rederived", "", "Bench.");
    journey_cache_open(&t->cache, 64 << 20);
    struct policy_source source = policy_source_folder(TUTTI_SOURCE_DIR "/policies");
    database_must(journey_policy_load(&b->arena, &source, &t->policy, &err), &err);
    t->timeline = timeline_new(&journey_timeline);
    database_must(shapes_open(db, &t->policy, &t->shapes, &err), &err);
}

/* 3 % orders, which open and win opportunities, 5 % campaigns sent, the rest views. */
static void fill_touchpoint(struct touchpoint *tp, uint64_t number, int64_t at_us)
{
    uint64_t kind = number * 7919 % 100;
    touchpoint_clear(tp);
    tp->source = SPAN("urn:bench:late");
    tp->type = SPAN("track");
    tp->message_id = SPAN("m");
    tp->occurred_at = at_us;
    tp->channel = kind < 3 ? SPAN("pos") : kind < 8 ? SPAN("direct_mail") : SPAN("web");
    tp->event_name = kind < 3   ? SPAN("Order Completed")
                     : kind < 8 ? SPAN("Campaign Sent")
                                : SPAN("Page Viewed");
    tp->direction = kind >= 3 && kind < 8 ? SPAN("outbound") : SPAN("inbound");
    tp->department = SPAN("online");
    if (kind < 3) {
        tp->value_micros = 20000000;
        tp->currency = SPAN("USD");
        tp->product_category = kind == 0 ? SPAN("printers") : SPAN("ink");
    } else if (kind < 8) {
        tp->campaign.id = SPAN("c1");
    }
}

static void add_arrival(struct bench *b, struct journey_flush *flush, int64_t at_us)
{
    struct touchpoint tp;
    const struct id customer = number_id(1, 1);
    fill_touchpoint(&tp, b->made, at_us);
    struct arrival *a = arena_push(&b->batch, &flush->arrivals);
    *a = (struct arrival){.anchor_id = customer, .profile_id = customer};
    a->shape = shapes_ref(b->tracker.shapes, &b->batch, &tp);
    a->fact = (struct journey_fact){.key = {id_short(&customer), {at_us}, number_id(2, b->made++)},
                                    .received_at = {INT64_MIN},
                                    .value_micros = tp.value_micros,
                                    .margin_micros = INT64_MIN,
                                    .cost_micros = INT64_MIN,
                                    .score = INT16_MIN,
                                    .message_id = SPAN("m")};
}

static void run_flush(struct bench *b, struct journey_flush *flush)
{
    struct err err = {0};
    database_must(shapes_settle(b->tracker.shapes, &b->batch, &b->tracker.generation, &err), &err);
    for (size_t i = 0; i < flush->arrivals.count; i++)
        flush->arrivals.items[i].fact.shape = (int32_t)flush->arrivals.items[i].shape->shape->code;
    database_must(tracker_flush(&b->tracker, flush, &err), &err);
}

static struct journey_flush start_flush(struct bench *b)
{
    shapes_forget_batch(b->tracker.shapes);
    arena_reset(&b->batch);
    return (struct journey_flush){.arena = &b->batch};
}

/* A touch every 10 minutes. */
static int64_t touch_time(uint64_t number)
{
    return INT64_C(1700000000000000) + (int64_t)number * 600 * US_PER_SECOND;
}

static void fill_timeline(struct bench *b)
{
    for (uint64_t i = 0; i < TOUCHES; i += FLUSH) {
        struct journey_flush flush = start_flush(b);
        for (uint64_t j = i; j < i + FLUSH; j++)
            add_arrival(b, &flush, touch_time(j));
        run_flush(b, &flush);
    }
}

static int compare_us(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* LATE touchpoints, each in a flush of its own, around one place of the timeline; the median. */
static int64_t measure(struct bench *b, const char *name, uint64_t place)
{
    int64_t took[LATE];
    for (int i = 0; i < LATE; i++) {
        struct journey_flush flush = start_flush(b);
        add_arrival(b, &flush, touch_time(place + (uint64_t)i * 7) + 1 + i);
        int64_t start = clock_monotonic_us();
        run_flush(b, &flush);
        took[i] = clock_monotonic_us() - start;
    }
    qsort(took, LATE, sizeof *took, compare_us);
    printf("%-28s median %6.2f ms, slowest %6.2f ms\n", name, (double)took[LATE / 2] / 1000,
           (double)took[LATE - 1] / 1000);
    return took[LATE / 2];
}

int main(void)
{
    struct scratch scratch;
    struct bench b = {0};
    struct err err = {0};
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_late_event");
    struct db *db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    database_must(generation_use_slot(db, 0, &err), &err);
    activate_generation(&b, db);
    open_tracker(&b, db);
    fill_timeline(&b);
    database_must(db_script(db, "ANALYZE journey.facts", &err), &err);
    printf("one late touchpoint into a timeline of %d, through PostgreSQL, with COMMIT:\n",
           TOUCHES);
    int64_t worst = measure(&b, "an hour late", TOUCHES - 800);
    int64_t middle = measure(&b, "in the middle", TOUCHES / 2),
            first = measure(&b, "near the beginning", 10);
    worst = middle > worst ? middle : worst;
    worst = first > worst ? first : worst;
    journey_cache_close(&b.tracker.cache);
    arena_free(&b.tracker.scratch);
    timeline_free(b.tracker.timeline);
    shapes_close(b.tracker.shapes);
    db_close(db);
    scratch_drop(&scratch);
    arena_free(&b.batch);
    arena_free(&b.arena);
    return worst < LIMIT_US ? 0 : 1;
}
