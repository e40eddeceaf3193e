/* journey_service.c: the callbacks of journey-tracker: records become arrivals and moves of a
 * flush, and what a flush committed goes out from the two outboxes. */
#include "services/journey-tracker/journey_service.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/codec/items_json.h"
#include "common/codec/messages.h"
#include "common/runtime/telemetry.h"
#include "common/service/lanes.h"
#include "common/service/topic_names.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/journey_said.h"
#include "services/journey-tracker/journey_tracker.h"

enum { TOPIC_RESOLVED, TOPIC_CHANGES };

/* Sent by scan, to be marked when acknowledged. */
struct scanned {
    struct journey_lane_row *lanes; /* pub_seq: what it becomes */
    size_t lane_count;
    struct told_messages told;
};

struct self {
    struct service_context context;
    struct tracker tracker;
    struct arena arena; /* policy */
    struct erased erased;
    int64_t forgotten; /* erasures up to this version are out of the cache */
    struct arena scan_arena;
    struct scanned scanned;
    int diffs_topic, told_topics[TOLD_COUNT];
    struct lanes lanes; /* of the assigned partitions */
    struct metric *cache_bytes, *items_unreadable;
};

static const struct setting settings[] = {
    {"topic.resolved", SETTING_TEXT, OUR_TOPIC_RESOLVED, 0, 0, NULL,
     "Input: touchpoints with their profile."},
    {"topic.identity.changes", SETTING_TEXT, OUR_TOPIC_IDENTITY_CHANGES, 0, 0, NULL,
     "Input: identifiers that moved."},
    {"topic.diffs", SETTING_TEXT, OUR_TOPIC_DIFFS, 0, 0, NULL,
     "Output: numbered diffs of the figures."},
    {"topic.stages", SETTING_TEXT, OUR_TOPIC_STAGES, 0, 0, NULL, "Output: changes of stage."},
    {"topic.opportunities", SETTING_TEXT, OUR_TOPIC_OPPORTUNITIES, 0, 0, NULL,
     "Output: opportunities and what became of them."},
    {"cache.bytes", SETTING_BYTES, "512MB", 1 << 20, INT64_C(1) << 40, NULL,
     "Memory for cached states and anchors."},
    {0},
};

static const char *const topic_settings[] = {"topic.resolved", "topic.identity.changes", NULL};

static void open_metrics(struct self *self)
{
    struct tracker *t = &self->tracker;
    t->fast =
        metric_counter("journey_touches_fast_total", "", "Touchpoints applied by the fast path.");
    t->slow =
        metric_counter("journey_touches_slow_total", "", "Touchpoints that took the slow path.");
    t->fallbacks = metric_counter("journey_fast_fallbacks_total", "",
                                  "Fast transactions given up because another instance was first.");
    t->rederived = metric_counter("journey_profiles_rederived_total", "",
                                  "Profiles of which a range was derived again.");
    t->traits_left_out = metric_counter("journey_traits_left_out_total", "",
                                        "Members of traits_json that could not be kept.");
    t->traits_unfit = metric_counter("journey_traits_unfit_total", "",
                                     "Declared traits that were said as another type.");
    self->items_unreadable = metric_counter("journey_items_unreadable_total", "",
                                            "Orders whose items_json is no JSON list.");
    self->cache_bytes = metric_gauge("journey_cache_bytes", "", "Memory held by the cache.");
}

static enum outcome journey_check(const struct config *config, struct err *err)
{
    struct arena arena = {0};
    struct journey_policy policy = {0};
    struct policy_source source = policy_source_of(config);
    enum outcome outcome =
        source.is_database ? OUTCOME_OK : journey_policy_load(&arena, &source, &policy, err);
    arena_free(&arena);
    return outcome;
}

/* Shapes that were found under other policies get their meaning. */
static enum outcome complete_shapes(struct tracker *t, struct arena *arena, struct err *err)
{
    CHECK(db_begin(t->db, err));
    CHECK(generation_still_active(t->db, arena, &t->generation, NULL, err));
    CHECK(shapes_write_missing(t->shapes, arena, err));
    return db_commit(t->db, err);
}

