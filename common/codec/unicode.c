/* unicode.c: folds the letters, blanks and digits of an address, a code point at a time. */
#include "common/codec/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "common/codec/punycode.h"

enum { DECIMAL = 10, FOLDED_MAX = 8, ASCII_END = 0x80 };

struct points {
    int32_t *items;
    size_t count, capacity;
};

static bool is_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] & 0x80)
            return false;
    return true;
}

static struct span mapped(struct arena *arena, struct span text, int options)
{
    utf8proc_uint8_t *out = NULL;
    if (text.len == 0)
        return text;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text.ptr,
                                      (utf8proc_ssize_t)text.len, &out, (utf8proc_option_t)options);
    struct span result =
        n >= 0 ? arena_copy(arena, (struct span){(const char *)out, (size_t)n}) : text;
    free(out);
    return result;
}

struct span unicode_nfc(struct arena *arena, struct span text)
{
    return is_ascii(text) ? text : mapped(arena, text, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
}

/* ---- code points ---- */
static bool is_utf8(struct span text)
{
    int32_t point;
    for (size_t i = 0; i < text.len;) {
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + i,
                                              (utf8proc_ssize_t)(text.len - i), &point);
        if (n <= 0)
            return false;
        i += (size_t)n;
    }
    return true;
}

/* The code points of UTF-8. */
static struct points points_of(struct arena *arena, struct span text)
{
    struct points points = {0};
    for (size_t i = 0; i < text.len;) {
        int32_t point;
        i += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + i,
                                      (utf8proc_ssize_t)(text.len - i), &point);
        *arena_push(arena, &points) = point;
    }
    return points;
}

static void add_point(struct strbuf *out, int32_t point)
{
    utf8proc_uint8_t bytes[4];
    strbuf_add(out, bytes, (size_t)utf8proc_encode_char(point, bytes));
}

static bool is_between(int32_t point, int32_t first, int32_t last)
{
    return point >= first && point <= last;
}

/* Letters and marks that leave no trace on the screen: joiners, fillers, variation selectors, tags,
 * and the empty Braille cell. */
static bool is_unseen(int32_t point)
{
    return point == 0x034F || is_between(point, 0x115F, 0x1160) ||
           is_between(point, 0x17B4, 0x17B5) || is_between(point, 0x180B, 0x180F) ||
           point == 0x2800 || point == 0x3164 || is_between(point, 0xFE00, 0xFE0F) ||
           point == 0xFFA0 || is_between(point, 0xE0000, 0xE0FFF);
}

static bool is_blank(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || point == 0x2800 || is_between(point, '\t', '\r') ||
           point == 0x85;
}

/* Blanks, control and format characters, and what is not seen. */
static bool is_nothing(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return is_blank(point) || category == UTF8PROC_CATEGORY_CC ||
           category == UTF8PROC_CATEGORY_CF || is_unseen(point);
}

static struct span without_nothing(struct arena *arena, struct span text)
{
    struct strbuf out = {.arena = arena};
    struct points points = points_of(arena, text);
    for (size_t i = 0; i < points.count; i++)
        if (!is_nothing(points.items[i]))
            add_point(&out, points.items[i]);
    return strbuf_span(&out);
}

/* Bytes of the character that begins here, if it is one to leave out at an end; else 0. */
static size_t edge_at(const char *at, size_t left)
{
    int32_t point;
    if (!(*at & 0x80))
        return *at == ' ' || is_between(*at, '\t', '\r') ? 1 : 0;
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)at, (utf8proc_ssize_t)left, &point);
    return n > 0 && is_nothing(point) ? (size_t)n : 0;
}

/* Bytes of the last character, if it is one to leave out; else 0. */
static size_t edge_before(struct span text)
{
    size_t n = 1;
    while (n < 4 && n < text.len && ((unsigned char)text.ptr[text.len - n] & 0xC0) == 0x80)
        n++;
    return edge_at(text.ptr + text.len - n, n) == n ? n : 0;
}

struct span unicode_trim(struct span text)
{
    struct span rest = text;
    for (size_t n; rest.len > 0 && (n = edge_at(rest.ptr, rest.len)) > 0;)
        rest = (struct span){rest.ptr + n, rest.len - n};
    for (size_t n; rest.len > 0 && (n = edge_before(rest)) > 0;)
        rest.len -= n;
    return rest.len == text.len || is_utf8(text) ? rest : text;
}

/* ---- e-mail ---- */
static bool is_plain_char(char c)
{
    return c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z');
}

/* Most addresses are plain already. */
static struct span ascii_folded(struct arena *arena, struct span text)
{
    size_t n = 0;
    while (n < text.len && is_plain_char(text.ptr[n]))
        n++;
    if (n == text.len)
        return text;
    char *copy = arena_alloc(arena, text.len);
    n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c > ' ' && c < 0x7f)
            copy[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (struct span){copy, n};
}

