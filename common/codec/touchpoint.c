/* touchpoint.c: a touchpoint's id, its score, and the walk over its raw consent map. */
#include "common/codec/touchpoint.h"

#include <sodium.h>

#include "common/base/pack.h"
#include "common/words/words.h"

/* The cursor keeps the entries left in the current block in the upper half of its length; a payload
 * is below 1 MB. */
enum { COUNT_SHIFT = 32 };

bool consent_next(struct span *cursor, struct span *key, bool *value)
{
    if (cursor->ptr == NULL)
        return false;
    uint64_t left = (uint64_t)cursor->len >> COUNT_SHIFT;
    size_t len = cursor->len & UINT32_MAX;
    struct unpack u = unpack_of((struct span){cursor->ptr, len});
    if (left == 0) {
        int64_t count = unpack_zigzag(&u);
        if (count < 0)
            unpack_zigzag(&u);
        left = count < 0 ? -(uint64_t)count : (uint64_t)count;
    }
    if (left > 0 && left <= len) {
        int64_t key_len = unpack_zigzag(&u);
        *key = unpack_bytes(&u, (size_t)key_len);
        *value = unpack_byte(&u) == 1;
    }
    if (left == 0 || left > len || u.failed) {
        *cursor = SPAN_NONE;
        return false;
    }
    size_t rest = (size_t)(u.end - u.at);
    *cursor = (struct span){(const char *)u.at, (size_t)((left - 1) << COUNT_SHIFT) | rest};
    return true;
}

enum { SCORE_BEST = 100 };

/* The worst answer is -100, the best one 100, the others between them, rounded to the nearest. */
static int64_t score_on_scale(int64_t raw, int64_t worst, int64_t best)
{
    int64_t steps = best - worst;
    return (2 * 2 * SCORE_BEST * (raw - worst) + steps) / (2 * steps) - SCORE_BEST;
}

enum outcome touchpoint_decode(const struct avro_plan *plan, struct span payload,
                               struct touchpoint *out, struct err *err)
{
    int64_t worst, best;
    CHECK(avro_plan_decode(plan, payload, out, err));
    if (out->score_raw == LONG_ABSENT)
        return OUTCOME_OK;
    out->score = LONG_ABSENT;
    if (!score_scale(out->score_kind, &worst, &best))
        return OUTCOME_OK;
    if (out->score_raw < worst || out->score_raw > best)
        return err_set(err, OUTCOME_REJECT, "number_out_of_range",
                       "score_raw: a number outside the scale of its score_kind");
    out->score = score_on_scale(out->score_raw, worst, best);
    return OUTCOME_OK;
}

static void hash_with_length(crypto_generichash_state *state, struct span s)
{
    uint32_t length = __builtin_bswap32((uint32_t)s.len);
    crypto_generichash_update(state, (const unsigned char *)&length, sizeof length);
    crypto_generichash_update(state, (const unsigned char *)s.ptr, s.len);
}

void touchpoint_event_id(struct span source, struct span message_id, struct id *out)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof out->bytes);
    hash_with_length(&state, source);
    hash_with_length(&state, message_id);
    crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
}
