/* tzif.c: the reader of RFC 9636 files; see tzif.h.
 *
 * A file has a block with 32-bit times, and from version 2 on a second one with 64-bit times that
 * replaces it, and a rule for the time after the last change as a POSIX TZ string. */
#include "common/base/tzif.h"

#include "common/base/pack.h"

enum {
    HEADER_SIZE = 44,
    MAX_CHANGES = 1 << 16,
    MAX_TYPES = 256,
    MAX_OFFSET = 26 * 3600,
    FIRST_RULED_YEAR = 1900, /* of a file that has a rule and no change */
};

/* Some files say "since ever" by a time before all calendars: year -3000. */
#define FIRST_SECOND INT64_C(-156000000000)

struct header {
    uint32_t version; /* 1 to 4 */
    uint32_t utc_flags, std_flags, leaps, times, types, chars;
};

struct change {
    int64_t at; /* seconds */
    int32_t offset;
};

struct changes {
    struct arena *arena;
    struct change *items;
    size_t count, capacity;
};

/* One end of summer time: the day of the year and the time on it. */
struct rule_day {
    char kind; /* 'M': weekday of a month, 'J': day 1 to 365 without 29 February, 'N': day 0 to 365
                */
    int32_t month, week, day;
    int32_t time; /* seconds from midnight; may be negative or beyond a day */
};

struct rule {
    int32_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct rule_day start, end;
};

static enum outcome invalid(struct err *err, const char *what)
{
    return err_set(err, OUTCOME_REJECT, "tzif_invalid", "%s", what);
}

/* ---- blocks ---- */

static enum outcome read_header(struct unpack *u, struct header *out, struct err *err)
{
    struct span magic = unpack_bytes(u, 4);
    uint8_t version = unpack_byte(u);
    unpack_bytes(u, 15);
    out->utc_flags = unpack_be32(u);
    out->std_flags = unpack_be32(u);
    out->leaps = unpack_be32(u);
    out->times = unpack_be32(u);
    out->types = unpack_be32(u);
    out->chars = unpack_be32(u);
    if (u->failed || !span_is(magic, "TZif"))
        return invalid(err, "no time zone file");
    if (version != 0 && (version < '2' || version > '4'))
        return invalid(err, "a version of time zone files that is not known");
    out->version = version == 0 ? 1 : (uint32_t)(version - '0');
    if (out->times > MAX_CHANGES || out->types == 0 || out->types > MAX_TYPES ||
        out->chars > MAX_CHANGES || out->leaps > MAX_CHANGES ||
        (out->utc_flags != 0 && out->utc_flags != out->types) ||
        (out->std_flags != 0 && out->std_flags != out->types))
        return invalid(err, "counts that contradict each other");
    return OUTCOME_OK;
}

static size_t rest_size(const struct header *h, size_t time_size)
{
    return h->chars + h->leaps * (time_size + 4) + h->std_flags + h->utc_flags;
}

static void skip_block(struct unpack *u, const struct header *h)
{
    unpack_bytes(u, (size_t)h->times * 5 + (size_t)h->types * 6 + rest_size(h, 4));
}

static int64_t read_time(struct unpack *u, size_t time_size)
{
    return time_size == 8 ? (int64_t)unpack_be64(u) : (int32_t)unpack_be32(u);
}

static enum outcome read_times(struct unpack *u, const struct header *h, size_t time_size,
                               struct change *out, struct err *err)
{
    for (uint32_t i = 0; i < h->times; i++) {
        out[i].at = read_time(u, time_size);
        if (i > 0 && out[i].at <= out[i - 1].at)
            return invalid(err, "changes that are not in order");
    }
    return OUTCOME_OK;
}

static enum outcome read_types(struct unpack *u, const struct header *h, int32_t *offsets,
                               struct err *err)
{
    for (uint32_t i = 0; i < h->types; i++) {
        offsets[i] = (int32_t)unpack_be32(u);
        unpack_bytes(u, 2);
        if (offsets[i] < -MAX_OFFSET || offsets[i] > MAX_OFFSET)
            return invalid(err, "an offset of more than 26 hours");
    }
    return OUTCOME_OK;
}

