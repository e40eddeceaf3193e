/* suppression_addresses.c: the statements of suppression_addresses.h; the SQL is in sql/. */
#include "services/suppression/suppression_addresses.h"

#include <stdlib.h>

#include "suppression_sql.h"

/* ---- what customers were seen with ---- */

static int known_compare(const void *a, const void *b)
{
    const struct known_address *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    int c = id_compare(&x->address_id, &y->address_id);
    return c ? c : instant_compare(x->first_at, y->first_at);
}

static void keep_earliest(struct known_addresses *known)
{
    size_t kept = 0;
    qsort(known->items, known->count, sizeof *known->items, known_compare);
    for (size_t i = 0; i < known->count; i++)
        if (kept == 0 || known->items[kept - 1].anchor != known->items[i].anchor ||
            !id_equal(&known->items[kept - 1].address_id, &known->items[i].address_id))
            known->items[kept++] = known->items[i];
    known->count = kept;
}

static void known_params(struct params *p, struct arena *arena, const struct known_address *first,
                         size_t count)
{
    params_init(p, arena);
    params_int8_array(p, &first->anchor, sizeof *first, count);
    params_uuid_array(p, &first->address_id, sizeof *first, count);
    params_text_array(p, &first->channels, sizeof *first, count);
    params_timestamptz_array(p, &first->first_at, sizeof *first, count);
}

/* Parts the rows, sorted as they were, into those that are stored otherwise and those that are not
 * stored. */
