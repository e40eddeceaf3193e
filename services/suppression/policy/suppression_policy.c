/* suppression_policy.c: policies/contact.json -> struct contact_policy. */
#include "services/suppression/policy/suppression_policy.h"

#include <assert.h>
#include <math.h>

#include "common/base/nearest.h"
#include "common/base/pack.h"
#include "common/codec/json.h"
#include "common/words/words.h"
#include "services/suppression/logic/rules.h"
#include "services/suppression/policy/policy_clocks.h"
#include "services/suppression/policy/policy_words.h"

enum { MAX_RULE_ID = 64 };

/* ---- names with a list ---- */

static enum outcome check_class(const struct json *at, const struct contact_policy *policy,
                                struct span class, struct err *err)
{
    struct nearest nearest = nearest_start(class, NEAREST_ANY);
    if (policy_class(policy, class))
        return OUTCOME_OK;
    for (size_t i = 0; i < policy->class_count; i++)
        nearest_consider(&nearest, policy->classes[i].name);
    return policy_unknown_name(at, "class", &nearest, err);
}

static enum outcome read_kind(const struct json *rule, const struct rule_kind **kind,
                              struct err *err)
{
    struct span name = SPAN_NONE;
    if (json_get(rule, "kind") == NULL)
        return json_fail(rule, err, "\"kind\" is missing");
    CHECK(json_text(rule, "kind", &name, err));
    struct nearest nearest = nearest_start(name, NEAREST_ANY);
    for (size_t i = 0; rule_kinds[i]; i++) {
        *kind = rule_kinds[i];
        if (span_is(name, rule_kinds[i]->name))
            return OUTCOME_OK;
        nearest_consider(&nearest, span_of(rule_kinds[i]->name));
    }
    return policy_unknown_name(json_get(rule, "kind"), "kind of rule", &nearest, err);
}

/* ---- parts of a rule ---- */

/* "*" is the same as leaving it out. */
static enum outcome read_channels(struct arena *arena, const struct json *object, const char *key,
                                  const struct contact_policy *policy, struct contact_names *out,
                                  struct err *err)
{
    const struct json *value = json_get(object, key);
    struct span text = SPAN_NONE;
    if (value && json_shape(value) == SHAPE_TEXT) {
        CHECK(json_as_text(value, &text, err));
        return span_is(text, "*") ? OUTCOME_OK
                                  : json_fail(value, err, "expected \"*\" or a list of channels");
    }
    CHECK(policy_read_names(arena, object, key, out, err));
    for (size_t i = 0; i < out->count; i++)
        CHECK(policy_check_channel(json_at(value, i), policy, &out->items[i], err));
    return OUTCOME_OK;
}

static enum outcome read_class_names(struct arena *arena, const struct json *object,
                                     const char *key, const struct contact_policy *policy,
                                     struct contact_names *out, struct err *err)
{
    CHECK(policy_read_names(arena, object, key, out, err));
    for (size_t i = 0; i < out->count; i++)
        CHECK(check_class(json_at(json_get(object, key), i), policy, out->items[i], err));
    return OUTCOME_OK;
}

static enum outcome read_trigger(const struct json *entry, bool may_score,
                                 struct contact_trigger *trigger, struct err *err)
{
    *trigger = (struct contact_trigger){SPAN_NONE, INT16_MIN};
    if (!may_score || json_shape(entry) == SHAPE_TEXT)
        return json_as_text(entry, &trigger->event, err);
    CHECK(json_check_keys(entry, "", "event score_max", err));
    int64_t score = INT16_MIN;
    CHECK(json_text(entry, "event", &trigger->event, err));
    CHECK(json_int(entry, "score_max", -100, 100, &score, err));
    trigger->score_max = (int16_t)score;
    if (trigger->event.ptr == NULL && score == INT16_MIN)
        return json_fail(entry, err, "needs event, score_max or both");
    return OUTCOME_OK;
}

