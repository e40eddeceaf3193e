/* journey_responses.c: what a send is, and how long it may be answered. */
#include "services/journey-tracker/policy/journey_responses.h"

#include "services/journey-tracker/policy/journey_filter.h"

enum { HOUR = 3600, WITHIN_DAYS = 7, WITHIN_DAYS_MAX = 30 };

static struct touch_filter default_sends(struct arena *arena)
{
    struct touch_filter sends = {.direction = DIRECTION_OUTBOUND};
    *arena_push(arena, &sends.events) = SPAN("Contact Sent");
    *arena_push(arena, &sends.events) = SPAN("Campaign Sent");
    return sends;
}

static enum outcome read_within(const struct json *responses, struct duration *out, struct err *err)
{
    *out = (struct duration){WITHIN_DAYS * US_PER_DAY};
    CHECK(json_duration(responses, "within", out, err));
    if (out->us < HOUR * US_PER_SECOND || out->us > WITHIN_DAYS_MAX * US_PER_DAY)
        return json_fail(json_get(responses, "within"), err, "expected PT1H to P%dD",
                         WITHIN_DAYS_MAX);
    return OUTCOME_OK;
}

enum outcome journey_responses_read(struct arena *arena, const struct json *journey,
                                    struct response_rules *out, struct err *err)
{
    const struct json *responses = NULL, *sends = NULL;
    CHECK(json_section(journey, "responses", &responses, err));
    if (responses == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(responses, "", "sends within", err));
    CHECK(json_section(responses, "sends", &sends, err));
    CHECK(read_within(responses, &out->within, err));
    out->is_asked = true;
    out->sends = default_sends(arena);
    return sends ? journey_filter_read(arena, sends, &out->sends, err) : OUTCOME_OK;
}
