/* search.c: see search.h. */
#include "common/base/search.h"

#include <string.h>

static int64_t key_of(const void *rows, size_t row, size_t stride, size_t offset)
{
    int64_t key;
    memcpy(&key, (const char *)rows + row * stride + offset, sizeof key);
    return key;
}

size_t lower_bound(const void *rows, size_t count, size_t stride, size_t offset, int64_t key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (key_of(rows, middle, stride, offset) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool has_key(const void *rows, size_t count, size_t stride, size_t offset, int64_t key)
{
    size_t first = lower_bound(rows, count, stride, offset, key);
    return first < count && key_of(rows, first, stride, offset) == key;
}
