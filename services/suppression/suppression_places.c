/* suppression_places.c: see suppression_places.h; the SQL is in sql/. */
#include "services/suppression/suppression_places.h"

#include <stdlib.h>

#include "common/codec/unicode.h"
#include "common/words/calling_codes.h"
#include "suppression_sql.h"

/* ---- what a touchpoint says ---- */

enum { LONGEST_REGION = 64 };

struct reading {
    struct arena *arena;
    int64_t anchor;
    int32_t day;
    struct place_list *out;
};

/* The value stays after the touchpoint is gone. */
static void add(struct reading *reading, enum place_kind kind, struct span value)
{
    *arena_push(reading->arena, reading->out) = (struct place){
        .anchor = reading->anchor,
        .kind = (int16_t)kind,
        .value = arena_copy(reading->arena, value),
        .first_day = reading->day,
        .last_day = reading->day,
    };
}

static void read_country(struct reading *reading, struct span sent)
{
    char capitals[2];
    if (sent.len != sizeof capitals)
        return;
    for (size_t i = 0; i < sizeof capitals; i++) {
        bool is_small = sent.ptr[i] >= 'a' && sent.ptr[i] <= 'z';
        capitals[i] = (char)(is_small ? sent.ptr[i] - 'a' + 'A' : sent.ptr[i]);
        if (capitals[i] < 'A' || capitals[i] > 'Z')
            return;
    }
    add(reading, PLACE_COUNTRY, (struct span){capitals, sizeof capitals});
}

/* A number that was hashed elsewhere says nothing. */
static void read_phone(struct reading *reading, const struct touchpoint_identifier *identifier)
{
    bool is_clear = identifier->encoding.len == 0 || span_is(identifier->encoding, "none");
    if (!span_is(identifier->type, "phone") || !is_clear)
        return;
    const char *countries = calling_countries(unicode_phone(reading->arena, identifier->value));
    struct span rest = countries ? span_of(countries) : SPAN_NONE, country;
    while (next_word(&rest, ' ', &country))
        add(reading, PLACE_PHONE, country);
}

void places_read(struct arena *arena, const struct zone_book *book, const struct touchpoint *tp,
                 int64_t anchor, struct place_list *out)
{
    struct instant at = {tp->occurred_at};
    struct reading reading = {arena, anchor, instant_day(at, 0), out};
    if (tp->timezone.len > 0 && zone_set_find(&book->set, tp->timezone))
        add(&reading, PLACE_ZONE, tp->timezone);
    read_country(&reading, tp->geo.country);
    if (tp->geo.region.len > 0 && tp->geo.region.len <= LONGEST_REGION)
        add(&reading, PLACE_REGION, tp->geo.region);
    for (uint32_t i = 0; i < tp->identifier_count; i++)
        read_phone(&reading, &tp->identifiers[i]);
}

/* ---- rows ---- */

static int place_compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    return x->kind != y->kind ? x->kind - y->kind : span_compare(x->value, y->value);
}

static void merge(struct place_list *places)
{
    size_t kept = 0;
    qsort(places->items, places->count, sizeof *places->items, place_compare);
    for (size_t i = 0; i < places->count; i++) {
        const struct place *one = &places->items[i];
        struct place *last = kept ? &places->items[kept - 1] : NULL;
        if (last == NULL || place_compare(last, one) != 0) {
            places->items[kept++] = *one;
            continue;
        }
        last->first_day = one->first_day < last->first_day ? one->first_day : last->first_day;
        last->last_day = one->last_day > last->last_day ? one->last_day : last->last_day;
    }
    places->count = kept;
}

static int anchor_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

enum outcome places_store(struct db *db, struct arena *arena, struct place_list *places,
                          struct place_anchors *new, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    *new = (struct place_anchors){0};
    if (places->count == 0)
        return OUTCOME_OK;
    merge(places);
    const struct place *first = places->items;
    params_init(&p, arena);
    params_int8_array(&p, &first->anchor, sizeof *first, places->count);
    params_int2_array(&p, &first->kind, sizeof *first, places->count);
    params_text_array(&p, &first->value, sizeof *first, places->count);
    params_int4_array(&p, &first->first_day, sizeof *first, places->count);
    params_int4_array(&p, &first->last_day, sizeof *first, places->count);
    CHECK(db_run(db, &sql_insert_places, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        if (db_bool(r, row, 1))
            *arena_push(arena, new) = db_int8(r, row, 0);
    if (new->count > 1)
        qsort(new->items, new->count, sizeof *new->items, anchor_compare);
    return OUTCOME_OK;
}

enum outcome places_find(struct db *db, struct arena *arena, const int64_t *anchors, size_t count,
                         struct place_list *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    *out = (struct place_list){0};
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    CHECK(db_run(db, &sql_find_places, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(arena, out) = (struct place){.anchor = db_int8(r, row, 0),
                                                 .kind = db_int2(r, row, 1),
                                                 .value = arena_copy(arena, db_bytes(r, row, 2)),
                                                 .first_day = db_int4(r, row, 3),
                                                 .last_day = db_int4(r, row, 4)};
    return OUTCOME_OK;
}
