/* clusters.c: the rules by which a link joins two clusters, or does not. */
#include "services/identity-resolver/logic/clusters.h"

struct cluster {
    const struct identity_node *node;
    uint32_t parent; /* itself for a root */
    uint32_t next;   /* the members in a ring */
    /* of a root: */
    uint32_t size;
    uint32_t counted;      /* members of types that count */
    uint32_t oldest;       /* node that names the profile */
    uint32_t unique_types; /* bits of the unique types that have an identifier */
    bool has_cut;
    bool has_alias;
};

static void find_limited_types(struct clusters *c)
{
    for (size_t i = 0; i < c->policy->type_count; i++)
        if (c->policy->types[i].limit != IDENTITY_UNBOUNDED)
            c->limited_types[c->limited++] = (int16_t)i;
}

struct clusters clusters_start(const struct identity_policy *policy, struct arena *arena,
                               size_t nodes, size_t cuts, size_t aliases)
{
    struct clusters c = {.policy = policy};
    find_limited_types(&c);
    c.items = arena_array(arena, struct cluster, nodes);
    c.held = arena_array(arena, uint32_t, nodes * c.limited);
    c.cuts = arena_array(arena, struct identity_cut, cuts);
    c.aliases = arena_array(arena, struct identity_alias, aliases);
    return c;
}

static void start_cluster(struct clusters *c, uint32_t i, const struct identity_node *node)
{
    const struct identity_type *type = &c->policy->types[node->type];
    uint32_t unique_types = type->is_unique ? UINT32_C(1) << node->type : 0;
    c->items[i] = (struct cluster){
        .node = node,
        .parent = i,
        .next = i,
        .size = 1,
        .counted = type->counts,
        .oldest = i,
        .unique_types = unique_types,
    };
    for (size_t t = 0; t < c->limited; t++)
        c->held[i * c->limited + t] = node->type == c->limited_types[t];
}

uint32_t clusters_add(struct clusters *c, const struct identity_node *nodes, size_t count)
{
    uint32_t first = (uint32_t)c->count;
    for (size_t i = 0; i < count; i++)
        start_cluster(c, (uint32_t)c->count++, &nodes[i]);
    return first;
}

void clusters_cut(struct clusters *c, const struct identity_cut *cuts, size_t count, uint32_t add_a,
                  uint32_t add_b)
{
    for (size_t i = 0; i < count; i++) {
        struct identity_cut cut = {cuts[i].a + add_a, cuts[i].b + add_b};
        c->items[cut.a].has_cut = c->items[cut.b].has_cut = true;
        c->cuts[c->cut_count++] = cut;
    }
}

void clusters_alias(struct clusters *c, const struct identity_alias *aliases, size_t count,
                    uint32_t add_a, uint32_t add_b)
{
    for (size_t i = 0; i < count; i++) {
        struct identity_alias alias = {aliases[i].a + add_a, aliases[i].b + add_b};
        c->items[alias.a].has_alias = c->items[alias.b].has_alias = true;
        c->aliases[c->alias_count++] = alias;
    }
}

static uint32_t find_root(struct cluster *items, uint32_t i)
{
    while (items[i].parent != i) {
        items[i].parent = items[items[i].parent].parent;
        i = items[i].parent;
    }
    return i;
}

static bool is_older(const struct identity_node *a, const struct identity_node *b)
{
    int c = instant_compare(a->first_seen, b->first_seen);
    return c ? c < 0 : id_compare(&a->identifier_id, &b->identifier_id) < 0;
}

static bool separates_cut(struct clusters *c, uint32_t a, uint32_t b)
{
    if (!c->items[a].has_cut || !c->items[b].has_cut)
        return false;
    for (size_t i = 0; i < c->cut_count; i++) {
        uint32_t x = find_root(c->items, c->cuts[i].a), y = find_root(c->items, c->cuts[i].b);
        if ((x == a && y == b) || (x == b && y == a))
            return true;
    }
    return false;
}

/* Bits of the unique types whose values in both clusters are one. The values within one cluster are
 * one already, so one alias between the two is enough. */
static uint32_t aliased_types(struct clusters *c, uint32_t a, uint32_t b)
{
    uint32_t types = 0;
    if (!c->items[a].has_alias || !c->items[b].has_alias)
        return 0;
    for (size_t i = 0; i < c->alias_count; i++) {
        uint32_t x = find_root(c->items, c->aliases[i].a), y = find_root(c->items, c->aliases[i].b);
        if ((x == a && y == b) || (x == b && y == a))
            types |= UINT32_C(1) << c->items[c->aliases[i].a].node->type;
    }
    return types;
}