/* Decomposed first: some marks fold to letters, and their place would depend on how they came. */
static struct span folded(struct arena *arena, struct span text)
{
    text = mapped(arena, text, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
    return mapped(arena, text, UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE | UTF8PROC_STABLE);
}

/* In a domain the sharp s and the final sigma are letters of their own: other people's domains. */
static void add_domain_letter(struct strbuf *out, int32_t point)
{
    int32_t letters[FOLDED_MAX];
    int class = 0;
    if (point == 0x1E9E) /* capital sharp s */
        point = 0xDF;
    if (point == 0xDF || point == 0x3C2) {
        add_point(out, point);
        return;
    }
    utf8proc_ssize_t n = utf8proc_decompose_char(point, letters, FOLDED_MAX,
                                                 UTF8PROC_CASEFOLD | UTF8PROC_STABLE, &class);
    for (utf8proc_ssize_t i = 0; i < n && i < FOLDED_MAX; i++)
        add_point(out, letters[i]);
}

static struct span folded_domain(struct arena *arena, struct span text)
{
    struct strbuf out = {.arena = arena};
    int compatible = UTF8PROC_COMPAT | UTF8PROC_STABLE;
    text = mapped(arena, text, compatible | UTF8PROC_DECOMPOSE);
    struct points points = points_of(arena, without_nothing(arena, text));
    for (size_t i = 0; i < points.count; i++)
        add_domain_letter(&out, points.items[i]);
    return mapped(arena, strbuf_span(&out), compatible | UTF8PROC_COMPOSE);
}

static bool ends_label(int32_t point)
{
    return point == '.' || point == 0x3002; /* ideographic full stop */
}

static void add_domain(struct arena *arena, struct strbuf *out, struct span domain)
{
    struct points points = points_of(arena, folded_domain(arena, domain));
    size_t start = 0;
    for (size_t i = 0; i < points.count; i++) {
        if (!ends_label(points.items[i]))
            continue;
        punycode_add_label(out, points.items + start, i - start);
        strbuf_add(out, ".", 1);
        start = i + 1;
    }
    punycode_add_label(out, points.items + start, points.count - start);
}

static struct span wide_email(struct arena *arena, struct span text)
{
    struct strbuf out = {.arena = arena};
    text = without_nothing(arena, text);
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '@')
        at--;
    if (at == 0)
        return folded(arena, text);
    struct span name = folded(arena, (struct span){text.ptr, at - 1});
    strbuf_add(&out, name.ptr, name.len);
    strbuf_add(&out, "@", 1);
    add_domain(arena, &out, (struct span){text.ptr + at, text.len - at});
    return strbuf_span(&out);
}

struct span unicode_email(struct arena *arena, struct span text)
{
    if (is_ascii(text))
        return ascii_folded(arena, text);
    return is_utf8(text) ? wide_email(arena, text) : text;
}

/* ---- host ---- */
struct span unicode_host(struct arena *arena, struct span text)
{
    struct strbuf out = {.arena = arena};
    if (is_ascii(text)) {
        text = ascii_folded(arena, text);
    } else if (is_utf8(text)) {
        add_domain(arena, &out, text);
        text = strbuf_span(&out);
    }
    while (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    return text;
}

/* ---- phone ---- */
/* The ten digits of a script stand in order. */
static int32_t digit_of(int32_t point)
{
    int32_t first = point;
    while (utf8proc_category(first - 1) == UTF8PROC_CATEGORY_ND)
        first--;
    return '0' + (point - first) % DECIMAL;
}

static bool is_hyphen(int32_t point)
{
    /* hyphen bullet, minus sign, and the long vowel mark that stands in for a hyphen in Japan */
    return utf8proc_category(point) == UTF8PROC_CATEGORY_PD || point == 0x2043 || point == 0x2212 ||
           point == 0x30FC || point == 0xFF70;
}

/* 0: left out. */
static int32_t phone_char(int32_t point)
{
    if (utf8proc_category(point) == UTF8PROC_CATEGORY_ND)
        return digit_of(point);
    if (is_hyphen(point))
        return '-';
    if (is_blank(point))
        return ' ';
    if (is_nothing(point))
        return 0;
    if (is_between(point, 0xFF01, 0xFF5E)) /* full width */
        return point - 0xFF01 + '!';
    return point;
}

static bool is_simple_phone(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == 't' || text.ptr[i] == 'T')
            return false;
    return true;
}

static struct span without_scheme(struct span text)
{
    static const char scheme[] = "tel:";
    text = span_trim(text);
    for (size_t i = 0; i < strlen(scheme); i++)
        if (i >= text.len || (text.ptr[i] | 0x20) != (scheme[i] | 0x20))
            return text;
    return without_scheme((struct span){text.ptr + strlen(scheme), text.len - strlen(scheme)});
}

struct span unicode_phone(struct arena *arena, struct span text)
{
    struct strbuf out = {.arena = arena};
    if (is_simple_phone(text) || !is_utf8(text))
        return text;
    struct points points = points_of(arena, text);
    for (size_t i = 0; i < points.count; i++) {
        int32_t point = phone_char(points.items[i]);
        if (point != 0)
            add_point(&out, point);
    }
    return without_scheme(strbuf_span(&out));
}
