/* generator_bench.c: the profile for load: touchpoint i is a function of (seed, i), so nothing is
 * kept per touchpoint.
 *
 * Who acts is drawn from log-normal weights (alias method: Vose, "A linear algorithm for generating
 * random numbers with a given distribution", 1991). A request at i may be answered by a send at i +
 * lag, which then carries its decision id. */
#include <stdlib.h>

#include "data/generator_internal.h"

enum row_flags {
    NEEDS_KNOWN = 1, /* only people the company can address */
    OUTBOUND = 2,
    ORDER = 4,
    REQUEST = 8,
    CAMPAIGN = 16,
    NPS = 32,
    OPT_OUT = 64,
    OPT_IN = 128,
    PRODUCT = 256,
    PAGE = 512,
    SENT = 1024,
};

struct row {
    int share; /* of 10,000 */
    const char *channel, *event, *department;
    unsigned flags;
};

static const struct row rows[] = {
    {2960, "web", "Page Viewed", "online", PAGE},
    {1650, "web", "Product Viewed", "online", PAGE | PRODUCT},
    {1350, "app", "Screen Viewed", "online", 0},
    {700, "app", "Product Viewed", "online", PRODUCT},
    {470, "web", "Product Added", "online", PRODUCT},
    {110, "web", "Order Completed", "online", ORDER},
    {60, "app", "Order Completed", "online", ORDER},
    {130, "pos", "Order Completed", "stores", ORDER | NEEDS_KNOWN},
    {100, "email", "Contact Requested", "marketing", REQUEST | OUTBOUND | NEEDS_KNOWN},
    {45, "sms", "Contact Requested", "loyalty", REQUEST | OUTBOUND | NEEDS_KNOWN},
    {40, "direct_mail", "Contact Requested", "stores", REQUEST | OUTBOUND | NEEDS_KNOWN},
    {15, "call_center", "Contact Requested", "service", REQUEST | OUTBOUND | NEEDS_KNOWN},
    {560, "email", "Campaign Sent", "marketing", CAMPAIGN | OUTBOUND | NEEDS_KNOWN},
    {160, "direct_mail", "Campaign Sent", "stores", CAMPAIGN | OUTBOUND | NEEDS_KNOWN},
    {40, "sms", "Campaign Sent", "loyalty", CAMPAIGN | OUTBOUND | NEEDS_KNOWN},
    {500, "email", "Email Opened", "marketing", CAMPAIGN | NEEDS_KNOWN},
    {260, "email", "Email Link Clicked", "marketing", CAMPAIGN | NEEDS_KNOWN},
    {420, "ads", "Ad Clicked", "marketing", CAMPAIGN},
    {170, "call_center", "Call Received", "service", NEEDS_KNOWN},
    {20, "call_center", "Complaint Filed", "service", NEEDS_KNOWN},
    {15, "call_center", "Complaint Resolved", "service", NEEDS_KNOWN},
    {80, "sms", "Message Replied", "service", NEEDS_KNOWN},
    {40, "email", "Survey Answered", "service", NPS | NEEDS_KNOWN},
    {25, "email", "Unsubscribed", "marketing", OPT_OUT | NEEDS_KNOWN},
    {60, "web", "Consent Given", "online", OPT_IN},
    {20, "email", "Email Bounced", "marketing", NEEDS_KNOWN},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows, SHARES = 10000 };

/* Answers to requests: 7 of 10, by the request's channel. */
static const struct row sent_row = {0, NULL, "Contact Sent", NULL,
                                    SENT | OUTBOUND | CAMPAIGN | NEEDS_KNOWN};
static const double SENT_SHARE = 0.7;

struct bench {
    double *keep; /* alias method: keep this person, or take */
    uint32_t *other;
    uint8_t row_of[SHARES];
    uint64_t lag; /* touchpoints between a request and its send: about 20 minutes */
};

static void alias_build(struct bench *b, double *weight, uint32_t people)
{
    double sum = 0;
    for (uint32_t i = 0; i < people; i++)
        sum += weight[i];
    uint32_t *order = malloc(people * sizeof *order), small = 0, large = people;
    if (order == NULL)
        abort();
    for (uint32_t i = 0; i < people; i++) {
        weight[i] *= people / sum;
        b->keep[i] = 1;
        b->other[i] = i;
        order[weight[i] < 1 ? small++ : --large] = i;
    }
    while (small > 0 && large < people) {
        uint32_t low = order[--small], high = order[large];
        b->keep[low] = weight[low];
        b->other[low] = high;
        weight[high] -= 1 - weight[low];
        if (weight[high] < 1) {
            large++;
            order[small++] = high;
        }
    }
    free(order);
}