static enum outcome journey_open(struct service_context *context, void *arg, struct err *err)
{
    struct self *self = arg;
    const struct config *config = context->config;
    struct tracker *t = &self->tracker;
    self->context = *context;
    t->db = context->db;
    journey_cache_open(&t->cache, (size_t)config_int(config, "cache.bytes"));
    open_metrics(self);
    CHECK(policy_source_fetch(context->db, context->policies, err));
    CHECK(journey_policy_load(&self->arena, context->policies, &t->policy, err));
    CHECK(generation_open(context->db, context->policies, &t->generation, err));
    CHECK(generation_use_slot(context->db, t->generation.slot, err));
    CHECK(tracker_load_zones(t, &self->arena, err));
    CHECK(erased_open(context->db, &self->erased, err));
    t->erased = &self->erased;
    t->timeline = timeline_new(&journey_timeline);
    CHECK(shapes_open(context->db, &t->policy, &t->shapes, err));
    CHECK(complete_shapes(t, &self->scan_arena, err));
    CHECK(producer_topic(context->producer, config_text(config, "topic.diffs"), &self->diffs_topic,
                         &t->diff_partitions, err));
    CHECK(producer_topic(context->producer, config_text(config, "topic.stages"),
                         &self->told_topics[TOLD_STAGES], NULL, err));
    return producer_topic(context->producer, config_text(config, "topic.opportunities"),
                          &self->told_topics[TOLD_OPPORTUNITIES], NULL, err);
}

static void journey_close(void *arg)
{
    struct self *self = arg;
    journey_cache_close(&self->tracker.cache);
    arena_free(&self->tracker.scratch);
    timeline_free(self->tracker.timeline);
    shapes_close(self->tracker.shapes);
    erased_close(&self->erased);
    arena_free(&self->arena);
    arena_free(&self->scan_arena);
    lanes_free(&self->lanes);
}

static void journey_assigned(void *arg, const int *topics, const int32_t *partitions, size_t count)
{
    struct self *self = arg;
    lanes_assign(&self->lanes, topics, partitions, count);
}

static struct journey_flush *flush_of(struct batch *batch)
{
    if (batch->events == NULL) {
        struct journey_flush *flush = batch->events = arena_new(batch->arena, struct journey_flush);
        flush->arena = batch->arena;
        flush->lane = INT32_MAX;
    }
    return batch->events;
}

static enum outcome decode_change(struct self *self, struct batch *batch,
                                  const struct record *record, struct err *err)
{
    struct identity_change change;
    CHECK(identity_change_decode(batch->arena, record->value, &change, err));
    struct journey_flush *flush = flush_of(batch);
    for (uint32_t i = 0; i < change.move_count; i++) {
        const struct identity_move *move = &change.moves[i];
        if (!erased_covers_move(&self->erased, &change, move))
            *arena_push(batch->arena, &flush->moves) = (struct anchor_move){
                move->identifier_id, move->profile_id, identity_move_version(&change, move)};
    }
    return OUTCOME_OK;
}

static int64_t absent_unless(bool present, int64_t value)
{
    return present ? value : INT64_MIN;
}

/* An empty text counts as absent. */
static struct span present(struct span text)
{
    return text.len ? text : SPAN_NONE;
}

/* Lines of lists that are only shown would take much room. */
static bool has_order(const struct touchpoint *tp)
{
    return tp->order_id.len > 0 || tp->value_micros != LONG_ABSENT;
}

static int16_t zone_of(const struct zone_set *zones, struct span name)
{
    if (name.len == 0)
        return INT16_MIN;
    const struct zone_name *zone = zone_set_find(zones, name);
    return zone ? zone->code : ZONE_UNKNOWN;
}

static struct journey_fact fact_of(struct arena *arena, const struct zone_set *zones,
                                   const struct resolved_header *head, const struct touchpoint *tp)
{
    return (struct journey_fact){
        .key = {id_short(&head->anchor_id), {tp->occurred_at}, head->event_id},
        .received_at = {absent_unless(tp->received_at != LONG_ABSENT, tp->received_at)},
        .value_micros = tp->value_micros,
        .margin_micros = tp->margin_micros,
        .cost_micros = tp->cost_micros,
        .score = tp->score == LONG_ABSENT ? INT16_MIN : (int16_t)tp->score,
        .zone = zone_of(zones, tp->timezone),
        .message_id = tp->message_id,
        .order_id = present(tp->order_id),
        .content_id = present(tp->content_id),
        .product_id = present(tp->product_id),
        .location_id = present(tp->location_id),
        .agent_id = present(tp->agent_id),
        .decision_id = present(tp->decision_id),
        .case_id = present(tp->case_id),
        .opportunity_id = present(tp->opportunity_id),
        .others = resolved_other_keys(arena, head),
    };
}