static enum outcome part(struct db *db, struct arena *arena, const struct known_addresses *known,
                         struct known_addresses *otherwise, struct known_addresses *new,
                         struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    bool *is_stored = arena_array(arena, bool, known->count),
         *is_covered = arena_array(arena, bool, known->count);
    known_params(&p, arena, known->items, known->count);
    CHECK(db_run(db, &sql_find_stored_addresses, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        is_stored[db_int8(r, row, 0) - 1] = true;
        is_covered[db_int8(r, row, 0) - 1] = db_bool(r, row, 1);
    }
    for (size_t i = 0; i < known->count; i++)
        if (!is_covered[i])
            *arena_push(arena, is_stored[i] ? otherwise : new) = known->items[i];
    return OUTCOME_OK;
}

static enum outcome update(struct db *db, struct arena *arena, const struct known_addresses *known,
                           struct err *err)
{
    struct params p;
    if (known->count == 0)
        return OUTCOME_OK;
    known_params(&p, arena, known->items, known->count);
    return db_run(db, &sql_update_known_addresses, &p, NULL, NULL, err);
}

static enum outcome copy(struct db *db, const struct known_addresses *known, struct err *err)
{
    if (known->count == 0)
        return OUTCOME_OK;
    CHECK(db_copy_begin(db,
                        "COPY suppression.known_addresses (anchor, address_id, channels, first_at) "
                        "FROM STDIN BINARY",
                        err));
    for (size_t i = 0; i < known->count; i++) {
        const struct known_address *row = &known->items[i];
        copy_row(db, 4);
        copy_int8(db, row->anchor);
        copy_uuid(db, &row->address_id);
        copy_bytes(db, row->channels);
        copy_timestamptz(db, row->first_at);
    }
    enum outcome outcome = db_copy_end(db, NULL, err);
    if (outcome == OUTCOME_REJECT && db_sqlstate_is(db, "23505"))
        return err_set(err, OUTCOME_RETRY, "address_race",
                       "another instance saw one of these customers with the address first");
    return outcome;
}

/* Nearly all are new: they cost a look and a COPY. */
enum outcome addresses_store_known(struct db *db, struct arena *arena,
                                   struct known_addresses *known, struct known_addresses *new,
                                   struct err *err)
{
    struct known_addresses otherwise = {0};
    *new = (struct known_addresses){0};
    if (known->count == 0)
        return OUTCOME_OK;
    keep_earliest(known);
    CHECK(part(db, arena, known, &otherwise, new, err));
    CHECK(update(db, arena, &otherwise, err));
    return copy(db, new, err);
}

enum outcome addresses_find_kept(struct db *db, struct arena *arena,
                                 const struct known_addresses *known, struct anchor_move **out,
                                 size_t *count, struct err *err)
{
    const struct known_address *first = known->items;
    struct params p;
    struct db_result *r = NULL;
    *count = 0;
    if (known->count == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid_array(&p, &first->address_id, sizeof *first, known->count);
    CHECK(db_run(db, &sql_find_kept_addresses, &p, &r, NULL, err));
    *count = (size_t)db_rows(r);
    *out = arena_array(arena, struct anchor_move, *count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct anchor_move){db_uuid(r, (int)i, 0), db_uuid(r, (int)i, 1),
                                         db_int8(r, (int)i, 2)};
    return OUTCOME_OK;
}

enum outcome addresses_find_known(struct db *db, struct arena *arena, const int64_t *anchors,
                                  size_t count, struct known_addresses *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    CHECK(db_run(db, &sql_find_known_addresses, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(arena, out) =
            (struct known_address){.anchor = db_int8(r, row, 0),
                                   .address_id = db_uuid(r, row, 1),
                                   .channels = arena_copy(arena, db_bytes(r, row, 2)),
                                   .first_at = db_timestamptz(r, row, 3)};
    return OUTCOME_OK;
}

enum outcome addresses_may_be_open(struct db *db, struct arena *arena, const int64_t *anchors,
                                   const struct id *profiles, size_t count, bool *out,
                                   struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    *out = false;
    if (count == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    params_uuid_array(&p, profiles, sizeof *profiles, count);
    CHECK(db_run(db, &sql_find_open_states, &p, &r, NULL, err));
    *out = db_bool(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome addresses_to_lock(struct db *db, struct arena *arena, const int64_t *anchors,
                               size_t anchor_count, const struct id *profiles, size_t profile_count,
                               struct anchor_move **out, size_t *count, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, anchor_count);
    params_uuid_array(&p, profiles, sizeof *profiles, profile_count);
    CHECK(db_run(db, &sql_find_addresses_to_lock, &p, &r, NULL, err));
    *count = (size_t)db_rows(r);
    *out = arena_array(arena, struct anchor_move, *count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct anchor_move){db_uuid(r, (int)i, 0), db_uuid(r, (int)i, 1),
                                         db_int8(r, (int)i, 2)};
    return OUTCOME_OK;
}

/* ---- what stands under them ---- */

struct said {
    int64_t address;
    struct contact_fact fact;
};

static int said_compare(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return contact_fact_order(&x->fact, &y->fact);
}

static struct span text_at(struct arena *arena, const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? SPAN_NONE : arena_copy(arena, db_bytes(r, row, column));
}

static struct said said_at(struct arena *arena, const struct contact_policy *policy,
                           const struct db_result *r, int row)
{
    struct said said = {
        .address = db_int8(r, row, 0),
        .fact = {.at = db_timestamptz(r, row, 1),
                 .event_id = db_uuid(r, row, 2),
                 .kind = db_int2(r, row, 3),
                 .flags = (int16_t)(db_int2(r, row, 4) | CONTACT_IS_COPY),
                 .event = text_at(arena, r, row, 5),
                 .channel = text_at(arena, r, row, 6),
                 .consent = text_at(arena, r, row, 7),
                 .score = db_is_null(r, row, 8) ? CONTACT_SCORE_ABSENT : db_int2(r, row, 8),
                 .anchor = db_int8(r, row, 0),
                 .received_at = db_is_null(r, row, 9) ? INSTANT_ABSENT : db_timestamptz(r, row, 9),
                 .planned_at = INSTANT_ABSENT,
                 .expires_at = INSTANT_ABSENT,
                 .latest_at = INSTANT_ABSENT},
    };
    if (policy)
        policy_channel(policy, said.fact.channel, &said.fact.channel);
    return said;
}

static struct address_words *group(struct arena *arena, struct said *said, size_t count,
                                   size_t *word_count)
{
    struct address_words *words = arena_array(arena, struct address_words, count);
    const struct contact_fact **facts = arena_array(arena, const struct contact_fact *, count);
    size_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        facts[i] = &said[i].fact;
        if (i == 0 || said[i].address != said[i - 1].address)
            words[groups++] = (struct address_words){said[i].address, &facts[i], 0};
        words[groups - 1].count++;
    }
    *word_count = groups;
    return words;
}

static int key_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t *unique_keys(struct arena *arena, const int64_t *keys, size_t *count)
{
    int64_t *out = arena_array(arena, int64_t, *count);
    size_t kept = 0;
    memcpy(out, keys, *count * sizeof *keys);
    qsort(out, *count, sizeof *out, key_compare);
    for (size_t i = 0; i < *count; i++)
        if (kept == 0 || out[kept - 1] != out[i])
            out[kept++] = out[i];
    *count = kept;
    return out;
}

/* policy NULL: channels stay as sent. */
static enum outcome find_words(struct db *db, struct arena *arena,
                               const struct statement *statement,
                               const struct contact_policy *policy, const int64_t *addresses,
                               size_t count, struct address_words **words, size_t *word_count,
                               struct err *err)
{
    *word_count = 0;
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    struct db_result *r = NULL;
    int64_t *keys = unique_keys(arena, addresses, &count);
    params_init(&p, arena);
    params_int8_array(&p, keys, sizeof *keys, count);
    CHECK(db_run(db, statement, &p, &r, NULL, err));
    size_t rows = (size_t)db_rows(r);
    struct said *said = arena_array(arena, struct said, rows);
    for (size_t i = 0; i < rows; i++)
        said[i] = said_at(arena, policy, r, (int)i);
    if (rows > 1)
        qsort(said, rows, sizeof *said, said_compare);
    *words = group(arena, said, rows, word_count);
    return OUTCOME_OK;
}

enum outcome addresses_find_words(struct db *db, struct arena *arena,
                                  const struct contact_policy *policy, const int64_t *addresses,
                                  size_t count, struct address_words **words, size_t *word_count,
                                  struct err *err)
{
    return find_words(db, arena, &sql_find_words_of_addresses, policy, addresses, count, words,
                      word_count, err);
}

enum outcome addresses_find_all_words(struct db *db, struct arena *arena, const int64_t *addresses,
                                      size_t count, struct address_words **words,
                                      size_t *word_count, struct err *err)
{
    return find_words(db, arena, &sql_find_all_words_of_addresses, NULL, addresses, count, words,
                      word_count, err);
}

/* ---- grants that rely on them ---- */

static struct address_ids take_ids(struct arena *arena, const struct db_result *r)
{
    size_t rows = (size_t)db_rows(r);
    struct address_ids ids = {arena_array(arena, struct id, rows), rows};
    for (size_t i = 0; i < rows; i++)
        ids.items[i] = db_uuid(r, (int)i, 0);
    return ids;
}

enum outcome addresses_find_granted(struct db *db, struct arena *arena, const int64_t *addresses,
                                    size_t count, struct address_ids *profiles, struct err *err)
{
    *profiles = (struct address_ids){NULL, 0};
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8_array(&p, addresses, sizeof *addresses, count);
    CHECK(db_run(db, &sql_find_grants_of_addresses, &p, &r, NULL, err));
    *profiles = take_ids(arena, r);
    return OUTCOME_OK;
}

static int grant_compare(const void *a, const void *b)
{
    const struct address_grant *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return id_compare(&x->request_id, &y->request_id);
}

enum outcome addresses_store_grants(struct db *db, struct arena *arena,
                                    struct address_grants *grants, struct err *err)
{
    if (grants->count == 0)
        return OUTCOME_OK;
    const struct address_grant *first = grants->items;
    struct params p;
    qsort(grants->items, grants->count, sizeof *grants->items, grant_compare);
    params_init(&p, arena);
    params_int8_array(&p, &first->address, sizeof *first, grants->count);
    params_uuid_array(&p, &first->request_id, sizeof *first, grants->count);
    params_timestamptz_array(&p, &first->expires_at, sizeof *first, grants->count);
    return db_run(db, &sql_insert_address_grants, &p, NULL, NULL, err);
}

enum outcome addresses_close_grants(struct db *db, struct arena *arena, const struct id *requests,
                                    size_t count, struct err *err)
{
    struct params p;
    if (count == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid_array(&p, requests, sizeof *requests, count);
    return db_run(db, &sql_delete_address_grants, &p, NULL, NULL, err);
}

enum outcome addresses_expire_grants(struct db *db, struct err *err)
{
    return db_run(db, &sql_expire_address_grants, NULL, NULL, NULL, err);
}
