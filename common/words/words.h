/* words.h: the words of the domain that code, policies and SQL share. Each is written once, here.
 *
 * A list is an X-macro: X(ENUMERATOR, "text", ...). dev/generate reads the same lists and writes
 * schemas/views/05_words.sql. The order of a list is the order of its codes from 1 on; codes are
 * stored, so new words go to the end. */
#ifndef TUTTI_WORDS_WORDS_H
#define TUTTI_WORDS_WORDS_H

#include "common/base/arena.h"

/* Stages of a journey, lowest first. */
#define WORDS_STAGES(X)                                                                            \
    X(STAGE_INQUIRY, "inquiry")                                                                    \
    X(STAGE_CONSIDERATION, "consideration")                                                        \
    X(STAGE_PURCHASE, "purchase")                                                                  \
    X(STAGE_ONBOARDING, "onboarding")                                                              \
    X(STAGE_RETENTION, "retention")                                                                \
    X(STAGE_LOYALTY, "loyalty")                                                                    \
    X(STAGE_ADVOCACY, "advocacy")

/* Retention status of a customer. */
#define WORDS_STATUSES(X)                                                                          \
    X(STATUS_ACTIVE, "active")                                                                     \
    X(STATUS_AT_RISK, "at_risk")                                                                   \
    X(STATUS_LAPSED, "lapsed")                                                                     \
    X(STATUS_WON_BACK, "won_back")

/* Why a stage or a status changed. */
#define WORDS_REASONS(X)                                                                           \
    X(CHANGED_BY_RULE, "rule")                                                                     \
    X(CHANGED_BY_INACTIVITY, "inactivity")                                                         \
    X(CHANGED_BY_EXIT, "exit")

/* Attribution models. */
#define WORDS_MODELS(X)                                                                            \
    X(MODEL_FIRST_TOUCH, "first_touch")                                                            \
    X(MODEL_LAST_TOUCH, "last_touch")                                                              \
    X(MODEL_LINEAR, "linear")                                                                      \
    X(MODEL_POSITION_BASED, "position_based")                                                      \
    X(MODEL_TIME_DECAY, "time_decay")

/* What a goal counts. */
#define WORDS_MEASURES(X)                                                                          \
    X(MEASURE_COUNT, "count")                                                                      \
    X(MEASURE_VALUE, "value")                                                                      \
    X(MEASURE_MARGIN_ELSE_VALUE, "margin_else_value")                                              \
    X(MEASURE_STOCK, "stock")                                                                      \
    X(MEASURE_ENTRIES, "entries")

/* Kinds of period of the reports, each a whole number of days. */
#define WORDS_PERIODS(X)                                                                           \
    X(PERIOD_DAY, "day")                                                                           \
    X(PERIOD_WEEK, "week")                                                                         \
    X(PERIOD_MONTH, "month")                                                                       \
    X(PERIOD_QUARTER, "quarter")

/* Kinds of score with the scale of their answers: X(NAME, "kind", worst, best). */
#define WORDS_SCORE_SCALES(X)                                                                      \
    X(SCALE_NPS, "nps", 0, 10)                                                                     \
    X(SCALE_CSAT, "csat", 1, 5)                                                                    \
    X(SCALE_CES, "ces", 1, 7)

#define WORD_NO_DIRECTION "none"
#define WORDS_DIRECTIONS(X)                                                                        \
    X(DIRECTION_INBOUND, "inbound")                                                                \
    X(DIRECTION_OUTBOUND, "outbound")

/* Places of touchpoints within one instant: what was sent, what is no touch, what the customer did,
 * orders, returns. Codes count from 0. */
#define WORDS_RANKS(X)                                                                             \
    X(RANK_OUTBOUND, "outbound")                                                                   \
    X(RANK_NO_TOUCH, "no_touch")                                                                   \
    X(RANK_INBOUND, "inbound")                                                                     \
    X(RANK_CONVERSION, "conversion")                                                               \
    X(RANK_RETURN, "return")

/* Channels that the product has a name for. Touchpoints may name others, and contact.json declares
 * more: this list is never all channels of the data. Names are folded: see word_fold. */
