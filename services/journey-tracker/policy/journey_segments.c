/* journey_segments.c: one function per atom of a condition; each names the keys that it takes. */
#include "services/journey-tracker/policy/journey_segments.h"

#include <math.h>

#include "common/base/nearest.h"
#include "services/journey-tracker/logic/trait.h"
#include "services/journey-tracker/policy/journey_filter.h"

#define STATUSES "active|at_risk|lapsed|won_back"
#define FOREVER  ((struct duration){INT64_MAX})

enum { HOUR = 3600, WINDOW_DAYS_MAX = 730, ID_MAX = 64 };

struct reader {
    struct arena *arena;
    struct journey_policy *policy;
    struct segment_rules *rules; /* of policy */
    struct segment *segment;
};

/* ---- parts ---- */

static enum outcome read_filter(const struct reader *r, const struct json *atom, const char *key,
                                uint8_t *out, struct err *err)
{
    const struct json *object = json_get(atom, key);
    struct touch_filter filter;
    CHECK(journey_filter_read(r->arena, object, &filter, err));
    return json_placed(object, journey_policy_filter(r->policy, &filter, out, err), err);
}

static enum outcome check_window(const struct json *value, struct duration window, struct err *err)
{
    if (window.us < HOUR * US_PER_SECOND || window.us > WINDOW_DAYS_MAX * US_PER_DAY)
        return json_fail(value, err, "expected PT1H to P%dD", WINDOW_DAYS_MAX);
    return OUTCOME_OK;
}

/* Without the key: ever, 0. */
static enum outcome read_within(const struct json *atom, struct duration *out, struct err *err)
{
    CHECK(json_duration(atom, "within", out, err));
    return json_get(atom, "within") ? check_window(json_get(atom, "within"), *out, err)
                                    : OUTCOME_OK;
}

/* Exactly one of two keys; *is_second tells which. */
static enum outcome one_of(const struct json *object, const char *first, const char *second,
                           bool *is_second, struct err *err)
{
    *is_second = json_get(object, second) != NULL;
    if ((json_get(object, first) != NULL) == *is_second)
        return json_fail(object, err, "expected one of \"%s\" and \"%s\"", first, second);
    return OUTCOME_OK;
}

/* ---- atoms ---- */
static enum outcome read_did(const struct reader *r, const struct json *object,
                             struct segment_atom *atom, struct err *err)
{
    int64_t number = 1;
    struct segment_slot slot = {.kind = SLOT_COUNT};
    CHECK(json_check_keys(object, "did", "at_least at_most within", err));
    CHECK(read_filter(r, object, "did", &slot.filter, err));
    atom->is_most = json_get(object, "at_most") != NULL;
    if (atom->is_most && json_get(object, "at_least"))
        return json_fail(object, err, "both \"at_least\" and \"at_most\": use two atoms");
    CHECK(json_int(object, "at_least", 1, SEGMENT_TIMES_MAX, &number, err));
    CHECK(json_int(object, "at_most", 0, SEGMENT_TIMES_MAX - 1, &number, err));
    CHECK(read_within(object, &atom->within, err));
    atom->kind = ATOM_DID;
    atom->bound = atom->is_most ? number + 1 : number;
    if (atom->within.us == 0)
        slot.ever = (uint8_t)atom->bound;
    else
        slot.times = (uint8_t)atom->bound;
    slot.longest = atom->within;
    return segment_rules_slot(r->rules, &slot, &atom->slot, err);
}

static enum outcome read_days(const struct json *object, int32_t *days, struct err *err)
{
    const struct json *value = json_get(object, "within");
    struct duration window = {0};
    if (value == NULL)
        return json_fail(object, err,
                         "\"spent\" needs \"within\": a sum without end is no condition, because a "
                         "late order would change all that follows");
    CHECK(read_within(object, &window, err));
    if (window.us % US_PER_DAY != 0)
        return json_fail(value, err, "whole days, because sums are kept by reporting day");
    *days = (int32_t)(window.us / US_PER_DAY);
    return OUTCOME_OK;
}

