/* generator_bank.c: a bank with departments: every person lives through a story, and the stories
 * are sorted by time.
 *
 * A story walks through phases (looking, considering, applying, waiting, customer); the rows below
 * say what may happen in which phase and where it leads. What is kept per touchpoint is the row and
 * its facts; texts are made when it is emitted. */
#include "data/generator_bank.h"

#include <stdlib.h>

/* Products by department; a mortgage is sought most, the rest follows it. */
const struct bank_product bank_products[] = {
    {"mortgage", "mortgages", "Mortgage Application Submitted", "Loan Funded", 150000, 600000},
    {"credit_card", "cards", "Application Submitted", "Account Opened", 150, 900},
    {"home_insurance", "insurance", "Application Submitted", "Policy Issued", 400, 1800},
    {"car_insurance", "insurance", "Application Submitted", "Policy Issued", 300, 1500},
    {"moving_insurance", "insurance", "Application Submitted", "Policy Issued", 60, 250},
    {"appliance_loan", "consumer_credit", "Application Submitted", "Loan Funded", 500, 8000},
    {"savings_account", "branch", "Application Submitted", "Account Opened", 50, 700},
};
enum { PRODUCT_COUNT = sizeof bank_products / sizeof *bank_products };

#define ANY (PHASE_LOOKING | PHASE_CONSIDERING | PHASE_APPLYING | PHASE_WAITING | PHASE_CUSTOMER)

/* weight, phases, phase after (0: the same), channel, event, department (NULL: the product's),
 * flags */
static const struct bank_row bank_rows[] = {
    {160, ANY, 0, "web", "Page Viewed", "marketing", BANK_PAGE},
    {110, ANY, 0, "app", "Screen Viewed", "branch", 0},
    {70, ANY, 0, "web", "Product Viewed", NULL, BANK_PAGE | BANK_PRODUCT},
    {90, PHASE_LOOKING | PHASE_CONSIDERING, 0, "web", "Rate Viewed", NULL,
     BANK_PAGE | BANK_PRODUCT},
    {25, PHASE_LOOKING | PHASE_CONSIDERING, 0, "app", "Rate Viewed", NULL, BANK_PRODUCT},
    {20, PHASE_LOOKING | PHASE_CONSIDERING, 0, "ads", "Ad Clicked", "marketing",
     BANK_CAMPAIGN | BANK_PRODUCT},
    {12, ANY, 0, "pos", "Branch Visited", "branch", BANK_KNOWN | BANK_PLACE},
    {40, PHASE_LOOKING | PHASE_CONSIDERING, PHASE_CONSIDERING, "web", "Quote Requested", NULL,
     BANK_PRODUCT},
    {45, PHASE_CONSIDERING, PHASE_APPLYING, "web", "Application Started", NULL,
     BANK_KNOWN | BANK_PRODUCT},
    {15, PHASE_CONSIDERING, PHASE_APPLYING, "pos", "Application Started", NULL,
     BANK_KNOWN | BANK_PRODUCT | BANK_PLACE},
    {140, PHASE_APPLYING, PHASE_WAITING, "web", NULL, NULL,
     BANK_KNOWN | BANK_PRODUCT | BANK_SUBMITTED},
    {15, PHASE_APPLYING, PHASE_LOOKING, "web", "Application Withdrawn", NULL,
     BANK_KNOWN | BANK_PRODUCT},
    {160, PHASE_WAITING, PHASE_CUSTOMER, "crm", NULL, NULL,
     BANK_KNOWN | BANK_PRODUCT | BANK_OPENED},
    {25, PHASE_WAITING, PHASE_LOOKING, "crm", "Application Declined", NULL,
     BANK_KNOWN | BANK_PRODUCT},
    {40, PHASE_CUSTOMER, 0, "crm", "Direct Deposit Set Up", "branch", BANK_KNOWN},
    {30, PHASE_CUSTOMER, PHASE_LOOKING, "web", "Rate Viewed", NULL,
     BANK_PRODUCT | BANK_NEXT_PRODUCT},
    {14, PHASE_CUSTOMER, 0, "web", "Referral Made", "marketing", BANK_KNOWN},
    {8, PHASE_CUSTOMER, 0, "crm", "Balance Transfer Out", "branch", BANK_KNOWN},
    {3, PHASE_CUSTOMER, 0, "crm", "Payment Missed", NULL, BANK_KNOWN | BANK_PRODUCT},
    {16, ANY, 0, "email", "Survey Answered", "service", BANK_KNOWN | BANK_NPS},
    {30, ANY, 0, "call_center", "Call Received", "service", BANK_KNOWN},
    {10, ANY, 0, "call_center", "Complaint Filed", "service", BANK_KNOWN | BANK_COMPLAINT},
    {50, ANY, 0, "email", "Contact Requested", "marketing",
     BANK_KNOWN | BANK_REQUEST | BANK_PRODUCT},
    {30, ANY, 0, "email", "Contact Requested", NULL, BANK_KNOWN | BANK_REQUEST | BANK_PRODUCT},
    {14, ANY, 0, "sms", "Contact Requested", NULL, BANK_KNOWN | BANK_REQUEST | BANK_PRODUCT},
    {14, ANY, 0, "call_center", "Contact Requested", NULL,
     BANK_KNOWN | BANK_REQUEST | BANK_PRODUCT},
    {14, ANY, 0, "direct_mail", "Contact Requested", "marketing",
     BANK_KNOWN | BANK_REQUEST | BANK_PRODUCT},
    {25, ANY, 0, "email", "Contact Sent", "marketing",
     BANK_KNOWN | BANK_SENT | BANK_CAMPAIGN | BANK_PRODUCT},
    {10, ANY, 0, "direct_mail", "Contact Sent", "marketing",
     BANK_KNOWN | BANK_SENT | BANK_CAMPAIGN | BANK_PRODUCT},
    {40, ANY, 0, "email", "Email Opened", "marketing", BANK_KNOWN | BANK_CAMPAIGN},
    {22, ANY, 0, "email", "Email Link Clicked", "marketing", BANK_KNOWN | BANK_CAMPAIGN},
    {4, ANY, 0, "email", "Email Bounced", "marketing", BANK_KNOWN},
    {5, ANY, 0, "email", "Unsubscribed", "marketing", BANK_KNOWN | BANK_OPT_OUT},
    {4, ANY, 0, "web", "Consent Given", "marketing", BANK_KNOWN | BANK_OPT_IN},
};
enum { ROW_COUNT = sizeof bank_rows / sizeof *bank_rows };
static const struct bank_row bank_answer = {
    0, ANY, 0, NULL, "Contact Sent", NULL, BANK_KNOWN | BANK_SENT | BANK_CAMPAIGN | BANK_PRODUCT};
