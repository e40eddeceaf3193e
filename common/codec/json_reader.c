/* json_reader.c: see json_reader.h. */
#include "common/codec/json_reader.h"

#include "common/base/pack.h"

enum { DEPTH_MAX = 100 };

static bool fail(struct json_reader *r)
{
    r->failed = true;
    return false;
}

static void skip_blanks(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(struct json_reader *r, char c)
{
    skip_blanks(r);
    if (r->failed || r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

struct json_reader json_reader_of(struct arena *arena, struct span text)
{
    return (struct json_reader){.at = text.ptr,
                                .end = text.ptr + text.len,
                                .arena = arena,
                                .failed = text.len == 0 || !span_is_clean_utf8(text)};
}

bool json_reader_is_done(struct json_reader *r)
{
    if (!r->failed)
        skip_blanks(r);
    return !r->failed && r->depth == 0 && r->at == r->end;
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
static int32_t take_unit(struct json_reader *r)
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
static uint32_t take_point(struct json_reader *r)
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

static bool take_escape(struct json_reader *r, struct strbuf *out)
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
static struct span take_text(struct json_reader *r)
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

/* ---- lists and objects ---- */

bool json_enter(struct json_reader *r, enum json_shape shape)
{
    if (!take(r, shape == SHAPE_LIST ? '[' : '{'))
        return false;
    return ++r->depth <= DEPTH_MAX ? true : fail(r);
}

bool json_next(struct json_reader *r, enum json_shape shape, size_t n)
{
    if (r->failed)
        return false;
    if (take(r, shape == SHAPE_LIST ? ']' : '}')) {
        r->depth--;
        return false;
    }
    return n == 0 || take(r, ',') ? true : fail(r);
}

struct span json_take_name(struct json_reader *r)
{
    struct span name = take(r, '"') ? take_text(r) : SPAN_NONE;
    if (name.ptr == NULL || !take(r, ':'))
        fail(r);
    return r->failed ? SPAN_NONE : name;
}

static void skip_entries(struct json_reader *r, enum json_shape shape)
{
    for (size_t n = 0; json_next(r, shape, n); n++) {
        if (shape == SHAPE_OBJECT)
            json_take_name(r);
        json_take_value(r);
    }
}

/* ---- values ---- */

static bool take_word(struct json_reader *r, struct span word)
{
    if ((size_t)(r->end - r->at) < word.len || memcmp(r->at, word.ptr, word.len) != 0)
        return fail(r);
    r->at += word.len;
    return true;
}

static void take_number(struct json_reader *r, struct json_scalar *out)
{
    struct span rest = {r->at, (size_t)(r->end - r->at)};
    out->shape = SHAPE_REAL;
    if (!decimal_take(&rest, &out->number) ||
        (out->number.whole.len > 1 && out->number.whole.ptr[0] == '0') ||
        !decimal_take_exponent(&rest, &out->number))
        fail(r);
    out->text = (struct span){r->at, (size_t)(rest.ptr - r->at)};
    r->at = rest.ptr;
}

/* What begins with neither bracket. */
static void take_scalar(struct json_reader *r, struct json_scalar *out)
{
    if (take(r, '"')) {
        out->shape = SHAPE_TEXT;
        out->text = take_text(r);
    } else if (*r->at == 't' || *r->at == 'f') {
        out->shape = SHAPE_BOOL;
        out->is_true = *r->at == 't';
        take_word(r, out->is_true ? SPAN("true") : SPAN("false"));
    } else if (*r->at == 'n') {
        take_word(r, SPAN("null"));
    } else {
        take_number(r, out);
    }
}

struct json_scalar json_take_value(struct json_reader *r)
{
    struct json_scalar out = {.shape = SHAPE_NULL};
    skip_blanks(r);
    if (r->failed || r->at == r->end) {
        fail(r);
        return out;
    }
    if (*r->at != '[' && *r->at != '{') {
        take_scalar(r, &out);
        return out;
    }
    out.shape = *r->at == '[' ? SHAPE_LIST : SHAPE_OBJECT;
    if (json_enter(r, out.shape))
        skip_entries(r, out.shape);
    return out;
}
