/* compress.c: see compress.h. */
#include "common/codec/compress.h"

#include <lz4.h>

enum outcome lz4_pack(struct span raw, struct strbuf *out, struct err *err)
{
    if (raw.len > COMPRESS_MAX_RAW)
        return err_set(err, OUTCOME_FATAL, "too_large_to_compress", "%zu bytes, more than 16 MB",
                       raw.len);
    int bound = LZ4_compressBound((int)raw.len);
    strbuf_reserve(out, (size_t)bound);
    int n = LZ4_compress_default(raw.ptr ? raw.ptr : "", out->ptr + out->len, (int)raw.len, bound);
    if (n <= 0)
        return err_set(err, OUTCOME_FATAL, "too_large_to_compress", "LZ4 failed on %zu bytes",
                       raw.len);
    out->len += (size_t)n;
    out->ptr[out->len] = '\0';
    return OUTCOME_OK;
}

enum outcome lz4_unpack(struct arena *arena, struct span block, int32_t raw_size, struct span *out,
                        struct err *err)
{
    *out = SPAN_NONE;
    if (raw_size < 0 || raw_size > COMPRESS_MAX_RAW || block.ptr == NULL || block.len > INT32_MAX)
        return err_set(err, OUTCOME_REJECT, "lz4_invalid", "a raw size of %d bytes", (int)raw_size);
    char *raw = arena_alloc(arena, (size_t)raw_size + 1);
    if (LZ4_decompress_safe(block.ptr, raw, (int)block.len, raw_size) != raw_size)
        return err_set(err, OUTCOME_REJECT, "lz4_invalid", "the block does not expand to %d bytes",
                       (int)raw_size);
    *out = (struct span){raw, (size_t)raw_size};
    return OUTCOME_OK;
}
