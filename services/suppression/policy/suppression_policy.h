/* suppression_policy.h: policies/contact.json, checked by shape and meaning. */
#ifndef TUTTI_SUPPRESSION_POLICY_H
#define TUTTI_SUPPRESSION_POLICY_H

#include "common/base/arena.h"
#include "common/base/warnings.h"
#include "common/codec/json.h"
#include "services/suppression/logic/policy.h"

/* Texts live in the arena. FATAL "json_invalid" naming file, place and, for a misspelt name, the
 * nearest one; so is a kind of rule that this version does not know. */
enum outcome suppression_policy_read(struct arena *arena, const char *path,
                                     struct contact_policy *out, struct err *err);
/* The same of a document that was read already; texts may be borrowed from it. */
enum outcome suppression_policy_take(struct arena *arena, const struct json *root,
                                     struct contact_policy *out, struct err *err);
/* The same for a text in memory (tests); name is what errors call it. REJECT instead of FATAL. */
enum outcome suppression_policy_parse(struct arena *arena, struct span text, const char *name,
                                      struct contact_policy *out, struct err *err);

/* The zones that the policy works by, borrowed from now on. FATAL "policy_invalid" for a zone or a
 * country that they do not have. Where policy->asks_zones is false nothing needs them. */
enum outcome suppression_policy_set_zones(struct arena *arena, struct contact_policy *policy,
                                          const struct zone_book *book, struct err *err);

/* What a valid policy says and can hardly mean, with its place in the file. today: days since 1970.
 */
void suppression_policy_warnings(struct arena *arena, const struct contact_policy *policy,
                                 int32_t today, struct warnings *out);

#endif
