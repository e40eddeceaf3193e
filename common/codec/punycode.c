/* punycode.c: Punycode as RFC 3492 gives it in section 6.3; names are those of the RFC. */
#include "common/codec/punycode.h"

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, FIRST = 0x80 };

static uint64_t adapt(uint64_t delta, uint64_t points, bool is_first)
{
    uint64_t k = 0;
    delta = is_first ? delta / DAMP : delta / 2;
    for (delta += delta / points; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void add_digit(struct strbuf *out, uint64_t digit)
{
    strbuf_addf(out, "%c", "abcdefghijklmnopqrstuvwxyz0123456789"[digit]);
}

/* delta as a generalised variable-length integer. */
static void add_delta(struct strbuf *out, uint64_t q, uint64_t bias)
{
    for (uint64_t k = BASE;; k += BASE) {
        uint64_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (q < t)
            break;
        add_digit(out, t + (q - t) % (BASE - t));
        q = (q - t) / (BASE - t);
    }
    add_digit(out, q);
}

static size_t add_ascii(struct strbuf *out, const int32_t *label, size_t count)
{
    size_t added = 0;
    for (size_t i = 0; i < count; i++)
        if (label[i] < FIRST) {
            strbuf_addf(out, "%c", (char)label[i]);
            added++;
        }
    return added;
}

static int32_t next_point(const int32_t *label, size_t count, int32_t from)
{
    int32_t least = INT32_MAX;
    for (size_t i = 0; i < count; i++)
        if (label[i] >= from && label[i] < least)
            least = label[i];
    return least;
}

static bool is_ascii(const int32_t *label, size_t count)
{
    return next_point(label, count, FIRST) == INT32_MAX;
}

void punycode_add_label(struct strbuf *out, const int32_t *label, size_t count)
{
    uint64_t delta = 0, bias = INITIAL_BIAS;
    bool all = is_ascii(label, count);
    if (!all)
        strbuf_addf(out, "xn--");
    size_t basic = add_ascii(out, label, count), done = basic;
    if (!all && basic > 0)
        strbuf_addf(out, "-");
    for (int32_t n = FIRST; done < count; n++) {
        int32_t next = next_point(label, count, n);
        delta += (uint64_t)(next - n) * (done + 1);
        n = next;
        for (size_t i = 0; i < count; i++) {
            delta += label[i] < n;
            if (label[i] != n)
                continue;
            add_delta(out, delta, bias);
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
    }
}