static enum outcome read_triggers(struct arena *arena, const struct json *object, const char *key,
                                  bool may_score, struct contact_rule *rule, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, key, &list, err));
    if (json_count(list) == 0)
        return json_fail(list ? list : object, err, "%s needs at least one event", key);
    rule->on = arena_array(arena, struct contact_trigger, json_count(list));
    for (rule->on_count = 0; rule->on_count < json_count(list); rule->on_count++)
        CHECK(
            read_trigger(json_at(list, rule->on_count), may_score, &rule->on[rule->on_count], err));
    return OUTCOME_OK;
}

static enum outcome read_on_fail(const struct json *object, struct contact_rule *rule,
                                 struct err *err)
{
    int choice = 1;
    CHECK(json_choice(object, "on_fail", "drop|defer", &choice, err));
    rule->gives_retry = choice == 1;
    return OUTCOME_OK;
}

static enum outcome read_length(const struct json *object, const struct rule_key *key,
                                struct duration *out, struct err *err)
{
    CHECK(json_duration(object, key->name, out, err));
    if (key->is_positive && json_get(object, key->name) && out->us <= 0)
        return json_fail(json_get(object, key->name), err, "must be longer than nothing");
    return OUTCOME_OK;
}

static enum outcome read_count(const struct json *object, const char *key, int32_t *out,
                               struct err *err)
{
    int64_t count = *out;
    CHECK(json_int(object, key, 0, RULE_MAX_COUNT, &count, err));
    *out = (int32_t)count;
    return OUTCOME_OK;
}

static enum outcome read_percent(const struct json *object, const char *key, int32_t *out,
                                 struct err *err)
{
    enum { LEAST = 1, MOST = 5000 }; /* hundredths */
    const double tolerance = 1e-6;
    const struct json *value = json_get(object, key);
    double percent = 0;
    CHECK(json_as_real(value, &percent, err));
    double hundredths = round(percent * 100);
    if (hundredths < LEAST || hundredths > MOST || fabs(percent * 100 - hundredths) > tolerance)
        return json_fail(value, err, "0.01 to 50 in hundredths");
    *out = (int32_t)hundredths;
    return OUTCOME_OK;
}

static enum outcome read_counts(struct arena *arena, const struct json *object,
                                const struct rule_key *key, int32_t *out, struct err *err)
{
    const struct json *section = NULL;
    struct span words = span_of(key->words), word;
    CHECK(json_section(object, key->name, &section, err));
    if (section == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(section, key->words, "", err));
    for (; next_word(&words, ' ', &word); out++)
        CHECK(read_count(section, arena_copy(arena, word).ptr, out, err));
    return OUTCOME_OK;
}

static enum outcome read_set(const struct json *object, const struct rule_key *key, int *out,
                             struct err *err)
{
    const struct json *value = json_get(object, key->name);
    bool is_list = value && json_shape(value) == SHAPE_LIST;
    size_t count = is_list ? json_count(value) : value != NULL;
    if (is_list && count == 0)
        return json_fail(value, err, "an empty list would never match; leave it out");
    for (size_t i = 0; i < count; i++) {
        int word = 0;
        CHECK(json_as_choice(is_list ? json_at(value, i) : value, key->words, &word, err));
        *out |= 1 << word;
    }
    return OUTCOME_OK;
}

static enum outcome read_lengths(struct arena *arena, const struct json *object,
                                 const struct rule_key *key, struct rule_lengths *out,
                                 struct err *err)
{
    const struct json *section = NULL;
    CHECK(json_section(object, key->name, &section, err));
    out->items = arena_array(arena, struct rule_length, json_count(section));
    for (; out->count < json_count(section); out->count++) {
        const struct json *entry = json_at(section, out->count);
        struct rule_length *one = &out->items[out->count];
        one->name = json_key(entry);
        CHECK(json_as_duration(entry, &one->length, err));
        if (key->is_positive && one->length.us <= 0)
            return json_fail(entry, err, "must be longer than nothing");
    }
    return OUTCOME_OK;
}

