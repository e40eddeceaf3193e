/* policy_words.h: the parts of contact.json that say what words mean, for suppression_policy.c.
 * All errors name file and place. */
#ifndef TUTTI_SUPPRESSION_POLICY_WORDS_H
#define TUTTI_SUPPRESSION_POLICY_WORDS_H

#include "common/base/arena.h"
#include "common/codec/json.h"
#include "services/suppression/logic/policy.h"

struct nearest;

/* What is wrong with a second entry of the same channel or word. */
#define NAMED_ALREADY "is named already, in another spelling"

/* Always fails: names the word and the nearest one of its list. */
enum outcome policy_unknown_name(const struct json *at, const char *what,
                                 const struct nearest *nearest, struct err *err);
/* In any spelling that is understood of producers; *channel becomes its name. */
enum outcome policy_check_channel(const struct json *at, const struct contact_policy *policy,
                                  struct span *channel, struct err *err);
/* As words of consent are compared: 1 to WORD_MAX bytes are left. */
enum outcome policy_fold_name(struct arena *arena, const struct json *at, struct span word,
                              struct span *folded, struct err *err);
/* A list of texts that is absent or has at least one. */
enum outcome policy_read_names(struct arena *arena, const struct json *object, const char *key,
                               struct contact_names *out, struct err *err);

/* A time, or a date, which is its midnight in UTC; an absent one leaves *out untouched. */
enum outcome policy_read_time(struct arena *arena, const struct json *object, const char *key,
                              struct instant *out, struct err *err);

/* The sections, in the order in which they build on each other; classes come before them. */
enum outcome policy_read_channels(struct arena *arena, const struct json *root,
                                  struct contact_policy *policy, struct err *err);
enum outcome policy_check_class_names(const struct json *root, const struct contact_policy *policy,
                                      struct err *err);
enum outcome policy_read_words(struct arena *arena, const struct json *root,
                               struct contact_policy *policy, struct err *err);
enum outcome policy_read_consents(struct arena *arena, const struct json *root,
                                  struct contact_policy *policy, struct err *err);

#endif
