/* journey_policy_store.h: the policy in force as rows, so that no view reads a policy file and no
 * default stands a second time in SQL. */
#ifndef TUTTI_JOURNEY_POLICY_STORE_H
#define TUTTI_JOURNEY_POLICY_STORE_H

#include "common/base/id.h"
#include "common/store/db.h"
#include "services/journey-tracker/logic/policy.h"

/* Writes journey.policies and journey.goals of a generation; what stood there is replaced. Inside
 * the transaction that activates it. */
enum outcome journey_policy_store(struct db *db, struct arena *arena,
                                  const struct journey_policy *policy, const struct id *generation,
                                  struct err *err);
/* The same from the files of a folder. */
enum outcome journey_policy_store_files(struct db *db, struct arena *arena, const char *folder,
                                        const struct id *generation, struct err *err);

#endif
