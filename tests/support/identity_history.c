/* identity_history.c: see identity_history.h. */
#include "tests/support/identity_history.h"

#include <stdlib.h>

enum { LAST_TIME = 30 };

static bool chance(struct random *r, uint32_t percent)
{
    return random_below(r, 100) < percent;
}

static void change_type(struct identity_type *type, struct random *r)
{
    static const int64_t windows[] = {0, 0, 3, 8, 15};
    type->is_unique = chance(r, 25);
    type->counts = !chance(r, 20);
    type->limit = chance(r, 30) ? 1 + random_below(r, 3) : IDENTITY_UNBOUNDED;
    type->limit_window = (struct duration){windows[random_below(r, 5)]};
    bool is_watched = chance(r, 25);
    for (size_t i = 0; i < HISTORY_TYPES; i++)
        type->max_links[i] =
            is_watched && chance(r, 40) ? 1 + random_below(r, 3) : IDENTITY_UNBOUNDED;
}

void history_change_policy(struct history *h, struct random *r)
{
    static const uint32_t sizes[] = {2, 3, 4, 6, 99, 99}, degrees[] = {3, 5, 99, 99, 99};
    struct identity_policy *policy = &h->policy;
    policy->max_identifiers = sizes[random_below(r, 6)];
    policy->max_degree = degrees[random_below(r, 5)];
    for (size_t a = 0; a < policy->type_count; a++) {
        change_type(&policy->types[a], r);
        for (size_t b = 0; b <= a; b++) {
            enum link_strength strength =
                chance(r, 30) ? (enum link_strength)(LINK_EXACT + random_below(r, 3)) : LINK_EXACT;
            policy->pairs[a][b] = policy->pairs[b][a] =
                (struct identity_pair){!chance(r, 6), strength};
        }
    }
}

static struct id random_id(struct random *r)
{
    struct id id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)random_next(r);
    return id;
}

struct history history_start(struct random *r)
{
    struct history h = {.count = 4 + random_below(r, HISTORY_IDS - 3), .has_orders = chance(r, 60)};
    identity_policy_init(&h.policy);
    h.policy.type_count = 1 + random_below(r, HISTORY_TYPES);
    history_change_policy(&h, r);
    for (uint32_t a = 0; a < h.count; a++) {
        h.ids[a] = random_id(r);
        h.types[a] = (int16_t)random_below(r, (uint32_t)h.policy.type_count);
        for (uint32_t b = a + 1; b < h.count; b++)
            h.pairs[a][b].hash = random_id(r);
    }
    return h;
}

static struct history_pair *pair_of(struct history *h, uint32_t a, uint32_t b)
{
    return a < b ? &h->pairs[a][b] : &h->pairs[b][a];
}

static void see(struct history *h, uint32_t i, struct instant at)
{
    bool is_new = !(h->seen >> i & 1);
    if (is_new || instant_compare(at, h->first_seen[i]) < 0)
        h->first_seen[i] = at;
    h->seen |= (id_set)1 << i;
}

static void see_link(struct history *h, uint32_t a, uint32_t b, struct instant at, bool is_indirect)
{
    struct history_pair *pair = pair_of(h, a, b);
    bool is_other = pair->is_observed && pair->is_indirect != is_indirect;
    if (!pair->is_observed || (is_other && pair->is_indirect) ||
        (!is_other && instant_compare(at, pair->first_seen) < 0)) {
        pair->first_seen = at;
        pair->is_indirect = is_indirect;
    }
    pair->is_observed = true;
}

static bool is_stronger(const struct history *h, uint32_t a, uint32_t b)
{
    return h->types[a] != h->types[b] ? h->types[a] < h->types[b]
                                      : id_compare(&h->ids[a], &h->ids[b]) < 0;
}

/* How many of the set are stronger. */
static uint32_t place_in(const struct history *h, id_set ids, uint32_t i)
{
    uint32_t place = 0;
    for (uint32_t j = 0; j < h->count; j++)
        place += (ids >> j & 1) && is_stronger(h, j, i);
    return place;
}

static void see_links(struct history *h, id_set ids, struct instant at)
{
    for (uint32_t a = 0; a < h->count; a++)
        for (uint32_t b = a + 1; b < h->count; b++) {
            if (!(ids >> a & 1) || !(ids >> b & 1))
                continue;
            uint32_t x = place_in(h, ids, a), y = place_in(h, ids, b);
            if (x == 0 || y == 0 || (x < 8 && y < 8))
                see_link(h, a, b, at, x > 0 && y > 0);
        }
}

