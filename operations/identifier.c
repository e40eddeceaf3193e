/* identifier.c: from <type>:<value> to the id that the database has; see identifier.h. */
#include "operations/identifier.h"

#include "common/service/generation.h"
#include "operations_sql.h"
#include "services/identity-resolver/keys/identity_keys.h"
#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/policy/identity_policy.h"

enum outcome identifier_policy(struct desk *desk, struct identity_policy *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &sql_identifier_policy, NULL, &r, NULL, err));
    struct span text = db_rows(r) > 0 ? arena_copy(desk->arena, db_bytes(r, 0, 0)) : SPAN_NONE;
    if (text.ptr)
        return identity_policy_parse(desk->arena, text, "the active identity policy", out, err);
    const char *dir = config_text(desk->config, "policy.dir");
    return identity_policy_read(
        desk->arena, generation_policy_path(desk->arena, dir, "identity.json"), out, err);
}

bool identifier_hash(struct arena *arena, const struct identity_policy *policy,
                     const struct digest_key *key, struct span type, struct span value,
                     bool is_digest, struct id *out)
{
    struct touchpoint *touchpoint = arena_new(arena, struct touchpoint);
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    touchpoint->identifiers[0] = (struct touchpoint_identifier){
        type, value, is_digest ? SPAN("sha256") : SPAN("none"), SPAN("users")};
    touchpoint->identifier_count = 1;
    size_t count = identity_collect(policy, key, touchpoint, arena, ids);
    if (count == 1)
        *out = ids[0].id;
    return count == 1;
}

/* Once keys were exchanged, the hash may lead to an id, and so may that under the key before. */
static enum outcome find_id(struct desk *desk, const struct value_hash *hash, struct id *out,
                            struct err *err)
{
    struct value_hash copy = *hash;
    struct value_hashes hashes = {&copy, 1, 1};
    struct found_rows found = {0};
    *out = hash->hash;
    CHECK(identity_store_find_hashes(desk->db, desk->arena, &hashes, &found, err));
    if (found.count > 0)
        *out = found.items[0].identifier_id;
    return OUTCOME_OK;
}

static enum outcome hash_identifier(struct desk *desk, struct span type, struct span value,
                                    struct id *out, struct err *err)
{
    struct identity_policy *policy = arena_new(desk->arena, struct identity_policy);
    struct identity_keys keys = {.given_count = 0};
    struct value_hash hash = {.previous = {{0}}};
    CHECK(identity_keys_read(desk->config, &keys, err));
    CHECK(identifier_policy(desk, policy, err));
    CHECK(identity_keys_follow(&keys, desk->db, desk->arena, err));
    if (identity_find_type(policy, type) == NULL)
        return err_set(err, OUTCOME_REJECT, "identifier_type",
                       "the identity policy has no type \"" SPAN_FMT "\"", SPAN_ARG(type));
    if (!identifier_hash(desk->arena, policy, &keys.current, type, value, false, &hash.hash))
        return err_set(err, OUTCOME_REJECT, "identifier_blocked",
                       "this value is blocked or no usable " SPAN_FMT, SPAN_ARG(type));
    if (keys.state.phase == KEYS_ROTATING)
        identifier_hash(desk->arena, policy, &keys.previous, type, value, false, &hash.previous);
    *out = hash.hash;
    return identity_keys_were_rotated(&keys) ? find_id(desk, &hash, out, err) : OUTCOME_OK;
}

enum outcome identifier_parse(struct desk *desk, const char *text, struct id *out, struct err *err)
{
    const char *colon = strchr(text, ':');
    if (id_from_uuid(span_of(text), out))
        return OUTCOME_OK;
    if (colon == NULL || colon == text || colon[1] == '\0')
        return err_set(err, OUTCOME_REJECT, "usage",
                       "expected <type>:<value> such as loyalty_id:2375, or an identifier's UUID");
    return hash_identifier(desk, (struct span){text, (size_t)(colon - text)}, span_of(colon + 1),
                           out, err);
}

enum outcome identifier_profile(struct desk *desk, const struct id *identifier, struct id *profile,
                                struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, desk->arena);
    params_uuid(&p, identifier);
    CHECK(db_run(desk->db, &sql_identifier_profile, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return err_set(err, OUTCOME_REJECT, "identifier_unknown",
                       "this identifier was never seen in a touchpoint");
    *profile = db_uuid(r, 0, 0);
    return OUTCOME_OK;
}
