/* suppression_policy.c: policies/contact.json -> struct contact_policy. */
#include "services/suppression/policy/suppression_policy.h"

#include <assert.h>

#include "common/base/nearest.h"
#include "common/base/pack.h"
#include "common/codec/json.h"
#include "common/words/words.h"
#include "services/suppression/logic/rules.h"

enum { MAX_RULE_ID = 64 };

/* ---- names with a list ---- */

static enum outcome unknown_name(const struct json *at, const char *what,
                                 const struct nearest *nearest, struct err *err)
{
    return json_fail(at, err, "unknown %s \"" SPAN_FMT "\", did you mean \"" SPAN_FMT "\"?", what,
                     SPAN_ARG(nearest->wanted), SPAN_ARG(nearest->name));
}

/* In any spelling that is understood of producers; *channel becomes its name. */
static enum outcome check_channel(const struct json *at, const struct contact_policy *policy,
                                  struct span *channel, struct err *err)
{
    struct nearest nearest = nearest_start(*channel, NEAREST_ANY);
    if (policy_channel(policy, *channel, channel))
        return OUTCOME_OK;
    for (size_t i = 0; channel_words[i]; i++)
        nearest_consider(&nearest, span_of(channel_words[i]));
    for (size_t i = 0; i < policy->channels.count; i++)
        nearest_consider(&nearest, policy->channels.items[i]);
    return unknown_name(at, "channel", &nearest, err);
}

static enum outcome check_class(const struct json *at, const struct contact_policy *policy,
                                struct span class, struct err *err)
{
    struct nearest nearest = nearest_start(class, NEAREST_ANY);
    if (policy_class(policy, class))
        return OUTCOME_OK;
    for (size_t i = 0; i < policy->class_count; i++)
        nearest_consider(&nearest, policy->classes[i].name);
    return unknown_name(at, "class", &nearest, err);
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
    return unknown_name(json_get(rule, "kind"), "kind of rule", &nearest, err);
}

/* ---- parts of a rule ---- */

static enum outcome read_names(struct arena *arena, const struct json *object, const char *key,
                               struct contact_names *out, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, key, &list, err));
    if (list && json_count(list) == 0)
        return json_fail(list, err, "an empty list would never match; leave it out");
    out->items = arena_array(arena, struct span, json_count(list));
    for (out->count = 0; out->count < json_count(list); out->count++)
        CHECK(json_as_text(json_at(list, out->count), &out->items[out->count], err));
    return OUTCOME_OK;
}

/* "*" is the same as leaving it out. */
static enum outcome read_channels(struct arena *arena, const struct json *object,
                                  const struct contact_policy *policy, struct contact_rule *rule,
                                  struct err *err)
{
    const struct json *value = json_get(object, "channels");
    struct span text = SPAN_NONE;
    if (value && json_shape(value) == SHAPE_TEXT) {
        CHECK(json_as_text(value, &text, err));
        return span_is(text, "*") ? OUTCOME_OK
                                  : json_fail(value, err, "expected \"*\" or a list of channels");
    }
    CHECK(read_names(arena, object, "channels", &rule->channels, err));
    for (size_t i = 0; i < rule->channels.count; i++)
        CHECK(check_channel(json_at(value, i), policy, &rule->channels.items[i], err));
    return OUTCOME_OK;
}

