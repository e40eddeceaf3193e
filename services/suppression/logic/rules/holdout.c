/* holdout.c: denies contacts to some customers, who are drawn by lot, so that the others can be
 * compared with them. Who draws was about to be contacted: both arms hold such people alone. */
#include "common/base/bucket.h"
#include "services/suppression/logic/rules.h"

enum { MOST = 8 };

struct holdout {
    int32_t basis_points; /* of control */
    struct contact_names campaigns;
    struct instant from;
};

static const struct holdout defaults = {.from = {INT64_MIN}} /* INSTANT_FIRST */;

static bool is_for(const struct contact_rule *rule, const struct contact_fact *request)
{
    const struct holdout *holdout = rule->own;
    return rule_is_for_words(rule, request->channel, request->class, request->tags) &&
           (holdout->campaigns.count == 0 ||
            names_contain(&holdout->campaigns, request->campaign_id)) &&
           instant_compare(holdout->from, request->at) <= 0;
}

static struct arm draw(const struct contact_rule *rule, const struct contact_fact *request)
{
    const struct holdout *holdout = rule->own;
    bool is_control = bucket_of(rule->id, &request->anchor_id) < holdout->basis_points;
    return (struct arm){
        .holdout = rule->id,
        .anchor = id_short(&request->anchor_id),
        .arm = is_control ? ARM_CONTROL : ARM_TREATED,
        .basis_points = (int16_t)holdout->basis_points,
        .assigned_at = request->at,
        .request_id = request->event_id,
    };
}

/* Of people who were joined one may have drawn control: then none of them is contacted. False: none
 * of them has drawn. */
static bool find_arm(const struct arms *arms, struct span holdout, enum contact_arm *arm)
{
    bool is_found = false;
    *arm = ARM_TREATED;
    for (size_t i = 0; arms && i < arms->count; i++) {
        if (!span_equal(arms->items[i].holdout, holdout))
            continue;
        is_found = true;
        if (arms->items[i].arm == ARM_CONTROL)
            *arm = ARM_CONTROL;
    }
    return is_found;
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    enum contact_arm arm;
    if (!find_arm(q->ledger->arms, rule->id, &arm)) {
        struct arm drawn = draw(rule, q->request);
        arm = (enum contact_arm)drawn.arm;
        if (q->ledger->arms)
            *arena_push(q->arena, q->ledger->arms) = drawn;
    }
    finding->passed = arm == ARM_TREATED;
    finding->opens = INSTANT_NEVER;
    finding->observed = finding->passed ? SPAN("treated") : SPAN("control");
    finding->allowed = SPAN("treated");
}

static const struct rule_key keys[] = {
    {.name = "percent",
     KEY_PERCENT,
     .is_required = true,
     .offset = offsetof(struct holdout, basis_points)},
    {.name = "campaigns", KEY_NAMES, .offset = offsetof(struct holdout, campaigns)},
    {.name = "from", KEY_TIME, .offset = offsetof(struct holdout, from)},
    {NULL},
};

const struct rule_kind rule_holdout = {
    .name = "holdout",
    .says = "the customer is in a group that gets no such contacts",
    .revokes = REVOKES_NEVER,
    .is_last = true,
    .draws = true,
    .most = MOST,
    .keys = keys,
    .own_size = sizeof(struct holdout),
    .own_defaults = &defaults,
    .is_for = is_for,
    .ask = ask,
};
