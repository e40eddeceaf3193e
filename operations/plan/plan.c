/* plan.c: the steps of `tutti identity plan|apply`: read the candidate, compute all profiles,
 * report, move; see plan.h. */
#include "operations/plan/plan.h"

#include <stdlib.h>

#include "common/codec/digest.h"
#include "operations/plan/stakes.h"
#include "operations/policies/candidate.h"
#include "operations/policies/review.h"
#include "services/identity-resolver/policy/identity_policy.h"

/* A profile may hold a tenth of all identifiers; below this size, or where one is as large today,
 * it may hold any part of them. */
enum { SMALL_PROFILE = 20, LARGEST_PART = 10 };

struct plan {
    struct desk *desk;
    const struct plan_request *request;
    struct span text; /* of the candidate's file */
    struct identity_policy *candidate, *current;
    struct active_row active;
    bool other_anchors; /* or others in their order, by ranks, types or values */
    struct renaming renaming;
    struct anchors_state anchors;
    struct evidence evidence;
    struct comparison comparison;
    struct plan_stakes stakes;
};

/* ---- what is asked ---- */

/* A switch that is under way must end before another policy is tried. */
static enum outcome check_under_way(const struct plan *plan, struct err *err)
{
    return active_is(plan->text, &plan->active) && plan->request->applies
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "anchors_under_way",
                         "facts get the anchors of version %d: run `tutti identity apply` with "
                         "that policy first",
                         plan->anchors.version);
}

static enum outcome check_candidate(struct plan *plan, struct err *err)
{
    struct desk *desk = plan->desk;
    CHECK(anchors_read_state(desk->db, &plan->anchors, err));
    if (plan->anchors.version > 0)
        return check_under_way(plan, err);
    CHECK(anchors_check_rules(desk->db, desk->arena, plan->candidate, plan->current,
                              &plan->other_anchors, err));
    anchors_warn_added(desk, plan->candidate, plan->current);
    CHECK(renaming_read(desk, plan->current, plan->candidate, &plan->renaming, err));
    plan->other_anchors = plan->other_anchors || plan->renaming.count > 0;
    return OUTCOME_OK;
}

static enum outcome open_plan(struct plan *plan, struct err *err)
{
    struct desk *desk = plan->desk;
    plan->candidate = arena_new(desk->arena, struct identity_policy);
    plan->current = arena_new(desk->arena, struct identity_policy);
    CHECK(identity_candidate_read(desk, plan->request->path, &plan->text, plan->candidate, err));
    CHECK(desk_connect(desk, err));
    CHECK(active_read(desk->db, desk->arena, &plan->active, err));
    if (plan->active.version == 0)
        return err_set(err, OUTCOME_FATAL, "no_identity_policy",
                       "no identity policy is active yet: the first start of identity-resolver "
                       "makes its own the active one");
    CHECK(identity_policy_parse(desk->arena, plan->active.policy, "the active identity policy",
                                plan->current, err));
    return check_candidate(plan, err);
}

/* ---- what would change ---- */

static enum outcome check_largest(const struct plan *plan, struct err *err)
{
    size_t largest = plan->comparison.largest_after[0].size, all = plan->comparison.identifiers;
    size_t today = plan->comparison.largest_before[0].size;
    if (largest <= SMALL_PROFILE || largest <= today || largest * LARGEST_PART <= all)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT, "profile_too_large",
                   "the largest profile would hold %zu of %zu identifiers, more than a tenth: this "
                   "policy merges strangers",
                   largest, all);
}

static enum outcome compute(struct plan *plan, struct err *err)
{
    struct arena *arena = plan->desk->arena, scratch = {0};
    CHECK(evidence_read(plan->desk, plan->candidate, plan->current, &plan->renaming,
                        plan->other_anchors, &plan->evidence, err));
    desk_note(plan->desk, "computing profiles from %zu links ...", plan->evidence.graph.link_count);
    identity_partition(plan->candidate, &scratch, &plan->evidence.graph);
    arena_free(&scratch);
    identity_compare(&plan->evidence, arena, &plan->comparison);
    return plan_stakes(plan->desk->db, arena, &plan->evidence, &plan->comparison, &plan->stakes,
                       err);
}

/* ---- the report ---- */

/* Next to a value that is blocked now, one that links nothing was dropped. Where it is all that is
 * left, it would be the anchor. */