static enum outcome read_spent(const struct reader *r, const struct json *object,
                               struct segment_atom *atom, struct err *err)
{
    int measure = 0;
    struct segment_slot slot = {.kind = SLOT_LEDGER};
    CHECK(read_days(object, &atom->days, err));
    CHECK(json_check_keys(object, "spent measure currency within", "at_least below", err));
    CHECK(read_filter(r, object, "spent", &slot.filter, err));
    CHECK(json_choice(object, "measure", "value|margin|cost", &measure, err));
    struct span sent = SPAN_NONE;
    CHECK(json_text(object, "currency", &sent, err));
    slot.currency = currency_of(sent, r->arena);
    if (slot.currency.ptr == NULL)
        return json_fail(json_get(object, "currency"), err,
                         "expected the three letters of a currency, such as EUR");
    CHECK(one_of(object, "at_least", "below", &atom->is_most, err));
    CHECK(json_amount(object, atom->is_most ? "below" : "at_least", &atom->bound, err));
    atom->kind = ATOM_SPENT;
    slot.measure = (enum segment_measure)measure;
    slot.days = atom->days;
    return segment_rules_slot(r->rules, &slot, &atom->slot, err);
}

static enum outcome read_open(const struct reader *r, const struct json *object,
                              struct segment_atom *atom, struct err *err)
{
    struct segment_slot slot = {.kind = SLOT_OPEN};
    CHECK(json_check_keys(object, "open until", "within", err));
    CHECK(read_filter(r, object, "open", &slot.filter, err));
    CHECK(read_filter(r, object, "until", &slot.until, err));
    CHECK(read_within(object, &atom->within, err));
    atom->kind = ATOM_OPEN;
    slot.longest = atom->within.us ? atom->within : FOREVER;
    return segment_rules_slot(r->rules, &slot, &atom->slot, err);
}

static enum outcome read_last_score(const struct reader *r, const struct json *object,
                                    struct segment_atom *atom, struct err *err)
{
    const struct json *score = NULL;
    struct segment_slot slot = {.kind = SLOT_SCORE};
    CHECK(json_check_keys(object, "last_score", "within", err));
    CHECK(json_section(object, "last_score", &score, err));
    CHECK(json_check_keys(score, "", "at_least at_most kind", err));
    CHECK(one_of(score, "at_least", "at_most", &atom->is_most, err));
    CHECK(json_int(score, atom->is_most ? "at_most" : "at_least", -100, 100, &atom->bound, err));
    CHECK(json_text(score, "kind", &slot.score_kind, err));
    CHECK(read_within(object, &atom->within, err));
    atom->kind = ATOM_SCORE;
    slot.longest = atom->within.us ? atom->within : FOREVER;
    return segment_rules_slot(r->rules, &slot, &atom->slot, err);
}

/* Places of a list, or of one word, as bits. */
static enum outcome read_words(const struct json *value, const char *choices, uint32_t *out,
                               struct err *err)
{
    bool is_list = json_shape(value) == SHAPE_LIST;
    size_t n = is_list ? json_count(value) : 1;
    if (n == 0)
        return json_fail(value, err, "expected at least one of %s", choices);
    for (size_t i = 0; i < n; i++) {
        int place = 0;
        CHECK(json_as_choice(is_list ? json_at(value, i) : value, choices, &place, err));
        *out |= UINT32_C(2) << place;
    }
    return OUTCOME_OK;
}

static enum outcome read_place(const struct json *object, const char *key,
                               struct segment_atom *atom, struct err *err)
{
    const struct json *value = json_get(object, key);
    bool is_status = strcmp(key, "status") == 0, is_from = strcmp(key, "stage_at_least") == 0;
    CHECK(json_check_keys(object, key, "", err));
    if ((json_shape(value) == SHAPE_LIST) == is_from)
        return json_fail(value, err, is_from ? "expected one stage" : "expected a list");
    CHECK(read_words(value, is_status ? STATUSES : WORD_CHOICES(WORDS_STAGES), &atom->places, err));
    atom->kind = is_status ? ATOM_STATUS : ATOM_STAGE;
    if (is_from)
        atom->places = ~(atom->places - 1);
    return OUTCOME_OK;
}

