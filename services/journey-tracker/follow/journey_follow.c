/* journey_follow.c: one step: the states of the active slot are locked, then members and facts are
 * read, and what a profile adds to the sums is stored beside it, so that it can be taken back. */
#include "services/journey-tracker/follow/journey_follow.h"

#include <stdlib.h>

#include "common/codec/cells.h"
#include "journey_tracker_sql.h"
#include "services/journey-tracker/follow/journey_follow_internal.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/journey_said.h"
#include "services/journey-tracker/journey_tool.h"
#include "services/journey-tracker/slow/journey_range.h"

/* Services that write one of these wait for the step: it should take some milliseconds. */
enum { PROFILES_PER_STEP = 250 };

/* ---- open and close ---- */

enum outcome follow_open(struct db *db, const char *dir, const struct generation *generation,
                         struct follow **out, struct err *err)
{
    struct follow *follow = *out = calloc(1, sizeof *follow);
    if (follow == NULL)
        abort();
    return tool_tracker_open(&follow->tracker, db, dir, generation, &follow->arena, err);
}

void follow_close(struct follow *follow)
{
    if (follow == NULL)
        return;
    tool_tracker_close(&follow->tracker);
    arena_free(&follow->arena);
    arena_free(&follow->step_arena);
    free(follow);
}

enum outcome follow_hold(struct follow *follow, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    arena_reset(&follow->step_arena);
    params_init(&p, &follow->step_arena);
    params_uuid(&p, &follow->tracker.generation.id);
    CHECK(db_run(follow->tracker.db, &sql_follow_hold, &p, &r, NULL, err));
    return db_rows(r) > 0
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "building_gone",
                         "these policies are not being derived any more: run this again");
}

enum outcome follow_count(struct follow *follow, uint64_t *count, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &follow->step_arena);
    CHECK(db_run(follow->tracker.db, &sql_follow_count, &p, &r, NULL, err));
    *count = (uint64_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

/* ---- sales ---- */

static enum outcome run_plain(struct follow *follow, const struct statement *statement,
                              struct err *err)
{
    struct params p;
    params_init(&p, &follow->step_arena);
    return db_run(follow->tracker.db, statement, &p, NULL, NULL, err);
}

static enum outcome run_of(struct follow *follow, const struct statement *statement,
                           const struct follow_keys *keys, struct db_result **r, struct err *err)
{
    struct params p;
    params_init(&p, &follow->step_arena);
    params_int8_array(&p, keys->items, sizeof *keys->items, keys->count);
    return db_run(follow->tracker.db, statement, &p, r, NULL, err);
}

enum outcome follow_prepare(struct follow *follow, struct err *err)
{
    CHECK(shapes_write_missing(follow->tracker.shapes, &follow->step_arena, err));
    CHECK(run_plain(follow, &sql_follow_gone_sales, err));
    return run_plain(follow, &sql_follow_free_sales, err);
}

enum outcome follow_settle_nobody(struct follow *follow, struct err *err)
{
    int64_t nobody = 0;
    struct follow_keys keys = {&nobody, 1, 1};
    return run_of(follow, &sql_follow_settle, &keys, NULL, err);
}

/* ---- what is derived ---- */

/* The profiles of one step. Those that are gone have no state any more. */
struct step {
    struct follow *follow;
    struct follow_keys found, anchors, gone;
    struct slow_profile *profiles;
    struct state_row *rows; /* rows[i] is that of profiles[i] */
    struct saving *savings; /* the same */
    size_t count;
    struct member_row *members;
    size_t member_count;
    struct map taken;
    struct saving all; /* the rows of all profiles */
    struct follow_cells *cells;
};

static enum outcome find(struct step *step, int64_t last, struct err *err)
{
    struct follow *follow = step->follow;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &follow->step_arena);
    params_int8(&p, last);
    params_int8(&p, PROFILES_PER_STEP);
    CHECK(db_run(follow->tracker.db, &sql_follow_find, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(&follow->step_arena, &step->found) = db_int8(r, i, 0);
    return OUTCOME_OK;
}

static enum outcome lock(struct step *step, struct err *err)
{
    struct arena *arena = &step->follow->step_arena;
    struct db_result *r = NULL;
    CHECK(run_of(step->follow, &sql_follow_lock_states, &step->found, &r, err));
    step->count = (size_t)db_rows(r);
    step->rows = arena_array(arena, struct state_row, step->count);
    for (size_t i = 0; i < step->count; i++)
        step->rows[i] = (struct state_row){.profile = db_int8(r, (int)i, 0),
                                           .ver = db_int8(r, (int)i, 1),
                                           .members = db_int8(r, (int)i, 2),
                                           .generation = step->follow->tracker.generation.number,
                                           .payload = SPAN("")};
    for (size_t i = 0; i < step->found.count; i++)
        if (timeline_find_state(step->rows, step->count, step->found.items[i]) == NULL)
            *arena_push(arena, &step->gone) = step->found.items[i];
    return OUTCOME_OK;
}

/* Their anchors, with the sales that these tell, and no more of what was derived of them before. */
static enum outcome clear(struct step *step, struct err *err)
{
    struct follow *follow = step->follow;
    struct arena *arena = &follow->step_arena;
    struct db_result *r = NULL;
    CHECK(run_of(follow, &sql_follow_anchors, &step->found, &r, err));
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, &step->anchors) = db_int8(r, i, 0);
    CHECK(shapes_write_missing(follow->tracker.shapes, arena, err));
    CHECK(run_of(follow, &sql_follow_settle, &step->anchors, NULL, err));
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, step->found.items, sizeof *step->found.items, step->found.count);
    params_int8_array(&p, step->anchors.items, sizeof *step->anchors.items, step->anchors.count);
    return db_run(follow->tracker.db, &sql_follow_clear, &p, NULL, NULL, err);
}

