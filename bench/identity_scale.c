/* identity_scale.c: new links per second through identity-resolver's transaction, with few and with
 * many identifiers stored.
 *
 *   TUTTI_DATABASE_URL=... bench-identity_scale [PEOPLE [BATCH]]
 *
 * PEOPLE are 2,000,000 unless given. Each has five identifiers, and there is one junk identifier
 * per thousand people. BATCH is 20,000 new links unless given: identity-resolver takes more while
 * it is behind. The program makes a database of its own and drops it at the end. With KEEP in the
 * environment the database stays, for `tutti identity plan`.
 * Exit code 1 below 10,000 links/s, or where many identifiers cost more than 20 % of the rate of
 * few. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/service/generation.h"
#include "common/store/schema_migrations.h"
#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/database.h"

enum {
    FEW_PEOPLE = 20000,
    PER_PERSON = 5,
    JUNK_PER_THOUSAND = 5, /* of the people: one identifier in a thousand */
    JUNK_LINKS = 50,
    ROUNDS = 5,
    /* small: it should not make the profiles of few people larger than those of many */
    WARM_UP_BATCH = 500,
    WARM_UP = 6, /* a prepared statement may get its lasting plan at the sixth time */
    MOST_UNSTEADY = 100,
    CACHE_BYTES = 1 << 30,
    STEADY_WAL = 700 /* bytes per link: no more than a few images of whole pages */
};
static const double LIMIT = 10000, DROP = 0.2;

struct bench {
    struct arena arena, batch;
    struct resolver resolver;
    struct scratch scratch;
    struct db *db;
    uint64_t people;
    size_t batch_size;
    bool is_warm;  /* what was loaded is in the server's memory */
    uint64_t made; /* new identifiers so far */
};

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static struct id made_id(uint64_t number)
{
    struct id id;
    uint64_t first = mix(number), second = mix(~number);
    memcpy(id.bytes, &first, 8);
    memcpy(id.bytes + 8, &second, 8);
    return id;
}

/* A person's k-th identifier; 0 is the user id, which is the oldest. */
static struct id person_id(uint64_t person, unsigned k)
{
    return made_id(person * 8 + k);
}

static struct id junk_id(uint64_t number)
{
    return made_id(UINT64_C(1) << 60 | number);
}

static struct instant seen_at(uint64_t person, unsigned k)
{
    return (struct instant){INT64_C(1700000000000000) + (int64_t)person * 1000 + k};
}

static const struct identity_type *type_of(const struct bench *b, unsigned k)
{
    return &b->resolver.policy.types[k];
}

static void copy_identifier(struct bench *b, const struct id *id, const struct id *profile,
                            struct instant at, int16_t type, bool is_junk)
{
    copy_row(b->db, 6);
    copy_uuid(b->db, id);
    copy_uuid(b->db, profile);
    copy_timestamptz(b->db, at);
    copy_int8(b->db, is_junk);
    copy_int2(b->db, type);
    copy_bool(b->db, is_junk);
}

static void copy_link(struct bench *b, const struct id *x, const struct id *y, struct instant at,
                      enum refusal refused_by)
{
    struct link_key key = link_key_of(x, y);
    struct id evidence = made_id((uint64_t)at.us);
    copy_row(b->db, 5);
    copy_uuid(b->db, &key.a);
    copy_uuid(b->db, &key.b);
    copy_timestamptz(b->db, at);
    copy_uuid(b->db, &evidence);
    copy_int2(b->db, (int16_t)refused_by);
}

static uint64_t junk_count(uint64_t people)
{
    return people * JUNK_PER_THOUSAND / 1000;
}

static uint64_t stored(const struct bench *b)
{
    return b->people * PER_PERSON + junk_count(b->people) + b->made;
}

static void load_identifiers(struct bench *b)
{
    struct err err = {0};
    int64_t rows;
    database_must(
        db_copy_begin(
            b->db,
            "COPY identity.identifiers (identifier_id, profile_id, first_seen_at, version, type, "
            "is_quarantined) FROM STDIN BINARY",
            &err),
        &err);
    for (uint64_t person = 0; person < b->people; person++) {
        struct id profile = person_id(person, 0);
        for (unsigned k = 0; k < PER_PERSON; k++) {
            struct id id = person_id(person, k);
            copy_identifier(b, &id, &profile, seen_at(person, k), type_of(b, k)->rank, false);
        }
    }
    for (uint64_t number = 0; number < junk_count(b->people); number++) {
        struct id id = junk_id(number);
        copy_identifier(b, &id, &id, seen_at(number, 7), type_of(b, PER_PERSON)->rank, true);
    }
    database_must(db_copy_end(b->db, &rows, &err), &err);
}

