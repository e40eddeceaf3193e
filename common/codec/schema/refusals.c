/* refusals.c: see refusals.h. */
#include "common/codec/schema/refusals.h"

#include <stdlib.h>
#include <string.h>

struct refusal {
    uint8_t key[REFUSALS_KEY_MAX];
    int64_t until_us; /* 0: the slot was never used */
    struct err why;
};

void refusals_init(struct refusals *refusals, size_t key_size)
{
    *refusals = (struct refusals){.all = calloc(REFUSALS_MAX, sizeof *refusals->all)};
    if (refusals->all == NULL || key_size > REFUSALS_KEY_MAX)
        abort();
    map_init(&refusals->slots, NULL, key_size, sizeof(uint32_t));
}

void refusals_free(struct refusals *refusals)
{
    map_free(&refusals->slots);
    free(refusals->all);
}

const struct err *refusals_find(const struct refusals *refusals, const void *key, int64_t now_us)
{
    const uint32_t *slot = map_find(&refusals->slots, key);
    return slot && now_us < refusals->all[*slot].until_us ? &refusals->all[*slot].why : NULL;
}

/* The slot of a key; a new key takes that of the oldest refusal. */
static struct refusal *slot_of(struct refusals *refusals, const void *key)
{
    const uint32_t *known = map_find(&refusals->slots, key);
    if (known)
        return &refusals->all[*known];
    uint32_t slot = refusals->next;
    struct refusal *refusal = &refusals->all[slot];
    refusals->next = (slot + 1) % REFUSALS_MAX;
    if (refusal->until_us)
        map_remove(&refusals->slots, refusal->key);
    memcpy(refusal->key, key, refusals->slots.key_size);
    *(uint32_t *)map_put(&refusals->slots, key, NULL) = slot;
    return refusal;
}

void refusals_add(struct refusals *refusals, const void *key, const struct err *why,
                  int64_t until_us)
{
    struct refusal *refusal = slot_of(refusals, key);
    refusal->until_us = until_us;
    refusal->why = *why;
}
