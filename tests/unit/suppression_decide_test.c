/* suppression_decide_test.c: one row per rule of a contact decision, and the vectors of the
 * semantics for caps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/contact_book.h"

#define CLASSES                                                                                    \
    "\"classes\":{\"marketing\":{},\"service\":{\"obeys\":false},\"transactional\":{\"obeys\":"    \
    "false,\"counts\":false}}"
#define ALLOW "\"consent\":{\"*\":{\"on_unknown\":\"allow\"}}"

static struct arena arena;
static struct contact_book *book;
static uint32_t numbers;

static int set_up(void **state)
{
    book = calloc(1, sizeof *book);
    numbers = 0;
    book->now = book_time("2026-01-01T00:00:00Z");
    return book == NULL;
}

static int tear_down(void **state)
{
    arena_free(&book->arena);
    arena_free(&arena);
    free(book);
    return 0;
}

static void start_again(void **state)
{
    tear_down(state);
    set_up(state);
}

/* The policy of one rule, or several, as they stand in the file. */
static void use_rules(const char *rules)
{
    const char *text = arena_printf(
        &arena, "{" CLASSES "," ALLOW ",\"reservation\":{\"default\":\"PT24H\"},\"rules\":[%s]}",
        rules);
    book_use_policy(book, &arena, text);
}

static struct contact_fact request(const char *at)
{
    return book_request_fact(book_time(at), ++numbers);
}

static struct contact_fact signal_of(const char *event, const char *at)
{
    return book_fact(CONTACT_SIGNAL, event, book_time(at), ++numbers);
}

static void assert_verdict(enum contact_verdict verdict, const char *reason)
{
    const char *seen = book->last.reason ? book->last.reason : "(none)";
    if (book->last.verdict != verdict || strcmp(seen, reason ? reason : "(none)") != 0)
        fail_msg("verdict %d because of %s, expected %d because of %s", book->last.verdict, seen,
                 verdict, reason ? reason : "(none)");
}

static void assert_retry(const char *at)
{
    char seen[32];
    struct instant expected = at ? book_time(at) : INSTANT_ABSENT;
    instant_format(book->last.retry_at, seen);
    if (book->last.retry_at.us != expected.us)
        fail_msg("retry_at %s, expected %s", seen, at ? at : "none");
}

static void grants(struct contact_fact fact)
{
    book_ask(book, fact);
    assert_verdict(VERDICT_GRANT, NULL);
}

static void denies(struct contact_fact fact, const char *reason)
{
    book_ask(book, fact);
    assert_verdict(VERDICT_DENY, reason);
}

/* ---- caps ---- */

struct moment {
    const char *at;
    bool granted;
};

static void ask_in_turn(const struct moment *moments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum contact_verdict verdict = book_ask(book, request(moments[i].at));
        if ((verdict == VERDICT_GRANT) != moments[i].granted)
            fail_msg("%s: verdict %d", moments[i].at, verdict);
    }
}

static void rolling_3_per_24_hours(void **state)
{
    static const struct moment moments[] = {
        {"2026-03-01T09:00:00Z", true},  {"2026-03-01T13:00:00Z", true},
        {"2026-03-01T17:00:00Z", true},  {"2026-03-02T08:00:00Z", false},
        {"2026-03-02T09:01:00Z", true},  {"2026-03-02T10:00:00Z", false},
        {"2026-03-02T11:00:00Z", false}, {"2026-03-02T14:00:00Z", true},
    };
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"PT24H\",\"limit\":3}");
    ask_in_turn(moments, sizeof moments / sizeof *moments);
}

static void windows_are_half_open(void **state)
{
    static const struct moment moments[] = {
        {"2026-03-01T09:00:00Z", true},
        {"2026-03-01T09:00:00Z", true},
        {"2026-03-02T08:59:59.999Z", false},
        {"2026-03-02T09:00:00Z", true},
    };
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":2}");
    ask_in_turn(moments, sizeof moments / sizeof *moments);
}

/* The late request lies before two contacts that fill the window it would share with them. */
static void later_contacts_count(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"PT24H\",\"limit\":2}");
    grants(request("2026-03-01T10:00:00Z"));
    grants(request("2026-03-01T20:00:00Z"));
    denies(request("2026-03-01T08:00:00Z"), "cap");
    grants(request("2026-02-28T19:00:00Z"));
}

static struct contact_fact result_of(enum contact_kind kind, const char *at,
                                     uint32_t request_number)
{
    struct contact_fact fact = book_fact(kind, "Contact Sent", book_time(at), ++numbers);
    fact.decision_id = book_id(request_number);
    return fact;
}

static void sent(const char *at)
{
    book_add(book, book_fact(CONTACT_SENT, "Contact Sent", book_time(at), ++numbers));
}

static void retry_is_when_a_contact_leaves(void **state)
{
    use_rules("{\"id\":\"a\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1},{\"id\":\"b\",\"kind\":"
              "\"cap\",\"per\":\"P7D\","
              "\"limit\":2}");
    grants(request("2026-03-01T10:00:00Z"));
    denies(request("2026-03-01T11:00:00Z"), "cap");
    assert_retry("2026-03-02T10:00:00Z");
    grants(request("2026-03-02T10:00:00Z"));
    denies(request("2026-03-02T12:00:00Z"), "cap");
    assert_retry("2026-03-08T10:00:00Z");
    grants(request("2026-03-08T10:00:00Z"));
}

static void rules_that_drop_name_no_retry(void **state)
{
    use_rules("{\"id\":\"a\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1,\"on_fail\":\"drop\"}");
    grants(request("2026-03-01T10:00:00Z"));
    denies(request("2026-03-01T11:00:00Z"), "cap");
    assert_retry(NULL);
    start_again(state);
    use_rules(
        "{\"id\":\"h\",\"kind\":\"hold\",\"on\":[\"Complaint Filed\"],\"for\":\"P1D\",\"on_fail\":"
        "\"drop\"},{\"id\":\"a\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1}");
    grants(request("2026-03-01T10:00:00Z"));
    denies(request("2026-03-01T11:00:00Z"), "cap");
    assert_retry("2026-03-02T10:00:00Z"); /* a rule that would drop, and passes */
    book_add(book, signal_of("Complaint Filed", "2026-03-01T08:00:00Z"));
    denies(request("2026-03-01T11:30:00Z"), "hold");
    assert_retry(NULL);
}

/* Two contacts a week apart and a day: the later one blocks as well. */
static void retry_jumps_over_every_closing(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    sent("2026-06-01T10:00:00Z");
    sent("2026-06-14T10:00:00Z");
    denies(request("2026-06-02T10:00:00Z"), "cap");
    assert_retry("2026-06-21T10:00:00Z");
    start_again(state);
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    sent("2026-06-01T10:00:00Z");
    sent("2026-06-15T10:00:00Z"); /* leaves one instant between */
    denies(request("2026-06-02T10:00:00Z"), "cap");
    assert_retry("2026-06-08T10:00:00Z");
}

static void priorities_have_their_own_head_room(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit_by_priority\":{\"low\":1,"
              "\"normal\":2,\"high\":3}}");
    struct contact_fact low = request("2026-03-01T09:00:00Z"),
                        low_again = request("2026-03-01T10:00:00Z");
    struct contact_fact high = request("2026-03-01T12:00:00Z"),
                        high_again = request("2026-03-01T13:00:00Z");
    low.priority = low_again.priority = 1;
    high.priority = high_again.priority = 3;
    grants(low);
    denies(low_again, "cap");
    grants(request("2026-03-01T11:00:00Z")); /* without priority: normal */
    denies(request("2026-03-01T11:30:00Z"), "cap");
    grants(high);
    denies(high_again, "cap");
}

struct part_row {
    const char *by, *first, *second; /* of the parts that two requests of one hour name */
    bool granted;
};

static void name_part(struct contact_fact *fact, const char *by, const char *part)
{
    struct span text = part ? span_of(part) : SPAN_NONE;
    if (strcmp(by, "department") == 0)
        fact->department = text;
    else if (strcmp(by, "purpose") == 0)
        fact->purpose = text;
    else if (strcmp(by, "campaign") == 0)
        fact->campaign_id = text;
    else
        fact->tags = text;
}

static void caps_by_parts_are_apart(void **state)
{
    static const struct part_row rows[] = {
        {"department", "loans", "cards", true},
        {"department", "loans", "loans", false},
        {"department", NULL, NULL, false},
        {"department", "loans", NULL, true},
        {"purpose", "care", "offers", true},
        {"purpose", "care", "care", false},
        {"purpose", NULL, NULL, false},
        {"campaign", "spring", "autumn", true},
        {"campaign", "spring", "spring", false},
        {"campaign", "spring", "Spring", true}, /* an id is an id */
        {"campaign", NULL, NULL, true},
        {"campaign", "spring", NULL, true},
        {"tag", "loan", "card", true},
        {"tag", "loan", "loan", false},
        {"tag", "home\nloan", "loan\nnew", false}, /* any tag that is full refuses */
        {"tag", "home\nloan", "car\nnew", true},
        {"tag", "loan", NULL, true},
        {"tag", NULL, NULL, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules(arena_printf(&arena,
                               "{\"id\":\"c\",\"kind\":\"cap\",\"by\":\"%s\",\"per\":\"P1D\","
                               "\"limit\":1}",
                               rows[i].by));
        struct contact_fact first = request("2026-03-01T09:00:00Z"),
                            second = request("2026-03-01T10:00:00Z");
        name_part(&first, rows[i].by, rows[i].first);
        name_part(&second, rows[i].by, rows[i].second);
        grants(first);
        if ((book_ask(book, second) == VERDICT_GRANT) != rows[i].granted)
            fail_msg("by %s, row %zu", rows[i].by, i);
        assert_retry(rows[i].granted ? NULL : "2026-03-02T09:00:00Z");
    }
}

/* Of two tags that are full the later opening counts, and a send has the campaign of its request.
 */
static void a_cap_by_part_opens_when_all_its_parts_do(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"by\":\"tag\",\"per\":\"P1D\",\"limit\":1}");
    struct contact_fact loan = request("2026-03-01T09:00:00Z"),
                        card = request("2026-03-01T17:00:00Z"),
                        both = request("2026-03-01T18:00:00Z");
    loan.tags = SPAN("loan");
    card.tags = SPAN("card");
    both.tags = SPAN("loan\ncard");
    grants(card);
    grants(loan);
    denies(both, "cap");
    assert_retry("2026-03-02T17:00:00Z");
    start_again(state);
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"by\":\"campaign\",\"per\":\"P1D\",\"limit\":1}");
    struct contact_fact spring = request("2026-03-01T09:00:00Z"),
                        again = request("2026-03-03T09:00:00Z");
    spring.campaign_id = again.campaign_id = SPAN("spring");
    grants(spring);
    book_add(book, result_of(CONTACT_SENT, "2026-03-02T12:00:00Z", 1));
    denies(again, "cap");
    assert_retry("2026-03-03T12:00:00Z");
}

