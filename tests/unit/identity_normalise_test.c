/* identity_normalise_test.c: one row per rule of docs/figures.md "Identity" on values: what is
 * blocked, what becomes of the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/identity-resolver/policy/identity_fold.h"
#include "tests/support/identity_policies.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct arena arena;
static struct identity_policy policy;

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

/* As the service does: NFC first. NULL: unusable. */
static const char *normalised(const char *type, struct span value, bool is_digest)
{
    struct identity_value out;
    const struct identity_type *t = identity_find_type(&policy, span_of(type));
    assert_non_null(t);
    if (!identity_normalise(&policy, t, identity_fold(&arena, t, value), is_digest, &arena, &out))
        return NULL;
    return arena_printf(&arena, SPAN_FMT, SPAN_ARG(out.text));
}

static void check(const char *type, const char *value, bool is_digest, const char *want)
{
    const char *have = normalised(type, span_of(value), is_digest);
    if ((have == NULL) != (want == NULL) || (have && strcmp(have, want) != 0))
        fail_msg("%s \"%s\": \"%s\" instead of \"%s\"", type, value, have ? have : "(unusable)",
                 want ? want : "(unusable)");
}

static void blocked_values(void **state)
{
    static const char *const blocked[] = {
        "", " ", "\t\r\n ", "0", "00000000-0000-0000-0000-000000000000", "-", "---", "-0-", "-1",
        "null", "none", "nil", "undefined", "nan", "true", "false", "anonymous", "guest", "unknown",
        "not_authenticated", "distinct_id", "[object Object]", "n/a", "N/A", ".", "test",
        "$distinct_id",
        /* templates that were not filled in */
        "{{user.id}}", "{{ contact.EMAIL }}", "${userId}", "#{id}", "{% uid %}", "<%= id %>",
        "%USERID%", "%%id%%", "[[id]]", "*|EMAIL|*", "@{id}", "{user_id}", "[object Undefined]",
        /* case */
        "NULL", "None", "NaN", "TRUE", "[OBJECT OBJECT]", "Not_Authenticated",
        /* blanks around */
        " null ", "\tguest\n",
        /* quotes: any number of pairs, with blanks between */
        "\"null\"", "'null'", "\"\"", "''", "'\"Guest\"'", "\"\"\"nil\"\"\"", "\" null \"",
        " ' \" true \" ' ", "\"0\"", "'\"\"'",
        /* dashes, and what templates leave */
        "\xE2\x80\x94", "\xE2\x80\x93", "<no value>"};
    for (size_t i = 0; i < COUNT(blocked); i++) {
        if (!identity_is_blocked(&policy, &policy.types[0], span_of(blocked[i])))
            fail_msg("\"%s\" is not blocked", blocked[i]);
        for (size_t t = 0; t < policy.type_count; t++)
            check(policy.types[t].name.ptr
                      ? arena_printf(&arena, SPAN_FMT, SPAN_ARG(policy.types[t].name))
                      : "",
                  blocked[i], false, NULL);
    }
}

static void values_that_only_look_blocked(void **state)
{
    static const char *const usable[] = {
        "1",     "-2",      "0x",       "00a",           "nulls", "null null",
        "none.", "guest1",  "un known", "\"null",        "null'", "{{a",
        "'a'",   "\"null'", "[object]", "anonymous_ids", "0 0",   "nu\u200bll"};
    for (size_t i = 0; i < COUNT(usable); i++)
        check("anonymous_id", usable[i], false, usable[i]);
}

static void plain_values_are_trimmed_and_kept(void **state)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"abc123", "abc123"},
        {" \t\r\n\v\fabc 123 \n", "abc 123"},
        {"AbC", "AbC"},                    /* case counts */
        {"'abc'", "'abc'"},                /* quotes are only looked through for blocked values */
        {"\xC2\xA0 x\xE2\x80\x8B\t", "x"}, /* no-break and zero-width spaces at the ends */
        {"x\xC2\xA0x", "x\xC2\xA0x"},      /* inside they count */
        {"e\xCC\x81", "\xC3\xA9"},         /* NFC: e + combining acute */
        {"\xC3\xA9", "\xC3\xA9"},          /* already NFC */
        {"\xE2\x84\xAB", "\xC3\x85"},      /* angstrom sign is A with ring */
        {"\xEF\xAC\x81", "\xEF\xAC\x81"},  /* the ligature fi stays: NFC, not NFKC */
        {"\xD0\xB0"
         "bc",
         /* Cyrillic a in a Latin word is another value */
         "\xD0\xB0"
         "bc"},
        {"\xCE\xA9\xD0\x96"
         "a\xCC\x8A",
         "\xCE\xA9\xD0\x96\xC3\xA5"}, /* mixed scripts, one of them composed */
        {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"}, /* Hangul syllables compose */
        {"q\xCC\xA3\xCC\x87", "q\xCC\xA3\xCC\x87"},               /* no composed form */
        {"q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"},               /* marks are ordered */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check("user_id", rows[i].value, false, rows[i].want);
}

