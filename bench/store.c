/* store.c: what a row costs through common/store: client and server CPU, WAL, for the table layouts
 * of the services.
 *
 *   TUTTI_DATABASE_URL=... bench-store [batches]
 *
 * It creates and drops the schema store_bench. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/runtime/clock.h"
#include "common/store/db.h"

enum {
    PROFILES = 1000000,
    EVENTS = 10000,
    CELLS = 2000,
    CELL_KEYS = 200000,
    PAYLOAD = 120,
    OUTBOX = 300 * 1024
};

struct fact {
    int64_t anchor;
    struct instant ts;
    struct id event;
    int16_t kind, channel, department, flags;
    int32_t campaign, location;
};

struct state {
    int64_t key, old_version, new_version;
    struct span payload;
};

struct cell {
    int64_t key, value;
};

struct bench {
    struct db *db;
    struct arena arena;
    struct err err;
    uint64_t random;
    int64_t serial;
    int64_t *versions; /* by profile */
    struct fact *facts;
    struct state *states;
    size_t state_count;
    struct cell *cells;
    char *bytes; /* incompressible, OUTBOX long */
};

static void must(struct bench *b, enum outcome outcome)
{
    if (outcome == OUTCOME_OK)
        return;
    fprintf(stderr, "bench-store: %s\n", b->err.message);
    exit(1);
}

static uint64_t next_random(struct bench *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random;
}

/* A profile by Zipf's law with exponent 1: the inverse of its distribution. */
static int64_t zipf(struct bench *b)
{
    double u = (double)(next_random(b) >> 11) / (double)(UINT64_C(1) << 53);
    return (int64_t)exp(u * log(PROFILES)) % PROFILES;
}

/* Scatters a small number over the bigint keys, as hashed identifiers are. */
static int64_t key_of(int64_t n)
{
    return (int64_t)((uint64_t)n * UINT64_C(0x9E3779B97F4A7C15));
}

/* ---- batches ---- */

static int by_anchor(const void *x, const void *y)
{
    const struct fact *a = x, *b = y;
    return (a->anchor > b->anchor) - (a->anchor < b->anchor);
}

