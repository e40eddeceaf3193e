/* order.c: the plan of an operator's order, and the order itself; see order.h. */
#include "operations/orders/order.h"

#include <inttypes.h>
#include <poll.h>

#include "common/runtime/clock.h"
#include "operations/identifier.h"
#include "operations/lock_out.h"
#include "operations/orders/carry.h"
#include "orders_sql.h"

enum { MOST_LINKS = 10000 }; /* of a released identifier, unless forced */
enum { SHOWN_LINKS = 20 };
enum { MAX_ROUNDS = 10, MAX_RETRIES = 50, RETRY_MS = 100 };

struct order {
    struct desk *desk;
    const struct order_request *request;
    struct resolver resolver;
    struct manual_order manual;
    struct id identifiers[2];
    size_t identifier_count;
    const char *name; /* in message ids of what is carried */
    int64_t links;    /* of a released identifier */
    struct committed_change change;
    struct resolve_plan plan;
    struct effect_members members;
    struct carried_list carried;
};

/* The command's words. */
static const char *const words[] = {
    [ORDER_CUT] = "unlink",
    [ORDER_LINK] = "link",
    [ORDER_SAME] = "link --same-person",
    [ORDER_RELEASE] = "release",
};

static enum outcome find_identifiers(struct order *order, struct err *err)
{
    struct id profile, *ids = order->identifiers;
    for (size_t i = 0; i < order->identifier_count; i++) {
        CHECK(identifier_parse(order->desk, order->request->identifiers[i], &ids[i], err));
        if (identifier_profile(order->desk, &ids[i], &profile, err) != OUTCOME_OK)
            return err_prefix(err, "%s", i ? "B" : "A");
    }
    return order->identifier_count == 2 && id_equal(&ids[0], &ids[1])
               ? err_set(err, OUTCOME_REJECT, "same_identifier", "A and B are the same identifier")
               : OUTCOME_OK;
}

static enum outcome find_type(struct order *order, const struct identity_policy *policy, size_t i,
                              const struct identity_type **type, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, order->desk->arena);
    params_uuid(&p, &order->identifiers[i]);
    CHECK(db_run(order->desk->db, &sql_order_type, &p, &r, NULL, err));
    int16_t at = identity_type_of_rank(policy, db_int2(r, 0, 0));
    *type = &policy->types[at < 0 ? 0 : at];
    return at >= 0 ? OUTCOME_OK
                   : err_set(err, OUTCOME_FATAL, "unknown_type",
                             "an identifier is stored under a type that the policy lacks");
}

/* Only values of a unique type keep a profile apart, so of other types nothing is to be said. */
static enum outcome check_same(struct order *order, struct err *err)
{
    struct identity_policy policy;
    const struct identity_type *types[2];
    CHECK(identifier_policy(order->desk, &policy, err));
    for (size_t i = 0; i < 2; i++)
        CHECK(find_type(order, &policy, i, &types[i], err));
    if (types[0] != types[1])
        return err_set(err, OUTCOME_REJECT, "other_types",
                       "A is of type " SPAN_FMT " and B of " SPAN_FMT
                       ": --same-person is for two values of one type; link without it",
                       SPAN_ARG(types[0]->name), SPAN_ARG(types[1]->name));
    return types[0]->is_unique ? OUTCOME_OK
                               : err_set(err, OUTCOME_REJECT, "not_unique",
                                         "a profile may hold many values of type " SPAN_FMT
                                         ", which is not unique: link without --same-person",
                                         SPAN_ARG(types[0]->name));
}

static enum outcome parse_order(struct order *order, struct err *err)
{
    const struct order_request *request = order->request;
    char a[37], b[37];
    order->identifier_count = request->kind == ORDER_RELEASE ? 1 : 2;
    CHECK(find_identifiers(order, err));
    if (request->kind == ORDER_SAME)
        CHECK(check_same(order, err));
    order->manual = (struct manual_order){
        .kind = span_of(order_kind_name(request->kind)),
        .a = order->identifiers[0],
        .b = order->identifiers[1], /* nil for a release */
        .actor = span_of(request->actor),
        .reason = span_of(request->reason),
    };
    id_to_uuid(&order->manual.a, a);
    id_to_uuid(&order->manual.b, b);
    order->name =
        arena_printf(order->desk->arena, "%s:%s:%s", order_kind_name(request->kind), a, b);
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
    params_init(&p, order->desk->arena);
    params_uuid(&p, &order->identifiers[0]);
    CHECK(db_run(order->desk->db, &sql_release_links, &p, &r, NULL, err));
    order->links = db_int8(r, 0, 0);
    if (order->links > MOST_LINKS && order->request->executes && !order->request->forces)
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
    struct arena *arena = order->desk->arena;
    struct resolve_orders orders = {&order->manual, 1};
    struct review review = {order->identifiers, order->identifier_count, &orders, dry_run, {0}};
    enum outcome outcome = OUTCOME_RETRY;
    for (int i = 0; i < MAX_RETRIES && outcome == OUTCOME_RETRY && !desk_is_stopped(order->desk);
         i++) {
        if (i > 0)
            poll(NULL, 0, RETRY_MS);
        struct review_result result = {0};
        review.now = clock_now();
        outcome = db_ready(order->desk->db, err);
        if (outcome == OUTCOME_OK)
            outcome = resolver_review(&order->resolver, arena, &review, &result, err);
        order->change = result.change;
        order->plan = result.plan;
        if (err->code && strcmp(err->code, "commit_unknown") == 0)
            break; /* again would order it twice */
    }
    return outcome;
}

