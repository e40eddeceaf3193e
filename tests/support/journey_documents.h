/* journey_documents.h: policy files as texts, and a dictionary in memory for what they name. Needs
 * cmocka. */
#ifndef TUTTI_TEST_JOURNEY_DOCUMENTS_H
#define TUTTI_TEST_JOURNEY_DOCUMENTS_H

#include "common/codec/json.h"

/* Ends the test if the text is no JSON. `name` stands in the places of errors. */
static inline const struct json *document_of(struct arena *arena, const char *name,
                                             const char *text)
{
    const struct json *json = NULL;
    struct err err;
    if (json_parse_span(arena, span_of(text), name, &json, &err) != OUTCOME_OK)
        fail_msg("%s: %s", text, err.message);
    return json;
}

/* Code of a text is its place + 1. */
struct word_list {
    struct span items[64];
    uint32_t count;
};

/* For journey_policy_intern; context is a struct word_list. */
static inline enum outcome word_list_intern(void *context, struct span text, uint32_t *code,
                                            struct err *err)
{
    struct word_list *words = context;
    *code = 0;
    while (*code < words->count && !span_equal(words->items[*code], text))
        (*code)++;
    if (*code == words->count) {
        assert_true(words->count < sizeof words->items / sizeof *words->items);
        words->items[words->count++] = text;
    }
    (*code)++;
    return OUTCOME_OK;
}

#endif
