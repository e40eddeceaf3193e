/* referrers.c: the form is told by the first entry; every other entry must have it, too. */
#include "operations/policies/referrers.h"

#include "common/codec/json_write.h"
#include "common/codec/unicode.h"
#include "services/journey-tracker/logic/referrers.h"

#define FORMS                                                                                      \
    "expected the form of Snowplow, {\"search\": {\"Name\": {\"domains\": [\"host\"]}}}, or of "   \
    "Ghost, {\"host\": {\"source\": \"Name\", \"medium\": \"search\"}}"

struct conversion {
    struct arena *arena;
    struct map hosts;
    struct strbuf *out;
    struct referrer_counts *counts;
};

/* The channel of a medium; a medium that is no channel of visitors is `other`. */
static struct span channel_of(struct span medium)
{
    static const struct {
        const char *medium, *channel;
    } channels[] = {{"search", "search"}, {"social", "social"},     {"email", "email"},
                    {"paid", "ads"},      {"chatbot", "assistant"}, {"ai", "assistant"}};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        if (span_is(medium, channels[i].medium))
            return span_of(channels[i].channel);
    return SPAN("other");
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
}

/* "Yahoo! Mail" becomes yahoo_mail; a name without letters is the host. */
static struct span network_of(struct arena *arena, struct span name, struct span host)
{
    char *word = arena_alloc(arena, name.len + 1);
    size_t n = 0;
    bool has_gap = false;
    for (size_t i = 0; i < name.len; i++) {
        char c =
            name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i];
        if (is_word_byte(c)) {
            if (has_gap && n > 0)
                word[n++] = '_';
            word[n++] = c;
        }
        has_gap = !is_word_byte(c);
    }
    return n > 0 ? (struct span){word, n} : host;
}

static void write_referrer(struct strbuf *out, struct span host, const struct referrer *referrer,
                           bool is_first)
{
    strbuf_addf(out, "%s  ", is_first ? "{\n" : ",\n");
    json_add_text(out, host);
    strbuf_addf(out, ": [");
    json_add_text(out, referrer->channel);
    strbuf_addf(out, ", ");
    json_add_text(out, referrer->network);
    strbuf_addf(out, "]");
}

static enum outcome convert_host(struct conversion *c, const struct json *value, struct span text,
                                 struct span name, struct span medium, struct err *err)
{
    struct span host = unicode_host(c->arena, text);
    struct referrer referrer = {channel_of(medium), network_of(c->arena, name, host)};
    if (!referrers_is_host(host)) {
        c->counts->left_out++;
        return OUTCOME_OK;
    }
    if (!referrers_add(&c->hosts, host, &referrer)) {
        c->counts->doublings++;
        return OUTCOME_OK;
    }
    if (c->counts->hosts == REFERRERS_MAX)
        return json_fail(value, err, "more than %d hosts", REFERRERS_MAX);
    write_referrer(c->out, host, &referrer, c->counts->hosts++ == 0);
    return OUTCOME_OK;
}

/* ---- Ghost ---- */
static enum outcome convert_entry(struct conversion *c, const struct json *entry, struct err *err)
{
    struct span source = SPAN_NONE, medium = SPAN_NONE;
    if (json_get(entry, "source") == NULL || json_get(entry, "medium") == NULL)
        return json_fail(entry, err, "expected `source` and `medium`");
    CHECK(json_text(entry, "source", &source, err));
    CHECK(json_text(entry, "medium", &medium, err));
    return convert_host(c, entry, json_key(entry), source, medium, err);
}

/* ---- Snowplow ---- */
static enum outcome convert_name(struct conversion *c, const struct json *name, struct span medium,
                                 struct err *err)
{
    const struct json *domains = NULL;
    CHECK(json_list(name, "domains", &domains, err));
    if (domains == NULL)
        return json_fail(name, err, "expected `domains`");
    for (size_t i = 0; i < json_count(domains); i++) {
        struct span host = SPAN_NONE;
        CHECK(json_as_text(json_at(domains, i), &host, err));
        CHECK(convert_host(c, json_at(domains, i), host, json_key(name), medium, err));
    }
    return OUTCOME_OK;
}

static enum outcome convert_medium(struct conversion *c, const struct json *medium, struct err *err)
{
    if (json_shape(medium) != SHAPE_OBJECT)
        return json_fail(medium, err, "expected an object of names with `domains`");
    for (size_t i = 0; i < json_count(medium); i++)
        CHECK(convert_name(c, json_at(medium, i), json_key(medium), err));
    return OUTCOME_OK;
}

enum outcome referrers_convert(struct arena *arena, const struct json *list, struct strbuf *out,
                               struct referrer_counts *counts, struct err *err)
{
    struct conversion c = {.arena = arena, .out = out, .counts = counts};
    const struct json *first = json_shape(list) == SHAPE_OBJECT ? json_at(list, 0) : NULL;
    bool is_ghost = json_get(first, "source") != NULL && json_get(first, "medium") != NULL;
    if (!is_ghost && json_get(json_at(first, 0), "domains") == NULL)
        return json_fail(list, err, FORMS);
    *counts = (struct referrer_counts){0};
    referrers_init(&c.hosts, arena);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(is_ghost ? convert_entry(&c, json_at(list, i), err)
                       : convert_medium(&c, json_at(list, i), err));
    strbuf_addf(out, counts->hosts ? "\n}\n" : "{}\n");
    return OUTCOME_OK;
}
