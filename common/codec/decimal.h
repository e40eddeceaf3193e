/* decimal.h: decimals as they are written, without floating point. */
#ifndef TUTTI_CODEC_DECIMAL_H
#define TUTTI_CODEC_DECIMAL_H

#include "common/base/span.h"

/* [-]whole[.fraction] * 10^exponent; the parts are borrowed. */
struct decimal {
    struct span whole, fraction;
    int64_t exponent;
    bool is_negative;
};

/* Takes digits with a sign and a fraction, if it has them, from the start of *rest; false: it does
 * not begin with such a number. */
bool decimal_take(struct span *rest, struct decimal *out);
/* Takes the exponent behind it, if there is one. */
bool decimal_take_exponent(struct span *rest, struct decimal *out);

/* In millionths, halves away from zero; false: it does not fit. *is_exact: nothing was rounded. */
bool decimal_millionths(const struct decimal *decimal, int64_t *out, bool *is_exact);

#endif
