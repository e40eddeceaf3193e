/* shape.h: a shape is the combination of a touchpoint's low-cardinality attributes; what it means
 * is computed once per shape.
 *
 * Steps for a new shape:
 *   1. fill a shape_text; `host` is the referrer's host in the form of unicode.h;
 *   2. shape_compile gives everything that the derivation needs, and the texts network and kind;
 *   3. intern the texts and set code, kind, channel, department, purpose, campaign, currency,
 * device and network_code. Then the shape is read-only and may be shared. The code 0 means absent.
 * A channel always has a code, because 0 as the channel of a credit means unattributed. */
#ifndef TUTTI_JOURNEY_SHAPE_H
#define TUTTI_JOURNEY_SHAPE_H

#include "common/base/arena.h"
#include "services/journey-tracker/logic/policy.h"

/* The attributes of a shape: X(member, column of journey.shapes, field of a touchpoint `tp`). This
 * is the only list of them. platform, campaign_name, contact_class and the last three change
 * nothing in the derivation; they complete the shape for fct_touchpoints. A new attribute goes to
 * the end. present() takes an empty text for an absent one. */
#define SHAPE_TEXTS(X)                                                                             \
    X(source, "source", tp->source)                                                                \
    X(type, "type", tp->type)                                                                      \
    X(event_name, "event", event_of(tp->event_name, tp->type))                                     \
    X(channel, "channel", tp->channel)                                                             \
    X(direction, "direction", direction_or_none(tp->direction))                                    \
    X(department, "department", present(tp->department))                                           \
    X(purpose, "purpose", present(tp->purpose))                                                    \
    X(contact_class, "contact_class", present(tp->contact.class))                                  \
    X(platform, "platform", present(tp->platform))                                                 \
    X(campaign_id, "campaign_id", present(tp->campaign.id))                                        \
    X(campaign_name, "campaign_name", present(tp->campaign.name))                                  \
    X(click_network, "click_network", present(tp->campaign.click_network))                         \
    X(utm_medium, "utm_medium", present(tp->campaign.medium))                                      \
    X(utm_source, "utm_source", present(tp->campaign.source))                                      \
    X(referrer_host, "referrer_host", shape_referrer_host(tp->page.referrer))                      \
    X(score_kind, "score_kind", present(tp->score_kind))                                           \
    X(currency, "currency", present(tp->currency))                                                 \
    X(product_category, "product_category", present(tp->product_category))                         \
    X(device_type, "device_type", present(tp->device.type))                                        \
    X(country, "country", present(tp->geo.country))

/* As sent, but for `host`; SPAN_NONE where absent. */
struct shape_text {
#define SHAPE_MEMBER(member, ...) struct span member;
    SHAPE_TEXTS(SHAPE_MEMBER)
    struct span host; /* unicode_host of referrer_host: no attribute, needed by shape_compile */
    bool has_click_id, is_bot;
};

struct shape {
    uint32_t code; /* set by the caller: the shape's own code */
    /* Set by the caller; `network` as a code is network_code. */
    uint32_t kind, channel, department, purpose, campaign, currency, device, network_code;
    /* Borrowed from the shape_text, or in the arena; network may be SPAN_NONE. */
    struct span source, event, network, kind_text, score_kind;
    uint8_t direction; /* enum direction, as the policy has it */
    bool is_touch;     /* it has a direction, and is no visit of a bot */
    bool is_send;      /* a creditable send: a failure may end its credit */
    bool is_failure;   /* ends the credit of a send */
    uint8_t answer; /* STEP_ACCEPTED or STEP_DECLINED: it answers an opportunity, 0: it does not */
    bool opens_case, ends_case; /* of gestures; for the views */
    uint8_t status; /* enum journey_status that its event gives (`on`), else STATUS_NONE */
    bool creditable;
    bool is_without_sale; /* its sale is another touch's (shape_without_sale); never stored */
    bool is_order;        /* an inbound touch of a conversion rule's event, of any value */
    bool is_return;       /* a touch of an event of returns, always inbound */
    bool is_told;         /* an order of an event that may tell one order several times */
    uint8_t preferred;    /* place of its source in orders.prefer */
    bool returns_below_0; /* its value says whether it is a return; also without its sale */
    /* Of a return or of an order, which is a return if its value is negative: */
    struct conversion_set stand_in;  /* rules of a return without an order */
    uint64_t return_goals;           /* goals of money from which such a return takes */
    uint64_t return_line_goals;      /* more of them, by the lines of the return */
    uint64_t return_counts;          /* goals that may count the return as a touch of its own */
    int8_t counted;                  /* index in policy.counted, -1 unless is_order */
    struct conversion_set positive;  /* conversion rules for a value above 0 */
    struct conversion_set otherwise; /* ... for any other value */
    /* Which filters match, value and score left aside, also of what is no touch; and which do if a
     * line of the order is of their categories. */
    struct filter_set filters, line_filters;
    uint64_t rules, line_rules; /* stage rules by these filters */
    uint64_t goals, line_goals; /* goals by these filters */
};

/* The meaning of text under policy; codes are left 0. kind_text may be in the arena. */
void shape_compile(const struct journey_policy *policy, const struct shape_text *text,
                   struct arena *arena, struct shape *out);

/* Of the policy's filters of categories, those that a line of an order (order_lines.h) answers. */
struct filter_set journey_filters_of_lines(const struct journey_policy *policy, struct span lines);

/* The same touch where another one owns its sale: no conversion, no order, in no goal, and in no
 * stage rule that names its event. In the arena. */
const struct shape *shape_without_sale(const struct journey_policy *policy, struct arena *arena,
                                       const struct shape *shape);

/* Host of a URL without scheme, user, port and path; SPAN_NONE if it has none. Borrowed, case as
 * sent. */
struct span shape_referrer_host(struct span url);

#endif
