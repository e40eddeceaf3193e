/* identity_order.c: `tutti identity unlink|link|release`: the plan of an operator's order, and the
 * order itself. */
#include <inttypes.h>
#include <poll.h>

#include "cli/identity.h"
#include "cli/identity_carry.h"
#include "cli/session.h"
#include "cli/topic_list.h"
#include "cli_sql.h"
#include "common/runtime/clock.h"
#include "common/runtime/stop.h"
#include "common/service/generation.h"
#include "operations/identifier.h"

enum { MOST_LINKS = 10000 }; /* of a released identifier, without --force */
enum { SHOWN_LINKS = 20 };
enum { MAX_ROUNDS = 10, MAX_WAIT_SECONDS = 3600, MAX_RETRIES = 50, RETRY_MS = 100 };

struct order {
    struct call *call;
    struct db *db;
    struct resolver resolver;
    struct manual_order manual;
    struct id identifiers[2];
    size_t identifier_count;
    const char *name; /* in message ids of what is carried */
    int64_t wait_seconds, schema_id;
    int64_t links; /* of a released identifier */
    struct committed_change change;
    struct resolve_plan plan;
    struct effect_members members;
    struct carried_list carried;
};

static struct span kind_of(const char *word)
{
    return strcmp(word, "unlink") == 0 ? SPAN("cut")
           : strcmp(word, "link") == 0 ? SPAN("link")
                                       : SPAN("release");
}

static enum outcome parse_order(struct order *order, struct err *err)
{
    struct call *call = order->call;
    struct desk desk = call_desk(call, order->db);
    order->identifier_count = (size_t)call->argument_count - 1;
    for (size_t i = 0; i < order->identifier_count; i++) {
        struct id profile;
        CHECK(
            identifier_parse(&desk, call_argument(call, (int)i + 1), &order->identifiers[i], err));
        if (identifier_profile(&desk, &order->identifiers[i], &profile, err) != OUTCOME_OK)
            return err_prefix(err, "%s", i ? "B" : "A");
    }
    if (order->identifier_count == 2 && id_equal(&order->identifiers[0], &order->identifiers[1]))
        return err_set(err, OUTCOME_REJECT, "same_identifier", "A and B are the same identifier");
    order->manual = (struct manual_order){
        .kind = kind_of(call_argument(call, 0)),
        .a = order->identifiers[0],
        .b = order->identifier_count == 2 ? order->identifiers[1] : (struct id){{0}},
        .actor = span_of(identity_actor(call)),
        .reason = span_of(call_option(call, "reason")),
    };
    char a[37], b[37];
    id_to_uuid(&order->manual.a, a);
    id_to_uuid(&order->manual.b, b);
    order->name = arena_printf(&call->arena, SPAN_FMT ":%s:%s", SPAN_ARG(order->manual.kind), a, b);
    return OUTCOME_OK;
}

static bool is_release(const struct order *order)
{
    return order->identifier_count == 1;
}

/* The links of an identifier in quarantine are left alone; those of a released one are evidence
 * again. */
static enum outcome count_links(struct order *order, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    if (!is_release(order))
        return OUTCOME_OK;
    params_init(&p, &order->call->arena);
    params_uuid(&p, &order->identifiers[0]);
    CHECK(db_run(order->db, &sql_release_links, &p, &r, NULL, err));
    order->links = db_int8(r, 0, 0);
    if (order->links > MOST_LINKS && call_has(order->call, "execute") &&
        !call_has(order->call, "force"))
        return err_set(
            err, OUTCOME_REJECT, "many_links",
            "it has %" PRId64
            " links, which every later batch that touches it would read: nothing was changed; "
            "--force releases an identifier of more than %d",
            order->links, MOST_LINKS);
    return OUTCOME_OK;
}

/* Fills plan and change; nothing is written if dry_run. Gives way to the pipeline and tries again.
 */
