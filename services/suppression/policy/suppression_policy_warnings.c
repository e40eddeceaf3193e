/* suppression_policy_warnings.c: finds what a valid contact.json says and can hardly mean. */
#include "common/base/pack.h"
#include "services/suppression/logic/rules.h"
#include "services/suppression/policy/suppression_policy.h"

struct search {
    struct arena *arena;
    const struct contact_policy *policy;
    struct warnings *out;
};

static void add(struct search *search, const char *text)
{
    warnings_add(search->arena, search->out, text);
}

static void add_of_rule(struct search *search, const struct contact_rule *rule, const char *text)
{
    add(search, arena_printf(search->arena, "rules[%zu] (\"" SPAN_FMT "\"): %s",
                             (size_t)(rule - search->policy->rules), SPAN_ARG(rule->id), text));
}

/* ---- opting out ---- */

/* A rule for some tags lets through what has none of them. */
static bool can_leave(const struct contact_policy *policy, struct span class)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct contact_rule *rule = &policy->rules[i];
        if (rule->kind == &rule_opt_out && rule->tags.count == 0 &&
            (rule->classes.count == 0 || names_contain(&rule->classes, class)))
            return true;
    }
    return false;
}

static bool has_opt_out(const struct contact_policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].kind == &rule_opt_out)
            return true;
    return false;
}

static void look_at_opting_out(struct search *search)
{
    const struct contact_policy *policy = search->policy;
    if (!has_opt_out(policy)) {
        add(search, "rules: no rule is of the kind \"opt_out\": a customer's no has no effect");
        return;
    }
    for (size_t i = 0; i < policy->class_count; i++)
        if (policy->classes[i].obeys && !can_leave(policy, policy->classes[i].name))
            add(search,
                arena_printf(search->arena,
                             "rules: no rule of the kind \"opt_out\" is for all requests "
                             "of the class \"" SPAN_FMT "\": a customer's no does not end them",
                             SPAN_ARG(policy->classes[i].name)));
}

/* ---- classes ---- */

/* The names of the classes with obeys: false, NULL if there are none. */
static const char *free_classes(const struct search *search)
{
    const struct contact_policy *policy = search->policy;
    struct strbuf text = {.arena = search->arena};
    for (size_t i = 0; i < policy->class_count; i++)
        if (!policy->classes[i].obeys)
            strbuf_addf(&text, "%s\"" SPAN_FMT "\"", text.len ? ", " : "",
                        SPAN_ARG(policy->classes[i].name));
    return text.ptr;
}

static bool is_for_obeying(const struct contact_policy *policy, const struct contact_rule *rule)
{
    for (size_t i = 0; i < policy->class_count; i++)
        if (policy->classes[i].obeys &&
            (rule->classes.count == 0 || names_contain(&rule->classes, policy->classes[i].name)))
            return true;
    return false;
}

/* A password reset must not be lost to a rule that was written for advertising. */
static void look_at_classes(struct search *search, const struct contact_rule *rule)
{
    const char *others = free_classes(search);
    if (rule->kind->exempts && !is_for_obeying(search->policy, rule))
        add_of_rule(search, rule, "never refuses: all its classes have \"obeys\": false");
    if (!rule->kind->exempts && rule->classes.count == 0 && others)
        add_of_rule(search, rule,
                    arena_printf(search->arena,
                                 "has no \"classes\" and so refuses %s as well, in spite of "
                                 "\"obeys\": false; name the classes that are meant",
                                 others));
}

/* ---- ends ---- */

static const char *key_of_ends(const struct rule_kind *kind)
{
    for (const struct rule_key *key = kind->keys; key && key->name; key++)
        if (key->type == KEY_UNTIL)
            return key->name;
    return "until";
}

/* An event may begin with a bad score and end with a better one. */
static void look_at_ends(struct search *search, const struct contact_rule *rule)
{
    for (size_t i = 0; i < rule->on_count; i++) {
        const struct contact_trigger *on = &rule->on[i];
        if (on->score_max == INT16_MIN && names_contain(&rule->until, on->event))
            add_of_rule(search, rule,
                        arena_printf(search->arena,
                                     "\"" SPAN_FMT "\" is in \"on\" and in \"%s\": it ends what "
                                     "it begins",
                                     SPAN_ARG(on->event), key_of_ends(rule->kind)));
    }
}

/* ---- the company's own words ---- */

static void look_at_events(struct search *search, const char *place,
                           const struct contact_names *events)
{
    for (size_t i = 0; i < events->count; i++)
        if (direction_of(SPAN_NONE, SPAN_NONE, events->items[i]) != DIRECTION_INBOUND)
            add(search, arena_printf(search->arena,
                                     "%s: in \"" SPAN_FMT "\" the company speaks, unless its "
                                     "direction is \"inbound\": a yes in it does not count",
                                     place, SPAN_ARG(events->items[i])));
}

static void look_at_yes(struct search *search)
{
    const struct contact_policy *policy = search->policy;
    look_at_events(search, "preference_center", &policy->preference_center);
    look_at_events(search, "consent.*.confirmed_by", &policy->consent.confirmed_by.events);
    for (size_t i = 0; i < policy->consent_count; i++)
        look_at_events(search,
                       arena_printf(search->arena, "consent." SPAN_FMT ".confirmed_by",
                                    SPAN_ARG(policy->consents[i].channel)),
                       &policy->consents[i].confirmed_by.events);
}

/* ---- calendars ---- */

/* Whoever forgets to write down the next year's holidays is told in time. */
static void look_at_calendars(struct search *search, int32_t today)
{
    enum { DAYS_AHEAD = 60 };
    for (size_t i = 0; i < search->policy->calendar_count; i++) {
        const struct contact_calendar *calendar = &search->policy->calendars[i];
        int year, month, date;
        day_to_civil(calendar->dates[calendar->count - 1], &year, &month, &date);
        if (calendar->dates[calendar->count - 1] < today + DAYS_AHEAD)
            add(search,
                arena_printf(search->arena, "calendar \"" SPAN_FMT "\" ends on %04d-%02d-%02d",
                             SPAN_ARG(calendar->name), year, month, date));
    }
}

void suppression_policy_warnings(struct arena *arena, const struct contact_policy *policy,
                                 int32_t today, struct warnings *out)
{
    struct search search = {arena, policy, out};
    *out = (struct warnings){0};
    look_at_opting_out(&search);
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct contact_rule *rule = &policy->rules[i];
        const char *doubt = rule->kind->doubt ? rule->kind->doubt(rule) : NULL;
        look_at_classes(&search, rule);
        look_at_ends(&search, rule);
        if (doubt)
            add_of_rule(&search, rule, doubt);
    }
    look_at_yes(&search);
    look_at_calendars(&search, today);
}
