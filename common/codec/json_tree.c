/* json_tree.c: see json_tree.h. */
#include "common/codec/json_tree.h"

#include <jansson.h>

enum outcome json_tree_parse(struct span text, json_t **out, struct err *err)
{
    json_error_t at;
    *out = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                      &at);
    return *out ? OUTCOME_OK
                : err_set(err, OUTCOME_REJECT, "json_invalid", "column %d: %s", at.column, at.text);
}

void json_tree_free(json_t *tree)
{
    json_decref(tree);
}

json_t *json_tree_member(json_t *object, const char *key)
{
    return json_object_get(object, key);
}

json_t *json_tree_item(json_t *list, size_t i)
{
    return json_array_get(list, i);
}

bool json_tree_put_text(json_t *object, const char *key, const json_t *text)
{
    return json_is_object(object) && json_is_string(text) &&
           json_object_set_new(object, key, json_copy((json_t *)text)) == 0;
}

size_t json_tree_count(const json_t *list)
{
    return json_array_size(list);
}

bool json_tree_is_list(const json_t *value)
{
    return json_is_array(value);
}
