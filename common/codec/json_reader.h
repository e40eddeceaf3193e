/* json_reader.h: goes once through a JSON text inside a touchpoint, value by value, without a tree.
 *
 * Numbers are decimals, never floating point. It takes what RFC 8259 calls JSON, and nothing else;
 * neither lone surrogates nor zero bytes in texts, and at most 100 lists and objects inside each
 * other. After a failure nothing more can be taken. */
#ifndef TUTTI_CODEC_JSON_READER_H
#define TUTTI_CODEC_JSON_READER_H

#include "common/base/arena.h"
#include "common/codec/decimal.h"
#include "common/codec/json.h"

struct json_reader {
    const char *at, *end;
    struct arena *arena;
    int depth; /* lists and objects that are open */
    bool failed;
};

struct json_scalar {
    enum json_shape shape; /* SHAPE_REAL: any number */
    bool is_true;
    struct span text; /* a text without its escapes, or a number as it is written; borrowed or in
                         the arena */
    struct decimal number;
};

struct json_reader json_reader_of(struct arena *arena, struct span text);

/* Goes into a list or an object; false if the next value is none. */
bool json_enter(struct json_reader *r, enum json_shape shape);
/* Whether entry n (from 0) of what was entered last follows; at its end leaves it. All entries are
 * to be taken in turn. */
bool json_next(struct json_reader *r, enum json_shape shape, size_t n);
/* The name of a member; its value follows. SPAN_NONE after a failure. */
struct span json_take_name(struct json_reader *r);
/* A value. Lists and objects are gone through; only their shape is told. */
struct json_scalar json_take_value(struct json_reader *r);
/* Whether all of the text was taken, and it was JSON. */
bool json_reader_is_done(struct json_reader *r);

#endif
