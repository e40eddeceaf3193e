/* decide.c: the verdict of one request: what makes it invalid, then every rule of the policy in its
 * order; the first that fails gives the reason, all are recorded. */
#include <stdlib.h>

#include "common/base/pack.h"
#include "services/suppression/logic/rules.h"

/* ---- what makes it invalid ---- */

static bool lacks_contact(const struct contact_policy *policy, const struct contact_fact *r)
{
    return !(r->flags & CONTACT_HAS_CONTACT);
}

static bool lacks_channel(const struct contact_policy *policy, const struct contact_fact *r)
{
    return r->channel.len == 0;
}

static bool has_unknown_channel(const struct contact_policy *policy, const struct contact_fact *r)
{
    struct span channel;
    return !policy_channel(policy, r->channel, &channel);
}

static bool lacks_class(const struct contact_policy *policy, const struct contact_fact *r)
{
    return r->class.len == 0;
}

static bool has_unknown_class(const struct contact_policy *policy, const struct contact_fact *r)
{
    return policy_class(policy, r->class) == NULL;
}

static bool has_bad_priority(const struct contact_policy *policy, const struct contact_fact *r)
{
    return r->priority != CONTACT_PRIORITY_ABSENT &&
           (r->priority < 1 || r->priority > PRIORITY_COUNT);
}

static bool has_bad_tags(const struct contact_policy *policy, const struct contact_fact *r)
{
    return (r->flags & CONTACT_BAD_TAGS) != 0;
}

static bool has_bad_sequence(const struct contact_policy *policy, const struct contact_fact *r)
{
    enum { LONGEST_SEQUENCE_ID = 64 };
    return r->sequence_id.len > LONGEST_SEQUENCE_ID;
}

static bool is_planned_too_far(const struct contact_policy *policy, const struct contact_fact *r)
{
    static const struct duration most = {400 * US_PER_DAY};
    return instant_compare(contact_planned_at(r), instant_plus(r->at, most)) > 0;
}

static bool expires_too_early(const struct contact_policy *policy, const struct contact_fact *r)
{
    return r->expires_at.us != INSTANT_ABSENT.us &&
           instant_compare(r->expires_at, contact_planned_at(r)) <= 0;
}

static bool ends_too_early(const struct contact_policy *policy, const struct contact_fact *r)
{
    return r->latest_at.us != INSTANT_ABSENT.us &&
           instant_compare(r->latest_at, contact_planned_at(r)) < 0;
}

static bool lacks_address(const struct contact_policy *policy, const struct contact_fact *r)
{
    struct span channel;
    policy_channel(policy, r->channel, &channel);
    return r->addresses.len == 0 && names_contain(&policy->needs_address, channel);
}

static const struct {
    const char *reason;
    bool (*applies)(const struct contact_policy *policy, const struct contact_fact *request);
} invalidities[] = {
    {"no_contact", lacks_contact},
    {"no_channel", lacks_channel},
    {"unknown_channel", has_unknown_channel},
    {"no_class", lacks_class},
    {"unknown_class", has_unknown_class},
    {"bad_priority", has_bad_priority},
    {"bad_tags", has_bad_tags},
    {"bad_sequence", has_bad_sequence},
    {"expires_before_planned", expires_too_early},
    {"latest_before_planned", ends_too_early},
    {"planned_too_far", is_planned_too_far},
    {"no_address", lacks_address},
};

static const char *why_invalid(const struct contact_policy *policy,
                               const struct contact_fact *request)
{
    for (size_t i = 0; i < sizeof invalidities / sizeof *invalidities; i++)
        if (invalidities[i].applies(policy, request))
            return invalidities[i].reason;
    return NULL;
}

/* ---- every rule asked ---- */

/* The sequence of which a request takes the place: judged once, when it is decided, so that no
 * place depends on the time that a rule looks at. */
