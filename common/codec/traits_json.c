/* traits_json.c: goes through a JSON text once; see traits_json.h. */
#include "common/codec/traits_json.h"

#include <stdlib.h>

#include "common/base/pack.h"
#include "common/codec/unicode.h"
#include "common/words/said.h"

enum {
    DEPTH_MAX = 100,
    PLACES = 6,             /* decimal places of a number that is kept */
    EXPONENT_MAX = 1000000, /* beyond it no number is kept, whatever its digits are */
};

struct reader {
    const char *at, *end;
    struct arena *arena;
    bool failed;
};

struct member {
    struct said said;
    bool is_kept;
    size_t place; /* in the text */
};

struct members {
    struct member *items;
    size_t count, capacity;
};

static bool fail(struct reader *r)
{
    r->failed = true;
    return false;
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, struct span word)
{
    if ((size_t)(r->end - r->at) < word.len || memcmp(r->at, word.ptr, word.len) != 0)
        return fail(r);
    r->at += word.len;
    return true;
}

/* ---- texts ---- */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits; -1 where there are none. */
static int32_t take_unit(struct reader *r)
{
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = r->at < r->end ? hex_digit(*r->at++) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* The code point of \u, with its second half where it needs one; 0: there is none such. */
static uint32_t take_point(struct reader *r)
{
    int32_t first = take_unit(r);
    if (first <= 0 || (first >= 0xdc00 && first < 0xe000))
        return 0;
    if (first < 0xd800 || first >= 0xe000)
        return (uint32_t)first;
    if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
        return 0;
    r->at += 2;
    int32_t second = take_unit(r);
    if (second < 0xdc00 || second >= 0xe000)
        return 0;
    return 0x10000 + (((uint32_t)first - 0xd800) << 10) + ((uint32_t)second - 0xdc00);
}

static void add_point(struct strbuf *out, uint32_t point)
{
    if (point < 0x80) {
        pack_byte(out, (uint8_t)point);
    } else if (point < 0x800) {
        pack_byte(out, (uint8_t)(0xc0 | point >> 6));
        pack_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        pack_byte(out, (uint8_t)(0xe0 | point >> 12));
        pack_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        pack_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
    } else {
        pack_byte(out, (uint8_t)(0xf0 | point >> 18));
        pack_byte(out, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
        pack_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        pack_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
    }
}

static bool take_escape(struct reader *r, struct strbuf *out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return fail(r);
    char c = *r->at++;
    if (c == 'u') {
        uint32_t point = take_point(r);
        if (point == 0)
            return fail(r);
        add_point(out, point);
        return true;
    }
    const char *found = c ? strchr(letters, c) : NULL;
    if (found == NULL)
        return fail(r);
    pack_byte(out, (uint8_t)meant[found - letters]);
    return true;
}

/* A text, its opening quote already taken. Borrowed where nothing is escaped. */
static struct span take_text(struct reader *r)
{
    struct strbuf out = {.arena = r->arena};
    const char *start = r->at;
    bool is_escaped = false;
    while (r->at < r->end && *r->at != '"' && !r->failed) {
        if ((unsigned char)*r->at < ' ') {
            fail(r);
        } else if (*r->at == '\\') {
            strbuf_add(&out, start, (size_t)(r->at - start));
            r->at++;
            take_escape(r, &out);
            start = r->at;
            is_escaped = true;
        } else {
            r->at++;
        }
    }
    if (r->failed || r->at == r->end) {
        fail(r);
        return SPAN_NONE;
    }
    struct span rest = {start, (size_t)(r->at++ - start)};
    if (!is_escaped)
        return rest;
    strbuf_add(&out, rest.ptr, rest.len);
    return strbuf_span(&out);
}

/* ---- numbers ---- */
static struct span take_digits(struct reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (struct span){start, (size_t)(r->at - start)};
}

static int64_t take_exponent(struct reader *r)
{
    if (r->at == r->end || (*r->at != 'e' && *r->at != 'E'))
        return 0;
    r->at++;
    bool is_negative = r->at < r->end && *r->at == '-';
    if (r->at < r->end && (*r->at == '-' || *r->at == '+'))
        r->at++;
    struct span digits = take_digits(r);
    int64_t exponent = 0;
    if (digits.len == 0)
        fail(r);
    for (size_t i = 0; i < digits.len && exponent < EXPONENT_MAX; i++)
        exponent = exponent * 10 + (digits.ptr[i] - '0');
    return is_negative ? -exponent : exponent;
}

/* Digit i of the whole part and the fraction, one after the other. */
static int digit_at(struct span whole, struct span fraction, size_t i)
{
    return (i < whole.len ? whole.ptr[i] : fraction.ptr[i - whole.len]) - '0';
}

/* whole.fraction * 10^exponent in millionths; false: it has more places, or does not fit. */
static bool millionths(struct span whole, struct span fraction, int64_t exponent, uint64_t *out)
{
    size_t count = whole.len + fraction.len, first = 0;
    while (first < count && digit_at(whole, fraction, first) == 0)
        first++;
    while (count > first && digit_at(whole, fraction, count - 1) == 0)
        count--;
    *out = 0;
    if (first == count)
        return true;
    int64_t zeros = (int64_t)whole.len - (int64_t)count + exponent + PLACES;
    if (zeros < 0 || (int64_t)(count - first) + zeros > 19)
        return false;
    for (size_t i = first; i < count; i++)
        *out = *out * 10 + (uint64_t)digit_at(whole, fraction, i);
    for (int64_t i = 0; i < zeros; i++)
        *out *= 10;
    return *out <= INT64_MAX;
}

static bool take_number(struct reader *r, struct said *said)
{
    bool is_negative = *r->at == '-';
    r->at += is_negative;
    struct span whole = take_digits(r), fraction = {r->at, 0};
    if (whole.len == 0 || (whole.len > 1 && whole.ptr[0] == '0'))
        return fail(r);
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        fraction = take_digits(r);
        if (fraction.len == 0)
            return fail(r);
    }
    int64_t exponent = take_exponent(r);
    uint64_t found;
    said->kind = SAID_NUMBER;
    if (r->failed || !millionths(whole, fraction, exponent, &found))
        return false;
    said->number = is_negative ? -(int64_t)found : (int64_t)found;
    return true;
}

/* ---- values ---- */
static void skip_value(struct reader *r, int depth);

static void skip_list(struct reader *r, int depth)
{
    if (take(r, ']'))
        return;
    do
        skip_value(r, depth);
    while (!r->failed && take(r, ','));
    if (!take(r, ']'))
        fail(r);
}

static void skip_object(struct reader *r, int depth)
{
    if (take(r, '}'))
        return;
    do {
        if (!take(r, '"')) {
            fail(r);
            return;
        }
        take_text(r);
        if (r->failed || !take(r, ':')) {
            fail(r);
            return;
        }
        skip_value(r, depth);
    } while (!r->failed && take(r, ','));
    if (!take(r, '}'))
        fail(r);
}

static bool take_words(struct reader *r, struct said *said)
{
    said->kind = SAID_WORDS;
    said->text = unicode_nfc(r->arena, span_trim(take_text(r)));
    return said->text.len >= 1 && said->text.len <= SAID_TEXT;
}

/* A value; true if it is one that is kept. depth: of the object or list that holds it. */
static bool take_value(struct reader *r, int depth, struct said *said)
{
    skip_blanks(r);
    if (r->at == r->end || depth >= DEPTH_MAX + 1)
        return fail(r);
    switch (*r->at) {
    case '"':
        r->at++;
        return take_words(r, said);
    case '{':
        r->at++;
        skip_object(r, depth + 1);
        return depth < DEPTH_MAX ? false : fail(r);
    case '[':
        r->at++;
        skip_list(r, depth + 1);
        return depth < DEPTH_MAX ? false : fail(r);
    case 't':
        said->kind = SAID_TRUE;
        return take_word(r, SPAN("true"));
    case 'f':
        said->kind = SAID_FALSE;
        return take_word(r, SPAN("false"));
    case 'n':
        said->kind = SAID_NOTHING;
        return take_word(r, SPAN("null"));
    default:
        return take_number(r, said);
    }
}

static void skip_value(struct reader *r, int depth)
{
    struct said ignored;
    take_value(r, depth, &ignored);
}

static void take_member(struct reader *r, struct members *members)
{
    struct member member = {.place = members->count};
    if (!take(r, '"')) {
        fail(r);
        return;
    }
    member.said.name = take_text(r);
    if (r->failed || !take(r, ':')) {
        fail(r);
        return;
    }
    member.is_kept = take_value(r, 1, &member.said);
    if (!r->failed && said_is_name(member.said.name))
        *arena_push(r->arena, members) = member;
}

/* By name; of one name the last one first. */
static int member_compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int c = span_compare(x->said.name, y->said.name);
    return c ? c : (x->place < y->place) - (x->place > y->place);
}

