/* journey_telling.c: a change of stage is a message of its own, and is taken back by another one.
 * Of an opportunity every message says all: after the rows are written, its steps are read again.
 */
#include "services/journey-tracker/journey_telling.h"

#include <stdlib.h>

#include "common/codec/messages.h"

struct telling {
    struct tracker *tracker;
    struct journey_flush *flush;
    const struct map *profile_of; /* anchor -> struct id */
    int64_t version;
};

static struct id profile_of(const struct telling *t, int64_t anchor)
{
    const struct id *id = map_find(t->profile_of, &anchor);
    return id ? *id : (struct id){{0}};
}

static void tell(const struct telling *t, enum told_topic topic, const struct id *profile_id,
                 struct span payload)
{
    *arena_push(t->flush->arena, &t->flush->told) =
        (struct told_message){t->version, (uint8_t)topic, *profile_id, payload};
}

/* ---- changes of stage ---- */
struct word {
    const struct stage_row *row;
    bool is_retraction;
};

struct words {
    struct word *items;
    size_t count, capacity;
};

/* The id under which a change is told. One message may be in the journeys of two people, under an
 * identifier of each: then it is told, and taken back, for each by itself. */
static struct id told_id(const struct stage_row *row)
{
    struct id id = row->id;
    for (int i = 0; i < 8; i++)
        id.bytes[i] ^= (uint8_t)((uint64_t)row->touch.anchor >> (56 - 8 * i));
    return id;
}

struct span stage_change_text(struct arena *arena, const struct stage_row *row,
                              const struct id *profile_id, int64_t version, bool is_taken_back)
{
    struct stage_change_message message = {
        .id = told_id(row),
        .touchpoint_id = row->touch.event_id,
        .stage = span_of(stage_word(row->to_stage)),
        .from_stage = span_of(stage_word(row->from_stage)),
        .reason =
            span_of(reason_word(row->reason == REASON_RULE ? CHANGED_BY_RULE : CHANGED_BY_EXIT)),
        .effective_at = row->changed_at.us,
        .version = version,
        .profile_id = *profile_id,
    };
    if (is_taken_back) {
        message.retracts = message.id;
        message.id.bytes[0] ^= 0x80;
    }
    struct strbuf payload = {.arena = arena};
    stage_change_encode(&payload, &message);
    return strbuf_span(&payload);
}

static void add_stage(const struct telling *t, const struct word *word)
{
    struct id profile_id = profile_of(t, word->row->touch.anchor);
    tell(t, TOLD_STAGES, &profile_id,
         stage_change_text(t->flush->arena, word->row, &profile_id, t->version,
                           word->is_retraction));
}

static bool is_worth_telling(const struct stage_row *row)
{
    return row->from_stage != row->to_stage && !row->is_told;
}

/* The messages to send: changes of stage that are new, and those that no longer hold. Changes of
 * status alone are not sent, nor is a row that only moved. */
static struct words stage_words(struct arena *arena, const struct journey_effects *effects)
{
    struct map written;
    struct words words = {0};
    map_init(&written, arena, sizeof(struct id), 1);
    for (size_t i = 0; i < effects->stages.count; i++)
        if (effects->stages.items[i].from_stage != effects->stages.items[i].to_stage) {
            struct id id = told_id(&effects->stages.items[i]);
            map_put(&written, &id, NULL);
        }
    for (size_t i = 0; i < effects->stages_removed.count; i++) {
        const struct stage_row *row = &effects->stages_removed.items[i];
        struct id id = told_id(row);
        if (row->from_stage != row->to_stage && !map_find(&written, &id))
            *arena_push(arena, &words) = (struct word){row, true};
    }
    for (size_t i = 0; i < effects->stages.count; i++)
        if (is_worth_telling(&effects->stages.items[i]))
            *arena_push(arena, &words) = (struct word){&effects->stages.items[i], false};
    return words;
}

/* ---- opportunities ---- */
static int opportunity_compare(const void *a, const void *b)
{
    return id_compare(&((const struct opportunity_row *)a)->id,
                      &((const struct opportunity_row *)b)->id);
}

static void add_rows(struct arena *arena, struct opportunity_rows *to,
                     const struct opportunity_rows *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (from->items[i].step != STEP_COVERED)
            *arena_push(arena, to) = from->items[i];
}