static struct span shared_sequence(const struct contact_policy *policy,
                                   const struct contacts *contacts,
                                   const struct contact_fact *request)
{
    struct instant first, planned_at = contact_planned_at(request);
    const struct asked *asked = contacts_asked(contacts, &request->event_id);
    if (asked && asked->reservation)
        return asked->reservation->sequence_id;
    if (request->sequence_id.len == 0)
        return SPAN_NONE;
    size_t granted =
        contacts_of_sequence(contacts, request->department, request->sequence_id, &first);
    bool is_near =
        granted == 0 || llabs(instant_since(planned_at, first).us) < policy->sequence_within.us;
    return is_near && granted < (size_t)policy->sequence_max ? request->sequence_id : SPAN_NONE;
}

/* About a contact at planned_at. */
static struct question question_of(const struct contact_policy *policy, const struct ledger *ledger,
                                   const struct contact_fact *request, struct instant planned_at,
                                   struct instant at, struct instant now, struct arena *arena)
{
    const struct contact_class *class = policy_class(policy, request->class);
    return (struct question){
        .policy = policy,
        .ledger = ledger,
        .request = request,
        .planned_at = planned_at,
        .contacts = ledger->contacts,
        .sequence = contact_sequence(request->department,
                                     shared_sequence(policy, ledger->contacts, request)),
        .at = at,
        .now = now,
        .obeys_caps = class == NULL || class->obeys,
        .where = arena_new(arena, struct whereabouts *),
        .arena = arena,
    };
}

static struct ledger with_contacts(const struct contact_policy *policy, const struct ledger *ledger,
                                   struct arena *arena)
{
    struct ledger copy = *ledger;
    if (copy.contacts == NULL)
        copy.contacts = contacts_read(policy, ledger, arena);
    return copy;
}

/* Values may come from touchpoints: what separates the fields must not occur in them. */
static void pack_text(struct strbuf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        pack_byte(out, (unsigned char)text.ptr[i] < ' ' ? ' ' : (uint8_t)text.ptr[i]);
}

/* One line per rule, ended by 0x1e, its fields by 0x1f: id, kind, 1 or 0, observed, allowed, and
 * the earliest time from the contact on at which it allows it, empty for never (expanded by
 * tutti.fct_contact_decision_rules). */
static void pack_finding(struct strbuf *out, const struct contact_rule *rule,
                         const struct finding *finding)
{
    char next[32] = "";
    strbuf_addf(out, SPAN_FMT "\x1f%s\x1f%d\x1f", SPAN_ARG(rule->id), rule->kind->name,
                finding->passed);
    pack_text(out, finding->observed);
    pack_byte(out, 0x1f);
    pack_text(out, finding->allowed);
    if (finding->opens.us != INSTANT_NEVER.us)
        instant_format(finding->opens, next);
    strbuf_addf(out, "\x1f%s\x1e", next);
}

/* The earliest time at which the ledger as it is now would allow the contact, by all rules
 * together; INSTANT_ABSENT where there is none. Each rule in turn moves the time on to where it
 * opens, until none does: the time is the same whatever the order of the rules. It only grows, so
 * each closing is passed once. Two rules that go by the clock may never be open together: after 100
 * days on which they alone moved the time, there is none. */
static struct instant earliest_retry(const struct question *q, const struct finding *findings)
{
    static const struct duration longest = {100 * US_PER_DAY};
    size_t count = q->policy->rule_count, *cursors = arena_array(q->arena, size_t, count);
    struct instant at = q->planned_at, begin = at;
    for (size_t passed = 0, i = 0; passed < count; i++) {
        struct instant next =
            finding_next(&findings[i % count], &cursors[i % count], at, q->policy->booking_least);
        if (next.us != at.us && findings[i % count].clock == NULL)
            begin = next;
        if (next.us == INSTANT_NEVER.us || instant_since(next, begin).us > longest.us)
            return INSTANT_ABSENT;
        passed = next.us == at.us ? passed + 1 : 1;
        at = next;
    }
    return at;
}

