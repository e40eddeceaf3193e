/* zone_store.c: codes, aliases, and the rows of tutti_meta.zones; see zone_store.h. */
#include "operations/policies/zone_store.h"

#include "common/base/map.h"
#include "common/codec/digest.h"
#include "common/service/zones.h"
#include "policies_sql.h"

static bool same_clocks(const struct zone *a, const struct zone *b)
{
    if (a->first != b->first || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->at[i].us != b->at[i].us || a->offset[i] != b->offset[i])
            return false;
    return true;
}

/* The first of all names with the same table stands for the others. */
static void find_aliases(struct zone_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i && names[i].alias_of == ZONE_NONE; j++)
            if (names[j].alias_of == ZONE_NONE && same_clocks(&names[i].zone, &names[j].zone))
                names[i].alias_of = names[j].code;
}

/* A name keeps the code that it got from any version; new ones get the next. */
static enum outcome give_codes(struct desk *desk, struct zone_name *names, size_t count,
                               struct err *err)
{
    struct map known;
    struct params p;
    struct db_result *r = NULL;
    int16_t most = 0;
    params_init(&p, desk->arena);
    map_init(&known, desk->arena, sizeof(struct id), sizeof(int16_t));
    CHECK(db_run(desk->db, &sql_zone_codes, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct id key = hash128(db_bytes(r, i, 0));
        int16_t code = db_int2(r, i, 1);
        *(int16_t *)map_put(&known, &key, NULL) = code;
        most = code > most ? code : most;
    }
    for (size_t i = 0; i < count; i++) {
        struct id key = hash128(names[i].name);
        const int16_t *code = map_find(&known, &key);
        if (code == NULL && most == INT16_MAX)
            return err_set(err, OUTCOME_FATAL, "zones_unreadable", "more than %d time zones",
                           INT16_MAX);
        names[i].code = code ? *code : ++most;
    }
    return OUTCOME_OK;
}

static struct id hash_zones(struct arena *arena, const struct zone_files *files)
{
    struct strbuf text = {.arena = arena};
    pack_span(&text, files->version);
    for (size_t i = 0; i < files->names.count; i++) {
        const struct zone_name *name = &files->names.items[i];
        pack_span(&text, name->name);
        pack_be16(&text, (uint16_t)name->code);
        pack_be32(&text, (uint32_t)name->zone.first);
        pack_be32(&text, name->zone.count);
        for (uint32_t k = 0; k < name->zone.count; k++) {
            pack_be64(&text, (uint64_t)name->zone.at[k].us);
            pack_be32(&text, (uint32_t)name->zone.offset[k]);
        }
    }
    for (size_t i = 0; i < files->countries.count; i++) {
        pack_span(&text, files->countries.items[i].country);
        pack_span(&text, files->countries.items[i].name);
    }
    return digest_bytes(strbuf_span(&text));
}

static enum outcome choose_files(struct desk *desk, struct zone_choice *out, struct err *err)
{
    struct zone_files *files = arena_new(desk->arena, struct zone_files);
    CHECK(zone_files_read(desk, files, err));
    CHECK(give_codes(desk, files->names.items, files->names.count, err));
    find_aliases(files->names.items, files->names.count);
    zone_files_book(files, desk->arena, &out->book);
    out->zones = hash_zones(desk->arena, files);
    out->files = files;
    return OUTCOME_OK;
}

/* A host without the files can do without them, as long as a generation has zones. */
static void mention_other_files(struct desk *desk, const struct zone_choice *choice)
{
    struct zone_files files;
    struct err err = {0};
    if (zone_files_read(desk, &files, &err) == OUTCOME_OK &&
        !span_equal(files.version, choice->book.version))
        desk_note(desk,
                  "time zones stay those of tzdata " SPAN_FMT "; this host has " SPAN_FMT
                  ": --refresh-zones takes them",
                  SPAN_ARG(choice->book.version), SPAN_ARG(files.version));
}

enum outcome zone_choose(struct desk *desk, bool refresh, struct zone_choice *out, struct err *err)
{
    static const struct id none = {{0}};
    *out = (struct zone_choice){.files = NULL};
    CHECK(generation_find_zones(desk->db, desk->arena, &out->zones, err));
    if (refresh || id_equal(&out->zones, &none))
        return choose_files(desk, out, err);
    CHECK(zones_load_book(desk->db, desk->arena, &out->zones, &out->book, err));
    mention_other_files(desk, out);
    return OUTCOME_OK;
}

/* ---- rows ---- */

static enum outcome store_zone(struct db *db, struct arena *arena, const struct id *zones,
                               const struct zone_name *name, struct err *err)
{
    const struct zone *zone = &name->zone;
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, zones);
    params_int2(&p, name->code);
    params_text(&p, name->name);
    params_int2(&p, name->alias_of);
    params_int4(&p, zone->first);
    params_timestamptz_array(&p, zone->at, sizeof *zone->at, zone->count);
    params_int4_array(&p, zone->offset, sizeof *zone->offset, zone->count);
    return db_run(db, &sql_zone_insert, &p, NULL, NULL, err);
}