static id_set touch(struct history *h, struct random *r)
{
    struct instant at = {random_below(r, LAST_TIME)};
    uint32_t count = 1 + random_below(r, chance(r, 4) ? 2 * HISTORY_IDS : 4);
    id_set ids = 0;
    for (uint32_t i = 0; i < count; i++)
        ids |= (id_set)1 << random_below(r, (uint32_t)h->count);
    for (uint32_t i = 0; i < h->count; i++)
        if (ids >> i & 1)
            see(h, i, at);
    see_links(h, ids, at);
    return ids;
}

static id_set give_order(struct history *h, struct random *r)
{
    uint32_t a = random_below(r, (uint32_t)h->count), b = random_below(r, (uint32_t)h->count);
    if (a == b || !(h->seen >> a & 1) || !(h->seen >> b & 1))
        return touch(h, r);
    if (chance(r, 25)) {
        h->is_released[a] = true;
        return (id_set)1 << a;
    }
    static const enum newest_order orders[] = {ORDER_LINK, ORDER_SAME, ORDER_SAME,
                                               ORDER_CUT,  ORDER_CUT,  ORDER_CUT};
    pair_of(h, a, b)->newest = orders[random_below(r, 6)];
    return (id_set)1 << a | (id_set)1 << b;
}

id_set history_step(struct history *h, struct random *r)
{
    if (h->has_orders && chance(r, 20))
        return give_order(h, r);
    id_set ids = touch(h, r);
    return chance(r, 33) ? ids | touch(h, r) : ids;
}

bool history_is_link(const struct history *h, uint32_t a, uint32_t b)
{
    return a < b && (h->pairs[a][b].is_observed || history_is_manual(&h->pairs[a][b]));
}

uint32_t history_degree(const struct history *h, uint32_t i, uint32_t by_type[HISTORY_TYPES])
{
    uint32_t degree = 0;
    for (uint32_t j = 0; j < h->count; j++) {
        if (j == i || !pair_of((struct history *)h, i, j)->is_observed)
            continue;
        degree++;
        if (by_type)
            by_type[h->types[j]]++;
    }
    return degree;
}

static bool is_quarantined(const struct history *h, uint32_t i)
{
    uint32_t by_type[HISTORY_TYPES] = {0}, counted = 0;
    bool is_over = false;
    history_degree(h, i, by_type);
    for (size_t t = 0; t < HISTORY_TYPES; t++) {
        is_over = is_over || by_type[t] > h->policy.types[h->types[i]].max_links[t];
        counted += h->policy.types[t].counts ? by_type[t] : 0;
    }
    return (is_over || counted > h->policy.max_degree) && !h->is_released[i];
}

struct place {
    uint32_t a, b;
    int tier, strength; /* 0: by order; 1: direct; 2: indirect */
    int64_t at;
    int ranks; /* of the stronger, then of the weaker end */
    struct id hash;
};

static int place_compare(const void *x, const void *y)
{
    const struct place *p = x, *q = y;
    if (p->tier != q->tier)
        return p->tier - q->tier;
    if (p->strength != q->strength)
        return p->strength - q->strength;
    if (p->at != q->at)
        return p->at < q->at ? -1 : 1;
    return p->ranks != q->ranks ? p->ranks - q->ranks : id_compare(&p->hash, &q->hash);
}

static size_t places(const struct history *h, struct place *out)
{
    size_t count = 0;
    for (uint32_t a = 0; a < h->count; a++)
        for (uint32_t b = a + 1; b < h->count; b++) {
            const struct history_pair *pair = &h->pairs[a][b];
            int x = h->types[a], y = h->types[b], ranks = x < y ? x * 100 + y : y * 100 + x;
            if (history_is_manual(pair))
                out[count++] = (struct place){a, b, 0, 0, 0, ranks, pair->hash};
            else if (pair->is_observed)
                out[count++] = (struct place){a,
                                              b,
                                              1 + pair->is_indirect,
                                              (int)h->policy.pairs[x][y].strength,
                                              pair->first_seen.us,
                                              ranks,
                                              pair->hash};
        }
    qsort(out, count, sizeof *out, place_compare);
    return count;
}

static bool holds_cut(const struct history *h, id_set set)
{
    for (uint32_t a = 0; a < h->count; a++)
        for (uint32_t b = a + 1; b < h->count; b++)
            if (h->pairs[a][b].newest == ORDER_CUT && (set >> a & 1) && (set >> b & 1))
                return true;
    return false;
}

static uint32_t count_type(const struct history *h, id_set set, int16_t type, int64_t from,
                           int64_t until)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < h->count; i++)
        count += (set >> i & 1) && h->types[i] == type && h->first_seen[i].us > from &&
                 h->first_seen[i].us <= until;
    return count;
}