static enum outcome bench_open(struct generator *g, struct err *err)
{
    struct bench *b = calloc(1, sizeof *b);
    uint32_t people = g->options.people;
    double *weight = malloc(people * sizeof *weight);
    if (b == NULL || weight == NULL || (b->keep = malloc(people * sizeof *b->keep)) == NULL ||
        (b->other = malloc(people * sizeof *b->other)) == NULL)
        abort();
    g->state = b;
    for (uint32_t i = 0; i < people; i++)
        weight[i] = person_weight(g, i);
    alias_build(b, weight, people);
    free(weight);
    for (size_t row = 0, share = 0; row < ROW_COUNT; row++)
        for (int i = 0; i < rows[row].share && share < SHARES; i++)
            b->row_of[share++] = (uint8_t)row;
    double in_20_minutes = (double)g->options.events * 1200e6 / (double)g->span_us;
    b->lag = in_20_minutes < 1 ? 1 : (uint64_t)in_20_minutes;
    return OUTCOME_OK;
}

static void bench_close(struct generator *g)
{
    struct bench *b = g->state;
    if (b == NULL)
        return;
    free(b->keep);
    free(b->other);
    free(b);
}

/* Evenly spread with a jitter of one step, so the order of the indexes is the order of time. */
static int64_t bench_occurred_at(const struct generator *g, uint64_t index)
{
    struct random r = random_of(g->options.seed, STREAM_EVENT, index);
    double at =
        ((double)index + random_unit(&r)) * ((double)g->span_us / (double)g->options.events);
    return g->options.epoch.us + (int64_t)at;
}

static uint32_t draw_person(const struct generator *g, struct random *r)
{
    const struct bench *b = g->state;
    uint32_t slot = (uint32_t)random_below(r, g->options.people);
    return random_unit(r) < b->keep[slot] ? slot : b->other[slot];
}

/* Draws until the person can be addressed where the row needs that. The bound ends the draws of
 * a run that has no known person. */
static struct person draw_fitting(const struct generator *g, struct random *r,
                                  const struct row *row, int64_t at)
{
    struct person person = person_of(g, draw_person(g, r));
    for (int tries = 0; (row->flags & NEEDS_KNOWN) && at < person.known_from && tries < 64; tries++)
        person = person_of(g, draw_person(g, r));
    return person;
}

static const struct row *drawn_row(const struct generator *g, uint64_t index, struct random *r)
{
    const struct bench *b = g->state;
    *r = random_of(g->options.seed, STREAM_DETAIL, index);
    return &rows[b->row_of[random_below(r, SHARES)]];
}

/* The request that touchpoint index answers, if it does. A chain of answers to answers ends
 * quickly: 1.4 % each. */
static bool answers(const struct generator *g, uint64_t index, uint64_t *request)
{
    const struct bench *b = g->state;
    if (index < b->lag)
        return false;
    struct random r;
    uint64_t candidate = index - b->lag, none;
    if (!(drawn_row(g, candidate, &r)->flags & REQUEST) || answers(g, candidate, &none))
        return false;
    *request = candidate;
    struct random coin = random_of(g->options.seed, STREAM_STORY, candidate);
    return random_chance(&coin, SENT_SHARE);
}

static void put_message(struct texts *texts, uint64_t index, const char *channel,
                        struct touchpoint *t)
{
    text_begin(texts);
    text_add(texts, SPAN("urn:bench:"));
    text_add(texts, span_of(channel));
    t->source = text_end(texts);
    text_begin(texts);
    text_add(texts, SPAN("m"));
    text_number(texts, index, 12);
    t->message_id = text_end(texts);
}

static void put_decision(struct texts *texts, uint64_t request, struct touchpoint *t)
{
    struct touchpoint asked;
    put_message(texts, request, t->channel.ptr, &asked);
    t->decision_id = text_event_id(texts, &asked);
}

static void put_product(struct texts *texts, struct random *r, struct touchpoint *t)
{
    static const char *const categories[] = {"printers/inkjet", "printers/laser", "supplies/ink",
                                             "supplies/paper",  "cables",         "monitors",
                                             "keyboards",       "chairs"};
    text_begin(texts);
    text_add(texts, SPAN("sku-"));
    text_number(texts, random_below(r, 5000), 5);
    t->product_id = text_end(texts);
    t->product_category =
        span_of(categories[random_below(r, sizeof categories / sizeof *categories)]);
}

