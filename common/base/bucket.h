/* bucket.h: which of equal parts an id falls into, by a name: the lot of a holdout. */
#ifndef TUTTI_BASE_BUCKET_H
#define TUTTI_BASE_BUCKET_H

#include "common/base/id.h"

enum { BUCKET_COUNT = 10000 };

/* BLAKE2b-64 of (name, 0x00, id), big-endian, modulo BUCKET_COUNT. Under another name an id falls
 * elsewhere. */
int32_t bucket_of(struct span name, const struct id *id);

#endif
