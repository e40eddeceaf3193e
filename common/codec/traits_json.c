/* traits_json.c: goes through a JSON text once; see traits_json.h. */
#include "common/codec/traits_json.h"

#include <stdlib.h>

#include "common/base/pack.h"
#include "common/codec/json_reader.h"
#include "common/codec/unicode.h"
#include "common/words/said.h"

struct member {
    struct said said;
    bool is_kept;
    size_t place; /* in the text */
};

struct members {
    struct member *items;
    size_t count, capacity;
};

/* False: it is none that is kept. */
static bool say(struct arena *arena, const struct json_scalar *value, struct said *said)
{
    bool is_exact;
    switch (value->shape) {
    case SHAPE_NULL:
        said->kind = SAID_NOTHING;
        return true;
    case SHAPE_BOOL:
        said->kind = value->is_true ? SAID_TRUE : SAID_FALSE;
        return true;
    case SHAPE_REAL:
        said->kind = SAID_NUMBER;
        return decimal_millionths(&value->number, &said->number, &is_exact) && is_exact;
    case SHAPE_TEXT:
        said->kind = SAID_WORDS;
        said->text = unicode_nfc(arena, span_trim(value->text));
        return said->text.len >= 1 && said->text.len <= SAID_TEXT;
    default:
        return false;
    }
}

static void take_member(struct json_reader *r, struct members *members)
{
    struct member member = {.said = {.name = json_take_name(r)}, .place = members->count};
    struct json_scalar value = json_take_value(r);
    if (r->failed || !said_is_name(member.said.name))
        return;
    member.is_kept = say(r->arena, &value, &member.said);
    *arena_push(r->arena, members) = member;
}

/* By name; of one name the last one first. */
static int member_compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int c = span_compare(x->said.name, y->said.name);
    return c ? c : (x->place < y->place) - (x->place > y->place);
}

static struct span packed(struct arena *arena, struct members *members, uint64_t *left_out)
{
    struct strbuf out = {.arena = arena};
    size_t kept = 0;
    if (members->count > 1)
        qsort(members->items, members->count, sizeof *members->items, member_compare);
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->items[i];
        if (i > 0 && span_equal(member->said.name, member[-1].said.name))
            continue;
        if (member->is_kept && kept < SAID_MEMBERS) {
            said_pack(&out, &member->said);
            kept++;
        } else {
            ++*left_out;
        }
    }
    return kept ? strbuf_span(&out) : SPAN_NONE;
}

struct span traits_json_said(struct arena *arena, struct span traits_json, uint64_t *left_out)
{
    struct json_reader r = json_reader_of(arena, traits_json);
    struct members members = {0};
    if (!json_enter(&r, SHAPE_OBJECT))
        return SPAN_NONE;
    for (size_t n = 0; json_next(&r, SHAPE_OBJECT, n); n++)
        take_member(&r, &members);
    return json_reader_is_done(&r) ? packed(arena, &members, left_out) : SPAN_NONE;
}
