/* own_limit.c: denies a contact beyond the limit that the customer asked for. */
#include "common/words/preferences.h"
#include "services/suppression/logic/rules/counted.h"
#include "services/suppression/logic/rules/windows.h"

/* The customer's newest. */
struct own_limit {
    const struct contact_policy *policy;
    int32_t count;
    struct duration per;
    struct preference channels; /* none left: all */
};

static bool names_channel(const struct own_limit *limit, struct span wanted)
{
    struct preference channels = limit->channels;
    struct span sent, channel;
    if (channels.rest.len == 0)
        return true;
    while (preference_field(&channels, &sent))
        if (policy_channel(limit->policy, sent, &channel) && span_equal(channel, wanted))
            return true;
    return false;
}

static void read_limit(const struct question *q, struct preference fields, struct own_limit *out)
{
    struct span field = SPAN_NONE;
    *out = (struct own_limit){.policy = q->policy};
    preference_field(&fields, &field);
    for (size_t i = 0; i < field.len; i++)
        out->count = out->count * 10 + field.ptr[i] - '0';
    preference_field(&fields, &field);
    duration_parse(field, &out->per);
    out->channels = fields;
}

/* The text of the newest limit; SPAN_NONE: none, or it was taken back. */
static struct span newest(const struct question *q)
{
    for (size_t i = q->ledger->fact_count; i-- > 0;) {
        const struct contact_fact *fact = q->ledger->facts[i];
        struct preference limit;
        if (!contact_is_copy(fact) && fact->preferences.len > 0 &&
            preference_find(fact->preferences, SPAN("limit"), &limit))
            return limit.rest.len > 0 ? limit.rest : SPAN_NONE;
    }
    return SPAN_NONE;
}

/* Of classes that are counted and limited by rules at all. */
static bool is_counted(const struct counting *counting, const struct contact *contact)
{
    const struct own_limit *limit = counting->more;
    const struct contact_class *class = policy_class(limit->policy, contact->class);
    return (class == NULL || class->obeys) && names_channel(limit, contact->channel);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    struct span text = newest(q);
    struct closings closings = {0};
    struct own_limit limit;
    finding->observed = q->obeys_caps ? SPAN("no limit") : SPAN("class is exempt");
    if (text.len == 0)
        return;
    read_limit(q, (struct preference){SPAN_NONE, text}, &limit);
    if (!names_channel(&limit, q->request->channel))
        return;
    finding->allowed =
        span_of(arena_printf(q->arena, "%d per %s", limit.count, length_text(q->arena, limit.per)));
    if (!q->obeys_caps)
        return;
    const struct counting counting = {rule, text, is_counted, &limit};
    struct times times = counted_times(&counting, q, instant_minus(q->planned_at, limit.per));
    windows_close(&times, limit.count, limit.per, q->arena, &closings);
    closings_answer(&closings, finding);
    finding->observed = span_of(
        arena_printf(q->arena, "%d with this one", windows_most(&times, limit.per, q->planned_at)));
}

const struct rule_kind rule_own_limit = {
    .name = "own_limit",
    .says = "the customer asked for fewer contacts ({observed}; the limit is {allowed})",
    .cause = "merge",
    .revokes = REVOKES_ON_MERGE,
    .exempts = true,
    .ask = ask,
};
