/* zones.c: rows of tutti_meta.zones as a set; see zones.h. */
#include "common/service/zones.h"

#include "service_sql.h"

static struct zone_name read_zone(const struct db_result *r, int row, struct arena *arena)
{
    struct zone_name name = {
        .code = db_int2(r, row, 0),
        .name = arena_copy(arena, db_bytes(r, row, 1)),
        .alias_of = db_int2(r, row, 2),
        .zone = {.first = db_int4(r, row, 3)},
    };
    name.zone.count = (uint32_t)db_timestamptz_array(r, row, 4, arena, &name.zone.at);
    db_int4_array(r, row, 5, arena, &name.zone.offset);
    return name;
}

enum outcome zones_load(struct db *db, struct arena *arena, const struct id *zones,
                        struct zone_set *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, zones);
    CHECK(db_run(db, &sql_zones_load, &p, &r, NULL, err));
    size_t count = (size_t)db_rows(r);
    struct zone_name *names = arena_array(arena, struct zone_name, count);
    for (size_t i = 0; i < count; i++)
        names[i] = read_zone(r, (int)i, arena);
    zone_set_finish(out, arena, names, count);
    return OUTCOME_OK;
}

static enum outcome load_version(struct db *db, struct arena *arena, const struct id *zones,
                                 struct zone_book *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, zones);
    CHECK(db_run(db, &sql_zones_version, &p, &r, NULL, err));
    out->version = db_rows(r) ? arena_copy(arena, db_bytes(r, 0, 0)) : SPAN("none");
    return OUTCOME_OK;
}

enum outcome zones_load_book(struct db *db, struct arena *arena, const struct id *zones,
                             struct zone_book *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    *out = (struct zone_book){.version = SPAN_NONE};
    CHECK(zones_load(db, arena, zones, &out->set, err));
    CHECK(load_version(db, arena, zones, out, err));
    params_init(&p, arena);
    params_uuid(&p, zones);
    CHECK(db_run(db, &sql_zones_countries, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++)
        zone_country_add(&out->countries, arena, arena_copy(arena, db_bytes(r, i, 0)),
                         db_int2(r, i, 1));
    return OUTCOME_OK;
}

enum outcome zones_find(const struct zone_set *set, struct arena *arena, struct span name,
                        const struct zone **out, struct err *err)
{
    const struct zone_name *found = zone_set_find(set, name);
    *out = found ? &found->zone : &zone_utc;
    if (found || span_is(name, "UTC"))
        return OUTCOME_OK;
    struct span nearest = zone_set_nearest(set, name);
    return err_set(
        err, OUTCOME_FATAL, "policy_invalid", "no time zone \"" SPAN_FMT "\"%s", SPAN_ARG(name),
        nearest.ptr ? arena_printf(arena, "; did you mean \"" SPAN_FMT "\"?", SPAN_ARG(nearest))
                    : "; names are those of the time zone database: Europe/Berlin");
}
