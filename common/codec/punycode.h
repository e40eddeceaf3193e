/* punycode.h: a label of a domain in ASCII (RFC 3492). */
#ifndef TUTTI_CODEC_PUNYCODE_H
#define TUTTI_CODEC_PUNYCODE_H

#include <stdint.h>

#include "common/base/pack.h"

/* Appends the label: as it is if all of it is ASCII, else "xn--" and its Punycode. Code points are
 * below 0x110000. */
void punycode_add_label(struct strbuf *out, const int32_t *label, size_t count);

#endif
