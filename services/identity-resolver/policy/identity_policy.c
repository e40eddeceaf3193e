/* identity_policy.c: policies/identity.json -> struct identity_policy. */
#include "services/identity-resolver/policy/identity_policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/pack.h"
#include "common/codec/json.h"
#include "common/words/words.h"
#include "services/identity-resolver/policy/identity_blocked.h"

enum { MAX_COUNT = 1000000 };

static enum outcome read_count(const struct json *object, const char *key, int64_t min,
                               uint32_t *out, struct err *err)
{
    int64_t count = *out;
    CHECK(json_int(object, key, min, MAX_COUNT, &count, err));
    *out = (uint32_t)count;
    return OUTCOME_OK;
}

static enum outcome read_limit(const struct json *entry, struct identity_type *type,
                               struct err *err)
{
    const struct json *limit = NULL;
    CHECK(json_section(entry, "limit", &limit, err));
    if (limit == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(limit, "count", "window", err));
    CHECK(read_count(limit, "count", 1, &type->limit, err));
    CHECK(json_duration(limit, "window", &type->limit_window, err));
    if (json_get(limit, "window") && type->limit_window.us <= 0)
        return json_fail(json_get(limit, "window"), err, "expected a duration above 0");
    return OUTCOME_OK;
}

/* Commands take <type>:<value>. */
static bool is_type_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && !strchr("_.-", name.ptr[i]))
            return false;
    return name.len > 0;
}

/* One channel in any spelling; one that the product has no name for stays as it is, folded. */
static enum outcome add_channel(struct arena *arena, const struct json *entry, struct strbuf *out,
                                struct err *err)
{
    struct span word, folded;
    CHECK(json_as_text(entry, &word, err));
    folded = word_fold(word, arena_alloc(arena, WORD_MAX));
    if (folded.len == 0)
        return json_fail(entry, err, "expected a channel of 1 to %d bytes", WORD_MAX);
    const char *name = channel_named(folded);
    folded = name ? span_of(name) : folded;
    strbuf_addf(out, "%s" SPAN_FMT, out->len ? " " : "", SPAN_ARG(folded));
    return OUTCOME_OK;
}

static struct span usual_address_of(const struct identity_type *type)
{
    if (type->normaliser == NORMALISE_EMAIL || span_is(type->name, "email"))
        return SPAN("email");
    if (type->normaliser == NORMALISE_PHONE || span_is(type->name, "phone"))
        return SPAN("sms call_center whatsapp");
    return span_is(type->name, "device_id") ? SPAN("push") : SPAN("");
}

static enum outcome read_address_of(struct arena *arena, const struct json *entry,
                                    struct identity_type *type, struct err *err)
{
    const struct json *list = NULL;
    struct strbuf channels = {.arena = arena};
    CHECK(json_list(entry, "address_of", &list, err));
    type->address_of = usual_address_of(type);
    if (list == NULL)
        return OUTCOME_OK;
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(add_channel(arena, json_at(list, i), &channels, err));
    type->address_of = channels.len ? strbuf_span(&channels) : SPAN("");
    return OUTCOME_OK;
}

static enum outcome read_type(struct arena *arena, const struct json *entry,
                              struct identity_type *type, struct err *err)
{
    CHECK(json_check_keys(
        entry, "type rank",
        "unique links counts scope normalise match_hashed limit max_links address_of", err));
    int64_t rank = 0;
    int normaliser = NORMALISE_PLAIN, scope = 0;
    CHECK(json_text(entry, "type", &type->name, err));
    CHECK(json_int(entry, "rank", 1, 32767, &rank, err));
    CHECK(json_bool(entry, "unique", &type->is_unique, err));
    CHECK(json_bool(entry, "links", &type->links, err));
    CHECK(json_bool(entry, "counts", &type->counts, err));
    CHECK(json_choice(entry, "scope", "all|source", &scope, err));
    CHECK(json_bool(entry, "match_hashed", &type->match_hashed, err));
    CHECK(json_choice(entry, "normalise", "plain|email|phone", &normaliser, err));
    type->rank = (int16_t)rank;
    type->is_scoped = scope != 0;
    type->normaliser = (enum normaliser)normaliser;
    if (!is_type_name(type->name))
        return json_fail(json_get(entry, "type"), err,
                         "a type has a name of letters, digits, _ - and .");
    CHECK(read_address_of(arena, entry, type, err));
    return read_limit(entry, type, err);
}

static int type_compare(const void *a, const void *b)
{
    return ((const struct identity_type *)a)->rank - ((const struct identity_type *)b)->rank;
}

