/* journey_world.c: the policy as C tables, a dictionary that counts its words, and figures as lines
 * of text. */
#include "tests/support/journey_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/journey-tracker/policy/journey_segments.h"

#define DAYS(n) ((struct duration){(n)*US_PER_DAY})

static struct span_list one(struct arena *arena, struct span text)
{
    struct span *items = arena_array(arena, struct span, 1);
    items[0] = text;
    return (struct span_list){items, 1, 1};
}

static struct touch_filter on_event(struct arena *arena, struct span event)
{
    return (struct touch_filter){.events = one(arena, event)};
}

static void set_rules(struct journey_policy *policy, struct arena *arena)
{
    const struct span order = SPAN("Order Completed");
    struct touch_filter on_order = on_event(arena, order), in_app = on_event(arena, SPAN("Page")),
                        nps = {.score_kind = SPAN("nps"),
                               .has_score = true,
                               .score_min = 80,
                               .score_max = 100};
    in_app.channels = one(arena, SPAN("app"));
    const struct stage_rule rules[] = {
        {.stage = STAGE_CONSIDERATION, .on = on_event(arena, SPAN("Product Viewed"))},
        {.stage = STAGE_CONSIDERATION, .on = in_app},
        {.stage = STAGE_PURCHASE, .on = on_order},
        {.stage = STAGE_ONBOARDING, .on = on_event(arena, SPAN("Account Created")), .after = order},
        {.stage = STAGE_RETENTION, .on = on_order, .nth = 2, .later_day = true},
        {.stage = STAGE_LOYALTY, .on = on_order, .nth = 4, .within = DAYS(365)},
        {.stage = STAGE_ADVOCACY, .on = on_event(arena, SPAN("Review Submitted"))},
        {.stage = STAGE_ADVOCACY, .on = nps},
    };
    policy->rule_count = sizeof rules / sizeof *rules;
    memcpy(policy->rules, rules, sizeof rules);
}

enum { WEEKS = 1 << PERIOD_WEEK, MONTHS = 1 << PERIOD_MONTH, QUARTERS = 1 << PERIOD_QUARTER };

static void set_goals(struct journey_policy *policy, struct arena *arena)
{
    const struct touch_filter on_order = on_event(arena, SPAN("Order Completed"));
    struct touch_filter paid = on_order, in_ovens = on_order;
    paid.positive = true;
    in_ovens.categories = one(arena, SPAN("home/ov*"));
    const struct journey_goal goals[] = {
        {.id = SPAN("profit"), .on = paid, .measure = MEASURE_MARGIN_ELSE_VALUE},
        {.id = SPAN("sale"),
         .on = paid,
         .measure = MEASURE_VALUE,
         .credited = true,
         .windows = WEEKS | MONTHS | QUARTERS},
        {.id = SPAN("orders"), .on = on_order, .windows = WEEKS},
        {.id = SPAN("second_order"), .on = on_order, .nth = 2, .within = DAYS(30)},
        {.id = SPAN("third_touch"),
         .on = {.direction = DIRECTION_INBOUND},
         .nth = 3,
         .windows = MONTHS},
        {.id = SPAN("active"), .status = STATUS_ACTIVE, .measure = MEASURE_STOCK},
        {.id = SPAN("buyers"),
         .status = STATUS_ACTIVE,
         .from_stage = STAGE_PURCHASE,
         .measure = MEASURE_STOCK},
        {.id = SPAN("gone"),
         .status = STATUS_LAPSED,
         .from_stage = STAGE_CONSIDERATION,
         .measure = MEASURE_ENTRIES},
        {.id = SPAN("known"),
         .status = STATUS_ACTIVE,
         .identified = true,
         .measure = MEASURE_STOCK},
        {.id = SPAN("pressure"), .on = {.direction = DIRECTION_OUTBOUND}},
        {.id = SPAN("app"), .on = {.channels = one(arena, SPAN("app"))}, .windows = QUARTERS},
        {.id = SPAN("web_team"), .on = {.departments = one(arena, SPAN("web"))}},
        {.id = SPAN("bounces"), .on = on_event(arena, SPAN("Email Bounced"))},
        {.id = SPAN("app_value"),
         .on = {.channels = one(arena, SPAN("app"))},
         .measure = MEASURE_VALUE},
        {.id = SPAN("branding"), .on = {.purposes = one(arena, SPAN("brand"))}},
        {.id = SPAN("ovens"), .on = in_ovens, .measure = MEASURE_VALUE},
        {.id = SPAN("happy"), .on = {.has_score = true, .score_min = 80, .score_max = 100}},
    };
    policy->goal_count = sizeof goals / sizeof *goals;
    memcpy(policy->goals, goals, sizeof goals);
}

