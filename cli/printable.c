/* printable.c: see printable.h. */
#include "cli/printable.h"

#include "common/base/pack.h"

static bool is_between(unsigned code, unsigned first, unsigned last)
{
    return code >= first && code <= last;
}

/* Joiners (U+200C, U+200D) stay: Persian and emoji need them. */
static bool is_hidden(unsigned code)
{
    return code < 0x20 || is_between(code, 0x7f, 0x9f) || code == 0x61c || code == 0x200b ||
           is_between(code, 0x200e, 0x200f) || is_between(code, 0x2028, 0x202e) ||
           is_between(code, 0x2060, 0x206f) || code == 0xfeff;
}

/* The character at the start of valid UTF-8, all hidden ones included; longer ones and stray bytes
 * are passed on byte by byte. */
static unsigned first_code(struct span text, size_t *len)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    *len = 1;
    if ((p[0] & 0xe0) == 0xc0 && text.len >= 2) {
        *len = 2;
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    }
    if ((p[0] & 0xf0) == 0xe0 && text.len >= 3) {
        *len = 3;
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    }
    return p[0] < 0x80 ? p[0] : 0xfffd;
}

const char *printable(struct arena *arena, struct span text)
{
    struct strbuf out = {.arena = arena};
    strbuf_addf(&out, "%s", ""); /* never NULL */
    for (size_t len; text.len > 0; text = (struct span){text.ptr + len, text.len - len}) {
        unsigned code = first_code(text, &len);
        if (is_hidden(code))
            strbuf_addf(&out, "\\u%04x", code);
        else
            strbuf_addf(&out, "%.*s", (int)len, text.ptr);
    }
    return out.ptr;
}