/* The changes of one block, and the offset before the first of them: that of the first type. */
static enum outcome read_block(struct unpack *u, const struct header *h, size_t time_size,
                               struct changes *changes, int32_t *first, struct err *err)
{
    int32_t offsets[MAX_TYPES] = {0};
    struct span types;
    changes->items = arena_array(changes->arena, struct change, h->times + 1);
    changes->count = h->times;
    changes->capacity = h->times + 1;
    CHECK(read_times(u, h, time_size, changes->items, err));
    types = unpack_bytes(u, h->times);
    CHECK(read_types(u, h, offsets, err));
    unpack_bytes(u, rest_size(h, time_size));
    if (u->failed)
        return invalid(err, "a file that ends too early");
    if (h->leaps > 0)
        return invalid(err, "a zone that counts leap seconds");
    for (uint32_t i = 0; i < h->times; i++) {
        uint8_t type = (uint8_t)types.ptr[i];
        if (type >= h->types)
            return invalid(err, "a change to a type that is not there");
        changes->items[i].offset = offsets[type];
    }
    *first = offsets[0];
    return OUTCOME_OK;
}

/* ---- the rule ---- */

static bool next_is(const struct unpack *u, char c)
{
    return u->at < u->end && *u->at == (uint8_t)c;
}

static bool take(struct unpack *u, char c)
{
    bool is_there = next_is(u, c);
    u->at += is_there;
    return is_there;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number of 1 to 3 digits, from least to most. */
static int32_t take_number(struct unpack *u, int32_t least, int32_t most)
{
    int32_t n = 0, digits = 0;
    for (; u->at < u->end && is_digit(*u->at) && digits < 4; digits++)
        n = n * 10 + (*u->at++ - '0');
    if (digits == 0 || digits > 3 || n < least || n > most)
        u->failed = true;
    return u->failed ? 0 : n;
}

static void take_name(struct unpack *u)
{
    const uint8_t *start = u->at;
    if (take(u, '<')) {
        while (u->at < u->end && *u->at != '>')
            u->at++;
        u->failed = u->failed || !take(u, '>');
        return;
    }
    while (u->at < u->end && is_letter(*u->at))
        u->at++;
    u->failed = u->failed || u->at - start < 3;
}

/* [+-]hh[:mm[:ss]] */
static int32_t take_time(struct unpack *u, int32_t most_hours)
{
    int32_t sign = take(u, '-') ? -1 : 1;
    if (sign == 1)
        take(u, '+');
    int32_t n = take_number(u, 0, most_hours) * 3600;
    if (take(u, ':'))
        n += take_number(u, 0, 59) * 60;
    if (take(u, ':'))
        n += take_number(u, 0, 59);
    return sign * n;
}

static struct rule_day take_day(struct unpack *u)
{
    struct rule_day day = {.kind = 'N', .time = 2 * 3600};
    if (take(u, 'M')) {
        day.kind = 'M';
        day.month = take_number(u, 1, 12);
        u->failed = u->failed || !take(u, '.');
        day.week = take_number(u, 1, 5);
        u->failed = u->failed || !take(u, '.');
        day.day = take_number(u, 0, 6);
    } else if (take(u, 'J')) {
        day.kind = 'J';
        day.day = take_number(u, 1, 365);
    } else {
        day.day = take_number(u, 0, 365);
    }
    if (take(u, '/'))
        day.time = take_time(u, 167);
    return day;
}

/* std offset [dst [offset] , start [/time] , end [/time]]: offsets count to the west. */
static bool read_rule(struct span text, struct rule *out)
{
    struct unpack u = unpack_of(text);
    *out = (struct rule){0};
    take_name(&u);
    out->standard = -take_time(&u, 25);
    if (u.at < u.end && !u.failed) {
        out->has_summer = true;
        take_name(&u);
        out->summer = next_is(&u, ',') ? out->standard + 3600 : -take_time(&u, 25);
        u.failed = u.failed || !take(&u, ',');
        out->start = take_day(&u);
        u.failed = u.failed || !take(&u, ',');
        out->end = take_day(&u);
    }
    return !u.failed && u.at == u.end;
}

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int32_t weekday_of_month(const struct rule_day *rule, int year)
{
    int32_t first = day_from_civil(year, rule->month, 1),
            next = day_from_civil(year + rule->month / 12, rule->month % 12 + 1, 1);
    int32_t day = first + (rule->day - day_weekday(first) + 7) % 7 + 7 * (rule->week - 1);
    return day < next ? day : day - 7; /* week 5 is the last one */
}

static int32_t day_of_year(const struct rule_day *rule, int year)
{
    int32_t new_year = day_from_civil(year, 1, 1);
    switch (rule->kind) {
    case 'M':
        return weekday_of_month(rule, year);
    case 'J':
        return new_year + rule->day - 1 + (is_leap_year(year) && rule->day > 59);
    default:
        return new_year + rule->day;
    }
}

static struct change rule_change(const struct rule_day *rule, int year, int32_t before,
                                 int32_t after)
{
    int64_t day = day_of_year(rule, year);
    return (struct change){day * DAY_SECONDS + rule->time - before, after};
}

/* Adds a change in its place. Summer time that ends as it starts again does not end. */
static void add_ruled(struct changes *changes, struct change change, int32_t summer)
{
    size_t i = changes->count;
    for (; i > 0 && changes->items[i - 1].at >= change.at; i--)
        if (changes->items[i - 1].at == change.at) {
            changes->items[i - 1].offset = summer;
            return;
        }
    (void)arena_push(changes->arena, changes);
    for (size_t k = changes->count - 1; k > i; k--)
        changes->items[k] = changes->items[k - 1];
    changes->items[i] = change;
}

static int year_of(int64_t seconds)
{
    int year, month, date;
    day_to_civil((int32_t)(seconds / DAY_SECONDS), &year, &month, &date);
    return year;
}

/* Writes the rule out, year by year, after the last change of the file. */
static void expand(struct changes *changes, const struct rule *rule)
{
    const int64_t far = INT64_C(130) * 366 * DAY_SECONDS; /* after ZONE_LAST_YEAR */
    bool has_last = changes->count > 0;
    int64_t last = has_last ? changes->items[changes->count - 1].at : -far;
    struct changes ruled = {.arena = changes->arena};
    if (last > far)
        return;
    int year = last > -far ? year_of(last) - 1 : FIRST_RULED_YEAR;
    for (; year <= ZONE_LAST_YEAR; year++) {
        add_ruled(&ruled, rule_change(&rule->end, year, rule->summer, rule->standard),
                  rule->summer);
        add_ruled(&ruled, rule_change(&rule->start, year, rule->standard, rule->summer),
                  rule->summer);
    }
    for (size_t i = 0; i < ruled.count; i++)
        if (!has_last || ruled.items[i].at > last)
            *arena_push(changes->arena, changes) = ruled.items[i];
}

/* "\n", the rule, "\n"; an empty rule says nothing. */
static enum outcome read_footer(struct unpack *u, struct changes *changes, int32_t *first,
                                struct err *err)
{
    struct rule rule;
    if (!take(u, '\n'))
        return invalid(err, "no rule at the end");
    const uint8_t *start = u->at;
    while (u->at < u->end && *u->at != '\n')
        u->at++;
    struct span text = {(const char *)start, (size_t)(u->at - start)};
    if (!take(u, '\n'))
        return invalid(err, "no rule at the end");
    if (text.len == 0)
        return OUTCOME_OK;
    if (!read_rule(text, &rule))
        return invalid(err, "a rule that is none");
    if (changes->count == 0)
        *first = rule.standard;
    if (rule.has_summer)
        expand(changes, &rule);
    return OUTCOME_OK;
}

/* ---- the table ---- */

static int64_t to_us(int64_t seconds)
{
    int64_t us;
    if (seconds < FIRST_SECOND)
        return INT64_MIN;
    return __builtin_mul_overflow(seconds, US_PER_SECOND, &us) ? INT64_MAX : us;
}

static void to_zone(struct arena *arena, const struct changes *changes, int32_t first,
                    struct zone *out)
{
    struct instant *at = arena_array(arena, struct instant, changes->count + 1);
    int32_t *offset = arena_array(arena, int32_t, changes->count + 1);
    uint32_t count = 0;
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        if (change->offset == (count ? offset[count - 1] : first))
            continue;
        at[count].us = to_us(change->at);
        offset[count++] = change->offset;
    }
    *out = (struct zone){first, count, at, offset};
}

enum outcome tzif_read(struct arena *arena, struct span bytes, struct zone *out, struct err *err)
{
    struct unpack u = unpack_of(bytes);
    struct changes changes = {.arena = arena};
    struct header header = {0};
    int32_t first = 0;
    CHECK(read_header(&u, &header, err));
    if (header.version == 1) {
        CHECK(read_block(&u, &header, 4, &changes, &first, err));
    } else {
        skip_block(&u, &header);
        CHECK(read_header(&u, &header, err));
        CHECK(read_block(&u, &header, 8, &changes, &first, err));
        CHECK(read_footer(&u, &changes, &first, err));
    }
    to_zone(arena, &changes, first, out);
    return OUTCOME_OK;
}