static void a_limit_of_0_refuses_for_ever(void **state)
{
    static const char *const limits[] = {
        "\"limit\":0",
        "\"limit_by_priority\":{\"low\":0,\"normal\":0,\"high\":1}",
        "\"limit\":0,\"by\":\"department\"",
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        start_again(state);
        use_rules(
            arena_printf(&arena, "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P1D\",%s}", limits[i]));
        denies(request("2026-03-01T09:00:00Z"), "cap");
        assert_retry(NULL);
    }
}

static void caps_of_channels_and_tags(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"channels\":[\"sms\"],\"tags\":[\"credit\"],\"per\":"
              "\"P1D\",\"limit\":1}");
    struct contact_fact first = request("2026-03-01T09:00:00Z"),
                        email = request("2026-03-01T09:01:00Z");
    struct contact_fact other_tag = request("2026-03-01T09:02:00Z"),
                        second = request("2026-03-01T09:03:00Z");
    first.channel = other_tag.channel = second.channel = SPAN("sms");
    first.tags = email.tags = SPAN("autumn\ncredit");
    other_tag.tags = SPAN("insurance");
    second.tags = SPAN("credit");
    grants(first);
    grants(email);
    grants(other_tag);
    denies(second, "cap");
}

static void classes_obey_and_count_apart(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1}");
    struct contact_fact receipt = request("2026-03-01T09:00:00Z"),
                        notice = request("2026-03-01T09:10:00Z");
    receipt.class = SPAN("transactional");
    notice.class = SPAN("service");
    grants(receipt); /* does not count */
    grants(request("2026-03-01T09:05:00Z"));
    grants(notice);                                 /* does not obey */
    denies(request("2026-03-02T09:07:00Z"), "cap"); /* but counts */
}

/* The report of a delivery is no second contact, whatever window it falls into. */
static void a_delivery_is_no_second_contact(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    grants(request("2026-06-01T10:00:00Z"));
    book_add(book, result_of(CONTACT_SENT, "2026-06-01T10:00:00Z", 1));
    book_add(book, result_of(CONTACT_DELIVERED, "2026-06-06T10:00:00Z", 1));
    grants(request("2026-06-09T10:00:00Z"));
}

static void a_delivery_without_a_send_counts(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    grants(request("2026-06-01T10:00:00Z"));
    book_add(book, result_of(CONTACT_DELIVERED, "2026-06-06T10:00:00Z", 1));
    book_add(book, result_of(CONTACT_DELIVERED, "2026-06-05T10:00:00Z", 1));
    denies(request("2026-06-09T10:00:00Z"), "cap");
    assert_retry("2026-06-12T10:00:00Z");
    book_add(book, result_of(CONTACT_SENT, "2026-06-02T09:00:00Z", 1)); /* is told late */
    grants(request("2026-06-09T11:00:00Z"));
}

/* Of a request that this ledger does not have, too. */
static void the_earliest_send_counts(void **state)
{
    for (uint32_t asked = 0; asked < 2; asked++) {
        start_again(state);
        use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
        if (asked)
            grants(request("2026-06-01T10:00:00Z"));
        else
            numbers++;
        book_add(book, result_of(CONTACT_SENT, "2026-06-05T10:00:00Z", 1));
        book_add(book, result_of(CONTACT_SENT, "2026-06-02T10:00:00Z", 1));
        book_add(book, result_of(CONTACT_DELIVERED, "2026-06-01T12:00:00Z", 1));
        denies(request("2026-06-09T09:59:59Z"), "cap");
        assert_retry("2026-06-09T10:00:00Z");
    }
}

/* A message that is sent again with one more identifier has two anchors. */
static void a_send_under_two_anchors_is_one_contact(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":2}");
    struct contact_fact letter =
        book_fact(CONTACT_SENT, "Campaign Sent", book_time("2026-06-01T10:00:00Z"), ++numbers);
    book_add(book, letter);
    book_add(book, letter);
    grants(request("2026-06-02T10:00:00Z"));
    denies(request("2026-06-03T10:00:00Z"), "cap");
    start_again(state);
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":2}");
    grants(request("2026-06-01T09:00:00Z"));
    struct contact_fact known = result_of(CONTACT_SENT, "2026-06-01T10:00:00Z", 1), plain = known;
    plain.decision_id = (struct id){{0}};
    book_add(book, plain);
    book_add(book, known);
    grants(request("2026-06-02T10:00:00Z"));
}

/* The same request at another time keeps its one place. */
static void a_repeated_request_takes_one_place(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":2}");
    struct contact_fact first = request("2026-06-01T10:00:00Z"), again = first;
    again.at = book_time("2026-06-01T11:00:00Z");
    grants(first);
    book_add(book, again);
    grants(request("2026-06-02T10:00:00Z"));
    denies(request("2026-06-03T10:00:00Z"), "cap");
}

static void a_contact_counts_once_at_its_send_time(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"PT24H\",\"limit\":1}");
    struct contact_fact planned = request("2026-03-01T09:00:00Z");
    planned.planned_at = book_time("2026-03-01T18:00:00Z");
    grants(planned);
    denies(request("2026-03-02T12:00:00Z"), "cap");
    book_add(book, result_of(CONTACT_SENT, "2026-03-01T11:00:00Z", 1));
    grants(request("2026-03-02T12:30:00Z"));
}

static void cancelled_and_failed_contacts_free_their_slot(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"PT24H\",\"limit\":1}");
    grants(request("2026-03-01T09:00:00Z"));
    book_add(book, result_of(CONTACT_CANCELLED, "2026-03-01T09:30:00Z", 1));
    grants(request("2026-03-01T10:00:00Z")); /* number 3 */
    book_add(book, result_of(CONTACT_FAILED, "2026-03-01T10:30:00Z", 3));
    grants(request("2026-03-01T11:00:00Z"));
    denies(request("2026-03-01T12:00:00Z"), "cap");
}

static void unasked_and_denied_sends_count(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"PT24H\",\"limit\":2}");
    book_add(book, book_fact(CONTACT_SENT, "Campaign Sent", book_time("2026-03-01T08:00:00Z"),
                             ++numbers));
    grants(request("2026-03-01T09:00:00Z"));
    denies(request("2026-03-01T10:00:00Z"), "cap"); /* number 3 */
    book_add(book, result_of(CONTACT_SENT, "2026-03-02T07:00:00Z", 3));
    denies(request("2026-03-02T08:30:00Z"), "cap"); /* 09:00 and the send that was denied */
    grants(request("2026-03-02T09:00:00Z"));
}

/* Event time and wall clock must both have passed the expiry. */
static void reservations_expire_on_both_clocks(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    book->now = book_time("2026-03-01T09:00:00Z");
    grants(request("2026-03-01T09:00:00Z"));
    assert_int_equal(book->last.expires_at.us, book_time("2026-03-02T09:00:00Z").us);
    denies(request("2026-03-02T09:00:00Z"), "cap");
    book->now = book_time("2026-03-02T09:00:00Z");
    denies(request("2026-03-02T08:59:59Z"), "cap");
    grants(request("2026-03-02T09:00:00Z"));
}

static void a_request_may_expire_earlier(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    struct contact_fact fact = request("2026-03-01T09:00:00Z");
    fact.expires_at = book_time("2026-03-01T12:00:00Z");
    grants(fact);
    assert_int_equal(book->last.expires_at.us, fact.expires_at.us);
}

static void sends_after_expiry_count(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1}");
    book->now = book_time("2026-04-01T00:00:00Z");
    grants(request("2026-03-01T09:00:00Z"));
    book_add(book, result_of(CONTACT_SENT, "2026-03-03T09:00:00Z", 1));
    denies(request("2026-03-04T09:00:00Z"), "cap");
}

/* ---- other rules ---- */

struct consent_row {
    const char *consent, *channel, *verdict;
};

static void consent_decides_per_channel(void **state)
{
    static const struct consent_row rows[] = {
        {NULL, "email", "unknown"},
        {"+email", "email", "in"},
        {"-email", "email", "out"},
        {"-sms", "email", "unknown"},
        {"-*", "email", "out"},
        {"-all", "email", "out"},
        {"-ALL%20", "email", "out"},
        {"-all +email", "email", "in"},
        {"+email -all", "email", "in"},
        {"+all", "sms", "in"},
        {"-E-Mail", "email", "out"},
        {"-%20e_mail", "email", "out"},
        {"+EMAIL", "email", "in"},
        {"+email -Email", "email", "out"},
        {"-Direct%20mail", "direct_mail", "out"},
        {"-letter", "direct_mail", "out"},
        {"-text%20message", "sms", "out"},
        {"-mail", "email", "unknown"}, /* to some an e-mail, to others a letter */
        {"-analytics", "email", "unknown"},
        {"-topic:tips", "email", "unknown"},
        {"-Marketing", "email", "out"},
        {"-service", "email", "unknown"},
        {"+marketing", "email", "unknown"}, /* a class is no channel */
        {"+email -marketing", "email", "out"},
        {"-", "email", "unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int allow = 0; allow < 2; allow++) {
            start_again(state);
            use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"}");
            ((struct contact_policy *)book->policy)->consent.allow_unknown = allow;
            struct contact_fact signal = signal_of("Consent Given", "2026-02-01T00:00:00Z"),
                                asked = request("2026-03-01T09:00:00Z");
            signal.consent = span_of(rows[i].consent);
            asked.channel = span_of(rows[i].channel);
            book_add(book, signal);
            bool granted = strcmp(rows[i].verdict, "in") == 0 ||
                           (allow && strcmp(rows[i].verdict, "unknown") == 0);
            if ((book_ask(book, asked) == VERDICT_GRANT) != granted)
                fail_msg("consent %s, channel %s, allow %d", rows[i].consent, rows[i].channel,
                         allow);
        }
    }
}

/* What is said, separated by commas: see add_said. */
struct said_row {
    const char *said, *channel, *verdict;
};

#define WORDS                                                                                      \
    "\"channels\":[\"WhatsApp\",\"kiosk\"],\"unsubscribe_from\":{\"kiosk\":[\"sms\",\"Push\"],"    \
    "\"App\":"                                                                                     \
    "\"all\"},\"consent_words\":{\"Weekly "                                                        \
    "News\":[\"email\",\"service\"],\"analytics\":[]},\"preference_"                               \
    "center\":[\"Preferences Updated\"]"

