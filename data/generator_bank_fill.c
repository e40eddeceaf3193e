/* generator_bank_fill.c: one entry of the bank's stories as a touchpoint. */
#include "data/generator_bank.h"

static void put_message(struct texts *texts, const struct bank_entry *entry, uint16_t serial,
                        struct touchpoint *t)
{
    text_begin(texts);
    text_add(texts, SPAN("urn:bank:"));
    text_add(texts, span_of(entry->asked->channel));
    t->source = text_end(texts);
    text_begin(texts);
    text_add(texts, SPAN("b"));
    text_number(texts, entry->person, 8);
    text_add(texts, SPAN("-"));
    text_number(texts, serial, 5);
    t->message_id = text_end(texts);
}

static void put_decision(struct texts *texts, const struct bank_entry *entry, struct touchpoint *t)
{
    struct touchpoint asked;
    put_message(texts, entry, entry->answers, &asked);
    t->decision_id = text_event_id(texts, &asked);
}

static void put_opening(struct texts *texts, struct random *r, const struct bank_entry *entry,
                        struct touchpoint *t)
{
    const struct bank_product *product = &bank_products[entry->product];
    int64_t whole =
        product->least + (int64_t)random_below(r, (uint64_t)(product->most - product->least));
    t->value_micros = whole * 1000000;
    t->margin_micros = t->value_micros / 50;
    t->currency = SPAN("USD");
    text_begin(texts);
    text_add(texts, SPAN("contract-"));
    text_number(texts, entry->person, 1);
    text_add(texts, SPAN("-"));
    text_number(texts, entry->serial, 1);
    t->order_id = text_end(texts);
}

int64_t bank_planned_after(const struct generator *g, uint32_t person, uint16_t serial)
{
    struct random r = random_of(g->options.seed, STREAM_PLAN, (uint64_t)person << 16 | serial);
    return (int64_t)random_below(&r, 6) * 3600 * US_PER_SECOND;
}

static void put_request(const struct generator *g, struct texts *texts, struct random *r,
                        const struct bank_entry *entry, struct touchpoint *t)
{
    static const char *const classes[] = {"marketing", "marketing", "marketing",
                                          "marketing", "service",   "transactional"};
    t->has_contact = true;
    t->contact.class = span_of(classes[random_below(r, sizeof classes / sizeof *classes)]);
    t->contact.purpose = t->purpose;
    text_begin(texts);
    text_add(texts, SPAN("[\""));
    text_add(texts, strstr(bank_products[entry->product].name, "insurance") ? SPAN("insurance")
                                                                            : SPAN("credit"));
    text_add(texts, SPAN("\"]"));
    t->contact.tags_json = text_end(texts);
    t->contact.priority = 1 + (int64_t)random_below(r, 3);
    t->contact.planned_at = t->occurred_at + bank_planned_after(g, entry->person, entry->serial);
    t->contact.expires_at = t->contact.planned_at + 2 * US_PER_DAY;
}

static void put_campaign(struct texts *texts, struct random *r, const struct bank_entry *entry,
                         struct touchpoint *t)
{
    uint64_t wave = random_below(r, 3) + 1;
    text_begin(texts);
    text_add(texts, span_of(bank_products[entry->product].name));
    text_add(texts, SPAN("-"));
    text_number(texts, wave, 1);
    t->campaign.id = text_end(texts);
    text_begin(texts);
    text_add(texts, span_of(bank_products[entry->product].name));
    text_add(texts, SPAN(" wave "));
    text_number(texts, wave, 1);
    t->campaign.name = text_end(texts);
}

static void put_page(struct texts *texts, struct random *r, const struct bank_entry *entry,
                     struct touchpoint *t)
{
    static const char *const referrers[] = {"https://www.google.com/", "https://www.idealo.de/",
                                            "https://www.reddit.com/r/loans",
                                            "https://duckduckgo.com/"};
    text_begin(texts);
    text_add(texts, SPAN("https://bank.example.com/"));
    text_add(texts, span_of(entry->row->flags & BANK_PRODUCT ? bank_products[entry->product].name
                                                             : "about"));
    t->page.url = text_end(texts);
    if (random_chance(r, 0.15))
        t->page.referrer =
            span_of(referrers[random_below(r, sizeof referrers / sizeof *referrers)]);
}

static void put_score(struct random *r, struct touchpoint *t)
{
    t->score_kind = SPAN("nps");
    t->score = ((int64_t)random_below(r, 11) - 5) * 20;
}

static void put_consent(const struct bank_row *row, struct touchpoint *t)
{
    if (row->flags & BANK_OPT_OUT)
        t->consent = SPAN("\x02\x0a"
                          "email"
                          "\x00\x00");
    if (row->flags & BANK_OPT_IN)
        t->consent = SPAN("\x08\x0a"
                          "email"
                          "\x01\x06"
                          "sms"
                          "\x01\x16"
                          "call_center"
                          "\x01\x16"
                          "direct_mail"
                          "\x01\x00");
}

/* Why the bank speaks: by what the contact is about, and whether the customer has it already. */
static void put_purpose(const struct bank_entry *entry, struct touchpoint *t)
{
    const char *department = bank_products[entry->product].department;
    t->purpose = span_of(strcmp(department, "branch") == 0      ? "retention"
                         : strcmp(department, "insurance") == 0 ? "cross_sell"
                                                                : "acquisition");
}