/* What all rules say, in the order of the policy. */
struct hearing {
    const struct question *q;
    struct finding *findings;
    struct strbuf lines;
    size_t asked; /* rules */
    bool gives_retry;
};

/* The next rules that stand last, or that do not. Where something refuses already, those that stand
 * last are left out. */
static void ask_next(struct hearing *hearing, bool are_last, struct contact_decision *out)
{
    const struct contact_policy *policy = hearing->q->policy;
    for (; hearing->asked < policy->rule_count; hearing->asked++) {
        const struct contact_rule *rule = &policy->rules[hearing->asked];
        struct finding *finding = &hearing->findings[hearing->asked];
        if (rule->kind->is_last != are_last)
            return;
        if (are_last && out->rule >= 0)
            rule_leave_out(hearing->q, finding);
        else
            rule_ask(rule, hearing->q, finding);
        pack_finding(&hearing->lines, rule, finding);
        if (finding->passed)
            continue;
        out->rule = out->rule < 0 ? (int)hearing->asked : out->rule;
        out->failed++;
        hearing->gives_retry = hearing->gives_retry && rule->gives_retry;
    }
}

/* Instead of a refusal, where the contact still makes sense at the time at which all rules allow
 * it: so nobody has to ask again, and the place is taken meanwhile. */
static void book(const struct question *q, struct contact_decision *out)
{
    const struct contact_fact *request = q->request;
    struct instant latest =
        contact_earlier(request->latest_at, instant_plus(q->planned_at, q->policy->booking_most));
    bool is_over = request->expires_at.us != INSTANT_ABSENT.us &&
                   instant_compare(request->expires_at, out->retry_at) <= 0;
    if (request->latest_at.us == INSTANT_ABSENT.us || out->retry_at.us == INSTANT_ABSENT.us ||
        is_over || instant_compare(out->retry_at, latest) > 0)
        return;
    out->moved_by = q->policy->rules[out->rule].id;
    out->planned_at = out->retry_at;
    out->retry_at = INSTANT_ABSENT;
    out->failed = 0;
    out->rule = -1;
}

/* Whoever was to be contacted at some time draws; who must not be contacted gets no time at all. */
static void unbook(const struct question *q, struct contact_decision *out)
{
    out->moved_by = SPAN_NONE;
    out->planned_at = q->planned_at;
    out->retry_at = INSTANT_ABSENT;
}

/* Returns the findings of all rules. */
static const struct finding *ask_all(const struct question *q, struct contact_decision *out)
{
    struct hearing hearing = {.q = q,
                              .findings =
                                  arena_array(q->arena, struct finding, q->policy->rule_count),
                              .lines = {.arena = q->arena},
                              .gives_retry = true};
    ask_next(&hearing, false, out);
    if (out->rule >= 0 && hearing.gives_retry)
        out->retry_at = earliest_retry(q, hearing.findings);
    if (out->rule >= 0)
        book(q, out);
    bool may_be_granted = out->rule < 0;
    ask_next(&hearing, true, out);
    if (may_be_granted && out->rule >= 0)
        unbook(q, out);
    out->rules = strbuf_span(&hearing.lines);
    return hearing.findings;
}

static struct contact_decision undecided(const struct contact_fact *request)
{
    return (struct contact_decision){.rule = -1,
                                     .planned_at = contact_planned_at(request),
                                     .expires_at = INSTANT_ABSENT,
                                     .retry_at = INSTANT_ABSENT,
                                     .rules = SPAN("")};
}

static bool decide_invalid(const struct contact_policy *policy, const struct contact_fact *request,
                           struct contact_decision *out)
{
    *out = undecided(request);
    out->reason = why_invalid(policy, request);
    out->verdict = VERDICT_INVALID;
    return out->reason != NULL;
}

