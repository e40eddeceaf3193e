/* said.h: what one touchpoint says of its customer, as short bytes: the members of traits_json that
 * are kept, by their names.
 *
 * common/codec/traits_json.h makes the bytes, journey.facts.traits keeps them, and
 * services/journey-tracker/logic/trait.h reads them. One after the other: length of the name
 * (1 byte), the name, the kind (1 byte), a number as a zigzag varint or a text with its length. */
#ifndef TUTTI_WORDS_SAID_H
#define TUTTI_WORDS_SAID_H

#include "common/base/pack.h"

enum {
    SAID_MEMBERS = 64, /* members of one touchpoint */
    SAID_NAME = 64,    /* bytes of a name */
    SAID_TEXT = 256,   /* bytes of a text */
};

enum said_kind { SAID_NOTHING, SAID_FALSE, SAID_TRUE, SAID_NUMBER, SAID_WORDS };

struct said {
    struct span name;
    enum said_kind kind;
    int64_t number;   /* SAID_NUMBER: in millionths */
    struct span text; /* SAID_WORDS */
};

void said_pack(struct strbuf *out, const struct said *said);
/* The next member; false at the end, and where the bytes cannot be read. */
bool said_next(struct unpack *in, struct said *out);
/* Whether a text may name a trait: 1 to SAID_NAME letters, digits, `_`, `-`, `.`. */
bool said_is_name(struct span name);

#endif