static void use_words(void)
{
    book_use_policy(book, &arena,
                    "{" CLASSES "," WORDS ",\"rules\":[{\"id\":\"o\",\"kind\":\"opt_out\"}]}");
}

/* The day and the map. `!` after the day: from the preference center; `o`: outbound; `u`: an
 * `Unsubscribed` on the channel that follows; `r`: dated on this day and received at noon of the
 * day before. */
static void add_said(struct span said)
{
    char mark = said.ptr[1];
    struct contact_fact fact = signal_of(mark == '!' ? "Preferences Updated" : "Preferences Saved",
                                         arena_printf(&arena, "2026-02-0%cT00:00:00Z", *said.ptr));
    size_t skip = mark == ' ' ? 2 : 3;
    said = (struct span){said.ptr + skip, said.len - skip};
    fact.flags |= mark == 'o' ? CONTACT_IS_NOT_SAID : 0;
    if (mark == 'r')
        fact.received_at = instant_minus(fact.at, (struct duration){US_PER_DAY / 2});
    if (mark == 'u') {
        fact.event = SPAN("Unsubscribed");
        const char *end = memchr(said.ptr, ' ', said.len);
        fact.channel = (struct span){said.ptr, end ? (size_t)(end - said.ptr) : said.len};
        said = end ? (struct span){end + 1, said.len - fact.channel.len - 1} : SPAN_NONE;
    }
    fact.consent = said;
    book_add(book, fact);
}

static void expect_consent(const char *channel, const char *wanted, const char *said)
{
    struct contact_policy *policy = (struct contact_policy *)book->policy;
    for (int allow = 0; allow < 2; allow++) {
        struct contact_fact asked = request("2026-03-01T09:00:00Z");
        asked.channel = span_of(channel);
        policy->consent.allow_unknown = allow;
        bool granted = strcmp(wanted, "in") == 0 || (allow && strcmp(wanted, "unknown") == 0);
        if ((book_ask(book, asked) == VERDICT_GRANT) != granted)
            fail_msg("%s, channel %s, allow %d", said, channel, allow);
    }
}

static void a_no_yields_to_a_later_yes_of_its_own(void **state)
{
    static const struct said_row rows[] = {
        {"1 -email,2 +email", "email", "in"},
        {"2 -email,1 +email", "email", "out"},
        {"1 -email,1 +email", "email", "out"},
        {"1 +email,1 -email", "email", "out"},
        {"1 -email,2 +all", "email", "out"},
        {"1 -email,2 +all", "sms", "in"},
        {"1 -email,2! +all", "email", "in"},
        {"1 -email,1! +all", "email", "out"},
        {"2 -email,1! +all", "email", "out"},
        {"1 -email,2! +sms", "email", "out"},
        {"1 +email,2 -all", "email", "out"},
        {"1 +email,2 -all,3 +email", "email", "in"},
        {"1 +email,2 -all,3 +email", "sms", "out"},
        {"1 -all,2 +all", "email", "in"},
        {"1 -all,1 +all", "email", "out"},
        {"1 -email,2 -all,3 +all", "email", "out"},
        {"1 -email,2o +email", "email", "out"},
        {"1 -email,2o +all", "sms", "unknown"},
        {"1 +email,2o -email", "email", "out"},
        {"1 +email,2o -all +email", "email", "out"},
        {"1 +email,2o -all +email", "sms", "out"},
        {"1 +email,2 -all +email", "email", "in"},
        {"3r +email,3 -email", "email", "out"},
        {"4r +email,3 -email", "email", "in"},
        {"2 -email,3r +email", "email", "in"},
        {"3 -email,4r +email,4 -email", "email", "out"},
        {"3r +all,3 -all", "sms", "out"},
        {"3r -email,2 +email", "email", "out"},
        {"3 -email,3r! +all", "email", "out"},
        {"3 -marketing,3r! +all,1 +email", "email", "out"},
        {"2 +email,5r +email,3 -email", "email", "in"},
        {"1 -marketing,2 +email +all", "email", "out"},
        {"1 -marketing,2! +all", "email", "in"},
        {"1 -marketing,2 +marketing", "email", "unknown"},
        {"1 -marketing,2 +marketing +email", "email", "in"},
        {"1 -weekly_news", "email", "out"},
        {"1 -Weekly%20News", "sms", "unknown"},
        {"1 +all,2 -analytics", "email", "in"},
        {"1 -whats-app", "whatsapp", "unknown"},
        {"1 -WHATSAPP", "whatsapp", "out"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_words();
        struct span rest = span_of(rows[i].said), said;
        while (next_word(&rest, ',', &said))
            add_said(said);
        expect_consent(rows[i].channel, rows[i].verdict, rows[i].said);
    }
}

/* The customer who ticked everything and is still barred must be explained. */
static void the_record_says_what_lifts_nothing(void **state)
{
    use_words();
    add_said(SPAN("1 -email"));
    add_said(SPAN("3 +all"));
    denies(request("2026-03-01T09:00:00Z"), "opt_out");
    struct span wanted = SPAN("opted out at 2026-02-01T00:00:00.000000Z, which the yes to all at "
                              "2026-02-03T00:00:00.000000Z does not lift");
    assert_non_null(memmem(book->last.rules.ptr, book->last.rules.len, wanted.ptr, wanted.len));
    add_said(SPAN("4 +email -marketing"));
    denies(request("2026-03-01T10:00:00Z"), "opt_out");
    wanted = SPAN("opted out of marketing at 2026-02-04T00:00:00.000000Z");
    assert_non_null(memmem(book->last.rules.ptr, book->last.rules.len, wanted.ptr, wanted.len));
}

static void unsubscribed_is_a_no_to_its_channel(void **state)
{
    static const struct said_row rows[] = {
        {"2u email", "email", "out"},
        {"2u E-Mail", "email", "out"},
        {"2u email", "sms", "in"},
        {"2u email +sms", "email", "out"},
        {"2u email -newsletter", "email", "out"},
        {"2u email +all", "email", "out"},
        {"2u email +all", "sms", "in"},
        {"2u email +e_mail", "email", "in"},
        {"2u email -topic:tips", "email", "in"},
        {"2u email -Purpose:ads", "email", "in"},
        {"2u email +topic:tips", "email", "out"},
        {"2u web", "email", "out"},
        {"2u crm", "direct_mail", "out"},
        {"2u POS", "sms", "out"},
        {"2u Comparison-Site", "email", "out"},
        {"2u other", "sms", "out"},
        {"2u other +email", "email", "in"},
        {"2u branch +email", "email", "in"},
        {"2u branch +email", "sms", "out"},
        {"2u app", "email", "out"}, /* this policy says so */
        {"2u kiosk", "push", "out"},
        {"2u kiosk", "sms", "out"},
        {"2u kiosk", "email", "in"},
        {"2u chat", "chat", "out"},
        {"2u chat", "email", "in"},
        {"2u somewhere", "email", "in"},
        {"2u Weekly-News", "email", "out"}, /* a word of the policy */
        {"2u marketing", "sms", "out"},
        {"2u web,3 +email", "email", "in"},
        {"2u web,3 +email", "sms", "out"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_words();
        add_said(SPAN("1 +all"));
        struct span rest = span_of(rows[i].said), said;
        while (next_word(&rest, ',', &said))
            add_said(said);
        expect_consent(rows[i].channel, rows[i].verdict, rows[i].said);
    }
    start_again(state);
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"}");
    add_said(SPAN("1 +all"));
    add_said(SPAN("2u app"));
    expect_consent("push", "out", "2u app");
    expect_consent("email", "in", "2u app");
}

static void the_last_word_on_consent_holds(void **state)
{
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"}");
    struct contact_fact out = signal_of("Unsubscribed", "2026-02-01T00:00:00Z"),
                        in = signal_of("Consent Given", "2026-02-02T00:00:00Z");
    out.consent = SPAN("-email");
    in.consent = SPAN("+email");
    book_add(book, in);
    book_add(book, out); /* arrives later, happened earlier */
    grants(request("2026-03-01T09:00:00Z"));
    struct contact_fact later = signal_of("Unsubscribed", "2026-03-05T00:00:00Z");
    later.consent = SPAN("-email");
    book_add(book, later);
    /* known by now: the contact is still to be made */
    denies(request("2026-03-02T09:00:00Z"), "opt_out");
    assert_retry(NULL);
}

static void bounced_addresses_are_per_channel(void **state)
{
    use_rules("{\"id\":\"b\",\"kind\":\"invalid_address\",\"on\":[\"Email "
              "Bounced\"],\"until\":[\"Address Confirmed\"]}");
    book_add(book, signal_of("Email Bounced", "2026-02-01T00:00:00Z"));
    denies(request("2026-03-01T09:00:00Z"), "invalid_address");
    struct contact_fact sms = request("2026-03-01T09:00:00Z");
    sms.channel = SPAN("sms");
    grants(sms);
    book_add(book, signal_of("Address Confirmed", "2026-03-02T00:00:00Z"));
    grants(request("2026-03-03T09:00:00Z"));
}

struct failure_row {
    const char
        *events; /* in order of days: b bounced, d delivered; a second of the same day after + */
    const char *rule, *retry_at;
    bool granted;
};

static void fail_by(const char *events)
{
    int day = 1;
    for (; *events; events++) {
        if (*events == '+') {
            day--;
            continue;
        }
        book_add(book, signal_of(*events == 'b' ? "Email Bounced" : "Email Delivered",
                                 arena_printf(&arena, "2026-02-%02dT00:00:00Z", day)));
        day++;
    }
}

