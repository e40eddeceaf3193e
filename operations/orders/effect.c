/* effect.c: members before and after, and sections about them; see effect.h. */
#include "operations/orders/effect.h"

#include "common/base/map.h"
#include "operations/report_query.h"
#include "orders_sql.h"

struct id_set {
    struct id *items;
    size_t count, capacity;
};

static void add_moves(struct arena *arena, const struct resolve_plan *plan, struct id_set *profiles)
{
    for (size_t i = 0; i < plan->move_count; i++) {
        *arena_push(arena, profiles) = plan->moves[i].old_profile_id;
        *arena_push(arena, profiles) = plan->moves[i].profile_id;
    }
}

/* Profiles of the identifiers as they are today. */
static enum outcome add_profiles(struct db *db, struct arena *arena, const struct id *identifiers,
                                 size_t count, struct id_set *profiles, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, identifiers, sizeof *identifiers, count);
    CHECK(db_run(db, &sql_effect_find, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(arena, profiles) = db_uuid(r, row, 0);
    return OUTCOME_OK;
}

static void read_members(struct arena *arena, const struct db_result *r, struct effect_members *out)
{
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(arena, out) = (struct effect_member){
            .identifier_id = db_uuid(r, row, 0),
            .before = db_uuid(r, row, 1),
            .after = db_uuid(r, row, 2),
            .stored = db_uuid(r, row, 3),
            .version = db_int8(r, row, 4),
        };
}

enum outcome effect_members(struct db *db, struct arena *arena, const struct id *identifiers,
                            size_t count, const struct resolve_plan *plan,
                            struct effect_members *out, struct err *err)
{
    struct id_set profiles = {0};
    add_moves(arena, plan, &profiles);
    CHECK(add_profiles(db, arena, identifiers, count, &profiles, err));
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, profiles.items, sizeof *profiles.items, profiles.count);
    const struct identity_move *first = plan->moves;
    params_uuid_array(&p, first ? &first->identifier_id : NULL, sizeof *first, plan->move_count);
    params_uuid_array(&p, first ? &first->old_profile_id : NULL, sizeof *first, plan->move_count);
    params_uuid_array(&p, first ? &first->profile_id : NULL, sizeof *first, plan->move_count);
    CHECK(db_run(db, &sql_effect_members, &p, &r, NULL, err));
    *out = (struct effect_members){0};
    read_members(arena, r, out);
    return OUTCOME_OK;
}

bool effect_splits(const struct effect_members *members)
{
    struct map after; /* by profile before: that of the first member */
    bool splits = false;
    map_init(&after, NULL, sizeof(struct id), sizeof(struct id));
    for (size_t i = 0; i < members->count && !splits; i++) {
        bool is_first;
        struct id *known = map_put(&after, &members->items[i].before, &is_first);
        if (is_first)
            *known = members->items[i].after;
        splits = !id_equal(known, &members->items[i].after);
    }
    map_free(&after);
    return splits;
}

static const struct part {
    const struct statement *statement;
    struct section_form form;
} parts[] = {
    {&sql_effect_profiles,
     {.name = "members",
      .title = "Profiles afterwards",
      .columns = {{"profile", CELL_TEXT},
                  {"before", CELL_TEXT},
                  {"identifier", CELL_TEXT},
                  {"type", CELL_TEXT},
                  {"first_seen", CELL_TEXT},
                  {"note", CELL_TEXT},
                  {"touchpoints", CELL_NUMBER}}}},
    {&sql_effect_moves,
     {.name = "moves",
      .title = "What changes its profile",
      .columns = {{"identifiers", CELL_NUMBER},
                  {"touchpoints", CELL_NUMBER},
                  {"conversions", CELL_NUMBER},
                  {"revenue", CELL_NUMBER},
                  {"currency", CELL_TEXT}}}},
    {&sql_effect_reservations,
     {.name = "reservations",
      .title = "Granted contacts that are still to be made",
      .columns = {{"request", CELL_TEXT},
                  {"before", CELL_TEXT},
                  {"profile", CELL_TEXT},
                  {"channel", CELL_TEXT},
                  {"department", CELL_TEXT},
                  {"planned", CELL_TEXT},
                  {"expires", CELL_TEXT}}}},
};

enum outcome effect_report(struct db *db, const struct effect_members *members,
                           struct report *report, struct err *err)
{
    struct params p;
    const struct effect_member *first = members->items;
    params_init(&p, report->arena);
    params_uuid_array(&p, first ? &first->identifier_id : NULL, sizeof *first, members->count);
    params_uuid_array(&p, first ? &first->before : NULL, sizeof *first, members->count);
    params_uuid_array(&p, first ? &first->after : NULL, sizeof *first, members->count);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(report_query(report, db, &parts[i].form, parts[i].statement, &p, NULL, err));
    return OUTCOME_OK;
}