static void warn_of_nameless(const struct plan *plan, struct report *report)
{
    bool all_link = true;
    for (size_t i = 0; i < plan->current->type_count; i++)
        all_link = all_link && plan->current->types[i].links;
    if (plan->evidence.facts_left > 0 && !all_link)
        report_warn(report,
                    "%zu touchpoints would be left without an identifier. Identifiers of types "
                    "that link nothing are not stored with them, but would be their anchor if old "
                    "input were read again: do not read it again",
                    plan->evidence.facts_left);
}

static void report_end(const struct plan *plan, struct report *report, bool is_refused)
{
    const struct plan_request *request = plan->request;
    struct id hash = digest_bytes(plan->text);
    char policy[37];
    id_to_uuid(&hash, policy);
    report_value(report, "policy_hash", cell_id(&hash), NULL);
    report_value(report, "refused", cell_bool(is_refused), NULL);
    report_value(report, "needs_services_stopped", cell_bool(plan->other_anchors), NULL);
    report_value(
        report, "executed",
        cell_bool(request->applies && request->executes && (request->forces || !is_refused)), NULL);
    report_line(report, "%s", "");
    report_line(report, "hash of the candidate: %s", policy);
    if (plan->other_anchors) {
        report_line(report, "%s", "");
        report_line(report, "types, ranks or values differ: apply needs the services stopped, and "
                            "deletes the resolved touchpoints in Kafka");
    }
}

static enum outcome report_plan(const struct plan *plan, struct report *report, struct err *err)
{
    struct plan_findings findings = {&plan->evidence, &plan->comparison, &plan->stakes,
                                     plan->request->limit};
    enum outcome refused = check_largest(plan, err);
    warn_of_nameless(plan, report);
    plan_report(&findings, report);
    report_end(plan, report, refused != OUTCOME_OK);
    report->is_complete = true;
    return refused;
}

static enum outcome look(struct plan *plan, struct report *report, struct err *err)
{
    const struct plan_request *request = plan->request;
    CHECK(open_plan(plan, err));
    if (request->applies && active_is(plan->text, &plan->active))
        return OUTCOME_OK;
    CHECK(compute(plan, err));
    enum outcome outcome = report_plan(plan, report, err);
    if (outcome == OUTCOME_OK || !request->applies)
        return outcome;
    return request->forces ? OUTCOME_OK : err_prefix(err, "refused (--force)");
}

static bool is_in_force(const struct plan *plan)
{
    return active_is(plan->text, &plan->active) && plan->active.is_complete &&
           plan->anchors.version == 0;
}

enum outcome plan_look(struct desk *desk, const struct plan_request *request, struct report *report,
                       struct plan **out, bool *has_act, struct err *err)
{
    struct plan *plan = arena_new(desk->arena, struct plan);
    *out = plan;
    *has_act = false;
    plan->desk = desk;
    plan->request = request;
    CHECK(look(plan, report, err));
    *has_act = request->applies && !is_in_force(plan);
    if (request->applies && !*has_act)
        desk_note(desk, "this policy is the active one, version %d", plan->active.version);
    return OUTCOME_OK;
}

void plan_close(struct plan *plan)
{
    if (plan && plan->evidence.policy)
        evidence_close(&plan->evidence);
}

/* ---- the move ---- */

static enum outcome move_anchors(struct plan *plan, struct err *err)
{
    struct anchors_apply anchors = {
        .desk = plan->desk,
        .readers = plan->request->readers,
        .actor = plan->request->actor,
        .text = plan->text,
        .candidate = plan->candidate,
        .current = plan->current,
        .active = plan->active,
        .batch = plan->request->batch,
    };
    return anchors_apply(&anchors, err);
}

enum outcome plan_act(struct plan *plan, struct err *err)
{
    struct policy_review review = {
        .text = plan->text,
        .active = plan->active,
        .actor = plan->request->actor,
        .batch = plan->request->batch,
    };
    if (plan->other_anchors || plan->anchors.version > 0)
        CHECK(move_anchors(plan, err));
    else
        CHECK(apply_policy(plan->desk, &review, err));
    desk_note(plan->desk, "every profile was reviewed; put the file into the policy.dir of "
                          "identity-resolver before its next start");
    return OUTCOME_OK;
}
