/* order.c: rings and heap of the merge by record timestamp; see order.h. */
#include "common/bus/order.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    int64_t timestamp;
    void *item;
    uint32_t bytes;
};

struct ring {
    struct entry *entries;
    uint32_t first, count, capacity; /* capacity is 0 or a power of two */
    bool at_end, given_up;
};

struct order {
    struct ring *rings;
    uint32_t *heap; /* lanes with items, the oldest head first */
    size_t lanes, allocated, heap_count;
    size_t waited, at_end; /* empty lanes of these two kinds */
    size_t items, bytes, max_items, max_bytes;
    int64_t horizon; /* lanes that reach beyond it have no room */
};

struct order *order_new(size_t max_items, size_t max_bytes)
{
    struct order *order = calloc(1, sizeof *order);
    if (!order)
        abort();
    order->max_items = max_items;
    order->max_bytes = max_bytes;
    order->horizon = INT64_MAX;
    return order;
}

static struct entry *ring_at(const struct ring *ring, uint32_t i)
{
    return &ring->entries[(ring->first + i) & (ring->capacity - 1)];
}

static void ring_grow(struct ring *ring)
{
    uint32_t capacity = ring->capacity ? ring->capacity * 2 : 256;
    struct entry *entries = malloc(capacity * sizeof *entries);
    if (!entries)
        abort();
    for (uint32_t i = 0; i < ring->count; i++)
        entries[i] = *ring_at(ring, i);
    free(ring->entries);
    ring->entries = entries;
    ring->first = 0;
    ring->capacity = capacity;
}

static void drop_all(struct order *order, void (*drop)(void *item))
{
    for (size_t lane = 0; lane < order->lanes; lane++) {
        for (uint32_t i = 0; i < order->rings[lane].count; i++)
            drop(ring_at(&order->rings[lane], i)->item);
    }
}

void order_free(struct order *order, void (*drop)(void *item))
{
    if (!order)
        return;
    drop_all(order, drop);
    for (size_t lane = 0; lane < order->allocated; lane++)
        free(order->rings[lane].entries);
    free(order->rings);
    free(order->heap);
    free(order);
}

static void allocate_lanes(struct order *order, size_t lanes)
{
    if (lanes <= order->allocated)
        return;
    order->rings = realloc(order->rings, lanes * sizeof *order->rings);
    order->heap = realloc(order->heap, lanes * sizeof *order->heap);
    if (!order->rings || !order->heap)
        abort();
    memset(order->rings + order->allocated, 0, (lanes - order->allocated) * sizeof *order->rings);
    order->allocated = lanes;
}

void order_reset(struct order *order, size_t lanes, void (*drop)(void *item))
{
    drop_all(order, drop);
    allocate_lanes(order, lanes);
    for (size_t lane = 0; lane < order->allocated; lane++) {
        free(order->rings[lane].entries);
        order->rings[lane] = (struct ring){0};
    }
    order->lanes = lanes;
    order->waited = lanes;
    order->at_end = order->heap_count = order->items = order->bytes = 0;
    order->horizon = INT64_MAX;
}

/* True if the head of lane a comes before the head of lane b. */
static bool is_before(const struct order *order, uint32_t a, uint32_t b)
{
    int64_t ta = ring_at(&order->rings[a], 0)->timestamp,
            tb = ring_at(&order->rings[b], 0)->timestamp;
    return ta != tb ? ta < tb : a < b;
}

static void heap_down(struct order *order)
{
    size_t i = 0;
    uint32_t moving = order->heap[0];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= order->heap_count)
            break;
        if (child + 1 < order->heap_count &&
            is_before(order, order->heap[child + 1], order->heap[child]))
            child++;
        if (!is_before(order, order->heap[child], moving))
            break;
        order->heap[i] = order->heap[child];
        i = child;
    }
    order->heap[i] = moving;
}

