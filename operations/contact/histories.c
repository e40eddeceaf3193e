/* histories.c: see histories.h. Facts, decisions and words are read as suppression reads them. */
#include "operations/contact/histories.h"

#include <stdlib.h>

#include "common/base/pack.h"
#include "common/base/search.h"
#include "contact_sql.h"
#include "services/suppression/suppression_places.h"
#include "services/suppression/suppression_profile.h"

enum { CUSTOMERS_AT_ONCE = 200, KEY_SIZE = 8 };

struct histories {
    struct db *db;
    struct timeline *timeline;
    const struct id *profiles;
    size_t count, next;
};

/* What one reading brought, before it is divided among the customers. */
struct reading {
    const struct histories *histories;
    struct arena *arena;
    struct member_row *members;
    size_t member_count;
    struct ledger_fact *facts;
    size_t fact_count;
    struct reservation *decisions;
    size_t decision_count;
    struct known_addresses known;
    struct place_list places;
    struct address_words *words;
    size_t word_count;
};

static struct span or_none(const char *text)
{
    return text ? span_of(text) : SPAN_NONE;
}

static enum outcome find_customers(struct desk *desk, const struct histories_wish *wish,
                                   struct histories *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, desk->arena);
    params_text(&p, or_none(wish->from));
    params_text(&p, or_none(wish->until));
    params_bool(&p, wish->with_sends);
    CHECK(db_run(desk->db, &sql_plan_customers, &p, &r, NULL, err));
    out->count = (size_t)db_rows(r);
    struct id *profiles = arena_array(desk->arena, struct id, out->count);
    for (size_t i = 0; i < out->count; i++)
        profiles[i] = db_uuid(r, (int)i, 0);
    out->profiles = profiles;
    return OUTCOME_OK;
}

