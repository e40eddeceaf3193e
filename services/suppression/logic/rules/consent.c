/* consent.c: denies a contact whose purpose or topic the customer did not agree to, or said no to,
 * as the policy says of it. */
#include "services/suppression/logic/consent.h"

#include "services/suppression/logic/rules.h"

/* In the order of the words of the policy. */
enum purpose_basis { PURPOSE_CONSENT, PURPOSE_INTEREST, PURPOSE_CONTRACT };
enum topic_basis { TOPIC_OUT, TOPIC_IN };
enum unknown_basis { UNKNOWN_DENY, UNKNOWN_ALLOW };

enum needs { NEEDS_YES, NEEDS_NO_NO, NEEDS_NOTHING };

struct consents {
    struct rule_choices purposes, topics;
    int unknown;
};

/* ---- what a request is asked for ---- */

struct part {
    struct consent_key key;
    struct span word; /* "topic:tips" */
    enum needs needs;
};

struct parts {
    struct part *items;
    size_t count, capacity;
};

static enum needs needs_of(const struct rule_choices *known, struct span name, int unknown)
{
    static const enum needs of_purpose[] = {[PURPOSE_CONSENT] = NEEDS_YES,
                                            [PURPOSE_INTEREST] = NEEDS_NO_NO,
                                            [PURPOSE_CONTRACT] = NEEDS_NOTHING};
    for (size_t i = 0; i < known->count; i++)
        if (span_equal(known->items[i].name, name))
            return of_purpose[known->items[i].choice];
    return unknown == UNKNOWN_ALLOW ? NEEDS_NO_NO : NEEDS_YES;
}

static void add_part(const struct question *q, enum consent_about about,
                     const struct rule_choices *known, struct span sent, int unknown,
                     struct parts *parts)
{
    struct span name = word_fold(sent, arena_alloc(q->arena, WORD_MAX));
    *arena_push(q->arena, parts) = (struct part){
        {about, name, q->request->channel},
        span_of(arena_printf(q->arena, "%s:" SPAN_FMT, about == CONSENT_TOPIC ? "topic" : "purpose",
                             SPAN_ARG(sent))),
        needs_of(known, name, unknown)};
}

static struct parts parts_of(const struct consents *own, const struct question *q)
{
    static const struct span prefix = {"topic:", 6};
    struct parts parts = {0};
    struct span tags = own->topics.is_given ? q->request->tags : SPAN_NONE, tag;
    if (own->purposes.is_given && q->request->purpose.len > 0)
        add_part(q, CONSENT_PURPOSE, &own->purposes, q->request->purpose, own->unknown, &parts);
    while (next_word(&tags, '\n', &tag))
        if (tag.len > prefix.len && memcmp(tag.ptr, prefix.ptr, prefix.len) == 0)
            add_part(q, CONSENT_TOPIC, &own->topics,
                     (struct span){tag.ptr + prefix.len, tag.len - prefix.len}, own->unknown,
                     &parts);
    return parts;
}

/* ---- the answer ---- */

static bool passes(const struct part *part, const struct consent_answer *answer)
{
    return part->needs == NEEDS_NOTHING || answer->word == CONSENT_IN ||
           (part->needs == NEEDS_NO_NO && answer->word == CONSENT_SILENT);
}

static struct span said_at(struct arena *arena, const struct part *part, const char *what,
                           struct instant at)
{
    return rule_event_and_time(
        arena, span_of(arena_printf(arena, SPAN_FMT " %s", SPAN_ARG(part->word), what)), at);
}

static struct span describe(struct arena *arena, const struct part *part,
                            const struct consent_answer *answer)
{
    if (answer->word == CONSENT_OUT && contact_is_copy(answer->fact))
        return span_of(arena_printf(arena, SPAN_FMT " opted out", SPAN_ARG(part->word)));
    if (answer->word == CONSENT_OUT)
        return said_at(arena, part, "opted out", answer->fact->at);
    if (answer->word == CONSENT_IN)
        return said_at(arena, part, "opted in", contact_frees_at(answer->fact));
    if (answer->unconfirmed == NULL)
        return span_of(arena_printf(arena, SPAN_FMT " unknown", SPAN_ARG(part->word)));
    struct span text = said_at(arena, part, "opted in", contact_frees_at(answer->unconfirmed));
    return span_of(arena_printf(arena, SPAN_FMT ", not confirmed", SPAN_ARG(text)));
}

static void tell(const struct question *q, const struct part *part,
                 const struct consent_answer *answer, struct finding *finding)
{
    static const struct span allowed[] = {[NEEDS_YES] = {"opted in", 8},
                                          [NEEDS_NO_NO] = {"not opted out", 13},
                                          [NEEDS_NOTHING] = {"anything", 8}};
    finding->passed = passes(part, answer);
    finding->opens = INSTANT_NEVER;
    finding->allowed = allowed[part->needs];
    finding->observed = describe(q->arena, part, answer);
    if (!finding->passed && answer->fact && !contact_is_copy(answer->fact))
        finding->since = answer->fact->at;
}

/* Tells of the first that fails, else of the first. */
static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    struct parts parts = parts_of(rule->own, q);
    finding->observed = SPAN("no purpose or topic");
    for (size_t i = 0; i < parts.count && finding->passed; i++) {
        struct consent_answer answer =
            consent_ask(q->policy, q->ledger->facts, q->ledger->fact_count, parts.items[i].key);
        if (i == 0 || !passes(&parts.items[i], &answer))
            tell(q, &parts.items[i], &answer, finding);
    }
}

/* ---- the row ---- */

static void add_names(const struct rule_choices *known, struct arena *arena,
                      struct contact_names *names)
{
    struct span *items = arena_array(arena, struct span, names->count + known->count);
    for (size_t i = 0; i < names->count; i++)
        items[i] = names->items[i];
    for (size_t i = 0; i < known->count; i++)
        items[names->count + i] = known->items[i].name;
    *names = (struct contact_names){items, names->count + known->count};
}

static void declare(const struct contact_rule *rule, struct arena *arena,
                    struct contact_policy *policy)
{
    const struct consents *own = rule->own;
    policy->asks_purposes = policy->asks_purposes || own->purposes.is_given;
    policy->asks_topics = policy->asks_topics || own->topics.is_given;
    add_names(&own->purposes, arena, &policy->purposes);
    add_names(&own->topics, arena, &policy->topics);
}

static const char *check(const struct contact_rule *rule)
{
    const struct consents *own = rule->own;
    if (!own->purposes.is_given && !own->topics.is_given)
        return "purposes, topics or both are needed";
    for (size_t i = 0; i < own->topics.count; i++)
        if (memchr(own->topics.items[i].name.ptr, ':', own->topics.items[i].name.len))
            return "topics: a topic is a name without \"topic:\"";
    return NULL;
}

static const struct rule_key keys[] = {
    {.name = "purposes",
     KEY_CHOICES,
     .words = "consent|interest|contract",
     .offset = offsetof(struct consents, purposes)},
    {.name = "topics", KEY_CHOICES, .words = "out|in", .offset = offsetof(struct consents, topics)},
    {.name = "unknown",
     KEY_CHOICE,
     .words = "deny|allow",
     .offset = offsetof(struct consents, unknown)},
    {NULL},
};

const struct rule_kind rule_consent = {
    .name = "consent",
    .says = "the customer has not agreed to this purpose or topic ({observed})",
    .cause = "consent",
    .revokes = REVOKES_ON_SIGNAL,
    .binds_named = true,
    .keys = keys,
    .own_size = sizeof(struct consents),
    .check = check,
    .declare = declare,
    .ask = ask,
};
