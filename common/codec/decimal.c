/* decimal.c: see decimal.h. */
#include "common/codec/decimal.h"

enum {
    PLACES = 6,
    DIGITS_MAX = 19,        /* of what fits into 64 bits */
    EXPONENT_MAX = 1000000, /* beyond it no number but 0 fits, whatever its digits are */
};

static struct span take_digits(struct span *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        n++;
    struct span digits = {rest->ptr, n};
    *rest = (struct span){rest->ptr + n, rest->len - n};
    return digits;
}

static bool take(struct span *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = (struct span){rest->ptr + 1, rest->len - 1};
    return true;
}

bool decimal_take(struct span *rest, struct decimal *out)
{
    *out = (struct decimal){.is_negative = take(rest, '-')};
    out->whole = take_digits(rest);
    if (!take(rest, '.'))
        return out->whole.len > 0;
    out->fraction = take_digits(rest);
    return out->whole.len > 0 && out->fraction.len > 0;
}

bool decimal_take_exponent(struct span *rest, struct decimal *out)
{
    if (!take(rest, 'e') && !take(rest, 'E'))
        return true;
    bool is_negative = take(rest, '-');
    if (!is_negative)
        take(rest, '+');
    struct span digits = take_digits(rest);
    int64_t exponent = 0;
    for (size_t i = 0; i < digits.len && exponent < EXPONENT_MAX; i++)
        exponent = exponent * 10 + (digits.ptr[i] - '0');
    out->exponent = is_negative ? -exponent : exponent;
    return digits.len > 0;
}

/* Digit i of the whole part and the fraction, one after the other; 0 beyond them. */
static unsigned digit_at(const struct decimal *d, int64_t i)
{
    int64_t whole = (int64_t)d->whole.len, count = whole + (int64_t)d->fraction.len;
    if (i < 0 || i >= count)
        return 0;
    return (unsigned)((i < whole ? d->whole.ptr[i] : d->fraction.ptr[i - whole]) - '0');
}

bool decimal_millionths(const struct decimal *d, int64_t *out, bool *is_exact)
{
    int64_t count = (int64_t)(d->whole.len + d->fraction.len), first = 0;
    int64_t kept = (int64_t)d->whole.len + d->exponent + PLACES; /* digits that are kept */
    uint64_t found = 0;
    while (first < count && digit_at(d, first) == 0)
        first++;
    if (first < count && kept - first > DIGITS_MAX)
        return false;
    for (int64_t i = first; first < count && i < kept; i++)
        found = found * 10 + digit_at(d, i);
    found += digit_at(d, kept) >= 5;
    *is_exact = true;
    for (int64_t i = kept > first ? kept : first; i < count && *is_exact; i++)
        *is_exact = digit_at(d, i) == 0;
    if (found > INT64_MAX)
        return false;
    *out = d->is_negative ? -(int64_t)found : (int64_t)found;
    return true;
}
