/* base_pack_test.c: round trips of every packed form, and failure at every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/pack.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint64_t numbers[] = {
    0,
    1,
    0x7F,
    0x80,
    0x3FFF,
    0x4000,
    0x1FFFFF,
    0x200000,
    0xFFFFFFFFu,
    0x100000000u,
    UINT64_C(1) << 55,
    UINT64_C(1) << 56,
    (UINT64_C(1) << 63) - 1,
    UINT64_C(1) << 63,
    UINT64_MAX - 1,
    UINT64_MAX,
};

static void pack_everything(struct strbuf *buf, uint64_t v)
{
    pack_byte(buf, (uint8_t)v);
    pack_be16(buf, (uint16_t)v);
    pack_be32(buf, (uint32_t)v);
    pack_be64(buf, v);
    pack_varint(buf, v);
    pack_zigzag(buf, (int64_t)v);
    pack_span(buf, SPAN("touch\0point"));
    pack_span(buf, SPAN_NONE);
}

/* True if everything read equals what pack_everything wrote. */
static bool unpack_everything(struct unpack *u, uint64_t v)
{
    bool same = unpack_byte(u) == (uint8_t)v;
    same &= unpack_be16(u) == (uint16_t)v;
    same &= unpack_be32(u) == (uint32_t)v;
    same &= unpack_be64(u) == v;
    same &= unpack_varint(u) == v;
    same &= unpack_zigzag(u) == (int64_t)v;
    same &= span_equal(unpack_span(u), SPAN("touch\0point"));
    same &= unpack_span(u).len == 0;
    return same && !u->failed;
}

static void round_trip_and_every_truncation(void **state)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct strbuf buf = {0};
        pack_everything(&buf, numbers[i]);
        struct unpack whole = unpack_of(strbuf_span(&buf));
        assert_true(unpack_everything(&whole, numbers[i]));
        assert_ptr_equal(whole.at, whole.end);
        for (size_t cut = 0; cut < buf.len; cut++) {
            /* A copy of exact size, so that a sanitizer sees any read beyond the cut. */
            struct strbuf part = {0};
            strbuf_add(&part, buf.ptr, cut);
            struct unpack u = unpack_of(strbuf_span(&part));
            assert_false(unpack_everything(&u, numbers[i]));
            assert_true(u.failed);
            strbuf_free(&part);
        }
        strbuf_free(&buf);
    }
}

static void known_bytes(void **state)
{
    struct strbuf buf = {0};
    pack_zigzag(&buf, -1);
    pack_zigzag(&buf, 1);
    pack_zigzag(&buf, -64);
    pack_zigzag(&buf, 64);
    pack_varint(&buf, 300);
    pack_be32(&buf, 0x01020304);
    assert_int_equal(buf.len, 11);
    assert_memory_equal(buf.ptr, "\x01\x02\x7F\x80\x01\xAC\x02\x01\x02\x03\x04", 11);
    strbuf_free(&buf);
}

static void hostile_varints(void **state)
{
    static const struct {
        const char *rule;
        struct span bytes;
        bool fails;
        uint64_t value;
    } rows[] = {
        {"largest", SPAN("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), false, UINT64_MAX},
        {"tenth byte too large", SPAN("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"), true, 0},
        {"tenth byte goes on", SPAN("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x00"), true, 0},
        {"eleven bytes", SPAN("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), true, 0},
        {"never ends", SPAN("\x80\x80"), true, 0},
        {"empty", SPAN(""), true, 0},
        {"absent", {NULL, 0}, true, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct unpack u = unpack_of(rows[i].bytes);
        uint64_t v = unpack_varint(&u);
        if (v != rows[i].value || u.failed != rows[i].fails)
            fail_msg("%s", rows[i].rule);
    }
}

static void hostile_lengths(void **state)
{
    static const uint64_t lengths[] = {4, 5, 1u << 31, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct strbuf buf = {0};
        pack_varint(&buf, lengths[i]);
        strbuf_add(&buf, "abc", 3);
        struct unpack u = unpack_of(strbuf_span(&buf));
        assert_null(unpack_span(&u).ptr);
        assert_true(u.failed);
        strbuf_free(&buf);
    }
}

static void failed_stays_failed(void **state)
{
    struct unpack u = unpack_of(SPAN("\x05"
                                     "ab\x01"));
    assert_null(unpack_span(&u).ptr);
    assert_int_equal(unpack_byte(&u), 0);
    assert_int_equal(unpack_be64(&u), 0);
    assert_int_equal(unpack_zigzag(&u), 0);
    assert_null(unpack_bytes(&u, 0).ptr);
    assert_true(u.failed);
}

static void strbuf_in_arena_and_heap(void **state)
{
    struct arena arena = {0};
    for (int on_heap = 0; on_heap < 2; on_heap++) {
        struct strbuf buf = {.arena = on_heap ? NULL : &arena};
        assert_int_equal(strbuf_span(&buf).len, 0);
        assert_non_null(strbuf_span(&buf).ptr);
        for (int i = 0; i < 2000; i++)
            strbuf_addf(&buf, "%04d", i);
        assert_int_equal(buf.len, 8000);
        assert_int_equal(buf.ptr[8000], '\0');
        assert_memory_equal(buf.ptr + 4 * 1234, "1234", 4);
        strbuf_reset(&buf);
        strbuf_add(&buf, "x", 1);
        assert_string_equal(buf.ptr, "x");
        strbuf_free(&buf);
        strbuf_free(&buf);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_and_every_truncation),
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(hostile_varints),
        cmocka_unit_test(hostile_lengths),
        cmocka_unit_test(failed_stays_failed),
        cmocka_unit_test(strbuf_in_arena_and_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