static const struct bank_row bank_resolved = {
    0, ANY, 0, "call_center", "Complaint Resolved", "service", BANK_KNOWN};
static const struct bank_row bank_welcome = {
    0, ANY, 0, "web", "Consent Given", "marketing", BANK_KNOWN | BANK_OPT_IN};

struct story {
    const struct generator *g;
    struct person person;
    struct random r;
    struct bank_entry *entries;
    uint32_t count, room;
    enum bank_phase phase;
    uint8_t product;
};

static struct bank_entry *add_entry(struct story *s, const struct bank_row *row,
                                    const struct bank_row *asked, int64_t at)
{
    int64_t end = s->g->options.epoch.us + s->g->span_us - 1;
    struct bank_entry *entry = &s->entries[s->count];
    *entry = (struct bank_entry){
        .occurred_at = at < end ? at : end,
        .row = row,
        .asked = asked,
        .person = s->person.number,
        .serial = (uint16_t)s->count++,
        .product = s->product,
        .answers = BANK_NO_ANSWER,
    };
    return entry;
}

static const struct bank_row *draw_row(struct story *s, int64_t at)
{
    int weights[ROW_COUNT], sum = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        bool may = (bank_rows[i].phases & s->phase) &&
                   (at >= s->person.known_from || !(bank_rows[i].flags & BANK_KNOWN));
        sum += weights[i] = may ? bank_rows[i].weight : 0;
    }
    int draw = (int)random_below(&s->r, (uint64_t)sum);
    size_t row = 0;
    while (draw >= weights[row])
        draw -= weights[row++];
    return &bank_rows[row];
}

/* What a row brings with it later: seven of ten requests are sent, four of five complaints
 * resolved. */
static void follow_up(struct story *s, const struct bank_entry *entry)
{
    if (s->count >= s->room)
        return;
    if ((entry->row->flags & BANK_REQUEST) && random_chance(&s->r, 0.7)) {
        int64_t delay = bank_planned_after(s->g, entry->person, entry->serial) +
                        (int64_t)random_exponential(&s->r, 3600e6);
        add_entry(s, &bank_answer, entry->row, entry->occurred_at + 60 * US_PER_SECOND + delay)
            ->answers = entry->serial;
    } else if ((entry->row->flags & BANK_COMPLAINT) && random_chance(&s->r, 0.8)) {
        add_entry(s, &bank_resolved, &bank_resolved,
                  entry->occurred_at +
                      (int64_t)random_exponential(&s->r, 3.0 * (double)US_PER_DAY));
    }
}

