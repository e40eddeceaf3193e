/* unicode.h: what people mean by the letters, blanks and digits of an address (utf8proc).
 *
 * Each function is a function of the text alone. Applied twice it gives what it gave once. Text in
 * plain ASCII comes back without a copy where nothing changes; a text that is no UTF-8 comes back
 * as it is. Results are in the arena or borrowed. Rules: docs/figures.md, Values. */
#ifndef TUTTI_CODEC_UNICODE_H
#define TUTTI_CODEC_UNICODE_H

#include "common/base/arena.h"
#include "common/base/span.h"

/* Unicode NFC. */
struct span unicode_nfc(struct arena *arena, struct span text);

/* Without white space at both ends, and without the blanks and invisible characters of Unicode
 * there. */
struct span unicode_trim(struct span text);

/* An e-mail address without blanks, control and invisible characters. The part before the last @
 * is case-folded; of the domain each label is folded and written in ASCII (as an A-label). */
struct span unicode_email(struct arena *arena, struct span text);

/* The name of a host: as the domain of an address, and without a dot at its end. */
struct span unicode_host(struct arena *arena, struct span text);

/* A phone number with the digits, hyphens, blanks and signs of ASCII in place of all others,
 * without control and invisible characters, and without "tel:" in front. */
struct span unicode_phone(struct arena *arena, struct span text);

#endif
