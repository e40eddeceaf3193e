/* resolve_policy.c: the active identity policy: every transaction holds it and reads it again if it
 * changed; a start claims it; an operator activates another one. */
#include "services/identity-resolver/policy/identity_policy.h"
#include "services/identity-resolver/resolve/resolve_work.h"

static const char policy_name[] = "the active identity policy";

enum outcome resolver_claim_key(struct resolver *resolver, struct arena *arena, struct err *err)
{
    CHECK(identity_keys_claim(&resolver->keys, resolver->db, arena, err));
    if (identity_keys_were_rotated(&resolver->keys))
        resolver_cache_hold_hashes(&resolver->cache);
    return OUTCOME_OK;
}

enum outcome resolver_check_keys(struct resolver *resolver, struct arena *arena,
                                 const struct active_policy *active, struct err *err)
{
    return active->key_epoch == resolver->keys.state.epoch
               ? OUTCOME_OK
               : resolver_follow_keys(resolver, arena, err);
}

enum outcome resolver_follow_keys(struct resolver *resolver, struct arena *arena, struct err *err)
{
    struct key_state before = resolver->keys.state;
    const struct key_state *now = &resolver->keys.state;
    CHECK(identity_keys_follow(&resolver->keys, resolver->db, arena, err));
    if (identity_keys_were_rotated(&resolver->keys))
        resolver_cache_hold_hashes(&resolver->cache);
    if (now->number == before.number &&
        (now->phase == KEYS_ROTATING) == (before.phase == KEYS_ROTATING))
        return OUTCOME_OK; /* the key was only announced: the hashes are the same */
    return err_set(err, OUTCOME_RETRY, "keys_changed",
                   "the key of identifier hashes was exchanged: hashing again");
}

enum outcome resolver_claim_rules(struct db *db, struct arena *arena,
                                  const struct identity_policy *policy, struct err *err)
{
    CHECK(identity_store_claim_setting(
        db, arena, "anchor_rules", identity_policy_anchor_rules(arena, policy),
        "types, ranks, normalisers, match_hashed or scope of the identity policy differ from those "
        "the stored anchors were made "
        "with: run `tutti identity apply`, or start with the file that was applied",
        err));
    return identity_store_types(db, arena, policy, err);
}

/* Frees the old policy: pointers into it must not outlive the batch's decoding. */
static enum outcome load_policy(struct resolver *resolver, struct arena *arena, struct err *err)
{
    struct id hash;
    struct span text;
    struct arena own = {0};
    struct identity_policy *policy = arena_new(arena, struct identity_policy);
    int32_t version;
    CHECK(identity_store_find_policy(resolver->db, arena, &version, &hash, &text, err));
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

enum outcome resolver_hold_active(struct resolver *resolver, struct arena *arena,
                                  struct active_policy *active, struct err *err)
{
    bool found = false;
    /* After waiting for a switch, this statement's snapshot has no row. The next statement sees the
     * new row. */
    for (int tries = 0; tries < 2 && !found; tries++)
        CHECK(identity_store_hold_active(resolver->db, arena, active, &found, err));
    if (!found)
        return err_set(err, OUTCOME_FATAL, "no_identity_policy",
                       "no identity policy is active: start identity-resolver once, or run `tutti "
                       "identity apply`");
    return resolver->erased ? erased_check(resolver->db, resolver->erased, active->erasures, err)
                            : OUTCOME_OK;
}

enum outcome work_hold_policy(struct work *work, struct err *err)
{
    struct resolver *resolver = work->resolver;
    struct active_policy active;
    CHECK(resolver_hold_active(resolver, work->arena, &active, err));
    if (!work->request->is_review) /* a review makes no ids */
        CHECK(resolver_check_keys(resolver, work->arena, &active, err));
    if (active.version != resolver->active.version)
        CHECK(load_policy(resolver, work->arena, err));
    resolver->active = active;
    work->is_review = work->request->is_review || !active.is_complete;
    work->has_orders = active.has_orders;
    return OUTCOME_OK;
}

enum outcome resolver_claim_policy(struct resolver *resolver, struct arena *arena, struct span text,
                                   struct err *err)
{
    struct id hash = digest_bytes(text), active;
    struct span stored;
    int32_t version;
    if (text.len == 0)
        return load_policy(resolver, arena, err);
    CHECK(identity_store_claim_policy(resolver->db, arena, &hash, text, err));
    CHECK(identity_store_find_policy(resolver->db, arena, &version, &active, &stored, err));
    if (!id_equal(&hash, &active))
        return err_set(err, OUTCOME_FATAL, "other_policy",
                       "identity.json is not the identity policy that is active: run `tutti "
                       "identity apply`, or start with the file "
                       "that was applied");
    return load_policy(resolver, arena, err);
}

static enum outcome activate(struct db *db, struct arena *arena, struct span text,
                             const struct identity_policy *policy, const char *actor,
                             int32_t *version, struct err *err)
{
    struct id hash = digest_bytes(text);
    CHECK(identity_store_insert_policy(db, arena, &hash, text, actor, version, err));
    CHECK(resolver_claim_rules(db, arena, policy, err));
    return db_commit(db, err);
}

enum outcome resolver_activate_policy(struct db *db, struct arena *arena, struct span text,
                                      const char *actor, int32_t *version, struct err *err)
{
    struct identity_policy *policy = arena_new(arena, struct identity_policy);
    CHECK(identity_policy_parse(arena, text, "the policy", policy, err));
    CHECK(db_begin(db, err));
    enum outcome outcome = activate(db, arena, text, policy, actor, version, err);
    if (outcome != OUTCOME_OK)
        db_rollback(db);
    return outcome;
}

enum outcome resolver_replace_rules(struct db *db, struct arena *arena, struct span text,
                                    const struct identity_policy *policy, const char *actor,
                                    int32_t *version, struct err *err)
{
    struct id hash = digest_bytes(text);
    CHECK(identity_store_insert_policy(db, arena, &hash, text, actor, version, err));
    return identity_store_replace_rules(db, arena, policy,
                                        identity_policy_anchor_rules(arena, policy), err);
}

enum outcome resolver_open_tool(struct resolver *resolver, struct arena *arena, struct db *db,
                                const struct config *config, struct err *err)
{
    *resolver = (struct resolver){.db = db};
    resolver_cache_open(&resolver->cache, 0);
    CHECK(identity_keys_read(config, &resolver->keys, err));
    CHECK(resolver_claim_key(resolver, arena, err));
    return load_policy(resolver, arena, err);
}

void resolver_close(struct resolver *resolver)
{
    resolver_cache_close(&resolver->cache);
    map_free(&resolver->batch);
    arena_free(&resolver->arena);
}
