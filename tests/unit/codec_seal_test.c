/* codec_seal_test.c: what was sealed opens with either active key, for its own row only, and not
 * after any byte was changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/codec/seal.h"

static struct arena arena;
static struct err err;
static const struct id row = {{1, 2, 3}}, other_row = {{1, 2, 4}};

static struct seal_keys keys_of(uint8_t current, int previous)
{
    struct seal_keys keys = {.has_previous = previous >= 0};
    memset(keys.current.bytes, current, SEAL_KEY_SIZE);
    memset(keys.current.fingerprint.bytes, current, 16);
    memset(keys.previous.bytes, previous, SEAL_KEY_SIZE);
    memset(keys.previous.fingerprint.bytes, previous, 16);
    return keys;
}

static void assert_opens(const struct seal_keys *keys, const struct sealed *sealed,
                         struct span wanted)
{
    struct span value;
    assert_int_equal(seal_open(keys, &arena, &row, sealed, &value, &err), OUTCOME_OK);
    assert_int_equal(value.len, wanted.len);
    assert_memory_equal(value.ptr, wanted.ptr, wanted.len);
}

static void assert_stays_shut(const struct seal_keys *keys, const struct id *of,
                              const struct sealed *sealed, const char *code)
{
    struct span value;
    assert_int_equal(seal_open(keys, &arena, of, sealed, &value, &err), OUTCOME_REJECT);
    assert_string_equal(err.code, code);
}

static void test_round_trip(void **state)
{
    static const char *const values[] = {"", "jane@example1.com", "+4915112345678"};
    struct seal_keys keys = keys_of(7, -1);
    struct sealed one, two;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct span value = span_of(values[i]);
        seal_value(&keys, &arena, &row, value, &one);
        seal_value(&keys, &arena, &row, value, &two);
        assert_opens(&keys, &one, value);
        assert_int_equal(one.sealed.len, value.len + 16);
        /* each has a key of its own */
        assert_memory_not_equal(one.sealed.ptr, two.sealed.ptr, two.sealed.len);
        assert_true(value.len == 0 ||
                    memmem(one.sealed.ptr, one.sealed.len, value.ptr, value.len) == NULL);
    }
}

static struct span with_bit_flipped(struct span bytes, size_t at)
{
    struct span copy = arena_copy(&arena, bytes);
    ((char *)copy.ptr)[at] ^= 1;
    return copy;
}

static void test_changed_or_moved(void **state)
{
    struct seal_keys keys = keys_of(7, -1);
    struct sealed sealed;
    seal_value(&keys, &arena, &row, SPAN("jane@example1.com"), &sealed);
    assert_stays_shut(&keys, &other_row, &sealed, "seal_broken");
    struct span *const parts[] = {&sealed.wrapped_key, &sealed.nonce, &sealed.sealed};
    for (size_t p = 0; p < 3; p++) {
        struct span whole = *parts[p];
        for (size_t at = 0; at < whole.len; at++) {
            *parts[p] = with_bit_flipped(whole, at);
            assert_stays_shut(&keys, &row, &sealed, "seal_broken");
        }
        *parts[p] = (struct span){whole.ptr, whole.len - 1};
        assert_stays_shut(&keys, &row, &sealed, "seal_broken");
        *parts[p] = SPAN("");
        assert_stays_shut(&keys, &row, &sealed, "seal_broken");
        *parts[p] = whole;
    }
    assert_opens(&keys, &sealed, SPAN("jane@example1.com"));
}

static void test_rotation(void **state)
{
    struct seal_keys before = keys_of(7, -1), between = keys_of(9, 7), after = keys_of(9, -1);
    struct sealed old, rewrapped;
    seal_value(&before, &arena, &row, SPAN("jane"), &old);
    assert_opens(&between, &old, SPAN("jane"));
    assert_stays_shut(&after, &row, &old, "seal_key_unknown");
    assert_int_equal(seal_rewrap(&between, &arena, &row, &old, &rewrapped, &err), OUTCOME_OK);
    assert_true(id_equal(&rewrapped.key_id, &after.current.fingerprint));
    assert_opens(&after, &rewrapped, SPAN("jane"));
    assert_stays_shut(&before, &row, &rewrapped, "seal_key_unknown");
    assert_int_equal(seal_rewrap(&after, &arena, &row, &old, &rewrapped, &err), OUTCOME_REJECT);
}

static void test_key_files(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool is_usable;
    } files[] = {
        {"0123456789abcdef0123456789abcdef", 32, true}, /* raw */
        {" 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 66, true},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg", 64, false},
        {"0123456789abcdef0123456789abcde", 31, false},
        {"", 0, false},
    };
    char path[] = "/tmp/tutti-seal-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct seal_keys keys;
        assert_int_equal(ftruncate(file, 0), 0);
        assert_int_equal(pwrite(file, files[i].bytes, files[i].length, 0), files[i].length);
        assert_int_equal(seal_keys_read(path, "", &keys, &err),
                         files[i].is_usable ? OUTCOME_OK : OUTCOME_FATAL);
    }
    close(file);
    unlink(path);
    assert_int_equal(seal_keys_read(path, NULL, &(struct seal_keys){0}, &err), OUTCOME_FATAL);
    assert_string_equal(err.code, "key_unreadable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_changed_or_moved),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_key_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
