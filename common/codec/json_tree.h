/* json_tree.h: the tree of a JSON text that is encoded as Avro (avro/json_to_avro.h), for code that
 * looks into it first. Documents that are read for their own sake have json.h. */
#ifndef TUTTI_CODEC_JSON_TREE_H
#define TUTTI_CODEC_JSON_TREE_H

#include <stdbool.h>

#include "common/base/outcome.h"
#include "common/base/span.h"

struct json_t; /* jansson's */

/* REJECT "json_invalid" for duplicate keys, trailing text and bad UTF-8, too. */
enum outcome json_tree_parse(struct span text, struct json_t **out, struct err *err);
void json_tree_free(struct json_t *tree);

/* Borrowed parts; NULL where there is none, or where the value is of another kind. */
struct json_t *json_tree_member(struct json_t *object, const char *key);
struct json_t *json_tree_item(struct json_t *list, size_t i);
/* Sets a member to a copy of a text. False: these are no object and no text. */
bool json_tree_put_text(struct json_t *object, const char *key, const struct json_t *text);
/* Number of items; 0 for what is no list. */
size_t json_tree_count(const struct json_t *list);
bool json_tree_is_list(const struct json_t *value);

#endif
