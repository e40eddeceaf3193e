/* messages_fuzz.c: any bytes for the decoders of our own messages; what decodes is written again
 * and decodes again. */
#include <stdint.h>
#include <stdlib.h>

#include "common/codec/compress.h"
#include "common/codec/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void identity(struct arena *arena, struct span value, struct strbuf *out)
{
    struct identity_change change;
    struct err err;
    if (identity_change_decode(arena, value, &change, &err) == OUTCOME_OK) {
        identity_change_encode(out, &change);
        if (identity_change_decode(arena, strbuf_span(out), &change, &err))
            abort();
    }
}

static void diff(struct arena *arena, struct span value, struct strbuf *out)
{
    struct journey_diff message;
    struct span cells;
    struct err err;
    if (journey_diff_decode(value, &message, &err) == OUTCOME_OK) {
        lz4_unpack(arena, message.cells, message.raw_size, &cells, &err);
        journey_diff_encode(out, &message);
        if (journey_diff_decode(strbuf_span(out), &message, &err))
            abort();
    }
}

static void stage(struct span value, struct strbuf *out)
{
    struct stage_change_message message;
    struct err err;
    if (stage_change_decode(value, &message, &err) == OUTCOME_OK) {
        stage_change_encode(out, &message);
        if (stage_change_decode(strbuf_span(out), &message, &err))
            abort();
    }
}

static void opportunity(struct span value, struct strbuf *out)
{
    struct opportunity_change_message message;
    struct err err;
    if (opportunity_change_decode(value, &message, &err) == OUTCOME_OK) {
        opportunity_change_encode(out, &message);
        if (opportunity_change_decode(strbuf_span(out), &message, &err))
            abort();
    }
}

static void decision(struct span value, struct strbuf *out)
{
    struct contact_decision_message message;
    struct err err;
    if (contact_decision_decode(value, &message, &err) == OUTCOME_OK) {
        contact_decision_encode(out, &message);
        if (contact_decision_decode(strbuf_span(out), &message, &err))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct strbuf out = {.arena = &arena};
    if (size == 0)
        return 0;
    struct span value = {(const char *)data + 1, size - 1};
    switch (data[0] % 5) {
    case 0:
        identity(&arena, value, &out);
        break;
    case 1:
        diff(&arena, value, &out);
        break;
    case 2:
        stage(value, &out);
        break;
    case 3:
        decision(value, &out);
        break;
    case 4:
        opportunity(value, &out);
        break;
    }
    arena_free(&arena);
    return 0;
}
