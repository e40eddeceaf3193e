/* door_tokens_test.c: the file of tokens: what is read, what is refused, who may what, and how
 * often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "door/door_tokens.h"

/* SHA-256 of "test". */
#define TEST_HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static enum outcome read_text(const char *text, mode_t mode, struct door_tokens *tokens,
                              struct err *err)
{
    char path[] = "/tmp/tutti-tokens-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    fchmod(fd, mode);
    close(fd);
    enum outcome outcome = door_tokens_read(path, tokens, err);
    unlink(path);
    return outcome;
}

static void test_a_token_and_its_rights(void **state)
{
    struct door_tokens tokens = {0};
    struct err err;
    assert_int_equal(read_text("# comment\n\n" TEST_HASH "  sales\tsms,email  decide,peek\n", 0600,
                               &tokens, &err),
                     OUTCOME_OK);
    assert_null(door_tokens_find(&tokens, NULL));
    assert_null(door_tokens_find(&tokens, "Bearer tests"));
    assert_null(door_tokens_find(&tokens, "Basic test"));
    struct door_token *token = door_tokens_find(&tokens, "bearer test ");
    assert_non_null(token);
    assert_int_equal(token->rights, RIGHT_DECIDE | RIGHT_PEEK);
    assert_true(door_token_may(token, SPAN("sales"), SPAN("email")));
    assert_false(door_token_may(token, SPAN("sales"), SPAN("push")));
    assert_false(door_token_may(token, SPAN("sale"), SPAN("email")));
    assert_false(door_token_may(token, SPAN(""), SPAN("email")));
    door_tokens_free(&tokens);
}

static void test_stars(void **state)
{
    struct door_tokens tokens = {0};
    struct err err;
    assert_int_equal(read_text(TEST_HASH " * * *\n", 0600, &tokens, &err), OUTCOME_OK);
    assert_int_equal(tokens.items[0].rights, RIGHT_ALL);
    assert_true(door_token_may(&tokens.items[0], SPAN(""), SPAN("push")));
    door_tokens_free(&tokens);
}

/* A bad file says where, and leaves what was read before. */
static void test_bad_files(void **state)
{
    static const struct {
        const char *text, *says;
        mode_t mode;
    } bad[] = {
        {TEST_HASH " sales sms\n", ":1: expected four fields", 0600},
        {TEST_HASH " a b c d\n", ":1: expected four fields", 0600},
        {"\n# x\n1234 sales sms decide\n", ":3: the first field is no SHA-256", 0600},
        {"g" TEST_HASH, ":1: expected four fields", 0600},
        {TEST_HASH " sales sms decied\n", ":1: the rights are", 0600},
        {"# nobody\n", "has no token", 0600},
        {TEST_HASH " * * *\n", "every user of this machine can read", 0644},
    };
    struct door_tokens tokens = {0};
    struct err err;
    assert_int_equal(read_text(TEST_HASH " * * *\n", 0600, &tokens, &err), OUTCOME_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_text(bad[i].text, bad[i].mode, &tokens, &err), OUTCOME_FATAL);
        assert_non_null(strstr(err.message, bad[i].says));
        assert_non_null(door_tokens_find(&tokens, "Bearer test"));
    }
    door_tokens_free(&tokens);
}

static void test_how_often(void **state)
{
    struct door_token token = {0};
    int64_t now_us = 1000000;
    for (int i = 0; i < 20; i++)
        assert_true(door_token_take(&token, 10, now_us));
    assert_false(door_token_take(&token, 10, now_us));
    assert_false(door_token_take(&token, 10, now_us + 90000));
    assert_true(door_token_take(&token, 10, now_us + 110000));
    assert_false(door_token_take(&token, 10, now_us + 110000));
    for (int i = 0; i < 20; i++) /* no more than two seconds' worth after a night */
        assert_true(door_token_take(&token, 10, now_us + 86400000000));
    assert_false(door_token_take(&token, 10, now_us + 86400000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_and_its_rights),
        cmocka_unit_test(test_stars),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_how_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