static void an_address_fails_after_several_failures_in_a_row(void **state)
{
    static const struct failure_row rows[] = {
        {"b", ",\"nth\":2", NULL, true},
        {"bb", ",\"nth\":2", NULL, false},
        {"bdb", ",\"nth\":2", NULL, true},
        {"bdbb", ",\"nth\":2", NULL, false},
        {"bbd", ",\"nth\":2", NULL, true},
        {"bbbb", ",\"nth\":5", NULL, true},
        {"bb", ",\"nth\":2,\"for\":\"P60D\"", "2026-04-03T00:00:00Z", false},
        {"bbb", ",\"nth\":2,\"for\":\"P60D\"", "2026-04-04T00:00:00Z", false}, /* from the last */
        {"bb", ",\"nth\":2,\"for\":\"P10D\"", NULL, true},
        {"b+d", "", NULL, false}, /* of one instant the failure counts */
        {"d+b", "", NULL, false},
        {"bd+b", ",\"nth\":2", NULL, true}, /* the delivery ended the first one */
        {"bd+b+b", ",\"nth\":2", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules(
            arena_printf(&arena,
                         "{\"id\":\"b\",\"kind\":\"invalid_address\",\"on\":[\"Email Bounced\"],"
                         "\"until\":[\"Email Delivered\"]%s}",
                         rows[i].rule));
        fail_by(rows[i].events);
        if ((book_ask(book, request("2026-03-01T09:00:00Z")) == VERDICT_GRANT) != rows[i].granted)
            fail_msg("row %zu: %s", i, rows[i].events);
        assert_retry(rows[i].retry_at);
    }
}

/* With one more identifier the same message has another anchor. */
static void a_failure_told_twice_is_one(void **state)
{
    use_rules(
        "{\"id\":\"b\",\"kind\":\"invalid_address\",\"on\":[\"Email Bounced\"],\"until\":[\"Email "
        "Delivered\"],\"nth\":2}");
    struct contact_fact bounced = signal_of("Email Bounced", "2026-02-01T00:00:00Z");
    book_add(book, bounced);
    book_add(book, bounced);
    grants(request("2026-03-01T09:00:00Z"));
}

struct hold_row {
    const char *rule, *release_at, *asked_at, *retry_at; /* the complaint is of 2026-03-01 */
    bool granted;
};

static void holds_end_by_release_or_time(void **state)
{
    static const struct hold_row rows[] = {
        {"", NULL, "2028-01-01T00:00:00Z", NULL, false},
        {"", "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z", NULL, true},
        {"", "2026-02-05T00:00:00Z", "2026-03-05T00:00:00Z", NULL, false}, /* an older release */
        {",\"for\":\"P21D\"", NULL, "2026-03-21T23:59:59Z", "2026-03-22T00:00:00Z", false},
        {",\"for\":\"P21D\"", NULL, "2026-03-22T00:00:00Z", NULL, true},
        {",\"then\":\"P14D\"", "2026-03-05T00:00:00Z", "2026-03-18T00:00:00Z",
         "2026-03-19T00:00:00Z", false},
        {",\"then\":\"P14D\"", "2026-03-05T00:00:00Z", "2026-03-19T00:00:00Z", NULL, true},
        {",\"for\":\"P7D\",\"then\":\"P14D\"", "2026-03-05T00:00:00Z", "2026-03-08T00:00:00Z", NULL,
         true},
        {",\"for\":null", NULL, "2026-04-01T00:00:00Z", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules(arena_printf(&arena,
                               "{\"id\":\"h\",\"kind\":\"hold\",\"on\":[{\"event\":\"Complaint "
                               "Filed\"}],\"release\":[\"Complaint Resolved\"]%s}",
                               rows[i].rule));
        book_add(book, signal_of("Complaint Filed", "2026-03-01T00:00:00Z"));
        if (rows[i].release_at)
            book_add(book, signal_of("Complaint Resolved", rows[i].release_at));
        book_ask(book, request(rows[i].asked_at));
        assert_verdict(rows[i].granted ? VERDICT_GRANT : VERDICT_DENY,
                       rows[i].granted ? NULL : "hold");
        assert_retry(rows[i].retry_at);
    }
}

struct about_row {
    const char *by, *start_case, *start_order, *end_case, *end_order;
    bool at_once, ends; /* at_once: both have one time */
};

static struct contact_fact with_ids(struct contact_fact fact, const char *case_id,
                                    const char *order_id)
{
    fact.case_id = span_of(case_id);
    fact.order_id = span_of(order_id);
    return fact;
}

static void a_release_ends_what_it_is_about(void **state)
{
    static const struct about_row rows[] = {
        {"", NULL, NULL, NULL, NULL, false, true},
        {"", "1", NULL, "2", NULL, false, true}, /* nothing is asked of ids */
        {"", NULL, NULL, NULL, NULL, true, false},
        {"", "1", NULL, "1", NULL, true, true},
        {"", NULL, "o", NULL, "o", true, true},
        {"", "1", "o", "2", "p", true, false},
        {",\"by\":\"case_id\"", "1", NULL, "1", NULL, false, true},
        {",\"by\":\"case_id\"", "1", NULL, "2", NULL, false, false},
        {",\"by\":\"case_id\"", "1", NULL, NULL, NULL, false, false},
        {",\"by\":\"case_id\"", NULL, NULL, "1", NULL, false, false},
        {",\"by\":\"case_id\"", NULL, "o", NULL, "p", false, true},
        {",\"by\":\"case_id\"", NULL, NULL, NULL, NULL, false, true},
        {",\"by\":[\"case_id\",\"order_id\"]", "1", "o", NULL, "o", false, true},
        {",\"by\":[\"case_id\",\"order_id\"]", "1", "o", "2", "o", false, false},
        {",\"by\":[\"case_id\",\"order_id\"]", "1", NULL, NULL, "o", false, false},
        {",\"by\":[\"order_id\"]", NULL, "o", NULL, "o", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct about_row *row = &rows[i];
        const char *end = row->at_once ? "2026-02-01T00:00:00Z" : "2026-02-02T00:00:00Z";
        start_again(state);
        use_rules(arena_printf(&arena,
                               "{\"id\":\"h\",\"kind\":\"hold\",\"on\":[\"Complaint Filed\"],"
                               "\"release\":[\"Complaint Resolved\"]%s}",
                               row->by));
        book_add(book, with_ids(signal_of("Complaint Filed", "2026-02-01T00:00:00Z"),
                                row->start_case, row->start_order));
        book_add(book,
                 with_ids(signal_of("Complaint Resolved", end), row->end_case, row->end_order));
        if ((book_ask(book, request("2026-03-01T09:00:00Z")) == VERDICT_GRANT) != row->ends)
            fail_msg("row %zu", i);
    }
}

static void holds_by_score_class_and_tag(void **state)
{
    use_rules("{\"id\":\"h\",\"kind\":\"hold\",\"classes\":[\"marketing\"],\"tags\":[\"credit\"],"
              "\"on\":[{\"score_max\":-50}]}");
    struct contact_fact fine = signal_of("Survey Answered", "2026-02-01T00:00:00Z"),
                        bad = signal_of("Survey Answered", "2026-02-02T00:00:00Z");
    fine.score = -49;
    bad.score = -50;
    struct contact_fact credit = request("2026-03-01T09:00:00Z"),
                        again = request("2026-03-01T09:00:01Z");
    struct contact_fact notice = request("2026-03-01T09:00:02Z");
    credit.tags = again.tags = notice.tags = SPAN("credit");
    notice.class = SPAN("service");
    book_add(book, fine);
    grants(credit);
    book_add(book, bad);
    denies(again, "hold");
    grants(notice);
    grants(request("2026-03-01T09:00:03Z")); /* without the tag */
}

struct bought_row {
    const char *product,
        *category; /* of the request; bought: printer-1 of printers on 2026-01-01 */
    bool returned, granted;
};

/* The clock of UTC, under another name. */
static const struct zone_book *somewhere(void)
{
    struct zone_name *name = arena_new(&arena, struct zone_name);
    struct zone_book *book_of_zones = arena_new(&arena, struct zone_book);
    *name = (struct zone_name){.name = SPAN("Europe/Reykjavik"), .code = 1};
    *book_of_zones = (struct zone_book){.version = SPAN("2025b")};
    zone_set_finish(&book_of_zones->set, &arena, name, 1);
    zone_country_add(&book_of_zones->countries, &arena, SPAN("IS"), 1);
    return book_of_zones;
}

#define QUIET(id, from, to)                                                                        \
    "{\"id\":\"" id "\",\"kind\":\"quiet_hours\",\"from\":\"" from "\",\"to\":\"" to "\"}"

static void use_clocks(const char *rules)
{
    struct err err = {0};
    const char *text = arena_printf(
        &arena, "{" CLASSES "," ALLOW ",\"zones\":{\"unknown\":[\"IS\"]},\"rules\":[%s]}", rules);
    struct contact_policy *policy = book_use_policy(book, &arena, text);
    assert_int_equal(suppression_policy_set_zones(&arena, policy, somewhere(), &err), OUTCOME_OK);
}

static void clocks_that_never_agree_give_no_retry(void **state)
{
    use_clocks(QUIET("night", "21:00", "09:00") "," QUIET("day", "09:00", "21:00"));
    denies(request("2026-03-01T08:00:00Z"), "quiet_hours");
    assert_retry(NULL);
    struct contact_fact later = request("2026-03-01T09:00:00Z");
    later.latest_at = book_time("2026-05-01T09:00:00Z");
    denies(later, "quiet_hours");
}

static void a_booking_draws_its_lot(void **state)
{
    use_clocks(QUIET("night", "21:00", "09:00") ",{\"id\":\"global\",\"kind\":\"holdout\","
                                                "\"classes\":[\"marketing\"],\"percent\":50}");
    int booked = 0, control = 0;
    for (uint8_t n = 0; n < 40; n++) {
        struct contact_fact late = request("2026-03-01T22:00:00Z");
        late.latest_at = book_time("2026-03-02T12:00:00Z");
        late.anchor_id.bytes[15] = n;
        book->arms.count = 0;
        book_ask(book, late);
        bool is_denied = book->last.verdict == VERDICT_DENY;
        struct instant planned_at =
            book_time(is_denied ? "2026-03-01T22:00:00Z" : "2026-03-02T09:00:00Z");
        assert_string_equal(is_denied ? book->last.reason : "holdout", "holdout");
        assert_int_equal(book->last.planned_at.us, planned_at.us);
        assert_int_equal(book->last.retry_at.us, INSTANT_ABSENT.us);
        assert_true(is_denied == (book->last.moved_by.len == 0));
        booked += !is_denied;
        control += is_denied;
    }
    assert_true(booked > 5 && control > 5);
}

static void bought_is_not_offered_again(void **state)
{
    static const struct bought_row rows[] = {
        {"printer-1", NULL, false, false},     {"printer-2", NULL, false, true},
        {NULL, "printers", false, false},      {"printer-2", "printers", false, false},
        {"ink-1", "ink", false, true},         {NULL, NULL, false, true},
        {"printer-1", "printers", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules("{\"id\":\"b\",\"kind\":\"already_bought\",\"on\":[\"Order "
                  "Completed\"],\"for\":\"P3Y\",\"until\":[\"Order "
                  "Returned\"]}");
        struct contact_fact bought = signal_of("Order Completed", "2026-01-01T00:00:00Z"),
                            asked = request("2026-03-01T09:00:00Z");
        struct contact_fact returned = signal_of("Order Returned", "2026-01-05T00:00:00Z");
        bought.product_id = returned.product_id = SPAN("printer-1");
        bought.product_category = SPAN("printers");
        asked.product_id = span_of(rows[i].product);
        asked.product_category = span_of(rows[i].category);
        book_add(book, bought);
        if (rows[i].returned)
            book_add(book, returned);
        if ((book_ask(book, asked) == VERDICT_GRANT) != rows[i].granted)
            fail_msg("row %zu", i);
    }
}

static void ownership_ends_after_its_time(void **state)
{
    use_rules(
        "{\"id\":\"b\",\"kind\":\"already_bought\",\"on\":[\"Order Completed\"],\"for\":\"P30D\"}");
    struct contact_fact bought = signal_of("Order Completed", "2026-01-01T00:00:00Z");
    struct contact_fact early = request("2026-01-30T23:59:59Z"),
                        late = request("2026-01-31T00:00:00Z");
    bought.product_id = early.product_id = late.product_id = SPAN("ink-1");
    book_add(book, bought);
    denies(early, "already_bought");
    assert_retry("2026-01-31T00:00:00Z");
    grants(late);
}

/* ---- never after ---- */

struct after_row {
    const char *more;  /* keys of the rule */
    const char *ended; /* category of an event that ends it, NULL: none */
    const char *category, *asked_at, *retry_at;
    bool granted;
};

/* K10 and its neighbours: an application for credit/car is declined on 1 June. */
static void never_after_a_declined_application(void **state)
{
#define CATEGORY "\"match\":\"category\",\"for\":\"P180D\""
#define ENDS     ",\"until\":[\"Application Approved\"]"
    static const struct after_row rows[] = {
        {CATEGORY, NULL, "credit/car", "2026-06-01T10:00:00Z", "2026-11-28T10:00:00Z", false},
        {CATEGORY, NULL, "credit/car", "2026-11-28T10:00:00Z", NULL, true},
        {CATEGORY, NULL, "insurance", "2026-06-02T10:00:00Z", NULL, true},
        {CATEGORY, NULL, "credit", "2026-06-02T10:00:00Z", "2026-11-28T10:00:00Z", false},
        {CATEGORY, NULL, NULL, "2026-06-02T10:00:00Z", NULL, true},
        {CATEGORY ENDS, "credit/car", "credit/car", "2026-06-05T10:00:00Z", NULL, true},
        {CATEGORY ENDS, "credit/home", "credit/car", "2026-06-05T10:00:00Z", "2026-11-28T10:00:00Z",
         false},
        {"\"for\":\"P180D\"", NULL, "insurance", "2026-06-02T10:00:00Z", "2026-11-28T10:00:00Z",
         false},
        {"\"for\":\"P180D\"" ENDS, "credit/home", NULL, "2026-06-05T10:00:00Z", NULL, true},
        {"\"match\":\"any\"", NULL, NULL, "2027-06-01T10:00:00Z", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules(arena_printf(&arena,
                               "{\"id\":\"n\",\"kind\":\"never_after\",\"on\":[\"Application "
                               "Declined\"],%s}",
                               rows[i].more));
        struct contact_fact declined = signal_of("Application Declined", "2026-06-01T10:00:00Z"),
                            approved = signal_of("Application Approved", "2026-06-04T10:00:00Z"),
                            asked = request(rows[i].asked_at);
        declined.product_category = SPAN("credit/car");
        approved.product_category = span_of(rows[i].ended);
        asked.product_category = span_of(rows[i].category);
        book_add(book, declined);
        if (rows[i].ended)
            book_add(book, approved);
        if ((book_ask(book, asked) == VERDICT_GRANT) != rows[i].granted)
            fail_msg("row %zu", i);
        assert_retry(rows[i].retry_at);
    }
}

/* What another person's application came to is not the customer's. */
static void never_after_ignores_copies(void **state)
{
    use_rules("{\"id\":\"n\",\"kind\":\"never_after\",\"on\":[\"Application Declined\"]}");
    struct contact_fact copy = signal_of("Application Declined", "2026-06-01T10:00:00Z");
    copy.flags = CONTACT_IS_COPY;
    book_add(book, copy);
    grants(request("2026-06-02T10:00:00Z"));
    book_add(book, signal_of("Application Declined", "2026-06-03T10:00:00Z"));
    denies(request("2026-06-02T11:00:00Z"), "never_after");
}

/* ---- apart ---- */

struct apart_row {
    const char *name, *keys;
    const char *contacts[2];      /* times, "i" before them: of insurance, else of loans */
    const char *asked, *retry_at; /* NULL: granted */
};

static struct contact_fact tagged(struct contact_fact fact, const char **at)
{
    bool is_insurance = **at == 'i';
    *at += is_insurance;
    fact.tags = is_insurance ? SPAN("insurance") : SPAN("loan");
    return fact;
}

static void send_tagged(const char *text)
{
    const char *at = text;
    struct contact_fact sent =
        tagged(book_fact(CONTACT_SENT, "Contact Sent", INSTANT_FIRST, ++numbers), &at);
    sent.at = book_time(at);
    sent.class = SPAN("marketing");
    book_add(book, sent);
}

static void contacts_are_apart(void **state)
{
#define PAIR "\"tags\":[\"loan\"],\"from\":{\"tags\":[\"insurance\"]},\"for\":\"P30D\""
#define GAP  "\"for\":\"PT4H\""
    static const struct apart_row rows[] = {
        {"A1", GAP, {"2026-06-01T10:00:00Z"}, "2026-06-01T12:00:00Z", "2026-06-01T14:00:00Z"},
        {"A2", GAP, {"2026-06-01T10:00:00Z"}, "2026-06-01T14:00:00Z", NULL},
        {"A3", GAP, {"2026-06-01T10:00:00Z"}, "2026-06-01T06:00:01Z", "2026-06-01T14:00:00Z"},
        {"A4", GAP, {"2026-06-01T10:00:00Z"}, "2026-06-01T06:00:00Z", NULL},
        {"A5",
         PAIR,
         {"i2026-05-20T10:00:00Z", "i2026-06-18T10:00:00Z"},
         "2026-06-01T10:00:00Z",
         "2026-07-18T10:00:00Z"},
        {"A5, the other way",
         PAIR,
         {"2026-05-20T10:00:00Z", "2026-06-18T10:00:00Z"},
         "i2026-06-01T10:00:00Z",
         "2026-07-18T10:00:00Z"},
        {"loans are near loans", PAIR, {"2026-06-01T10:00:00Z"}, "2026-06-01T11:00:00Z", NULL},
        {"A6",
         PAIR ",\"order\":\"after\"",
         {"i2026-06-18T10:00:00Z"},
         "2026-06-01T10:00:00Z",
         NULL},
        {"A7",
         PAIR ",\"order\":\"after\"",
         {"i2026-06-01T10:00:00Z"},
         "2026-06-01T10:00:00Z",
         "2026-07-01T10:00:00Z"},
        {"insurance before a loan",
         PAIR ",\"order\":\"after\"",
         {"2026-06-18T10:00:00Z"},
         "i2026-06-01T10:00:00Z",
         "2026-06-18T10:00:00.000001Z"},
        {"insurance after a loan",
         PAIR ",\"order\":\"after\"",
         {"2026-06-01T09:00:00Z"},
         "i2026-06-01T10:00:00Z",
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = rows[i].asked;
        start_again(state);
        use_rules(arena_printf(&arena, "{\"id\":\"a\",\"kind\":\"apart\",%s}", rows[i].keys));
        for (size_t k = 0; k < 2 && rows[i].contacts[k]; k++)
            send_tagged(rows[i].contacts[k]);
        struct contact_fact asked = tagged(request("2026-01-01T00:00:00Z"), &at);
        asked.at = book_time(at);
        book_ask(book, asked);
        if ((book->last.verdict == VERDICT_GRANT) != (rows[i].retry_at == NULL))
            fail_msg("%s: verdict %d", rows[i].name, book->last.verdict);
        assert_retry(rows[i].retry_at);
    }
}

/* What is granted is a contact; the request's own is not; other classes are free. */
static void apart_counts_grants(void **state)
{
    use_rules("{\"id\":\"a\",\"kind\":\"apart\",\"classes\":[\"marketing\",\"service\"],"
              "\"departments\":[\"cards\"],\"for\":\"PT4H\"}");
    struct contact_fact first = request("2026-06-01T10:00:00Z"),
                        second = request("2026-06-01T11:00:00Z"),
                        third = request("2026-06-01T12:00:00Z"),
                        fourth = request("2026-06-01T13:00:00Z");
    first.department = second.department = fourth.department = SPAN("cards");
    fourth.class = SPAN("service");
    grants(first);
    denies(second, "apart");
    assert_retry("2026-06-01T14:00:00Z");
    grants(third);  /* of another department */
    grants(fourth); /* obeys nothing */
}

/* ---- purposes and topics ---- */

struct purpose_row {
    const char *said[3]; /* on 1, 2, 3 June; a leading c: a copy, u: Unsubscribed from e-mail */
    const char *channel, *purpose, *tags;
    bool granted;
    const char *observed;
};

static struct contact_fact consenting(size_t day, const char *said)
{
    static const char *const days[] = {"2026-06-01T10:00:00Z", "2026-06-02T10:00:00Z",
                                       "2026-06-03T10:00:00Z"};
    bool is_copy = *said == 'c', is_exit = *said == 'u';
    struct contact_fact fact = signal_of(is_exit ? "Unsubscribed" : "Preferences Saved", days[day]);
    fact.flags = is_copy ? CONTACT_IS_COPY : 0;
    fact.consent = span_of(said + (is_copy || is_exit));
    return fact;
}

static void purposes_and_topics(void **state)
{
#define AT(day) "at 2026-06-0" day "T10:00:00.000000Z"
    static const struct purpose_row rows[] = {
        /* a basis for each purpose */
        {{NULL}, "email", "offers", NULL, false, "purpose:offers unknown"},
        {{"+purpose:offers"}, "email", "offers", NULL, true, "purpose:offers opted in " AT("1")},
        {{NULL}, "email", "care", NULL, true, "purpose:care unknown"},
        {{"-purpose:care"}, "email", "care", NULL, false, "purpose:care opted out " AT("1")},
        {{"-purpose:contract"},
         "email",
         "contract",
         NULL,
         true,
         "purpose:contract opted out " AT("1")},
        {{NULL}, "email", "fun", NULL, false, "purpose:fun unknown"},
        {{"+purpose:fun"}, "email", "fun", NULL, true, NULL},
        {{NULL}, "email", NULL, NULL, true, "no purpose or topic"},
        {{"-purpose:share"}, "email", "offers", NULL, false, NULL}, /* K12: nothing but share */
        {{"-purpose:share +purpose:offers"}, "email", "offers", NULL, true, NULL},
        /* topics; K2 */
        {{NULL}, "email", NULL, "topic:tips", true, "topic:tips unknown"},
        {{"-topic:tips@sms"}, "sms", NULL, "topic:tips", false, "topic:tips opted out " AT("1")},
        {{"-topic:tips@sms"}, "email", NULL, "topic:tips", true, "topic:tips unknown"},
        {{"-Topic:Tips@Text"}, "sms", NULL, "topic:tips", false, NULL},
        {{NULL}, "email", NULL, "topic:news", false, "topic:news unknown"},
        {{"+topic:news"}, "email", NULL, "topic:news\nother", true, NULL},
        {{"+topic:news"}, "email", NULL, "topic:news\ntopic:more", false, "topic:more unknown"},
        /* the narrower word */
        {{"-topic:tips", "+topic:tips@sms"}, "sms", NULL, "topic:tips", true, NULL},
        {{"-topic:tips", "+topic:tips@sms"}, "email", NULL, "topic:tips", false, NULL},
        {{"-topic:tips@sms", "+topic:tips"}, "sms", NULL, "topic:tips", false, NULL},
        {{"-topic:tips +topic:tips@sms"}, "sms", NULL, "topic:tips", true, NULL},
        {{"-topic:tips", "+topic:tips"}, "sms", NULL, "topic:tips", true, NULL},
        /* words without a prefix; channels are no purposes */
        {{"-tips"}, "email", NULL, "topic:tips", false, NULL},
        {{"+offers"}, "email", "offers", NULL, true, NULL},
        {{"-all"}, "email", "care", "topic:tips", true, NULL},
        {{"+all"}, "email", "offers", NULL, false, NULL},
        /* others may say no, and not yes */
        {{"c-topic:tips"}, "email", NULL, "topic:tips", false, "topic:tips opted out"},
        {{"c+purpose:offers"}, "email", "offers", NULL, false, "purpose:offers unknown"},
        {{"c-purpose:offers", "+purpose:offers"}, "email", "offers", NULL, true, NULL},
        {{"u-topic:tips"}, "email", NULL, "topic:tips", false, NULL},
        {{"u-topic:tips"}, "email", NULL, NULL, true, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct purpose_row *row = &rows[i];
        start_again(state);
        use_rules(
            "{\"id\":\"p\",\"kind\":\"consent\",\"purposes\":{\"offers\":\"consent\",\"care\":"
            "\"interest\",\"contract\":\"contract\"},\"topics\":{\"tips\":\"in\",\"news\":"
            "\"out\"}}");
        for (size_t k = 0; k < 3 && row->said[k]; k++)
            book_add(book, consenting(k, row->said[k]));
        struct contact_fact asked = request("2026-06-10T10:00:00Z");
        asked.channel = span_of(row->channel);
        asked.purpose = span_of(row->purpose);
        asked.tags = span_of(row->tags);
        if ((book_ask(book, asked) == VERDICT_GRANT) != row->granted)
            fail_msg("row %zu", i);
        assert_retry(NULL);
        const char *line = arena_printf(&arena,
                                        "p\x1f"
                                        "consent\x1f%d\x1f%s\x1f",
                                        row->granted, row->observed ? row->observed : "");
        if (row->observed && strncmp(book->last.rules.ptr, line, strlen(line)) != 0)
            fail_msg("row %zu: " SPAN_FMT, i, SPAN_ARG(book->last.rules));
    }
}

/* ---- what the customer asked for ---- */

static struct contact_fact preferring(const char *at, const char *preferences)
{
    struct contact_fact fact = signal_of("Preferences Saved", at);
    fact.preferences = span_of(preferences);
    return fact;
}

#define PAUSED(until) "pause\x1f" until "\x1f\n"

struct pause_row {
    const char *said[3];  /* on 1, 2, 3 June; a leading c: a copy, b: by a bot */
    const char *retry_at; /* NULL: granted, on 10 June by e-mail */
};

static void a_pause_is_kept(void **state)
{
    static const struct pause_row rows[] = {
        {{PAUSED("2027-03-01T00:00:00Z")}, "2027-03-01T00:00:00Z"},
        {{PAUSED("2027-03-01")}, "2027-03-01T00:00:00Z"},
        {{PAUSED("2026-06-10T00:00:00Z")}, NULL},
        {{PAUSED("2027-03-01T00:00:00Z"), "pause\x1f\n"}, NULL}, /* K6 */
        {{"pause\x1f\n", PAUSED("2027-03-01T00:00:00Z")}, "2027-03-01T00:00:00Z"},
        {{PAUSED("2027-03-01T00:00:00Z"), PAUSED("2026-07-01T00:00:00Z")}, "2026-07-01T00:00:00Z"},
        {{PAUSED("2027-03-01T00:00:00Z\x1f"
                 "sms")},
         NULL},
        {{PAUSED("2027-03-01T00:00:00Z\x1f"
                 "sms\x1f"
                 "E-Mail")},
         "2027-03-01T00:00:00Z"},
        /* the channel and everything are two keys */
        {{PAUSED("2027-03-01T00:00:00Z"), PAUSED("2026-07-01T00:00:00Z\x1f"
                                                 "email")},
         "2027-03-01T00:00:00Z"},
        /* others pause, and neither end nor shorten */
        {{"c" PAUSED("2027-03-01T00:00:00Z")}, "2027-03-01T00:00:00Z"},
        {{PAUSED("2027-03-01T00:00:00Z"), "c" PAUSED("2026-07-01T00:00:00Z")},
         "2027-03-01T00:00:00Z"},
        {{PAUSED("2027-03-01T00:00:00Z"), "cpause\x1f\n"}, "2027-03-01T00:00:00Z"},
        {{PAUSED("2027-03-01T00:00:00Z"), "bpause\x1f\n"}, "2027-03-01T00:00:00Z"},
        {{"c" PAUSED("2027-03-01T00:00:00Z"), "pause\x1f\n"}, NULL},
    };
    static const char *const days[] = {"2026-06-01T10:00:00Z", "2026-06-02T10:00:00Z",
                                       "2026-06-03T10:00:00Z"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules("{\"id\":\"p\",\"kind\":\"pause\"}");
        for (size_t k = 0; k < 3 && rows[i].said[k]; k++) {
            const char *said = rows[i].said[k];
            bool is_copy = *said == 'c', is_bot = *said == 'b';
            struct contact_fact fact = preferring(days[k], said + (is_copy || is_bot));
            fact.flags = is_copy ? CONTACT_IS_COPY : is_bot ? CONTACT_IS_NOT_SAID : 0;
            book_add(book, fact);
        }
        if ((book_ask(book, request("2026-06-10T10:00:00Z")) == VERDICT_GRANT) !=
            (rows[i].retry_at == NULL))
            fail_msg("row %zu", i);
        assert_retry(rows[i].retry_at);
    }
}

struct limit_row {
    const char *said[2];
    const char *channel, *class;
    const char *retry_at; /* NULL: granted, after two e-mails of 1 and 2 June at 10:00 */
    bool granted;
};

static void the_own_limit_is_kept(void **state)
{
#define LIMIT(count, more) "limit\x1f" count "\x1fP7D\x1f" more "\n"
    static const struct limit_row rows[] = {
        {{LIMIT("2", "")}, "email", "marketing", "2026-06-08T10:00:00Z", false},
        {{LIMIT("3", "")}, "email", "marketing", NULL, true},
        {{LIMIT("0", "")}, "email", "marketing", NULL, false},
        {{LIMIT("0", "")}, "email", "service", NULL, true}, /* obeys nothing */
        {{LIMIT("0", ""), "limit\x1f\n"}, "email", "marketing", NULL, true},
        {{LIMIT("0", ""), LIMIT("1", "")}, "email", "marketing", "2026-06-09T10:00:00Z", false},
        {{LIMIT("1", "sms\x1f")}, "email", "marketing", NULL, true},
        {{LIMIT("1", "sms\x1f")}, "sms", "marketing", NULL, true},
        {{LIMIT("2", "sms\x1f"
                     "Email\x1f")},
         "sms",
         "marketing",
         "2026-06-08T10:00:00Z",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules("{\"id\":\"o\",\"kind\":\"own_limit\"}");
        for (size_t k = 0; k < 2 && rows[i].said[k]; k++)
            book_add(book, preferring(k ? "2026-05-02T10:00:00Z" : "2026-05-01T10:00:00Z",
                                      rows[i].said[k]));
        for (size_t k = 0; k < 2; k++) {
            struct contact_fact sent =
                book_fact(CONTACT_SENT, "Contact Sent", INSTANT_FIRST, ++numbers);
            sent.at = book_time(k ? "2026-06-02T10:00:00Z" : "2026-06-01T10:00:00Z");
            book_add(book, sent);
        }
        struct contact_fact asked = request("2026-06-03T10:00:00Z");
        asked.channel = span_of(rows[i].channel);
        asked.class = span_of(rows[i].class);
        if ((book_ask(book, asked) == VERDICT_GRANT) != rows[i].granted)
            fail_msg("row %zu", i);
        assert_retry(rows[i].retry_at);
    }
}

/* ---- goals ---- */

struct goal_row {
    const char *deed_at, *deed_campaign;
    int16_t flags;
    const char *campaign, *asked_at;
    bool granted; /* after a letter of campaign 8 of 1 June */
};

/* K9 and its neighbours. */
static void who_did_it_is_asked_no_more(void **state)
{
    static const struct goal_row rows[] = {
        {"2026-06-03T10:00:00Z", NULL, 0, "8", "2026-06-05T10:00:00Z", false},
        {"2026-05-30T10:00:00Z", NULL, 0, "8", "2026-06-05T10:00:00Z", true},
        {"2026-06-01T10:00:00Z", NULL, 0, "8", "2026-06-05T10:00:00Z", true},
        {"2026-07-01T10:00:00Z", NULL, 0, "8", "2026-08-05T10:00:00Z", false},
        {"2026-07-01T10:00:00.000001Z", NULL, 0, "8", "2026-08-05T10:00:00Z", true},
        {"2026-06-03T10:00:00Z", "8", 0, "8", "2026-06-05T10:00:00Z", false},
        {"2026-06-03T10:00:00Z", "9", 0, "8", "2026-06-05T10:00:00Z", true},
        {"2026-06-03T10:00:00Z", NULL, 0, "9", "2026-06-05T10:00:00Z", true},
        {"2026-06-03T10:00:00Z", NULL, 0, NULL, "2026-06-05T10:00:00Z", true},
        {"2026-06-03T10:00:00Z", NULL, CONTACT_IS_COPY, "8", "2026-06-05T10:00:00Z", true},
        {"2026-06-03T10:00:00Z", NULL, CONTACT_IS_NOT_SAID, "8", "2026-06-05T10:00:00Z", true},
        /* asked for a time before the letter */
        {"2026-06-03T10:00:00Z", NULL, 0, "8", "2026-05-31T10:00:00Z", true},
        {"2026-06-03T10:00:00Z", NULL, 0, "8", "2026-06-01T10:00:00Z", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules("{\"id\":\"g\",\"kind\":\"goal_met\",\"on\":[\"Order Completed\"]}");
        struct contact_fact letter = book_fact(CONTACT_SENT, "Contact Sent",
                                               book_time("2026-06-01T10:00:00Z"), ++numbers),
                            deed = signal_of("Order Completed", rows[i].deed_at),
                            asked = request(rows[i].asked_at);
        letter.campaign_id = SPAN("8");
        deed.campaign_id = span_of(rows[i].deed_campaign);
        deed.flags = rows[i].flags;
        asked.campaign_id = span_of(rows[i].campaign);
        book_add(book, letter);
        book_add(book, deed);
        if ((book_ask(book, asked) == VERDICT_GRANT) != rows[i].granted)
            fail_msg("row %zu", i);
        assert_retry(NULL);
    }
}

/* ---- sequences ---- */

static struct contact_fact in_sequence(const char *at, const char *department, const char *sequence)
{
    struct contact_fact fact = request(at);
    fact.department = span_of(department);
    fact.sequence_id = span_of(sequence);
    return fact;
}

struct sequence_row {
    const char *name, *first, *second, *third; /* sequences of 1, 4 and 6 June at 10:00 */
    int limit;
    const char *retry_at; /* of the third; NULL: granted */
};

static void a_sequence_takes_one_place(void **state)
{
    static const struct sequence_row rows[] = {
        {"R3", "s", NULL, "s", 1, NULL},
        {"R4", "s", "s", "t", 1, "2026-06-11T10:00:00Z"},
        {"R5", "s", "s", "t", 2, NULL},
        {"three of them", "s", "t", "u", 2, "2026-06-08T10:00:00Z"},
        {"without a sequence each is one", NULL, NULL, NULL, 2, "2026-06-08T10:00:00Z"},
        {"the last of one moves on", "s", "s", NULL, 1, "2026-06-11T10:00:00Z"},
        {"between", "s", "t", "s", 2, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_again(state);
        use_rules(arena_printf(&arena,
                               "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":%d,"
                               "\"sequences\":\"once\"}",
                               rows[i].limit));
        grants(in_sequence("2026-06-01T10:00:00Z", "cards", rows[i].first));
        if (rows[i].limit > 1 || rows[i].second)
            grants(in_sequence("2026-06-04T10:00:00Z", "cards", rows[i].second));
        if ((book_ask(book, in_sequence("2026-06-06T10:00:00Z", "cards", rows[i].third)) ==
             VERDICT_GRANT) != (rows[i].retry_at == NULL))
            fail_msg("%s", rows[i].name);
        assert_retry(rows[i].retry_at);
    }
}

/* A constant sequence_id does not dodge the cap, nor does that of another department. */
static void a_sequence_has_an_end(void **state)
{
    use_rules(
        "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P60D\",\"limit\":1,\"sequences\":\"once\"}");
    grants(in_sequence("2026-06-01T10:00:00Z", "cards", "s"));
    denies(in_sequence("2026-06-02T10:00:00Z", "loans", "s"), "cap");
    for (int i = 0; i < 4; i++)
        grants(in_sequence("2026-06-03T10:00:00Z", "cards", "s"));
    denies(in_sequence("2026-06-04T10:00:00Z", "cards", "s"), "cap"); /* the sixth */
    start_again(state);
    use_rules(
        "{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P60D\",\"limit\":1,\"sequences\":\"once\"}");
    grants(in_sequence("2026-06-01T10:00:00Z", "cards", "s"));
    grants(in_sequence("2026-07-01T09:59:59Z", "cards", "s"));
    denies(in_sequence("2026-07-01T10:00:00Z", "cards", "s"), "cap");
    start_again(state);
    use_rules("");
    book_ask(book,
             in_sequence("2026-06-01T10:00:00Z", "cards",
                         "0123456789012345678901234567890123456789012345678901234567890123_"));
    assert_verdict(VERDICT_INVALID, "bad_sequence");
}

/* The call of a sequence dies when its mail is opened. */
static void a_sequence_has_a_goal(void **state)
{
    use_rules("{\"id\":\"g\",\"kind\":\"goal_met\",\"on\":[\"Email Opened\"],\"of\":\"sequence\"}");
    struct contact_fact mail = in_sequence("2026-06-01T10:00:00Z", "cards", "s"),
                        sent = book_fact(CONTACT_SENT, "Contact Sent",
                                         book_time("2026-06-01T10:00:00Z"), ++numbers);
    sent.decision_id = mail.event_id;
    sent.department = SPAN("cards");
    grants(mail);
    book_add(book, sent);
    grants(in_sequence("2026-06-01T11:00:00Z", "cards", "s"));
    book_add(book, signal_of("Email Opened", "2026-06-02T10:00:00Z"));
    denies(in_sequence("2026-06-03T10:00:00Z", "cards", "s"), "goal_met");
    grants(in_sequence("2026-06-03T10:00:00Z", "cards", "t"));
    grants(in_sequence("2026-06-03T10:00:00Z", "cards", NULL));
}

/* ---- the verdict ---- */

struct invalid_row {
    const char *reason;
    void (*spoil)(struct contact_fact *request);
};

static void drop_contact(struct contact_fact *r)
{
    r->flags = 0;
}

static void drop_channel(struct contact_fact *r)
{
    r->channel = SPAN("");
}

static void drop_class(struct contact_fact *r)
{
    r->class = SPAN_NONE;
}

static void misname_class(struct contact_fact *r)
{
    r->class = SPAN("marketting");
}

static void raise_priority(struct contact_fact *r)
{
    r->priority = 4;
}

static void spoil_tags(struct contact_fact *r)
{
    r->flags |= CONTACT_BAD_TAGS;
}

static void expire_at_once(struct contact_fact *r)
{
    r->planned_at = (struct instant){r->at.us + 1000};
    r->expires_at = r->planned_at;
}

static void plan_too_far(struct contact_fact *r)
{
    r->planned_at = (struct instant){r->at.us + 400 * US_PER_DAY + 1};
}

static void misname_channel(struct contact_fact *fact)
{
    fact->channel = SPAN("fax");
}

static void what_is_invalid(void **state)
{
    static const struct invalid_row rows[] = {
        {"no_contact", drop_contact},
        {"no_channel", drop_channel},
        {"unknown_channel", misname_channel},
        {"no_class", drop_class},
        {"unknown_class", misname_class},
        {"bad_priority", raise_priority},
        {"bad_tags", spoil_tags},
        {"expires_before_planned", expire_at_once},
        {"planned_too_far", plan_too_far},
    };
    use_rules("");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct contact_fact fact = request("2026-03-01T09:00:00Z");
        rows[i].spoil(&fact);
        book_ask(book, fact);
        assert_verdict(VERDICT_INVALID, rows[i].reason);
        contact_refuse(book->policy, &fact, "unidentified", &book->last);
        assert_verdict(VERDICT_INVALID, rows[i].reason);
    }
    struct contact_fact fact = request("2026-03-01T09:00:00Z");
    contact_refuse(book->policy, &fact, "unidentified", &book->last);
    assert_verdict(VERDICT_DENY, "unidentified");
    fact.planned_at = (struct instant){fact.at.us + 400 * US_PER_DAY};
    grants(fact);
}

static void every_rule_is_recorded_and_the_first_failing_decides(void **state)
{
    use_rules(
        "{\"id\":\"cap1\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1},{\"id\":\"out\",\"kind\":"
        "\"opt_out\"},"
        "{\"id\":\"sms\",\"kind\":\"cap\",\"channels\":[\"sms\"],\"per\":\"P1D\",\"limit\":1}");
    grants(request("2026-03-01T09:00:00Z"));
    struct contact_fact out = signal_of("Unsub\x1f\x1e", "2026-03-01T09:30:00Z");
    out.consent = SPAN("-email");
    book_add(book, out);
    denies(request("2026-03-01T10:00:00Z"), "cap");
    assert_retry(NULL); /* the opt-out will not end by itself */
    static const char expected[] = "cap1\x1f"
                                   "cap\x1f"
                                   "0\x1f"
                                   "2 with this one\x1f"
                                   "1 per 1 d\x1f"
                                   "2026-03-02T09:00:00.000000Z\x1e"
                                   "out\x1f"
                                   "opt_out\x1f"
                                   "0\x1f"
                                   "opted out at 2026-03-01T09:30:00.000000Z\x1f"
                                   "opted in or unknown\x1f"
                                   "\x1e"
                                   "sms\x1f"
                                   "cap\x1f"
                                   "1\x1f"
                                   "not for this request\x1f"
                                   "\x1f"
                                   "2026-03-01T10:00:00.000000Z\x1e";
    if (!span_is(book->last.rules, expected))
        fail_msg("recorded: " SPAN_FMT, SPAN_ARG(book->last.rules));
}

/* ---- revocations ---- */

static void expect_revoked(bool merged, const char *at, const char *cause, uint32_t number)
{
    struct revocation *revocations;
    struct ledger ledger = book_ledger(book);
    size_t count = contact_revoke(book->policy, &ledger, (struct contact_news){.is_merged = merged},
                                  book_time(at), book->now, &book->arena, &revocations);
    assert_int_equal(count, cause ? 1 : 0);
    if (cause == NULL)
        return;
    struct id expected = book_id(number);
    assert_string_equal(revocations[0].cause, cause);
    assert_true(id_equal(&revocations[0].request_id, &expected));
}

static void opt_out_hold_and_purchase_revoke(void **state)
{
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\",\"channels\":[\"email\"]},{\"id\":\"h\",\"kind\":"
              "\"hold\",\"on\":[{\"event\":"
              "\"Complaint Filed\"}],"
              "\"channels\":[\"sms\"]},{\"id\":\"b\",\"kind\":\"already_bought\",\"on\":[\"Order "
              "Completed\"]}");
    struct contact_fact email = request("2026-03-01T09:00:00Z"),
                        sms = request("2026-03-01T09:00:01Z"),
                        push = request("2026-03-01T09:00:02Z");
    sms.channel = SPAN("sms");
    push.channel = SPAN("push");
    push.product_id = SPAN("printer-1");
    grants(email);
    grants(sms);
    grants(push);
    expect_revoked(false, "2026-03-01T10:00:00Z", NULL, 0);
    struct contact_fact out = signal_of("Unsubscribed", "2026-03-01T10:00:00Z"),
                        bought = signal_of("Order Completed", "2026-03-01T12:00:00Z");
    out.consent = SPAN("-email");
    bought.product_id = SPAN("printer-1");
    book_add(book, out);
    expect_revoked(false, "2026-03-01T10:00:00Z", "opt_out", 1);
    expect_revoked(false, "2026-03-01T10:00:00Z", NULL, 0); /* once */
    book_add(book, signal_of("Complaint Filed", "2026-03-01T11:00:00Z"));
    expect_revoked(false, "2026-03-01T11:00:00Z", "hold", 2);
    book_add(book, bought);
    expect_revoked(false, "2026-03-01T12:00:00Z", "purchase", 3);
}

static void what_is_over_or_sent_is_not_revoked(void **state)
{
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"}");
    book->now = book_time("2026-03-05T00:00:00Z");
    grants(request("2026-03-01T09:00:00Z"));
    grants(request("2026-03-04T09:00:00Z")); /* number 2 */
    book_add(book, result_of(CONTACT_SENT, "2026-03-04T10:00:00Z", 2));
    struct contact_fact out = signal_of("Unsubscribed", "2026-03-04T11:00:00Z");
    out.consent = SPAN("-email");
    book_add(book, out);
    expect_revoked(false, "2026-03-04T11:00:00Z", NULL, 0);
}

/* Two halves of one person had a slot each; the earlier request keeps it. */
static void a_merge_revokes_the_later_reservation(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1}");
    grants(request("2026-03-01T12:00:00Z"));
    book->fact_count = 0; /* the other half knows nothing of it */
    grants(request("2026-03-01T10:00:00Z"));
    book->facts[1] = request("2026-03-01T12:00:00Z");
    book->facts[1].event_id = book_id(1);
    book->fact_count = 1;
    book_add(book, book->facts[1]);
    expect_revoked(false, "2026-03-01T13:00:00Z", NULL, 0);
    expect_revoked(true, "2026-03-01T13:00:00Z", "merge", 1);
    denies(request("2026-03-01T11:00:00Z"), "cap");
}

/* ---- claims ---- */

static struct reservation *reservation_of(uint32_t number)
{
    struct id id = book_id(number);
    return book_reservation(book, &id);
}

/* The channel claims the request at this time of the wall clock; reason NULL: it may go ahead. */
static struct contact_claim claims(uint32_t number, const char *now, const char *reason)
{
    struct reservation *r = reservation_of(number);
    struct ledger ledger = book_ledger(book);
    const struct contact_fact *asked = NULL;
    struct contact_claim claim;
    for (size_t i = 0; i < book->fact_count; i++)
        if (id_equal(&book->facts[i].event_id, &r->request_id))
            asked = &book->facts[i];
    book->now = book_time(now);
    contact_claim(book->policy, &ledger, asked, r, book->now, &book->arena, &claim);
    if (reason == NULL && claim.void_because == NULL)
        r->claimed_at = claim.is_repeat ? r->claimed_at : book->now;
    else if (reason == NULL || claim.void_because == NULL)
        fail_msg("%s: void %s", now, claim.void_because ? claim.void_because : "never");
    else
        assert_string_equal(claim.void_because, reason);
    return claim;
}

/* A grant for ten o'clock, which expires at 22:00. */
static void grant_of_the_day(void)
{
    struct contact_fact fact = request("2026-03-01T09:00:00Z");
    fact.planned_at = book_time("2026-03-01T10:00:00Z");
    fact.expires_at = book_time("2026-03-01T22:00:00Z");
    grants(fact);
}

static void says_no(const char *at)
{
    struct contact_fact out = signal_of("Unsubscribed", at);
    out.consent = SPAN("-email");
    book_add(book, out);
}

static void p4_a_claim_and_an_opt_out(void **state)
{
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"}");
    grant_of_the_day();
    claims(1, "2026-03-01T10:59:00Z", NULL);
    says_no("2026-03-01T11:00:00Z");
    expect_revoked(false, "2026-03-01T11:00:00Z", NULL, 0);
    expect_revoked(true, "2026-03-01T11:00:00Z", NULL, 0);
    assert_true(claims(1, "2026-03-01T11:01:00Z", NULL).is_repeat);
    start_again(state);
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"}");
    grant_of_the_day();
    says_no("2026-03-01T11:00:00Z");
    assert_int_equal(claims(1, "2026-03-01T11:01:00Z", "opt_out").rule, 0); /* nobody revoked it */
    expect_revoked(false, "2026-03-01T11:00:00Z", "opt_out", 1);
    claims(1, "2026-03-01T11:01:00Z", "revoked");
}

static void p5_a_claim_has_its_time(void **state)
{
    use_rules("{\"id\":\"o\",\"kind\":\"opt_out\"},{\"id\":\"c\",\"kind\":\"cap\",\"per\":"
              "\"P1D\",\"limit\":1}");
    grant_of_the_day();
    claims(1, "2026-03-01T09:59:59.999999Z", "too_early");
    claims(1, "2026-03-01T22:00:00Z", "expired");
    claims(1, "2026-03-01T21:59:59.999999Z", NULL);
    denies(request("2026-03-01T11:00:00Z"), "cap");
    claims(2, "2026-03-01T11:00:00Z", "not_granted");
    book_add(book, result_of(CONTACT_SENT, "2026-03-01T22:05:00Z", 1));
    claims(1, "2026-03-01T22:06:00Z", "sent");
}

/* At the time of the claim, for a quarter of an hour of the wall clock, whatever touchpoints say.
 */
static void a_claimed_contact_counts_when_it_is_made(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"PT1H\",\"limit\":1}");
    grant_of_the_day();
    claims(1, "2026-03-01T21:50:00Z", NULL);
    grants(request("2026-03-01T10:00:00Z"));
    denies(request("2026-03-01T22:30:00Z"), "cap");
    claims(1, "2026-03-01T22:04:59.999999Z", NULL);
    denies(request("2026-03-01T22:30:00Z"), "cap");
    claims(1, "2026-03-01T22:05:00Z", "expired");
    grants(request("2026-03-01T22:30:00Z"));
}

/* The goal was reached after the time that was judged, and before the claim. */
static void a_claim_asks_the_rules_as_of_now(void **state)
{
    use_rules("{\"id\":\"g\",\"kind\":\"goal_met\",\"on\":[\"Order Completed\"]}");
    struct contact_fact first = request("2026-03-01T09:00:00Z"),
                        second = request("2026-03-01T09:30:00Z");
    first.campaign_id = second.campaign_id = SPAN("spring");
    grants(first);
    grants(second);
    struct contact_fact sent = result_of(CONTACT_SENT, "2026-03-01T10:00:00Z", 1);
    sent.campaign_id = SPAN("spring");
    book_add(book, sent);
    claims(2, "2026-03-01T10:30:00Z", NULL);
    reservation_of(2)->claimed_at = INSTANT_ABSENT;
    book_add(book, signal_of("Order Completed", "2026-03-01T11:00:00Z"));
    expect_revoked(false, "2026-03-01T11:00:00Z", NULL, 0);
    claims(2, "2026-03-01T11:30:00Z", "goal_met");
}

/* Of two halves with a slot each the later request was claimed: it stays, and the other goes. */
static void a_merge_leaves_the_claimed_one(void **state)
{
    use_rules("{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1}");
    grants(request("2026-03-01T10:00:00Z"));
    struct contact_fact mine = book->facts[0];
    book->fact_count = 0; /* the other half knows nothing of it */
    grants(request("2026-03-01T12:00:00Z"));
    claims(2, "2026-03-01T12:10:00Z", NULL);
    book_add(book, mine);
    expect_revoked(true, "2026-03-01T12:10:00Z", "merge", 1);
    assert_int_equal(reservation_of(2)->outcome, RESULT_OPEN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rolling_3_per_24_hours),
        TEST(windows_are_half_open),
        TEST(later_contacts_count),
        TEST(retry_is_when_a_contact_leaves),
        TEST(rules_that_drop_name_no_retry),
        TEST(retry_jumps_over_every_closing),
        TEST(priorities_have_their_own_head_room),
        TEST(caps_by_parts_are_apart),
        TEST(a_cap_by_part_opens_when_all_its_parts_do),
        TEST(a_limit_of_0_refuses_for_ever),
        TEST(caps_of_channels_and_tags),
        TEST(a_delivery_is_no_second_contact),
        TEST(a_delivery_without_a_send_counts),
        TEST(the_earliest_send_counts),
        TEST(a_send_under_two_anchors_is_one_contact),
        TEST(a_repeated_request_takes_one_place),
        TEST(classes_obey_and_count_apart),
        TEST(a_contact_counts_once_at_its_send_time),
        TEST(cancelled_and_failed_contacts_free_their_slot),
        TEST(unasked_and_denied_sends_count),
        TEST(reservations_expire_on_both_clocks),
        TEST(a_request_may_expire_earlier),
        TEST(sends_after_expiry_count),
        TEST(consent_decides_per_channel),
        TEST(a_no_yields_to_a_later_yes_of_its_own),
        TEST(unsubscribed_is_a_no_to_its_channel),
        TEST(the_record_says_what_lifts_nothing),
        TEST(the_last_word_on_consent_holds),
        TEST(bounced_addresses_are_per_channel),
        TEST(an_address_fails_after_several_failures_in_a_row),
        TEST(a_failure_told_twice_is_one),
        TEST(holds_end_by_release_or_time),
        TEST(a_release_ends_what_it_is_about),
        TEST(holds_by_score_class_and_tag),
        TEST(clocks_that_never_agree_give_no_retry),
        TEST(a_booking_draws_its_lot),
        TEST(bought_is_not_offered_again),
        TEST(ownership_ends_after_its_time),
        TEST(never_after_a_declined_application),
        TEST(never_after_ignores_copies),
        TEST(contacts_are_apart),
        TEST(apart_counts_grants),
        TEST(purposes_and_topics),
        TEST(a_pause_is_kept),
        TEST(the_own_limit_is_kept),
        TEST(who_did_it_is_asked_no_more),
        TEST(a_sequence_takes_one_place),
        TEST(a_sequence_has_an_end),
        TEST(a_sequence_has_a_goal),
        TEST(what_is_invalid),
        TEST(every_rule_is_recorded_and_the_first_failing_decides),
        TEST(opt_out_hold_and_purchase_revoke),
        TEST(what_is_over_or_sent_is_not_revoked),
        TEST(a_merge_revokes_the_later_reservation),
        TEST(p4_a_claim_and_an_opt_out),
        TEST(p5_a_claim_has_its_time),
        TEST(a_claimed_contact_counts_when_it_is_made),
        TEST(a_claim_asks_the_rules_as_of_now),
        TEST(a_merge_leaves_the_claimed_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
