/* policy.c: look-ups in the contact policy. */
#include "services/suppression/logic/policy.h"

const struct contact_class *policy_class(const struct contact_policy *policy, struct span name)
{
    for (size_t i = 0; i < policy->class_count; i++)
        if (span_equal(policy->classes[i].name, name))
            return &policy->classes[i];
    return NULL;
}

struct duration policy_reservation(const struct contact_policy *policy, struct span channel)
{
    for (size_t i = 0; i < policy->reservation_count; i++)
        if (span_equal(policy->reservations[i].channel, channel))
            return policy->reservations[i].length;
    return policy->reservation;
}

const struct channel_consent *policy_consent(const struct contact_policy *policy,
                                             struct span channel)
{
    for (size_t i = 0; i < policy->consent_count; i++)
        if (span_equal(policy->consents[i].channel, channel))
            return &policy->consents[i];
    return &policy->consent;
}

bool policy_allows_unknown(const struct contact_policy *policy, struct span channel)
{
    return policy_consent(policy, channel)->allow_unknown;
}

bool policy_channel(const struct contact_policy *policy, struct span word, struct span *channel)
{
    char buffer[WORD_MAX];
    struct span folded = word_fold(word, buffer);
    const char *built_in = channel_named(folded);
    *channel = built_in ? span_of(built_in) : word;
    for (size_t i = 0; built_in == NULL && i < policy->channels.count; i++)
        if (span_equal(policy->channels.items[i], folded)) {
            *channel = policy->channels.items[i];
            return true;
        }
    return built_in != NULL;
}

const struct contact_class *policy_class_named(const struct contact_policy *policy,
                                               struct span folded)
{
    char buffer[WORD_MAX];
    for (size_t i = 0; i < policy->class_count; i++)
        if (folded.len > 0 && span_equal(word_fold(policy->classes[i].name, buffer), folded))
            return &policy->classes[i];
    return NULL;
}

const struct contact_calendar *policy_calendar(const struct contact_policy *policy,
                                               struct span name)
{
    for (size_t i = 0; i < policy->calendar_count; i++)
        if (span_equal(policy->calendars[i].name, name))
            return &policy->calendars[i];
    return NULL;
}

const struct consent_meaning *meaning_find(const struct consent_meanings *meanings,
                                           struct span word)
{
    for (size_t i = 0; i < meanings->count; i++)
        if (span_equal(meanings->items[i].word, word))
            return &meanings->items[i];
    return NULL;
}

static const struct {
    enum channel_word channel;
    const char *leaves;
} exits[] = {
#define EXIT(channel, leaves) {channel, leaves},
    WORDS_EXITS(EXIT)};

struct consent_meaning policy_unsubscribe_from(const struct contact_policy *policy,
                                               struct span channel)
{
    static const struct consent_key push = {CONSENT_CHANNEL, {"push", 4}, {NULL, 0}},
                                    all = {CONSENT_ALL, {"all", 3}, {NULL, 0}};
    const struct consent_meaning *own = meaning_find(&policy->unsubscribe_from, channel);
    if (own)
        return *own;
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        if (span_is(channel, channel_words[exits[i].channel]))
            return (struct consent_meaning){channel,
                                            strcmp(exits[i].leaves, "push") == 0 ? &push : &all, 1};
    return (struct consent_meaning){channel, NULL, 0};
}

static bool no_contact_goes_out_on(struct span channel)
{
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        if (span_is(channel, channel_words[exits[i].channel]))
            return true;
    return false;
}

struct span policy_reported_channel(const struct contact_policy *policy, struct span channel,
                                    struct span event)
{
    struct span named;
    if (!no_contact_goes_out_on(channel))
        return channel;
    for (size_t len = 1; len < event.len; len++)
        if (event.ptr[len] == ' ' && policy_channel(policy, (struct span){event.ptr, len}, &named))
            return named;
    return SPAN_NONE;
}

bool names_contain(const struct contact_names *names, struct span name)
{
    for (size_t i = 0; i < names->count; i++)
        if (span_equal(names->items[i], name))
            return true;
    return false;
}

bool next_word(struct span *rest, char separator, struct span *word)
{
    while (rest->len > 0 && *rest->ptr == separator)
        *rest = (struct span){rest->ptr + 1, rest->len - 1};
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, separator, rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *word = (struct span){rest->ptr, len};
    *rest = (struct span){rest->ptr + len, rest->len - len};
    return true;
}

bool names_contain_tag(const struct contact_names *names, struct span tags)
{
    for (struct span tag; next_word(&tags, '\n', &tag);)
        if (names_contain(names, tag))
            return true;
    return false;
}

bool trigger_matches(const struct contact_trigger *trigger, struct span event, int16_t score)
{
    if (trigger->event.ptr != NULL && !span_equal(trigger->event, event))
        return false;
    return trigger->score_max == INT16_MIN || (score != INT16_MIN && score <= trigger->score_max);
}
