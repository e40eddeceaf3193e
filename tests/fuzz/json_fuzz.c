/* json_fuzz.c: any text as a policy: parsed, walked, asked for every type, and its errors written;
 * and the same text as the lines of an order. */
#include <stdint.h>
#include <stdlib.h>

#include "common/codec/items_json.h"
#include "common/codec/json.h"
#include "common/words/order_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct json *value)
{
    struct err err;
    struct span text;
    struct duration duration;
    int64_t integer;
    bool flag;
    int choice;
    json_check_keys(value, "id rules", "limit per on_fail", &err);
    json_as_text(value, &text, &err);
    json_as_int(value, 0, 100, &integer, &err);
    json_as_bool(value, &flag, &err);
    json_as_duration(value, &duration, &err);
    json_as_choice(value, "drop|defer", &choice, &err);
    json_fail(value, &err, "nothing");
}

static void walk(const struct json *value, int depth)
{
    ask(value);
    for (size_t i = 0; i < json_count(value) && depth < 64; i++) {
        const struct json *each = json_at(value, i);
        if (json_shape(value) == SHAPE_OBJECT && json_key(each).ptr == NULL)
            abort();
        walk(each, depth + 1);
    }
}

static size_t count_lines(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

static void read_items(struct arena *arena, struct span text)
{
    struct items items = items_json_read(arena, text);
    if (count_lines(items.lines) > ORDER_LINES_MAX || count_lines(items.amounts) > ORDER_LINES_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct span text = {(const char *)data, size};
    const struct json *root;
    struct err err;
    if (json_parse_span(&arena, text, "text", &root, &err) == OUTCOME_OK)
        walk(root, 0);
    read_items(&arena, text);
    arena_free(&arena);
    return 0;
}
