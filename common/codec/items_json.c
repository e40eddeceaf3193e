/* items_json.c: see items_json.h. */
#include "common/codec/items_json.h"

#include "common/base/pack.h"
#include "common/codec/json_reader.h"
#include "common/words/order_lines.h"

enum { NAME_MAX_BYTES = 1000 };
#define ABSENT  INT64_MIN
#define MILLION INT64_C(1000000)
#define MOST    (INT64_C(9000000000000) * MILLION)

/* What is read of an entry. Of a name that it says twice the last one counts. */
static const char *const names[] = {
    "product_id",    "sku",      "item_id", "category", "product_category",
    "item_category", "quantity", "value",   "price",    "margin"};
enum { PRODUCT = 0, CATEGORY = 3, QUANTITY = 6, VALUE, PRICE, MARGIN, NAMES };

struct entry {
    struct json_scalar values[NAMES];
};

/* One of the two texts: entries without a part of it are empty lines, but none at its end. */
struct text {
    struct strbuf bytes;
    size_t entries;
};

static void add_entry(struct text *text, size_t place, struct span part)
{
    if (part.len == 0)
        return;
    for (; text->entries < place; text->entries++)
        pack_byte(&text->bytes, '\n');
    strbuf_add(&text->bytes, part.ptr, part.len);
    pack_byte(&text->bytes, '\n');
    text->entries++;
}

/* ---- names ---- */

/* The text must hold what separates lines nowhere else. */
static bool is_usable(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ')
            return false;
    return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

/* The first of three that is usable. Ids are written as texts or as numbers. */
static struct span name_of(const struct json_scalar *three)
{
    for (size_t i = 0; i < 3; i++)
        if ((three[i].shape == SHAPE_TEXT || three[i].shape == SHAPE_REAL) &&
            is_usable(three[i].text))
            return three[i].text;
    return SPAN_NONE;
}

static struct span named(struct arena *arena, const struct entry *entry)
{
    struct span product = name_of(entry->values + PRODUCT),
                category = name_of(entry->values + CATEGORY);
    if (product.len + category.len == 0)
        return SPAN_NONE;
    return span_of(
        arena_printf(arena, SPAN_FMT "\x1f" SPAN_FMT, SPAN_ARG(product), SPAN_ARG(category)));
}

/* ---- amounts ---- */

static int64_t within(int64_t micros)
{
    return micros < -MOST || micros > MOST ? ABSENT : micros;
}

/* A number, or a text of decimal digits. */
static int64_t micros_of(const struct json_scalar *value)
{
    struct decimal number = value->number;
    struct span rest = value->text;
    int64_t micros;
    bool is_exact;
    if (value->shape != SHAPE_REAL &&
        (value->shape != SHAPE_TEXT || !decimal_take(&rest, &number) || rest.len > 0))
        return ABSENT;
    return decimal_millionths(&number, &micros, &is_exact) ? within(micros) : ABSENT;
}

/* Halves away from zero. */
static int64_t product_of(int64_t a, int64_t b)
{
    __int128 exact = (__int128)a * b, half = exact < 0 ? -MILLION / 2 : MILLION / 2;
    exact = (exact + half) / MILLION;
    return exact < -MOST || exact > MOST ? ABSENT : (int64_t)exact;
}

static int64_t value_of(const struct entry *entry, int64_t quantity)
{
    int64_t value = micros_of(&entry->values[VALUE]), price = micros_of(&entry->values[PRICE]);
    if (value != ABSENT || price == ABSENT)
        return value;
    return quantity == ABSENT ? price : product_of(price, quantity);
}

static void add_amount(struct strbuf *out, int64_t micros)
{
    if (micros != ABSENT)
        strbuf_addf(out, "%lld", (long long)micros);
}

static struct span amounts(struct arena *arena, const struct entry *entry)
{
    struct strbuf out = {.arena = arena};
    int64_t quantity = micros_of(&entry->values[QUANTITY]), value = value_of(entry, quantity),
            margin = micros_of(&entry->values[MARGIN]);
    if (quantity == ABSENT && value == ABSENT && margin == ABSENT)
        return SPAN_NONE;
    add_amount(&out, quantity);
    pack_byte(&out, ORDER_LINE_SEPARATOR);
    add_amount(&out, value);
    pack_byte(&out, ORDER_LINE_SEPARATOR);
    add_amount(&out, margin);
    return strbuf_span(&out);
}

/* ---- entries ---- */

static void take_member(struct json_reader *r, struct entry *entry)
{
    struct span name = json_take_name(r);
    struct json_scalar value = json_take_value(r);
    for (size_t i = 0; i < NAMES; i++)
        if (span_is(name, names[i]))
            entry->values[i] = value;
}

static struct entry take_entry(struct json_reader *r)
{
    struct entry entry = {0};
    if (!json_enter(r, SHAPE_OBJECT))
        json_take_value(r);
    else
        for (size_t n = 0; json_next(r, SHAPE_OBJECT, n); n++)
            take_member(r, &entry);
    return entry;
}

struct items items_json_read(struct arena *arena, struct span items_json)
{
    struct json_reader r = json_reader_of(arena, items_json);
    struct text lines = {.bytes.arena = arena}, money = {.bytes.arena = arena};
    if (items_json.len == 0)
        return (struct items){0};
    if (!json_enter(&r, SHAPE_LIST))
        return (struct items){.is_unreadable = true};
    for (size_t n = 0; json_next(&r, SHAPE_LIST, n); n++) {
        struct entry entry = take_entry(&r);
        if (n < ORDER_LINES_MAX) {
            add_entry(&lines, n, named(arena, &entry));
            add_entry(&money, n, amounts(arena, &entry));
        }
    }
    if (!json_reader_is_done(&r))
        return (struct items){.is_unreadable = true};
    return (struct items){lines.entries ? strbuf_span(&lines.bytes) : SPAN_NONE,
                          money.entries ? strbuf_span(&money.bytes) : SPAN_NONE, false};
}