static void load_links(struct bench *b)
{
    struct err err = {0};
    int64_t rows;
    database_must(
        db_copy_begin(
            b->db,
            "COPY identity.links (a, b, first_seen_at, evidence, refused_by) FROM STDIN BINARY",
            &err),
        &err);
    for (uint64_t person = 0; person < b->people; person++) {
        struct id user = person_id(person, 0);
        for (unsigned k = 1; k < PER_PERSON; k++) {
            struct id id = person_id(person, k);
            copy_link(b, &user, &id, seen_at(person, k), REFUSED_NOT);
        }
    }
    for (uint64_t number = 0; number < junk_count(b->people); number++)
        for (uint64_t i = 0; i < JUNK_LINKS; i++) {
            uint64_t person = (mix(number) + i * 101) % b->people; /* no one twice */
            struct id junk = junk_id(number), user = person_id(person, 0);
            copy_link(b, &junk, &user, seen_at(person, 8 + (unsigned)i), REFUSED_QUARANTINE);
        }
    database_must(db_copy_end(b->db, &rows, &err), &err);
}

/* A batch in which known people are seen with an identifier that is new: one new link each. */
static struct sightings make_batch(struct bench *b)
{
    struct sightings sightings = {0};
    for (size_t i = 0; i < b->batch_size; i++) {
        struct typed_id *ids = arena_array(&b->batch, struct typed_id, 2);
        uint64_t number = b->made++;
        /* no one twice in a batch */
        ids[0] = (struct typed_id){person_id(number * 7919 % b->people, 0), type_of(b, 0)};
        ids[1] = (struct typed_id){made_id(UINT64_C(1) << 61 | number), type_of(b, 4)};
        *arena_push(&b->batch, &sightings) = (struct sighting){made_id(UINT64_C(1) << 62 | number),
                                                               seen_at(b->people + number, 0),
                                                               ids,
                                                               2,
                                                               false,
                                                               SPAN_NONE,
                                                               SPAN_NONE};
    }
    return sightings;
}

static double seconds(void)
{
    return (double)clock_monotonic_us() / 1e6;
}

static int64_t number(struct bench *b, const char *sql)
{
    struct statement statement = {sql, sql};
    struct params p;
    struct db_result *r = NULL;
    struct err err = {0};
    params_init(&p, &b->batch);
    database_must(db_run(b->db, &statement, &p, &r, NULL, &err), &err);
    int64_t value = db_int8(r, 0, 0);
    return value;
}

static int64_t wal_bytes(struct bench *b)
{
    return number(b, "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8");
}

