/* search.h: looking for keys in sorted rows. */
#ifndef TUTTI_BASE_SEARCH_H
#define TUTTI_BASE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first of `count` rows of `stride` bytes whose key is not below `key`; count if there is none.
 * The key of a row is an int64_t, `offset` bytes from its start; the rows are sorted by it. rows
 * may be NULL if count is 0. */
size_t lower_bound(const void *rows, size_t count, size_t stride, size_t offset, int64_t key);
/* Whether one of these rows has the key. */
bool has_key(const void *rows, size_t count, size_t stride, size_t offset, int64_t key);

#endif