static void read_lines(struct self *self, struct arena *arena, struct span items_json,
                       struct journey_fact *fact)
{
    struct items items = items_json_read(arena, items_json);
    fact->lines = items.lines;
    fact->line_amounts = items.amounts;
    metric_add(self->items_unreadable, items.is_unreadable);
}

static enum outcome decode_touchpoint(struct self *self, struct batch *batch,
                                      const struct record *record, struct err *err)
{
    struct resolved_header head;
    struct framed framed;
    struct touchpoint tp;
    CHECK(resolved_decode(self->context.schemas, batch->arena, record->value, &head, &framed, err));
    if (id_is_nil(&head.anchor_id) && head.other_count > 0) /* only the others are bound */
        return OUTCOME_OK;
    CHECK(touchpoint_decode(framed.plan, framed.payload, &tp, err));
    tp.currency = currency_of(tp.currency, batch->arena);
    if (erased_covers_resolved(&self->erased, &head, batch->arena,
                               (struct instant){tp.occurred_at}))
        return OUTCOME_OK;
    struct journey_flush *flush = flush_of(batch);
    struct arrival *arrival = arena_push(batch->arena, &flush->arrivals);
    *arrival = (struct arrival){
        .anchor_id = head.anchor_id,
        .profile_id = head.profile_id,
        .version = head.map_version,
        .shape = shapes_ref(self->tracker.shapes, batch->arena, &tp),
        .fact = fact_of(batch->arena, &self->tracker.zones, &head, &tp),
    };
    if (has_order(&tp))
        read_lines(self, batch->arena, tp.items_json, &arrival->fact);
    if (tp.traits_json.len > 0 && !id_is_nil(&head.anchor_id))
        arrival->fact.traits = traits_said(&self->tracker, batch->arena, tp.traits_json);
    return OUTCOME_OK;
}

static enum outcome journey_decode(void *arg, struct batch *batch, const struct record *record,
                                   struct err *err)
{
    struct self *self = arg;
    if (batch->events == NULL)
        shapes_forget_batch(self->tracker.shapes);
    struct journey_flush *flush = flush_of(batch);
    int32_t lane = lane_of(record->topic, record->partition);
    if (lane < flush->lane)
        flush->lane = lane;
    return record->topic == TOPIC_CHANGES ? decode_change(arg, batch, record, err)
                                          : decode_touchpoint(self, batch, record, err);
}

static enum outcome journey_apply(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct journey_flush *flush = batch->events;
    if (flush == NULL)
        return OUTCOME_OK;
    CHECK(shapes_settle(self->tracker.shapes, batch->arena, &self->tracker.generation, err));
    for (size_t i = 0; i < flush->arrivals.count; i++)
        flush->arrivals.items[i].fact.shape = (int32_t)flush->arrivals.items[i].shape->shape->code;
    if (flush->arrivals.count > 0 || flush->moves.count > 0)
        CHECK(tracker_flush(&self->tracker, flush, err));
    metric_set(self->cache_bytes, (double)journey_cache_bytes(&self->tracker.cache));
    return OUTCOME_OK;
}

/* A person who comes back after an erasure has rows of the same keys, perhaps with the same `ver`.
 * So the cache forgets the old rows. */
static void journey_dropped(void *arg)
{
    struct self *self = arg;
    const struct id *id;
    for (size_t i = 0; self->forgotten < self->erased.version &&
                       (id = erased_next(&self->erased, &i, self->forgotten));) {
        journey_cache_drop_anchor(&self->tracker.cache, id_short(id));
        journey_cache_drop_state(&self->tracker.cache, id_short(id));
    }
    self->forgotten = self->erased.version;
}

static enum outcome send_diffs(struct self *self, const struct journey_lane_row *lane,
                               const struct diff_row *rows, size_t count, struct err *err)
{
    char key[16];
    int n = snprintf(key, sizeof key, "%d", lane->lane);
    for (size_t i = 0; i < count; i++)
        CHECK(producer_send(self->context.producer, self->diffs_topic, lane->out_partition,
                            (struct span){key, (size_t)n}, rows[i].payload, NULL, 0, err));
    return OUTCOME_OK;
}

static enum outcome send_told(struct self *self, const struct told_messages *told, struct err *err)
{
    for (size_t i = 0; i < told->count; i++) {
        const struct told_message *message = &told->items[i];
        char key[37];
        id_to_uuid(&message->profile_id, key);
        CHECK(producer_send(self->context.producer, self->told_topics[message->topic], -1,
                            (struct span){key, 36}, message->payload, NULL, 0, err));
    }
    return OUTCOME_OK;
}

