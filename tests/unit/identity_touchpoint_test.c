/* identity_touchpoint_test.c: which identifiers a touchpoint carries and which of them is its
 * anchor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <sodium.h>
#include <cmocka.h>

#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "tests/support/identity_policies.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ROOM = TOUCHPOINT_MAX_IDENTIFIERS + 8 };

static struct arena arena;
static struct identity_policy policy;
static const struct digest_key digest_key = {.bytes = "0123456789abcdef", .len = 16};
static struct typed_id ids[ROOM];

static int set_up(void **state)
{
    policy = identity_shipped_policy(&arena, "identity.json");
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

static struct touchpoint touchpoint(void)
{
    return (struct touchpoint){.message_id = SPAN("m"),
                               .source = SPAN("urn:s"),
                               .type = SPAN("track"),
                               .channel = SPAN("web")};
}

static void add(struct touchpoint *tp, const char *type, const char *value)
{
    tp->identifiers[tp->identifier_count++] =
        (struct touchpoint_identifier){.type = span_of(type),
                                       .value = span_of(value),
                                       .encoding = SPAN("none"),
                                       .collection = SPAN("users")};
}

/* E-mails are identified by their digest. */
static struct id id_of(const char *type, const char *value)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    if (strcmp(type, "email") == 0) {
        crypto_hash_sha256(digest, (const unsigned char *)value, strlen(value));
        value = sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    }
    return digest_identifier(&digest_key, span_of(type), span_of(value));
}

struct wanted {
    const char *type, *value;
};

/* The touchpoint carries exactly these, in this order. */
static void check(const struct touchpoint *tp, const struct wanted *want, size_t count)
{
    assert_int_equal(identity_collect(&policy, &digest_key, tp, &arena, ids), count);
    for (size_t i = 0; i < count; i++) {
        struct id id = id_of(want[i].type, want[i].value);
        if (!span_is(ids[i].type->name, want[i].type) || !id_equal(&ids[i].id, &id))
            fail_msg("%zu is not %s %s", i, want[i].type, want[i].value);
    }
}

#define CHECK_IDS(tp, ...)                                                                         \
    check(&(tp), (const struct wanted[]){__VA_ARGS__},                                             \
          COUNT(((const struct wanted[]){__VA_ARGS__})))

static void the_strongest_type_is_the_anchor(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.anonymous_id = SPAN("a1");
    tp.device.id = SPAN("d1");
    tp.user_id = SPAN("u1");
    add(&tp, "external_id", "x1");
    add(&tp, "loyalty_id", "l1");
    add(&tp, "phone", "+15551234567");
    add(&tp, "email", "jane@example1.com");
    CHECK_IDS(tp, {"user_id", "u1"}, {"email", "jane@example1.com"}, {"phone", "+15551234567"},
              {"loyalty_id", "l1"}, {"external_id", "x1"}, {"device_id", "d1"},
              {"anonymous_id", "a1"});
}

static void ties_are_broken_by_id(void **state)
{
    struct touchpoint tp = touchpoint();
    const char *values[] = {"a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org"};
    for (size_t i = 0; i < COUNT(values); i++)
        add(&tp, "email", values[i]);
    tp.device.id = SPAN("d1");
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), COUNT(values) + 1);
    for (size_t i = 1; i < COUNT(values); i++)
        assert_true(id_compare(&ids[i - 1].id, &ids[i].id) < 0);
    struct id anchor = ids[0].id;
    tp.identifier_count = 0;
    for (size_t i = COUNT(values); i-- > 0;)
        add(&tp, "email", values[i]);
    identity_collect(&policy, &digest_key, &tp, &arena, ids);
    assert_true(id_equal(&anchor, &ids[0].id)); /* whatever the order of the list */
}

static void repeats_count_once(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.user_id = SPAN(" u1 ");
    add(&tp, "user_id", "u1");
    add(&tp, "email", "Jane@X.org");
    add(&tp, "loyalty_id", "u1");
    add(&tp, "email", "jane@x.org ");
    /* the same value of another type is another */
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 3);
    assert_true(span_is(ids[0].type->name, "user_id"));
}

static void a_session_is_an_anchor_only_alone(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.session_id = SPAN("s1");
    CHECK_IDS(tp, {"session_id", "s1"});
    add(&tp, "session_id", "s2"); /* still nothing else: one of them */
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 1);
    tp.anonymous_id = SPAN("null"); /* blocked: still nothing else */
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 1);
    tp.anonymous_id = SPAN("a1");
    CHECK_IDS(tp, {"anonymous_id", "a1"});
}

static void a_scoped_value_belongs_to_its_source(void **state)
{
    struct identity_type *session =
        (struct identity_type *)identity_find_type(&policy, SPAN("session_id"));
    struct touchpoint tp = touchpoint();
    struct id here = digest_identifier(&digest_key, SPAN("session_id"), SPAN("urn:s\0x7"));
    struct id there = digest_identifier(&digest_key, SPAN("session_id"), SPAN("urn:t\0x7"));
    session->links = session->is_scoped = true;
    tp.user_id = SPAN("7");
    tp.session_id = SPAN(" x7 ");
    add(&tp, "session_id", "x7"); /* the same way, wherever it stands */
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 2);
    assert_true(id_equal(&ids[1].id, &here));
    tp.source = SPAN("urn:t");
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 2);
    assert_true(id_equal(&ids[1].id, &there));
    tp.source = SPAN_NONE;
    CHECK_IDS(tp, {"user_id", "7"});
}

