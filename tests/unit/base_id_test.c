/* base_id_test.c: uuid text, order and the short key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/id.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void uuid_texts(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"00112233-4455-6677-8899-aabbccddeeff", true},
        {"00112233445566778899AABBCCDDEEFF", true},
        {"", false},
        {"00112233-4455-6677-8899-aabbccddeef", false},
        {"00112233-4455-6677-8899-aabbccddeeff0", false},
        {"0011223-34455-6677-8899-aabbccddeeff", false},
        {"00112233-4455-6677-8899-aabbccddeefg", false},
        {"00112233-4455-6677-8899-aabbccddee--", false},
        {"001122334455667788990aabbccddeeff0000", false},
        {"0011223344556677 8899AABBCCDDEEF", false},
        {"{0011223344556677-8899-aabbccddeeff}", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct id id;
        char text[37];
        if (id_from_uuid(span_of(rows[i].text), &id) != rows[i].valid)
            fail_msg("%s", rows[i].text);
        if (!rows[i].valid)
            continue;
        id_to_uuid(&id, text);
        assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
    }
}

static void order_is_of_unsigned_bytes(void **state)
{
    struct id low = {{0x7F}}, high = {{0x80}}, nil = {{0}}, last = {{0}};
    last.bytes[15] = 1;
    assert_true(id_compare(&low, &high) < 0);
    assert_true(id_compare(&nil, &last) < 0);
    assert_true(id_is_nil(&nil));
    assert_false(id_is_nil(&last));
    assert_false(id_equal(&nil, &last));
}

static void short_key(void **state)
{
    struct id id = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 9}},
              one = {{0, 0, 0, 0, 0, 0, 1, 2, 9}};
    assert_int_equal(id_short(&id), -2);
    assert_int_equal(id_short(&one), 258);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuid_texts),
        cmocka_unit_test(order_is_of_unsigned_bytes),
        cmocka_unit_test(short_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
