/* words_test.c: what an event's name and direction mean: a row per rule of docs/figures.md,
 * Touchpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/words/words.h"

static void an_event_without_a_name_is_its_type(void **state)
{
    assert_true(span_is(event_of(SPAN("Order Completed"), SPAN("track")), "Order Completed"));
    assert_true(span_is(event_of(SPAN(""), SPAN("page")), "page"));
    assert_true(span_is(event_of(SPAN_NONE, SPAN("page")), "page"));
}

static void directions(void **state)
{
    static const struct {
        const char *sent, *type, *event;
        enum direction direction;
    } rows[] = {
        {"inbound", "track", "Contact Requested", DIRECTION_NONE},
        {"outbound", "track", "Contact Failed", DIRECTION_NONE},
        {NULL, "track", "Contact Cancelled", DIRECTION_NONE},
        {"inbound", "track", "Contact Sent", DIRECTION_INBOUND},
        {"outbound", "identify", "identify", DIRECTION_OUTBOUND},
        {NULL, "identify", "identify", DIRECTION_NONE},
        {NULL, "alias", "Signed Up", DIRECTION_NONE},
        {NULL, "group", "group", DIRECTION_NONE},
        {NULL, "merge", "merge", DIRECTION_NONE},
        {NULL, "track", "Campaign Sent", DIRECTION_OUTBOUND},
        {NULL, "track", "Contact Sent", DIRECTION_OUTBOUND},
        {NULL, "track", "Contact Form Opened", DIRECTION_OUTBOUND},
        {NULL, "track", "Contact", DIRECTION_INBOUND},
        {NULL, "track", "Contacts Imported", DIRECTION_INBOUND},
        {"sideways", "track", "Order Completed", DIRECTION_INBOUND},
        {"none", "track", "Order Completed", DIRECTION_NONE},
        {NULL, "page", "page", DIRECTION_INBOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(
            direction_of(span_of(rows[i].sent), span_of(rows[i].type), span_of(rows[i].event)),
            rows[i].direction);
}

static void within_an_instant_the_rank_decides(void **state)
{
    assert_true(touch_rank(DIRECTION_OUTBOUND, false, false) <
                touch_rank(DIRECTION_NONE, false, false));
    assert_true(touch_rank(DIRECTION_NONE, false, false) <
                touch_rank(DIRECTION_INBOUND, false, false));
    assert_true(touch_rank(DIRECTION_INBOUND, false, false) <
                touch_rank(DIRECTION_INBOUND, true, false));
    assert_true(touch_rank(DIRECTION_INBOUND, true, false) <
                touch_rank(DIRECTION_INBOUND, true, true));
}

static void only_the_two_words_are_directions(void **state)
{
    assert_true(span_is(direction_as_sent(SPAN("inbound")), "inbound"));
    assert_true(span_is(direction_as_sent(SPAN("outbound")), "outbound"));
    assert_null(direction_as_sent(SPAN("Inbound")).ptr);
    assert_null(direction_as_sent(SPAN_NONE).ptr);
    assert_null(direction_as_sent(SPAN("none")).ptr);
    assert_true(span_is(direction_or_none(SPAN("none")), "none"));
    assert_null(direction_or_none(SPAN("None")).ptr);
}

static void a_currency_is_three_letters(void **state)
{
    static const struct {
        const char *sent, *code;
    } rows[] = {{"EUR", "EUR"}, {"usd", "USD"}, {" Jpy\t", "JPY"}, {"", NULL},   {"EU", NULL},
                {"euro", NULL}, {"E R", NULL},  {"\u20ac", NULL},  {"US1", NULL}};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span code = currency_of(span_of(rows[i].sent), &arena);
        if (rows[i].code)
            assert_true(span_is(code, rows[i].code));
        else
            assert_null(code.ptr);
    }
    assert_null(currency_of(SPAN_NONE, &arena).ptr);
    arena_free(&arena);
}

static void codes_are_stored_and_never_change(void **state)
{
    assert_int_equal(STAGE_INQUIRY, 1);
    assert_int_equal(STAGE_ADVOCACY, 7);
    assert_int_equal(STATUS_WON_BACK, 4);
    assert_int_equal(CHANGED_BY_EXIT, 3);
    assert_int_equal(MODEL_LINEAR, 3);
    assert_null(stage_word(STAGE_NONE));
    assert_string_equal(stage_word(STAGE_CONSIDERATION), "consideration");
    assert_string_equal(WORD_CHOICES(WORDS_STATUSES), "active|at_risk|lapsed|won_back");
    assert_null(channel_words[CHANNEL_COUNT]);
}

static void words_are_folded(void **state)
{
    static const struct {
        const char *sent, *folded, *channel;
    } rows[] = {
        {"email", "email", "email"},
        {" E-Mail\t", "e_mail", "email"},
        {"Direct mail", "direct_mail", "direct_mail"},
        {"LETTER", "letter", "direct_mail"},
        {"Text", "text", "sms"},
        {"call-centre", "call_centre", "call_center"},
        {"Branch", "branch", "branch"},
        {"mail", "mail", NULL},
        {"\xc3\x84", "\xc3\x84", NULL}, /* only ASCII letters have a lower case */
        {"  ", "", NULL},
        {"", "", NULL},
        /* as people paste them: hyphens, blanks, invisible and full-width characters */
        {"e\xe2\x80\x91mail", "e_mail", "email"},
        {"\xe2\x80\x8b"
         "e\xc2\xadmail\xef\xbb\xbf",
         "email", "email"},
        {"\xc2\xa0"
         "direct\xe2\x80\xafmail \xe3\x80\x80",
         "direct_mail", "direct_mail"},
        {"\xef\xbc\xb3\xef\xbc\xad\xef\xbc\xb3", "sms", "sms"},
        {"\xc2\xa0\xe2\x80\x8b", "", NULL},
        {"e\xffmail", "e\xffmail", NULL}, /* no text at all */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buffer[WORD_MAX];
        struct span folded = word_fold(span_of(rows[i].sent), buffer);
        const char *channel = channel_named(folded);
        if (!span_is(folded, rows[i].folded) || (channel == NULL) != (rows[i].channel == NULL) ||
            (channel && strcmp(channel, rows[i].channel) != 0))
            fail_msg("row %zu: %s", i, rows[i].sent);
    }
}