static void heap_add(struct order *order, uint32_t lane)
{
    size_t i = order->heap_count++;
    while (i > 0 && is_before(order, lane, order->heap[(i - 1) / 2])) {
        order->heap[i] = order->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    order->heap[i] = lane;
}

/* Adds (or takes away) an empty lane in the count of its kind. */
static void count_empty(struct order *order, const struct ring *ring, int by)
{
    if (ring->at_end)
        order->at_end += (size_t)by;
    else if (!ring->given_up)
        order->waited += (size_t)by;
}

static int64_t tail_of(const struct ring *ring)
{
    return ring_at(ring, ring->count - 1)->timestamp;
}

void order_balance(struct order *order)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    order->horizon = INT64_MAX;
    if (order->items < order->max_items / 2 && order->bytes < order->max_bytes / 2)
        return;
    for (size_t i = 0; i < order->heap_count; i++) {
        int64_t tail = tail_of(&order->rings[order->heap[i]]);
        low = tail < low ? tail : low;
        high = tail > high ? tail : high;
    }
    if (low <= high)
        order->horizon = low + (int64_t)(((uint64_t)high - (uint64_t)low) / 2);
}

bool order_has_room(const struct order *order, size_t lane)
{
    const struct ring *ring = &order->rings[lane];
    if (ring->count == 0)
        return true;
    return order->items < order->max_items && order->bytes < order->max_bytes &&
           tail_of(ring) <= order->horizon;
}

void order_push(struct order *order, size_t lane, int64_t timestamp, void *item, size_t bytes)
{
    struct ring *ring = &order->rings[lane];
    if (ring->count == 0)
        count_empty(order, ring, -1);
    if (ring->count == ring->capacity)
        ring_grow(ring);
    *ring_at(ring, ring->count++) = (struct entry){timestamp, item, (uint32_t)bytes};
    ring->at_end = ring->given_up = false;
    order->items++;
    order->bytes += (uint32_t)bytes;
    if (ring->count == 1)
        heap_add(order, (uint32_t)lane);
}

void order_end(struct order *order, size_t lane)
{
    struct ring *ring = &order->rings[lane];
    if (ring->count == 0)
        count_empty(order, ring, -1);
    ring->at_end = true;
    if (ring->count == 0)
        count_empty(order, ring, 1);
}

size_t order_give_up(struct order *order)
{
    size_t before = order->waited;
    for (size_t lane = 0; order->waited > 0 && lane < order->lanes; lane++) {
        if (order_is_waited_for(order, lane)) {
            order->rings[lane].given_up = true;
            order->waited--;
        }
    }
    return before;
}

void *order_pop(struct order *order, size_t *lane)
{
    if (order->heap_count == 0 || order->waited > 0)
        return NULL;
    uint32_t oldest = order->heap[0];
    struct ring *ring = &order->rings[oldest];
    struct entry *entry = ring_at(ring, 0);
    ring->first++;
    ring->count--;
    order->items--;
    order->bytes -= entry->bytes;
    if (ring->count == 0) {
        count_empty(order, ring, 1);
        order->heap[0] = order->heap[--order->heap_count];
    }
    if (order->heap_count > 1)
        heap_down(order);
    *lane = oldest;
    return entry->item;
}

bool order_is_waiting(const struct order *order)
{
    return order->waited > 0;
}

bool order_is_drained(const struct order *order)
{
    return order->at_end == order->lanes;
}

bool order_is_at_end(const struct order *order, size_t lane)
{
    const struct ring *ring = &order->rings[lane];
    return ring->count == 0 && ring->at_end;
}

size_t order_lane_count(const struct order *order, size_t lane)
{
    return order->rings[lane].count;
}

bool order_is_waited_for(const struct order *order, size_t lane)
{
    const struct ring *ring = &order->rings[lane];
    return ring->count == 0 && !ring->at_end && !ring->given_up;
}

size_t order_count(const struct order *order)
{
    return order->items;
}

size_t order_bytes(const struct order *order)
{
    return order->bytes;
}
