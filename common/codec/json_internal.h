/* json_internal.h: the tree of a document, for the files of json.h. */
#ifndef TUTTI_CODEC_JSON_INTERNAL_H
#define TUTTI_CODEC_JSON_INTERNAL_H

#include "common/codec/json.h"

struct document {
    struct span name;
    bool is_file; /* otherwise data: never quoted */
};

struct json {
    enum json_shape shape;
    const struct document *document;
    const struct json *parent;
    struct span key; /* of a member */
    struct span text;
    int64_t integer; /* also a boolean */
    double real;
    size_t count;
    struct json *items;
};

static inline enum outcome json_on_error(const struct document *document)
{
    return document->is_file ? OUTCOME_FATAL : OUTCOME_REJECT;
}

#endif