static void a_long_word_is_in_no_list(void **state)
{
    char buffer[WORD_MAX], sent[WORD_MAX + 2];
    memset(sent, ' ', sizeof sent);
    memset(sent, 'a', WORD_MAX);
    assert_int_equal(word_fold((struct span){sent, sizeof sent}, buffer).len, WORD_MAX);
    sent[WORD_MAX] = 'a';
    assert_null(word_fold((struct span){sent, sizeof sent}, buffer).ptr);
    assert_null(channel_named(SPAN_NONE));
    char wide[4 * WORD_MAX];
    for (size_t i = 0; i < sizeof wide / 2; i++)
        memcpy(wide + 2 * i, "\xc2\xa0", 2);
    memcpy(wide, "sms ", 4);
    assert_true(span_is(word_fold((struct span){wide, sizeof wide}, buffer), "sms"));
}

static void these_words_speak_for_all(void **state)
{
    assert_true(word_is_all(SPAN("all")) && word_is_all(SPAN("*")));
    assert_true(word_is_all(SPAN("all_channels")));
    assert_false(word_is_all(SPAN("")) || word_is_all(SPAN("a")) || word_is_all(SPAN_NONE));
}

#define FOLDED(name, text) text,

/* A word of the lists that is not folded would never be found. */
static void the_lists_are_folded_and_name_each_word_once(void **state)
{
    static const char *const words[] = {WORDS_CHANNELS(FOLDED) WORDS_CHANNEL_SYNONYMS(FOLDED)
                                            WORDS_ALL_CHANNELS(FOLDED)};
    char buffer[WORD_MAX];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_true(span_is(word_fold(span_of(words[i]), buffer), words[i]));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(words[i], words[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_without_a_name_is_its_type),
        cmocka_unit_test(directions),
        cmocka_unit_test(within_an_instant_the_rank_decides),
        cmocka_unit_test(only_the_two_words_are_directions),
        cmocka_unit_test(a_currency_is_three_letters),
        cmocka_unit_test(codes_are_stored_and_never_change),
        cmocka_unit_test(words_are_folded),
        cmocka_unit_test(a_long_word_is_in_no_list),
        cmocka_unit_test(these_words_speak_for_all),
        cmocka_unit_test(the_lists_are_folded_and_name_each_word_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