enum outcome histories_open(struct desk *desk, const struct histories_wish *wish,
                            struct histories **out, size_t *total, struct err *err)
{
    struct histories *histories = arena_new(desk->arena, struct histories);
    *out = histories;
    histories->db = desk->db;
    histories->timeline = timeline_new(&suppression_timeline);
    CHECK(db_begin(desk->db, err));
    CHECK(db_script(desk->db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", err));
    CHECK(find_customers(desk, wish, histories, err));
    *total = histories->count;
    return OUTCOME_OK;
}

void histories_close(struct histories *histories)
{
    if (histories == NULL)
        return;
    db_rollback(histories->db);
    timeline_free(histories->timeline);
}

/* ---- reading ---- */

static enum outcome read_members(struct reading *reading, const struct id *profiles, size_t count,
                                 struct err *err)
{
    int64_t *keys = arena_array(reading->arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = id_short(&profiles[i]);
    return timeline_members(reading->histories->timeline, reading->histories->db, reading->arena,
                            keys, count, &reading->members, &reading->member_count, err);
}

static enum outcome read_facts(struct reading *reading, struct err *err)
{
    const struct histories *h = reading->histories;
    struct fact_range *ranges =
        arena_array(reading->arena, struct fact_range, reading->member_count);
    for (size_t i = 0; i < reading->member_count; i++)
        ranges[i] = (struct fact_range){
            .anchor = reading->members[i].anchor, .from = INSTANT_FIRST, .until = INSTANT_NEVER};
    void *facts = NULL;
    CHECK(timeline_read_facts(h->timeline, h->db, reading->arena, ranges, reading->member_count,
                              &facts, &reading->fact_count, err));
    reading->facts = facts;
    ledger_facts_complete(reading->facts, reading->fact_count);
    return OUTCOME_OK;
}

static enum outcome read_decisions(struct reading *reading, struct err *err)
{
    struct id *requests = arena_array(reading->arena, struct id, reading->fact_count);
    size_t count = 0;
    for (size_t i = 0; i < reading->fact_count; i++)
        if (reading->facts[i].body.kind == CONTACT_REQUEST)
            requests[count++] = reading->facts[i].key.event_id;
    return suppression_store_find_decisions(reading->histories->db, reading->arena, requests, count,
                                            &reading->decisions, &reading->decision_count, err);
}

static bool may_be_asked(const struct contact_fact *fact)
{
    return fact->kind == CONTACT_REQUEST || fact->kind == CONTACT_SENT;
}

/* Of the addresses that requests and sends name, and of those that the customers were seen with. */
static enum outcome read_words(struct reading *reading, struct err *err)
{
    struct strbuf keys = {.arena = reading->arena};
    for (size_t i = 0; i < reading->fact_count; i++)
        if (may_be_asked(&reading->facts[i].body))
            strbuf_add(&keys, reading->facts[i].body.addresses.ptr,
                       reading->facts[i].body.addresses.len);
    size_t named = keys.len / KEY_SIZE;
    int64_t *addresses = arena_array(reading->arena, int64_t, named + reading->known.count);
    struct unpack u = unpack_of(strbuf_span(&keys));
    for (size_t i = 0; i < named; i++)
        addresses[i] = (int64_t)unpack_be64(&u);
    for (size_t i = 0; i < reading->known.count; i++)
        addresses[named + i] = id_short(&reading->known.items[i].address_id);
    return addresses_find_all_words(reading->histories->db, reading->arena, addresses,
                                    named + reading->known.count, &reading->words,
                                    &reading->word_count, err);
}

static enum outcome read_addresses(struct reading *reading, struct err *err)
{
    int64_t *anchors = arena_array(reading->arena, int64_t, reading->member_count);
    for (size_t i = 0; i < reading->member_count; i++)
        anchors[i] = reading->members[i].anchor;
    CHECK(addresses_find_known(reading->histories->db, reading->arena, anchors,
                               reading->member_count, &reading->known, err));
    CHECK(places_find(reading->histories->db, reading->arena, anchors, reading->member_count,
                      &reading->places, err));
    return read_words(reading, err);
}

/* ---- dividing ---- */

struct fact_list {
    struct ledger_fact **items;
    size_t count, capacity;
};

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

static int by_request(const void *a, const void *b)
{
    return reservation_compare(&((const struct reservation *)a)->request_id, b);
}

static void put_decisions(const struct reading *reading, struct history *history)
{
    struct reservation *own = arena_array(reading->arena, struct reservation, history->fact_count);
    size_t count = 0;
    for (size_t i = 0; i < history->fact_count && reading->decision_count > 0; i++) {
        const struct contact_fact *fact = history->facts[i];
        const struct reservation *found =
            fact->kind == CONTACT_REQUEST
                ? bsearch(&fact->event_id, reading->decisions, reading->decision_count,
                          sizeof *found, reservation_compare)
                : NULL;
        if (found)
            own[count++] = *found;
    }
    if (count > 1)
        qsort(own, count, sizeof *own, by_request);
    history->decisions = own;
    history->decision_count = 0;
    for (size_t i = 0; i < count; i++) /* a request that was told twice has one */
        if (i == 0 || by_request(&own[i - 1], &own[i]) != 0)
            own[history->decision_count++] = own[i];
}

static int key_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int words_compare(const void *key, const void *element)
{
    return key_compare(key, &((const struct address_words *)element)->address);
}

struct keys {
    int64_t *items;
    size_t count, capacity;
};

static void add_named(struct arena *arena, const struct contact_fact *fact, struct keys *keys)
{
    struct unpack u = unpack_of(fact->addresses);
    for (size_t i = 0; may_be_asked(fact) && i < fact->addresses.len / KEY_SIZE; i++)
        *arena_push(arena, keys) = (int64_t)unpack_be64(&u);
}

/* Of the words that were read, those of the customer's addresses. */
static void put_addresses(const struct reading *reading, const struct known_addresses *known,
                          struct history *history)
{
    struct keys keys = {0};
    for (size_t i = 0; i < known->count; i++)
        *arena_push(reading->arena, &keys) = id_short(&known->items[i].address_id);
    for (size_t i = 0; i < history->fact_count; i++)
        add_named(reading->arena, history->facts[i], &keys);
    if (keys.count > 1)
        qsort(keys.items, keys.count, sizeof *keys.items, key_compare);
    struct address_words *words = arena_array(reading->arena, struct address_words, keys.count);
    size_t count = 0;
    for (size_t i = 0; i < keys.count && reading->word_count > 0; i++) {
        const struct address_words *found = bsearch(
            &keys.items[i], reading->words, reading->word_count, sizeof *found, words_compare);
        if (found && (count == 0 || words[count - 1].address != found->address))
            words[count++] = *found;
    }
    struct address_book *book = arena_new(reading->arena, struct address_book);
    *book = (struct address_book){words, count, known->items, known->count};
    history->addresses = book;
}

static struct history history_of(const struct reading *reading, const struct fact_list *facts,
                                 const struct known_addresses *known, struct place_list *places)
{
    struct profile profile = {.facts = facts->items, .fact_count = facts->count};
    profile_put_in_order(&profile);
    const struct contact_fact **bodies =
        arena_array(reading->arena, const struct contact_fact *, profile.fact_count);
    for (size_t i = 0; i < profile.fact_count; i++)
        bodies[i] = &profile.facts[i]->body;
    struct history history = {.facts = bodies, .fact_count = profile.fact_count};
    put_decisions(reading, &history);
    put_addresses(reading, known, &history);
    history.places = places;
    return history;
}

static void take_anchor(struct reading *reading, int64_t anchor, struct fact_list *facts,
                        struct known_addresses *known, struct place_list *places)
{
    for (size_t i = lower_bound(reading->facts, reading->fact_count, sizeof *reading->facts,
                                offsetof(struct ledger_fact, key.anchor), anchor);
         i < reading->fact_count && reading->facts[i].key.anchor == anchor; i++)
        *arena_push(reading->arena, facts) = &reading->facts[i];
    for (size_t i =
             lower_bound(reading->known.items, reading->known.count, sizeof *reading->known.items,
                         offsetof(struct known_address, anchor), anchor);
         i < reading->known.count && reading->known.items[i].anchor == anchor; i++)
        *arena_push(reading->arena, known) = reading->known.items[i];
    for (size_t i =
             lower_bound(reading->places.items, reading->places.count,
                         sizeof *reading->places.items, offsetof(struct place, anchor), anchor);
         i < reading->places.count && reading->places.items[i].anchor == anchor; i++)
        *arena_push(reading->arena, places) = reading->places.items[i];
}

static void divide(struct reading *reading, struct customer *customers, size_t count)
{
    for (size_t c = 0; c < count; c++) {
        struct fact_list facts = {0};
        struct known_addresses known = {0};
        struct place_list *places = arena_new(reading->arena, struct place_list);
        int64_t key = id_short(&customers[c].profile_id);
        for (size_t m = 0; m < reading->member_count; m++)
            if (reading->members[m].profile == key)
                take_anchor(reading, reading->members[m].anchor, &facts, &known, places);
        customers[c].history = history_of(reading, &facts, &known, places);
    }
}

enum outcome histories_next(struct histories *histories, struct arena *arena,
                            struct customer **customers, size_t *count, struct err *err)
{
    struct reading reading = {.histories = histories, .arena = arena};
    size_t left = histories->count - histories->next;
    const struct id *profiles = histories->profiles + histories->next;
    *count = left < CUSTOMERS_AT_ONCE ? left : CUSTOMERS_AT_ONCE;
    if (*count == 0)
        return OUTCOME_OK;
    CHECK(read_members(&reading, profiles, *count, err));
    CHECK(read_facts(&reading, err));
    CHECK(read_decisions(&reading, err));
    CHECK(read_addresses(&reading, err));
    *customers = arena_array(arena, struct customer, *count);
    for (size_t i = 0; i < *count; i++)
        (*customers)[i].profile_id = profiles[i];
    divide(&reading, *customers, *count);
    histories->next += *count;
    return OUTCOME_OK;
}
