/* span.h: a borrowed run of bytes: pointer and length, never owned, never NUL-terminated. */
#ifndef TUTTI_BASE_SPAN_H
#define TUTTI_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char
        *ptr; /* NULL means absent (an Avro null); an empty string has ptr != NULL and len 0 */
    size_t len;
};

#define SPAN_NONE     ((struct span){NULL, 0})
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})
#define SPAN_FMT      "%.*s"
#define SPAN_ARG(s)   (int)(s).len, (s).ptr

static inline struct span span_of(const char *cstr)
{
    return (struct span){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Two lists of texts in one order. */
static inline bool spans_equal(const struct span *a, size_t a_count, const struct span *b,
                               size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!span_equal(a[i], b[i]))
            return false;
    return true;
}

static inline bool span_is(struct span a, const char *cstr)
{
    return span_equal(a, span_of(cstr));
}

/* Byte order, shorter first on a tie. */
static inline int span_compare(struct span a, struct span b)
{
    int c = memcmp(a.len ? a.ptr : "", b.len ? b.ptr : "", a.len < b.len ? a.len : b.len);
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* True if the bytes are strict UTF-8 (no surrogates, no overlong forms, <= U+10FFFF) without NUL:
 * the gate for every string that reaches PostgreSQL, whose text format cuts silently at a NUL. */
bool span_is_clean_utf8(struct span s);

/* Without leading and trailing ASCII white space. */
struct span span_trim(struct span s);

/* What stands before the separator, or all if there is none; *rest goes on behind it. The field may
 * be empty: an end is where *rest is empty before the call. */
struct span span_take(struct span *rest, char separator);

/* Edit distance, for "did you mean"; inputs above 64 bytes count as unrelated (returns 255). */
unsigned span_distance(struct span a, struct span b);

#endif