static enum outcome read_choices(struct arena *arena, const struct json *object,
                                 const struct rule_key *key, struct rule_choices *out,
                                 struct err *err)
{
    const struct json *section = NULL;
    CHECK(json_section(object, key->name, &section, err));
    out->is_given = section != NULL;
    out->items = arena_array(arena, struct rule_choice, json_count(section));
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *entry = json_at(section, i);
        struct rule_choice one = {SPAN_NONE, 0};
        CHECK(policy_fold_name(arena, entry, json_key(entry), &one.name, err));
        CHECK(json_as_choice(entry, key->words, &one.choice, err));
        for (size_t k = 0; k < out->count; k++)
            if (span_equal(out->items[k].name, one.name))
                return json_fail(entry, err, NAMED_ALREADY);
        out->items[out->count++] = one;
    }
    return OUTCOME_OK;
}

/* Where the values of a rule's own keys go. */
struct rule_target {
    const struct contact_policy *policy;
    struct contact_rule *rule;
    char *own;
};

static enum outcome read_key(struct arena *arena, const struct json *object,
                             const struct rule_key *key, const struct rule_target *target,
                             struct err *err);

/* A section that asks nothing would match nothing, or everything. */
static enum outcome read_section(struct arena *arena, const struct json *object,
                                 const struct rule_key *key, const struct rule_target *target,
                                 struct err *err)
{
    const struct json *section = NULL;
    struct strbuf names = {.arena = arena};
    CHECK(json_section(object, key->name, &section, err));
    if (section == NULL)
        return OUTCOME_OK;
    for (const struct rule_key *k = key->keys; k->name; k++)
        strbuf_addf(&names, "%s%s", names.len ? " " : "", k->name);
    CHECK(json_check_keys(section, "", names.ptr, err));
    if (json_count(section) == 0)
        return json_fail(section, err, "%s would match nothing", key->name);
    *(bool *)(target->own + key->offset) = true;
    for (const struct rule_key *k = key->keys; k->name; k++)
        CHECK(read_key(arena, section, k, target, err));
    return OUTCOME_OK;
}

static enum outcome read_key(struct arena *arena, const struct json *object,
                             const struct rule_key *key, const struct rule_target *target,
                             struct err *err)
{
    void *value = target->own + key->offset;
    switch (key->type) {
    case KEY_EVENTS:
    case KEY_SIGNALS:
        return read_triggers(arena, object, key->name, key->type == KEY_SIGNALS, target->rule, err);
    case KEY_UNTIL:
        return policy_read_names(arena, object, key->name, &target->rule->until, err);
    case KEY_DURATION:
        return read_length(object, key, value, err);
    case KEY_CHOICE:
        return json_choice(object, key->name, key->words, value, err);
    case KEY_COUNT:
        return read_count(object, key->name, value, err);
    case KEY_COUNTS:
        return read_counts(arena, object, key, value, err);
    case KEY_SET:
        return read_set(object, key, value, err);
    case KEY_PERCENT:
        return read_percent(object, key->name, value, err);
    case KEY_TIME:
        return policy_read_time(arena, object, key->name, value, err);
    case KEY_LENGTHS:
        return read_lengths(arena, object, key, value, err);
    case KEY_CHOICES:
        return read_choices(arena, object, key, value, err);
    case KEY_NAMES:
        return policy_read_names(arena, object, key->name, value, err);
    case KEY_CHANNELS:
        return read_channels(arena, object, key->name, target->policy, value, err);
    case KEY_CLASSES:
        return read_class_names(arena, object, key->name, target->policy, value, err);
    case KEY_SECTION:
        return read_section(arena, object, key, target, err);
    case KEY_HOUR:
        return policy_read_hour(object, key->name, value, err);
    case KEY_DAYS:
        return policy_read_days(object, key->name, value, err);
    case KEY_WINDOWS:
        return policy_read_windows(arena, object, key->name, value, err);
    case KEY_CALENDARS:
        return policy_read_calendars(arena, object, key->name, target->policy, value, err);
    }
    return OUTCOME_OK;
}