static void step(struct story *s, int64_t at)
{
    const struct bank_row *row = draw_row(s, at);
    if (row->flags & BANK_NEXT_PRODUCT)
        s->product = (uint8_t)random_below(&s->r, PRODUCT_COUNT);
    struct bank_entry entry = *add_entry(s, row, row, at);
    if (row->phase_after)
        s->phase = row->phase_after;
    follow_up(s, &entry);
}

/* Visits: three of five steps follow within minutes; the rest of the span is shared out among the
 * long gaps. */
static int64_t next_gap(struct story *s, double mean_long_gap)
{
    return (int64_t)(random_chance(&s->r, 0.6) ? random_exponential(&s->r, 180e6)
                                               : random_exponential(&s->r, mean_long_gap));
}

static void live(struct story *s)
{
    const struct generator *g = s->g;
    double start = random_unit(&s->r) * 0.5 * (double)g->span_us;
    double mean_long_gap = ((double)g->span_us - start) / (0.4 * s->room + 1);
    int64_t at = g->options.epoch.us + (int64_t)start, end = g->options.epoch.us + g->span_us - 1;
    bool welcomed = !random_chance(&s->r, 0.75);
    while (s->count < s->room) {
        if (!welcomed && at >= s->person.known_from) {
            add_entry(s, &bank_welcome, &bank_welcome, at);
            welcomed = true;
        } else {
            step(s, at);
        }
        at += next_gap(s, mean_long_gap);
        if (at > end)
            at = end - (int64_t)random_below(&s->r, (uint64_t)US_PER_DAY / 2);
    }
}

static void tell(const struct generator *g, uint32_t number, struct bank_entry *entries,
                 uint32_t count)
{
    struct story s = {.g = g,
                      .person = person_of(g, number),
                      .r = random_of(g->options.seed, STREAM_STORY, number),
                      .entries = entries,
                      .room = count,
                      .phase = PHASE_LOOKING};
    s.product = random_chance(&s.r, 0.4) ? 0 : (uint8_t)random_below(&s.r, PRODUCT_COUNT);
    live(&s);
}

static int compare_entries(const void *a, const void *b)
{
    const struct bank_entry *x = a, *y = b;
    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    return (x->serial > y->serial) - (x->serial < y->serial);
}

/* Shares the touchpoints out by weight: person p gets what lies between the cumulated shares; the
 * total is exact. */
static enum outcome bank_open(struct generator *g, struct err *err)
{
    uint64_t events = g->options.events;
    if (events > 200000000)
        return err_set(err, OUTCOME_FATAL, "bad_option",
                       "the bank keeps its touchpoints in memory: at most 200000000 events");
    struct bank_entry *entries = malloc((events ? events : 1) * sizeof *entries);
    if (entries == NULL)
        return err_set(err, OUTCOME_FATAL, "no_memory", "not enough memory for %llu touchpoints",
                       (unsigned long long)events);
    g->state = entries;
    double total = 0, sum = 0;
    for (uint32_t p = 0; p < g->options.people; p++)
        total += person_weight(g, p);
    uint64_t from = 0;
    for (uint32_t p = 0; p < g->options.people; p++) {
        sum += person_weight(g, p);
        uint64_t to =
            p + 1 == g->options.people ? events : (uint64_t)((double)events * (sum / total));
        if (to - from > BANK_MAX_PER_PERSON)
            return err_set(err, OUTCOME_FATAL, "bad_option",
                           "more than %d touchpoints for one person: more people or fewer events",
                           BANK_MAX_PER_PERSON);
        tell(g, p, entries + from, (uint32_t)(to - from));
        from = to;
    }
    qsort(entries, events, sizeof *entries, compare_entries);
    return OUTCOME_OK;
}

static void bank_close(struct generator *g)
{
    free(g->state);
}

static int64_t bank_occurred_at(const struct generator *g, uint64_t index)
{
    const struct bank_entry *entries = g->state;
    return entries[index].occurred_at;
}

const struct generator_persona profile_bank = {
    .open = bank_open,
    .close = bank_close,
    .occurred_at = bank_occurred_at,
    .fill = bank_fill,
    .joins = 0.10,
    .anonymous = 0.20,
    .shares_device = 0.04,
};
