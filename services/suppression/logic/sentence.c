/* sentence.c: see sentence.h. */
#include "services/suppression/logic/sentence.h"

#include <string.h>

#include "common/base/pack.h"
#include "services/suppression/logic/rules.h"

/* Refusals that are of no rule. */
static const struct {
    const char *reason, *says;
} others[] = {
    {"unidentified", "we do not know who this is"},
    {"shared_identifier", "many people use this identifier"},
};

static void add(struct strbuf *out, struct span text)
{
    strbuf_add(out, text.ptr, text.len);
}

/* ---- times ---- */

/* "2 July 2026, 07:00 UTC" */
static void add_time(struct strbuf *out, struct instant at)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    int year, month, date;
    int32_t day = instant_day(at, 0);
    day_to_civil(day, &year, &month, &date);
    int64_t minute = (at.us - (int64_t)day * US_PER_DAY) / (60 * US_PER_SECOND);
    strbuf_addf(out, "%d %s %d, %02d:%02d UTC", date, months[month - 1], year, (int)(minute / 60),
                (int)(minute % 60));
}

/* The first instant that contact would be allowed lies within a minute: the next full one is
 * given, so that nobody comes too early. */
static struct instant next_minute(struct instant at)
{
    static const int64_t minute = 60 * US_PER_SECOND;
    int64_t over = at.us % minute;
    return over > 0 ? instant_plus(at, (struct duration){minute - over}) : at;
}

enum { TIME_LENGTH = sizeof "2026-07-02T07:00:00.000000Z" - 1 };

static bool time_at(struct span text, struct instant *at)
{
    struct span word = {text.ptr, TIME_LENGTH};
    return text.len >= TIME_LENGTH && text.ptr[10] == 'T' && text.ptr[TIME_LENGTH - 1] == 'Z' &&
           instant_parse(word, at);
}

/* What a rule saw, with its times as people write them. */
static void add_observed(struct strbuf *out, struct span text)
{
    struct instant at;
    while (text.len > 0) {
        bool is_time = time_at(text, &at);
        if (is_time)
            add_time(out, at);
        else
            strbuf_add(out, text.ptr, 1);
        size_t taken = is_time ? TIME_LENGTH : 1;
        text = (struct span){text.ptr + taken, text.len - taken};
    }
}

/* ---- why ---- */

/* What the deciding rule saw, and what it would have allowed. */
static void find_values(const struct told_verdict *told, struct span *observed,
                        struct span *allowed)
{
    struct span rest = told->rules;
    *observed = *allowed = SPAN("");
    while (rest.len > 0) {
        struct span line = span_take(&rest, '\x1e');
        if (!span_equal(span_take(&line, '\x1f'), told->rule_id))
            continue;
        span_take(&line, '\x1f'); /* the kind */
        span_take(&line, '\x1f'); /* that it failed */
        *observed = span_take(&line, '\x1f');
        *allowed = span_take(&line, '\x1f');
    }
}

static const char *clause_of(struct span reason)
{
    for (size_t i = 0; rule_kinds[i]; i++)
        if (span_is(reason, rule_kinds[i]->name))
            return rule_kinds[i]->says;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (span_is(reason, others[i].reason))
            return others[i].says;
    return NULL;
}

static bool begins_with(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static void add_why(struct strbuf *out, const struct told_verdict *told)
{
    static const char observed_here[] = "{observed}", allowed_here[] = "{allowed}";
    struct span observed, allowed;
    const char *at = clause_of(told->reason);
    find_values(told, &observed, &allowed);
    if (at == NULL) /* a kind of a version that is gone */
        add(out, told->reason);
    while (at && *at) {
        if (begins_with(at, observed_here)) {
            add_observed(out, observed);
            at += strlen(observed_here);
        } else if (begins_with(at, allowed_here)) {
            add_observed(out, allowed);
            at += strlen(allowed_here);
        } else {
            strbuf_add(out, at++, 1);
        }
    }
}

/* ---- the sentence ---- */

static void refuse(struct strbuf *out, const struct told_verdict *told)
{
    strbuf_addf(out, "No, not by " SPAN_FMT ": ", SPAN_ARG(told->channel));
    add_why(out, told);
    strbuf_addf(out, ".");
    if (told->rule_id.len > 0)
        strbuf_addf(out, " Rule " SPAN_FMT, SPAN_ARG(told->rule_id));
    if (told->rule_id.len > 0 && told->rule_owner.len > 0)
        strbuf_addf(out, ", owner " SPAN_FMT, SPAN_ARG(told->rule_owner));
    strbuf_addf(out, told->rule_id.len > 0 ? "." : "");
    if (told->retry_at.us == INSTANT_ABSENT.us || told->retry_at.us == INSTANT_NEVER.us) {
        strbuf_addf(out, " No date can be given.");
        return;
    }
    strbuf_addf(out, " Earliest: ");
    add_time(out, next_minute(told->retry_at));
    strbuf_addf(out, ".");
}

static void grant(struct strbuf *out, const struct told_verdict *told)
{
    if (told->outcome != RESULT_OPEN) {
        strbuf_addf(out, "The contact was granted; what became of it: %s.",
                    contact_outcome_word((int16_t)told->outcome));
        return;
    }
    strbuf_addf(out, "Yes, by " SPAN_FMT, SPAN_ARG(told->channel));
    if (told->expires_at.us != INSTANT_ABSENT.us && told->expires_at.us != INSTANT_NEVER.us) {
        strbuf_addf(out, ", before ");
        add_time(out, told->expires_at);
    }
    strbuf_addf(out, ".");
}

struct span contact_sentence(const struct told_verdict *told, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    if (told->verdict == VERDICT_GRANT)
        grant(&out, told);
    else if (told->verdict == VERDICT_DENY)
        refuse(&out, told);
    else
        strbuf_addf(&out, "This request cannot be answered: it is invalid (" SPAN_FMT ").",
                    SPAN_ARG(told->reason));
    return strbuf_span(&out);
}