static enum outcome find_taken(struct step *step, struct err *err)
{
    struct arena *arena = &step->follow->step_arena;
    struct sale_rows copies = {0};
    map_init(&step->taken, arena, sizeof(struct fact_key), sizeof(uint8_t));
    CHECK(journey_store_find_copies_of(step->follow->tracker.db, arena, step->anchors.items,
                                       step->anchors.count, &copies, err));
    for (size_t i = 0; i < copies.count; i++)
        *(uint8_t *)map_put(&step->taken, &copies.items[i].key, NULL) = TAKEN_BEFORE | TAKEN_AFTER;
    return OUTCOME_OK;
}

static enum outcome read_members(struct step *step, struct err *err)
{
    struct arena *arena = &step->follow->step_arena;
    int64_t *keys = arena_array(arena, int64_t, step->count);
    for (size_t i = 0; i < step->count; i++)
        keys[i] = step->rows[i].profile;
    return timeline_members(step->follow->tracker.timeline, step->follow->tracker.db, arena, keys,
                            step->count, &step->members, &step->member_count, err);
}

/* Members and profiles are sorted alike. */
static void start_profiles(struct step *step)
{
    struct arena *arena = &step->follow->step_arena;
    step->profiles = arena_array(arena, struct slow_profile, step->count);
    step->savings = arena_array(arena, struct saving, step->count);
    for (size_t i = 0, m = 0; i < step->count; i++) {
        struct follow_keys anchors = {0};
        bool is_person = false;
        for (; m < step->member_count && step->members[m].profile <= step->rows[i].profile; m++) {
            if (step->members[m].profile < step->rows[i].profile)
                continue;
            *arena_push(arena, &anchors) = step->members[m].anchor;
            is_person |= version_is_person(step->members[m].version);
        }
        saving_init(&step->savings[i], arena);
        step->profiles[i] = (struct slow_profile){
            .row = &step->rows[i],
            .is_identified = is_person && step->follow->tracker.policy.asks_identified,
            .anchors_after = anchors.items,
            .after_count = anchors.count,
            .first_change = INSTANT_FIRST,
            .last_change = INSTANT_NEVER,
            .own = &step->savings[i],
        };
    }
}

static enum outcome derive(struct step *step, struct err *err)
{
    struct map fresh;
    map_init(&fresh, &step->follow->step_arena, sizeof(struct fact_key), 1);
    CHECK(read_members(step, err));
    start_profiles(step);
    CHECK(find_taken(step, err));
    saving_init(&step->all, &step->follow->step_arena);
    return range_rederive(&step->follow->tracker, &step->all, step->profiles, step->count, &fresh,
                          &step->taken, err);
}

/* ---- what is written ---- */

struct follow_cells follow_sorted_cells(struct arena *arena, const struct journey_effects *effects)
{
    struct follow_cells cells = {.items = arena_array(arena, struct cell, effects->cells.count)};
    size_t cursor = 0;
    while (journey_effects_next(effects, &cursor, &cells.items[cells.count]))
        cells.count++;
    qsort(cells.items, cells.count, sizeof *cells.items, cell_compare);
    return cells;
}

static void add_rows(struct arena *arena, struct saving *to, const struct saving *from)
{
#define ROW_KIND(name, row, list)                                                                  \
    for (size_t i = 0; i < from->effects.name.count; i++)                                          \
        *arena_push(arena, &to->effects.name) = from->effects.name.items[i];
#include "services/journey-tracker/logic/rows.def"
    for (size_t i = 0; i < from->checkpoints.count; i++)
        *arena_push(arena, &to->checkpoints) = from->checkpoints.items[i];
}