#define WORDS_CHANNELS(X)                                                                          \
    X(CHANNEL_WEB, "web")                                                                          \
    X(CHANNEL_APP, "app")                                                                          \
    X(CHANNEL_EMAIL, "email")                                                                      \
    X(CHANNEL_SMS, "sms")                                                                          \
    X(CHANNEL_PUSH, "push")                                                                        \
    X(CHANNEL_POS, "pos")                                                                          \
    X(CHANNEL_CALL_CENTER, "call_center")                                                          \
    X(CHANNEL_CRM, "crm")                                                                          \
    X(CHANNEL_CHAT, "chat")                                                                        \
    X(CHANNEL_ADS, "ads")                                                                          \
    X(CHANNEL_DIRECT_MAIL, "direct_mail")                                                          \
    X(CHANNEL_SEARCH, "search")                                                                    \
    X(CHANNEL_COMPARISON_SITE, "comparison_site")                                                  \
    X(CHANNEL_SOCIAL, "social")                                                                    \
    X(CHANNEL_IOT, "iot")                                                                          \
    X(CHANNEL_OTHER, "other")                                                                      \
    X(CHANNEL_BRANCH, "branch")

/* Other words for these channels, folded. "mail" is none: it is an e-mail to some and a letter to
 * others. */
#define WORDS_CHANNEL_SYNONYMS(X)                                                                  \
    X(CHANNEL_WEB, "website")                                                                      \
    X(CHANNEL_WEB, "web_site")                                                                     \
    X(CHANNEL_APP, "mobile_app")                                                                   \
    X(CHANNEL_EMAIL, "e_mail")                                                                     \
    X(CHANNEL_EMAIL, "emails")                                                                     \
    X(CHANNEL_EMAIL, "e_mails")                                                                    \
    X(CHANNEL_EMAIL, "electronic_mail")                                                            \
    X(CHANNEL_SMS, "text")                                                                         \
    X(CHANNEL_SMS, "texts")                                                                        \
    X(CHANNEL_SMS, "text_message")                                                                 \
    X(CHANNEL_SMS, "text_messages")                                                                \
    X(CHANNEL_PUSH, "push_notification")                                                           \
    X(CHANNEL_PUSH, "push_notifications")                                                          \
    X(CHANNEL_PUSH, "mobile_push")                                                                 \
    X(CHANNEL_PUSH, "web_push")                                                                    \
    X(CHANNEL_POS, "point_of_sale")                                                                \
    X(CHANNEL_CALL_CENTER, "call_centre")                                                          \
    X(CHANNEL_CALL_CENTER, "callcenter")                                                           \
    X(CHANNEL_CALL_CENTER, "callcentre")                                                           \
    X(CHANNEL_CALL_CENTER, "call")                                                                 \
    X(CHANNEL_CALL_CENTER, "calls")                                                                \
    X(CHANNEL_CALL_CENTER, "phone")                                                                \
    X(CHANNEL_CALL_CENTER, "phone_call")                                                           \
    X(CHANNEL_CALL_CENTER, "phone_calls")                                                          \
    X(CHANNEL_CALL_CENTER, "telephone")                                                            \
    X(CHANNEL_CHAT, "live_chat")                                                                   \
    X(CHANNEL_DIRECT_MAIL, "directmail")                                                           \
    X(CHANNEL_DIRECT_MAIL, "post")                                                                 \
    X(CHANNEL_DIRECT_MAIL, "postal")                                                               \
    X(CHANNEL_DIRECT_MAIL, "postal_mail")                                                          \
    X(CHANNEL_DIRECT_MAIL, "letter")                                                               \
    X(CHANNEL_DIRECT_MAIL, "letters")                                                              \
    X(CHANNEL_SOCIAL, "social_media")

/* Channels on which no contact goes out, and which contacts an `Unsubscribed` there is about. */
#define WORDS_EXITS(X)                                                                             \
    X(CHANNEL_APP, "push")                                                                         \
    X(CHANNEL_WEB, "all")                                                                          \
    X(CHANNEL_CRM, "all")                                                                          \
    X(CHANNEL_POS, "all")                                                                          \
    X(CHANNEL_BRANCH, "all")                                                                       \
    X(CHANNEL_SEARCH, "all")                                                                       \
    X(CHANNEL_COMPARISON_SITE, "all")                                                              \
    X(CHANNEL_IOT, "all")                                                                          \
    X(CHANNEL_OTHER, "all")

/* Words of a consent map that speak for every channel, folded. */
#define WORDS_ALL_CHANNELS(X)                                                                      \
    X(ALL_CHANNELS, "all")                                                                         \
    X(ALL_CHANNELS_STAR, "*")                                                                      \
    X(ALL_CHANNELS_LONG, "all_channels")

/* Characters that look like a blank or a hyphen, and those that nobody sees: X(first, last, what it
 * is read as; NOTHING: it is left out). Each needs at most three bytes of UTF-8. */
