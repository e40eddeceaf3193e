/* rules.c: the kinds of rules, one function each; the last table is the whole list. */
#include "services/suppression/logic/rules.h"

static struct span printed(const char *text)
{
    return span_of(text);
}

static struct span event_and_time(struct arena *arena, struct span event, struct instant at)
{
    char time[32];
    instant_format(at, time);
    return printed(arena_printf(arena, SPAN_FMT " at %s", SPAN_ARG(event), time));
}

static bool is_copy(const struct contact_fact *fact)
{
    return (fact->flags & CONTACT_IS_COPY) != 0;
}

static bool is_any_trigger(const struct contact_rule *rule, const struct contact_fact *fact)
{
    for (size_t i = 0; i < rule->on_count; i++)
        if (trigger_matches(&rule->on[i], fact->event, fact->score))
            return true;
    return false;
}

static struct instant end_of(const struct contact_rule *rule, struct instant at)
{
    return rule->lasts.us == DURATION_NONE.us ? INSTANT_NEVER : instant_plus(at, rule->lasts);
}

static int consent_to(struct span consent, struct span channel)
{
    int of_all = 0;
    for (struct span word; next_word(&consent, ' ', &word);) {
        struct span name = {word.ptr + 1, word.len - 1};
        int value = *word.ptr == '+' ? 1 : -1;
        if (span_equal(name, channel))
            return value;
        if (span_is(name, "*"))
            of_all = value;
    }
    return of_all;
}

int contact_consent_of(const struct contact_fact *fact, struct span channel)
{
    int consent = fact->consent.len > 0 ? consent_to(fact->consent, channel) : 0;
    return consent > 0 && is_copy(fact) ? 0 : consent;
}

static void ask_opt_out(const struct contact_rule *rule, const struct question *q,
                        struct finding *finding)
{
    bool allow_unknown = policy_allows_unknown(q->policy, q->request->channel);
    finding->allowed = allow_unknown ? SPAN("opted in or unknown") : SPAN("opted in");
    finding->observed = SPAN("unknown");
    finding->passed = allow_unknown;
    finding->ends = INSTANT_NEVER;
    for (size_t i = q->ledger->fact_count; i-- > 0;) {
        const struct contact_fact *f = q->ledger->facts[i];
        int consent = contact_consent_of(f, q->request->channel);
        if (consent == 0)
            continue;
        finding->passed = consent > 0;
        finding->observed =
            event_and_time(q->arena, consent > 0 ? SPAN("opted in") : SPAN("opted out"), f->at);
        return;
    }
}

/* Fails while `ends` lies after the contact. */
static void judge_end(const struct question *q, const struct contact_fact *cause,
                      struct instant ends, struct span none, struct finding *finding)
{
    finding->allowed = none;
    finding->ends = ends;
    finding->passed = cause == NULL || instant_compare(ends, q->planned_at) <= 0;
    finding->observed =
        cause ? event_and_time(q->arena, cause->event.len ? cause->event : SPAN("score"), cause->at)
              : SPAN("none");
}

static void ask_invalid_address(const struct contact_rule *rule, const struct question *q,
                                struct finding *finding)
{
    const struct contact_fact *cause = NULL;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (is_copy(f) || !span_equal(f->channel, q->request->channel))
            continue;
        if (is_any_trigger(rule, f))
            cause = f;
        else if (names_contain(&rule->until, f->event))
            cause = NULL;
    }
    judge_end(q, cause, cause ? end_of(rule, cause->at) : INSTANT_FIRST, SPAN("no failure"),
              finding);
}

static void ask_hold(const struct contact_rule *rule, const struct question *q,
                     struct finding *finding)
{
    const struct contact_fact *cause = NULL;
    struct instant ends = INSTANT_FIRST;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (is_any_trigger(rule, f) && instant_compare(end_of(rule, f->at), ends) >= 0) {
            cause = f;
            ends = end_of(rule, f->at);
        } else if (names_contain(&rule->until, f->event)) {
            struct instant after = instant_plus(f->at, rule->then);
            ends = instant_compare(after, ends) < 0 ? after : ends;
        }
    }
    judge_end(q, cause, ends, SPAN("no hold"), finding);
}

