/* goal_targets.h: targets.json: what the shared goals are to reach. Nothing is derived from it: the
 * views compare with what is written here. */
#ifndef TUTTI_OPERATIONS_POLICIES_GOAL_TARGETS_H
#define TUTTI_OPERATIONS_POLICIES_GOAL_TARGETS_H

#include "common/codec/json.h"
#include "common/store/db.h"
#include "services/journey-tracker/logic/policy.h"

/* A goal that may have targets. */
struct target_goal {
    struct span id;
    bool is_money; /* its targets have a currency */
};

struct target_goals {
    struct target_goal *items;
    size_t count, capacity;
};

struct goal_target {
    struct span goal, department, period, from, currency; /* currency: SPAN_NONE for no money */
    int64_t micros;
};

struct goal_targets {
    struct goal_target *items;
    size_t count;
};

/* The goals of goals.json, and those of the active policies. */
struct target_goals target_goals_of(struct arena *arena, const struct journey_policy *policy);
enum outcome target_goals_active(struct db *db, struct arena *arena, struct target_goals *out,
                                 struct err *err);

/* Reads a document. Errors have the code "json_invalid" and name the document, the place, and the
 * nearest goal. Texts stay borrowed from the document's arena. */
enum outcome goal_targets_read(struct arena *arena, const struct json *document,
                               const struct target_goals *goals, struct goal_targets *out,
                               struct err *err);
/* The same for a file. */
enum outcome goal_targets_read_file(struct arena *arena, const char *path,
                                    const struct target_goals *goals, struct goal_targets *out,
                                    struct err *err);

/* Writes them in one transaction, in place of all that were there. Readers are not held up. */
enum outcome goal_targets_store(struct db *db, struct arena *arena,
                                const struct goal_targets *targets, struct err *err);

#endif
