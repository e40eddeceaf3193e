/* framing_fuzz.c: any value under any framing. First byte: framing; second: length of the header
 * (255: none); header; value. */
#include <stdint.h>
#include <stdlib.h>

#include "common/codec/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frame;
    struct err err;
    if (size < 2)
        return 0;
    size_t header_size = data[1] == 255 ? 0 : data[1];
    if (header_size > size - 2)
        return 0;
    struct span header =
        data[1] == 255 ? SPAN_NONE : (struct span){(const char *)data + 2, header_size};
    struct span value = {(const char *)data + 2 + header_size, size - 2 - header_size};
    if (frame_split((enum framing)(data[0] % 3), value, header, &frame, &err) == OUTCOME_OK &&
        (frame.payload.ptr < value.ptr ||
         frame.payload.ptr + frame.payload.len != value.ptr + value.len))
        abort();
    return 0;
}
