/* lasting.c: how long an event closes a rule, and the finding that says so. */
#include "services/suppression/logic/rules/lasting.h"

const struct lasting lasting_defaults = {.lasts = DURATION_NONE};

static bool is_same(struct span a, struct span b)
{
    return a.len > 0 && span_equal(a, b);
}

bool lasting_is_about(const struct contact_fact *start, const struct contact_fact *end, int by)
{
    const struct span ids[][2] = {{start->case_id, end->case_id}, {start->order_id, end->order_id}};
    bool is_named = false, is_shared = false;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (!(by & (1 << i)))
            continue;
        if (ids[i][0].len > 0 && ids[i][1].len > 0 && !span_equal(ids[i][0], ids[i][1]))
            return false;
        is_named = is_named || ids[i][0].len > 0 || ids[i][1].len > 0;
        is_shared = is_shared || is_same(ids[i][0], ids[i][1]);
    }
    return is_shared || !is_named;
}

bool lasting_comes_after(const struct contact_fact *start, const struct contact_fact *end)
{
    int c = instant_compare(contact_frees_at(end), start->at);
    return c > 0 || (c == 0 && (is_same(start->case_id, end->case_id) ||
                                is_same(start->order_id, end->order_id)));
}

struct instant lasting_end(const struct contact_rule *rule, struct instant at)
{
    const struct lasting *own = rule->own;
    return own->lasts.us == DURATION_NONE.us ? INSTANT_NEVER : instant_plus(at, own->lasts);
}

void lasting_judge(const struct question *question, const struct contact_fact *cause,
                   struct instant ends, struct span none, struct finding *finding)
{
    finding->allowed = none;
    finding->opens = ends;
    finding->passed = cause == NULL || instant_compare(ends, question->planned_at) <= 0;
    finding->observed = SPAN("none");
    if (cause == NULL)
        return;
    finding->since = cause->at;
    finding->observed = rule_event_and_time(
        question->arena, cause->event.len ? cause->event : SPAN("score"), cause->at);
}