static enum outcome find_effect(struct order *order, struct err *err)
{
    struct arena *arena = order->desk->arena;
    CHECK(effect_members(order->desk->db, arena, order->identifiers, order->identifier_count,
                         &order->plan, &order->members, err));
    return carry_find(order->desk->db, arena, &order->members, order->name, &order->carried, err);
}

/* ---- the report ---- */

static const char *headline(const struct order *order)
{
    struct arena *arena = order->desk->arena;
    if (order->plan.ordered != REFUSED_NOT)
        return arena_printf(
            arena, "they stay apart, the link is refused by %s; the order is kept as evidence",
            identity_refusal_name(order->plan.ordered));
    if (order->plan.move_count == 0)
        return "no identifier changes its profile; the order is kept as evidence";
    return arena_printf(arena, "%zu identifiers change their profile", order->plan.move_count);
}

static void report_headline(const struct order *order, struct report *report)
{
    char a[37], b[37];
    const char *word = words[order->request->kind];
    id_to_uuid(&order->manual.a, a);
    id_to_uuid(&order->manual.b, b);
    if (!is_release(order)) {
        report_line(report, "%s %s %s: %s", word, a, b, headline(order));
        return;
    }
    report_line(report, "%s %s: %s", word, a, headline(order));
    report_line(
        report, "%" PRId64 " links, which every later batch that touches it reads%s", order->links,
        order->links > MOST_LINKS && !order->request->forces ? ": --execute needs --force" : "");
}

static void report_values(const struct order *order, struct report *report)
{
    report_value(report, "order", cell_text(order->manual.kind), NULL);
    report_value(report, "moved", cell_integer((int64_t)order->plan.move_count), NULL);
    if (order->plan.ordered != REFUSED_NOT)
        report_value(report, "refused_by", cell_words(identity_refusal_name(order->plan.ordered)),
                     NULL);
    if (is_release(order))
        report_value(report, "links_read", cell_integer(order->links), NULL);
}

static struct report_cell verdict_cell(enum refusal refusal)
{
    const char *name = identity_refusal_name(refusal);
    return cell_words(name ? name : "accepted");
}

static void report_links(const struct order *order, struct report *report)
{
    static const struct section_form form = {
        .name = "links",
        .title = "Links whose verdict changes",
        .line = "{a}  {b}  {before} -> {after}",
        .most_lines = SHOWN_LINKS,
        .is_shy = true,
        .columns = {{"a", CELL_ID}, {"b", CELL_ID}, {"before", CELL_TEXT}, {"after", CELL_TEXT}}};
    struct report_part *section = report_section(report, &form);
    for (size_t i = 0; i < order->plan.link_count; i++) {
        const struct plan_link *link = &order->plan.links[i];
        REPORT_ROW(report, section, cell_id(&link->key.a), cell_id(&link->key.b),
                   verdict_cell(link->before), verdict_cell(link->after));
    }
}

static enum outcome report_plan(const struct order *order, struct report *report, struct err *err)
{
    report_headline(order, report);
    report_values(order, report);
    CHECK(effect_report(order->desk->db, &order->members, report, err));
    report_links(order, report);
    carry_report(&order->carried, report);
    return OUTCOME_OK;
}

static void report_end(const struct order *order, struct report *report, bool executed)
{
    report_value(report, "executed", cell_bool(executed), NULL);
    report_value(report, "version", cell_integer(order->change.version), NULL);
    report->is_complete = true;
}

/* ---- the steps ---- */

static enum outcome carry(struct order *order, struct err *err)
{
    return carry_send(order->desk, &order->carried, order->request->resolved_topic,
                      order->request->schema_id, err);
}

/* An opt-out that suppression has not read yet would stay with one side. An order that divides no
 * profile need not wait. */
static enum outcome catch_up(struct order *order, struct err *err)
{
    const struct order_request *request = order->request;
    return effect_splits(&order->members) ? carry_catch_up(order->desk, request->suppression_group,
                                                           request->resolved_topic, err)
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

enum outcome order_look(struct desk *desk, const struct order_request *request,
                        struct report *report, struct order **out, struct err *err)
{
    struct order *order = arena_new(desk->arena, struct order);
    *out = order;
    order->desk = desk;
    order->request = request;
    CHECK(desk_connect(desk, err));
    CHECK(check_anchors_settled(desk, err));
    CHECK(parse_order(order, err));
    CHECK(count_links(order, err));
    CHECK(resolver_open_tool(&order->resolver, desk->arena, desk->db, desk->config, err));
    CHECK(look(order, err));
    if (request->executes && look_when_caught_up(order, err) != OUTCOME_OK)
        return err_prefix(err, "nothing was changed, run this again");
    CHECK(report_plan(order, report, err));
    if (!request->executes)
        report_end(order, report, false);
    return OUTCOME_OK;
}

/* What slipped in between the last look and the cut is said right after it, under the same message
 * ids. */
static enum outcome carry_latest(struct order *order, struct err *err)
{
    CHECK(find_effect(order, err));
    CHECK(catch_up(order, err));
    CHECK(find_effect(order, err));
    return carry(order, err);
}

enum outcome order_execute(struct order *order, struct report *report, int64_t *version,
                           struct err *err)
{
    if (carry_all(order, err) != OUTCOME_OK)
        return err_prefix(err, "nothing was changed, run this again");
    CHECK(review(order, false, err));
    *version = order->change.version;
    enum outcome outcome = carry_latest(order, err);
    if (outcome != OUTCOME_OK)
        carry_report_latest(&order->carried, report);
    report_end(order, report, true);
    return outcome == OUTCOME_OK
               ? OUTCOME_OK
               : err_prefix(err, "the order is executed, but these opt-outs of the last moment may "
                                 "be missing");
}

void order_close(struct order *order)
{
    if (order)
        resolver_close(&order->resolver);
}
