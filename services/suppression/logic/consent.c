/* consent.c: the last word on a channel, and which opt-outs a part of the facts would lose. */
#include "services/suppression/logic/consent.h"

/* Takes the next word from *rest: its channel, and whether it opts in. */
static bool next_consent(struct span *rest, struct span *channel, bool *value)
{
    struct span word;
    if (!next_word(rest, ' ', &word))
        return false;
    *channel = (struct span){word.ptr + 1, word.len - 1};
    *value = *word.ptr == '+';
    return true;
}

int consent_of(const struct contact_fact *fact, struct span channel)
{
    int consent = 0;
    struct span rest = fact->consent, name;
    for (bool value, is_own = false; !is_own && next_consent(&rest, &name, &value);) {
        is_own = span_equal(name, channel);
        if (is_own || span_is(name, "*"))
            consent = value ? 1 : -1;
    }
    return consent > 0 && contact_is_copy(fact) ? 0 : consent;
}

bool consent_opts_out(struct span consent)
{
    struct span channel;
    for (bool value; next_consent(&consent, &channel, &value);)
        if (!value)
            return true;
    return false;
}

const struct contact_fact *consent_last_word(const struct contact_fact *const *facts, size_t count,
                                             struct span channel)
{
    while (count-- > 0)
        if (consent_of(facts[count], channel) != 0)
            return facts[count];
    return NULL;
}

static void add_channel(struct opt_outs *channels, struct span channel, struct arena *arena)
{
    if (span_is(channel, "*"))
        return;
    for (size_t i = 0; i < channels->count; i++)
        if (span_equal(channels->items[i].channel, channel))
            return;
    *arena_push(arena, channels) = (struct opt_out){channel, NULL};
}

/* Without their facts. */
static struct opt_outs named_channels(const struct contact_fact *const *facts, size_t count,
                                      struct arena *arena)
{
    struct opt_outs channels = {0};
    for (size_t i = 0; i < count; i++) {
        struct span rest = facts[i]->consent, channel;
        for (bool value; next_consent(&rest, &channel, &value);)
            add_channel(&channels, channel, arena);
    }
    *arena_push(arena, &channels) = (struct opt_out){SPAN("*"), NULL};
    return channels;
}

struct opt_outs consent_opt_outs(const struct contact_fact *const *facts, size_t count,
                                 struct arena *arena)
{
    struct opt_outs list = named_channels(facts, count, arena);
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        struct span channel = list.items[i].channel;
        const struct contact_fact *last = consent_last_word(facts, count, channel);
        if (last && consent_of(last, channel) < 0)
            list.items[kept++] = (struct opt_out){channel, last};
    }
    list.count = kept;
    return list;
}

bool consent_is_lost(const struct opt_out *opt_out, const struct contact_fact *const *part,
                     size_t count)
{
    const struct contact_fact *last = consent_last_word(part, count, opt_out->channel);
    return last == NULL || consent_of(last, opt_out->channel) > 0;
}