static int by_key(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void make_facts(struct bench *b, int64_t *profiles)
{
    for (int i = 0; i < EVENTS; i++) {
        uint64_t r = next_random(b);
        profiles[i] = zipf(b);
        b->facts[i] = (struct fact){key_of(profiles[i]),
                                    {POSTGRES_EPOCH_US + ++b->serial * 1000},
                                    {{0}},
                                    (int16_t)(r & 7),
                                    (int16_t)(r >> 8 & 7),
                                    (int16_t)(r >> 16 & 7),
                                    0,
                                    (int32_t)(r >> 24 & 63),
                                    (int32_t)(r >> 32 & 255)};
        uint64_t halves[2] = {next_random(b), next_random(b)};
        memcpy(b->facts[i].event.bytes, halves, sizeof halves);
    }
    qsort(b->facts, EVENTS, sizeof *b->facts, by_anchor);
}

static void make_states(struct bench *b, int64_t *profiles, bool writes_states)
{
    b->state_count = 0;
    qsort(profiles, EVENTS, sizeof *profiles, by_key);
    for (int i = 0; i < EVENTS; i++) {
        if (i > 0 && profiles[i] == profiles[i - 1])
            continue;
        int64_t v = b->versions[profiles[i]];
        b->versions[profiles[i]] += writes_states;
        const char *payload = b->bytes + next_random(b) % (OUTBOX - PAYLOAD);
        b->states[b->state_count++] =
            (struct state){key_of(profiles[i]), v, v + 1, {payload, PAYLOAD}};
    }
    qsort(b->states, b->state_count, sizeof *b->states, by_key);
}

static void make_cells(struct bench *b)
{
    int64_t at = (int64_t)(next_random(b) % (CELL_KEYS / CELLS));
    for (int i = 0; i < CELLS; i++, at += CELL_KEYS / CELLS)
        b->cells[i] = (struct cell){key_of(at), 1};
    qsort(b->cells, CELLS, sizeof *b->cells, by_key);
}

static void make_batch(struct bench *b, bool writes_states)
{
    int64_t *profiles = arena_array(&b->arena, int64_t, EVENTS);
    make_facts(b, profiles);
    make_states(b, profiles, writes_states);
    make_cells(b);
}

/* ---- writing ---- */

static void copy_facts(struct bench *b)
{
    must(b, db_copy_begin(b->db, "COPY store_bench.facts FROM STDIN BINARY", &b->err));
    for (int i = 0; i < EVENTS; i++) {
        const struct fact *f = &b->facts[i];
        copy_row(b->db, 9);
        copy_int8(b->db, f->anchor);
        copy_timestamptz(b->db, f->ts);
        copy_uuid(b->db, &f->event);
        copy_int2(b->db, f->kind);
        copy_int2(b->db, f->channel);
        copy_int2(b->db, f->department);
        copy_int2(b->db, f->flags);
        copy_int4(b->db, f->campaign);
        copy_int4(b->db, f->location);
    }
    must(b, db_copy_end(b->db, NULL, &b->err));
}

static void insert_facts(struct bench *b)
{
    static const struct statement insert = {
        "insert_facts",
        "INSERT INTO store_bench.facts SELECT unnest($1::int8[]), unnest($2::timestamptz[]), "
        "unnest($3::uuid[]), "
        "unnest($4::int2[]), unnest($5::int2[]), unnest($6::int2[]), unnest($7::int2[]), "
        "unnest($8::int4[]), "
        "unnest($9::int4[]) ON CONFLICT DO NOTHING RETURNING anchor, ts, event"};
    struct params p;
    struct db_result *inserted;
    size_t stride = sizeof *b->facts;
    params_init(&p, &b->arena);
    params_int8_array(&p, &b->facts->anchor, stride, EVENTS);
    params_timestamptz_array(&p, &b->facts->ts, stride, EVENTS);
    params_uuid_array(&p, &b->facts->event, stride, EVENTS);
    params_int2_array(&p, &b->facts->kind, stride, EVENTS);
    params_int2_array(&p, &b->facts->channel, stride, EVENTS);
    params_int2_array(&p, &b->facts->department, stride, EVENTS);
    params_int2_array(&p, &b->facts->flags, stride, EVENTS);
    params_int4_array(&p, &b->facts->campaign, stride, EVENTS);
    params_int4_array(&p, &b->facts->location, stride, EVENTS);
    must(b, db_run(b->db, &insert, &p, &inserted, NULL, &b->err));
    for (int i = 0; i < db_rows(inserted); i++)
        b->serial += db_int8(inserted, i, 0) == 0;
}

static void update_states(struct bench *b)
{
    static const struct statement update = {
        "update_states", "UPDATE store_bench.state t SET ver = u.nv, p = u.p FROM "
                         "unnest($1::int8[], $2::int8[], $3::int8[], $4::bytea[]) "
                         "u(id, ov, nv, p) WHERE t.id = u.id AND t.ver = u.ov"};
    struct params p;
    int64_t updated;
    size_t stride = sizeof *b->states;
    params_init(&p, &b->arena);
    params_int8_array(&p, &b->states->key, stride, b->state_count);
    params_int8_array(&p, &b->states->old_version, stride, b->state_count);
    params_int8_array(&p, &b->states->new_version, stride, b->state_count);
    params_bytea_array(&p, &b->states->payload, stride, b->state_count);
    must(b, db_run(b->db, &update, &p, NULL, &updated, &b->err));
    if ((size_t)updated != b->state_count)
        must(b, err_set(&b->err, OUTCOME_FATAL, "bench", "%lld of %zu states updated",
                        (long long)updated, b->state_count));
}

static void upsert_cells(struct bench *b)
{
    static const struct statement upsert = {
        "upsert_cells",
        "INSERT INTO store_bench.cells AS t SELECT unnest($1::int8[]), unnest($2::int8[]) "
        "ON CONFLICT (k) DO UPDATE SET v = t.v + excluded.v"};
    struct params p;
    params_init(&p, &b->arena);
    params_int8_array(&p, &b->cells->key, sizeof *b->cells, CELLS);
    params_int8_array(&p, &b->cells->value, sizeof *b->cells, CELLS);
    must(b, db_run(b->db, &upsert, &p, NULL, NULL, &b->err));
}

static void insert_outbox(struct bench *b)
{
    static const struct statement insert = {"insert_outbox",
                                            "INSERT INTO store_bench.outbox VALUES ($1, $2)"};
    struct params p;
    params_init(&p, &b->arena);
    params_int8(&p, ++b->serial);
    params_bytea(&p, (struct span){b->bytes, OUTBOX});
    must(b, db_run(b->db, &insert, &p, NULL, NULL, &b->err));
}

static void journey(struct bench *b)
{
    copy_facts(b);
    update_states(b);
    insert_outbox(b);
}

/* ---- measuring ---- */

struct layout {
    const char *name;
    void (*write)(struct bench *);
    bool writes_states;
    int rows; /* 0: the number of states */
};

static const struct layout layouts[] = {
    {"facts: COPY", copy_facts, false, EVENTS},
    {"facts: unnest, RETURNING", insert_facts, false, EVENTS},
    {"states: compare and set", update_states, true, 0},
    {"cells: upsert", upsert_cells, false, CELLS},
    {"outbox: one of 300 kB", insert_outbox, false, 1},
    {"journey: COPY + states + outbox", journey, true, EVENTS},
};

struct usage {
    double client_us, server_us, wal, wall_us, rows;
};

static int64_t number(struct bench *b, const char *sql)
{
    struct db_result *r;
    struct statement statement = {sql, sql};
    must(b, db_run(b->db, &statement, NULL, &r, NULL, &b->err));
    int64_t v = db_int8(r, 0, 0);
    return v;
}

/* utime and stime of the backend, fields 14 and 15 of /proc/<pid>/stat; only for a server on this
 * machine. */
static double server_cpu_us(struct bench *b)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat",
             (long long)number(b, "SELECT pg_backend_pid()::int8"));
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    unsigned long user = 0, system = 0;
    const char *after = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (after == NULL || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                &user, &system) != 2)
        return 0;
    return (double)(user + system) * 1e6 / 100; /* USER_HZ */
}

