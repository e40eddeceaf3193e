/* door_answers.c: see door_answers.h. */
#include "door/door_answers.h"

#include "common/codec/json_write.h"
#include "services/suppression/logic/sentence.h"

static void add_text(struct strbuf *out, const char *name, struct span text)
{
    strbuf_addf(out, ",\"%s\":", name);
    if (text.ptr)
        json_add_text(out, text);
    else
        strbuf_addf(out, "null");
}

static void add_instant(struct strbuf *out, const char *name, struct instant at)
{
    char text[40];
    if (at.us == INSTANT_ABSENT.us || at.us == INSTANT_NEVER.us)
        return add_text(out, name, SPAN_NONE);
    instant_format(at, text);
    add_text(out, name, span_of(text));
}

/* The fields of a line as rules are packed (services/suppression/logic/decide.c). */
static void add_rule(struct strbuf *out, struct span line)
{
    strbuf_addf(out, "{\"rule_id\":");
    json_add_text(out, span_take(&line, '\x1f'));
    add_text(out, "kind", span_take(&line, '\x1f'));
    strbuf_addf(out, ",\"passed\":%s", span_is(span_take(&line, '\x1f'), "1") ? "true" : "false");
    add_text(out, "observed", span_take(&line, '\x1f'));
    add_text(out, "allowed", span_take(&line, '\x1f'));
    struct span next = span_take(&line, '\x1f');
    add_text(out, "next_at", next.len ? next : SPAN_NONE);
    strbuf_addf(out, "}");
}

static void add_rules(struct strbuf *out, struct span rules)
{
    const char *between = "";
    strbuf_addf(out, ",\"rules\":[");
    while (rules.len) {
        strbuf_addf(out, "%s", between);
        add_rule(out, span_take(&rules, '\x1e'));
        between = ",";
    }
    strbuf_addf(out, "]");
}

static struct span verdict_word(int16_t verdict)
{
    return verdict == VERDICT_GRANT  ? SPAN("grant")
           : verdict == VERDICT_DENY ? SPAN("deny")
                                     : SPAN("invalid");
}

/* What became of a grant; a channel acts on one that is open. */
static struct span outcome_word(const struct decision_row *row)
{
    bool has_one = row->verdict == VERDICT_GRANT || row->outcome != RESULT_OPEN;
    return has_one ? span_of(contact_outcome_word(row->outcome)) : SPAN_NONE;
}

static void add_sentence(struct strbuf *out, const struct decision_row *row)
{
    struct arena arena = {0};
    const struct told_verdict told = {
        .verdict = (enum contact_verdict)row->verdict,
        .outcome = (enum contact_outcome)row->outcome,
        .reason = row->reason,
        .rule_id = row->rule_id,
        .rule_owner = row->rule_owner,
        .channel = row->channel,
        .rules = row->rules,
        .expires_at = row->expires_at,
        .retry_at = row->retry_at,
    };
    add_text(out, "sentence", contact_sentence(&told, &arena));
    arena_free(&arena);
}

static void add_verdict(struct strbuf *out, const struct decided *decided, bool shows_profile)
{
    const struct decision_row *row = &decided->verdict.decision;
    char uuid[37];
    add_text(out, "verdict", verdict_word(row->verdict));
    add_text(out, "reason", row->reason);
    add_text(out, "rule_id", row->rule_id);
    add_text(out, "rule_owner", row->rule_owner);
    add_sentence(out, row);
    add_text(out, "outcome", outcome_word(row));
    add_text(out, "channel", row->channel);
    add_text(out, "department", row->department);
    add_text(out, "class", row->class);
    add_instant(out, "requested_at", row->requested_at);
    add_instant(out, "asked_for_at", row->asked_for_at);
    add_instant(out, "planned_at", row->planned_at);
    add_text(out, "moved_by", row->moved_by);
    add_instant(out, "latest_at", row->latest_at);
    add_instant(out, "decided_at", decided->verdict.decided_at);
    add_instant(out, "expires_at", row->expires_at);
    add_instant(out, "retry_at", row->retry_at);
    add_instant(out, "claimed_at", row->claimed_at);
    add_text(out, "zones", row->zones);
    add_text(out, "zone_data", row->zone_data);
    strbuf_addf(out, ",\"is_repeat\":%s", decided->is_repeat ? "true" : "false");
    if (shows_profile) {
        id_to_uuid(&row->profile_id, uuid);
        add_text(out, "profile_id", id_is_nil(&row->profile_id) ? SPAN_NONE : span_of(uuid));
    }
    add_rules(out, row->rules);
}

void door_add_answer(struct strbuf *out, const struct decided *decided, bool shows_profile)
{
    char uuid[37];
    id_to_uuid(&decided->request_id, uuid);
    strbuf_addf(out, "{\"request_id\":\"%s\"", uuid);
    if (decided->refused) {
        add_text(out, "error", span_of(decided->refused_code));
        add_text(out, "message", span_of(decided->refused));
    } else {
        add_verdict(out, decided, shows_profile);
    }
    strbuf_addf(out, "}");
}

void door_add_claim(struct strbuf *out, const struct claim *claim)
{
    const char *because = claim->answer.void_because;
    char uuid[37];
    id_to_uuid(&claim->request_id, uuid);
    strbuf_addf(out, "{\"request_id\":\"%s\"", uuid);
    add_text(out, "claim", because ? SPAN("void") : SPAN("ok"));
    add_text(out, "reason", because ? span_of(because) : SPAN_NONE);
    add_text(out, "rule_id", claim->rule_id);
    add_instant(out, "claimed_at", claim->claimed_at);
    strbuf_addf(out, ",\"is_repeat\":%s}\n", claim->answer.is_repeat ? "true" : "false");
}

void door_add_error(struct strbuf *out, const char *code, const char *message)
{
    strbuf_addf(out, "{\"error\":");
    json_add_text(out, span_of(code));
    strbuf_addf(out, ",\"message\":");
    json_add_text(out, span_of(message));
    strbuf_addf(out, "}\n");
}
