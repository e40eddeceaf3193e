/* resolver_signals.c: reads the triggers of the hold rules leniently: suppression checks the file,
 * here only names and scores count. */
#include "services/identity-resolver/policy/resolver_signals.h"

#include "common/codec/json.h"
#include "common/words/words.h"

struct reading {
    struct arena *arena;
    struct {
        struct span *items;
        size_t count, capacity;
    } events;
    int64_t score_max;
};

static enum outcome read_event(struct reading *reading, const struct json *entry, struct err *err)
{
    return json_as_text(entry, arena_push(reading->arena, &reading->events), err);
}

/* An entry is a name, or {"event", "score_max"}. With an event the score does not matter here; a
 * score alone holds for any event. */
static enum outcome read_trigger(struct reading *reading, const struct json *entry, struct err *err)
{
    int64_t score = INT64_MIN;
    if (json_shape(entry) == SHAPE_TEXT)
        return read_event(reading, entry, err);
    if (json_get(entry, "event"))
        return read_event(reading, json_get(entry, "event"), err);
    CHECK(json_int(entry, "score_max", -100, 100, &score, err));
    if (score > reading->score_max)
        reading->score_max = score;
    return OUTCOME_OK;
}

static enum outcome read_hold(struct reading *reading, const struct json *rule, struct err *err)
{
    const struct json *on = NULL, *release = NULL;
    CHECK(json_list(rule, "on", &on, err));
    CHECK(json_list(rule, "release", &release, err));
    for (size_t i = 0; i < json_count(on); i++)
        CHECK(read_trigger(reading, json_at(on, i), err));
    for (size_t i = 0; i < json_count(release); i++)
        CHECK(read_event(reading, json_at(release, i), err));
    return OUTCOME_OK;
}

enum outcome signals_read(struct arena *arena, const char *path, struct signals *out,
                          struct err *err)
{
    struct reading reading = {.arena = arena, .score_max = INT64_MIN};
    const struct json *root, *rules = NULL;
    CHECK(json_read_file(arena, path, &root, err));
    CHECK(json_list(root, "rules", &rules, err));
    for (size_t i = 0; i < json_count(rules); i++) {
        struct span kind = SPAN_NONE;
        CHECK(json_text(json_at(rules, i), "kind", &kind, err));
        if (span_is(kind, "hold"))
            CHECK(read_hold(&reading, json_at(rules, i), err));
    }
    *out = (struct signals){reading.events.items, reading.events.count, reading.score_max};
    return OUTCOME_OK;
}

static bool opts_out(const struct touchpoint *tp, struct span event)
{
    struct span cursor = tp->consent, channel;
    for (bool value; consent_next(&cursor, &channel, &value);)
        if (!value)
            return true;
    return tp->consent.ptr == NULL && event_is(event, EVENT_UNSUBSCRIBED);
}

bool signals_include(const struct signals *signals, const struct touchpoint *tp)
{
    struct span event = event_of(tp->event_name, tp->type);
    if (opts_out(tp, event) || (tp->score != LONG_ABSENT && tp->score <= signals->score_max))
        return true;
    for (size_t i = 0; i < signals->event_count; i++)
        if (span_equal(signals->events[i], event))
            return true;
    return false;
}