static double client_cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct usage measure(struct bench *b, const struct layout *layout, int batches)
{
    struct usage u = {0};
    double server = server_cpu_us(b);
    double wal = (double)number(b, "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8");
    for (int i = 0; i < batches; i++) {
        arena_reset(&b->arena);
        make_batch(b, layout->writes_states);
        double client = client_cpu_us();
        int64_t wall = clock_monotonic_us();
        must(b, db_begin(b->db, &b->err));
        layout->write(b);
        must(b, db_commit(b->db, &b->err));
        u.client_us += client_cpu_us() - client;
        u.wall_us += (double)(clock_monotonic_us() - wall);
        u.rows += (double)(layout->rows ? (size_t)layout->rows : b->state_count);
    }
    u.server_us = server_cpu_us(b) - server;
    u.wal = (double)number(b, "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8") - wal;
    return u;
}

static void report(struct bench *b, const struct layout *layout, int batches)
{
    struct usage u = measure(b, layout, batches);
    printf("%-34s %7.0f %8.2f %8.2f %8.2f %8.0f %9.1f\n", layout->name, u.rows / batches,
           u.client_us / u.rows, u.server_us / u.rows, (u.client_us + u.server_us) / u.rows,
           u.wal / u.rows, u.wall_us / batches / 1000);
    fflush(stdout);
}

