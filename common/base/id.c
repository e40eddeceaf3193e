/* id.c: text form of ids. */
#include "common/base/id.h"

void id_to_uuid(const struct id *a, char text[37])
{
    static const char hex[] = "0123456789abcdef";
    char *p = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[a->bytes[i] >> 4];
        *p++ = hex[a->bytes[i] & 15];
    }
    *p = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool id_from_uuid(struct span text, struct id *out)
{
    size_t n = 0;
    if (text.len != 32 && text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.len == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text.ptr[i] != '-')
                return false;
            continue;
        }
        int d = hex_digit(text.ptr[i]);
        if (d < 0)
            return false;
        out->bytes[n / 2] = (uint8_t)(n % 2 ? out->bytes[n / 2] | d : d << 4);
        n++;
    }
    return n == 32;
}