/* A grant does not last into hours in which it would have been refused. */
static struct instant reserved_until(const struct question *q, const struct finding *findings,
                                     struct instant from)
{
    struct instant ends = instant_plus(from, policy_reservation(q->policy, q->request->channel));
    ends = contact_earlier(q->request->expires_at, ends);
    for (size_t i = 0; i < q->policy->rule_count; i++)
        ends = contact_earlier(finding_closes(&findings[i], from), ends);
    return ends;
}

static void note_zones(const struct question *q, struct contact_decision *out)
{
    if (*q->where == NULL || (*q->where)->count == 0)
        return;
    out->zones = whereabouts_text(*q->where, q->arena);
    out->zone_data = q->policy->zone_book->version;
}

void contact_decide(const struct contact_policy *policy, const struct ledger *ledger,
                    const struct contact_fact *request, struct instant now, struct arena *arena,
                    struct contact_decision *out)
{
    if (decide_invalid(policy, request, out))
        return;
    struct ledger whole = with_contacts(policy, ledger, arena);
    struct question q =
        question_of(policy, &whole, request, out->planned_at, request->at, now, arena);
    const struct finding *findings = ask_all(&q, out);
    note_zones(&q, out);
    out->sequence_id = shared_sequence(policy, whole.contacts, request);
    out->verdict = out->rule < 0 ? VERDICT_GRANT : VERDICT_DENY;
    out->reason = out->rule < 0 ? NULL : policy->rules[out->rule].kind->name;
    if (out->verdict == VERDICT_GRANT)
        out->expires_at = reserved_until(&q, findings, out->planned_at);
}

void contact_refuse(const struct contact_policy *policy, const struct contact_fact *request,
                    const char *reason, struct contact_decision *out)
{
    if (decide_invalid(policy, request, out))
        return;
    out->verdict = VERDICT_DENY;
    out->reason = reason;
}

/* ---- what became of a decision ---- */

void contact_result_add(struct contact_result *result, const struct contact_fact *fact)
{
    static const enum contact_outcome outcomes[] = {
        [CONTACT_SENT] = RESULT_SENT,     [CONTACT_DELIVERED] = RESULT_DELIVERED,
        [CONTACT_FAILED] = RESULT_FAILED, [CONTACT_CANCELLED] = RESULT_CANCELLED,
        [CONTACT_SIGNAL] = RESULT_OPEN,
    };
    enum contact_outcome outcome = outcomes[fact->kind];
    bool was_made = outcome == RESULT_SENT || outcome == RESULT_DELIVERED;
    if (outcome > result->outcome || (outcome != RESULT_OPEN && outcome == result->outcome &&
                                      instant_compare(fact->at, result->at) < 0)) {
        result->outcome = outcome;
        result->at = fact->at;
    }
    if (was_made &&
        (result->sent_at.us == INSTANT_ABSENT.us || instant_compare(fact->at, result->sent_at) < 0))
        result->sent_at = fact->at;
}

/* ---- revocation ---- */

/* What is open of a customer: requests in their order, and their reservations. */
struct open_request {
    const struct contact_fact *request;
    struct reservation *reservation;
};

static int open_compare(const void *a, const void *b)
{
    return contact_request_order(((const struct open_request *)a)->request,
                                 ((const struct open_request *)b)->request);
}

static size_t find_open(const struct ledger *ledger, struct instant at, struct instant now,
                        struct arena *arena, struct open_request **out)
{
    struct open_request *open = arena_array(arena, struct open_request, ledger->reservation_count);
    size_t count = 0;
    for (size_t i = 0; i < ledger->reservation_count; i++) {
        struct reservation *r = &ledger->reservations[i];
        const struct asked *asked = contacts_asked(ledger->contacts, &r->request_id);
        if (asked->request && reservation_is_open(r, at, now) && !reservation_is_claimed(r))
            open[count++] = (struct open_request){asked->request, r};
    }
    if (count > 1)
        qsort(open, count, sizeof *open, open_compare);
    *out = open;
    return count;
}