static bool same_text(struct span a, struct span b)
{
    return a.len > 0 && span_equal(a, b);
}

static bool is_same_product(const struct contact_fact *a, const struct contact_fact *b)
{
    if (a->product_id.len > 0 && b->product_id.len > 0)
        return span_equal(a->product_id, b->product_id);
    return same_text(a->product_category, b->product_category);
}

/* Given back, or ended: one such event undoes all earlier purchases of the product. */
static bool is_undone(const struct contact_rule *rule, const struct question *q, size_t purchase)
{
    for (size_t i = purchase + 1; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (names_contain(&rule->until, f->event) && is_same_product(f, q->ledger->facts[purchase]))
            return true;
    }
    return false;
}

static void ask_already_bought(const struct contact_rule *rule, const struct question *q,
                               struct finding *finding)
{
    const struct contact_fact *cause = NULL, *wanted = q->request;
    struct instant ends = INSTANT_FIRST;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (!same_text(f->product_id, wanted->product_id) &&
            !same_text(f->product_category, wanted->product_category))
            continue;
        if (!is_any_trigger(rule, f) || is_undone(rule, q, i) ||
            instant_compare(end_of(rule, f->at), ends) < 0)
            continue;
        cause = f;
        ends = end_of(rule, f->at);
    }
    judge_end(q, cause, ends, SPAN("not bought"), finding);
}

static enum contact_priority priority_of(const struct contact_fact *request)
{
    return request->priority == CONTACT_PRIORITY_ABSENT
               ? PRIORITY_NORMAL
               : (enum contact_priority)(request->priority - 1);
}

static const char *length_text(struct arena *arena, struct duration d)
{
    if (d.us % US_PER_DAY == 0)
        return arena_printf(arena, "%lld d", (long long)(d.us / US_PER_DAY));
    if (d.us % (3600 * US_PER_SECOND) == 0)
        return arena_printf(arena, "%lld h", (long long)(d.us / (3600 * US_PER_SECOND)));
    return arena_printf(arena, "%lld s", (long long)(d.us / US_PER_SECOND));
}

static void ask_cap(const struct contact_rule *rule, const struct question *q,
                    struct finding *finding)
{
    int32_t limit = rule->limits[priority_of(q->request)];
    finding->allowed =
        printed(arena_printf(q->arena, "%d per %s", limit, length_text(q->arena, rule->per)));
    finding->passed = true;
    if (!q->obeys_caps) {
        finding->observed = SPAN("class is exempt");
        return;
    }
    struct cap_times times = cap_times_of(rule, &q->contacts, q->request, q->arena);
    int32_t most = cap_most(&times, rule->per, q->planned_at);
    finding->passed = most <= limit;
    finding->observed = printed(arena_printf(q->arena, "%d with this one", most));
}

typedef void ask_fn(const struct contact_rule *rule, const struct question *question,
                    struct finding *finding);

static ask_fn *const kinds[RULE_KIND_COUNT] = {
    [RULE_OPT_OUT] = ask_opt_out, [RULE_INVALID_ADDRESS] = ask_invalid_address,
    [RULE_HOLD] = ask_hold,       [RULE_ALREADY_BOUGHT] = ask_already_bought,
    [RULE_CAP] = ask_cap,
};

void rule_ask(const struct contact_rule *rule, const struct question *question,
              struct finding *finding)
{
    *finding = (struct finding){
        .passed = true, .observed = SPAN("not for this request"), .allowed = SPAN("")};
    if (rule_is_for(rule, question->request))
        kinds[rule->kind](rule, question, finding);
}
