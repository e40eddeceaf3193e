/* explain.c: `tutti explain`: everything that is known about one customer, and why. */
#include "cli/avro_to_json.h"
#include "cli/section.h"
#include "cli_sql.h"
#include "common/codec/digest.h"
#include "common/service/generation.h"
#include "services/identity-resolver/identity_policy.h"

static const struct section sections[] = {
    {"members",
     "Who: identifiers of this customer",
     {"explain_members", sql_explain_members},
     {"profile", "identifier", "type", "first_seen", "note"}},
    {"links",
     "Why: which touchpoint first showed two identifiers together",
     {"explain_links", sql_explain_links},
     {"identifier", "other", "first_seen", "touchpoint", "note"}},
    {"journey",
     "Journey",
     {"explain_journey", sql_explain_journey},
     {"stage", "since", "status", "first_seen", "last_seen", ">orders", ">revenue", "currency"}},
    {"touches",
     "Last touches",
     {"explain_touches", sql_explain_touches},
     {"occurred", "direction", "channel", "department", "event", "campaign", ">revenue", "touchpoint"}},
    {"conversions",
     "Last conversions and their credit",
     {"explain_conversions", sql_explain_conversions},
     {"converted", "goal", ">revenue", "model", "channel", "campaign", "touched", ">credit"}},
    {"holds", "Open holds", {"explain_holds", sql_explain_holds}, {"rule", "owner", "since", "until"}},
    {"decisions",
     "Contact decisions",
     {"explain_decisions", sql_explain_decisions},
     {"requested", "channel", "department", "verdict", "reason", "rule", "outcome", "request"}},
    {.name = NULL},
};

/* The identifier's id, as identity-resolver makes it: normalised by the policy, hashed with the key. */
static enum outcome hash_identifier(struct call *call, struct span type_name, struct span value, struct id *out, struct err *err)
{
    struct identity_policy *policy = arena_new(&call->arena, struct identity_policy);
    struct digest_key key;
    const char *key_file = config_text(call->config, "identity.key_file");
    if (*key_file == '\0')
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "identity.key_file is not set: the key that identifiers are hashed with");
    const char *path = generation_policy_path(&call->arena, config_text(call->config, "policy.dir"), "identity.json");
    enum outcome outcome = identity_policy_read(&call->arena, path, policy, err);
    if (outcome == OUTCOME_OK)
        outcome = digest_key_read(key_file, &key, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    const struct identity_type *type = identity_find_type(policy, type_name);
    if (type == NULL)
        return err_set(err, OUTCOME_REJECT, "identifier_type", "the identity policy has no type \"" SPAN_FMT "\"",
                       SPAN_ARG(type_name));
    struct span normal;
    if (!identity_normalise(policy, type, unicode_nfc(&call->arena, value), false, &call->arena, &normal))
        return err_set(err, OUTCOME_REJECT, "identifier_blocked", "this value is blocked or no usable " SPAN_FMT,
                       SPAN_ARG(type_name));
    *out = digest_identifier(&key, type->name, normal);
    return OUTCOME_OK;
}

static enum outcome parse_argument(struct call *call, struct id *out, struct err *err)
{
    const char *text = call_argument(call, 0), *colon = strchr(text, ':');
    if (id_from_uuid(span_of(text), out))
        return OUTCOME_OK;
    if (colon == NULL || colon == text || colon[1] == '\0')
        return err_set(err, OUTCOME_REJECT, "usage", "expected <type>:<value> such as loyalty_id:2375, or an identifier's UUID");
    return hash_identifier(call, (struct span){text, (size_t)(colon - text)}, span_of(colon + 1), out, err);
}

static enum outcome find_profile(struct call *call, struct db *db, const struct id *identifier, struct id *profile,
                                 struct err *err)
{
    static const struct statement find = {"explain_find", "SELECT profile_id FROM identity.identifiers WHERE identifier_id = $1"};
    struct params params;
    struct db_result *result = NULL;
    params_init(&params, &call->arena);
    params_uuid(&params, identifier);
    enum outcome outcome = db_run(db, &find, &params, &result, NULL, err);
    if (outcome == OUTCOME_OK && db_rows(result) == 0)
        outcome = err_set(err, OUTCOME_REJECT, "identifier_unknown", "this identifier was never seen in a touchpoint");
    if (outcome == OUTCOME_OK)
        *profile = db_uuid(result, 0, 0);
    db_result_free(result);
    return outcome;
}

static enum exit_status run_explain(struct call *call)
{
    if (call->argument_count == 0)
        return misuse(call, "expected <type>:<value>");
    struct id identifier, profile;
    struct db *db = NULL;
    struct err err = {0};
    enum outcome outcome = parse_argument(call, &identifier, &err);
    if (outcome == OUTCOME_OK)
        outcome = database_connect(call, &db, &err);
    if (outcome == OUTCOME_OK)
        outcome = find_profile(call, db, &identifier, &profile, &err);
    if (outcome == OUTCOME_OK)
        outcome = sections_print(call, db, sections, &profile, call_has(call, "json"), &err);
    db_close(db);
    return outcome == OUTCOME_OK ? EXIT_DONE : failed(&err);
}

static const struct option options[] = {
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_explain = {
    .name = "explain",
    .arguments = "<type>:<value>",
    .summary = "Say who a customer is and by which evidence, and show journey, credit and verdicts",
    .details =
        "The value is normalised and hashed as identity-resolver does it, so policy.dir and identity.key_file are needed;\n"
        "an identifier's UUID does without them.",
    .options = options,
    .max_arguments = 1,
    .run = run_explain,
};