static enum outcome check_differs(const struct json *entry, const struct identity_type *type,
                                  const struct identity_type *other, struct err *err)
{
    if (span_equal(other->name, type->name))
        return json_fail(json_get(entry, "type"), err, "\"" SPAN_FMT "\" is given twice",
                         SPAN_ARG(type->name));
    if (other->rank == type->rank)
        return json_fail(json_get(entry, "rank"), err, "%d is the rank of \"" SPAN_FMT "\" already",
                         type->rank, SPAN_ARG(other->name));
    return OUTCOME_OK;
}

static enum outcome read_types(struct arena *arena, const struct json *list,
                               struct identity_policy *policy, struct err *err)
{
    if (json_count(list) == 0 || json_count(list) > IDENTITY_MAX_TYPES)
        return json_fail(list, err, "1 to %d types are needed", IDENTITY_MAX_TYPES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct identity_type *type = &policy->types[i];
        CHECK(read_type(arena, json_at(list, i), type, err));
        for (size_t j = 0; j < i; j++)
            CHECK(check_differs(json_at(list, i), type, &policy->types[j], err));
        policy->type_count = i + 1;
    }
    qsort(policy->types, policy->type_count, sizeof *policy->types, type_compare);
    return OUTCOME_OK;
}

/* Needs all types: max_links names the other ones. */
static enum outcome read_max_links(const struct json *list, struct identity_policy *policy,
                                   struct err *err)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *entry = json_at(list, i), *max_links = NULL;
        struct span name = SPAN_NONE;
        int16_t type = -1, other = -1;
        CHECK(json_text(entry, "type", &name, err));
        CHECK(json_section(entry, "max_links", &max_links, err));
        CHECK(identity_type_index(policy, entry, name, &type, err));
        for (size_t j = 0; j < json_count(max_links); j++) {
            const struct json *bound = json_at(max_links, j);
            int64_t count = 0;
            CHECK(identity_type_index(policy, bound, json_key(bound), &other, err));
            CHECK(json_as_int(bound, 1, MAX_COUNT, &count, err));
            policy->types[type].max_links[other] = (uint32_t)count;
        }
    }
    return OUTCOME_OK;
}

static enum outcome read_pair_types(const struct json *entry, const struct identity_policy *policy,
                                    int16_t types[2], struct err *err)
{
    const struct json *names = NULL;
    CHECK(json_list(entry, "types", &names, err));
    if (json_count(names) != 2)
        return json_fail(names, err, "a pair names two types");
    for (size_t i = 0; i < 2; i++) {
        struct span name;
        CHECK(json_as_text(json_at(names, i), &name, err));
        CHECK(identity_type_index(policy, json_at(names, i), name, &types[i], err));
    }
    return OUTCOME_OK;
}

/* is_given: the pairs that came before, in either order. */
static enum outcome read_pair(const struct json *entry,
                              bool is_given[IDENTITY_MAX_TYPES][IDENTITY_MAX_TYPES],
                              struct identity_policy *policy, struct err *err)
{
    int16_t types[2] = {-1, -1};
    struct identity_pair pair = {true, LINK_EXACT};
    int strength = 0;
    CHECK(json_check_keys(entry, "types", "links strength", err));
    CHECK(read_pair_types(entry, policy, types, err));
    CHECK(json_bool(entry, "links", &pair.may_link, err));
    CHECK(json_choice(entry, "strength", "exact|strong|weak", &strength, err));
    if (is_given[types[0]][types[1]])
        return json_fail(entry, err, "a pair is given once, in either order");
    is_given[types[0]][types[1]] = is_given[types[1]][types[0]] = true;
    for (size_t i = 0; i < 2 && pair.may_link; i++)
        if (!policy->types[types[i]].links)
            return json_fail(entry, err,
                             "\"" SPAN_FMT "\" links nothing: its type says \"links\": false",
                             SPAN_ARG(policy->types[types[i]].name));
    pair.strength = (enum link_strength)(LINK_EXACT + strength);
    policy->pairs[types[0]][types[1]] = policy->pairs[types[1]][types[0]] = pair;
    return OUTCOME_OK;
}

static enum outcome read_pairs(const struct json *list, struct identity_policy *policy,
                               struct err *err)
{
    bool is_given[IDENTITY_MAX_TYPES][IDENTITY_MAX_TYPES] = {{false}};
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_pair(json_at(list, i), is_given, policy, err));
    return OUTCOME_OK;
}