static void set_attribution(struct journey_policy *policy, struct arena *arena)
{
    struct conversion_rule *rules = arena_array(arena, struct conversion_rule, 4);
    rules[0] = (struct conversion_rule){
        .event = SPAN("Order Completed"), .goal = SPAN("sale"), .lookback = DAYS(30)};
    rules[1] = (struct conversion_rule){.event = SPAN("Loan Funded"),
                                        .goal = SPAN("funded"),
                                        .any_value = true,
                                        .lookback = DAYS(30)};
    policy->conversions = rules;
    policy->conversion_count = 2;
    policy->credit = journey_policy_default_credit();
}

/* One before `sale` and one behind, with lookbacks of their own. */
static void add_goals_of_orders(struct journey_policy *policy)
{
    struct conversion_rule *rules = policy->conversions;
    memmove(rules + 1, rules, policy->conversion_count * sizeof *rules);
    rules[0] = (struct conversion_rule){
        .event = SPAN("Order Completed"), .goal = SPAN("mailed"), .lookback = DAYS(1)};
    rules[policy->conversion_count + 1] = (struct conversion_rule){.event = SPAN("Order Completed"),
                                                                   .goal = SPAN("influenced"),
                                                                   .any_value = true,
                                                                   .lookback = DAYS(56)};
    policy->conversion_count += 2;
}

/* Orders are told by shop and till; the till is believed. */
static void set_orders(struct journey_policy *policy, struct arena *arena)
{
    journey_policy_default_orders(&policy->orders, arena);
    policy->orders.events = one(arena, SPAN("Order Completed"));
    policy->orders.prefer = one(arena, SPAN("urn:till"));
}

/* Two zones: code 1 is five hours behind UTC, code 2 nine hours ahead. */
static void set_responses(struct journey_world *world)
{
    struct response_rules *rules = &world->policy.responses;
    const struct span names[] = {SPAN("behind"), SPAN("ahead")};
    const int32_t hours[] = {-5, 9};
    struct zone_name *zones = arena_calloc(&world->arena, 2, sizeof *zones);
    for (int i = 0; i < 2; i++)
        zones[i] = (struct zone_name){
            .name = names[i], .code = (int16_t)(i + 1), .zone = {.first = hours[i] * 3600}};
    zone_set_finish(&world->zones, &world->arena, zones, 2);
    world->policy.zones = &world->zones;
    rules->is_asked = true;
    rules->within = DAYS(7);
    rules->sends = (struct touch_filter){.direction = DIRECTION_OUTBOUND};
    *arena_push(&world->arena, &rules->sends.events) = SPAN("Contact Sent");
    *arena_push(&world->arena, &rules->sends.events) = SPAN("Campaign Sent");
}

static void set_channels(struct journey_policy *policy, struct arena *arena)
{
    const struct channel_rule rules[] = {
        {.referrer_host = SPAN("google.*"), .channel = SPAN("search"), .network = SPAN("google")},
        {.referrer_host = SPAN("*.idealo.de"),
         .channel = SPAN("comparison_site"),
         .network = SPAN("idealo")},
        {.utm_medium = SPAN("comparison"),
         .channel = SPAN("comparison_site"),
         .network = SPAN("(utm_source)")},
        {.click_network = SPAN("*"), .channel = SPAN("ads"), .network = SPAN("(click_network)")},
    };
    *arena_push(arena, &policy->networks) = SPAN("check24");
    policy->channel_count = sizeof rules / sizeof *rules;
    policy->channels = arena_array(arena, struct channel_rule, policy->channel_count);
    memcpy(policy->channels, rules, sizeof rules);
}