bool history_is_alias(const struct history *h, uint32_t a, uint32_t b)
{
    const struct history_pair *pair = a < b ? &h->pairs[a][b] : &h->pairs[b][a];
    return h->types[a] == h->types[b] &&
           (((h->ids[a].bytes[0] + h->ids[b].bytes[0]) & 3) == 0 || pair->newest == ORDER_SAME);
}

/* What chains of aliases within the set lead to from i. */
static id_set one_value(const struct history *h, id_set set, uint32_t i)
{
    id_set reached = (id_set)1 << i, before = 0;
    while (reached != before) {
        before = reached;
        for (uint32_t a = 0; a < h->count; a++)
            for (uint32_t b = 0; b < h->count; b++)
                if ((before >> a & 1) && (set >> b & 1) && history_is_alias(h, a, b))
                    reached |= (id_set)1 << b;
    }
    return reached;
}

static bool breaks_unique(const struct history *h, id_set set)
{
    for (uint32_t i = 0; i < h->count; i++) {
        if (!(set >> i & 1) || !h->policy.types[h->types[i]].is_unique)
            continue;
        id_set one = one_value(h, set, i);
        for (uint32_t j = 0; j < h->count; j++)
            if ((set >> j & 1) && h->types[j] == h->types[i] && !(one >> j & 1))
                return true;
    }
    return false;
}

static bool breaks_limit(const struct history *h, id_set set, const struct place *p)
{
    for (int16_t t = 0; t < (int16_t)h->policy.type_count; t++) {
        const struct identity_type *type = &h->policy.types[t];
        int64_t window = type->limit_window.us;
        uint32_t count = window == 0    ? count_type(h, set, t, INT64_MIN, INT64_MAX)
                         : p->tier == 0 ? 0
                                        : count_type(h, set, t, p->at - window, p->at);
        if (count > type->limit)
            return true;
    }
    return false;
}

static bool is_too_large(const struct history *h, id_set set)
{
    uint32_t counted = 0;
    for (uint32_t i = 0; i < h->count; i++)
        counted += (set >> i & 1) && h->policy.types[h->types[i]].counts;
    return counted > h->policy.max_identifiers;
}

static enum refusal refusal_of(const struct history *h, const struct history_result *out,
                               const struct place *p, id_set a, id_set b)
{
    if (p->tier != 0 && !h->policy.pairs[h->types[p->a]][h->types[p->b]].may_link)
        return REFUSED_PAIR;
    if (out->is_quarantined[p->a] || out->is_quarantined[p->b])
        return REFUSED_QUARANTINE;
    if (a == b)
        return REFUSED_NOT;
    if (holds_cut(h, a | b))
        return REFUSED_CUT;
    if (breaks_unique(h, a | b))
        return REFUSED_UNIQUE;
    if (breaks_limit(h, a | b, p))
        return REFUSED_LIMIT;
    return is_too_large(h, a | b) ? REFUSED_MAX_IDENTIFIERS : REFUSED_NOT;
}

static uint32_t oldest_of(const struct history *h, id_set set)
{
    uint32_t oldest = (uint32_t)__builtin_ctz(set);
    for (uint32_t i = oldest + 1; i < h->count; i++) {
        int c = instant_compare(h->first_seen[i], h->first_seen[oldest]);
        if ((set >> i & 1) && (c < 0 || (c == 0 && id_compare(&h->ids[i], &h->ids[oldest]) < 0)))
            oldest = i;
    }
    return oldest;
}

void history_evaluate(const struct history *h, struct history_result *out)
{
    struct place order[HISTORY_IDS * HISTORY_IDS];
    id_set cluster[HISTORY_IDS];
    *out = (struct history_result){.profile = {0}};
    for (uint32_t i = 0; i < h->count; i++) {
        cluster[i] = (id_set)1 << i;
        out->is_quarantined[i] = is_quarantined(h, i);
    }
    size_t count = places(h, order);
    for (size_t l = 0; l < count; l++) {
        const struct place *p = &order[l];
        id_set united = cluster[p->a] | cluster[p->b];
        out->refused_by[p->a][p->b] = refusal_of(h, out, p, cluster[p->a], cluster[p->b]);
        for (uint32_t i = 0; i < h->count && out->refused_by[p->a][p->b] == REFUSED_NOT; i++)
            if (united >> i & 1)
                cluster[i] = united;
    }
    for (uint32_t i = 0; i < h->count; i++)
        out->profile[i] = oldest_of(h, cluster[i]);
}
