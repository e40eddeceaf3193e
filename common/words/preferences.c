/* preferences.c: see preferences.h. */
#include "common/words/preferences.h"

bool preference_next(struct span *rest, struct preference *out)
{
    if (rest->len == 0)
        return false;
    out->rest = span_take(rest, '\n');
    return preference_field(out, &out->key);
}

bool preference_find(struct span preferences, struct span key, struct preference *out)
{
    while (preference_next(&preferences, out))
        if (span_equal(out->key, key))
            return true;
    return false;
}

bool preference_field(struct preference *preference, struct span *out)
{
    if (preference->rest.len == 0)
        return false;
    *out = span_take(&preference->rest, 0x1f);
    return true;
}

bool preferences_pause(struct span preferences)
{
    struct preference pause;
    return preference_find(preferences, SPAN("pause"), &pause) && pause.rest.len > 0;
}