static enum outcome review(struct order *order, bool dry_run, struct err *err)
{
    struct arena *arena = &order->call->arena;
    struct resolve_orders orders = {&order->manual, 1};
    enum outcome o = OUTCOME_RETRY;
    for (int i = 0; i < MAX_RETRIES && o == OUTCOME_RETRY && !stop_requested(); i++) {
        if (i > 0)
            poll(NULL, 0, RETRY_MS);
        order->change = (struct committed_change){0};
        order->plan = (struct resolve_plan){0};
        o = db_ready(order->db, err);
        if (o == OUTCOME_OK)
            o = resolver_review(&order->resolver, arena, order->identifiers,
                                order->identifier_count, &orders, dry_run, clock_now(),
                                &order->change, &order->plan, err);
        if (err->code && strcmp(err->code, "commit_unknown") == 0)
            break; /* again would order it twice */
    }
    return o;
}

static enum outcome find_effect(struct order *order, struct err *err)
{
    struct arena *arena = &order->call->arena;
    CHECK(effect_members(order->db, arena, order->identifiers, order->identifier_count,
                         &order->plan, &order->members, err));
    return carry_find(order->db, arena, &order->members, order->name, &order->carried, err);
}

static const char *headline(const struct order *order)
{
    struct arena *arena = &order->call->arena;
    if (order->plan.ordered != REFUSED_NOT)
        return arena_printf(
            arena, "they stay apart, the link is refused by %s; the order is kept as evidence",
            identity_refusal_name(order->plan.ordered));
    if (order->plan.move_count == 0)
        return "no identifier changes its profile; the order is kept as evidence";
    return arena_printf(arena, "%zu identifiers change their profile", order->plan.move_count);
}

static void print_headline(const struct order *order)
{
    char a[37], b[37];
    id_to_uuid(&order->manual.a, a);
    id_to_uuid(&order->manual.b, b);
    printf("%s %s%s%s: %s\n", call_argument(order->call, 0), a, is_release(order) ? "" : " ",
           is_release(order) ? "" : b, headline(order));
    if (is_release(order))
        printf("%" PRId64 " links, which every later batch that touches it reads%s\n", order->links,
               order->links > MOST_LINKS && !call_has(order->call, "force")
                   ? ": --execute needs --force"
                   : "");
}

static void add_refusals(const struct order *order, struct strbuf *json)
{
    if (!json && order->plan.link_count > 0)
        printf("\n%sLinks whose verdict changes%s\n", colour(stdout, COLOUR_BOLD),
               colour(stdout, COLOUR_OFF));
    if (json)
        strbuf_addf(json, ",\"links\":[");
    for (size_t i = 0; i < order->plan.link_count; i++) {
        const struct plan_link *link = &order->plan.links[i];
        const char *before = identity_refusal_name(link->before),
                   *after = identity_refusal_name(link->after);
        char a[37], b[37];
        id_to_uuid(&link->key.a, a);
        id_to_uuid(&link->key.b, b);
        if (!json && i == SHOWN_LINKS) {
            printf("and %zu more; --json has them all\n", order->plan.link_count - i);
            break;
        }
        if (json)
            strbuf_addf(json, "%s{\"a\":\"%s\",\"b\":\"%s\",\"before\":\"%s\",\"after\":\"%s\"}",
                        i ? "," : "", a, b, before ? before : "accepted",
                        after ? after : "accepted");
        else
            printf("%s  %s  %s -> %s\n", a, b, before ? before : "accepted",
                   after ? after : "accepted");
    }
    if (json)
        strbuf_addf(json, "]");
}

static enum outcome print_plan(struct order *order, struct strbuf *json, struct err *err)
{
    if (json)
        strbuf_addf(json, "{\"order\":\"" SPAN_FMT "\",\"moved\":%zu", SPAN_ARG(order->manual.kind),
                    order->plan.move_count);
    if (json && order->plan.ordered != REFUSED_NOT)
        strbuf_addf(json, ",\"refused_by\":\"%s\"", identity_refusal_name(order->plan.ordered));
    if (json && is_release(order))
        strbuf_addf(json, ",\"links_read\":%" PRId64, order->links);
    if (!json)
        print_headline(order);
    CHECK(effect_print(order->call, order->db, &order->members, json, err));
    add_refusals(order, json);
    carry_print(&order->call->arena, &order->carried, json);
    return OUTCOME_OK;
}

static const char *topic_of(const struct order *order)
{
    const char *topic = call_option(order->call, "topic");
    return topic ? topic : TOPIC_RESOLVED;
}

static struct duration wait_of(const struct order *order)
{
    return (struct duration){order->wait_seconds * US_PER_SECOND};
}

