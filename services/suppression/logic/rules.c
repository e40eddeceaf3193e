/* rules.c: the list of kinds, and what is asked of every rule alike. */
#include "services/suppression/logic/rules.h"

#define RULE_KIND_POINTER(kind) &rule_##kind,
const struct rule_kind *const rule_kinds[] = {RULE_KINDS(RULE_KIND_POINTER) NULL};

bool rule_is_for_words(const struct contact_rule *rule, struct span channel, struct span class,
                       struct span tags)
{
    if (rule->channels.count > 0 && !names_contain(&rule->channels, channel))
        return false;
    if (rule->classes.count > 0 && !names_contain(&rule->classes, class))
        return false;
    return rule->tags.count == 0 || names_contain_tag(&rule->tags, tags);
}

bool rule_is_for(const struct contact_rule *rule, const struct contact_fact *request)
{
    return rule->kind->is_for
               ? rule->kind->is_for(rule, request)
               : rule_is_for_words(rule, request->channel, request->class, request->tags);
}

bool rules_read(const struct contact_policy *policy, const struct contact_fact *fact)
{
    if (fact->kind == CONTACT_SIGNAL || fact->consent.len > 0 || fact->preferences.len > 0)
        return true;
    for (size_t i = 0; i < policy->rule_count; i++)
        if (rule_speaks_of(&policy->rules[i], fact))
            return true;
    return false;
}

static void close_once(struct finding *finding, struct arena *arena)
{
    struct closing *closing = arena_new(arena, struct closing);
    *closing = (struct closing){INSTANT_FIRST, finding->opens};
    finding->closings = closing;
    finding->closing_count = finding->passed ? 0 : 1;
}

struct instant finding_next(const struct finding *finding, size_t *cursor, struct instant at,
                            struct duration least)
{
    if (finding->clock)
        return clock_opens(finding->clock, at, least);
    const struct closing *closing = finding->closings;
    for (; *cursor < finding->closing_count; ++*cursor)
        if (instant_compare(at, closing[*cursor].until) < 0)
            break;
    bool is_closed =
        *cursor < finding->closing_count && instant_compare(closing[*cursor].from, at) <= 0;
    return is_closed ? closing[*cursor].until : at;
}

struct instant finding_closes(const struct finding *finding, struct instant at)
{
    return finding->clock ? clock_closes(finding->clock, at) : INSTANT_NEVER;
}

const struct whereabouts *question_where(const struct question *q)
{
    if (*q->where == NULL)
        *q->where = whereabouts_find(q->policy, q->ledger, q->request, q->planned_at, q->arena);
    return *q->where;
}

void rule_ask(const struct contact_rule *rule, const struct question *question,
              struct finding *finding)
{
    *finding = (struct finding){
        .passed = true, .observed = SPAN("not for this request"), .allowed = SPAN("")};
    if (rule_is_for(rule, question->request))
        rule->kind->ask(rule, question, finding);
    if (finding->closings == NULL && finding->clock == NULL)
        close_once(finding, question->arena);
    size_t cursor = 0;
    struct instant next =
        finding_next(finding, &cursor, question->planned_at, (struct duration){0});
    finding->passed = instant_compare(next, question->planned_at) == 0;
    finding->opens = next;
}

void rule_leave_out(const struct question *question, struct finding *finding)
{
    *finding = (struct finding){.passed = true,
                                .observed = SPAN("not asked"),
                                .allowed = SPAN(""),
                                .opens = question->planned_at};
    close_once(finding, question->arena);
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
        .latest_at = INSTANT_ABSENT,
    };
    struct whereabouts *where = NULL;
    struct question question = {.policy = policy,
                                .ledger = ledger,
                                .request = &request,
                                .planned_at = at,
                                .where = &where,
                                .arena = arena};
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

bool rules_draw(const struct contact_policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].kind->draws)
            return true;
    return false;
}

static bool ends_something(const struct contact_rule *rule, const struct ledger *ledger,
                           const struct contact_fact *end)
{
    for (size_t i = 0; i < ledger->fact_count; i++)
        if (rule->kind->ends(rule, ledger->facts[i], end))
            return true;
    return false;
}

static bool knows_end(const struct contact_rule *rule, const struct contact_fact *fact)
{
    return rule->kind->ends && names_contain(&rule->until, fact->event);
}

bool rules_end(const struct contact_policy *policy, const struct contact_fact *fact)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (knows_end(&policy->rules[i], fact))
            return true;
    return false;
}

bool rules_end_in_vain(const struct contact_policy *policy, const struct ledger *ledger,
                       const struct contact_fact *fact)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (knows_end(&policy->rules[i], fact) && ends_something(&policy->rules[i], ledger, fact))
            return false;
    return rules_end(policy, fact);
}

bool rule_is_hold(const struct contact_rule *rule)
{
    return rule->kind->binds_named && rule->on_count > 0;
}

bool rule_speaks_of(const struct contact_rule *rule, const struct contact_fact *fact)
{
    return rule_is_triggered(rule, fact) || names_contain(&rule->until, fact->event);
}
