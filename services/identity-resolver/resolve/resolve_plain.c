/* resolve_plain.c: settles parts of a batch of which the outcome is known without any stored link.
 *
 * A part is what links of the batch tie together: new identifiers and stored profiles, or one
 * profile alone. It is plain if all of this holds:
 *   - no member was ever the end of a refused link (as all in quarantine are), or is named by an
 *     order;
 *   - none of its links is between two members of one stored profile (such a link may be stored)
 *     or of types that may not link;
 *   - the part as a whole keeps within max_identifiers, max_degree and, type by type, unique,
 *     limit (of any window) and max_links.
 *
 * Then nothing in it can be refused: at its place a link asks about a cluster of some of these
 * members, and the rules that count refuse only larger clusters.
 *
 * No member has another link that leaves the part. Between two stored profiles such a link would be
 * refused and have marked both ends. A new identifier has only the links of the batch. So the links
 * of the batch are new, and a member's degree is below the number of members.
 *
 * Stored profiles stay connected, and the batch ties the part together by links that may link: one
 * profile, named after its oldest member, every link accepted. The general way would find the same
 * (docs/figures.md, Identity). */
#include "services/identity-resolver/resolve/resolve_work.h"

struct part {
    struct member *oldest;
    uint32_t size, by_type[IDENTITY_MAX_TYPES];
    bool is_plain;
};

struct parts {
    struct part *items; /* has room for one part per member */
    size_t count;
};

/* A new identifier starts alone, a stored one with its profile. */
static void start_groups(struct work *work)
{
    struct map profiles;
    map_init(&profiles, work->arena, sizeof(struct id), sizeof(uint32_t));
    for (uint32_t i = 0; i < work->members.count; i++) {
        struct member *member = &work->members.items[i];
        bool is_first = true;
        uint32_t *root =
            member->is_new ? &i : map_put(&profiles, &member->row.profile_id, &is_first);
        if (is_first)
            *root = i;
        member->group = *root;
        member->is_plain = true;
    }
}

/* A link that is not plain makes its part not plain, through its ends. */
static void unite_groups(struct work *work)
{
    const struct link_rows *links = &work->request->links;
    for (size_t i = 0; i < links->count; i++) {
        struct member *a = find_member(work, &links->items[i].key.a),
                      *b = find_member(work, &links->items[i].key.b);
        bool may_be_stored =
            !a->is_new && !b->is_new && id_equal(&a->row.profile_id, &b->row.profile_id);
        if (may_be_stored || !identity_may_link(&work->resolver->policy, a->type, b->type))
            a->is_plain = false;
        work->members.items[work_root(work, a->group)].group = work_root(work, b->group);
    }
}

static bool is_older(const struct member *x, const struct member *y)
{
    int c = instant_compare(x->first_seen, y->first_seen);
    return c < 0 || (c == 0 && id_compare(&x->row.identifier_id, &y->row.identifier_id) < 0);
}

static void count_member(struct work *work, struct part *part, struct member *member)
{
    const struct id *id = &member->row.identifier_id;
    if (part->oldest == NULL || is_older(member, part->oldest))
        part->oldest = member;
    part->size++;
    part->by_type[member->type]++;
    part->is_plain = part->is_plain && member->is_plain && !member->row.has_refused &&
                     map_find(&work->ordered, id) == NULL;
}

/* `node` becomes the place of the member's part. */
static struct parts make_parts(struct work *work)
{
    struct parts parts = {arena_array(work->arena, struct part, work->members.count), 0};
    for (uint32_t i = 0; i < work->members.count; i++)
        work->members.items[i].node = NO_MEMBER;
    for (uint32_t i = 0; i < work->members.count; i++) {
        struct member *member = &work->members.items[i];
        struct member *root = &work->members.items[work_root(work, i)];
        if (root->node == NO_MEMBER) {
            root->node = (uint32_t)parts.count;
            parts.items[parts.count++].is_plain = true;
        }
        member->node = root->node;
        count_member(work, &parts.items[root->node], member);
    }
    return parts;
}

static bool is_type_in_bounds(const struct identity_policy *policy, const struct part *part,
                              size_t t)
{
    const struct identity_type *type = &policy->types[t];
    if (part->by_type[t] > type->limit || (type->is_unique && part->by_type[t] > 1))
        return false;
    for (size_t i = 0; i < policy->type_count; i++)
        if (part->by_type[i] > type->max_links[i])
            return false;
    return true;
}

static bool is_in_bounds(const struct identity_policy *policy, const struct part *part)
{
    if (part->size > policy->max_identifiers || part->size > policy->max_degree)
        return false;
    for (size_t t = 0; t < policy->type_count; t++)
        if (part->by_type[t] > 0 && !is_type_in_bounds(policy, part, t))
            return false;
    return true;
}

static void measure(struct work *work, const struct part *part)
{
    const struct identity_policy *policy = &work->resolver->policy;
    struct resolve_counts *counts = &work->request->committed->counts;
    uint32_t size = 0;
    for (size_t t = 0; t < policy->type_count; t++)
        size += policy->types[t].counts ? part->by_type[t] : 0;
    if (size > counts->largest_profile)
        counts->largest_profile = size;
}

void work_settle_plain(struct work *work)
{
    struct resolve_counts *counts = &work->request->committed->counts;
    start_groups(work);
    unite_groups(work);
    struct parts parts = make_parts(work);
    for (size_t i = 0; i < parts.count; i++) {
        struct part *part = &parts.items[i];
        part->is_plain = part->is_plain && is_in_bounds(&work->resolver->policy, part);
        if (part->is_plain)
            measure(work, part);
    }
    for (size_t i = 0; i < work->members.count; i++) {
        struct member *member = &work->members.items[i];
        const struct part *part = &parts.items[member->node];
        member->is_plain = part->is_plain;
        if (part->is_plain)
            member->profile_id = part->oldest->row.identifier_id;
        counts->plain += part->is_plain && member->is_new;
    }
}