static bool may_revoke(const struct contact_rule *rule, struct contact_news news)
{
    return rule->kind->revokes == REVOKES_ON_SIGNAL ||
           (rule->kind->revokes == REVOKES_ON_MERGE && news.is_merged) ||
           (rule->kind->revokes == REVOKES_ON_HOURS && news.has_hours);
}

/* Of the rules that may revoke; -1: none fails. */
static int first_failing(const struct contact_policy *policy, const struct question *q,
                         struct contact_news news)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        struct finding finding;
        if (!may_revoke(&policy->rules[i], news))
            continue;
        rule_ask(&policy->rules[i], q, &finding);
        if (!finding.passed)
            return (int)i;
    }
    return -1;
}

/* Open reservations are put aside and let in again one by one, so that each is judged with the
 * earlier ones only, and with what is claimed: who acts already cannot be stopped. */
size_t contact_revoke(const struct contact_policy *policy, const struct ledger *ledger,
                      struct contact_news news, struct instant at, struct instant now,
                      struct arena *arena, struct revocation **out)
{
    struct ledger whole = with_contacts(policy, ledger, arena);
    struct open_request *open;
    size_t count = find_open(&whole, at, now, arena, &open), revoked = 0;
    for (size_t i = 0; i < count; i++)
        open[i].reservation->outcome = RESULT_REVOKED;
    *out = arena_array(arena, struct revocation, count);
    for (size_t i = 0; i < count; i++) {
        const struct contact_fact *request = open[i].request;
        struct question q =
            question_of(policy, &whole, request, open[i].reservation->planned_at, at, now, arena);
        int rule = first_failing(policy, &q, news);
        if (rule < 0)
            open[i].reservation->outcome = RESULT_OPEN;
        else
            (*out)[revoked++] =
                (struct revocation){request->event_id, policy->rules[rule].kind->cause, rule};
    }
    return revoked;
}

/* ---- claims ---- */

/* What is wrong with the reservation itself, whatever the rules say. */
static const char *why_unusable(const struct reservation *r, struct instant now)
{
    if (r->verdict != VERDICT_GRANT)
        return "not_granted";
    if (r->outcome != RESULT_OPEN)
        return contact_outcome_word(r->outcome);
    if (reservation_is_claimed(r))
        return reservation_is_over(r, now, now) ? "expired" : NULL;
    if (instant_compare(now, r->planned_at) < 0)
        return "too_early";
    return instant_compare(now, r->expires_at) >= 0 ? "expired" : NULL;
}

/* A cap that is full by now was full of others: this contact is one of those that it counts. */
static bool forbids_now(const struct contact_rule *rule)
{
    return rule->kind->revokes != REVOKES_ON_MERGE && rule->kind->revokes != REVOKES_NEVER;
}

static int first_forbidding(const struct contact_policy *policy, const struct question *q)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        struct finding finding;
        if (!forbids_now(&policy->rules[i]))
            continue;
        rule_ask(&policy->rules[i], q, &finding);
        if (!finding.passed)
            return (int)i;
    }
    return -1;
}

void contact_claim(const struct contact_policy *policy, const struct ledger *ledger,
                   const struct contact_fact *request, const struct reservation *reservation,
                   struct instant now, struct arena *arena, struct contact_claim *out)
{
    *out = (struct contact_claim){why_unusable(reservation, now), -1, false};
    out->is_repeat = out->void_because == NULL && reservation_is_claimed(reservation);
    if (out->void_because || out->is_repeat)
        return;
    if (request == NULL) {
        out->void_because = "unidentified";
        return;
    }
    struct ledger whole = with_contacts(policy, ledger, arena);
    struct question q = question_of(policy, &whole, request, now, now, now, arena);
    out->rule = first_forbidding(policy, &q);
    if (out->rule >= 0)
        out->void_because = policy->rules[out->rule].kind->name;
}
