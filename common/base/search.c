/* search.c: see search.h. */
#include "common/base/search.h"

#include <string.h>

size_t lower_bound(const void *rows, size_t count, size_t stride, size_t offset, int64_t key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t found;
        memcpy(&found, (const char *)rows + middle * stride + offset, sizeof found);
        if (found < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
