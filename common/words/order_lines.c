/* order_lines.c: see order_lines.h. */
#include "common/words/order_lines.h"

static struct span take(struct span *rest, char separator)
{
    const char *end = memchr(rest->ptr, separator, rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len, taken = end ? len + 1 : len;
    struct span part = {rest->ptr, len};
    *rest = (struct span){rest->ptr + taken, rest->len - taken};
    return part;
}

bool order_line_next(struct span *rest, struct order_line *line)
{
    while (rest->len > 0) {
        struct span text = take(rest, '\n');
        line->product_id = take(&text, ORDER_LINE_SEPARATOR);
        line->category = text;
        if (line->product_id.len + line->category.len > 0)
            return true;
    }
    return false;
}

bool category_covers(struct span category, struct span other)
{
    if (category.len == 0 || category.len > other.len ||
        memcmp(category.ptr, other.ptr, category.len) != 0)
        return false;
    return other.len == category.len || other.ptr[category.len] == '/';
}
