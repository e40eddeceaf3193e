/* policy_words.c: the words of contact.json and what they mean: channels, words of consent, who may
 * say yes. */
#include "services/suppression/policy/policy_words.h"

#include "common/base/nearest.h"

enum outcome policy_unknown_name(const struct json *at, const char *what,
                                 const struct nearest *nearest, struct err *err)
{
    return json_fail(at, err, "unknown %s \"" SPAN_FMT "\", did you mean \"" SPAN_FMT "\"?", what,
                     SPAN_ARG(nearest->wanted), SPAN_ARG(nearest->name));
}

enum outcome policy_check_channel(const struct json *at, const struct contact_policy *policy,
                                  struct span *channel, struct err *err)
{
    struct nearest nearest = nearest_start(*channel, NEAREST_ANY);
    if (policy_channel(policy, *channel, channel))
        return OUTCOME_OK;
    for (size_t i = 0; channel_words[i]; i++)
        nearest_consider(&nearest, span_of(channel_words[i]));
    for (size_t i = 0; i < policy->channels.count; i++)
        nearest_consider(&nearest, policy->channels.items[i]);
    return policy_unknown_name(at, "channel", &nearest, err);
}

/* ---- lists of names ---- */

enum outcome policy_read_names(struct arena *arena, const struct json *object, const char *key,
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

/* ---- words of producers ---- */

enum outcome policy_fold_name(struct arena *arena, const struct json *at, struct span word,
                              struct span *folded, struct err *err)
{
    char *buffer = arena_alloc(arena, WORD_MAX);
    *folded = word_fold(word, buffer);
    return folded->len > 0 ? OUTCOME_OK
                           : json_fail(at, err, "expected a word of 1 to %d bytes", WORD_MAX);
}

enum outcome policy_read_channels(struct arena *arena, const struct json *root,
                                  struct contact_policy *policy, struct err *err)
{
    struct contact_names names = {0};
    struct span known;
    CHECK(policy_read_names(arena, root, "channels", &names, err));
    policy->channels.items = arena_array(arena, struct span, names.count);
    for (size_t i = 0; i < names.count; i++) {
        const struct json *at = json_at(json_get(root, "channels"), i);
        struct span *name = &policy->channels.items[i];
        CHECK(policy_fold_name(arena, at, names.items[i], name, err));
        if (word_is_all(*name) || memchr(name->ptr, ':', name->len))
            return json_fail(at, err, "a channel cannot have this name");
        if (policy_channel(policy, *name, &known))
            return json_fail(at, err, "is known already, as \"" SPAN_FMT "\"", SPAN_ARG(known));
        policy->channels.count++;
    }
    return OUTCOME_OK;
}

/* A customer must be able to say no to each class by its name. */
enum outcome policy_check_class_names(const struct json *root, const struct contact_policy *policy,
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
    CHECK(policy_fold_name(arena, at, word, &folded, err));
    const struct contact_class *class = may_class ? policy_class_named(policy, folded) : NULL;
    *out = consent_key_of(CONSENT_ALL, SPAN("all"));
    if (word_is_all(folded))
        return OUTCOME_OK;
    if (class && !policy_channel(policy, word, &word)) {
        *out = consent_key_of(CONSENT_CLASS, class->name);
        return OUTCOME_OK;
    }
    CHECK(policy_check_channel(at, policy, &word, err));
    *out = consent_key_of(CONSENT_CHANNEL, word);
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
        CHECK(policy_check_channel(entry, policy, &item.word, err));
        if (meaning_find(out, item.word))
            return json_fail(entry, err, NAMED_ALREADY);
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
        CHECK(policy_fold_name(arena, entry, json_key(entry), &item.word, err));
        if (word_is_all(item.word) || policy_channel(policy, item.word, &known) ||
            policy_class_named(policy, item.word))
            return json_fail(entry, err, "has a meaning already: it is a channel, a class or all");
        if (meaning_find(&policy->words, item.word))
            return json_fail(entry, err, NAMED_ALREADY);
        CHECK(read_keys_named(arena, entry, policy, true, &item, err));
        policy->words.items[policy->words.count++] = item;
    }
    return OUTCOME_OK;
}