static enum outcome read_classes_of_rule(struct arena *arena, const struct json *object,
                                         const struct contact_policy *policy,
                                         struct contact_rule *rule, struct err *err)
{
    CHECK(read_names(arena, object, "classes", &rule->classes, err));
    for (size_t i = 0; i < rule->classes.count; i++)
        CHECK(check_class(json_at(json_get(object, "classes"), i), policy, rule->classes.items[i],
                          err));
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

static enum outcome read_retry(const struct json *object, const char *key,
                               struct contact_rule *rule, struct err *err)
{
    int choice = 1;
    CHECK(json_choice(object, key, "drop|defer", &choice, err));
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

static enum outcome read_key(struct arena *arena, const struct json *object,
                             const struct rule_key *key, struct contact_rule *rule, char *own,
                             struct err *err)
{
    void *value = own + key->offset;
    switch (key->type) {
    case KEY_EVENTS:
    case KEY_SIGNALS:
        return read_triggers(arena, object, key->name, key->type == KEY_SIGNALS, rule, err);
    case KEY_UNTIL:
        return read_names(arena, object, key->name, &rule->until, err);
    case KEY_RETRY:
        return read_retry(object, key->name, rule, err);
    case KEY_DURATION:
        return read_length(object, key, value, err);
    case KEY_CHOICE:
        return json_choice(object, key->name, key->words, value, err);
    case KEY_COUNT:
        return read_count(object, key->name, value, err);
    case KEY_COUNTS:
        return read_counts(arena, object, key, value, err);
    }
    return OUTCOME_OK;
}

/* What only the rule's kind has: its row says which keys there are. */
static enum outcome read_own(struct arena *arena, const struct json *object,
                             struct contact_rule *rule, struct err *err)
{
    const struct rule_kind *kind = rule->kind;
    char *own = arena_calloc(arena, 1, kind->own_size + 1);
    if (kind->own_defaults)
        memcpy(own, kind->own_defaults, kind->own_size);
    for (const struct rule_key *key = kind->keys; key && key->name; key++)
        CHECK(read_key(arena, object, key, rule, own, err));
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
    strbuf_addf(&optional, "owner approver reason review channels classes tags");
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
    CHECK(read_channels(arena, object, policy, rule, err));
    CHECK(read_classes_of_rule(arena, object, policy, rule, err));
    CHECK(read_names(arena, object, "tags", &rule->tags, err));
    CHECK(read_own(arena, object, rule, err));
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
        CHECK(check_channel(entry, policy, &channel, err));
        policy->reservations[policy->reservation_count++] =
            (struct channel_reservation){channel, length};
    }
    return OUTCOME_OK;
}

static enum outcome read_consents(struct arena *arena, const struct json *root,
                                  struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    CHECK(json_section(root, "consent", &section, err));
    policy->consents = arena_array(arena, struct channel_consent, json_count(section));
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *entry = json_at(section, i);
        int on_unknown = 1;
        CHECK(json_check_keys(entry, "on_unknown", "", err));
        CHECK(json_choice(entry, "on_unknown", "allow|deny", &on_unknown, err));
        if (span_is(json_key(entry), "*")) {
            policy->allow_unknown = on_unknown == 0;
            continue;
        }
        struct span channel = json_key(entry);
        CHECK(check_channel(entry, policy, &channel, err));
        policy->consents[policy->consent_count++] =
            (struct channel_consent){channel, on_unknown == 0};
    }
    return OUTCOME_OK;
}

/* -------------------------------------------------------------------------------------------------
 * words of producers */

static enum outcome fold_name(struct arena *arena, const struct json *at, struct span word,
                              struct span *folded, struct err *err)
{
    char *buffer = arena_alloc(arena, WORD_MAX);
    *folded = word_fold(word, buffer);
    return folded->len > 0 ? OUTCOME_OK
                           : json_fail(at, err, "expected a word of 1 to %d bytes", WORD_MAX);
}

static enum outcome read_declared(struct arena *arena, const struct json *root,
                                  struct contact_policy *policy, struct err *err)
{
    struct contact_names names = {0};
    struct span known;
    CHECK(read_names(arena, root, "channels", &names, err));
    policy->channels.items = arena_array(arena, struct span, names.count);
    for (size_t i = 0; i < names.count; i++) {
        const struct json *at = json_at(json_get(root, "channels"), i);
        struct span *name = &policy->channels.items[i];
        CHECK(fold_name(arena, at, names.items[i], name, err));
        if (word_is_all(*name) || memchr(name->ptr, ':', name->len))
            return json_fail(at, err, "a channel cannot have this name");
        if (policy_channel(policy, *name, &known))
            return json_fail(at, err, "is known already, as \"" SPAN_FMT "\"", SPAN_ARG(known));
        policy->channels.count++;
    }
    return OUTCOME_OK;
}

/* A customer must be able to say no to each class by its name. */
static enum outcome check_class_names(const struct json *root, const struct contact_policy *policy,
                                      struct err *err)
{
    char buffer[WORD_MAX];
    struct span channel;
    for (size_t i = 0; i < policy->class_count; i++) {
        const struct json *at = json_at(json_get(root, "classes"), i);
        struct span folded = word_fold(policy->classes[i].name, buffer);
        if (word_is_all(folded) || policy_channel(policy, folded, &channel) ||
            policy_class_named(policy, folded) != &policy->classes[i])
            return json_fail(at, err, "a word of consent with this name means something else");
    }
    return OUTCOME_OK;
}

