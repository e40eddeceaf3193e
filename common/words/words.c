/* words.c: the lists as texts, and what an event's name and direction mean. */
#include "common/words/words.h"

#define WORD_TEXT(name, text, ...) text,

const char *const channel_words[] = {WORDS_CHANNELS(WORD_TEXT) NULL};
static const struct {
    enum channel_word channel;
    const char *word;
} synonyms[] = {
#define WORD_SYNONYM(name, text) {name, text},
    WORDS_CHANNEL_SYNONYMS(WORD_SYNONYM)};
static const char *const alls[] = {WORDS_ALL_CHANNELS(WORD_TEXT) NULL};
static const char *const stages[] = {NULL, WORDS_STAGES(WORD_TEXT)};
static const char *const statuses[] = {NULL, WORDS_STATUSES(WORD_TEXT)};
static const char *const models[] = {NULL, WORDS_MODELS(WORD_TEXT)};
static const char *const measures[] = {WORDS_MEASURES(WORD_TEXT)};
static const char *const periods[] = {NULL, WORDS_PERIODS(WORD_TEXT)};
static const char *const reasons[] = {NULL, WORDS_REASONS(WORD_TEXT)};
static const char *const events[] = {WORDS_EVENTS(WORD_TEXT)};
static const char *const no_touches[] = {WORDS_NO_TOUCHES(WORD_TEXT) NULL};
static const char *const identity_types[] = {WORDS_IDENTITY_TYPES(WORD_TEXT) NULL};

enum { NO_TOUCH, TOUCH };
#define WORD_TOUCH(name, text, touch) touch,
static const char is_touch[] = {WORDS_EVENTS(WORD_TOUCH)};

const char *stage_word(enum journey_stage stage)
{
    return stages[stage];
}

const char *status_word(enum journey_status status)
{
    return statuses[status];
}

const char *model_word(enum credit_model model)
{
    return models[model];
}

const char *measure_word(enum goal_measure measure)
{
    return measures[measure];
}

const char *period_word(enum period_kind kind)
{
    return periods[kind];
}

const char *reason_word(enum change_reason reason)
{
    return reasons[reason];
}

const char *event_word(enum event_word event)
{
    return events[event];
}

