/* cells.h: packed cells, as they travel inside a journey diff (before lz4).
 *
 * varint count, then per cell: family byte; zigzag period; byte = number of dims up to the last
 * that is not 0, varint each; byte = bitmap of the values that are not 0, zigzag each. Cells are
 * sorted by key, so equal sets give equal bytes. */
#ifndef TUTTI_CODEC_CELLS_H
#define TUTTI_CODEC_CELLS_H

#include "common/base/cell.h"
#include "common/base/outcome.h"
#include "common/base/pack.h"

int cell_compare(const void *a, const void *b); /* by key */
/* Appends a packed set; cells must be sorted; those whose values are all 0 are left out. */
void cells_pack(struct strbuf *out, const struct cell *cells, size_t count);
/* Reads a packed set into the arena. REJECT "cells_malformed". */
enum outcome cells_unpack(struct arena *arena, struct span packed, struct cell **cells,
                          size_t *count, struct err *err);

#endif