static enum outcome read_trust(const struct json *entry, struct identity_trust *out,
                               struct err *err)
{
    CHECK(json_check_keys(entry, "source", "topic", err));
    CHECK(json_text(entry, "source", &out->source, err));
    CHECK(json_text(entry, "topic", &out->topic, err));
    return out->source.len > 0
               ? OUTCOME_OK
               : json_fail(entry, err, "a source is the URI that its touchpoints have");
}

static enum outcome read_may_alias(struct arena *arena, const struct json *root,
                                   struct identity_policy *policy, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(root, "may_alias", &list, err));
    policy->may_alias = arena_array(arena, struct identity_trust, json_count(list));
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_trust(json_at(list, i), &policy->may_alias[policy->trust_count++], err));
    return OUTCOME_OK;
}

static enum outcome check_calling_code(const struct json *root, struct span code, struct err *err)
{
    for (size_t i = 0; i < code.len; i++)
        if (code.ptr[i] < '0' || code.ptr[i] > '9')
            return json_fail(json_get(root, "default_calling_code"), err,
                             "expected 1 to 3 digits such as \"49\"");
    if (code.len < 1 || code.len > 3)
        return json_fail(json_get(root, "default_calling_code"), err,
                         "expected 1 to 3 digits such as \"49\"");
    return OUTCOME_OK;
}

static enum outcome read_min_time(const struct json *root, struct instant *out, struct err *err)
{
    struct span day = SPAN_NONE;
    CHECK(json_text(root, "min_time", &day, err));
    if (day.ptr == NULL)
        return OUTCOME_OK;
    if (day.len != strlen("1971-01-01") || !instant_parse(day, out) || out->us < 0)
        return json_fail(json_get(root, "min_time"), err,
                         "expected a day from 1970-01-01 on, such as \"1971-01-01\"");
    return OUTCOME_OK;
}

static enum outcome read_root(struct arena *arena, const struct json *root,
                              struct identity_policy *out, struct err *err)
{
    const struct json *types = NULL, *blocked = NULL, *pairs = NULL;
    identity_policy_init(out);
    out->max_identifiers = 100;
    out->max_degree = 1000;
    CHECK(json_check_keys(root, "types",
                          "default_calling_code gmail_dots_and_plus blocked pairs max_identifiers "
                          "max_degree min_time may_alias",
                          err));
    CHECK(json_list(root, "types", &types, err));
    CHECK(read_types(arena, types, out, err));
    CHECK(read_max_links(types, out, err));
    CHECK(json_list(root, "pairs", &pairs, err));
    CHECK(read_pairs(pairs, out, err));
    CHECK(read_may_alias(arena, root, out, err));
    CHECK(json_section(root, "blocked", &blocked, err));
    CHECK(identity_blocked_read(arena, blocked, out, err));
    CHECK(json_text(root, "default_calling_code", &out->calling_code, err));
    CHECK(check_calling_code(root, out->calling_code, err));
    CHECK(json_bool(root, "gmail_dots_and_plus", &out->gmail_dots_and_plus, err));
    CHECK(read_min_time(root, &out->min_time, err));
    CHECK(read_count(root, "max_identifiers", 2, &out->max_identifiers, err));
    return read_count(root, "max_degree", 1, &out->max_degree, err);
}

enum outcome identity_policy_read(struct arena *arena, const char *path,
                                  struct identity_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_read_file(arena, path, &root, err));
    return read_root(arena, root, out, err);
}

enum outcome identity_policy_read_text(struct arena *arena, struct span text, const char *path,
                                       struct identity_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_parse_file(arena, text, path, &root, err));
    return read_root(arena, root, out, err);
}

enum outcome identity_policy_parse(struct arena *arena, struct span text, const char *name,
                                   struct identity_policy *out, struct err *err)
{
    const struct json *root;
    CHECK(json_parse_span(arena, text, name, &root, err));
    return read_root(arena, root, out, err);
}

struct span identity_policy_anchor_rules(struct arena *arena, const struct identity_policy *policy)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < policy->type_count; i++)
        strbuf_addf(&text, SPAN_FMT ":%d:%d%s%s ", SPAN_ARG(policy->types[i].name),
                    policy->types[i].rank, (int)policy->types[i].normaliser,
                    policy->types[i].match_hashed ? ":hashed" : "",
                    policy->types[i].is_scoped ? ":source" : "");
    strbuf_addf(&text, "calling_code:" SPAN_FMT " gmail:%d", SPAN_ARG(policy->calling_code),
                policy->gmail_dots_and_plus);
    return strbuf_span(&text);
}
