/* journey_dictionary.c: codes by the hash of their text; misses are inserted and read back. */
#include "services/journey-tracker/store/journey_dictionary.h"

#include "common/codec/digest.h"
#include "journey_tracker_sql.h"

static enum outcome load(struct dictionary *dictionary, const struct statement *statement,
                         const struct params *params, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(dictionary->db, statement, params, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct id hash = hash128(db_bytes(r, i, 1));
        *(uint32_t *)map_put(&dictionary->codes, &hash, NULL) = (uint32_t)db_int4(r, i, 0);
    }
    return OUTCOME_OK;
}

enum outcome dictionary_open(struct dictionary *dictionary, struct db *db, struct err *err)
{
    *dictionary = (struct dictionary){.db = db};
    map_init(&dictionary->codes, NULL, sizeof(struct id), sizeof(uint32_t));
    return load(dictionary, &sql_all_codes, NULL, err);
}

void dictionary_close(struct dictionary *dictionary)
{
    map_free(&dictionary->codes);
}

static enum outcome insert(struct dictionary *dictionary, struct arena *arena, struct span text,
                           struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_text_array(&p, &text, sizeof text, 1);
    CHECK(db_run(dictionary->db, &sql_insert_codes, &p, NULL, NULL, err));
    return load(dictionary, &sql_find_codes, &p, err);
}

static enum outcome add(struct dictionary *dictionary, struct span text, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = insert(dictionary, &arena, text, err);
    arena_free(&arena);
    return outcome;
}

enum outcome dictionary_code(void *context, struct span text, uint32_t *code, struct err *err)
{
    struct dictionary *dictionary = context;
    *code = 0;
    if (text.ptr == NULL)
        return OUTCOME_OK;
    struct id hash = hash128(text);
    const uint32_t *known = map_find(&dictionary->codes, &hash);
    if (known == NULL) {
        CHECK(add(dictionary, text, err));
        known = map_find(&dictionary->codes, &hash);
    }
    if (known == NULL)
        return err_set(err, OUTCOME_RETRY, "dictionary", "a dictionary code is not visible yet");
    *code = *known;
    return OUTCOME_OK;
}
