/* identity_plan.c: `tutti identity plan|apply`: a candidate policy on all stored evidence. */
#include "cli/identity_plan.h"

#include "cli/identity.h"
#include "cli/identity_anchors.h"
#include "cli/identity_apply.h"
#include "cli/identity_candidate.h"
#include "common/codec/digest.h"
#include "services/identity-resolver/policy/identity_policy.h"

/* A profile may hold a tenth of all identifiers; below this size, or where one is as large today,
 * it may hold any part of them.
 */
enum { SMALL_PROFILE = 20, LARGEST_PART = 10, MAX_EXAMPLES = 1000, MAX_BATCH = 100000 };

struct plan {
    struct call *call;
    struct db *db;
    struct span text; /* of the candidate's file */
    struct identity_policy *candidate, *current;
    struct active_row active;
    bool other_anchors; /* or others beside them, by ranks, types or values */
    struct renaming renaming;
    struct anchors_state anchors;
    struct evidence evidence;
    struct comparison comparison;
    struct plan_stakes stakes;
    int64_t limit, batch;
};

/* What is under way comes to its end before another policy is thought of. */
static enum outcome check_candidate(struct plan *plan, struct err *err)
{
    CHECK(anchors_read_state(plan->db, &plan->anchors, err));
    if (plan->anchors.version > 0)
        return active_is(plan->text, &plan->active) &&
                       strcmp(call_argument(plan->call, 0), "apply") == 0
                   ? OUTCOME_OK
                   : err_set(err, OUTCOME_FATAL, "anchors_under_way",
                             "facts get the anchors of version %d: run `tutti identity apply` with "
                             "that policy first",
                             plan->anchors.version);
    CHECK(anchors_check_rules(plan->db, &plan->call->arena, plan->candidate, plan->current,
                              &plan->other_anchors, err));
    anchors_tell_added(plan->candidate, plan->current);
    CHECK(
        renaming_read(plan->call, plan->db, plan->current, plan->candidate, &plan->renaming, err));
    plan->other_anchors = plan->other_anchors || plan->renaming.count > 0;
    return plan->other_anchors ? anchors_check_facts(plan->db, err) : OUTCOME_OK;
}

static enum outcome open_plan(struct plan *plan, struct err *err)
{
    struct call *call = plan->call;
    plan->candidate = arena_new(&call->arena, struct identity_policy);
    plan->current = arena_new(&call->arena, struct identity_policy);
    CHECK(identity_candidate_read(&call->arena, call_option(call, "policy"), &plan->text,
                                  plan->candidate, err));
    CHECK(database_connect(call, &plan->db, err));
    CHECK(active_read(plan->db, &call->arena, &plan->active, err));
    if (plan->active.version == 0)
        return err_set(err, OUTCOME_FATAL, "no_identity_policy",
                       "no identity policy is active yet: the first start of identity-resolver "
                       "makes its own the active one");
    CHECK(identity_policy_parse(&call->arena, plan->active.policy, "the active identity policy",
                                plan->current, err));
    return check_candidate(plan, err);
}

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
    struct arena scratch = {0};
    CHECK(evidence_read(plan->db, &plan->call->arena, plan->candidate, plan->current,
                        &plan->renaming, plan->other_anchors, &plan->evidence, err));
    say("computing profiles from %zu links ...", plan->evidence.graph.link_count);
    identity_partition(plan->candidate, &scratch, &plan->evidence.graph);
    arena_free(&scratch);
    identity_compare(&plan->evidence, &plan->call->arena, &plan->comparison);
    return plan_stakes(plan->db, &plan->call->arena, &plan->evidence, &plan->comparison,
                       &plan->stakes, err);
}

/* Beside a value that is blocked now, one that links nothing was dropped; where it is all that is
 * left it would be the anchor. */
static void tell_left(const struct plan *plan)
{
    bool all_link = true;
    for (size_t i = 0; i < plan->current->type_count; i++)
        all_link = all_link && plan->current->types[i].links;
    if (plan->evidence.facts_left > 0 && !all_link)
        warn("%zu touchpoints would name nobody; what they had of types that link nothing is not "
             "stored, and they would come "
             "under that "
             "if they were read again: do not read old input again",
             plan->evidence.facts_left);
}