static enum outcome carry(struct order *order, struct err *err)
{
    return carry_send(order->call, order->db, &order->carried, topic_of(order),
                      (int32_t)order->schema_id, wait_of(order), err);
}

/* An opt-out that suppression has not read yet would stay with one side: what divides nobody need
 * not wait. */
static enum outcome catch_up(struct order *order, struct err *err)
{
    const char *group = call_option(order->call, "group");
    return effect_splits(&order->members)
               ? carry_catch_up(order->call, group ? group : "suppression", topic_of(order),
                                wait_of(order), err)
               : OUTCOME_OK;
}

static enum outcome look(struct order *order, struct err *err)
{
    CHECK(review(order, true, err));
    return find_effect(order, err);
}

static enum outcome look_when_caught_up(struct order *order, struct err *err)
{
    CHECK(catch_up(order, err));
    return look(order, err);
}

/* The pipeline runs: what is to be carried is looked for again until nothing new is found. */
static enum outcome carry_all(struct order *order, struct err *err)
{
    for (int round = 0; round < MAX_ROUNDS && order->carried.count > 0; round++) {
        CHECK(carry(order, err));
        CHECK(look(order, err));
    }
    return order->carried.count == 0
               ? OUTCOME_OK
               : err_set(err, OUTCOME_RETRY, "carry_unsettled", "opt-outs and holds keep changing");
}

/* What slipped in between the last look and the cut is said right after it, under the same message
 * ids. */
static enum outcome execute(struct order *order, struct err *err)
{
    if (carry_all(order, err) != OUTCOME_OK)
        return err_prefix(err, "nothing was changed, run this again");
    CHECK(review(order, false, err));
    enum outcome o = find_effect(order, err);
    if (o == OUTCOME_OK)
        o = catch_up(order, err);
    if (o == OUTCOME_OK)
        o = find_effect(order, err);
    if (o == OUTCOME_OK)
        o = carry(order, err);
    if (o == OUTCOME_OK)
        return o;
    carry_print(&order->call->arena, &order->carried, NULL);
    return err_prefix(
        err, "the order is executed, but these opt-outs of the last moment may be missing");
}

static enum outcome run(struct order *order, struct err *err)
{
    struct call *call = order->call;
    struct strbuf json = {.arena = &call->arena}, *to = call_has(call, "json") ? &json : NULL;
    CHECK(database_check_anchors(order->db, err));
    CHECK(parse_order(order, err));
    CHECK(count_links(order, err));
    CHECK(resolver_open_tool(&order->resolver, &call->arena, order->db, call->config, err));
    CHECK(look(order, err));
    if (call_has(call, "execute") && look_when_caught_up(order, err) != OUTCOME_OK)
        return err_prefix(err, "nothing was changed, run this again");
    CHECK(print_plan(order, to, err));
    if (!to)
        fflush(stdout);
    if (call_has(call, "execute"))
        CHECK(execute(order, err));
    if (to)
        printf(SPAN_FMT ",\"executed\":%s,\"version\":%lld}\n", SPAN_ARG(strbuf_span(to)),
               call_has(call, "execute") ? "true" : "false", (long long)order->change.version);
    else if (call_has(call, "execute"))
        say("done; %s %lld", order->change.version ? "identity change" : "nothing moved, version",
            (long long)order->change.version);
    else
        say("nothing was changed; --execute acts");
    return OUTCOME_OK;
}

enum exit_status identity_order(struct call *call)
{
    struct order order = {.call = call};
    struct err err = {0};
    const char *reason = call_option(call, "reason");
    if (reason == NULL || span_trim(span_of(reason)).len == 0)
        return misuse(call, "--reason is missing");
    if (!call_number(call, "wait", 1, MAX_WAIT_SECONDS, 60, &order.wait_seconds) ||
        !call_number(call, "schema-id", 1, INT32_MAX, 1, &order.schema_id))
        return EXIT_USAGE;
    enum outcome outcome = database_connect(call, &order.db, &err);
    if (outcome == OUTCOME_OK)
        outcome = run(&order, &err);
    resolver_close(&order.resolver);
    db_close(order.db);
    return outcome == OUTCOME_OK ? EXIT_DONE : failed(&err);
}