static enum outcome read_new(const struct json *object, struct segment_atom *atom, struct err *err)
{
    CHECK(json_check_keys(object, "new_within", "", err));
    CHECK(json_duration(object, "new_within", &atom->within, err));
    atom->kind = ATOM_NEW;
    return check_window(json_get(object, "new_within"), atom->within, err);
}

/* ---- traits ---- */
static enum outcome find_trait(const struct reader *r, const struct json *value, uint8_t *out,
                               struct err *err)
{
    struct span name = SPAN_NONE;
    CHECK(json_as_text(value, &name, err));
    struct nearest nearest = nearest_start(name, NEAREST_ANY);
    for (uint32_t i = 0; i < r->policy->trait_count; i++) {
        *out = (uint8_t)i;
        if (span_equal(r->policy->traits[i].name, name))
            return OUTCOME_OK;
        nearest_consider(&nearest, r->policy->traits[i].name);
    }
    return json_fail_nearest(
        value, &nearest,
        arena_printf(r->arena, "trait \"" SPAN_FMT "\" is not in traits.json", SPAN_ARG(name)),
        err);
}

static enum outcome not_of_type(const struct json *value, const struct journey_trait *trait,
                                struct err *err)
{
    static const char *const types[] = {[TRAIT_TEXT] = "a text",
                                        [TRAIT_NUMBER] = "a number",
                                        [TRAIT_BOOLEAN] = "true or false",
                                        [TRAIT_DATE] = "a date such as 2024-02-29"};
    return json_fail(value, err, "trait \"" SPAN_FMT "\" is %s", SPAN_ARG(trait->name),
                     types[trait->type]);
}

enum { MILLION = 1000000 };

/* A number with at most six decimals, in micro-units. */
static bool number_of(const struct json *value, int64_t *out)
{
    struct err ignored;
    double real = 0;
    int64_t number = 0;
    if (json_as_int(value, INT64_MIN, INT64_MAX, &number, &ignored) == OUTCOME_OK)
        return !__builtin_mul_overflow(number, MILLION, out);
    if (json_as_real(value, &real, &ignored) != OUTCOME_OK)
        return false;
    double scaled = real * MILLION, whole = floor(scaled + 0.5);
    *out = fabs(whole) < 9e15 ? (int64_t)whole : 0;
    return fabs(whole) < 9e15 && fabs(scaled - whole) <= fabs(scaled) * 1e-12;
}

/* Of a text nothing but its type is looked at. */
static bool is_of_type(const struct json *value, const struct journey_trait *trait, int64_t *out)
{
    struct err ignored;
    struct span text = SPAN_NONE;
    bool truth = false, is_text = json_as_text(value, &text, &ignored) == OUTCOME_OK;
    if (trait->type == TRAIT_TEXT)
        return is_text && span_trim(text).len > 0;
    if (trait->type == TRAIT_DATE)
        return is_text && trait_day(text, out);
    if (trait->type == TRAIT_NUMBER)
        return number_of(value, out);
    bool is_truth = json_as_bool(value, &truth, &ignored) == OUTCOME_OK;
    *out = truth;
    return is_truth;
}

/* A text is compared by its place among those that atoms name. */
static int64_t text_place(const struct reader *r, uint8_t slot, struct span text)
{
    struct span_list *named = &r->rules->slots[slot].named;
    for (size_t i = 0; i < named->count; i++)
        if (span_equal(named->items[i], text))
            return (int64_t)i + 1;
    *arena_push(r->arena, named) = text;
    return (int64_t)named->count;
}