/* One row of each opportunity that changed, by id. That it covers another trigger is no change. */
static struct opportunity_rows changed_opportunities(struct arena *arena,
                                                     const struct journey_effects *effects)
{
    struct opportunity_rows rows = {0};
    size_t kept = 0;
    add_rows(arena, &rows, &effects->opportunities);
    add_rows(arena, &rows, &effects->opportunities_removed);
    if (rows.count > 1)
        qsort(rows.items, rows.count, sizeof *rows.items, opportunity_compare);
    for (size_t i = 0; i < rows.count; i++)
        if (kept == 0 || !id_equal(&rows.items[kept - 1].id, &rows.items[i].id))
            rows.items[kept++] = rows.items[i];
    rows.count = kept;
    return rows;
}

struct span opportunity_state_text(int step)
{
    static const char *const texts[] = {"retracted", "open",      "accepted",
                                        "won",       "cancelled", "declined"};
    return span_of(texts[step]);
}

static struct span priority_text(enum offer_priority priority)
{
    return priority == OFFER_LOW    ? SPAN("low")
           : priority == OFFER_HIGH ? SPAN("high")
                                    : SPAN("normal");
}

/* The fast path knows only the anchors of its facts, which are all of one profile. */
static struct id profile_of_row(const struct telling *t, const struct opportunity_row *row)
{
    const struct id *id = map_find(t->profile_of, &row->trigger.anchor);
    return id ? *id : profile_of(t, row->by.anchor);
}

/* step 0: it is taken back. */
static void add_opportunity(const struct telling *t, const struct opportunity_row *row, int step,
                            struct instant effective_at)
{
    const struct offer *offer = &t->tracker->policy.offers.items[row->offer];
    struct strbuf payload = {.arena = t->flush->arena};
    struct opportunity_change_message message = {
        .id = row->id,
        .profile_id = profile_of_row(t, row),
        .rule_id = offer->rule_id,
        .offer_id = offer->id,
        .product = offer->product,
        .owner = offer->owner,
        .priority = priority_text(offer->priority),
        .state = opportunity_state_text(step),
        .opened_at = row->trigger.at.us,
        .due_at = instant_plus(row->trigger.at, offer->after).us,
        .expires_at = instant_plus(row->trigger.at, offer->expires).us,
        .effective_at = effective_at.us,
        .version = t->version,
    };
    if (step == 0)
        message.retracts = message.id;
    opportunity_change_encode(&payload, &message);
    tell(t, TOLD_OPPORTUNITIES, &message.profile_id, strbuf_span(&payload));
}

/* Their newest steps as they stand now; without any it is taken back. */
static enum outcome add_opportunities(const struct telling *t, const struct opportunity_rows *rows,
                                      struct err *err)
{
    struct opportunity_steps steps;
    CHECK(journey_store_find_opportunities(t->tracker->db, t->flush->arena, rows, &steps, err));
    for (size_t i = 0, at = 0; i < rows->count; i++) {
        const struct opportunity_row *row = &rows->items[i];
        bool stands = at < steps.count && id_equal(&steps.items[at].id, &row->id);
        if (stands)
            add_opportunity(t, row, steps.items[at].step, steps.items[at].at);
        else
            add_opportunity(t, row, 0, row->trigger.at);
        at += stands;
    }
    return OUTCOME_OK;
}

/* Appended to the messages of the flush's earlier transaction: they may take some of those back. */
enum outcome telling_write(struct tracker *tracker, struct journey_flush *flush,
                           const struct journey_effects *effects, const struct map *profile_of,
                           struct err *err)
{
    struct telling t = {.tracker = tracker, .flush = flush, .profile_of = profile_of};
    struct words words = stage_words(flush->arena, effects);
    struct opportunity_rows opportunities = changed_opportunities(flush->arena, effects);
    size_t before = flush->told.count, count = words.count + opportunities.count;
    if (count == 0)
        return OUTCOME_OK;
    CHECK(journey_store_next_messages(tracker->db, flush->arena, &t.version, err));
    for (size_t i = 0; i < words.count; i++)
        add_stage(&t, &words.items[i]);
    if (opportunities.count > 0)
        CHECK(add_opportunities(&t, &opportunities, err));
    struct told_messages row = {flush->told.items + before, count, count};
    return journey_store_insert_messages(tracker->db, flush->arena, flush->lane, &row, err);
}
