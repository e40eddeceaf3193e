/* lasting.c: how long an event closes a rule, and the finding that says so. */
#include "services/suppression/logic/rules/lasting.h"

const struct lasting lasting_defaults = {.lasts = DURATION_NONE};

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