/* What only the rule's kind has: its row says which keys there are. */
static enum outcome read_own(struct arena *arena, const struct json *object,
                             const struct contact_policy *policy, struct contact_rule *rule,
                             struct err *err)
{
    const struct rule_kind *kind = rule->kind;
    char *own = arena_calloc(arena, 1, kind->own_size + 1);
    if (kind->own_defaults)
        memcpy(own, kind->own_defaults, kind->own_size);
    struct rule_target target = {policy, rule, own};
    for (const struct rule_key *key = kind->keys; key && key->name; key++)
        CHECK(read_key(arena, object, key, &target, err));
    rule->own = own;
    const char *wrong = kind->check ? kind->check(rule) : NULL;
    return wrong ? json_fail(object, err, "%s", wrong) : OUTCOME_OK;
}

/* ---- one rule ---- */

/* A rule may have the keys of every rule and those of its kind. */
static enum outcome check_rule_keys(struct arena *arena, const struct json *object,
                                    const struct rule_kind *kind, struct err *err)
{
    struct strbuf required = {.arena = arena}, optional = {.arena = arena};
    strbuf_addf(&required, "id kind");
    strbuf_addf(&optional, "owner approver reason review channels classes tags on_fail");
    for (const struct rule_key *key = kind->keys; key && key->name; key++)
        strbuf_addf(key->is_required ? &required : &optional, " %s", key->name);
    return json_check_keys(object, required.ptr, optional.ptr, err);
}

static enum outcome read_id(const struct json *object, const struct contact_policy *policy,
                            struct contact_rule *rule, struct err *err)
{
    CHECK(json_text(object, "id", &rule->id, err));
    bool is_plain = rule->id.len > 0 && rule->id.len <= MAX_RULE_ID;
    for (size_t i = 0; is_plain && i < rule->id.len; i++)
        is_plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
                          rule->id.ptr[i]) != NULL;
    if (!is_plain)
        return json_fail(json_get(object, "id"), err, "expected 1 to %d letters, digits, _ - .",
                         MAX_RULE_ID);
    for (size_t i = 0; i < policy->rule_count; i++)
        if (span_equal(policy->rules[i].id, rule->id))
            return json_fail(json_get(object, "id"), err, "another rule has this id");
    return OUTCOME_OK;
}

static enum outcome check_texts(const struct json *object, struct err *err)
{
    static const char *const keys[] = {"approver", "reason", "review"};
    struct span ignored;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK(json_text(object, keys[i], &ignored, err));
    return OUTCOME_OK;
}

static bool names_classes(const struct contact_policy *policy, const struct contact_rule *rule)
{
    for (size_t i = 0; rule->classes.count == 0 && i < policy->class_count; i++)
        if (!policy->classes[i].obeys)
            return false;
    return true;
}

/* Whose place or number the kind limits; rule is the next one of the policy. */
static enum outcome check_place(const struct json *object, const struct contact_policy *policy,
                                const struct contact_rule *rule, struct err *err)
{
    const struct rule_kind *kind = rule->kind;
    size_t count = 1;
    for (size_t i = 0; i < policy->rule_count; i++)
        count += policy->rules[i].kind == kind;
    if (kind->most && count > kind->most)
        return json_fail(object, err, "at most %zu %ss", kind->most, kind->name);
    if (policy->rule_count > 0 && !kind->is_last && rule[-1].kind->is_last)
        return json_fail(object, err, "%s rules stand last", rule[-1].kind->name);
    return !kind->is_last || names_classes(policy, rule)
               ? OUTCOME_OK
               : json_fail(object, err,
                           "a %s needs \"classes\": without them it would refuse classes with "
                           "\"obeys\": false as well",
                           kind->name);
}