static char fold_byte(char c)
{
    bool is_gap = c == ' ' || c == '-' || (c >= '\t' && c <= '\r');
    return (char)(is_gap ? '_' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

#define NOTHING '\0'
static const struct {
    int32_t first, last;
    char as;
} lookalikes[] = {
#define LOOKALIKE(first, last, as) {first, last, as},
    WORDS_LOOKALIKES(LOOKALIKE)};

enum { WIDE_FIRST = 0xFF01, WIDE_LAST = 0xFF5E, WIDE_TO_ASCII = 0xFEE0 };

/* The character of clean UTF-8 that begins at *p, which moves behind it; the lists above need no
 * more than three bytes. */
static int32_t next_point(const unsigned char **p)
{
    const unsigned char *c = *p;
    int more = *c < 0xC0 ? 0 : *c < 0xE0 ? 1 : *c < 0xF0 ? 2 : 3;
    int32_t point = more == 0 ? *c : *c & (0x3F >> more);
    *p += 1 + more;
    for (int i = 1; i <= more; i++)
        point = point << 6 | (c[i] & 0x3F);
    return point;
}

/* True if the character has one of ASCII in its place, or none: *as. */
static bool has_ascii(int32_t point, char *as)
{
    if (point >= WIDE_FIRST && point <= WIDE_LAST) {
        *as = (char)(point - WIDE_TO_ASCII);
        return true;
    }
    for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++)
        if (point >= lookalikes[i].first && point <= lookalikes[i].last) {
            *as = lookalikes[i].as;
            return true;
        }
    return false;
}

/* The text without look-alikes, in a buffer of its length. */
static struct span without_lookalikes(struct span text, char *buffer)
{
    const unsigned char *p = (const unsigned char *)text.ptr, *end = p + text.len;
    size_t len = 0;
    while (p < end) {
        const unsigned char *start = p;
        char as;
        if (!has_ascii(next_point(&p), &as)) {
            memcpy(buffer + len, start, (size_t)(p - start));
            len += (size_t)(p - start);
        } else if (as != NOTHING)
            buffer[len++] = as;
    }
    return (struct span){buffer, len};
}

static bool is_ascii(struct span text)
{
    unsigned char bits = 0;
    for (size_t i = 0; i < text.len; i++)
        bits |= (unsigned char)text.ptr[i];
    return bits < 0x80;
}

struct span word_fold(struct span word, char buffer[WORD_MAX])
{
    char narrow[4 * WORD_MAX];
    struct span trimmed = span_trim(word);
    if (!is_ascii(trimmed) && trimmed.len <= sizeof narrow && span_is_clean_utf8(trimmed))
        trimmed = span_trim(without_lookalikes(trimmed, narrow));
    if (trimmed.len > WORD_MAX)
        return SPAN_NONE;
    for (size_t i = 0; i < trimmed.len; i++)
        buffer[i] = fold_byte(trimmed.ptr[i]);
    return (struct span){buffer, trimmed.len};
}

const char *channel_named(struct span folded)
{
    for (const char *const *name = channel_words; *name; name++)
        if (span_is(folded, *name))
            return *name;
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (span_is(folded, synonyms[i].word))
            return channel_words[synonyms[i].channel];
    return NULL;
}

bool word_is_all(struct span folded)
{
    for (const char *const *word = alls; *word; word++)
        if (span_is(folded, *word))
            return true;
    return false;
}

struct span event_of(struct span event_name, struct span type)
{
    return event_name.len ? event_name : type;
}

bool event_is(struct span event, enum event_word word)
{
    return span_is(event, events[word]);
}

bool score_scale(struct span kind, int64_t *worst, int64_t *best)
{
    static const struct {
        const char *kind;
        int64_t worst, best;
    } scales[] = {
#define WORD_SCALE(name, text, worst, best) {text, worst, best},
        WORDS_SCORE_SCALES(WORD_SCALE)};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        if (span_is(kind, scales[i].kind)) {
            *worst = scales[i].worst;
            *best = scales[i].best;
            return true;
        }
    return false;
}

static bool is_never_a_touch(struct span event)
{
    for (int i = 0; i < EVENT_COUNT; i++)
        if (!is_touch[i] && span_is(event, events[i]))
            return true;
    return false;
}

static bool is_one_of(const char *const *words, struct span text)
{
    for (; *words; words++)
        if (span_is(text, *words))
            return true;
    return false;
}

bool is_no_touch_by_default(struct span event)
{
    return is_one_of(no_touches, event);
}

static bool starts_with(struct span text, struct span prefix)
{
    return text.len >= prefix.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0;
}

enum { CURRENCY_LETTERS = 3 };

struct span currency_of(struct span sent, struct arena *arena)
{
    struct span text = span_trim(sent);
    if (text.len != CURRENCY_LETTERS)
        return SPAN_NONE;
    char *code = arena_alloc(arena, CURRENCY_LETTERS);
    for (size_t i = 0; i < CURRENCY_LETTERS; i++) {
        char c = text.ptr[i];
        code[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (code[i] < 'A' || code[i] > 'Z')
            return SPAN_NONE;
    }
    return (struct span){code, CURRENCY_LETTERS};
}

struct span direction_as_sent(struct span direction)
{
    bool is_known = span_is(direction, "inbound") || span_is(direction, "outbound");
    return is_known ? direction : SPAN_NONE;
}

struct span direction_or_none(struct span direction)
{
    return span_is(direction, WORD_NO_DIRECTION) ? direction : direction_as_sent(direction);
}

enum direction direction_of(struct span direction, struct span type, struct span event)
{
    if (is_never_a_touch(event) || span_is(direction, WORD_NO_DIRECTION))
        return DIRECTION_NONE;
    if (span_is(direction, "inbound"))
        return DIRECTION_INBOUND;
    if (span_is(direction, "outbound"))
        return DIRECTION_OUTBOUND;
    if (is_one_of(identity_types, type))
        return DIRECTION_NONE;
    bool is_sent =
        event_is(event, EVENT_CAMPAIGN_SENT) || starts_with(event, SPAN(WORD_CONTACT_PREFIX));
    return is_sent ? DIRECTION_OUTBOUND : DIRECTION_INBOUND;
}

enum touch_rank touch_rank(enum direction direction, bool is_conversion, bool is_return)
{
    if (is_return)
        return RANK_RETURN;
    if (is_conversion)
        return RANK_CONVERSION;
    return direction == DIRECTION_INBOUND    ? RANK_INBOUND
           : direction == DIRECTION_OUTBOUND ? RANK_OUTBOUND
                                             : RANK_NO_TOUCH;
}