enum outcome follow_write_rows(struct follow *follow, struct saving *saving, struct err *err)
{
    struct db *db = follow->tracker.db;
    struct arena *arena = &follow->step_arena;
    if (saving->effects.missed_window)
        return err_set(err, OUTCOME_FATAL, "missed_window",
                       "a conversion was derived without its whole lookback, or a return without "
                       "its order");
#define ROW_KIND(name, row, list)                                                                  \
    CHECK(journey_store_write_##name(db, arena, &saving->effects.name, err));
#include "services/journey-tracker/logic/rows.def"
    return journey_store_write_checkpoints(db, arena, &saving->checkpoints, err);
}

/* What the profiles of this step added before is taken back. */
static enum outcome take_back(struct step *step, struct err *err)
{
    struct arena *arena = &step->follow->step_arena;
    struct db_result *r = NULL;
    CHECK(run_of(step->follow, &sql_follow_find_noted, &step->found, &r, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct cell *cells = NULL;
        size_t count = 0;
        CHECK(cells_unpack(arena, db_bytes(r, row, 0), &cells, &count, err));
        for (size_t i = 0; i < count; i++) {
            for (int v = 0; v < CELL_VALUES; v++)
                cells[i].values[v] = -cells[i].values[v];
            *arena_push(arena, step->cells) = cells[i];
        }
    }
    return OUTCOME_OK;
}

static enum outcome note(struct step *step, const struct span *packed, struct err *err)
{
    struct params p;
    struct db *db = step->follow->tracker.db;
    const struct state_row *rows = step->rows;
    params_init(&p, &step->follow->step_arena);
    params_int8_array(&p, &rows->profile, sizeof *rows, step->count);
    params_int8_array(&p, &rows->ver, sizeof *rows, step->count);
    params_bytea_array(&p, packed, sizeof *packed, step->count);
    CHECK(db_run(db, &sql_follow_note, &p, NULL, NULL, err));
    params_init(&p, &step->follow->step_arena);
    params_int8_array(&p, &rows->profile, sizeof *rows, step->count);
    params_int8_array(&p, &rows->ver, sizeof *rows, step->count);
    params_int8_array(&p, &rows->members, sizeof *rows, step->count);
    params_int4(&p, step->follow->tracker.generation.number);
    params_bytea_array(&p, &rows->payload, sizeof *rows, step->count);
    CHECK(db_run(db, &sql_follow_save_states, &p, NULL, NULL, err));
    return run_of(step->follow, &sql_follow_forget, &step->gone, NULL, err);
}

static enum outcome save(struct step *step, struct err *err)
{
    struct follow *follow = step->follow;
    struct arena *arena = &follow->step_arena;
    struct span *packed = arena_array(arena, struct span, step->count);
    for (size_t i = 0; i < step->count; i++) {
        struct follow_cells own = follow_sorted_cells(arena, &step->savings[i].effects);
        struct strbuf text = {.arena = arena};
        cells_pack(&text, own.items, own.count);
        packed[i] = strbuf_span(&text);
        for (size_t c = 0; c < own.count; c++)
            *arena_push(arena, step->cells) = own.items[c];
        step->all.effects.missed_window |= step->savings[i].effects.missed_window;
        add_rows(arena, &step->all, &step->savings[i]);
        step->rows[i].payload = convert_pack(&follow->tracker, arena, &step->profiles[i].state);
    }
    CHECK(follow_write_rows(follow, &step->all, err));
    return note(step, packed, err);
}

static enum outcome write_traits(struct step *step, struct err *err)
{
    struct follow *follow = step->follow;
    struct db_result *r = NULL;
    struct facts facts = {0};
    if (follow->tracker.policy.trait_count == 0)
        return OUTCOME_OK;
    CHECK(run_of(follow, &sql_follow_sayings, &step->anchors, &r, err));
    traits_facts(r, &follow->step_arena, &facts);
    return traits_write(&follow->tracker, &follow->step_arena, &facts, err);
}

enum outcome follow_step(struct follow *follow, int64_t *last, size_t *done,
                         struct follow_cells *cells, struct err *err)
{
    struct step step = {.follow = follow, .cells = cells};
    arena_reset(&follow->step_arena);
    *cells = (struct follow_cells){0};
    CHECK(find(&step, *last, err));
    *done = step.found.count;
    if (*done == 0)
        return OUTCOME_OK;
    *last = step.found.items[*done - 1];
    CHECK(lock(&step, err));
    CHECK(clear(&step, err));
    CHECK(take_back(&step, err));
    CHECK(derive(&step, err));
    CHECK(save(&step, err));
    return write_traits(&step, err);
}