static enum outcome read_rule(struct arena *arena, const struct json *object, struct span owner,
                              struct contact_policy *policy, struct err *err)
{
    struct contact_rule *rule = &policy->rules[policy->rule_count];
    *rule = (struct contact_rule){.owner = owner, .gives_retry = true};
    if (json_shape(object) != SHAPE_OBJECT)
        return json_fail(object, err, "expected an object");
    CHECK(read_kind(object, &rule->kind, err));
    assert(rule->kind);
    CHECK(check_rule_keys(arena, object, rule->kind, err));
    CHECK(read_id(object, policy, rule, err));
    CHECK(json_text(object, "owner", &rule->owner, err));
    CHECK(check_texts(object, err));
    CHECK(read_channels(arena, object, "channels", policy, &rule->channels, err));
    CHECK(read_class_names(arena, object, "classes", policy, &rule->classes, err));
    CHECK(policy_read_names(arena, object, "tags", &rule->tags, err));
    CHECK(read_on_fail(object, rule, err));
    CHECK(read_own(arena, object, policy, rule, err));
    CHECK(check_place(object, policy, rule, err));
    if (rule->kind->declare)
        rule->kind->declare(rule, arena, policy);
    policy->rule_count++;
    return OUTCOME_OK;
}

/* ---- sections ---- */

static enum outcome read_classes(const struct json *root, struct contact_policy *policy,
                                 struct err *err)
{
    const struct json *classes = NULL;
    CHECK(json_section(root, "classes", &classes, err));
    if (json_count(classes) == 0 || json_count(classes) > CONTACT_MAX_CLASSES)
        return json_fail(classes ? classes : root, err, "1 to %d classes are needed",
                         CONTACT_MAX_CLASSES);
    for (size_t i = 0; i < json_count(classes); i++) {
        const struct json *entry = json_at(classes, i);
        struct contact_class *class = &policy->classes[i];
        CHECK(json_check_keys(entry, "", "obeys counts", err));
        *class = (struct contact_class){json_key(entry), true, true};
        CHECK(json_bool(entry, "obeys", &class->obeys, err));
        CHECK(json_bool(entry, "counts", &class->counts, err));
        policy->class_count = i + 1;
    }
    return OUTCOME_OK;
}

static enum outcome read_reservations(struct arena *arena, const struct json *root,
                                      struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    CHECK(json_section(root, "reservation", &section, err));
    policy->reservations = arena_array(arena, struct channel_reservation, json_count(section));
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *entry = json_at(section, i);
        struct duration length;
        CHECK(json_as_duration(entry, &length, err));
        if (length.us <= 0)
            return json_fail(entry, err, "must be longer than nothing");
        if (span_is(json_key(entry), "default")) {
            policy->reservation = length;
            continue;
        }
        struct span channel = json_key(entry);
        CHECK(policy_check_channel(entry, policy, &channel, err));
        for (size_t k = 0; k < policy->reservation_count; k++)
            if (span_equal(policy->reservations[k].channel, channel))
                return json_fail(entry, err, NAMED_ALREADY);
        policy->reservations[policy->reservation_count++] =
            (struct channel_reservation){channel, length};
    }
    return OUTCOME_OK;
}

static enum outcome read_sequence(const struct json *root, struct contact_policy *policy,
                                  struct err *err)
{
    const struct json *section = NULL;
    int64_t max = 5;
    policy->sequence_within = (struct duration){30 * US_PER_DAY};
    CHECK(json_section(root, "sequence", &section, err));
    if (section)
        CHECK(json_check_keys(section, "", "max within", err));
    CHECK(json_int(section, "max", 2, 20, &max, err));
    CHECK(json_duration(section, "within", &policy->sequence_within, err));
    policy->sequence_max = (int32_t)max;
    if (policy->sequence_within.us < US_PER_DAY || policy->sequence_within.us > 365 * US_PER_DAY)
        return json_fail(json_get(section, "within"), err, "P1D to P365D");
    return OUTCOME_OK;
}

