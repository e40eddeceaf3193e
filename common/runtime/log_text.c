/* log_text.c: JSON strings and logfmt values from any bytes. */
#include "common/runtime/log_text.h"

/* Length of the longest clean UTF-8 character at the start of text; 0 if there is none (NUL counts
 * as clean here). */
static size_t character(struct span text)
{
    if (text.ptr[0] == '\0')
        return 1;
    for (size_t n = 1; n <= 4 && n <= text.len; n++)
        if (span_is_clean_utf8((struct span){text.ptr, n}))
            return n;
    return 0;
}

static void quote_ascii(struct strbuf *out, unsigned char c)
{
    static const char letters[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
    const char *at = c ? strchr(letters, c) : NULL;
    if (at)
        strbuf_addf(out, "\\%c", escapes[at - letters]);
    else if (c < 0x20 || c == 0x7F)
        strbuf_addf(out, "\\u%04x", c);
    else
        pack_byte(out, c);
}

void json_quote(struct strbuf *out, struct span text)
{
    pack_byte(out, '"');
    while (text.len > 0) {
        size_t n = character(text);
        if (n == 1)
            quote_ascii(out, (unsigned char)text.ptr[0]);
        else if (n == 0)
            strbuf_add(out, "\xEF\xBF\xBD", 3);
        else
            strbuf_add(out, text.ptr, n);
        size_t step = n ? n : 1;
        text = (struct span){text.ptr + step, text.len - step};
    }
    pack_byte(out, '"');
}

static bool is_bare(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return text.len > 0;
}

void logfmt_value(struct strbuf *out, struct span text)
{
    if (is_bare(text))
        strbuf_add(out, text.ptr, text.len);
    else
        json_quote(out, text);
}
