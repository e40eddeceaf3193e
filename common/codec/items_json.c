/* items_json.c: see items_json.h. */
#include "common/codec/items_json.h"

#include "common/base/pack.h"
#include "common/codec/json.h"
#include "common/words/order_lines.h"

enum { NAME_MAX_BYTES = 1000 };

/* The text must hold what separates lines nowhere else. */
static bool is_usable(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ')
            return false;
    return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

/* Ids are written as texts or as numbers. */
static struct span name_of(struct arena *arena, const struct json *value)
{
    struct span text = SPAN_NONE;
    int64_t number;
    if (value && json_shape(value) == SHAPE_TEXT)
        json_as_text(value, &text, NULL);
    else if (value && json_shape(value) == SHAPE_INT &&
             json_as_int(value, INT64_MIN, INT64_MAX, &number, NULL) == OUTCOME_OK)
        text = span_of(arena_printf(arena, "%lld", (long long)number));
    return is_usable(text) ? text : SPAN_NONE;
}

static struct span first_name(struct arena *arena, const struct json *line,
                              const char *const keys[3])
{
    struct span name = SPAN_NONE;
    for (size_t i = 0; i < 3 && name.len == 0; i++)
        name = name_of(arena, json_get(line, keys[i]));
    return name;
}

static void add_line(struct arena *arena, const struct json *line, struct strbuf *out)
{
    static const char *const products[] = {"product_id", "sku", "item_id"}, *const categories[] = {
                                                                                "category",
                                                                                "product_category",
                                                                                "item_category"};
    struct span product = first_name(arena, line, products),
                category = first_name(arena, line, categories);
    if (product.len + category.len > 0)
        strbuf_addf(out, SPAN_FMT "\x1f" SPAN_FMT "\n", SPAN_ARG(product), SPAN_ARG(category));
}

struct span items_json_lines(struct arena *arena, struct span items_json)
{
    const struct json *list;
    struct strbuf out = {.arena = arena};
    if (items_json.len == 0 ||
        json_parse_span(arena, items_json, "items_json", &list, NULL) != OUTCOME_OK ||
        json_shape(list) != SHAPE_LIST)
        return SPAN_NONE;
    for (size_t i = 0; i < json_count(list) && i < ORDER_LINES_MAX; i++)
        add_line(arena, json_at(list, i), &out);
    return out.len ? strbuf_span(&out) : SPAN_NONE;
}