/* What one contact or click costs the bank, in micro-units of a dollar. */
static void put_cost(struct touchpoint *t)
{
    static const struct {
        const char *channel;
        int64_t micros;
    } costs[] = {{"email", 2000},
                 {"sms", 45000},
                 {"call_center", 4200000},
                 {"direct_mail", 830000},
                 {"ads", 1150000}};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        if (span_is(t->channel, costs[i].channel)) {
            t->cost_micros = costs[i].micros;
            t->currency = SPAN("USD");
        }
    }
}

static void put_device(struct random *r, struct touchpoint *t)
{
    static const char *const browsers[] = {"desktop", "desktop", "mobile", "mobile", "tablet"};
    if (span_is(t->channel, "web") || span_is(t->channel, "ads"))
        t->device.type = span_of(browsers[random_below(r, sizeof browsers / sizeof *browsers)]);
    else if (span_is(t->channel, "app"))
        t->device.type = SPAN("mobile");
}

static void put_country(const struct generator *g, uint32_t person, struct touchpoint *t)
{
    struct random r = random_of(g->options.seed, STREAM_PLACE, person);
    uint64_t draw = random_below(&r, 100);
    t->geo.country = draw < 85 ? SPAN("US") : draw < 95 ? SPAN("CA") : SPAN("MX");
}

static void add_trait(struct texts *texts, const char *name, const char *value)
{
    text_add(texts, SPAN(",\""));
    text_add(texts, span_of(name));
    text_add(texts, SPAN("\":\""));
    text_add(texts, span_of(value));
    text_add(texts, SPAN("\""));
}

static void add_day(struct texts *texts, int64_t occurred_at)
{
    int year, month, date;
    day_to_civil(instant_day((struct instant){occurred_at}, 0), &year, &month, &date);
    text_add(texts, SPAN(",\"customer_since\":\""));
    text_number(texts, (uint64_t)year, 4);
    text_add(texts, SPAN("-"));
    text_number(texts, (uint64_t)month, 2);
    text_add(texts, SPAN("-"));
    text_number(texts, (uint64_t)date, 2);
    text_add(texts, SPAN("\""));
}

/* What the bank asks when it signs a contract. The tier follows from the product of the day. */
static void put_traits(const struct generator *g, struct texts *texts,
                       const struct bank_entry *entry, struct touchpoint *t)
{
    static const char *const cities[] = {"Aurora", "Dayton", "Eugene", "Fargo", "Mobile", "Tulsa"};
    static const char *const incomes[] = {"Under 15K", "15-24K", "25-34K",   "35-49K",
                                          "50-74K",    "75-99K", "100-149K", "150K+"};
    struct random r = random_of(g->options.seed, STREAM_TRAITS, entry->person);
    text_begin(texts);
    text_add(texts, SPAN("{\"children\":"));
    text_number(texts, random_below(&r, 4), 1);
    add_trait(texts, "city", cities[random_below(&r, sizeof cities / sizeof *cities)]);
    add_trait(texts, "income", incomes[random_below(&r, sizeof incomes / sizeof *incomes)]);
    add_trait(texts, "loyalty_tier",
              bank_products[entry->product].most >= 100000 ? "private" : "personal");
    add_day(texts, t->occurred_at);
    text_add(texts, SPAN("}"));
    t->traits_json = text_end(texts);
}

static void put_details(const struct generator *g, struct texts *texts, struct random *r,
                        const struct bank_entry *entry, struct touchpoint *t)
{
    unsigned flags = entry->row->flags;
    if (flags & BANK_PRODUCT)
        t->product_category = span_of(bank_products[entry->product].name);
    if (flags & BANK_PAGE)
        put_page(texts, r, entry, t);
    if (flags & (BANK_CAMPAIGN | BANK_REQUEST))
        put_campaign(texts, r, entry, t);
    if (flags & (BANK_REQUEST | BANK_SENT))
        put_purpose(entry, t);
    if (flags & BANK_SENT || span_is(t->channel, "ads"))
        put_cost(t);
    if (flags & BANK_REQUEST)
        put_request(g, texts, r, entry, t);
    if (flags & BANK_OPENED) {
        put_opening(texts, r, entry, t);
        put_traits(g, texts, entry, t);
    }
    if (flags & BANK_NPS)
        put_score(r, t);
    if (flags & BANK_PLACE) {
        text_begin(texts);
        text_add(texts, SPAN("branch-"));
        text_number(texts, random_below(r, 25) + 1, 2);
        t->location_id = text_end(texts);
    }
    put_consent(entry->row, t);
    put_device(r, t);
    put_country(g, entry->person, t);
}

uint32_t bank_fill(const struct generator *g, uint64_t index, struct texts *texts,
                   struct touchpoint *t)
{
    const struct bank_entry *entry = (const struct bank_entry *)g->state + index;
    const struct bank_product *product = &bank_products[entry->product];
    const struct bank_row *row = entry->row;
    struct random r =
        random_of(g->options.seed, STREAM_DETAIL, (uint64_t)entry->person << 16 | entry->serial);
    struct person person = person_of(g, entry->person);
    t->occurred_at = entry->occurred_at;
    t->type = SPAN("track");
    t->channel = span_of(entry->asked->channel);
    t->event_name = span_of(row->flags & BANK_SUBMITTED ? product->submitted
                            : row->flags & BANK_OPENED  ? product->opened
                                                        : row->event);
    t->department =
        span_of(entry->asked->department ? entry->asked->department : product->department);
    if (row->flags & (BANK_REQUEST | BANK_SENT))
        t->direction = SPAN("outbound");
    put_message(texts, entry, entry->serial, t);
    if (entry->answers != BANK_NO_ANSWER)
        put_decision(texts, entry, t);
    put_details(g, texts, &r, entry, t);
    person_identify(g, texts, &person, &r, t);
    return entry->person;
}
