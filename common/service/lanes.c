/* lanes.c: keeps the lanes of the newest assignment. */
#include "common/service/lanes.h"

#include <stdlib.h>

void lanes_assign(struct lanes *lanes, const int *topics, const int32_t *partitions, size_t count)
{
    lanes->items = realloc(lanes->items, (count + 1) * sizeof *lanes->items);
    if (lanes->items == NULL)
        abort();
    lanes->count = count;
    for (size_t i = 0; i < count; i++)
        lanes->items[i] = lane_of(topics[i], partitions[i]);
}

void lanes_free(struct lanes *lanes)
{
    free(lanes->items);
    *lanes = (struct lanes){0};
}