uint32_t world_code(struct journey_world *world, struct span text)
{
    if (text.ptr == NULL)
        return 0;
    for (uint32_t i = 0; i < world->word_count; i++)
        if (span_equal(world->words[i], text))
            return i + 1;
    if (world->word_count == WORLD_WORDS)
        abort();
    world->words[world->word_count++] = arena_copy(&world->arena, text);
    return world->word_count;
}

static enum outcome intern(void *context, struct span text, uint32_t *code, struct err *err)
{
    *code = world_code(context, text);
    return OUTCOME_OK;
}

/* The segments, and a stage rule that names the first one. */
static void set_segments(struct journey_world *world, const char *segments)
{
    struct err err;
    struct journey_policy *policy = &world->policy;
    const struct json *document = NULL;
    if (segments == NULL)
        return;
    if (json_parse_span(&world->arena, span_of(segments), "segments.json", &document, &err) !=
            OUTCOME_OK ||
        journey_segments_read(&world->arena, document, policy, &err) != OUTCOME_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    policy->rules[policy->rule_count++] = (struct stage_rule){
        .stage = STAGE_LOYALTY,
        .on = on_event(&world->arena, SPAN("Page")),
        .segment = policy->segments.items[0].id,
    };
}

static void finish(struct journey_world *world)
{
    struct err err;
    if (journey_policy_finish(&world->policy, &err) != OUTCOME_OK ||
        journey_policy_intern(&world->policy, intern, world, &err) != OUTCOME_OK)
        abort();
}

static void open_with(struct journey_world *world, const char *segments, bool several)
{
    memset(world, 0, sizeof *world);
    struct journey_policy *policy = &world->policy;
    set_rules(policy, &world->arena);
    set_goals(policy, &world->arena);
    set_attribution(policy, &world->arena);
    if (several)
        add_goals_of_orders(policy);
    set_orders(policy, &world->arena);
    set_channels(policy, &world->arena);
    set_responses(world);
    policy->session = (struct duration){1800 * US_PER_SECOND};
    policy->at_risk_on = one(&world->arena, SPAN("Complaint Filed"));
    policy->lapsed_on = one(&world->arena, SPAN("Account Closed"));
    policy->at_risk_after = DAYS(28);
    policy->lapsed_after = DAYS(56);
    policy->tail_max = POLICY_TAIL_MAX;
    set_segments(world, segments);
    finish(world);
}

void world_follow_paths(struct journey_world *world)
{
    const struct influence_rule rules[] = {
        {.goal = SPAN("sale"), .lookback = DAYS(30)},
        {.goal = SPAN("funded"), .node = PATH_BY_CHANNEL, .first_only = true, .lookback = DAYS(7)},
        {.goal = SPAN("third_touch"), .node = PATH_BY_KIND, .lookback = DAYS(1)},
    };
    world->policy.influence_count = sizeof rules / sizeof *rules;
    memcpy(world->policy.influence, rules, sizeof rules);
    finish(world);
}

void world_open(struct journey_world *world)
{
    open_with(world, NULL, false);
}

void world_open_segments(struct journey_world *world, const char *segments)
{
    open_with(world, segments, false);
}

void world_open_goals(struct journey_world *world, const char *segments)
{
    open_with(world, segments, true);
}

void world_close(struct journey_world *world)
{
    arena_free(&world->arena);
}

const struct shape *world_shape(struct journey_world *world, const struct shape_text *text)
{
    if (world->shape_count == WORLD_SHAPES)
        abort();
    struct shape *shape = &world->shapes[world->shape_count++];
    shape_compile(&world->policy, text, &world->arena, shape);
    shape->code = world->shape_count;
    shape->kind = world_code(world, shape->kind_text);
    shape->channel = world_code(world, text->channel);
    shape->department = world_code(world, text->department);
    shape->purpose = world_code(world, text->purpose);
    shape->campaign = world_code(world, text->campaign_id);
    shape->currency = world_code(world, text->currency);
    shape->device = world_code(world, text->device_type);
    shape->network_code = world_code(world, shape->network);
    return shape;
}

const struct shape *world_event(struct journey_world *world, const char *event)
{
    struct shape_text text = {
        .source = SPAN("urn:test"), .type = SPAN("track"), .event_name = span_of(event)};
    text.channel = SPAN("web");
    if (span_is(text.event_name, "Order Completed")) {
        text.channel = SPAN("pos");
        text.currency = SPAN("USD");
    }
    if (span_is(text.event_name, "Campaign Sent")) {
        text.channel = SPAN("direct_mail");
        text.campaign_id = SPAN("8");
        text.department = SPAN("marketing");
    }
    return world_shape(world, &text);
}

static const struct shape *find_shape(void *context, uint32_t code)
{
    struct journey_world *world = context;
    return code >= 1 && code <= world->shape_count ? &world->shapes[code - 1] : NULL;
}

struct shape_lookup world_lookup(struct journey_world *world)
{
    return (struct shape_lookup){find_shape, world};
}

struct touch world_touch(const struct shape *shape, int64_t at_us, uint32_t id)
{
    struct touch touch = {.shape = shape,
                          .value_micros = MICROS_ABSENT,
                          .margin_micros = MICROS_ABSENT,
                          .cost_micros = MICROS_ABSENT,
                          .score = SCORE_ABSENT};
    touch.key.at.us = at_us;
    for (int i = 0; i < 4; i++)
        touch.key.event_id.bytes[12 + i] = (uint8_t)(id >> (24 - 8 * i));
    world_set_value(&touch, MICROS_ABSENT);
    return touch;
}

void world_set_value(struct touch *touch, int64_t micros)
{
    touch->value_micros = micros;
    touch->key.rank = (uint8_t)touch_rank_of(touch->shape, micros);
}

void world_name_order(const struct journey_world *world, struct touch *touch, const char *order_id)
{
    const struct shape *shape = touch->shape;
    touch->order = shape->is_order || shape->is_return
                       ? journey_order_key(&world->policy, shape, span_of(order_id))
                       : 0;
}

/* ---- figures ---- */
/* The identity of a row, without gaps between its members: the key of a map. */
struct row_key {
    int64_t at, anchor, reason;
    struct id event_id;
};

static struct row_key row_key(const struct touch_key *touch, int64_t reason)
{
    return (struct row_key){touch->at.us, touch->anchor, reason, touch->event_id};
}

/* As the table has it. */
struct membership_key {
    int64_t anchor, changed_at, segment;
    struct id event_id;
};

static struct membership_key membership_key(const struct membership_row *row)
{
    return (struct membership_key){row->touch.anchor, row->changed_at.us, row->segment,
                                   row->touch.event_id};
}

static void apply_memberships(struct figures *figures, const struct journey_effects *effects)
{
    for (size_t i = 0; i < effects->memberships_removed.count; i++) {
        struct membership_key key = membership_key(&effects->memberships_removed.items[i]);
        map_remove(&figures->memberships, &key);
    }
    for (size_t i = 0; i < effects->memberships.count; i++) {
        struct membership_key key = membership_key(&effects->memberships.items[i]);
        *(struct membership_row *)map_put(&figures->memberships, &key, NULL) =
            effects->memberships.items[i];
    }
}

static void apply_responses(struct figures *figures, const struct journey_effects *effects)
{
    for (size_t i = 0; i < effects->responses_removed.count; i++) {
        struct row_key key = row_key(&effects->responses_removed.items[i].key, 0);
        map_remove(&figures->responses, &key);
    }
    for (size_t i = 0; i < effects->responses.count; i++) {
        struct row_key key = row_key(&effects->responses.items[i].key, 0);
        *(struct response_row *)map_put(&figures->responses, &key, NULL) =
            effects->responses.items[i];
    }
}

void figures_open(struct figures *figures)
{
    memset(figures, 0, sizeof *figures);
    map_init(&figures->cells, &figures->arena, sizeof(struct cell_key),
             sizeof(int64_t[CELL_VALUES]));
    map_init(&figures->conversions, &figures->arena, sizeof(struct row_key),
             sizeof(struct conversion_row));
    map_init(&figures->stages, &figures->arena, sizeof(struct row_key), sizeof(struct stage_row));
    map_init(&figures->orders, &figures->arena, sizeof(struct row_key),
             sizeof(struct order_change));
    map_init(&figures->memberships, &figures->arena, sizeof(struct membership_key),
             sizeof(struct membership_row));
    map_init(&figures->responses, &figures->arena, sizeof(struct row_key),
             sizeof(struct response_row));
}

void figures_close(struct figures *figures)
{
    arena_free(&figures->arena);
}

static void apply_orders(struct figures *figures, const struct journey_effects *effects)
{
    for (size_t i = 0; i < effects->orders_removed.count; i++) {
        struct row_key key =
            row_key(&effects->orders_removed.items[i].key, effects->orders_removed.items[i].goal);
        map_remove(&figures->orders, &key);
    }
    for (size_t i = 0; i < effects->orders.count; i++) {
        struct order_change row = effects->orders.items[i];
        row.touches = arena_copy(&figures->arena, row.touches);
        struct row_key key = row_key(&row.key, row.goal);
        *(struct order_change *)map_put(&figures->orders, &key, NULL) = row;
    }
}

void figures_apply(struct figures *figures, const struct journey_effects *effects)
{
    struct cell cell;
    for (size_t i = 0; journey_effects_next(effects, &i, &cell);) {
        int64_t *sum = map_put(&figures->cells, &cell.key, NULL);
        for (int v = 0; v < CELL_VALUES; v++)
            sum[v] += cell.values[v];
    }
    apply_orders(figures, effects);
    apply_memberships(figures, effects);
    apply_responses(figures, effects);
    for (size_t i = 0; i < effects->conversions_removed.count; i++) {
        struct row_key key = row_key(&effects->conversions_removed.items[i].key,
                                     effects->conversions_removed.items[i].goal);
        map_remove(&figures->conversions, &key);
    }
    for (size_t i = 0; i < effects->stages_removed.count; i++) {
        const struct stage_row *row = &effects->stages_removed.items[i];
        struct row_key key = row_key(&row->touch, row->reason);
        map_remove(&figures->stages, &key);
    }
    for (size_t i = 0; i < effects->conversions.count; i++) {
        struct conversion_row row = effects->conversions.items[i];
        row.eligible = arena_copy(&figures->arena, row.eligible);
        struct row_key key = row_key(&row.key, row.goal);
        *(struct conversion_row *)map_put(&figures->conversions, &key, NULL) = row;
    }
    for (size_t i = 0; i < effects->stages.count; i++) {
        const struct stage_row *row = &effects->stages.items[i];
        struct row_key key = row_key(&row->touch, row->reason);
        *(struct stage_row *)map_put(&figures->stages, &key, NULL) = *row;
    }
}

struct lines {
    char **items;
    size_t count, capacity;
};

static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void cell_lines(const struct figures *figures, struct arena *arena, struct lines *lines)
{
    const void *key;
    const int64_t *v;
    for (size_t i = 0; (v = map_next(&figures->cells, &i, &key)) != NULL;) {
        const struct cell_key *k = key;
        struct strbuf buf = {.arena = arena};
        bool any = false;
        strbuf_addf(&buf, "cell %u %d:", k->family, k->period);
        for (int d = 0; d < CELL_DIMS; d++)
            strbuf_addf(&buf, " %u", k->dims[d]);
        strbuf_addf(&buf, " =");
        for (int d = 0; d < CELL_VALUES; d++) {
            strbuf_addf(&buf, " %lld", (long long)v[d]);
            any |= v[d] != 0;
        }
        pack_byte(&buf, 0);
        if (any)
            *arena_push(arena, lines) = buf.ptr;
    }
}

static void add_key(struct strbuf *buf, const struct touch_key *key)
{
    char uuid[37];
    id_to_uuid(&key->event_id, uuid);
    strbuf_addf(buf, "%lld/%s/%lld", (long long)key->at.us, uuid, (long long)key->anchor);
}

static void order_lines(const struct figures *figures, struct arena *arena, struct lines *lines)
{
    const struct order_change *c;
    for (size_t i = 0; (c = map_next(&figures->orders, &i, NULL)) != NULL;) {
        struct strbuf buf = {.arena = arena};
        strbuf_addf(&buf, "%s ", c->is_return ? "return" : "telling");
        add_key(&buf, &c->key);
        strbuf_addf(&buf, " of ");
        add_key(&buf, &c->order);
        strbuf_addf(
            &buf, " full %d repeat %d goal %u%s shapes %u %u: %d %lld %lld %lld, %u:", c->is_full,
            c->is_repeat, c->goal, c->further.ptr ? " further" : "", c->seller, c->money, c->share,
            (long long)c->value, (long long)c->margin, (long long)c->over, c->touch_count);
        for (size_t b = 0; b < c->touches.len; b++)
            strbuf_addf(&buf, "%02x", (unsigned char)c->touches.ptr[b]);
        pack_byte(&buf, 0);
        *arena_push(arena, lines) = buf.ptr;
    }
}

static void membership_lines(const struct figures *figures, struct arena *arena,
                             struct lines *lines)
{
    const struct membership_row *m;
    for (size_t i = 0; (m = map_next(&figures->memberships, &i, NULL)) != NULL;) {
        struct strbuf buf = {.arena = arena};
        strbuf_addf(&buf, "membership of %u %s at %lld by ", m->code, m->is_in ? "in" : "out",
                    (long long)m->changed_at.us);
        add_key(&buf, &m->touch);
        pack_byte(&buf, 0);
        *arena_push(arena, lines) = buf.ptr;
    }
}

static void response_lines(const struct figures *figures, struct arena *arena, struct lines *lines)
{
    const struct response_row *r;
    for (size_t i = 0; (r = map_next(&figures->responses, &i, NULL)) != NULL;) {
        struct strbuf buf = {.arena = arena};
        char send[37];
        id_to_uuid(&r->send_id, send);
        strbuf_addf(&buf, "response ");
        add_key(&buf, &r->key);
        strbuf_addf(&buf, " rank %u to %lld/%s shapes %u %u hour %d", r->key.rank,
                    (long long)r->sent_at.us, send, r->send_shape, r->shape, r->local_hour);
        pack_byte(&buf, 0);
        *arena_push(arena, lines) = buf.ptr;
    }
}

static void row_lines(const struct figures *figures, struct arena *arena, struct lines *lines)
{
    const struct conversion_row *c;
    for (size_t i = 0; (c = map_next(&figures->conversions, &i, NULL)) != NULL;) {
        struct strbuf buf = {.arena = arena};
        strbuf_addf(&buf, "conversion ");
        add_key(&buf, &c->key);
        strbuf_addf(&buf, " goal %u%s first %d stage %u eligible %u:", c->goal,
                    c->further.ptr ? " further" : "", c->is_first, c->stage_before,
                    c->eligible_count);
        for (size_t b = 0; b < c->eligible.len; b++)
            strbuf_addf(&buf, "%02x", (unsigned char)c->eligible.ptr[b]);
        pack_byte(&buf, 0);
        *arena_push(arena, lines) = buf.ptr;
    }
    const struct stage_row *s;
    for (size_t i = 0; (s = map_next(&figures->stages, &i, NULL)) != NULL;) {
        struct strbuf buf = {.arena = arena};
        char uuid[37];
        id_to_uuid(&s->id, uuid);
        strbuf_addf(&buf, "stage ");
        add_key(&buf, &s->touch);
        strbuf_addf(
            &buf, " %s reason %u journey %u at %lld/%u stage %u>%u status %u>%u seconds %lld", uuid,
            s->reason, s->journey_number, (long long)s->changed_at.us, s->position, s->from_stage,
            s->to_stage, s->from_status, s->to_status, (long long)s->seconds_in_stage);
        pack_byte(&buf, 0);
        *arena_push(arena, lines) = buf.ptr;
    }
}

const char *figures_text(const struct figures *figures, struct arena *arena)
{
    struct lines lines = {0};
    cell_lines(figures, arena, &lines);
    row_lines(figures, arena, &lines);
    order_lines(figures, arena, &lines);
    membership_lines(figures, arena, &lines);
    response_lines(figures, arena, &lines);
    if (lines.count)
        qsort(lines.items, lines.count, sizeof *lines.items, line_order);
    struct strbuf buf = {.arena = arena};
    for (size_t i = 0; i < lines.count; i++)
        strbuf_addf(&buf, "%s\n", lines.items[i]);
    pack_byte(&buf, 0);
    return buf.ptr;
}