#define WORDS_LOOKALIKES(X)                                                                        \
    X(0x85, 0x85, ' ')                                                                             \
    X(0xA0, 0xA0, ' ')                                                                             \
    X(0xAD, 0xAD, NOTHING)                                                                         \
    X(0x034F, 0x034F, NOTHING)                                                                     \
    X(0x061C, 0x061C, NOTHING)                                                                     \
    X(0x1680, 0x1680, ' ')                                                                         \
    X(0x180E, 0x180E, NOTHING)                                                                     \
    X(0x2000, 0x200A, ' ')                                                                         \
    X(0x200B, 0x200F, NOTHING)                                                                     \
    X(0x2010, 0x2015, '-')                                                                         \
    X(0x2028, 0x2029, ' ')                                                                         \
    X(0x202A, 0x202E, NOTHING)                                                                     \
    X(0x202F, 0x202F, ' ')                                                                         \
    X(0x2043, 0x2043, '-')                                                                         \
    X(0x205F, 0x205F, ' ')                                                                         \
    X(0x2060, 0x206F, NOTHING)                                                                     \
    X(0x2212, 0x2212, '-')                                                                         \
    X(0x3000, 0x3000, ' ')                                                                         \
    X(0xFE00, 0xFE0F, NOTHING)                                                                     \
    X(0xFE58, 0xFE58, '-')                                                                         \
    X(0xFE63, 0xFE63, '-')                                                                         \
    X(0xFEFF, 0xFEFF, NOTHING)

/* The part of a figure that no known customer has. */
#define UNIDENTIFIED_PART "(unidentified)"

/* The collection of identifiers that are people, folded. */
#define WORD_COLLECTION_USERS "users"

/* Events that the product itself acts on. NO_TOUCH: never a touch, whatever a policy says. */
#define WORDS_EVENTS(X)                                                                            \
    X(EVENT_CONTACT_REQUESTED, "Contact Requested", NO_TOUCH)                                      \
    X(EVENT_CONTACT_SENT, "Contact Sent", TOUCH)                                                   \
    X(EVENT_CONTACT_DELIVERED, "Contact Delivered", TOUCH)                                         \
    X(EVENT_CONTACT_FAILED, "Contact Failed", NO_TOUCH)                                            \
    X(EVENT_CONTACT_CANCELLED, "Contact Cancelled", NO_TOUCH)                                      \
    X(EVENT_CAMPAIGN_SENT, "Campaign Sent", TOUCH)                                                 \
    X(EVENT_UNSUBSCRIBED, "Unsubscribed", TOUCH)                                                   \
    X(EVENT_OPPORTUNITY_ACCEPTED, "Opportunity Accepted", TOUCH)                                   \
    X(EVENT_OPPORTUNITY_DECLINED, "Opportunity Declined", TOUCH)

/* Events of delivery and of administration: no touches, unless the policy has a list of its own. */
#define WORDS_NO_TOUCHES(X)                                                                        \
    X(NO_TOUCH_CONTACT_DELIVERED, "Contact Delivered")                                             \
    X(NO_TOUCH_EMAIL_DELIVERED, "Email Delivered")                                                 \
    X(NO_TOUCH_EMAIL_DEFERRED, "Email Deferred")                                                   \
    X(NO_TOUCH_EMAIL_BOUNCED, "Email Bounced")                                                     \
    X(NO_TOUCH_EMAIL_DROPPED, "Email Dropped")                                                     \
    X(NO_TOUCH_EMAIL_SPAM, "Email Marked as Spam")                                                 \
    X(NO_TOUCH_SMS_DELIVERED, "SMS Delivered")                                                     \
    X(NO_TOUCH_SMS_FAILED, "SMS Failed")                                                           \
    X(NO_TOUCH_SMS_BOUNCED, "SMS Bounced")                                                         \
    X(NO_TOUCH_PUSH_DELIVERED, "Push Delivered")                                                   \
    X(NO_TOUCH_PUSH_FAILED, "Push Failed")                                                         \
    X(NO_TOUCH_PUSH_BOUNCED, "Push Bounced")                                                       \
    X(NO_TOUCH_UNSUBSCRIBED, "Unsubscribed")                                                       \
    X(NO_TOUCH_OPPORTUNITY_ACCEPTED, "Opportunity Accepted")                                       \
    X(NO_TOUCH_OPPORTUNITY_DECLINED, "Opportunity Declined")                                       \
    X(NO_TOUCH_GESTURE_APPROVED, "Gesture Approved")                                               \
    X(NO_TOUCH_GESTURE_GIVEN, "Gesture Given")