/* A channel, "all", or, where may_class, a class. */
static enum outcome read_key_named(struct arena *arena, const struct json *at,
                                   const struct contact_policy *policy, bool may_class,
                                   struct consent_key *out, struct err *err)
{
    struct span word = SPAN_NONE, folded;
    CHECK(json_as_text(at, &word, err));
    CHECK(fold_name(arena, at, word, &folded, err));
    const struct contact_class *class = may_class ? policy_class_named(policy, folded) : NULL;
    *out = (struct consent_key){CONSENT_ALL, SPAN("all")};
    if (word_is_all(folded))
        return OUTCOME_OK;
    if (class && !policy_channel(policy, word, &word)) {
        *out = (struct consent_key){CONSENT_CLASS, class->name};
        return OUTCOME_OK;
    }
    CHECK(check_channel(at, policy, &word, err));
    *out = (struct consent_key){CONSENT_CHANNEL, word};
    return OUTCOME_OK;
}

static enum outcome read_keys_named(struct arena *arena, const struct json *value,
                                    const struct contact_policy *policy, bool may_class,
                                    struct consent_meaning *out, struct err *err)
{
    bool is_list = json_shape(value) == SHAPE_LIST;
    size_t count = is_list ? json_count(value) : 1;
    struct consent_key *keys = arena_array(arena, struct consent_key, count);
    for (size_t i = 0; i < count; i++)
        CHECK(read_key_named(arena, is_list ? json_at(value, i) : value, policy, may_class,
                             &keys[i], err));
    out->keys = keys;
    out->count = count;
    return OUTCOME_OK;
}

static enum outcome read_unsubscribe_from(struct arena *arena, const struct json *root,
                                          struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    struct consent_meanings *out = &policy->unsubscribe_from;
    CHECK(json_section(root, "unsubscribe_from", &section, err));
    out->items = arena_array(arena, struct consent_meaning, json_count(section));
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *entry = json_at(section, i);
        struct consent_meaning item = {json_key(entry), NULL, 0};
        CHECK(check_channel(entry, policy, &item.word, err));
        if (meaning_find(out, item.word))
            return json_fail(entry, err, "is named already, in another spelling");
        CHECK(read_keys_named(arena, entry, policy, false, &item, err));
        if (item.count == 0)
            return json_fail(entry, err, "needs at least one channel");
        out->items[out->count++] = item;
    }
    return OUTCOME_OK;
}

static enum outcome read_consent_words(struct arena *arena, const struct json *root,
                                       struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    struct span known;
    CHECK(json_section(root, "consent_words", &section, err));
    policy->words.items = arena_array(arena, struct consent_meaning, json_count(section));
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *entry = json_at(section, i);
        struct consent_meaning item = {SPAN_NONE, NULL, 0};
        CHECK(fold_name(arena, entry, json_key(entry), &item.word, err));
        if (word_is_all(item.word) || policy_channel(policy, item.word, &known) ||
            policy_class_named(policy, item.word))
            return json_fail(entry, err, "has a meaning already: it is a channel, a class or all");
        if (meaning_find(&policy->words, item.word))
            return json_fail(entry, err, "is named already, in another spelling");
        CHECK(read_keys_named(arena, entry, policy, true, &item, err));
        policy->words.items[policy->words.count++] = item;
    }
    return OUTCOME_OK;
}

static enum outcome read_words(struct arena *arena, const struct json *root,
                               struct contact_policy *policy, struct err *err)
{
    CHECK(read_unsubscribe_from(arena, root, policy, err));
    CHECK(read_consent_words(arena, root, policy, err));
    return read_names(arena, root, "preference_center", &policy->preference_center, err);
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

static enum outcome read_policy(struct arena *arena, const struct json *root,
                                struct contact_policy *out, struct err *err)
{
    struct span owner = SPAN_NONE, time_zone;
    *out = (struct contact_policy){.reservation = {US_PER_DAY}};
    CHECK(json_check_keys(root, "classes rules",
                          "owner time_zone reservation consent channels unsubscribe_from "
                          "consent_words preference_center",
                          err));
    CHECK(json_text(root, "owner", &owner, err));
    CHECK(json_text(root, "time_zone", &time_zone, err));
    CHECK(read_classes(root, out, err));
    CHECK(read_declared(arena, root, out, err));
    CHECK(check_class_names(root, out, err));
    CHECK(read_words(arena, root, out, err));
    CHECK(read_reservations(arena, root, out, err));
    CHECK(read_consents(arena, root, out, err));
    return read_rules(arena, root, owner, out, err);
}

enum outcome suppression_policy_read(struct arena *arena, const char *path,
                                     struct contact_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_read_file(arena, path, &root, err));
    return read_policy(arena, root, out, err);
}

enum outcome suppression_policy_parse(struct arena *arena, struct span text, const char *name,
                                      struct contact_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_parse_span(arena, text, name, &root, err));
    return read_policy(arena, root, out, err);
}
