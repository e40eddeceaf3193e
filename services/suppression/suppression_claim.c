/* suppression_claim.c: see suppression_claim.h. A no that is stored before the claim is seen by it;
 * one that comes later finds the claim. A customer's own no meets it at the lock of his state,
 * another person's no for the same address at the row of the decision. */
#include "services/suppression/suppression_claim.h"

#include <stdlib.h>

#include "services/suppression/suppression_work.h"
#include "suppression_sql.h"

/* Whose request it is today. */
struct customer {
    struct id request_id, profile_id;
};

struct customers {
    struct customer *items;
    size_t count;
};

struct claiming {
    struct ledger_work work;
    struct claim *claims;
    size_t count;
    struct id *ids; /* of the claims */
    struct customers customers;
    struct reservation *reservations; /* of the claims, read under their locks */
    size_t reservation_count;
};

static enum outcome find_customers(const struct claiming *c, struct customers *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, c->work.arena);
    params_uuid_array(&p, c->ids, sizeof *c->ids, c->count);
    CHECK(db_run(c->work.suppression->db, &sql_find_claimed, &p, &r, NULL, err));
    out->count = (size_t)db_rows(r);
    out->items = arena_array(c->work.arena, struct customer, out->count);
    for (int i = 0; i < db_rows(r); i++)
        out->items[i] = (struct customer){db_uuid(r, i, 0), db_uuid(r, i, 1)};
    return OUTCOME_OK;
}

/* Whoever moves an anchor locks the states of both profiles: after the locks they are the same, or
 * it was moved before them. */
static enum outcome lock_customers(struct claiming *c, struct err *err)
{
    struct suppression_flush *flush = c->work.flush;
    struct customers *before = &c->customers, after;
    CHECK(find_customers(c, before, err));
    struct id *profiles = arena_array(c->work.arena, struct id, before->count);
    for (size_t i = 0; i < before->count; i++)
        profiles[i] = before->items[i].profile_id;
    flush->judged = profiles;
    flush->judged_count = before->count;
    CHECK(work_lock_states(&c->work, err));
    CHECK(find_customers(c, &after, err));
    bool is_same = before->count == after.count;
    for (size_t i = 0; is_same && i < after.count; i++)
        is_same = id_equal(&before->items[i].profile_id, &after.items[i].profile_id);
    return is_same ? OUTCOME_OK
                   : err_set(err, OUTCOME_RETRY, "claim_race", "a customer was joined meanwhile");
}

static enum outcome lock_decisions(struct claiming *c, struct err *err)
{
    struct params p;
    struct db *db = c->work.suppression->db;
    params_init(&p, c->work.arena);
    params_uuid_array(&p, c->ids, sizeof *c->ids, c->count);
    CHECK(db_run(db, &sql_lock_decisions, &p, NULL, NULL, err));
    return suppression_store_find_decisions(db, c->work.arena, c->ids, c->count, &c->reservations,
                                            &c->reservation_count, err);
}

static int customer_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct customer *)element)->request_id);
}

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

static const struct reservation *reservation_of(const struct claiming *c, const struct id *request)
{
    return c->reservation_count ? bsearch(request, c->reservations, c->reservation_count,
                                          sizeof *c->reservations, reservation_compare)
                                : NULL;
}

/* Of a customer who is not known any more the profile has no facts. */
static struct profile profile_of(struct claiming *c, const struct id *request)
{
    const struct customer *customer = c->customers.count
                                          ? bsearch(request, c->customers.items, c->customers.count,
                                                    sizeof *c->customers.items, customer_compare)
                                          : NULL;
    struct profile profile = {0};
    if (customer == NULL)
        return profile;
    profile.id = customer->profile_id;
    work_gather(&c->work, &profile);
    return profile;
}

static void judge(struct claiming *c, struct claim *claim)
{
    struct ledger_work *w = &c->work;
    const struct contact_policy *policy = &w->suppression->policy;
    const struct reservation *r = reservation_of(c, &claim->request_id);
    claim->rule_id = SPAN_NONE;
    claim->claimed_at = INSTANT_ABSENT;
    claim->is_unknown = r == NULL;
    if (r == NULL)
        return;
    struct profile profile = profile_of(c, &claim->request_id);
    profile_claim(policy, &profile, r, w->reservations, w->reservation_count, w->now, w->arena,
                  &claim->answer);
    claim->claimed_at = r->claimed_at;
    if (claim->answer.rule >= 0)
        claim->rule_id = policy->rules[claim->answer.rule].id;
}

/* Two calls at once that claim the same: the second one repeats the first. */
static bool is_told_before(const struct claiming *c, size_t claim)
{
    for (size_t i = 0; i < claim; i++)
        if (id_equal(&c->ids[i], &c->ids[claim]))
            return true;
    return false;
}

static enum outcome store(struct claiming *c, struct err *err)
{
    struct id *claimed = arena_array(c->work.arena, struct id, c->count);
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct claim *claim = &c->claims[i];
        if (claim->is_unknown || claim->answer.void_because || claim->answer.is_repeat)
            continue;
        claim->answer.is_repeat = is_told_before(c, i);
        claim->claimed_at = c->work.now;
        claimed[count++] = claim->request_id;
    }
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    params_init(&p, c->work.arena);
    params_uuid_array(&p, claimed, sizeof *claimed, count);
    params_timestamptz(&p, c->work.now);
    return db_run(c->work.suppression->db, &sql_update_claimed, &p, NULL, NULL, err);
}

enum outcome suppression_claim(const struct suppression *suppression, struct arena *arena,
                               struct claim *claims, size_t count, struct instant now,
                               struct err *err)
{
    struct suppression_flush flush = {0};
    struct claiming c = {
        .work = {.suppression = suppression, .arena = arena, .flush = &flush, .now = now},
        .claims = claims,
        .count = count,
        .ids = arena_array(arena, struct id, count)};
    for (size_t i = 0; i < count; i++)
        c.ids[i] = claims[i].request_id;
    CHECK(db_begin(suppression->db, err));
    CHECK(generation_still_active(suppression->db, arena, &suppression->generation,
                                  suppression->erased, err));
    CHECK(lock_customers(&c, err));
    CHECK(lock_decisions(&c, err));
    work_choose_ledgers(&c.work);
    CHECK(work_read_ledgers(&c.work, err));
    for (size_t i = 0; i < count; i++)
        judge(&c, &claims[i]);
    CHECK(store(&c, err));
    return db_commit(suppression->db, err);
}
