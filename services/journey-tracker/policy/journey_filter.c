/* journey_filter.c: one key of a filter after the other, with its limits. */
#include "services/journey-tracker/policy/journey_filter.h"

enum { SCORE_LEAST = -100, SCORE_MOST = 100 };

enum outcome journey_texts_read(struct arena *arena, const struct json *object, const char *key,
                                struct span_list *out, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, key, &list, err));
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(json_as_text(json_at(list, i), arena_push(arena, out), err));
    return OUTCOME_OK;
}

/* A list that is given has 1 to FILTER_TEXTS_MAX texts, none of them empty. */
static enum outcome read_list(struct arena *arena, const struct json *object, const char *key,
                              struct span_list *out, struct err *err)
{
    const struct json *list = json_get(object, key);
    if (list == NULL)
        return OUTCOME_OK;
    CHECK(journey_texts_read(arena, object, key, out, err));
    if (out->count == 0 || out->count > FILTER_TEXTS_MAX)
        return json_fail(list, err, "expected 1 to %d texts", FILTER_TEXTS_MAX);
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].len == 0)
            return json_fail(json_at(list, i), err, "an empty text matches nothing");
    return OUTCOME_OK;
}

static enum outcome read_lists(struct arena *arena, const struct json *object,
                               struct touch_filter *out, struct err *err)
{
    CHECK(read_list(arena, object, "events", &out->events, err));
    CHECK(read_list(arena, object, "channels", &out->channels, err));
    CHECK(read_list(arena, object, "networks", &out->networks, err));
    CHECK(read_list(arena, object, "departments", &out->departments, err));
    CHECK(read_list(arena, object, "purposes", &out->purposes, err));
    CHECK(read_list(arena, object, "campaigns", &out->campaigns, err));
    return read_list(arena, object, "categories", &out->categories, err);
}

enum outcome journey_scores_read(const struct json *object, struct touch_filter *out,
                                 struct err *err)
{
    int64_t least = SCORE_LEAST, most = SCORE_MOST;
    CHECK(json_text(object, "score_kind", &out->score_kind, err));
    CHECK(json_int(object, "score_min", SCORE_LEAST, SCORE_MOST, &least, err));
    CHECK(json_int(object, "score_max", SCORE_LEAST, SCORE_MOST, &most, err));
    out->has_score = json_get(object, "score_min") || json_get(object, "score_max");
    if (least > most)
        return json_fail(object, err, "`score_min` is above `score_max`: no score is both");
    if (out->has_score) {
        out->score_min = (int16_t)least;
        out->score_max = (int16_t)most;
    }
    return OUTCOME_OK;
}

enum outcome journey_filter_read(struct arena *arena, const struct json *object,
                                 struct touch_filter *out, struct err *err)
{
    int direction = -1, value = -1;
    *out = (struct touch_filter){0};
    CHECK(json_check_keys(object, "",
                          "events channels networks departments purposes campaigns categories "
                          "direction value score_kind score_min score_max",
                          err));
    if (json_count(object) == 0)
        return json_fail(object, err, "a filter needs at least one condition");
    CHECK(read_lists(arena, object, out, err));
    CHECK(json_choice(object, "direction", WORD_CHOICES(WORDS_DIRECTIONS), &direction, err));
    CHECK(json_choice(object, "value", "positive", &value, err));
    out->direction = (enum direction)(direction + 1);
    out->positive = value == 0;
    return journey_scores_read(object, out, err);
}
