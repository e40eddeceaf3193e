/* resolve_transact.c: runs the attempts of a resolving transaction for a batch, a review or a step
 * of a sweep. */
#include "common/runtime/clock.h"
#include "services/identity-resolver/resolve/resolve_work.h"

enum { MOST_ATTEMPTS = 20 };

static void work_start(struct work *work, struct request *request)
{
    struct arena *arena = request->arena;
    *work = (struct work){
        .request = request, .resolver = request->resolver, .arena = arena, .highest = -1};
    work->held = arena_calloc(arena, STRIPES / 8, 1);
    map_init(&work->member_of, arena, sizeof(struct id), sizeof(uint32_t));
    map_init(&work->edge_of, arena, sizeof(struct link_key), sizeof(uint32_t));
    map_init(&work->newest, arena, sizeof(struct link_key), sizeof(enum order_kind));
    map_init(&work->aliases, arena, sizeof(struct link_key), sizeof(bool));
    map_init(&work->released, arena, sizeof(struct id), sizeof(bool));
    map_init(&work->ordered, arena, sizeof(struct id), sizeof(bool));
    map_init(&work->inside, arena, sizeof(struct id), sizeof(bool));
    work->change = (struct identity_change){
        .changed_at = request->now.us, .cause = request->cause, .cause_id = request->cause_id};
}

/* All other transactions must look for orders before the first one is stored. The orders of a dry
 * run are never visible to them. */
static enum outcome add_orders(struct work *work, struct err *err)
{
    struct request *request = work->request;
    if (request->orders == NULL || request->orders->count == 0)
        return OUTCOME_OK;
    if (!work->has_orders && !request->is_dry_run) {
        work->starts_again = true;
        return err_set(err, OUTCOME_RETRY, "orders_unmarked",
                       "the identity policy changed meanwhile");
    }
    work->has_orders = true;
    return identity_store_insert_orders(work->resolver->db, work->arena, request->orders,
                                        &work->order_ids, err);
}

static enum outcome load_seeds(struct work *work, struct err *err)
{
    struct id_list *seeds = &work->request->seeds, profiles = work->request->profiles;
    CHECK(work_load(work, seeds->items, seeds->count, &profiles, err));
    work_bring_inside(work, seeds->items, seeds->count);
    /* a profile that is gone was reviewed by the transaction that moved it */
    if (profiles.count > 0)
        work_bring_all_inside(work);
    return OUTCOME_OK;
}

static enum outcome run_steps(struct work *work, struct err *err)
{
    struct request *request = work->request;
    CHECK(work_hold_policy(work, err));
    CHECK(add_orders(work, err));
    if (request->is_review)
        CHECK(load_seeds(work, err));
    else
        CHECK(work_load_batch(work, err));
    CHECK(work_close(work, err));
    work_partition(work);
    CHECK(work_write(work, err));
    return request->swept_to
               ? identity_store_set_swept(work->resolver->db, work->arena, request->swept_to, err)
               : OUTCOME_OK;
}

static enum outcome attempt(struct work *work, struct err *err)
{
    struct db *db = work->resolver->db;
    bool has_orders = work->request->orders && work->request->orders->count > 0;
    if (has_orders && !work->request->is_dry_run)
        CHECK(identity_store_mark_orders(db, work->arena, err));
    CHECK(db_begin(db, err));
    enum outcome outcome = run_steps(work, err);
    if (outcome == OUTCOME_OK && !work->request->is_dry_run)
        return db_commit(db, err);
    db_rollback(db);
    return outcome;
}

static enum outcome run_request(struct request *request, struct err *err)
{
    struct committed_change *committed = request->committed;
    request->stripes = arena_calloc(request->arena, STRIPES / 8, 1);
    for (size_t restarts = 0;; restarts++) {
        struct work work;
        work_start(&work, request);
        *committed = (struct committed_change){.counts.restarts = restarts};
        enum outcome outcome = attempt(&work, err);
        if (outcome == OUTCOME_OK) {
            if (!request->is_dry_run)
                work_fill_cache(&work);
            return OUTCOME_OK;
        }
        *committed = (struct committed_change){0};
        if (!work.starts_again)
            return outcome;
        if (restarts == MOST_ATTEMPTS)
            return err_set(err, OUTCOME_RETRY, "lock_order",
                           "profiles that are needed keep being held by others");
    }
}

enum outcome resolver_transact(struct resolver *resolver, struct arena *arena,
                               const struct sightings *uncovered, struct instant now,
                               struct committed_change *change, struct err *err)
{
    struct request request = {.resolver = resolver,
                              .arena = arena,
                              .cause = SPAN("touchpoint"),
                              .cause_id = uncovered->items[0].event_id,
                              .now = now,
                              .committed = change};
    request_collect(&request, uncovered);
    return run_request(&request, err);
}

static void add_seeds(struct request *request, const struct review *review)
{
    const struct resolve_orders *orders = review->orders;
    for (size_t i = 0; i < review->identifier_count; i++)
        *arena_push(request->arena, &request->seeds) = review->identifiers[i];
    for (size_t i = 0; orders && i < orders->count; i++) {
        *arena_push(request->arena, &request->seeds) = orders->items[i].a;
        if (!id_is_nil(&orders->items[i].b))
            *arena_push(request->arena, &request->seeds) = orders->items[i].b;
    }
    id_list_unique(&request->seeds);
}

enum outcome resolver_review(struct resolver *resolver, struct arena *arena,
                             const struct review *review, struct review_result *result,
                             struct err *err)
{
    struct request request = {.resolver = resolver,
                              .arena = arena,
                              .orders = review->orders,
                              .is_review = true,
                              .is_dry_run = review->is_dry_run,
                              .cause = SPAN("operator"),
                              .now = review->now,
                              .committed = &result->change,
                              .plan = &result->plan};
    *result = (struct review_result){0};
    add_seeds(&request, review);
    return request.seeds.count > 0 ? run_request(&request, err) : OUTCOME_OK;
}

enum outcome resolver_sweep_step(struct resolver *resolver, struct arena *arena, size_t limit,
                                 struct id *position, size_t *count, struct err *err)
{
    struct committed_change change;
    struct request request = {.resolver = resolver,
                              .arena = arena,
                              .is_review = true,
                              .cause = SPAN("policy"),
                              .now = clock_now(),
                              .committed = &change};
    CHECK(
        identity_store_next_profiles(resolver->db, arena, position, limit, &request.profiles, err));
    *count = request.profiles.count;
    if (*count == 0)
        return identity_store_set_swept(resolver->db, arena, NULL, err);
    struct id last = request.profiles.items[*count - 1];
    request.swept_to = &last;
    CHECK(run_request(&request, err));
    *position = last;
    return OUTCOME_OK;
}
