/* consent.h: what facts say of channels and classes, docs/figures.md#opt-outs.
 *
 * The words of a consent map are stored as they were sent and get their meaning here, from the
 * lists of common/words and from the policy. So a policy that learns a word knows its past. */
#ifndef TUTTI_CONTACT_CONSENT_H
#define TUTTI_CONTACT_CONSENT_H

#include "common/base/pack.h"
#include "services/suppression/logic/contact.h"

/* -------------------------------------------------------------------------------------------------
 * the stored text */

/* Adds a word as it was sent: "+email -direct%20mail". Bytes that would break the text stand as
 * %XX. */
void consent_write(struct strbuf *out, struct span word, bool value);

/* True if the text has a no of any word. */
bool consent_opts_out(struct span consent);

/* -------------------------------------------------------------------------------------------------
 * what holds */

enum consent_word { CONSENT_SILENT, CONSENT_OUT, CONSENT_IN };

struct consent_answer {
    enum consent_word word;
    const struct contact_fact *fact; /* that decides; NULL: silent */
    const struct contact_fact *vain; /* a later yes to everything that does not lift the no; NULL */
    /* the newest yes that the policy does not take for one (confirmed_by); NULL */
    const struct contact_fact *unconfirmed;
};

/* What the facts (in order) say of the key. */
struct consent_answer consent_ask(const struct contact_policy *policy,
                                  const struct contact_fact *const *facts, size_t count,
                                  struct consent_key key);

/* -------------------------------------------------------------------------------------------------
 * words without a meaning */

/* Calls for every word of the fact that the policy does not know, and for the channel of an
 * `Unsubscribed` that it does not know. Returns how many; told may be NULL. */
typedef void consent_told_fn(void *arg, struct span word);
size_t consent_undefined(const struct contact_policy *policy, const struct contact_fact *fact,
                         consent_told_fn *told, void *arg);

/* -------------------------------------------------------------------------------------------------
 * what a part would lose */

/* An opt-out that is in force, and the fact that has it. */
struct opt_out {
    struct consent_key key;
    const struct contact_fact *fact;
};

struct opt_outs {
    struct opt_out *items;
    size_t count, capacity;
};

/* Opt-outs in force among the facts of a whole customer: of every key that a fact names, in the
 * order of their first mention, then of everything. Words that mean nothing so far are among them:
 * a policy may give them a meaning later. */
struct opt_outs consent_opt_outs(const struct contact_policy *policy,
                                 const struct contact_fact *const *facts, size_t count,
                                 struct arena *arena);

/* True if a part of these facts, by itself, does not opt the key out: who has only the part loses
 * the opt-out. */
bool consent_is_lost(const struct contact_policy *policy, const struct opt_out *opt_out,
                     const struct contact_fact *const *part, size_t count);

#endif
