/* avro_write.h: the Avro binary encoding of our own messages, written and read by hand. Pure and
 * small enough to inline. */
#ifndef TUTTI_CODEC_AVRO_WRITE_H
#define TUTTI_CODEC_AVRO_WRITE_H

#include "common/base/pack.h"
#include "common/codec/touchpoint.h"

/* Unions are ["null", T]: branch 0 is null, branch 1 the value. */
void avro_write_boolean(struct strbuf *out, bool v);
void avro_write_long(struct strbuf *out, int64_t v); /* also an int */
/* also a string; an absent one becomes empty */
void avro_write_bytes(struct strbuf *out, struct span s);
void avro_write_id(struct strbuf *out, const struct id *id);
void avro_write_opt_string(struct strbuf *out, struct span s);   /* SPAN_NONE becomes null */
void avro_write_opt_long(struct strbuf *out, int64_t v);         /* LONG_ABSENT becomes null */
void avro_write_opt_id(struct strbuf *out, const struct id *id); /* nil becomes null */

/* Readers share the fails-once reader of pack.h. */
bool avro_read_boolean(struct unpack *u);
int64_t avro_read_long(struct unpack *u);
int32_t avro_read_int(struct unpack *u);
struct span avro_read_bytes(struct unpack *u);
struct span avro_read_string(struct unpack *u); /* strict UTF-8 without NUL */
struct id avro_read_id(struct unpack *u);
struct span avro_read_opt_string(struct unpack *u);
int64_t avro_read_opt_long(struct unpack *u);
struct id avro_read_opt_id(struct unpack *u);
/* Count of the next block of an array, 0 at its end. */
uint64_t avro_read_block(struct unpack *u);

#endif
