/* said.c: see said.h. */
#include "common/words/said.h"

void said_pack(struct strbuf *out, const struct said *said)
{
    pack_byte(out, (uint8_t)said->name.len);
    strbuf_add(out, said->name.ptr, said->name.len);
    pack_byte(out, (uint8_t)said->kind);
    if (said->kind == SAID_NUMBER)
        pack_zigzag(out, said->number);
    else if (said->kind == SAID_WORDS)
        pack_span(out, said->text);
}

bool said_next(struct unpack *in, struct said *out)
{
    if (in->failed || in->at == in->end)
        return false;
    *out = (struct said){.name = unpack_bytes(in, unpack_byte(in))};
    uint8_t kind = unpack_byte(in);
    if (kind == SAID_NUMBER)
        out->number = unpack_zigzag(in);
    else if (kind == SAID_WORDS)
        out->text = unpack_span(in);
    out->kind = (enum said_kind)kind;
    return !in->failed && kind <= SAID_WORDS;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

bool said_is_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_byte(name.ptr[i]))
            return false;
    return name.len >= 1 && name.len <= SAID_NAME;
}
