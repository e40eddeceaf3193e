/* touchpoint_key.c: user_id first, then the identifiers by the rank of their type, then
 * anonymous_id. */
#include "common/codec/touchpoint_key.h"

#include <jansson.h>

struct span touchpoint_strongest_identifier(const struct touchpoint *t)
{
    static const char *const ranks[] = {"email", "phone", "loyalty_id", "external_id", "device_id"};
    if (t->user_id.ptr)
        return t->user_id;
    for (size_t rank = 0; rank < sizeof ranks / sizeof *ranks; rank++)
        for (uint32_t i = 0; i < t->identifier_count; i++)
            if (span_is(t->identifiers[i].type, ranks[rank]))
                return t->identifiers[i].value;
    if (t->anonymous_id.ptr)
        return t->anonymous_id;
    return t->identifier_count ? t->identifiers[0].value : t->session_id;
}

struct span touchpoint_json_text(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_string(value)
               ? (struct span){json_string_value(value), json_string_length(value)}
               : SPAN_NONE;
}

static int rank_of(const json_t *identifier)
{
    static const char *const ranks[] = {"user_id",     "email",     "phone",       "loyalty_id",
                                        "external_id", "device_id", "anonymous_id"};
    struct span type = touchpoint_json_text(identifier, "type");
    int rank = 0;
    while (rank < 7 && !span_is(type, ranks[rank]))
        rank++;
    return rank;
}

struct span touchpoint_json_strongest_identifier(const json_t *record)
{
    struct span best = touchpoint_json_text(record, "user_id");
    int best_rank = best.ptr ? 0 : 8;
    json_t *list = json_object_get(record, "identifiers"), *entry;
    size_t i;
    json_array_foreach(list, i, entry)
    {
        if (rank_of(entry) < best_rank && touchpoint_json_text(entry, "value").ptr) {
            best_rank = rank_of(entry);
            best = touchpoint_json_text(entry, "value");
        }
    }
    struct span anonymous = touchpoint_json_text(record, "anonymous_id");
    if (anonymous.ptr && best_rank > 6)
        best = anonymous;
    return best.ptr ? best : touchpoint_json_text(record, "session_id");
}
