/* resolve_degree.c: decides which identifiers are in quarantine, and reads what is on the far side
 * of a link. */
#include "services/identity-resolver/resolve/resolve_work.h"

/* The largest degree that never means quarantine. */
static uint32_t harmless_degree(const struct identity_policy *policy, int16_t type)
{
    uint32_t least = policy->max_degree;
    for (size_t i = 0; i < policy->type_count; i++)
        if (policy->types[type].max_links[i] < least)
            least = policy->types[type].max_links[i];
    return least;
}

static struct id far_end(const struct edge *edge)
{
    return edge->a == NO_MEMBER ? edge->row.key.a : edge->row.key.b;
}

enum outcome work_look_beyond(struct work *work, const struct index_list *edges, struct err *err)
{
    struct id_list ids = {0};
    struct identifier_rows rows = {0};
    struct map found;
    map_init(&found, work->arena, sizeof(struct id), sizeof(uint32_t));
    for (size_t i = 0; i < edges->count; i++)
        *arena_push(work->arena, &ids) = far_end(&work->edges.items[edges->items[i]]);
    id_list_unique(&ids);
    CHECK(identity_store_find_identifiers(work->resolver->db, work->arena, ids.items, ids.count,
                                          &rows, err));
    for (uint32_t i = 0; i < rows.count; i++)
        *(uint32_t *)map_put(&found, &rows.items[i].identifier_id, NULL) = i;
    for (size_t i = 0; i < edges->count; i++) {
        struct edge *edge = &work->edges.items[edges->items[i]];
        struct id far = far_end(edge);
        const uint32_t *at = map_find(&found, &far);
        if (at == NULL)
            return err_set(err, OUTCOME_RETRY, "link_without_end",
                           "a link has an end that is not there");
        edge->far_type = identity_type_of_rank(&work->resolver->policy, rows.items[*at].type);
        edge->far_quarantined = rows.items[*at].is_quarantined;
        edge->far_profile = rows.items[*at].profile_id;
    }
    return OUTCOME_OK;
}

/* Members whose links changed; in a review, all that are inside, because the policy may have
 * changed since. */
static bool is_judged(const struct work *work, const struct member *member)
{
    /* more links cannot change that */
    bool is_sure = member->row.is_quarantined && member->is_quarantined;
    return member->is_inside && !member->is_plain && !is_sure &&
           (member->has_news || work->is_review);
}

static void count_degrees(struct work *work)
{
    for (size_t i = 0; i < work->members.count; i++)
        work->members.items[i].degree = 0;
    for (size_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        if (!edge->is_observed)
            continue;
        if (edge->a != NO_MEMBER)
            work->members.items[edge->a].degree++;
        if (edge->b != NO_MEMBER)
            work->members.items[edge->b].degree++;
    }
}

/* Marks candidates in `node` by their place in the list of counts. */
static struct index_list find_candidates(struct work *work)
{
    struct index_list candidates = {0};
    for (uint32_t i = 0; i < work->members.count; i++) {
        struct member *member = &work->members.items[i];
        member->node = NO_MEMBER;
        if (!is_judged(work, member))
            continue;
        member->is_quarantined = false;
        if (member->is_released ||
            member->degree <= harmless_degree(&work->resolver->policy, member->type))
            continue;
        member->node = (uint32_t)candidates.count;
        *arena_push(work->arena, &candidates) = i;
    }
    return candidates;
}

static uint32_t candidate_at(const struct work *work, uint32_t member)
{
    return member == NO_MEMBER ? NO_MEMBER : work->members.items[member].node;
}

static enum outcome learn_types(struct work *work, struct err *err)
{
    struct index_list asked = {0};
    for (uint32_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        bool is_open = edge->a == NO_MEMBER || edge->b == NO_MEMBER;
        if (is_open && edge->is_observed && edge->far_type == TYPE_UNKNOWN &&
            (candidate_at(work, edge->a) != NO_MEMBER || candidate_at(work, edge->b) != NO_MEMBER))
            *arena_push(work->arena, &asked) = i;
    }
    return asked.count > 0 ? work_look_beyond(work, &asked, err) : OUTCOME_OK;
}

static void count_by_type(struct work *work, uint32_t (*counts)[IDENTITY_MAX_TYPES])
{
    for (size_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        uint32_t a = candidate_at(work, edge->a), b = candidate_at(work, edge->b);
        if (!edge->is_observed)
            continue;
        if (a != NO_MEMBER)
            counts[a][edge->b == NO_MEMBER ? edge->far_type : work->members.items[edge->b].type]++;
        if (b != NO_MEMBER)
            counts[b][edge->a == NO_MEMBER ? edge->far_type : work->members.items[edge->a].type]++;
    }
}

enum outcome work_judge_degrees(struct work *work, struct err *err)
{
    count_degrees(work);
    struct index_list candidates = find_candidates(work);
    if (candidates.count == 0)
        return OUTCOME_OK;
    CHECK(learn_types(work, err));
    uint32_t(*counts)[IDENTITY_MAX_TYPES] =
        arena_calloc(work->arena, candidates.count, sizeof *counts);
    count_by_type(work, counts);
    for (size_t i = 0; i < candidates.count; i++) {
        struct member *member = &work->members.items[candidates.items[i]];
        member->is_quarantined = identity_is_quarantined(&work->resolver->policy, member->type,
                                                         counts[i], member->degree);
    }
    return OUTCOME_OK;
}

/* ---- reviews ---- */
static bool still_quarantined(struct work *work, const struct member *member,
                              const struct degree_rows *degrees)
{
    uint32_t counts[IDENTITY_MAX_TYPES] = {0}, degree = 0;
    for (size_t i = 0; i < degrees->count; i++)
        if (id_equal(&degrees->items[i].identifier_id, &member->row.identifier_id)) {
            counts[identity_type_of_rank(&work->resolver->policy, degrees->items[i].type)] =
                (uint32_t)degrees->items[i].count;
            degree += (uint32_t)degrees->items[i].count;
        }
    return identity_is_quarantined(&work->resolver->policy, member->type, counts, degree);
}

enum outcome work_review_quarantined(struct work *work, struct err *err)
{
    struct id_list asked = {0}, released = {0}, kept = {0};
    struct degree_rows degrees = {0};
    for (size_t i = 0; i < work->members.count; i++) {
        const struct member *member = &work->members.items[i];
        if (member->is_inside && member->row.is_quarantined && member->is_quarantined)
            *arena_push(work->arena, &asked) = member->row.identifier_id;
    }
    if (asked.count == 0)
        return OUTCOME_OK;
    CHECK(identity_store_count_degrees(work->resolver->db, work->arena, asked.items, asked.count,
                                       &degrees, err));
    for (size_t i = 0; i < asked.count; i++) {
        struct member *member = find_member(work, &asked.items[i]);
        member->is_quarantined = !member->is_released && still_quarantined(work, member, &degrees);
        *arena_push(work->arena, member->is_quarantined ? &kept : &released) = asked.items[i];
    }
    CHECK(work_load_links(work, &released, false, err));
    return work_load_links(work, &kept, true, err);
}