static void put_page(struct texts *texts, struct random *r, struct touchpoint *t)
{
    text_begin(texts);
    text_add(texts, SPAN("https://shop.example.com/"));
    text_add(texts, t->product_id.ptr ? t->product_category : SPAN("guides"));
    text_add(texts, SPAN("/"));
    text_number(texts, random_below(r, 4000), 4);
    t->page.url = text_end(texts);
    if (random_chance(r, 0.1))
        t->page.referrer = SPAN("https://www.google.com/");
    t->user_agent = SPAN("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
    t->locale = SPAN("en-US");
}

/* Where an online touch comes from: the person's city and screen do not change. */
static void put_origin(const struct generator *g, const struct person *person, struct touchpoint *t)
{
    static const char *const cities[] = {"New York",   "Philadelphia", "Columbus",
                                         "Cincinnati", "Indianapolis", "Boston"};
    struct random r = random_of(g->options.seed, STREAM_TOKEN, UINT64_C(1) << 40 | person->number);
    t->geo.country = SPAN("US");
    t->geo.city = span_of(cities[random_below(&r, sizeof cities / sizeof *cities)]);
    t->device.type = random_chance(&r, 0.6) ? SPAN("mobile") : SPAN("desktop");
    t->device.os_name = span_is(t->device.type, "mobile") ? SPAN("Android") : SPAN("Windows");
}

static void put_order(struct texts *texts, struct random *r, uint64_t index, struct touchpoint *t)
{
    text_begin(texts);
    text_add(texts, SPAN("o"));
    text_number(texts, index, 1);
    t->order_id = text_end(texts);
    double value = exp(3.4 + 0.9 * random_normal(r));
    t->value_micros = (int64_t)(value * 100) * 10000;
    t->margin_micros = t->value_micros / 4;
    t->currency = SPAN("USD");
    text_begin(texts);
    text_add(texts, SPAN("[{\"product_id\":\"sku-"));
    text_number(texts, random_below(r, 5000), 5);
    text_add(texts, SPAN("\",\"quantity\":1}]"));
    t->items_json = text_end(texts);
}

static void put_campaign(struct texts *texts, struct random *r, struct touchpoint *t)
{
    text_begin(texts);
    text_add(texts, SPAN("c"));
    text_number(texts, random_below(r, 40) + 1, 2);
    t->campaign.id = text_end(texts);
}

static void put_request(struct random *r, struct touchpoint *t)
{
    t->has_contact = true;
    t->contact.class = random_chance(r, 0.85) ? SPAN("marketing") : SPAN("service");
    t->contact.purpose = SPAN("cross_sell");
    t->contact.priority = 1 + (int64_t)random_below(r, 3);
    t->contact.planned_at = t->occurred_at + 3600 * US_PER_SECOND;
    t->contact.expires_at = t->occurred_at + 2 * US_PER_DAY;
}

static void put_details(struct texts *texts, struct random *r, const struct row *row,
                        uint64_t index, struct touchpoint *t)
{
    if (row->flags & PRODUCT)
        put_product(texts, r, t);
    if (row->flags & PAGE)
        put_page(texts, r, t);
    if (row->flags & ORDER)
        put_order(texts, r, index, t);
    if (row->flags & (CAMPAIGN | REQUEST))
        put_campaign(texts, r, t);
    if (row->flags & REQUEST)
        put_request(r, t);
    if (row->flags & NPS) {
        t->score_kind = SPAN("nps");
        t->score = ((int64_t)random_below(r, 11) - 5) * 20;
    }
    if (row->flags & OPT_OUT)
        t->consent = SPAN("\x02\x0a"
                          "email"
                          "\x00\x00");
    if (row->flags & OPT_IN)
        t->consent = SPAN("\x06\x0a"
                          "email"
                          "\x01\x06"
                          "sms"
                          "\x01\x16"
                          "call_center"
                          "\x01\x00");
}

static uint32_t bench_fill(const struct generator *g, uint64_t index, struct texts *texts,
                           struct touchpoint *t)
{
    uint64_t origin = index;
    bool is_answer = answers(g, index, &origin);
    struct random r;
    const struct row *asked = drawn_row(g, is_answer ? origin : index, &r),
                     *row = is_answer ? &sent_row : asked;
    struct person person = draw_fitting(g, &r, asked, bench_occurred_at(g, origin));
    t->occurred_at = bench_occurred_at(g, index);
    t->type = SPAN("track");
    t->channel = span_of(asked->channel);
    t->event_name = span_of(row->event);
    t->department = span_of(asked->department);
    if (row->flags & OUTBOUND)
        t->direction = SPAN("outbound");
    put_message(texts, index, asked->channel, t);
    if (is_answer)
        put_decision(texts, origin, t);
    put_details(texts, &r, row, index, t);
    if (span_is(t->channel, "web") || span_is(t->channel, "app"))
        put_origin(g, &person, t);
    person_identify(g, texts, &person, &r, t);
    return person.number;
}

const struct generator_persona profile_bench = {
    .open = bench_open,
    .close = bench_close,
    .occurred_at = bench_occurred_at,
    .fill = bench_fill,
    .joins = 0.10,
    .anonymous = 0.45,
    .shares_device = 0,
    .knows_user = true,
};