static void values_over_512_bytes_are_unusable(void **state)
{
    char text[IDENTITY_MAX_VALUE + 3];
    memset(text, 'x', sizeof text);
    struct span value = {text, IDENTITY_MAX_VALUE};
    assert_int_equal(strlen(normalised("user_id", value, false)), IDENTITY_MAX_VALUE);
    value.len++;
    assert_null(normalised("user_id", value, false));
    text[0] = text[sizeof text - 1] = ' '; /* blanks around do not count */
    value = (struct span){text, sizeof text - 1};
    assert_null(normalised("user_id", value, false));
    value.len = IDENTITY_MAX_VALUE + 1;
    text[IDENTITY_MAX_VALUE] = ' ';
    assert_int_equal(strlen(normalised("user_id", value, false)), IDENTITY_MAX_VALUE - 1);
}

static void emails(void **state)
{
    static const struct {
        const char *value, *plain, *folded; /* without and with the gmail rule; NULL: the same */
    } rows[] = {
        {" Jane@Example1.COM ", "jane@example1.com", "jane@example1.com"},
        {"\u00c4rger@example.com", "\u00e4rger@example.com", "\u00e4rger@example.com"},
        {"Ja.ne+Shop@GMail.com", "ja.ne+shop@gmail.com", "jane@gmail.com"},
        {"j.a.n.e@googlemail.com", "j.a.n.e@googlemail.com", "jane@googlemail.com"},
        {"ja.ne+a.b+c@gmail.com", "ja.ne+a.b+c@gmail.com", "jane@gmail.com"},
        {"ja.ne+shop@example.com", "ja.ne+shop@example.com", "ja.ne+shop@example.com"},
        {"+shop@gmail.com", "+shop@gmail.com", "+shop@gmail.com"}, /* nothing would be left */
        {"ja.ne@notgmail.com", "ja.ne@notgmail.com", "ja.ne@notgmail.com"},
        {"ja.ne@gmail.com.example", "ja.ne@gmail.com.example", "ja.ne@gmail.com.example"},
        {"no.at.sign", NULL, NULL},
        {"@example.com", NULL, NULL},
        {"jane@", NULL, NULL},
        {"\u200b@\u00a0", NULL, NULL}, /* nothing on either side */
        {"@jane@x.org", "@jane@x.org", "@jane@x.org"},
        /* Unicode: case, composed or not, the domain in both forms */
        {"JO\u0308RG@MU\u0308NCHEN.example", "j\u00f6rg@xn--mnchen-3ya.example", NULL},
        {"a@XN--MNCHEN-3YA.example", "a@xn--mnchen-3ya.example", NULL},
        {"a@m\u00fcnchen\u3002example", "a@xn--mnchen-3ya.example", NULL},
        {"a@\uff45xample.com", "a@example.com", NULL}, /* a domain knows no full width */
        {"\uff45ve@example.com", "\uff45ve@example.com", NULL},
        {"gro\u00df@stra\u00dfe.example", "gross@xn--strae-oqa.example", NULL},
        {"a@b\u03cc\u03bb\u03bf\u03c2.example", "a@xn--b-kmbmm1c.example", NULL},
        /* blanks and what is not seen, wherever they stand */
        {"\u00a0\ufeffeve\u200d@exam\u00adple.com\u200b\u3000", "eve@example.com", NULL},
        {"e v\te@\u202eexample.com\n", "eve@example.com", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        policy.gmail_dots_and_plus = false;
        check("email", rows[i].value, false, rows[i].plain);
        policy.gmail_dots_and_plus = true;
        check("email", rows[i].value, false, rows[i].folded ? rows[i].folded : rows[i].plain);
    }
    check("user_id", "Ja.ne+Shop@GMail.com", false, "Ja.ne+Shop@GMail.com");
}

static void phones(void **state)
{
    static const struct {
        const char *value, *want, *code;
    } rows[] = {
        {"+49 30 1234567", "+49301234567", "1"},
        {"0049 30 1234567", "+49301234567", "1"},
        {"(555) 123-4567", "+15551234567", "1"},
        {"555.123/4567", "+15551234567", "1"},
        {"0 30 1234567", "+49301234567", "49"}, /* one leading 0 is replaced */
        {"030 1234567", "+49301234567", "49"},
        {"30 1234567", "+49301234567", "49"},
        {"+0 123456789", "+0123456789", "49"}, /* nothing is dropped after + */
        {"+49 (0)30 1234567", "+49301234567", "1"},
        {"(0)30 1234567", "+49301234567", "49"},
        {"+49 (03)0 1234567", "+490301234567", "1"},
        {"1 (212) 555-0187", "+12125550187", "1"}, /* no area code begins with 1 */
        {"12125550187", "+4912125550187", "49"},
        {"1212555018", "+11212555018", "1"}, /* 10 digits */
        {"011 49 30 1234567", "+49301234567", "1"},
        {"011 49 30 1234567", "+491149301234567", "49"},
        {"+123456", NULL, "1"}, /* 6 digits */
        {"+1234567", "+1234567", "1"},
        {"123456", "+1123456", "1"}, /* 7 with the calling code */
        {"12345", NULL, "1"},
        {"+123456789012345", "+123456789012345", "1"},
        {"+1234567890123456", NULL, "1"}, /* 16 */
        {"12345678901234", "+112345678901234", "1"},
        {"123456789012345", NULL, "1"},
        {"+1 555 CALL NOW", NULL, "1"},
        {"555+1234567", NULL, "1"}, /* + only in front */
        {"+12345678901234567890123456789012345", NULL, "1"},
        {"00", NULL, "1"},
        {"()", NULL, "1"},
        {"+", NULL, "1"},
        {"000-0000", NULL, "1"}, /* blocked */
        /* digits of another script */
        {"\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "+11234567", "1"},
        {"\u202a+1 (212) 555\u20110123\u202c", "+12125550123", "1"},
        {"+1\u00a0212\u00a0555\u22120123", "+12125550123", "1"},
        {" Tel: +1-212-555-0123", "+12125550123", "1"},
        {"tel:+12125550123;ext=4", NULL, "1"},
        {"\uff0b\uff11\uff08\uff12\uff11\uff12\uff09\uff15\uff15\uff15\uff0d\uff10\uff11\uff12"
         "\uff13",
         "+12125550123", "1"},
        {"(+49) 30 1234567", "+49301234567", "1"},
        {"+1 212 555 0123 ext. 4", NULL, "1"},
        {"\u00b2125550123", NULL, "1"}, /* a power is no digit */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        policy.calling_code = span_of(rows[i].code);
        check("phone", rows[i].value, false, rows[i].want);
    }
}

#define DIGEST32 "0123456789abcdef0123456789ABCDEF"
#define LOWER32  "0123456789abcdef0123456789abcdef"

static void digests(void **state)
{
    check("email", " " DIGEST32 " ", true, LOWER32);
    check("phone", DIGEST32, true, LOWER32); /* no phone rules on a digest */
    check("user_id", DIGEST32, true, LOWER32);
    check("user_id", DIGEST32, false, DIGEST32); /* not said to be one */
    check("user_id", DIGEST32 DIGEST32 DIGEST32 DIGEST32, true, LOWER32 LOWER32 LOWER32 LOWER32);
    check("user_id", DIGEST32 DIGEST32 DIGEST32 DIGEST32 "A", true,
          DIGEST32 DIGEST32 DIGEST32 DIGEST32 "A"); /* 129 */
    /* 31 */
    check("user_id", "0123456789abcdef0123456789ABCDE", true, "0123456789abcdef0123456789ABCDE");
    check("user_id", "0123456789abcdef0123456789ABCDEG", true, "0123456789abcdef0123456789ABCDEG");
    /* said to be hashed, is not: as any e-mail */
    check("email", "Jane@Example1.com", true, "jane@example1.com");
    check("user_id", "00000000000000000000000000000000", true, NULL); /* blocked all the same */
}

/* Clear forms are to be digested, digests made elsewhere are not; of other types nothing is. */
static void hashed_emails_match_their_clear_form(void **state)
{
    static const struct {
        const char *type, *value;
        bool is_digest;
        const char *want;
        bool needs_digest;
    } rows[] = {
        {"email", " Jane@Example1.COM ", false, "jane@example1.com", true},
        {"email", "Jane@Example1.COM", true, "jane@example1.com", true},
        {"email", DIGEST32 DIGEST32, false, LOWER32 LOWER32, false},
        {"email", DIGEST32 DIGEST32, true, LOWER32 LOWER32, false},
        {"email", DIGEST32, true, LOWER32, false}, /* another hash */
        {"phone", "+49 30 1234567", false, "+49301234567", false},
        {"user_id", DIGEST32 DIGEST32, false, DIGEST32 DIGEST32, false},
        {"user_id", DIGEST32 DIGEST32, true, LOWER32 LOWER32, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct identity_value out;
        const struct identity_type *type = identity_find_type(&policy, span_of(rows[i].type));
        struct span value = identity_fold(&arena, type, span_of(rows[i].value));
        assert_true(identity_normalise(&policy, type, value, rows[i].is_digest, &arena, &out));
        assert_true(span_is(out.text, rows[i].want));
        assert_int_equal(out.needs_digest, rows[i].needs_digest);
    }
    /* neither an address nor a SHA-256 */
    check("email", DIGEST32, false, NULL);
    check("email", DIGEST32 DIGEST32 "a", false, NULL);
    /* of an empty text */
    check("email", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true, NULL);
}

static void types_are_found_by_name(void **state)
{
    assert_int_equal(identity_find_type(&policy, SPAN("user_id"))->rank, 1);
    assert_int_equal(identity_find_type(&policy, SPAN("session_id"))->rank, 8);
    assert_null(identity_find_type(&policy, SPAN("User_id")));
    assert_null(identity_find_type(&policy, SPAN("user")));
    assert_null(identity_find_type(&policy, SPAN_NONE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blocked_values),
        TEST(values_that_only_look_blocked),
        TEST(plain_values_are_trimmed_and_kept),
        TEST(values_over_512_bytes_are_unusable),
        TEST(emails),
        TEST(phones),
        TEST(digests),
        TEST(hashed_emails_match_their_clear_form),
        TEST(types_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
