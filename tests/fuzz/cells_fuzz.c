/* cells_fuzz.c: any bytes as packed cells: what is accepted, packs and unpacks to the same cells.
 */
#include <stdlib.h>

#include "common/codec/cells.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool values_are_zero(const struct cell *cell)
{
    static const int64_t zero[CELL_VALUES];
    return memcmp(cell->values, zero, sizeof zero) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct cell *first, *second;
    size_t count, again;
    if (cells_unpack(&arena, (struct span){(const char *)data, size}, &first, &count, NULL) ==
        OUTCOME_OK) {
        struct strbuf packed = {.arena = &arena};
        cells_pack(&packed, first, count);
        if (cells_unpack(&arena, strbuf_span(&packed), &second, &again, NULL) != OUTCOME_OK)
            abort();
        size_t j = 0;
        for (size_t i = 0; i < count; i++) {
            if (values_are_zero(&first[i]))
                continue;
            if (j == again || memcmp(&first[i], &second[j], sizeof *first) != 0)
                abort();
            j++;
        }
        if (j != again)
            abort();
    }
    arena_free(&arena);
    return 0;
}
