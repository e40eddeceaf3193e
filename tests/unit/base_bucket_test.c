/* base_bucket_test.c: the lots of a holdout, by the vectors of hashlib.blake2b(digest_size=8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/bucket.h"

static void arms_are_as_reckoned_elsewhere(void **state)
{
    static const struct {
        const char *name, *id;
        int32_t bucket;
    } rows[] = {
        {"global", "404aed9f-e5db-ab23-2b8b-b23806c0f5c7", 8790},
        {"global", "00000000-0000-0000-0000-000000000001", 3251},
        {"global", "ffffffff-ffff-ffff-ffff-ffffffffffff", 9918},
        {"global", "00000000-0000-0000-0000-000000000011", 157},
        {"global", "00000000-0000-0000-0000-000000006c09", 499},
        {"global", "00000000-0000-0000-0000-000000000684", 500},
        {"spring", "404aed9f-e5db-ab23-2b8b-b23806c0f5c7", 4963},
        {"spring", "00000000-0000-0000-0000-000000000001", 1412},
        {"spring", "ffffffff-ffff-ffff-ffff-ffffffffffff", 7180},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct id id;
        assert_true(id_from_uuid(span_of(rows[i].id), &id));
        if (bucket_of(span_of(rows[i].name), &id) != rows[i].bucket)
            fail_msg("%s %s: %d", rows[i].name, rows[i].id, bucket_of(span_of(rows[i].name), &id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(arms_are_as_reckoned_elsewhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