/* An event whose name begins so is a contact: outbound unless it says otherwise. */
#define WORD_CONTACT_PREFIX "Contact "

/* Types of touchpoint that say who a person is. Without a direction of their own they are no
 * touch. */
#define WORDS_IDENTITY_TYPES(X)                                                                    \
    X(TYPE_IDENTIFY, "identify")                                                                   \
    X(TYPE_ALIAS, "alias")                                                                         \
    X(TYPE_GROUP, "group")                                                                         \
    X(TYPE_MERGE, "merge")

#define WORD_ENUMERATOR(name, ...) name,
/* The texts of a list as json_choice takes them: WORD_CHOICES(WORDS_STAGES). */
#define WORD_CHOICE(name, text, ...) "|" text
#define WORD_CHOICES(LIST)           (&LIST(WORD_CHOICE)[1])

enum journey_stage { STAGE_NONE, WORDS_STAGES(WORD_ENUMERATOR) STAGE_COUNT };
enum journey_status { STATUS_NONE, WORDS_STATUSES(WORD_ENUMERATOR) STATUS_COUNT };
enum change_reason { CHANGED_BY_NOTHING, WORDS_REASONS(WORD_ENUMERATOR) };
enum credit_model { MODEL_NONE, WORDS_MODELS(WORD_ENUMERATOR) };
enum goal_measure { WORDS_MEASURES(WORD_ENUMERATOR) };
enum period_kind { PERIOD_NONE, WORDS_PERIODS(WORD_ENUMERATOR) PERIOD_COUNT };
enum direction { DIRECTION_NONE, WORDS_DIRECTIONS(WORD_ENUMERATOR) };
enum touch_rank { WORDS_RANKS(WORD_ENUMERATOR) };
enum channel_word { WORDS_CHANNELS(WORD_ENUMERATOR) CHANNEL_COUNT };
enum event_word { WORDS_EVENTS(WORD_ENUMERATOR) EVENT_COUNT };

extern const char *const channel_words[CHANNEL_COUNT + 1]; /* NULL-ended */

/* Words of producers are stored as they were sent and folded where they are read. */
enum { WORD_MAX = 64 };

/* The word without surrounding white space, in lower case, with `_` for `-` and for every white
 * space in it. Blanks, hyphens and full-width characters of Unicode are as those of ASCII; what
 * nobody sees is left out. SPAN_NONE if more than WORD_MAX bytes are left, so it is in no list. */
struct span word_fold(struct span word, char buffer[WORD_MAX]);
/* The channel that a folded word names, by its name or another word for it. NULL: none. */
const char *channel_named(struct span folded);
/* True if a folded word of a consent map speaks for every channel. */
bool word_is_all(struct span folded);

/* NULL for none. */
const char *stage_word(enum journey_stage stage);
const char *status_word(enum journey_status status);
const char *model_word(enum credit_model model);
const char *measure_word(enum goal_measure measure);
const char *period_word(enum period_kind kind);
const char *reason_word(enum change_reason reason);
const char *event_word(enum event_word event);

/* What every figure and rule calls the event: event_name, or the type where it has none. */
struct span event_of(struct span event_name, struct span type);
bool event_is(struct span event, enum event_word word);

/* The code of a currency: three letters in upper case, blanks around them dropped. SPAN_NONE for
 * any other text, which names no currency. A copy is in the arena. */
struct span currency_of(struct span sent, struct arena *arena);

/* The scale of a kind of score; false if it has none. */
bool score_scale(struct span kind, int64_t *worst, int64_t *best);

/* True for the events that are no touches where the policy lists none. */
bool is_no_touch_by_default(struct span event);

/* The direction as sent: SPAN_NONE unless it is one of the two words. */
struct span direction_as_sent(struct span direction);
/* The same, but the word "none" stays as well. */
struct span direction_or_none(struct span direction);
/* What the touchpoint is to the customer, docs/figures.md: NONE is no touch. Without a direction of
 * its own a touchpoint that says who a person is counts as no touch, a contact or a campaign as
 * outbound, and everything else as inbound. What a policy lists is not asked here. */
enum direction direction_of(struct span direction, struct span type, struct span event);

/* The one order of touchpoints is: time, rank, event_id, anchor. direction is NONE for what is no
 * touch; a conversion or a return ranks as such, whatever its direction. */
enum touch_rank touch_rank(enum direction direction, bool is_conversion, bool is_return);

#endif
