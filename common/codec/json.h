/* json.h: strict JSON: policy files with clear errors, and the free-form JSON texts inside
 * touchpoints.
 *
 * A document is a read-only tree in an arena. The typed getters return OK and leave *out as it
 * is where the key is absent, so a reader sets its defaults first. json_check_keys says which
 * keys must and may be there.
 *
 * Every error has the code "json_invalid" and names the document and the place in it:
 * contact.json: rules[3].per: expected an ISO 8601 duration such as P30D, got "7 days".
 *
 * A file is written by an operator. Its errors are FATAL and quote it, and a null in it is an
 * error. Any other text is data. Its errors are REJECT and never quote it, and a null in it is
 * the same as an absent key. */
#ifndef TUTTI_CODEC_JSON_H
#define TUTTI_CODEC_JSON_H

#include "common/base/arena.h"
#include "common/base/instant.h"
#include "common/base/nearest.h"
#include "common/base/outcome.h"

enum json_shape {
    SHAPE_NULL,
    SHAPE_BOOL,
    SHAPE_INT,
    SHAPE_REAL,
    SHAPE_TEXT,
    SHAPE_LIST,
    SHAPE_OBJECT
};

struct json; /* a value of a document; lives in the document's arena */

/* Reads a whole file, at most 16 MB. Duplicate keys, trailing text, bad UTF-8, NUL and numbers
 * beyond 64 bits are errors, given as file:line:column. */
enum outcome json_read_file(struct arena *arena, const char *path, const struct json **out,
                            struct err *err);
/* The same for the text of a file that was read already; path must live as long as the document. */
enum outcome json_parse_file(struct arena *arena, struct span text, const char *path,
                             const struct json **out, struct err *err);
/* The same for a text that is no file's; name is what errors call it and must live as long as the
 * document. */
enum outcome json_parse_span(struct arena *arena, struct span text, const char *name,
                             const struct json **out, struct err *err);

enum json_shape json_shape(const struct json *value);
/* Number of elements or members; 0 for anything else. */
size_t json_count(const struct json *value);
/* Element or member i (members in the order of the text), NULL beyond the end. */
const struct json *json_at(const struct json *value, size_t i);
/* Key of a member; SPAN_NONE for an element of a list or for the document itself. */
struct span json_key(const struct json *value);
/* Member of an object, NULL if absent, if it is null, or if value is no object (or NULL). */
const struct json *json_get(const struct json *value, const char *key);
struct span json_name(const struct json *value); /* the document's name */

/* REJECT or FATAL unless value is an object that has all of `required` and nothing beyond
 * `required` and `optional` (key names separated by blanks). An unknown key is answered with the
 * nearest known one. In a file no member may be null. The document itself may have a text "$schema"
 * besides: it is for editors. */
enum outcome json_check_keys(const struct json *value, const char *required, const char *optional,
                             struct err *err);

/* Conversions of one value (an element of a list, for instance). */
/* borrowed, followed by a NUL */
enum outcome json_as_text(const struct json *value, struct span *out, struct err *err);
enum outcome json_as_int(const struct json *value, int64_t min, int64_t max, int64_t *out,
                         struct err *err);
/* Any number. */
enum outcome json_as_real(const struct json *value, double *out, struct err *err);
enum outcome json_as_bool(const struct json *value, bool *out, struct err *err);
/* ISO 8601 */
enum outcome json_as_duration(const struct json *value, struct duration *out, struct err *err);
/* An amount as text, in millionths: at most 12 digits before and 6 after the point. */
enum outcome json_as_amount(const struct json *value, int64_t *micros, struct err *err);
/* Position of the text in choices ("drop|defer"). */
enum outcome json_as_choice(const struct json *value, const char *choices, int *out,
                            struct err *err);

/* The same for a member; an absent (or null) one leaves *out untouched. */
enum outcome json_text(const struct json *object, const char *key, struct span *out,
                       struct err *err);
enum outcome json_int(const struct json *object, const char *key, int64_t min, int64_t max,
                      int64_t *out, struct err *err);
enum outcome json_bool(const struct json *object, const char *key, bool *out, struct err *err);
enum outcome json_duration(const struct json *object, const char *key, struct duration *out,
                           struct err *err);
enum outcome json_amount(const struct json *object, const char *key, int64_t *micros,
                         struct err *err);
enum outcome json_choice(const struct json *object, const char *key, const char *choices, int *out,
                         struct err *err);
/* Members that are lists or objects themselves; *out is NULL where absent (json_count(NULL) is 0).
 */
enum outcome json_list(const struct json *object, const char *key, const struct json **out,
                       struct err *err);
enum outcome json_section(const struct json *object, const char *key, const struct json **out,
                          struct err *err);

/* Fills err for a rule that only the caller knows ("limit must not exceed the cap of all
 * channels"). */
enum outcome json_fail(const struct json *value, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts the place of a value before an error that was found without one; OK stays OK. */
enum outcome json_placed(const struct json *value, enum outcome outcome, struct err *err);
/* json_fail for a name that nothing has: what is wrong, then the nearest name, if one is near. */
enum outcome json_fail_nearest(const struct json *value, const struct nearest *nearest,
                               const char *what, struct err *err);

#endif