enum outcome policy_read_words(struct arena *arena, const struct json *root,
                               struct contact_policy *policy, struct err *err)
{
    CHECK(read_unsubscribe_from(arena, root, policy, err));
    CHECK(read_consent_words(arena, root, policy, err));
    return policy_read_names(arena, root, "preference_center", &policy->preference_center, err);
}

/* ---- consent by channel ---- */

enum outcome policy_read_time(struct arena *arena, const struct json *object, const char *key,
                              struct instant *out, struct err *err)
{
    struct span text = SPAN_NONE;
    CHECK(json_text(object, key, &text, err));
    if (text.ptr == NULL)
        return OUTCOME_OK;
    if (text.len == 10)
        text = span_of(arena_printf(arena, SPAN_FMT "T00:00:00Z", SPAN_ARG(text)));
    return instant_parse(text, out) ? OUTCOME_OK
                                    : json_fail(json_get(object, key), err,
                                                "expected a date or a time, such as 2026-01-01");
}

/* A list names events; an object also sources and channels. */
static enum outcome read_proof(struct arena *arena, const struct json *entry,
                               const struct contact_policy *policy, struct consent_proof *out,
                               struct err *err)
{
    const struct json *value = json_get(entry, "confirmed_by");
    out->since = INSTANT_FIRST;
    out->is_wanted = value != NULL;
    CHECK(policy_read_time(arena, entry, "since", &out->since, err));
    if (value == NULL)
        return json_get(entry, "since") == NULL
                   ? OUTCOME_OK
                   : json_fail(entry, err, "since is for confirmed_by");
    if (json_shape(value) == SHAPE_LIST)
        return policy_read_names(arena, entry, "confirmed_by", &out->events, err);
    CHECK(json_check_keys(value, "", "sources events channels", err));
    if (json_count(value) == 0)
        return json_fail(value, err, "needs sources, events or channels");
    CHECK(policy_read_names(arena, value, "sources", &out->sources, err));
    CHECK(policy_read_names(arena, value, "events", &out->events, err));
    CHECK(policy_read_names(arena, value, "channels", &out->channels, err));
    for (size_t i = 0; i < out->channels.count; i++)
        CHECK(policy_check_channel(json_at(json_get(value, "channels"), i), policy,
                                   &out->channels.items[i], err));
    return OUTCOME_OK;
}

static enum outcome read_consent(struct arena *arena, const struct json *entry,
                                 const struct contact_policy *policy, struct channel_consent *out,
                                 struct err *err)
{
    int on_unknown = 1;
    CHECK(json_check_keys(entry, "", "on_unknown confirmed_by since", err));
    CHECK(json_choice(entry, "on_unknown", "allow|deny", &on_unknown, err));
    out->allow_unknown = on_unknown == 0;
    return read_proof(arena, entry, policy, &out->confirmed_by, err);
}

enum outcome policy_read_consents(struct arena *arena, const struct json *root,
                                  struct contact_policy *policy, struct err *err)
{
    const struct json *section = NULL;
    CHECK(json_section(root, "consent", &section, err));
    policy->consents = arena_array(arena, struct channel_consent, json_count(section));
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *entry = json_at(section, i);
        struct channel_consent item = {.channel = json_key(entry)};
        CHECK(read_consent(arena, entry, policy, &item, err));
        if (span_is(item.channel, "*")) {
            policy->consent = item;
            continue;
        }
        CHECK(policy_check_channel(entry, policy, &item.channel, err));
        for (size_t k = 0; k < policy->consent_count; k++)
            if (span_equal(policy->consents[k].channel, item.channel))
                return json_fail(entry, err, NAMED_ALREADY);
        policy->consents[policy->consent_count++] = item;
    }
    return OUTCOME_OK;
}
