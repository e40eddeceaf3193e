/* resolve_policy.c: the active identity policy: held by every transaction, read again when it changed, claimed, activated. */
#include "services/identity-resolver/identity_policy.h"
#include "services/identity-resolver/resolve_internal.h"

static const char policy_name[] = "the active identity policy";

enum outcome resolver_claim_key(struct resolver *resolver, struct arena *arena, struct err *err)
{
    char text[37];
    struct id fingerprint = digest_key_fingerprint(&resolver->key);
    id_to_uuid(&fingerprint, text);
    return store_claim_setting(resolver->db, arena, "key_fingerprint", span_of(text),
                               "identity.key_file is not the key that the identifiers in the database were hashed with", err);
}

enum outcome resolver_claim_rules(struct db *db, struct arena *arena, const struct identity_policy *policy, struct err *err)
{
    CHECK(store_claim_setting(
        db, arena, "anchor_rules", identity_policy_anchor_rules(arena, policy),
        "types, ranks, normalisers, match_hashed or scope of the identity policy differ from those the stored anchors were made "
        "with",
        err));
    return store_types(db, arena, policy, err);
}

/* The old one is freed: what points into it must not outlive the batch's decoding. */
static enum outcome load_policy(struct resolver *resolver, struct arena *arena, struct err *err)
{
    struct id hash;
    struct span text;
    struct arena own = {0};
    struct identity_policy *policy = arena_new(arena, struct identity_policy);
    int32_t version;
    CHECK(store_find_policy(resolver->db, arena, &version, &hash, &text, err));
    if (identity_policy_parse(&own, text, policy_name, policy, err) != OUTCOME_OK) {
        arena_free(&own);
        return OUTCOME_FATAL;
    }
    arena_free(&resolver->arena);
    resolver->arena = own;
    resolver->policy = *policy;
    resolver->active.version = version;
    return OUTCOME_OK;
}

enum outcome work_hold_policy(struct work *work, struct err *err)
{
    struct resolver *resolver = work->resolver;
    struct active_policy active;
    bool found = false;
    /* A switch that was waited for leaves no row in this statement's snapshot: the next one sees the new row. */
    for (int tries = 0; tries < 2 && !found; tries++)
        CHECK(store_hold_active(resolver->db, work->arena, &active, &found, err));
    if (!found)
        return err_set(err, OUTCOME_FATAL, "no_identity_policy",
                       "no identity policy is active: start identity-resolver once, or run `tutti identity apply`");
    if (active.version != resolver->active.version)
        CHECK(load_policy(resolver, work->arena, err));
    resolver->active = active;
    work->is_review = work->request->is_review || !active.is_complete;
    work->has_orders = active.has_orders;
    return OUTCOME_OK;
}

enum outcome resolver_claim_policy(struct resolver *resolver, struct arena *arena, struct span text, struct err *err)
{
    struct id hash = digest_bytes(text), active;
    struct span stored;
    int32_t version;
    CHECK(store_claim_policy(resolver->db, arena, &hash, text, err));
    CHECK(store_find_policy(resolver->db, arena, &version, &active, &stored, err));
    if (!id_equal(&hash, &active))
        return err_set(
            err, OUTCOME_FATAL, "other_policy",
            "identity.json is not the identity policy that is active: run `tutti identity apply`, or start with the file "
            "that was applied");
    return load_policy(resolver, arena, err);
}

static enum outcome activate(struct db *db, struct arena *arena, struct span text, const struct identity_policy *policy,
                             const char *actor, int32_t *version, struct err *err)
{
    struct id hash = digest_bytes(text);
    CHECK(store_insert_policy(db, arena, &hash, text, actor, version, err));
    CHECK(resolver_claim_rules(db, arena, policy, err));
    return db_commit(db, err);
}

enum outcome resolver_activate_policy(struct db *db, struct arena *arena, struct span text, const char *actor, int32_t *version,
                                      struct err *err)
{
    struct identity_policy *policy = arena_new(arena, struct identity_policy);
    CHECK(identity_policy_parse(arena, text, "the policy", policy, err));
    CHECK(db_begin(db, err));
    enum outcome o = activate(db, arena, text, policy, actor, version, err);
    if (o != OUTCOME_OK)
        db_rollback(db);
    return o;
}

enum outcome resolver_open_tool(struct resolver *resolver, struct arena *arena, struct db *db, const char *key_file,
                                struct err *err)
{
    *resolver = (struct resolver){.db = db};
    resolver_cache_open(&resolver->cache, 0);
    CHECK(digest_key_read(key_file, &resolver->key, err));
    CHECK(resolver_claim_key(resolver, arena, err));
    return load_policy(resolver, arena, err);
}

void resolver_close(struct resolver *resolver)
{
    resolver_cache_close(&resolver->cache);
    map_free(&resolver->batch);
    arena_free(&resolver->arena);
}
