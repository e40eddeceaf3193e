/* json_write.c: escapes texts, so that any bytes become valid JSON in valid UTF-8. */
#include "common/codec/json_write.h"

#include <jansson.h>
#include <stdlib.h>

static size_t utf8_length(const uint8_t *at, size_t left)
{
    size_t length = *at < 0x80       ? 1
                    : *at >> 5 == 6  ? 2
                    : *at >> 4 == 14 ? 3
                    : *at >> 3 == 30 ? 4
                                     : 0;
    if (length == 0 || length > left)
        return 0;
    if (length == 1)
        return 1;
    return span_is_clean_utf8((struct span){(const char *)at, length}) ? length : 0;
}

static void add_escaped(struct strbuf *out, uint8_t c)
{
    static const char names[] = "btnvfr"; /* 8..13; \v does not exist in JSON */
    if (c == '"' || c == '\\')
        strbuf_addf(out, "\\%c", c);
    else if (c >= 8 && c <= 13 && c != 11)
        strbuf_addf(out, "\\%c", names[c - 8]);
    else
        strbuf_addf(out, "\\u%04x", c);
}

void json_add_text(struct strbuf *out, struct span text)
{
    strbuf_add(out, "\"", 1);
    const uint8_t *at = (const uint8_t *)text.ptr, *end = at + text.len, *plain = at;
    while (at < end) {
        size_t length = utf8_length(at, (size_t)(end - at));
        bool special = length == 0 || *at < 0x20 || *at == '"' || *at == '\\';
        if (!special) {
            at += length;
            continue;
        }
        strbuf_add(out, plain, (size_t)(at - plain));
        if (length == 0)
            strbuf_add(out, "\xef\xbf\xbd", 3);
        else
            add_escaped(out, *at);
        plain = ++at;
    }
    strbuf_add(out, plain, (size_t)(end - plain));
    strbuf_add(out, "\"", 1);
}

void json_add_hex(struct strbuf *out, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    strbuf_reserve(out, 2 * bytes.len + 2);
    strbuf_add(out, "\"", 1);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t b = (uint8_t)bytes.ptr[i];
        strbuf_add(out, (char[]){digits[b >> 4], digits[b & 15]}, 2);
    }
    strbuf_add(out, "\"", 1);
}

bool json_add_compact(struct strbuf *out, struct span text)
{
    json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
    if (json == NULL)
        return false;
    char *compact = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    strbuf_add(out, compact, strlen(compact));
    free(compact);
    json_decref(json);
    return true;
}
