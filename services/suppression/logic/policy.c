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

bool policy_allows_unknown(const struct contact_policy *policy, struct span channel)
{
    for (size_t i = 0; i < policy->consent_count; i++)
        if (span_equal(policy->consents[i].channel, channel))
            return policy->consents[i].allow_unknown;
    return policy->allow_unknown;
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
