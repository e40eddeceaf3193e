/* compress.h: LZ4 blocks, for diffs on their topic and payloads in the outbox. */
#ifndef TUTTI_CODEC_COMPRESS_H
#define TUTTI_CODEC_COMPRESS_H

#include "common/base/outcome.h"
#include "common/base/pack.h"

enum { COMPRESS_MAX_RAW = 16 * 1024 * 1024 };

/* Appends one LZ4 block. raw must be at most COMPRESS_MAX_RAW: FATAL "too_large_to_compress"
 * otherwise. */
enum outcome lz4_pack(struct span raw, struct strbuf *out, struct err *err);

/* Expands a block whose size before compression is known. REJECT "lz4_invalid" unless it expands to
 * exactly raw_size. */
enum outcome lz4_unpack(struct arena *arena, struct span block, int32_t raw_size, struct span *out,
                        struct err *err);

#endif