/* Of this process and of its backend, where that is on this machine. */
static double cpu_seconds(struct bench *b)
{
    char path[64];
    long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%lld/stat",
             (long long)number(b, "SELECT pg_backend_pid()::int8"));
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
                       &user, &system) != 2)
        user = system = 0;
    if (file)
        fclose(file);
    return (double)clock() / CLOCKS_PER_SEC +
           (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct figures {
    double rate, cpu_us, wal; /* links per second; of a link */
};

static struct figures run_batch(struct bench *b)
{
    struct err err = {0};
    struct committed_change change;
    arena_reset(&b->batch);
    struct sightings sightings = make_batch(b);
    int64_t wal = wal_bytes(b);
    double cpu = cpu_seconds(b), start = seconds();
    database_must(resolver_look_up(&b->resolver, &b->batch, &sightings, &err), &err);
    database_must(resolver_transact(&b->resolver, &b->batch, &sightings, seen_at(b->people, 9),
                                    &change, &err),
                  &err);
    double took = seconds() - start, size = (double)b->batch_size;
    return (struct figures){size / took, (cpu_seconds(b) - cpu) * 1e6 / size,
                            (double)(wal_bytes(b) - wal) / size};
}

static int rate_compare(const void *x, const void *y)
{
    const struct figures *a = x, *b = y;
    return (a->rate > b->rate) - (a->rate < b->rate);
}

/* The first change of a page after a checkpoint puts all of it into the log. That is soon over on a
 * small table, and on a large one where checkpoints are half an hour apart; what is measured is the
 * state after it. */
static struct figures run_steady_batch(struct bench *b)
{
    struct figures figures;
    int round = 0;
    do {
        figures = run_batch(b);
    } while (figures.wal >= STEADY_WAL && ++round < MOST_UNSTEADY);
    return figures;
}

static void warm_up(struct bench *b)
{
    for (int round = 0; round < WARM_UP; round++)
        run_steady_batch(b);
}

static void open_resolver(struct bench *b)
{
    struct err err = {0};
    struct strbuf text = {.arena = &b->arena};
    static const char *const off[] = {"enable_hashjoin", "enable_mergejoin", "enable_seqscan",
                                      "enable_bitmapscan"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        database_must(db_script(b->db, arena_printf(&b->arena, "SET %s = off", off[i]), &err),
                      &err);
    b->resolver.db = b->db;
    database_must(generation_read_file(&text, TUTTI_SOURCE_DIR "/policies/identity.json", &err),
                  &err);
    database_must(resolver_claim_policy(&b->resolver, &b->arena, strbuf_span(&text), &err), &err);
    resolver_cache_open(&b->resolver.cache, CACHE_BYTES);
}

static const char mark_refused[] = "UPDATE identity.identifiers SET has_refused = true FROM "
                                   "(SELECT a AS id FROM identity.links WHERE refused_by <> 0"
                                   " UNION SELECT b FROM identity.links WHERE refused_by <> 0) AS "
                                   "r WHERE identifier_id = r.id AND NOT has_refused";

/* A bulk load leaves little in the server's memory, where a service that has run for a while has
 * all of it. */
static void prewarm(struct bench *b)
{
    struct err err = {0};
    b->is_warm = db_script(b->db, "CREATE EXTENSION IF NOT EXISTS pg_prewarm", &err) == OUTCOME_OK;
    if (b->is_warm)
        database_must(db_script(b->db,
                                "SELECT pg_prewarm(c.oid) FROM pg_class c JOIN pg_namespace n ON "
                                "n.oid = c.relnamespace"
                                " WHERE n.nspname = 'identity' AND c.relkind IN ('r', 'i')",
                                &err),
                      &err);
}

static void open_bench(struct bench *b, const char *name, uint64_t people, size_t batch_size)
{
    struct err err = {0};
    scratch_create(&b->scratch, name);
    b->people = people;
    b->batch_size = batch_size;
    b->db = database_open(b->scratch.url);
    database_must(migrations_up(b->db, &schema_files, false, NULL, &err), &err);
    open_resolver(b);
}

static void load(struct bench *b)
{
    struct err err = {0};
    double start = seconds();
    load_identifiers(b);
    load_links(b);
    prewarm(b);
    database_must(db_script(b->db, mark_refused, &err), &err);
    database_must(
        db_script(b->db, "VACUUM (FREEZE, ANALYZE) identity.identifiers, identity.links", &err),
        &err);
    printf("%llu identifiers loaded in %.0f s%s\n", (unsigned long long)stored(b),
           seconds() - start, b->is_warm ? ", prewarmed" : "");
    fflush(stdout);
}

/* As cache.warm does at the start of the service. */
static void warm_cache(struct bench *b)
{
    struct err err = {0};
    struct arena arena = {0};
    double start = seconds();
    database_must(resolver_warm_up(&b->resolver, &arena, stored(b), &err), &err);
    arena_free(&arena);
    printf("%zu identifiers cached in %.0f s: %zu MB\n", resolver_cache_count(&b->resolver.cache),
           seconds() - start, resolver_cache_bytes(&b->resolver.cache) >> 20);
}

static void close_bench(struct bench *b)
{
    resolver_close(&b->resolver);
    db_close(b->db);
    if (getenv("KEEP"))
        printf("left: %s\n", b->scratch.url);
    else
        scratch_drop(&b->scratch);
    arena_free(&b->batch);
    arena_free(&b->arena);
}

/* The median of the rounds. */
static struct figures report(struct figures rounds[ROUNDS], uint64_t identifiers)
{
    qsort(rounds, ROUNDS, sizeof *rounds, rate_compare);
    struct figures f = rounds[ROUNDS / 2];
    printf(
        "%11llu identifiers stored: %8.0f new links/s, %.1f us of CPU and %.0f bytes of WAL each\n",
        (unsigned long long)identifiers, f.rate, f.cpu_us, f.wal);
    return f;
}

/* Of few people the profiles would grow from round to round, so each round has a database of its
 * own. */
static struct figures run_few(size_t batch_size, uint64_t *stored_before)
{
    static const struct bench empty;
    static struct bench few;
    few = empty;
    open_bench(&few, "tutti_identity_few", FEW_PEOPLE, WARM_UP_BATCH);
    load(&few);
    warm_cache(&few);
    warm_up(&few);
    few.batch_size = batch_size;
    *stored_before = stored(&few);
    struct figures figures = run_steady_batch(&few);
    close_bench(&few);
    return figures;
}

int main(int argc, char **argv)
{
    static struct bench many;
    struct figures few_rounds[ROUNDS], many_rounds[ROUNDS];
    uint64_t people = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000, few_stored;
    size_t batch_size = argc > 2 ? strtoull(argv[2], NULL, 10) : FEW_PEOPLE;
    if (people <= FEW_PEOPLE || batch_size == 0 || batch_size > FEW_PEOPLE) {
        fprintf(stderr,
                "usage: bench-identity_scale [PEOPLE [BATCH]], people more than %d, a batch no "
                "more than that\n",
                FEW_PEOPLE);
        return 2;
    }
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    open_bench(&many, "tutti_identity_many", people, batch_size);
    load(&many);
    warm_cache(&many);
    warm_up(&many);
    for (int round = 0; round < ROUNDS;
         round++) { /* by turns: whatever else the machine does hits both */
        few_rounds[round] = run_few(batch_size, &few_stored);
        many_rounds[round] = run_steady_batch(&many);
    }
    struct figures f = report(few_rounds, few_stored), m = report(many_rounds, stored(&many));
    printf("many / few: %.2f; by CPU %.2f\n", m.rate / f.rate, f.cpu_us / m.cpu_us);
    close_bench(&many);
    return f.rate >= LIMIT && m.rate >= LIMIT && m.rate >= (1 - DROP) * f.rate ? 0 : 1;
}
