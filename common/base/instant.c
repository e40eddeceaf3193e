/* instant.c: calendar arithmetic and ISO 8601 text. */
#include "common/base/instant.h"

#include <stdio.h>

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int32_t instant_day(struct instant t, int32_t offset_seconds)
{
    return (int32_t)floor_div(instant_plus(t, (struct duration){offset_seconds * US_PER_SECOND}).us,
                              US_PER_DAY);
}

void day_to_civil(int32_t day, int *year, int *month, int *date)
{
    int64_t z = (int64_t)day + 719468;
    int64_t era = floor_div(z, 146097);
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *date = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400) + (*month <= 2);
}

int32_t day_from_civil(int year, int month, int date)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (unsigned)(month + (month > 2 ? -3 : 9)) + 2) / 5 + (unsigned)date - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int32_t)(era * 146097 + (int64_t)doe - 719468);
}

/* Reads up to `most` digits; false if there is none. */
static bool take_number(struct span *s, size_t most, int64_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < s->len && n < most && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        *out = *out * 10 + (s->ptr[n++] - '0');
    s->ptr += n;
    s->len -= n;
    return n > 0;
}

static bool take_char(struct span *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    s->ptr++;
    s->len--;
    return true;
}

static int64_t unit_seconds(char unit, bool in_time)
{
    switch (unit) {
    case 'Y':
        return in_time ? 0 : INT64_C(365) * 86400;
    case 'W':
        return in_time ? 0 : INT64_C(7) * 86400;
    case 'D':
        return in_time ? 0 : 86400;
    case 'H':
        return in_time ? 3600 : 0;
    case 'M':
        return in_time ? 60 : 0;
    case 'S':
        return in_time ? 1 : 0;
    default:
        return 0;
    }
}

bool duration_parse(struct span text, struct duration *out)
{
    bool in_time = false, any = false;
    int64_t seconds = 0, last_unit = INT64_MAX;
    if (!take_char(&text, 'P'))
        return false;
    while (text.len > 0) {
        int64_t n, unit, part;
        if (!in_time && take_char(&text, 'T')) {
            in_time = true;
            any = false;
            continue;
        }
        if (!take_number(&text, 12, &n) || text.len == 0 ||
            (unit = unit_seconds(text.ptr[0], in_time)) == 0)
            return false;
        take_char(&text, text.ptr[0]);
        /* Each unit once, the larger before the smaller. */
        if (unit >= last_unit || __builtin_mul_overflow(n, unit, &part) ||
            __builtin_add_overflow(seconds, part, &seconds))
            return false;
        last_unit = unit;
        any = true;
    }
    return any && !__builtin_mul_overflow(seconds, US_PER_SECOND, &out->us);
}

/* Reads exactly this many digits. */
static bool take_digits(struct span *s, size_t count, int64_t *out)
{
    size_t before = s->len;
    return take_number(s, count, out) && before - s->len == count;
}

static bool parse_date(struct span *s, int32_t *day)
{
    int64_t y, m, d;
    if (!take_digits(s, 4, &y) || !take_char(s, '-') || !take_digits(s, 2, &m) ||
        !take_char(s, '-') || !take_digits(s, 2, &d) || m < 1 || m > 12 || d < 1 || d > 31)
        return false;
    *day = day_from_civil((int)y, (int)m, (int)d);
    int yy, mm, dd;
    day_to_civil(*day, &yy, &mm, &dd);
    return dd == d && mm == m;
}

static bool parse_fraction(struct span *s, int64_t *us)
{
    *us = 0;
    if (!take_char(s, '.'))
        return true;
    size_t before = s->len;
    int64_t digits;
    if (!take_number(s, 6, &digits))
        return false;
    for (size_t n = before - s->len; n < 6; n++)
        digits *= 10;
    while (s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9')
        take_char(s, s->ptr[0]);
    *us = digits;
    return true;
}

static bool parse_offset(struct span *s, int64_t *seconds)
{
    *seconds = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    int sign = take_char(s, '+') ? 1 : take_char(s, '-') ? -1 : 0;
    int64_t h, m = 0;
    if (sign == 0 || !take_digits(s, 2, &h))
        return false;
    if ((take_char(s, ':') || s->len > 0) && !take_digits(s, 2, &m))
        return false;
    *seconds = sign * (h * 3600 + m * 60);
    return h <= 18 && m < 60;
}

bool instant_parse(struct span text, struct instant *out)
{
    int32_t day;
    int64_t h, m, sec, us, offset;
    if (!parse_date(&text, &day))
        return false;
    if (text.len == 0) {
        out->us = day * US_PER_DAY;
        return true;
    }
    if (!(take_char(&text, 'T') || take_char(&text, 't') || take_char(&text, ' ')) ||
        !take_digits(&text, 2, &h) || !take_char(&text, ':') || !take_digits(&text, 2, &m) ||
        !take_char(&text, ':') || !take_digits(&text, 2, &sec) || h > 23 || m > 59 || sec > 60 ||
        !parse_fraction(&text, &us) || !parse_offset(&text, &offset) || text.len > 0)
        return false;
    out->us = day * US_PER_DAY + (h * 3600 + m * 60 + sec - offset) * US_PER_SECOND + us;
    return true;
}

void instant_format(struct instant t, char *text)
{
    int y, mo, d;
    day_to_civil(instant_day(t, 0), &y, &mo, &d);
    int64_t in_day = t.us % US_PER_DAY;
    if (in_day < 0)
        in_day += US_PER_DAY;
    int64_t s = in_day / US_PER_SECOND;
    snprintf(text, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", y, mo, d, (int)(s / 3600),
             (int)(s / 60 % 60), (int)(s % 60), (int)(in_day % US_PER_SECOND));
}
