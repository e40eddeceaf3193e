/* consent.h: what facts say of channels. A consent map may name any channel, not only those that
 * the product has a name for; `*` stands for every channel that is not named. */
#ifndef TUTTI_CONTACT_CONSENT_H
#define TUTTI_CONTACT_CONSENT_H

#include "services/suppression/logic/contact.h"

/* What the consent text of a fact says of a channel: 1 in, -1 out, 0 nothing. The channel's own
 * word is stronger than that for all. An opt-in of a copy says nothing: people consent only for
 * themselves. */
int consent_of(const struct contact_fact *fact, struct span channel);

/* True if the text has an opt-out of any channel. */
bool consent_opts_out(struct span consent);

/* The last of the facts (in order) that says something of the channel, NULL if none does. */
const struct contact_fact *consent_last_word(const struct contact_fact *const *facts, size_t count,
                                             struct span channel);

/* An opt-out that is in force: the last word on the channel, and the fact that has it. */
struct opt_out {
    struct span channel;
    const struct contact_fact *fact;
};

struct opt_outs {
    struct opt_out *items;
    size_t count, capacity;
};

/* Opt-outs in force among the facts of a whole customer: of every channel that a fact names, in the
 * order of their first mention, then of `*`. */
struct opt_outs consent_opt_outs(const struct contact_fact *const *facts, size_t count,
                                 struct arena *arena);

/* True if a part of these facts, by itself, does not opt the channel out: who has only the part
 * loses the opt-out. */
bool consent_is_lost(const struct opt_out *opt_out, const struct contact_fact *const *part,
                     size_t count);

#endif