static enum outcome read_value(const struct reader *r, const struct json *value,
                               const struct segment_atom *atom, int64_t *out, struct err *err)
{
    const struct journey_trait *trait = &r->policy->traits[r->rules->slots[atom->slot].trait];
    struct span text = SPAN_NONE;
    if (!is_of_type(value, trait, out))
        return not_of_type(value, trait, err);
    if (trait->type != TRAIT_TEXT)
        return OUTCOME_OK;
    CHECK(json_as_text(value, &text, err));
    *out = text_place(r, atom->slot, span_trim(text));
    return OUTCOME_OK;
}

static enum outcome read_values(const struct reader *r, const struct json *list,
                                struct segment_atom *atom, struct err *err)
{
    if (json_shape(list) != SHAPE_LIST || json_count(list) == 0 ||
        json_count(list) > SEGMENT_LIST_MAX)
        return json_fail(list, err, "expected a list of 1 to %d values", SEGMENT_LIST_MAX);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_value(r, json_at(list, i), atom, &atom->values[atom->value_count++], err));
    return OUTCOME_OK;
}

static enum outcome read_bound(const struct reader *r, const struct json *value,
                               struct segment_atom *atom, struct err *err)
{
    const struct journey_trait *trait = &r->policy->traits[r->rules->slots[atom->slot].trait];
    if (trait->type == TRAIT_TEXT || trait->type == TRAIT_BOOLEAN)
        return json_fail(value, err, "trait \"" SPAN_FMT "\" is a %s: it has no order",
                         SPAN_ARG(trait->name), trait->type == TRAIT_TEXT ? "text" : "boolean");
    return read_value(r, value, atom, &atom->bound, err);
}

static enum outcome read_trait(const struct reader *r, const struct json *object,
                               struct segment_atom *atom, struct err *err)
{
    struct segment_slot slot = {.kind = SLOT_TRAIT};
    bool is_known = true;
    CHECK(json_check_keys(object, "trait", "is in at_least at_most known", err));
    if (json_count(object) != 2)
        return json_fail(object, err, "expected one of is, in, at_least, at_most, known");
    CHECK(find_trait(r, json_get(object, "trait"), &slot.trait, err));
    CHECK(segment_rules_slot(r->rules, &slot, &atom->slot, err));
    atom->kind = ATOM_TRAIT;
    if (json_get(object, "is")) {
        atom->value_count = 1;
        return read_value(r, json_get(object, "is"), atom, &atom->values[0], err);
    }
    if (json_get(object, "in"))
        return read_values(r, json_get(object, "in"), atom, err);
    if (json_get(object, "at_least") || json_get(object, "at_most")) {
        const char *key = json_get(object, "at_least") ? "at_least" : "at_most";
        atom->test = json_get(object, "at_least") ? TRAIT_AT_LEAST : TRAIT_AT_MOST;
        return read_bound(r, json_get(object, key), atom, err);
    }
    atom->test = TRAIT_IS_KNOWN;
    CHECK(json_bool(object, "known", &is_known, err));
    return is_known ? OUTCOME_OK
                    : json_fail(json_get(object, "known"), err,
                                "expected true: for the opposite use \"not\"");
}

