/* preferences_json.c: see preferences_json.h. */
#include "common/codec/preferences_json.h"

#include "common/base/pack.h"
#include "common/codec/json.h"
#include "common/words/words.h"

enum { MOST_CHANNELS = 32, MOST_CONTACTS = 1000, ZONE_MAX = 64 };

static const struct duration shortest = {US_PER_DAY}, longest = {365 * US_PER_DAY};

static void put(struct strbuf *line, struct span field)
{
    strbuf_add(line, field.ptr, field.len);
    pack_byte(line, 0x1f);
}

/* ---- single values ---- */

/* The text must hold what separates fields nowhere. */
static bool put_text(const struct json *value, size_t most, struct strbuf *line)
{
    struct span text = SPAN_NONE;
    if (json_as_text(value, &text, NULL) != OUTCOME_OK || text.len == 0 || text.len > most)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ')
            return false;
    put(line, text);
    return true;
}

static bool is_digits(struct span text, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static int number_of(const char *digits)
{
    return (digits[0] - '0') * 10 + digits[1] - '0';
}

static bool put_hour(const struct json *value, struct strbuf *line)
{
    struct span text = SPAN_NONE;
    if (value == NULL || json_as_text(value, &text, NULL) != OUTCOME_OK || text.len != 5 ||
        text.ptr[2] != ':' || !is_digits(text, 0, 2) || !is_digits(text, 3, 2) ||
        number_of(text.ptr) > 23 || number_of(text.ptr + 3) > 59)
        return false;
    put(line, text);
    return true;
}

/* A date is kept as one: where it begins depends on the customer's zones. */
static bool put_until(const struct json *value, struct strbuf *line)
{
    struct span text = SPAN_NONE;
    struct instant at;
    char time[32];
    if (value == NULL || json_as_text(value, &text, NULL) != OUTCOME_OK)
        return false;
    if (text.len == 10) {
        put(line, text);
        return instant_parse(
            span_of(arena_printf(line->arena, SPAN_FMT "T00:00:00Z", SPAN_ARG(text))), &at);
    }
    if (!instant_parse(text, &at))
        return false;
    instant_format(at, time);
    put(line, span_of(time));
    return true;
}

static bool put_count(const struct json *value, struct arena *arena, struct strbuf *line)
{
    int64_t count = 0;
    if (value == NULL || json_as_int(value, 0, MOST_CONTACTS, &count, NULL) != OUTCOME_OK)
        return false;
    put(line, span_of(arena_printf(arena, "%lld", (long long)count)));
    return true;
}

static bool put_per(const struct json *value, struct strbuf *line)
{
    struct span text = SPAN_NONE;
    struct duration per;
    if (value == NULL || json_as_text(value, &text, NULL) != OUTCOME_OK ||
        !duration_parse(text, &per) || per.us < shortest.us || per.us > longest.us)
        return false;
    put(line, text);
    return true;
}

/* Absent: no field, which means all. An empty list can hardly mean that. */
static bool put_channels(const struct json *list, struct strbuf *line)
{
    if (list == NULL)
        return true;
    if (json_shape(list) != SHAPE_LIST || json_count(list) == 0 || json_count(list) > MOST_CHANNELS)
        return false;
    for (size_t i = 0; i < json_count(list); i++)
        if (!put_text(json_at(list, i), WORD_MAX, line))
            return false;
    return true;
}

/* ---- keys ---- */

static bool put_zone(struct arena *arena, const struct json *value, struct strbuf *line)
{
    return put_text(value, ZONE_MAX, line);
}

static bool put_hours(struct arena *arena, const struct json *value, struct strbuf *line)
{
    return json_check_keys(value, "from to", "", NULL) == OUTCOME_OK &&
           put_hour(json_get(value, "from"), line) && put_hour(json_get(value, "to"), line);
}

static bool put_limit(struct arena *arena, const struct json *value, struct strbuf *line)
{
    return json_check_keys(value, "count per", "channels", NULL) == OUTCOME_OK &&
           put_count(json_get(value, "count"), arena, line) &&
           put_per(json_get(value, "per"), line) && put_channels(json_get(value, "channels"), line);
}

static bool put_preferred(struct arena *arena, const struct json *value, struct strbuf *line)
{
    return put_channels(value, line);
}

static bool put_pause(struct arena *arena, const struct json *value, struct strbuf *line)
{
    return json_check_keys(value, "until", "channels", NULL) == OUTCOME_OK &&
           put_until(json_get(value, "until"), line) &&
           put_channels(json_get(value, "channels"), line);
}

static const struct {
    const char *name;
    bool (*put)(struct arena *arena, const struct json *value, struct strbuf *line);
} keys[] = {
    {"time_zone", put_zone},     {"hours", put_hours}, {"limit", put_limit},
    {"channels", put_preferred}, {"pause", put_pause},
};

static bool put_key(struct arena *arena, size_t key, const struct json *value, struct strbuf *out)
{
    struct strbuf line = {.arena = arena};
    put(&line, span_of(keys[key].name));
    if (json_shape(value) != SHAPE_NULL && !keys[key].put(arena, value, &line))
        return false;
    strbuf_add(out, line.ptr, line.len);
    pack_byte(out, '\n');
    return true;
}

static const struct json *member(const struct json *object, const char *key)
{
    for (size_t i = 0; i < json_count(object); i++)
        if (span_is(json_key(json_at(object, i)), key))
            return json_at(object, i);
    return NULL;
}

struct span preferences_json_kept(struct arena *arena, struct span preferences_json,
                                  size_t *unreadable)
{
    const struct json *root;
    struct strbuf out = {.arena = arena};
    size_t kept = 0;
    if (preferences_json.len == 0)
        return SPAN_NONE;
    if (json_parse_span(arena, preferences_json, "preferences_json", &root, NULL) != OUTCOME_OK ||
        json_shape(root) != SHAPE_OBJECT) {
        ++*unreadable;
        return SPAN_NONE;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct json *value = member(root, keys[i].name);
        kept += value && put_key(arena, i, value, &out);
    }
    *unreadable += json_count(root) - kept;
    return out.len ? strbuf_span(&out) : SPAN_NONE;
}
