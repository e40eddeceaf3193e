/* interests.c: the events of a policy's rules as one small table. */
#include "services/suppression/logic/interests.h"

#include "common/words/preferences.h"
#include "services/suppression/logic/rules.h"

static uint64_t length_bit(struct span event)
{
    return UINT64_C(1) << (event.len < 63 ? event.len : 63);
}

static struct interest *find(const struct interests *interests, struct span event)
{
    if (!(interests->lengths & length_bit(event)))
        return NULL;
    for (size_t i = 0; i < interests->count; i++)
        if (span_equal(interests->items[i].event, event))
            return &interests->items[i];
    return NULL;
}

const struct interest *interests_find(const struct interests *interests, struct span event)
{
    return find(interests, event);
}

bool interests_have_score(const struct interests *interests, int64_t score)
{
    return interests->has_score && score <= interests->score_max;
}

bool interests_read_copies(const struct interests *interests, const struct contact_fact *fact)
{
    const struct interest *interest = find(interests, fact->event);
    return interest == NULL || !interest->ignores_copies || fact->consent.len > 0 ||
           preferences_pause(fact->preferences) ||
           (fact->score != CONTACT_SCORE_ABSENT && interests_have_score(interests, fact->score));
}

void interests_add(struct interests *interests, struct arena *arena, struct interest item)
{
    struct interest *known = find(interests, item.event);
    if (known) {
        known->needs_product = known->needs_product && item.needs_product;
        known->may_return = known->may_return || item.may_return;
        known->ignores_copies = known->ignores_copies && item.ignores_copies;
        return;
    }
    *arena_push(arena, interests) = item;
    interests->lengths |= length_bit(item.event);
}

static void add_score(struct interests *interests, int16_t score_max)
{
    if (!interests->has_score || score_max > interests->score_max)
        interests->score_max = score_max;
    interests->has_score = true;
}

static void add_rule(struct interests *interests, struct arena *arena,
                     const struct contact_rule *rule)
{
    struct interest item = {.kind = CONTACT_SIGNAL,
                            .needs_product = rule->kind->wants_product,
                            .ignores_copies = rule->kind->ignores_copies};
    for (size_t i = 0; i < rule->on_count; i++) {
        item.event = rule->on[i].event;
        if (item.event.ptr)
            interests_add(interests, arena, item);
        else
            add_score(interests, rule->on[i].score_max);
    }
    item.may_return = true;
    for (size_t i = 0; i < rule->until.count; i++) {
        item.event = rule->until.items[i];
        interests_add(interests, arena, item);
    }
}

void interests_add_rules(struct interests *interests, struct arena *arena,
                         const struct contact_policy *policy, bool only_holds)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (!only_holds || rule_is_hold(&policy->rules[i]))
            add_rule(interests, arena, &policy->rules[i]);
}
