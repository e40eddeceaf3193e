/* contact.c: `tutti contact plan`. */
#include <errno.h>
#include <string.h>

#include "cli/days.h"
#include "cli/session.h"
#include "common/base/nearest.h"
#include "common/codec/json_write.h"
#include "operations/contact/plan.h"

/* ---- --list ---- */

struct list {
    const char *path;
    FILE *to;
};

static void add_text(struct strbuf *line, const char *name, struct span text)
{
    strbuf_addf(line, ",\"%s\":", name);
    if (text.len > 0)
        json_add_text(line, text);
    else
        strbuf_addf(line, "null");
}

static void add_time(struct strbuf *line, const char *name, struct instant at)
{
    char text[32];
    instant_format(at, text);
    add_text(line, name, span_of(text));
}

static struct span word_of(const struct walked *walked)
{
    return walked->verdict == VERDICT_GRANT ? SPAN("granted") : SPAN("refused");
}

static void write_change(struct strbuf *line, const struct plan_change *change)
{
    const struct contact_fact *request = change->before->request;
    const struct walked *refused =
        change->after->verdict == VERDICT_GRANT ? change->before : change->after;
    char profile[37], id[37];
    id_to_uuid(&change->profile_id, profile);
    id_to_uuid(&request->event_id, id);
    strbuf_addf(line, "{\"profile_id\":\"%s\",\"%s\":\"%s\"", profile,
                change->before->is_send ? "touchpoint_id" : "request_id", id);
    add_time(line, "occurred_at", request->at);
    add_time(line, "contact_at", walked_at(refused));
    add_text(line, "channel", request->channel);
    add_text(line, "department", request->department);
    add_text(line, "campaign_id", request->campaign_id);
    add_text(line, "active", word_of(change->before));
    add_text(line, "candidate", word_of(change->after));
    add_text(line, "reason", span_of(refused->reason));
    add_text(line, "rule_id", change->rule_id);
    strbuf_addf(line, "}\n");
}

static enum outcome not_written(const struct list *list, struct err *err)
{
    return err_set(err, OUTCOME_FATAL, "list", "%s: %s", list->path, strerror(errno));
}

static enum outcome list_change(void *context, const struct plan_change *change, struct err *err)
{
    struct list *list = context;
    struct arena arena = {0};
    struct strbuf line = {.arena = &arena};
    write_change(&line, change);
    bool is_written = fwrite(line.ptr, 1, line.len, list->to) == line.len;
    arena_free(&arena);
    return is_written ? OUTCOME_OK : not_written(list, err);
}

static enum outcome run_listed(struct session *s, struct contact_plan_request *request,
                               struct list *list)
{
    list->to = fopen(list->path, "w");
    if (list->to == NULL)
        return not_written(list, &s->err);
    request->list = list_change;
    request->context = list;
    enum outcome outcome = contact_plan(&s->desk, request, &s->report, &s->err);
    if (fclose(list->to) != 0 && outcome == OUTCOME_OK)
        return not_written(list, &s->err);
    return outcome;
}

/* ---- the command ---- */

static enum exit_status unknown_word(const struct call *call, const char *word)
{
    struct nearest nearest = nearest_start(span_of(word), 2);
    nearest_consider(&nearest, SPAN("plan"));
    return nearest.name.ptr ? misuse(call, "unknown word \"%.40s\"; did you mean \"plan\"?", word)
                            : misuse(call, "expected plan, got \"%.40s\"", word);
}

static enum exit_status run_contact(struct call *call)
{
    struct session s;
    const char *word = call_argument(call, 0);
    if (word == NULL)
        return misuse(call, "expected plan");
    if (strcmp(word, "plan") != 0)
        return unknown_word(call, word);
    struct contact_plan_request request = {.path = call_option(call, "policy"),
                                           .with_sends = call_has(call, "sends"),
                                           .class = call_option_or(call, "class", "marketing")};
    struct list list = {.path = call_option(call, "list")};
    if (request.path == NULL)
        return misuse(call, "--policy is missing");
    if (call_has(call, "class") && !request.with_sends)
        return misuse(call, "--class is for --sends: a request names its class itself");
    if (!call_days(call, &request.from, &request.to))
        return EXIT_USAGE;
    session_open(&s, call);
    return session_close(&s, list.path ? run_listed(&s, &request, &list)
                                       : contact_plan(&s.desk, &request, &s.report, &s.err));
}

static const struct option options[] = {
    {"policy", "FILE", "The candidate: a contact.json."},
    {"from", "DATE", "First day of the requests, UTC."},
    {"to", "DATE", "Last day of them."},
    {"sends", NULL, "Also sends that answer no request, as if they had been asked for."},
    {"class", "NAME", "Class of sends that name none (marketing)."},
    {"list", "FILE", "Write each request whose verdict would change as a line of JSON."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_contact = {
    .name = "contact",
    .arguments = "plan",
    .summary = "Show what another contact policy would have granted and refused",
    .details =
        "The stored requests are decided again, in their order, under the active policy and under\n"
        "the candidate. A contact that is refused there did not happen there: it fills no window.\n"
        "Only reads, in one snapshot; the services may run.\n"
        "What is credited to a contact is not lost without it: only a control group measures loss.",
    .options = options,
    .max_arguments = 1,
    .run = run_contact,
};