/* ---- conditions ---- */
static const char *const kinds[] = {"all",    "any",        "not",        "did",   "spent",
                                    "open",   "trait",      "last_score", "stage", "stage_at_least",
                                    "status", "new_within", "segment"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *kind_of(const struct json *condition, int *count)
{
    const char *found = NULL;
    *count = 0;
    for (int i = 0; i < KINDS; i++)
        if (json_get(condition, kinds[i])) {
            found = kinds[i];
            (*count)++;
        }
    return found;
}

static enum outcome no_kind(const struct json *condition, struct err *err)
{
    const struct json *member = json_at(condition, 0);
    struct nearest nearest = nearest_start(member ? json_key(member) : SPAN(""), 3);
    for (int i = 0; i < KINDS; i++)
        nearest_consider(&nearest, span_of(kinds[i]));
    return json_fail_nearest(member ? member : condition, &nearest,
                             "expected exactly one of all, any, not, did, spent, open, trait, "
                             "last_score, stage, stage_at_least, status, new_within, segment",
                             err);
}

static void push_node(const struct reader *r, enum segment_node_kind kind, size_t value)
{
    *arena_push(r->arena, &r->segment->when) = (struct segment_node){(uint8_t)kind, (uint8_t)value};
}

static enum outcome read_atom(const struct reader *r, const struct json *object, const char *kind,
                              struct err *err)
{
    struct segment_atom atom = {0};
    uint8_t position = 0;
    enum outcome outcome = strcmp(kind, "did") == 0     ? read_did(r, object, &atom, err)
                           : strcmp(kind, "spent") == 0 ? read_spent(r, object, &atom, err)
                           : strcmp(kind, "open") == 0  ? read_open(r, object, &atom, err)
                           : strcmp(kind, "trait") == 0 ? read_trait(r, object, &atom, err)
                           : strcmp(kind, "last_score") == 0
                               ? read_last_score(r, object, &atom, err)
                           : strcmp(kind, "new_within") == 0 ? read_new(object, &atom, err)
                                                             : read_place(object, kind, &atom, err);
    CHECK(outcome);
    CHECK(json_placed(object, segment_rules_atom(r->rules, &atom, &position, err), err));
    push_node(r, NODE_ATOM, position);
    return OUTCOME_OK;
}

/* The position of a segment that was read; else the error says what is wrong with it. */
static enum outcome find_segment(const struct reader *r, const struct json *value,
                                 const char *wrong, uint32_t *out, struct err *err)
{
    struct span id = SPAN_NONE;
    CHECK(json_as_text(value, &id, err));
    struct nearest nearest;
    *out = segment_rules_find(r->rules, id, &nearest);
    if (*out < r->rules->count)
        return OUTCOME_OK;
    return json_fail_nearest(
        value, &nearest, arena_printf(r->arena, "segment \"" SPAN_FMT "\" %s", SPAN_ARG(id), wrong),
        err);
}

static enum outcome read_segment_name(const struct reader *r, const struct json *object,
                                      struct err *err)
{
    uint32_t position = 0;
    CHECK(json_check_keys(object, "segment", "", err));
    CHECK(find_segment(r, json_get(object, "segment"), "does not stand above this one", &position,
                       err));
    push_node(r, NODE_SEGMENT, position);
    return OUTCOME_OK;
}

static enum outcome read_condition(const struct reader *r, const struct json *object, int depth,
                                   struct err *err);

static enum outcome read_list(const struct reader *r, const struct json *object, const char *kind,
                              int depth, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_check_keys(object, kind, "", err));
    CHECK(json_list(object, kind, &list, err));
    if (json_count(list) == 0 || json_count(list) > SEGMENT_LIST_MAX)
        return json_fail(list, err, "expected 1 to %d conditions", SEGMENT_LIST_MAX);
    push_node(r, strcmp(kind, "all") == 0 ? NODE_ALL : NODE_ANY, json_count(list));
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_condition(r, json_at(list, i), depth + 1, err));
    return OUTCOME_OK;
}

/* The depth is bounded. */
static enum outcome read_condition(const struct reader *r, const struct json *object, int depth,
                                   struct err *err)
{
    int count = 0;
    if (json_shape(object) != SHAPE_OBJECT)
        return json_fail(object, err, "expected a condition");
    if (depth > SEGMENT_DEPTH_MAX)
        return json_fail(object, err, "nested deeper than %d", SEGMENT_DEPTH_MAX);
    const char *kind = kind_of(object, &count);
    if (count != 1)
        return no_kind(object, err);
    if (strcmp(kind, "all") == 0 || strcmp(kind, "any") == 0)
        return read_list(r, object, kind, depth, err);
    if (strcmp(kind, "segment") == 0)
        return read_segment_name(r, object, err);
    if (strcmp(kind, "not") != 0)
        return read_atom(r, object, kind, err);
    CHECK(json_check_keys(object, "not", "", err));
    push_node(r, NODE_NOT, 1);
    return read_condition(r, json_get(object, "not"), depth + 1, err);
}