/* Only a report asks for it: it is checked, and read by the views. */
static enum outcome check_pressure(const struct json *root, struct err *err)
{
    const struct json *section = NULL;
    int64_t over = 0;
    CHECK(json_section(root, "pressure", &section, err));
    if (section)
        CHECK(json_check_keys(section, "over", "", err));
    return json_int(section, "over", 1, 1000, &over, err);
}

static enum outcome read_needs_address(struct arena *arena, const struct json *root,
                                       struct contact_policy *policy, struct err *err)
{
    struct contact_names *names = &policy->needs_address;
    CHECK(policy_read_names(arena, root, "needs_address", names, err));
    for (size_t i = 0; i < names->count; i++)
        CHECK(policy_check_channel(json_at(json_get(root, "needs_address"), i), policy,
                                   &names->items[i], err));
    return OUTCOME_OK;
}

static enum outcome read_rules(struct arena *arena, const struct json *root, struct span owner,
                               struct contact_policy *policy, struct err *err)
{
    const struct json *rules = NULL;
    CHECK(json_list(root, "rules", &rules, err));
    if (json_count(rules) > CONTACT_MAX_RULES)
        return json_fail(rules, err, "at most %d rules", CONTACT_MAX_RULES);
    for (size_t i = 0; i < json_count(rules); i++)
        CHECK(read_rule(arena, json_at(rules, i), owner, policy, err));
    return OUTCOME_OK;
}

/* What a rule asks for has a meaning already. */
static enum outcome check_words_of_rules(const struct json *root,
                                         const struct contact_policy *policy, struct err *err)
{
    for (size_t i = 0; i < policy->words.count; i++)
        if (names_contain(&policy->purposes, policy->words.items[i].word) ||
            names_contain(&policy->topics, policy->words.items[i].word))
            return json_fail(json_at(json_get(root, "consent_words"), i), err,
                             "has a meaning already: a rule asks for this purpose or topic");
    return OUTCOME_OK;
}

enum outcome suppression_policy_take(struct arena *arena, const struct json *root,
                                     struct contact_policy *out, struct err *err)
{
    struct span owner = SPAN_NONE, time_zone;
    *out = (struct contact_policy){.reservation = {US_PER_DAY}, .keep_opt_outs = true};
    CHECK(json_check_keys(root, "classes rules",
                          "owner time_zone reservation consent channels unsubscribe_from "
                          "consent_words preference_center needs_address keep_opt_outs sequence "
                          "pressure zones calendars booking",
                          err));
    CHECK(json_text(root, "owner", &owner, err));
    CHECK(json_text(root, "time_zone", &time_zone, err));
    CHECK(read_classes(root, out, err));
    CHECK(policy_read_channels(arena, root, out, err));
    CHECK(policy_check_class_names(root, out, err));
    CHECK(policy_read_words(arena, root, out, err));
    CHECK(read_reservations(arena, root, out, err));
    CHECK(policy_read_consents(arena, root, out, err));
    CHECK(read_needs_address(arena, root, out, err));
    CHECK(read_sequence(root, out, err));
    CHECK(check_pressure(root, err));
    CHECK(policy_read_clocks(arena, root, out, err));
    CHECK(json_bool(root, "keep_opt_outs", &out->keep_opt_outs, err));
    CHECK(read_rules(arena, root, owner, out, err));
    CHECK(policy_check_zones(root, out, err));
    return check_words_of_rules(root, out, err);
}

enum outcome suppression_policy_read(struct arena *arena, const char *path,
                                     struct contact_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_read_file(arena, path, &root, err));
    return suppression_policy_take(arena, root, out, err);
}

enum outcome suppression_policy_parse(struct arena *arena, struct span text, const char *name,
                                      struct contact_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_parse_span(arena, text, name, &root, err));
    return suppression_policy_take(arena, root, out, err);
}
