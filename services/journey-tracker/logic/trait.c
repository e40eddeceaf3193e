/* trait.c: see trait.h. */
#include "services/journey-tracker/logic/trait.h"

#include "services/journey-tracker/logic/journey.h"

enum { DATE_LENGTH = 10, MILLIONTHS = 1000000 };

static bool digits(const char *at, size_t count, int *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        *out = *out * 10 + (at[i] - '0');
    }
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

bool trait_day(struct span text, int64_t *day)
{
    int year, month, of_month;
    if (text.len != DATE_LENGTH || text.ptr[4] != '-' || text.ptr[7] != '-' ||
        !digits(text.ptr, 4, &year) || !digits(text.ptr + 5, 2, &month) ||
        !digits(text.ptr + 8, 2, &of_month))
        return false;
    if (year < 1 || month < 1 || month > 12 || of_month < 1 || of_month > month_days(year, month))
        return false;
    *day = day_from_civil(year, month, of_month);
    return true;
}

static bool value_of(const struct journey_trait *trait, const struct said *said,
                     struct trait_value *out)
{
    *out = (struct trait_value){.is_nothing = said->kind == SAID_NOTHING, .text = said->text};
    if (out->is_nothing)
        return trait->rule == TRAIT_LATEST;
    switch ((enum trait_type)trait->type) {
    case TRAIT_TEXT:
        return said->kind == SAID_WORDS;
    case TRAIT_NUMBER:
        out->number = said->number;
        return said->kind == SAID_NUMBER;
    case TRAIT_BOOLEAN:
        out->number = said->kind == SAID_TRUE;
        return said->kind == SAID_TRUE || said->kind == SAID_FALSE;
    case TRAIT_DATE:
        return said->kind == SAID_WORDS && trait_day(said->text, &out->number);
    }
    return false;
}

bool trait_observe(const struct journey_trait *trait, struct span said, struct trait_value *out,
                   bool *is_unfit)
{
    struct unpack in = unpack_of(said);
    struct said member;
    while (said_next(&in, &member)) {
        if (!span_equal(member.name, trait->name))
            continue;
        bool is_fit = value_of(trait, &member, out);
        if (is_unfit)
            *is_unfit = !is_fit && member.kind != SAID_NOTHING;
        return is_fit;
    }
    return false;
}

uint8_t trait_source_rank(const struct journey_trait *trait, struct span source)
{
    uint8_t rank = 0;
    while (rank < trait->sources.count && !span_equal(trait->sources.items[rank], source))
        rank++;
    return rank;
}

bool trait_takes(const struct journey_trait *trait, uint8_t held_rank, int64_t held_number,
                 uint8_t rank, int64_t number)
{
    if (rank != held_rank)
        return rank < held_rank;
    switch ((enum trait_rule)trait->rule) {
    case TRAIT_LATEST:
        return true;
    case TRAIT_FIRST:
        return false;
    case TRAIT_MAX:
        return number > held_number;
    case TRAIT_MIN:
        return number < held_number;
    }
    return false;
}

/* Big-endian, so that bytes compare as the numbers do; inverted: the other way round. */
static uint8_t *put(uint8_t *at, uint64_t value, size_t size, bool inverted)
{
    for (size_t i = size; i > 0; i--)
        *at++ = (uint8_t)((inverted ? ~value : value) >> (8 * (i - 1)));
    return at;
}

static uint64_t biased(int64_t value)
{
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}

void trait_place(const struct journey_trait *trait, uint8_t source_rank,
                 const struct trait_value *value, const struct touch_key *key,
                 uint8_t out[TRAIT_PLACE_SIZE])
{
    bool by_value = trait->rule == TRAIT_MAX || trait->rule == TRAIT_MIN;
    bool first = trait->rule != TRAIT_LATEST;
    out = put(out, source_rank, 1, true);
    out = put(out, by_value ? biased(value->number) : 0, 8, trait->rule == TRAIT_MIN);
    out = put(out, biased(key->at.us), 8, first);
    out = put(out, key->rank, 1, first);
    for (size_t i = 0; i < sizeof key->event_id.bytes; i++)
        out = put(out, key->event_id.bytes[i], 1, first);
    put(out, biased(key->anchor), 8, first);
}

/* Without digits that say nothing. */
static struct span shown_number(struct arena *arena, int64_t number)
{
    uint64_t amount = number < 0 ? -(uint64_t)number : (uint64_t)number;
    char *text = arena_printf(arena, "%s%llu.%06llu", number < 0 ? "-" : "",
                              (unsigned long long)(amount / MILLIONTHS),
                              (unsigned long long)(amount % MILLIONTHS));
    struct span shown = span_of(text);
    while (shown.ptr[shown.len - 1] == '0')
        shown.len--;
    if (shown.ptr[shown.len - 1] == '.')
        shown.len--;
    return shown;
}

struct span trait_shown(const struct journey_trait *trait, const struct trait_value *value,
                        struct arena *arena)
{
    if (value->is_nothing)
        return SPAN_NONE;
    if (trait->type == TRAIT_NUMBER)
        return shown_number(arena, value->number);
    if (trait->type == TRAIT_BOOLEAN)
        return value->number ? SPAN("true") : SPAN("false");
    return value->text;
}