static void time_arrays(struct bench *b)
{
    enum { ROUNDS = 200 };
    struct params p;
    int64_t started = clock_monotonic_us();
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(&b->arena);
        params_init(&p, &b->arena);
        params_int8_array(&p, &b->facts->anchor, sizeof *b->facts, EVENTS);
        params_timestamptz_array(&p, &b->facts->ts, sizeof *b->facts, EVENTS);
        params_uuid_array(&p, &b->facts->event, sizeof *b->facts, EVENTS);
        params_bytea_array(&p, &b->states->payload, sizeof *b->states, b->state_count);
    }
    double elements = ROUNDS * (3.0 * EVENTS + (double)b->state_count);
    printf("building arrays: %.1f ns per element\n",
           (double)(clock_monotonic_us() - started) * 1000 / elements);
}

static const char tables[] =
    "DROP SCHEMA IF EXISTS store_bench CASCADE; CREATE SCHEMA store_bench;"
    "CREATE TABLE store_bench.facts (anchor int8, ts timestamptz, event uuid, kind int2, channel "
    "int2, "
    "department int2, "
    "  flags int2, campaign int4, location int4, PRIMARY KEY (anchor, ts, event));"
    "CREATE TABLE store_bench.state (id int8 PRIMARY KEY, ver int8 NOT NULL, p bytea) WITH "
    "(fillfactor = 80);"
    "CREATE TABLE store_bench.cells (k int8 PRIMARY KEY, v int8 NOT NULL) WITH (fillfactor = 80);"
    "CREATE TABLE store_bench.outbox (seq int8 PRIMARY KEY, payload bytea);"
    "ALTER TABLE store_bench.outbox ALTER payload SET STORAGE EXTERNAL;";

/* All profiles' states, in the order of their keys. */
static void fill_states(struct bench *b)
{
    int64_t *keys = malloc(PROFILES * sizeof *keys);
    if (keys == NULL)
        abort();
    for (int64_t i = 0; i < PROFILES; i++)
        keys[i] = key_of(i);
    qsort(keys, PROFILES, sizeof *keys, by_key);
    must(b, db_copy_begin(b->db, "COPY store_bench.state FROM STDIN BINARY", &b->err));
    for (int64_t i = 0; i < PROFILES; i++) {
        copy_row(b->db, 3);
        copy_int8(b->db, keys[i]);
        copy_int8(b->db, 0);
        copy_bytes(b->db, (struct span){b->bytes + i % 1000, PAYLOAD});
    }
    must(b, db_copy_end(b->db, NULL, &b->err));
    free(keys);
}

static void set_up(struct bench *b)
{
    const char *url = getenv("TUTTI_DATABASE_URL");
    must(b, db_open_url(url ? url : "", "store-bench", &b->db, &b->err));
    db_session_set(b->db, "enable_hashjoin", "off");
    db_session_set(b->db, "enable_mergejoin", "off");
    db_session_set(b->db, "client_min_messages", "warning");
    must(b, db_ready(b->db, &b->err));
    b->random = 88172645463325252u;
    b->versions = calloc(PROFILES, sizeof *b->versions);
    b->facts = calloc(EVENTS, sizeof *b->facts);
    b->states = calloc(EVENTS, sizeof *b->states);
    b->cells = calloc(CELLS, sizeof *b->cells);
    b->bytes = malloc(OUTBOX);
    if (!b->versions || !b->facts || !b->states || !b->cells || !b->bytes)
        abort();
    for (int i = 0; i < OUTBOX; i++)
        b->bytes[i] = (char)next_random(b);
    must(b, db_script(b->db, tables, &b->err));
    fill_states(b);
    must(b, db_script(b->db, "ANALYZE store_bench.state", &b->err));
}

int main(int argc, char **argv)
{
    static struct bench bench;
    int batches = argc > 1 ? atoi(argv[1]) : 50;
    set_up(&bench);
    printf("%-34s %7s %8s %8s %8s %8s %9s\n", "one transaction per batch", "rows", "client",
           "server", "us/row", "WAL B", "ms/batch");
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        report(&bench, &layouts[i], batches);
    time_arrays(&bench);
    must(&bench, db_script(bench.db, "DROP SCHEMA store_bench CASCADE", &bench.err));
    db_close(bench.db);
    return 0;
}