/* Whether the flush's numbers follow on pub_seq. They do not if another instance took numbers of
 * the lane before this flush or between its two transactions. */
static bool follows(const struct diff_rows *diffs, int64_t pub_seq)
{
    return diffs->items[0].seq == pub_seq + 1 &&
           diffs->items[diffs->count - 1].seq == pub_seq + (int64_t)diffs->count;
}

/* Only the row after pub_seq may be sent next. If this flush's numbers do not follow on it, the
 * missing ones are in the outbox. */
static enum outcome journey_publish(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct journey_flush *flush = batch->events;
    if (flush == NULL)
        return OUTCOME_OK;
    if (flush->diffs.count > 0 && !follows(&flush->diffs, flush->lane_row.pub_seq)) {
        flush->diffs.count = 0;
        CHECK(journey_store_find_diffs(self->context.db, batch->arena, flush->lane,
                                       flush->lane_row.pub_seq, &flush->diffs.items,
                                       &flush->diffs.count, err));
    }
    CHECK(send_diffs(self, &flush->lane_row, flush->diffs.items, flush->diffs.count, err));
    return send_told(self, &flush->told, err);
}

static enum outcome journey_finished(void *arg, struct batch *batch, struct err *err)
{
    struct self *self = arg;
    struct journey_flush *flush = batch->events;
    if (flush == NULL)
        return OUTCOME_OK;
    if (flush->diffs.count > 0)
        CHECK(journey_store_mark_published(self->context.db, batch->arena, flush->lane,
                                           flush->diffs.items[flush->diffs.count - 1].seq, err));
    return journey_store_delete_messages(self->context.db, batch->arena, &flush->told, err);
}

static enum outcome scan_lane(struct self *self, struct arena *arena, struct journey_lane_row *lane,
                              struct err *err)
{
    struct diff_row *rows;
    size_t count;
    CHECK(journey_store_find_diffs(self->context.db, arena, lane->lane, lane->pub_seq, &rows,
                                   &count, err));
    CHECK(send_diffs(self, lane, rows, count, err));
    if (count > 0)
        lane->pub_seq = rows[count - 1].seq;
    return OUTCOME_OK;
}

static enum outcome journey_scan(void *arg, struct arena *arena, struct err *err)
{
    struct self *self = arg;
    struct scanned *scanned = &self->scanned;
    arena_reset(&self->scan_arena);
    *scanned = (struct scanned){0};
    if (self->lanes.count == 0)
        return OUTCOME_OK;
    CHECK(journey_store_delete_applied(self->context.db, arena, self->lanes.items,
                                       self->lanes.count, err));
    CHECK(journey_store_find_lanes(self->context.db, &self->scan_arena, self->lanes.items,
                                   self->lanes.count, &scanned->lanes, &scanned->lane_count, err));
    for (size_t i = 0; i < scanned->lane_count; i++)
        CHECK(scan_lane(self, arena, &scanned->lanes[i], err));
    CHECK(journey_store_find_messages(self->context.db, &self->scan_arena, self->lanes.items,
                                      self->lanes.count, &scanned->told, err));
    return send_told(self, &scanned->told, err);
}

static enum outcome journey_scanned(void *arg, struct err *err)
{
    struct self *self = arg;
    struct scanned *scanned = &self->scanned;
    for (size_t i = 0; i < scanned->lane_count; i++)
        CHECK(journey_store_mark_published(self->context.db, &self->scan_arena,
                                           scanned->lanes[i].lane, scanned->lanes[i].pub_seq, err));
    CHECK(journey_store_delete_messages(self->context.db, &self->scan_arena, &scanned->told, err));
    *scanned = (struct scanned){0};
    return OUTCOME_OK;
}

const struct service journey_service = {
    .name = "journey-tracker",
    .settings = settings,
    .topic_settings = topic_settings,
    .reads_touchpoints = true,
    .check = journey_check,
    .self_size = sizeof(struct self),
    .open = journey_open,
    .close = journey_close,
    .assigned = journey_assigned,
    .decode = journey_decode,
    .apply = journey_apply,
    .publish = journey_publish,
    .finished = journey_finished,
    .dropped = journey_dropped,
    .scan = journey_scan,
    .scanned = journey_scanned,
};