static struct span packed(struct arena *arena, struct members *members, uint64_t *left_out)
{
    struct strbuf out = {.arena = arena};
    size_t kept = 0;
    if (members->count > 1)
        qsort(members->items, members->count, sizeof *members->items, member_compare);
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->items[i];
        if (i > 0 && span_equal(member->said.name, member[-1].said.name))
            continue;
        if (member->is_kept && kept < SAID_MEMBERS) {
            said_pack(&out, &member->said);
            kept++;
        } else {
            ++*left_out;
        }
    }
    return kept ? strbuf_span(&out) : SPAN_NONE;
}

struct span traits_json_said(struct arena *arena, struct span traits_json, uint64_t *left_out)
{
    struct reader r = {traits_json.ptr, traits_json.ptr + traits_json.len, arena, false};
    struct members members = {0};
    if (traits_json.len == 0 || !span_is_clean_utf8(traits_json) || !take(&r, '{'))
        return SPAN_NONE;
    if (!take(&r, '}')) {
        do
            take_member(&r, &members);
        while (!r.failed && take(&r, ','));
        if (!r.failed && !take(&r, '}'))
            fail(&r);
    }
    skip_blanks(&r);
    return r.failed || r.at != r.end ? SPAN_NONE : packed(arena, &members, left_out);
}
