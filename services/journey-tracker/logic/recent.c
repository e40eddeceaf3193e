/* recent.c: a short list in one block: what goes leaves room at the front. */
#include "services/journey-tracker/logic/recent.h"

void recent_prune(struct recent *list, struct instant since)
{
    uint32_t gone = 0;
    while (gone < list->count &&
           instant_compare(((const struct recent_touch *)recent_at(list, gone))->at, since) < 0)
        gone++;
    if (gone > 0)
        recent_drop(list, gone);
}

/* Room for one more at the end: moved to the front while that is cheap, else twice the size. */
static void make_room(struct recent *list, struct arena *arena)
{
    if (list->head + list->count < list->capacity)
        return;
    if (list->head > 0 && list->head >= list->capacity / 2) {
        memmove(list->items, recent_at(list, 0), list->count * list->size);
        list->head = 0;
        return;
    }
    uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
    list->items =
        arena_realloc(arena, list->items, list->capacity * list->size, capacity * list->size);
    list->capacity = capacity;
}

void *recent_push(struct recent *list, struct arena *arena, const struct recent_touch *touch)
{
    if (list->count == list->max)
        recent_drop(list, 1);
    make_room(list, arena);
    void *item = recent_at(list, list->count++);
    memset(item, 0, list->size);
    *(struct recent_touch *)item = *touch;
    return item;
}

void recent_copy(struct recent *to, const struct recent *from, struct arena *arena)
{
    *to = *from;
    to->head = 0;
    to->capacity = from->count;
    to->items = NULL;
    if (from->count == 0)
        return;
    to->items = arena_alloc(arena, from->count * from->size);
    memcpy(to->items, recent_at(from, 0), from->count * from->size);
}

void recent_pack(struct strbuf *out, struct instant last, const struct recent_touch *touch)
{
    pack_age(out, last, touch->at);
    pack_varint(out, touch->shape->code);
    pack_varint(out, touch->segments);
}

struct recent_touch recent_unpack(struct piece_bytes *bytes, struct instant last)
{
    struct recent_touch touch = {.at = unpack_age(&bytes->in, last)};
    touch.shape = piece_shape(bytes, (uint32_t)unpack_varint(&bytes->in));
    touch.segments = (uint32_t)unpack_varint(&bytes->in);
    return touch;
}
