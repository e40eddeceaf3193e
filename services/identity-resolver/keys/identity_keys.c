/* identity_keys.c: reads the key files, reads and writes the state of an exchange, and picks the
 * keys at work. */
#include "services/identity-resolver/keys/identity_keys.h"

#include "identity_resolver_sql.h"

static enum outcome read_one(const struct config *config, const char *setting,
                             struct identity_keys *keys, struct err *err)
{
    struct given_key *given = &keys->given[keys->given_count];
    CHECK(digest_key_read(setting, config_text(config, setting), &given->key, err));
    given->fingerprint = digest_key_fingerprint(&given->key);
    keys->given_count++;
    return OUTCOME_OK;
}

enum outcome identity_keys_read(const struct config *config, struct identity_keys *keys,
                                struct err *err)
{
    keys->given_count = 0;
    if (*config_text(config, "identity.key_file") == '\0')
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "identity.key_file is not set: the key that identifiers are hashed with");
    CHECK(read_one(config, "identity.key_file", keys, err));
    keys->current = keys->given[0].key;
    return *config_text(config, "identity.previous_key_file") == '\0'
               ? OUTCOME_OK
               : read_one(config, "identity.previous_key_file", keys, err);
}

/* ---- what the database says ---- */
static struct id uuid_or_nil(const struct db_result *r, int column)
{
    return db_is_null(r, 0, column) ? (struct id){{0}} : db_uuid(r, 0, column);
}

enum outcome key_state_read(struct db *db, struct arena *arena, struct key_state *out,
                            struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_find_keys, &p, &r, NULL, err));
    *out = (struct key_state){.epoch = db_int4(r, 0, 0),
                              .current = uuid_or_nil(r, 1),
                              .next = uuid_or_nil(r, 2),
                              .previous = uuid_or_nil(r, 3),
                              .number = db_int2(r, 0, 4)};
    out->phase = !id_is_nil(&out->previous) ? KEYS_ROTATING
                 : !id_is_nil(&out->next)   ? KEYS_ANNOUNCED
                                            : KEYS_ONE;
    return OUTCOME_OK;
}

static enum outcome write_held(struct db *db, struct arena *arena, const struct key_state *from,
                               const struct key_state *to, struct err *err)
{
    struct key_state now;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_hold_policy, &p, NULL, NULL, err));
    CHECK(key_state_read(db, arena, &now, err));
    if (now.epoch != from->epoch || !id_equal(&now.current, &from->current))
        return err_set(err, OUTCOME_FATAL, "keys_changed",
                       "another command exchanges the key at the same time: look again");
    CHECK(db_run(db, &sql_next_key_epoch, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return err_set(
            err, OUTCOME_FATAL, "no_identity_policy",
            "no identity policy is active, so nothing was hashed yet: start with the new key");
    params_uuid(&p, &to->current);
    params_uuid(&p, &to->next);
    params_uuid(&p, &to->previous);
    params_int2(&p, to->number);
    CHECK(db_run(db, &sql_set_keys, &p, NULL, NULL, err));
    return db_commit(db, err);
}

enum outcome key_state_write(struct db *db, struct arena *arena, const struct key_state *from,
                             const struct key_state *to, struct err *err)
{
    CHECK(db_begin(db, err));
    enum outcome outcome = write_held(db, arena, from, to, err);
    if (outcome != OUTCOME_OK)
        db_rollback(db);
    return outcome;
}

/* ---- which of the given keys is which ---- */
static const struct digest_key *given_key(const struct identity_keys *keys,
                                          const struct id *fingerprint)
{
    for (size_t i = 0; i < keys->given_count; i++)
        if (id_equal(&keys->given[i].fingerprint, fingerprint))
            return &keys->given[i].key;
    return NULL;
}

static enum outcome missing(const struct key_state *state, const struct identity_keys *keys,
                            struct err *err)
{
    if (state->phase != KEYS_ONE)
        return err_set(err, OUTCOME_FATAL, "missing_key",
                       "the key of identifier hashes is being exchanged (`tutti identity "
                       "rotate-key`): both are needed, the new "
                       "one as identity.key_file and the one before as identity.previous_key_file");
    return err_set(err, OUTCOME_FATAL, "other_setting",
                   "%s the key that the identifiers in the database were hashed with",
                   keys->given_count > 1
                       ? "neither identity.key_file nor identity.previous_key_file is"
                       : "identity.key_file is not");
}

enum outcome identity_keys_follow(struct identity_keys *keys, struct db *db, struct arena *arena,
                                  struct err *err)
{
    struct key_state state;
    CHECK(key_state_read(db, arena, &state, err));
    if (id_is_nil(&state.current)) /* nothing is stored yet */
        state.current = keys->given[0].fingerprint;
    const struct digest_key *current = given_key(keys, &state.current), *previous = NULL;
    bool is_complete = current != NULL;
    if (state.phase == KEYS_ROTATING)
        is_complete = (previous = given_key(keys, &state.previous)) != NULL && is_complete;
    if (state.phase == KEYS_ANNOUNCED && keys->needs_next)
        is_complete = given_key(keys, &state.next) != NULL && is_complete;
    if (!is_complete)
        return missing(&state, keys, err);
    keys->state = state;
    keys->current = *current;
    keys->previous = previous ? *previous : (struct digest_key){.len = 0};
    return OUTCOME_OK;
}

enum outcome identity_keys_claim(struct identity_keys *keys, struct db *db, struct arena *arena,
                                 struct err *err)
{
    char text[37];
    struct params p;
    id_to_uuid(&keys->given[0].fingerprint, text);
    params_init(&p, arena);
    params_text(&p, SPAN("key_fingerprint"));
    params_text(&p, span_of(text));
    CHECK(db_run(db, &sql_claim_setting, &p, NULL, NULL, err));
    return identity_keys_follow(keys, db, arena, err);
}