static void previous_id_counts_for_alias_only(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.user_id = SPAN("u1");
    tp.previous_id = SPAN("a9");
    CHECK_IDS(tp, {"user_id", "u1"});
    tp.type = SPAN("alias");
    CHECK_IDS(tp, {"user_id", "u1"}, {"anonymous_id", "a9"});
    tp.anonymous_id = SPAN("a9");
    CHECK_IDS(tp, {"user_id", "u1"}, {"anonymous_id", "a9"});
    tp.type = SPAN("Alias");
    tp.anonymous_id = SPAN_NONE;
    CHECK_IDS(tp, {"user_id", "u1"});
}

static void only_users_are_people(void **state)
{
    struct touchpoint tp = touchpoint();
    add(&tp, "email", "shop@x.org");
    tp.identifiers[0].collection = SPAN("accounts");
    add(&tp, "email", "a@x.org");
    tp.identifiers[1].collection = SPAN_NONE; /* the schema's default is users */
    CHECK_IDS(tp, {"email", "a@x.org"});
    struct touchpoint spelt = touchpoint();
    add(&spelt, "email", "a@x.org");
    spelt.identifiers[0].collection = SPAN(" Users");
    CHECK_IDS(spelt, {"email", "a@x.org"});
}

static void types_in_any_spelling(void **state)
{
    static const char *const spelt[] = {"email", "Email", " EMAIL ", "e-mail", "E_Mail"};
    for (size_t i = 0; i < sizeof spelt / sizeof *spelt; i++) {
        struct touchpoint tp = touchpoint();
        add(&tp, spelt[i], "a@x.org");
        add(&tp, "shoe size", "43");
        CHECK_IDS(tp, {"email", "a@x.org"});
    }
}

/* printf %s jane@example1.com | sha256sum */
#define JANE "c271000253bf6d1a936a72ee2c4ea69217c7095bad4b524b747b84a840f8a16c"

static void a_hashed_email_is_its_clear_form(void **state)
{
    struct touchpoint tp = touchpoint();
    struct id clear = digest_identifier(&digest_key, SPAN("email"), SPAN(JANE));
    static const char *const values[] = {"Jane@Example1.com", JANE};
    for (size_t i = 0; i < COUNT(values); i++) {
        tp.identifier_count = 0;
        add(&tp, "email", values[i]);
        assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 1);
        assert_true(id_equal(&ids[0].id, &clear));
    }
    add(&tp, "email", " JANE@example1.com");
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 1);
}

#define UPPER "0123456789ABCDEF0123456789ABCDEF"
#define LOWER "0123456789abcdef0123456789abcdef"

static void encodings_tell_digests(void **state)
{
    static const struct {
        struct span encoding;
        const char *want;
    } rows[] = {{SPAN("sha256"), LOWER},
                {SPAN("md5"), LOWER},
                {SPAN("none"), UPPER},
                {SPAN(""), UPPER},
                {SPAN_NONE, UPPER}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct touchpoint tp = touchpoint();
        add(&tp, "external_id", UPPER);
        tp.identifiers[0].encoding = rows[i].encoding;
        CHECK_IDS(tp, {"external_id", rows[i].want});
    }
}

static void unusable_values_are_left_out(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.user_id = SPAN("guest");
    tp.device.id = SPAN("00000000-0000-0000-0000-000000000000");
    tp.session_id = SPAN(" ");
    add(&tp, "phone", "call me");
    add(&tp, "shoe_size", "43"); /* no type of the policy */
    add(&tp, "email", "");
    tp.identifiers[0].type = SPAN("phone");
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids), 0);
    tp.anonymous_id = SPAN("a1");
    CHECK_IDS(tp, {"anonymous_id", "a1"});
}

static void composed_and_decomposed_text_is_one_identifier(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.user_id = SPAN("Jose\xCC\x81");
    add(&tp, "user_id", "Jos\xC3\xA9");
    CHECK_IDS(tp, {"user_id", "Jos\xC3\xA9"});
}

static void the_id_is_keyed_by_type_and_value(void **state)
{
    const struct digest_key other = {.bytes = "0123456789abcdeX", .len = 16};
    struct id email = id_of("email", "x"), user = id_of("user_id", "x"), more = id_of("emai", "lx");
    struct id keyed = digest_identifier(&other, SPAN("email"), SPAN("x"));
    assert_false(id_equal(&email, &user));
    assert_false(id_equal(&email, &more));
    assert_false(id_equal(&email, &keyed));
}

static void there_is_room_for_everything(void **state)
{
    struct touchpoint tp = touchpoint();
    tp.type = SPAN("alias");
    tp.user_id = SPAN("u");
    tp.anonymous_id = SPAN("a");
    tp.previous_id = SPAN("p");
    tp.device.id = SPAN("d");
    tp.session_id = SPAN("s");
    for (int i = 0; i < TOUCHPOINT_MAX_IDENTIFIERS; i++)
        add(&tp, i % 2 ? "email" : "session_id", arena_printf(&arena, "v%d@x.org", i));
    assert_int_equal(identity_collect(&policy, &digest_key, &tp, &arena, ids),
                     4 + TOUCHPOINT_MAX_IDENTIFIERS / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_strongest_type_is_the_anchor),
        TEST(ties_are_broken_by_id),
        TEST(repeats_count_once),
        TEST(a_session_is_an_anchor_only_alone),
        TEST(a_scoped_value_belongs_to_its_source),
        TEST(previous_id_counts_for_alias_only),
        TEST(only_users_are_people),
        TEST(types_in_any_spelling),
        TEST(a_hashed_email_is_its_clear_form),
        TEST(encodings_tell_digests),
        TEST(unusable_values_are_left_out),
        TEST(composed_and_decomposed_text_is_one_identifier),
        TEST(the_id_is_keyed_by_type_and_value),
        TEST(there_is_room_for_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
