/* identity_letters.c: see identity_letters.h. */
#include "tests/support/identity_letters.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/pack.h"

struct identity_policy letters_policy(void)
{
    static const char *const names[LETTERS_TYPES] = {"user_id", "loyalty_id", "email", "device_id"};
    struct identity_policy policy;
    identity_policy_init(&policy);
    policy.type_count = LETTERS_TYPES;
    for (int16_t i = 0; i < LETTERS_TYPES; i++) {
        policy.types[i].name = span_of(names[i]);
        policy.types[i].rank = (int16_t)(i + 1);
    }
    policy.types[LETTERS_USER].is_unique = true;
    return policy;
}

static int16_t type_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return LETTERS_USER;
    if (letter >= '0' && letter <= '9')
        return LETTERS_LOYALTY;
    return letter < 'n' ? LETTERS_EMAIL : LETTERS_DEVICE;
}

char letters_of(const struct letters *letters, uint32_t node)
{
    return (char)letters->nodes[node].identifier_id.bytes[0];
}

/* Index of the letter's node, which is added if it is new; seen at that time, if any. */
static uint32_t node(struct letters *l, char letter, const int64_t *at)
{
    uint32_t i = 0;
    while (i < l->graph.node_count && letters_of(l, i) != letter)
        i++;
    if (i == l->graph.node_count)
        l->nodes[l->graph.node_count++] =
            (struct identity_node){.identifier_id = {{(uint8_t)letter}},
                                   .first_seen = INSTANT_NEVER,
                                   .type = type_of(letter)};
    if (at && *at < l->nodes[i].first_seen.us)
        l->nodes[i].first_seen.us = *at;
    return i;
}

/* The link of the pair, which is added if it is new: neither observed nor manual yet. */
static struct identity_link *link_between(struct letters *l, char a, char b)
{
    const struct id hash = {{(uint8_t)(a < b ? a : b), (uint8_t)(a < b ? b : a)}};
    for (size_t i = 0; i < l->graph.link_count; i++)
        if (id_equal(&l->links[i].hash, &hash))
            return &l->links[i];
    struct identity_link *link = &l->links[l->graph.link_count++];
    *link = (struct identity_link){node(l, a, NULL), node(l, b, NULL), .first_seen = INSTANT_NEVER,
                                   .hash = hash};
    return link;
}

static void observe(struct letters *l, char a, char b, int64_t at, bool is_indirect)
{
    node(l, a, &at);
    node(l, b, &at);
    struct identity_link *link = link_between(l, a, b);
    bool is_first = instant_compare(link->first_seen, INSTANT_NEVER) == 0;
    if (is_first || is_indirect < link->is_indirect ||
        (is_indirect == link->is_indirect && at < link->first_seen.us)) {
        link->first_seen.us = at;
        link->is_indirect = is_indirect;
    }
}

/* One word of the text; how long it is. */
static size_t read_word(struct letters *l, const char *text)
{
    char a, b, sign;
    long long at;
    int n = 0;
    if (sscanf(text, " %c-%c@%lld%n", &a, &b, &at, &n) == 3) {
        observe(l, a, b, at, false);
    } else if (sscanf(text, " %c~%c@%lld%n", &a, &b, &at, &n) == 3) {
        observe(l, a, b, at, true);
    } else if (sscanf(text, " %c@%lld%n", &a, &at, &n) == 2) {
        int64_t seen = at;
        node(l, a, &seen);
    } else if (sscanf(text, " +%c%n", &a, &n) == 1) {
        l->is_released[node(l, a, NULL)] = true;
    } else if (sscanf(text, " %c%c%c%n", &a, &sign, &b, &n) == 3 && sign == '=') {
        link_between(l, a, b)->is_manual = true;
    } else if (sign == '/') {
        l->cuts[l->graph.cut_count++] = (struct identity_cut){node(l, a, NULL), node(l, b, NULL)};
    } else {
        fprintf(stderr, "not understood: %s\n", text);
        abort();
    }
    return (size_t)n;
}

static void set_quarantine(struct letters *l, const struct identity_policy *policy)
{
    for (uint32_t i = 0; i < l->graph.node_count; i++) {
        uint32_t by_type[IDENTITY_MAX_TYPES] = {0}, degree = 0;
        for (size_t k = 0; k < l->graph.link_count; k++) {
            const struct identity_link *link = &l->links[k];
            bool is_observed = instant_compare(link->first_seen, INSTANT_NEVER) != 0;
            if (!is_observed || (link->a != i && link->b != i))
                continue;
            degree++;
            by_type[l->nodes[link->a == i ? link->b : link->a].type]++;
        }
        l->nodes[i].is_quarantined =
            !l->is_released[i] &&
            identity_is_quarantined(policy, l->nodes[i].type, by_type, degree);
    }
}

void letters_read(struct letters *out, const struct identity_policy *policy, const char *text)
{
    *out = (struct letters){.graph = {.node_count = 0}};
    out->graph.nodes = out->nodes;
    out->graph.links = out->links;
    out->graph.cuts = out->cuts;
    for (; *text; text += strspn(text, " "))
        text += read_word(out, text);
    set_quarantine(out, policy);
}

const char *letters_profiles(struct letters *l, const struct identity_policy *policy,
                             struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    identity_partition(policy, arena, &l->graph);
    for (int letter = 0; letter < 128; letter++)
        for (uint32_t i = 0; i < l->graph.node_count; i++)
            if (letters_of(l, i) == letter)
                strbuf_addf(&text, "%s%c=%c", strbuf_span(&text).len ? " " : "", letter,
                            letters_of(l, l->nodes[i].profile));
    return arena_printf(arena, SPAN_FMT, SPAN_ARG(strbuf_span(&text)));
}

enum refusal letters_refusal(const struct letters *l, char a, char b)
{
    for (size_t i = 0; i < l->graph.link_count; i++) {
        char x = letters_of(l, l->links[i].a), y = letters_of(l, l->links[i].b);
        if ((x == a && y == b) || (x == b && y == a))
            return l->links[i].refused_by;
    }
    fprintf(stderr, "no link %c-%c\n", a, b);
    abort();
}