static enum outcome store_countries(struct db *db, struct arena *arena,
                                    const struct zone_choice *choice, struct err *err)
{
    const struct country_zone *items = choice->files->countries.items;
    size_t count = choice->files->countries.count;
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, &choice->zones);
    params_text_array(&p, &items->country, sizeof *items, count);
    params_text_array(&p, &items->name, sizeof *items, count);
    return db_run(db, &sql_zone_countries, &p, NULL, NULL, err);
}

enum outcome zone_store(struct db *db, struct arena *arena, const struct zone_choice *choice,
                        struct err *err)
{
    struct params p;
    int64_t is_new = 0;
    if (choice->files == NULL)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, &choice->zones);
    params_text(&p, choice->book.version);
    CHECK(db_run(db, &sql_zone_set, &p, NULL, &is_new, err));
    if (is_new == 0)
        return OUTCOME_OK;
    for (size_t i = 0; i < choice->book.set.count; i++)
        CHECK(store_zone(db, arena, &choice->zones, &choice->book.set.names[i], err));
    return store_countries(db, arena, choice, err);
}

/* ---- PostgreSQL's own answers ---- */

struct answers {
    struct instant *items;
    size_t count, capacity;
};

/* The second before each change, and the change. */
static void add_questions(struct arena *arena, const struct zone *zone, struct answers *out)
{
    static const struct duration second = {US_PER_SECOND};
    *arena_push(arena, out) = (struct instant){0};
    for (uint32_t i = 0; i < zone->count; i++)
        if (zone->at[i].us > 0) {
            *arena_push(arena, out) = instant_minus(zone->at[i], second);
            *arena_push(arena, out) = zone->at[i];
        }
}

static enum outcome differ(const struct zone_choice *choice, struct span name, struct instant at,
                           int32_t ours, int32_t theirs, struct err *err)
{
    char text[32];
    instant_format(at, text);
    return err_set(err, OUTCOME_FATAL, "zones_differ",
                   "time zone \"" SPAN_FMT "\": at %.19sZ its clocks are %d s east of UTC by "
                   "tzdata " SPAN_FMT
                   ", and %d s by PostgreSQL; bring both hosts to one version of "
                   "tzdata, then run `tutti policy apply --refresh-zones`",
                   SPAN_ARG(name), text, ours, SPAN_ARG(choice->book.version), theirs);
}

enum outcome zone_compare(struct desk *desk, const struct zone_choice *choice, struct span name,
                          struct err *err)
{
    const struct zone *zone = NULL;
    struct answers questions = {0};
    struct params p;
    struct db_result *r = NULL;
    CHECK(zones_find(&choice->book.set, desk->arena, name, &zone, err));
    add_questions(desk->arena, zone, &questions);
    params_init(&p, desk->arena);
    params_text(&p, name);
    params_timestamptz_array(&p, questions.items, sizeof *questions.items, questions.count);
    enum outcome outcome = db_run(desk->db, &sql_zone_answers, &p, &r, NULL, err);
    if (outcome == OUTCOME_REJECT && db_sqlstate_is(desk->db, "22023"))
        return err_set(err, OUTCOME_FATAL, "zones_differ",
                       "time zone \"" SPAN_FMT
                       "\": PostgreSQL does not know it; update the tzdata of its host",
                       SPAN_ARG(name));
    CHECK(outcome);
    for (size_t i = 0; i < questions.count; i++) {
        int32_t ours = zone_offset(zone, questions.items[i]), theirs = db_int4(r, (int)i, 0);
        if (ours != theirs)
            return differ(choice, name, questions.items[i], ours, theirs, err);
    }
    return OUTCOME_OK;
}
