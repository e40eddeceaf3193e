/* rules.c: the list of kinds, and what is asked of every rule alike. */
#include "services/suppression/logic/rules.h"

#define RULE_KIND_POINTER(kind) &rule_##kind,
const struct rule_kind *const rule_kinds[] = {RULE_KINDS(RULE_KIND_POINTER) NULL};

bool rule_is_for(const struct contact_rule *rule, const struct contact_fact *request)
{
    if (rule->channels.count > 0 && !names_contain(&rule->channels, request->channel))
        return false;
    if (rule->classes.count > 0 && !names_contain(&rule->classes, request->class))
        return false;
    return rule->tags.count == 0 || names_contain_tag(&rule->tags, request->tags);
}

void rule_ask(const struct contact_rule *rule, const struct question *question,
              struct finding *finding)
{
    *finding = (struct finding){
        .passed = true, .observed = SPAN("not for this request"), .allowed = SPAN("")};
    if (rule_is_for(rule, question->request))
        rule->kind->ask(rule, question, finding);
}

static struct span first_name(const struct contact_names *names, struct span otherwise)
{
    return names->count > 0 ? names->items[0] : otherwise;
}

void rule_ask_anyone(const struct contact_policy *policy, const struct contact_rule *rule,
                     const struct ledger *ledger, struct instant at, struct arena *arena,
                     struct finding *finding)
{
    struct span class = policy->class_count > 0 ? policy->classes[0].name : SPAN_NONE;
    struct contact_fact request = {
        .at = at,
        .kind = CONTACT_REQUEST,
        .channel = first_name(&rule->channels, SPAN_NONE),
        .class = first_name(&rule->classes, class),
        .tags = first_name(&rule->tags, SPAN_NONE),
        .priority = CONTACT_PRIORITY_ABSENT,
        .planned_at = INSTANT_ABSENT,
        .expires_at = INSTANT_ABSENT,
    };
    struct question question = {
        .policy = policy, .ledger = ledger, .request = &request, .planned_at = at, .arena = arena};
    rule_ask(rule, &question, finding);
}

struct span rule_event_and_time(struct arena *arena, struct span event, struct instant at)
{
    char time[32];
    instant_format(at, time);
    return span_of(arena_printf(arena, SPAN_FMT " at %s", SPAN_ARG(event), time));
}

bool rule_is_triggered(const struct contact_rule *rule, const struct contact_fact *fact)
{
    for (size_t i = 0; i < rule->on_count; i++)
        if (trigger_matches(&rule->on[i], fact->event, fact->score))
            return true;
    return false;
}

bool rule_is_hold(const struct contact_rule *rule)
{
    return rule->kind->binds_named && rule->on_count > 0;
}

bool rule_speaks_of(const struct contact_rule *rule, const struct contact_fact *fact)
{
    return rule_is_triggered(rule, fact) || names_contain(&rule->until, fact->event);
}