/* ---- segments ---- */
static enum outcome check_id(const struct reader *r, const struct json *object, struct span id,
                             struct err *err)
{
    if (id.len == 0 || id.len > ID_MAX || id.ptr[0] == '(')
        return json_fail(json_get(object, "id"), err,
                         "an id has 1 to %d bytes and does not begin with `(`", ID_MAX);
    for (uint32_t i = 0; i < r->rules->count; i++)
        if (span_equal(r->rules->items[i].id, id))
            return json_fail(object, err, "segment \"" SPAN_FMT "\" stands twice", SPAN_ARG(id));
    return OUTCOME_OK;
}

static enum outcome read_segment(struct reader *r, const struct json *object, struct err *err)
{
    struct segment *segment = r->segment = &r->rules->items[r->rules->count];
    CHECK(json_check_keys(object, "id when", "title figures owner", err));
    CHECK(json_text(object, "id", &segment->id, err));
    CHECK(check_id(r, object, segment->id, err));
    CHECK(json_text(object, "title", &segment->title, err));
    CHECK(json_text(object, "owner", &segment->owner, err));
    CHECK(json_bool(object, "figures", &segment->has_figures, err));
    CHECK(read_condition(r, json_get(object, "when"), 0, err));
    r->rules->count++;
    return OUTCOME_OK;
}

/* ---- tiers ---- */
static enum outcome read_tier(const struct reader *r, const struct json *object, struct err *err)
{
    struct segment_tier *tier = &r->rules->tiers[r->rules->tier_count];
    uint32_t position = 0;
    CHECK(json_check_keys(object, "tier segment", "", err));
    CHECK(json_text(object, "tier", &tier->tier, err));
    CHECK(find_segment(r, json_get(object, "segment"), "is not in this file", &position, err));
    if (tier->tier.len == 0 || tier->tier.len > ID_MAX)
        return json_fail(json_get(object, "tier"), err, "a tier has 1 to %d bytes", ID_MAX);
    tier->segment = r->rules->items[position].id;
    for (uint32_t i = 0; i < r->rules->tier_count; i++) {
        if (span_equal(r->rules->tiers[i].tier, tier->tier))
            return json_fail(object, err, "tier \"" SPAN_FMT "\" stands twice",
                             SPAN_ARG(tier->tier));
        if (span_equal(r->rules->tiers[i].segment, tier->segment))
            return json_fail(object, err, "segment \"" SPAN_FMT "\" has a tier already",
                             SPAN_ARG(tier->segment));
    }
    r->rules->tier_count++;
    return OUTCOME_OK;
}

static enum outcome read_tiers(const struct reader *r, const struct json *document, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(document, "tiers", &list, err));
    if (list && (json_count(list) == 0 || json_count(list) > SEGMENT_TIERS_MAX))
        return json_fail(list, err, "expected 1 to %d tiers", SEGMENT_TIERS_MAX);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_tier(r, json_at(list, i), err));
    return OUTCOME_OK;
}

enum outcome journey_segments_read(struct arena *arena, const struct json *document,
                                   struct journey_policy *policy, struct err *err)
{
    struct reader r = {.arena = arena, .policy = policy, .rules = &policy->segments};
    const struct json *list = NULL;
    int with_figures = 0;
    if (document == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(document, "segments", "tiers", err));
    CHECK(json_list(document, "segments", &list, err));
    if (json_count(list) > SEGMENTS_MAX)
        return json_fail(list, err, "at most %d segments", SEGMENTS_MAX);
    for (size_t i = 0; i < json_count(list); i++) {
        CHECK(read_segment(&r, json_at(list, i), err));
        with_figures += r.segment->has_figures;
        if (with_figures > SEGMENT_FIGURES_MAX)
            return json_fail(json_at(list, i), err, "%d segments with figures: at most %d",
                             with_figures, SEGMENT_FIGURES_MAX);
    }
    segment_rules_finish(r.rules);
    return read_tiers(&r, document, err);
}
