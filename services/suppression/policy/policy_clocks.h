/* policy_clocks.h: the parts of contact.json that go by clocks and calendars, for
 * suppression_policy.c. All errors name file and place. */
#ifndef TUTTI_SUPPRESSION_POLICY_CLOCKS_H
#define TUTTI_SUPPRESSION_POLICY_CLOCKS_H

#include "common/codec/json.h"
#include "services/suppression/logic/rules.h"

/* The sections zones, calendars and booking; before the rules. */
enum outcome policy_read_clocks(struct arena *arena, const struct json *root,
                                struct contact_policy *policy, struct err *err);
/* Keys of rules; an absent one leaves *out as it is. */
enum outcome policy_read_hour(const struct json *object, const char *key, int32_t *out,
                              struct err *err);
enum outcome policy_read_days(const struct json *object, const char *key, int *out,
                              struct err *err);
enum outcome policy_read_windows(struct arena *arena, const struct json *object, const char *key,
                                 struct rule_windows *out, struct err *err);
enum outcome policy_read_calendars(struct arena *arena, const struct json *object, const char *key,
                                   const struct contact_policy *policy, struct rule_dates *out,
                                   struct err *err);
/* After the rules: notes that one asks where customers are, which takes zones.unknown. */
enum outcome policy_check_zones(const struct json *root, struct contact_policy *policy,
                                struct err *err);

#endif