/* json NULL: text. */
static void report_end(const struct plan *plan, const struct strbuf *json, bool is_refused,
                       const char *verdict)
{
    struct id hash = digest_bytes(plan->text);
    char policy[37];
    id_to_uuid(&hash, policy);
    if (json) {
        printf(SPAN_FMT ",\"policy_hash\":\"%s\",\"refused\":%s,\"needs_services_stopped\":%s,"
                        "\"executed\":%s}\n",
               SPAN_ARG(strbuf_span(json)), policy, is_refused ? "true" : "false",
               plan->other_anchors ? "true" : "false", verdict);
        return;
    }
    printf("\nhash of the candidate: %s\n", policy);
    if (plan->other_anchors)
        puts("\ntypes, ranks or values differ: apply needs the services stopped, and deletes the "
             "resolved touchpoints in Kafka");
}

static enum outcome report(struct plan *plan, const char *verdict, struct err *err)
{
    struct call *call = plan->call;
    struct strbuf json = {.arena = &call->arena}, *to = call_has(call, "json") ? &json : NULL;
    enum outcome refused = check_largest(plan, err);
    tell_left(plan);
    plan_report(call, &plan->evidence, &plan->comparison, &plan->stakes, (size_t)plan->limit, to);
    report_end(plan, to, refused != OUTCOME_OK, verdict);
    fflush(stdout);
    return refused;
}

static enum outcome act(struct plan *plan, struct err *err)
{
    if (!plan->other_anchors && plan->anchors.version == 0)
        return apply_policy(plan->call, plan->db, plan->text, &plan->active, (size_t)plan->batch,
                            err);
    struct anchors_apply anchors = {
        .call = plan->call,
        .db = plan->db,
        .text = plan->text,
        .candidate = plan->candidate,
        .current = plan->current,
        .active = plan->active,
        .batch = (size_t)plan->batch,
    };
    return anchors_apply(&anchors, err);
}

static enum outcome apply(struct plan *plan, struct err *err)
{
    struct call *call = plan->call;
    bool acts = call_has(call, "execute"), is_active = active_is(plan->text, &plan->active);
    if (is_active && plan->active.is_complete && plan->anchors.version == 0) {
        say("this policy is the active one, version %d", plan->active.version);
        return OUTCOME_OK;
    }
    if (!is_active) {
        CHECK(compute(plan, err));
        bool goes_on = acts && (call_has(call, "force") || check_largest(plan, NULL) == OUTCOME_OK);
        enum outcome refused = report(plan, goes_on ? "true" : "false", err);
        if (refused != OUTCOME_OK && !call_has(call, "force"))
            return err_prefix(err, "refused (--force)");
    }
    if (!acts) {
        say("nothing was changed; --execute acts");
        return OUTCOME_OK;
    }
    CHECK(act(plan, err));
    say("every profile was reviewed; put the file into the policy.dir of identity-resolver before "
        "its next start");
    return OUTCOME_OK;
}

static enum outcome run(struct plan *plan, struct err *err)
{
    CHECK(open_plan(plan, err));
    if (strcmp(call_argument(plan->call, 0), "apply") == 0)
        return apply(plan, err);
    CHECK(compute(plan, err));
    return report(plan, "false", err);
}

enum exit_status identity_plan(struct call *call)
{
    struct plan plan = {.call = call};
    struct err err = {0};
    if (call_option(call, "policy") == NULL)
        return misuse(call, "--policy is missing");
    if (!call_number(call, "limit", 0, MAX_EXAMPLES, 5, &plan.limit) ||
        !call_number(call, "batch", 1, MAX_BATCH, 500, &plan.batch))
        return EXIT_USAGE;
    enum outcome outcome = run(&plan, &err);
    if (plan.evidence.policy)
        evidence_close(&plan.evidence);
    db_close(plan.db);
    return outcome == OUTCOME_OK ? EXIT_DONE : failed(&err);
}
