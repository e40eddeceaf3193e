/* identity_scale.c: new links per second through identity-resolver's transaction, with few and with many identifiers stored.
 *
 * Usage: TUTTI_DATABASE_URL=... bench-identity_scale [PEOPLE]   (2,000,000; five identifiers each and one junk identifier per
 * thousand; a database of its own, dropped at the end, or left for `tutti identity plan` where KEEP is set in the environment).
 * Exit code 1 below 10,000 links/s or where many identifiers cost more than 20 % of the rate of few. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/service/generation.h"
#include "schema_migrations.h"
#include "services/identity-resolver/resolve.h"
#include "tests/support/database.h"

enum {
    FEW_PEOPLE = 20000,
    PER_PERSON = 5,
    JUNK_PER_THOUSAND = 5, /* of the people: one identifier in a thousand */
    JUNK_LINKS = 50,
    BATCH = 20000,
    ROUNDS = 6
};
static const double LIMIT = 10000, DROP = 0.2;

struct bench {
    struct arena arena, batch;
    struct resolver resolver;
    struct db *db;
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

static void copy_identifier(struct bench *b, const struct id *id, const struct id *profile, struct instant at, int16_t type,
                            bool is_junk)
{
    copy_row(b->db, 6);
    copy_uuid(b->db, id);
    copy_uuid(b->db, profile);
    copy_timestamptz(b->db, at);
    copy_int8(b->db, is_junk);
    copy_int2(b->db, type);
    copy_bool(b->db, is_junk);
}

static void copy_link(struct bench *b, const struct id *x, const struct id *y, struct instant at, enum refusal refused_by)
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

static void load_identifiers(struct bench *b, uint64_t from, uint64_t to)
{
    struct err err = {0};
    int64_t rows;
    database_must(db_copy_begin(b->db,
                                "COPY identity.identifiers (identifier_id, profile_id, first_seen_at, version, type, "
                                "is_quarantined) FROM STDIN BINARY",
                                &err),
                  &err);
    for (uint64_t person = from; person < to; person++) {
        struct id profile = person_id(person, 0);
        for (unsigned k = 0; k < PER_PERSON; k++) {
            struct id id = person_id(person, k);
            copy_identifier(b, &id, &profile, seen_at(person, k), type_of(b, k)->rank, false);
        }
    }
    for (uint64_t number = junk_count(from); number < junk_count(to); number++) {
        struct id id = junk_id(number);
        copy_identifier(b, &id, &id, seen_at(number, 7), type_of(b, PER_PERSON)->rank, true);
    }
    database_must(db_copy_end(b->db, &rows, &err), &err);
}

static void load_links(struct bench *b, uint64_t from, uint64_t to)
{
    struct err err = {0};
    int64_t rows;
    database_must(db_copy_begin(b->db, "COPY identity.links (a, b, first_seen_at, evidence, refused_by) FROM STDIN BINARY", &err),
                  &err);
    for (uint64_t person = from; person < to; person++) {
        struct id user = person_id(person, 0);
        for (unsigned k = 1; k < PER_PERSON; k++) {
            struct id id = person_id(person, k);
            copy_link(b, &user, &id, seen_at(person, k), REFUSED_NOT);
        }
    }
    for (uint64_t number = junk_count(from); number < junk_count(to); number++)
        for (uint64_t i = 0; i < JUNK_LINKS; i++) {
            uint64_t person = from + (mix(number) + i * 101) % (to - from); /* no one twice */
            struct id junk = junk_id(number), user = person_id(person, 0);
            copy_link(b, &junk, &user, seen_at(person, 8 + (unsigned)i), REFUSED_QUARANTINE);
        }
    database_must(db_copy_end(b->db, &rows, &err), &err);
}

/* A batch in which known people are seen with an identifier that is new: one new link each. */
static struct sightings make_batch(struct bench *b, uint64_t people)
{
    struct sightings sightings = {0};
    for (size_t i = 0; i < BATCH; i++) {
        struct typed_id *ids = arena_array(&b->batch, struct typed_id, 2);
        uint64_t number = b->made++;
        ids[0] = (struct typed_id){person_id(number * 7919 % people, 0), type_of(b, 0)}; /* no one twice in a batch */
        ids[1] = (struct typed_id){made_id(UINT64_C(1) << 61 | number), type_of(b, 4)};
        *arena_push(&b->batch, &sightings) =
            (struct sighting){made_id(UINT64_C(1) << 62 | number), seen_at(people + number, 0), ids, 2};
    }
    return sightings;
}

static double seconds(void)
{
    return (double)clock_monotonic_us() / 1e6;
}

/* The best of some rounds. */
static double measure(struct bench *b, uint64_t people)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct err err = {0};
        struct committed_change change;
        arena_reset(&b->batch);
        struct sightings sightings = make_batch(b, people);
        double start = seconds();
        database_must(resolver_look_up(&b->resolver, &b->batch, &sightings, &err), &err);
        database_must(resolver_transact(&b->resolver, &b->batch, &sightings, seen_at(people, 9), &change, &err), &err);
        double rate = BATCH / (seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static void open_resolver(struct bench *b)
{
    struct err err = {0};
    struct strbuf text = {.arena = &b->arena};
    static const char *const off[] = {"enable_hashjoin", "enable_mergejoin", "enable_seqscan", "enable_bitmapscan"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        database_must(db_script(b->db, arena_printf(&b->arena, "SET %s = off", off[i]), &err), &err);
    b->resolver.db = b->db;
    database_must(generation_read_file(&text, TUTTI_SOURCE_DIR "/policies/identity.json", &err), &err);
    database_must(resolver_claim_policy(&b->resolver, &b->arena, strbuf_span(&text), &err), &err);
    resolver_cache_open(&b->resolver.cache, 64 << 20);
}

static const char mark_refused[] =
    "UPDATE identity.identifiers SET has_refused = true FROM (SELECT a AS id FROM identity.links WHERE refused_by <> 0"
    " UNION SELECT b FROM identity.links WHERE refused_by <> 0) AS r WHERE identifier_id = r.id AND NOT has_refused";

/* A bulk load leaves little in the server's memory, where a service that has run for a while has all of it. */
static void prewarm(struct bench *b)
{
    struct err err = {0};
    b->is_warm = db_script(b->db, "CREATE EXTENSION IF NOT EXISTS pg_prewarm", &err) == OUTCOME_OK;
    if (b->is_warm)
        database_must(db_script(b->db,
                                "SELECT pg_prewarm(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                                " WHERE n.nspname = 'identity' AND c.relkind IN ('r', 'i')",
                                &err),
                      &err);
}

static double load_and_measure(struct bench *b, uint64_t from, uint64_t to)
{
    struct err err = {0};
    double start = seconds();
    load_identifiers(b, from, to);
    load_links(b, from, to);
    prewarm(b);
    database_must(db_script(b->db, mark_refused, &err), &err);
    database_must(db_script(b->db, "VACUUM (FREEZE, ANALYZE) identity.identifiers, identity.links", &err), &err);
    double loaded = seconds() - start;
    measure(b, to); /* warms up */
    double rate = measure(b, to);
    printf("%11llu identifiers stored: %8.0f new links/s (loaded in %.0f s%s)\n",
           (unsigned long long)(to * PER_PERSON + junk_count(to)), rate, loaded, b->is_warm ? ", prewarmed" : "");
    return rate;
}

int main(int argc, char **argv)
{
    struct scratch scratch;
    struct bench b = {0};
    struct err err = {0};
    uint64_t people = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    if (people <= FEW_PEOPLE) {
        fprintf(stderr, "usage: bench-identity_scale [PEOPLE], more than %d\n", FEW_PEOPLE);
        return 2;
    }
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_identity_scale");
    b.db = database_open(scratch.url);
    database_must(migrations_up(b.db, schema_migrations, schema_migrations_count, false, NULL, &err), &err);
    open_resolver(&b);
    double few = load_and_measure(&b, 0, FEW_PEOPLE), many = load_and_measure(&b, FEW_PEOPLE, people);
    printf("many / few: %.2f\n", many / few);
    resolver_close(&b.resolver);
    db_close(b.db);
    if (getenv("KEEP"))
        printf("left: %s\n", scratch.url);
    else
        scratch_drop(&scratch);
    arena_free(&b.batch);
    arena_free(&b.arena);
    return few >= LIMIT && many >= LIMIT && many >= (1 - DROP) * few ? 0 : 1;
}
