/* touchpoint_fields.c: the table of fields that are taken from a writer's record, with their kinds
 * and limits. */
#include "common/codec/avro/avro_plan.h"

#define TEXT_LIMIT (64 * 1024)
/* Two of them and a colon fit into an index of PostgreSQL (2,704 bytes): journey.dictionary. */
#define NAME_LIMIT  1000
#define JSON_LIMIT  (512 * 1024)
#define TIME_LIMIT  INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define MONEY_LIMIT INT64_MAX                   /* the number below its negative is LONG_ABSENT */

#define AT(member) offsetof(struct touchpoint, member)

/* clang-format would throw a # at the start of a line to column 0. */
/* clang-format off */
#define FIELD(member, want, own_group, low, high) \
    {#member, #member, GROUP_TOUCHPOINT, want, AT(member), own_group, low, high}
#define IN(record, member, group, want, low, high) \
    {#record "." #member, #member, group, want, AT(record.member), 0, low, high}
#define IDENTIFIER(member) \
    {"identifiers." #member, #member, GROUP_IDENTIFIER, WANT_TEXT, \
     offsetof(struct touchpoint_identifier, member), 0, 0, TEXT_LIMIT}
/* clang-format on */

#define TEXT(member)            FIELD(member, WANT_TEXT, 0, 0, TEXT_LIMIT)
#define NAME(member)            FIELD(member, WANT_TEXT, 0, 0, NAME_LIMIT)
#define JSON(member)            FIELD(member, WANT_TEXT, 0, 0, JSON_LIMIT)
#define TIME(member)            FIELD(member, WANT_TIME, 0, 0, TIME_LIMIT)
#define LONG(member, low, high) FIELD(member, WANT_LONG, 0, low, high)
#define RECORD(member, group)   FIELD(member, WANT_RECORD, group, 0, 0)
#define CAMPAIGN(member)        IN(campaign, member, GROUP_CAMPAIGN, WANT_TEXT, 0, TEXT_LIMIT)
#define CAMPAIGN_NAME(member)   IN(campaign, member, GROUP_CAMPAIGN, WANT_TEXT, 0, NAME_LIMIT)
#define PAGE(member)            IN(page, member, GROUP_PAGE, WANT_TEXT, 0, TEXT_LIMIT)
#define DEVICE(member)          IN(device, member, GROUP_DEVICE, WANT_TEXT, 0, TEXT_LIMIT)
#define GEO(member)             IN(geo, member, GROUP_GEO, WANT_TEXT, 0, TEXT_LIMIT)

const struct plan_field plan_fields[] = {
    TEXT(message_id),
    TEXT(source),
    NAME(type),
    NAME(channel),
    TIME(occurred_at),
    NAME(event_name),
    TEXT(event_schema),
    TEXT(direction),
    NAME(department),
    NAME(purpose),
    TEXT(platform),
    TIME(original_at),
    TIME(sent_at),
    TIME(received_at),
    TEXT(timezone),
    TEXT(user_id),
    TEXT(anonymous_id),
    TEXT(previous_id),
    TEXT(group_id),
    TEXT(session_id),
    LONG(session_index, 0, INT64_MAX),
    FIELD(identifiers, WANT_IDENTIFIERS, GROUP_IDENTIFIER, 0, 0),
    IDENTIFIER(type),
    IDENTIFIER(value),
    IDENTIFIER(encoding),
    IDENTIFIER(collection),
    RECORD(campaign, GROUP_CAMPAIGN),
    CAMPAIGN_NAME(id),
    CAMPAIGN(name),
    CAMPAIGN_NAME(source),
    CAMPAIGN(medium),
    CAMPAIGN(term),
    CAMPAIGN(content),
    CAMPAIGN(click_id),
    CAMPAIGN_NAME(click_network),
    RECORD(page, GROUP_PAGE),
    PAGE(url),
    PAGE(path),
    PAGE(title),
    PAGE(referrer),
    PAGE(search),
    PAGE(name),
    RECORD(device, GROUP_DEVICE),
    DEVICE(id),
    DEVICE(type),
    DEVICE(advertising_id),
    DEVICE(token),
    DEVICE(manufacturer),
    DEVICE(model),
    DEVICE(os_name),
    DEVICE(os_version),
    DEVICE(app_name),
    DEVICE(app_version),
    RECORD(geo, GROUP_GEO),
    GEO(country),
    GEO(region),
    GEO(city),
    GEO(postal_code),
    TEXT(ip),
    TEXT(user_agent),
    TEXT(locale),
    TEXT(location_id),
    TEXT(agent_id),
    TEXT(content_id),
    TEXT(goal_id),
    TEXT(decision_id),
    TEXT(journey_id),
    RECORD(contact, GROUP_CONTACT),
    IN(contact, class, GROUP_CONTACT, WANT_TEXT, 0, TEXT_LIMIT),
    IN(contact, purpose, GROUP_CONTACT, WANT_TEXT, 0, TEXT_LIMIT),
    IN(contact, tags_json, GROUP_CONTACT, WANT_TEXT, 0, JSON_LIMIT),
    IN(contact, priority, GROUP_CONTACT, WANT_LONG, INT32_MIN, INT32_MAX),
    IN(contact, planned_at, GROUP_CONTACT, WANT_TIME, 0, TIME_LIMIT),
    IN(contact, expires_at, GROUP_CONTACT, WANT_TIME, 0, TIME_LIMIT),
    IN(contact, batch_id, GROUP_CONTACT, WANT_TEXT, 0, TEXT_LIMIT),
    IN(contact, batch_size, GROUP_CONTACT, WANT_LONG, 0, INT32_MAX),
    IN(contact, latest_at, GROUP_CONTACT, WANT_TIME, 0, TIME_LIMIT),
    IN(contact, sequence_id, GROUP_CONTACT, WANT_TEXT, 0, TEXT_LIMIT),
    TEXT(product_id),
    TEXT(product_category),
    LONG(value_micros, -MONEY_LIMIT, MONEY_LIMIT),
    LONG(margin_micros, -MONEY_LIMIT, MONEY_LIMIT),
    LONG(cost_micros, -MONEY_LIMIT, MONEY_LIMIT),
    NAME(currency),
    TEXT(order_id),
    TEXT(case_id),
    TEXT(opportunity_id),
    LONG(score, -100, 100),
    TEXT(score_kind),
    LONG(score_raw, INT32_MIN, INT32_MAX),
    FIELD(consent, WANT_CONSENT, 0, 0, TEXT_LIMIT),
    JSON(preferences_json),
    JSON(traits_json),
    JSON(properties_json),
    JSON(items_json),
    JSON(context_json),
    FIELD(is_test, WANT_BOOLEAN, 0, 0, 0),
    FIELD(is_bot, WANT_BOOLEAN, 0, 0, 0),
};
const size_t plan_field_count = sizeof plan_fields / sizeof *plan_fields;