/* Members of the type first seen in (from, until]. */
static uint32_t count_seen(const struct clusters *c, uint32_t root, int16_t type,
                           struct instant from, struct instant until)
{
    uint32_t count = 0, i = root;
    do {
        const struct identity_node *node = c->items[i].node;
        count += node->type == type && instant_compare(from, node->first_seen) < 0 &&
                 instant_compare(node->first_seen, until) <= 0;
        i = c->items[i].next;
    } while (i != root);
    return count;
}

static bool exceeds_limit(const struct clusters *c, size_t t, const struct identity_link *link,
                          uint32_t a, uint32_t b)
{
    const struct identity_type *type = &c->policy->types[c->limited_types[t]];
    if (c->held[a * c->limited + t] + c->held[b * c->limited + t] <= type->limit)
        return false;
    if (type->limit_window.us == 0)
        return true;
    /* a manual link stands at the end of time, where no identifier is recent */
    if (link->is_manual)
        return false;
    struct instant from = instant_minus(link->first_seen, type->limit_window);
    return count_seen(c, a, c->limited_types[t], from, link->first_seen) +
               count_seen(c, b, c->limited_types[t], from, link->first_seen) >
           type->limit;
}

static bool exceeds_any_limit(const struct clusters *c, const struct identity_link *link,
                              uint32_t a, uint32_t b)
{
    for (size_t t = 0; t < c->limited; t++)
        if (exceeds_limit(c, t, link, a, b))
            return true;
    return false;
}

static void unite(struct clusters *c, uint32_t a, uint32_t b)
{
    if (c->items[a].size < c->items[b].size) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    struct cluster *into = &c->items[a], *from = &c->items[b];
    uint32_t next = into->next;
    into->next = from->next;
    from->next = next;
    from->parent = a;
    into->size += from->size;
    into->counted += from->counted;
    into->unique_types |= from->unique_types;
    into->has_cut = into->has_cut || from->has_cut;
    into->has_alias = into->has_alias || from->has_alias;
    if (is_older(c->items[from->oldest].node, c->items[into->oldest].node))
        into->oldest = from->oldest;
    for (size_t t = 0; t < c->limited; t++)
        c->held[a * c->limited + t] += c->held[b * c->limited + t];
}

enum refusal clusters_judge(struct clusters *c, const struct identity_link *link, uint32_t a,
                            uint32_t b)
{
    const struct identity_node *x = c->items[a].node, *y = c->items[b].node;
    if (!link->is_manual && !identity_may_link(c->policy, x->type, y->type)) /* 1 */
        return REFUSED_PAIR;
    if (x->is_quarantined || y->is_quarantined) /* 2 */
        return REFUSED_QUARANTINE;
    a = find_root(c->items, a);
    b = find_root(c->items, b);
    if (a == b)
        return REFUSED_NOT;
    if (separates_cut(c, a, b)) /* 3 */
        return REFUSED_CUT;
    uint32_t both = c->items[a].unique_types & c->items[b].unique_types;
    if (both != 0 && (both & ~aliased_types(c, a, b)) != 0) /* 4 */
        return REFUSED_UNIQUE;
    if (exceeds_any_limit(c, link, a, b)) /* 5 */
        return REFUSED_LIMIT;
    if (c->items[a].counted + c->items[b].counted > c->policy->max_identifiers) /* 6 */
        return REFUSED_MAX_IDENTIFIERS;
    return REFUSED_NOT;
}

enum refusal clusters_take(struct clusters *c, const struct identity_link *link, uint32_t a,
                           uint32_t b)
{
    enum refusal refusal = clusters_judge(c, link, a, b);
    a = find_root(c->items, a);
    b = find_root(c->items, b);
    if (refusal == REFUSED_NOT && a != b)
        unite(c, a, b);
    return refusal;
}

uint32_t clusters_name(struct clusters *c, uint32_t i)
{
    return c->items[find_root(c->items, i)].oldest;
}

static int tier(const struct identity_link *link)
{
    return link->is_manual ? 0 : 1 + link->is_indirect;
}

int link_compare(const void *x, const void *y)
{
    const struct identity_link *a = x, *b = y;
    if (tier(a) != tier(b))
        return tier(a) - tier(b);
    if (a->strength != b->strength)
        return a->strength < b->strength ? -1 : 1;
    int c = a->is_manual ? 0 : instant_compare(a->first_seen, b->first_seen);
    if (c)
        return c;
    if (a->stronger != b->stronger || a->weaker != b->weaker)
        return a->stronger != b->stronger ? a->stronger - b->stronger : a->weaker - b->weaker;
    return id_compare(&a->hash, &b->hash);
}

void links_place(const struct identity_policy *policy, const struct identity_node *a_nodes,
                 const struct identity_node *b_nodes, struct identity_link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int16_t a = a_nodes[links[i].a].type, b = b_nodes[links[i].b].type;
        links[i].strength = links[i].is_manual ? LINK_MANUAL : identity_strength(policy, a, b);
        links[i].stronger = a < b ? a : b;
        links[i].weaker = a < b ? b : a;
    }
}
