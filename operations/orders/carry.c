/* carry.c: which opt-outs, holds and pauses a split would take from a side. Sending them is
 * carry_send.c. */
#include "operations/orders/carry.h"

#include "common/base/map.h"
#include "common/codec/digest.h"
#include "common/codec/json_write.h"
#include "common/runtime/clock.h"
#include "common/words/preferences.h"
#include "operations/contact_ledger.h"
#include "orders_sql.h"
#include "services/suppression/logic/consent.h"
#include "services/suppression/logic/rules.h"

/* A fact and whose it is. */
struct known_fact {
    struct id anchor_id;
    struct contact_fact body;
};

/* The ledger of a side, or of a whole profile. */
struct known_facts {
    const struct contact_fact **bodies; /* of items: what the rules read */
    const struct known_fact **items;
    size_t count;
};

struct carry {
    struct db *db;
    struct arena *arena;
    const struct contact_policy *policy;
    const struct effect_members *members;
    struct map index;               /* identifier -> const struct effect_member * */
    const struct known_fact *facts; /* of all members, in order */
    size_t fact_count;
    struct instant now;
    const char *order;
    struct carried_list *out;
};

/* The members of `before` that go to `after`: what a split may free. */
struct side {
    struct id before, after;
};

static enum outcome read_facts(struct carry *carry, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, carry->arena);
    params_uuid_array(&p, &carry->members->items->identifier_id, sizeof *carry->members->items,
                      carry->members->count);
    CHECK(db_run(carry->db, &sql_carry_facts, &p, &r, NULL, err));
    struct known_fact *facts = arena_array(carry->arena, struct known_fact, (size_t)db_rows(r));
    for (int row = 0; row < db_rows(r); row++) {
        facts[row] =
            (struct known_fact){db_uuid(r, row, 0), contact_ledger_fact(carry->arena, r, row, 1)};
        if (!db_is_null(r, row, 12))
            facts[row].body.preferences = arena_copy(carry->arena, db_bytes(r, row, 12));
    }
    carry->facts = facts;
    carry->fact_count = (size_t)db_rows(r);
    return OUTCOME_OK;
}

/* Facts of the members of a profile, or of those of them that go to `after`, each touchpoint once.
 * The profile that a side joins is left out: its later facts stand on their own and must not keep
 * us from saying again what this side already had. */
static struct known_facts ledger_of(const struct carry *carry, const struct id *before,
                                    const struct id *after)
{
    struct known_facts out = {
        arena_array(carry->arena, const struct contact_fact *, carry->fact_count),
        arena_array(carry->arena, const struct known_fact *, carry->fact_count), 0};
    for (size_t i = 0; i < carry->fact_count; i++) {
        const struct effect_member *m =
            *(const struct effect_member **)map_find(&carry->index, &carry->facts[i].anchor_id);
        if (!id_equal(&m->before, before) || (after && !id_equal(&m->after, after)) ||
            (out.count > 0 && contact_is_repeat(&carry->facts[i].body, out.bodies[out.count - 1])))
            continue;
        out.bodies[out.count] = &carry->facts[i].body;
        out.items[out.count++] = &carry->facts[i];
    }
    return out;
}

/* ---- emission ---- */

static const char *carried_kind(const struct carried *item)
{
    return item->opt_out.ptr ? "opt_out" : item->pause.ptr ? "pause" : "hold";
}

/* The same whenever the same is said for the same order. A hash of it all: whose the original was,
 * it does not show. */
static struct span message_id_of(struct carry *carry, const struct id *anchor_id,
                                 const struct known_fact *fact, const char *what)
{
    char original[37], anchor[37], *out = arena_alloc(carry->arena, 37);
    id_to_uuid(&fact->body.event_id, original);
    id_to_uuid(anchor_id, anchor);
    struct id hash = digest_bytes(
        span_of(arena_printf(carry->arena, "%s:%s:%s:%s", carry->order, anchor, original, what)));
    id_to_uuid(&hash, out);
    return span_of(out);
}

/* One touchpoint per identifier of the side. */
static void say_again(struct carry *carry, const struct side *side, const struct known_fact *fact,
                      struct carried said)
{
    for (size_t i = 0; i < carry->members->count; i++) {
        const struct effect_member *m = &carry->members->items[i];
        if (!id_equal(&m->before, &side->before) || !id_equal(&m->after, &side->after))
            continue;
        struct carried item = {
            .anchor_id = m->identifier_id,
            .profile_id = m->stored,
            .version = m->version,
            .occurred_at = fact->body.at,
            .message_id = message_id_of(carry, &m->identifier_id, fact, carried_kind(&said)),
            .event = said.event,
            .channel = fact->body.channel,
            .case_id = fact->body.case_id,
            .order_id = fact->body.order_id,
            .score = said.score,
            .opt_out = said.opt_out,
            .pause = said.pause,
        };
        touchpoint_event_id(SPAN("urn:tutti:identity"), item.message_id, &item.event_id);
        *arena_push(carry->arena, carry->out) = item;
    }
}

/* ---- opt-outs ---- */

/* As the key of a consent map. Names may have blanks, which separate words here. */
static struct span word_for(struct arena *arena, const struct consent_key *key)
{
    bool is_purpose = key->about == CONSENT_PURPOSE;
    if (is_purpose || key->about == CONSENT_TOPIC)
        return span_of(arena_printf(arena, "%s:" SPAN_FMT "%s" SPAN_FMT,
                                    is_purpose ? "purpose" : "topic", SPAN_ARG(key->name),
                                    key->channel.len ? "@" : "", SPAN_ARG(key->channel)));
    return key->about == CONSENT_CLASS ? word_fold(key->name, arena_alloc(arena, WORD_MAX))
                                       : key->name;
}

/* Channels are said together where one touchpoint opted them out together. */
static void carry_opt_outs(struct carry *carry, const struct side *side,
                           const struct known_facts *whole, const struct known_facts *part)
{
    struct opt_outs opt_outs =
        consent_opt_outs(carry->policy, whole->bodies, whole->count, carry->arena);
    for (size_t i = 0; i < whole->count; i++) {
        struct strbuf channels = {.arena = carry->arena};
        for (size_t k = 0; k < opt_outs.count; k++) {
            const struct opt_out *opt_out = &opt_outs.items[k];
            if (opt_out->fact == whole->bodies[i] &&
                consent_is_lost(carry->policy, opt_out, part->bodies, part->count))
                strbuf_addf(&channels, "%s" SPAN_FMT, channels.len ? " " : "",
                            SPAN_ARG(word_for(carry->arena, &opt_out->key)));
        }
        if (channels.len > 0)
            say_again(carry, side, whole->items[i],
                      (struct carried){.event = SPAN("Consent Carried Over"),
                                       .score = CONTACT_SCORE_ABSENT,
                                       .opt_out = strbuf_span(&channels)});
    }
}

/* ---- holds ---- */

/* When the hold ends for a request made now; INSTANT_FIRST if there is none. */
static struct instant held_until(const struct carry *carry, const struct contact_rule *rule,
                                 const struct known_facts *facts)
{
    struct ledger ledger = {.facts = facts->bodies, .fact_count = facts->count};
    struct finding finding;
    rule_ask_anyone(carry->policy, rule, &ledger, carry->now, carry->arena, &finding);
    return finding.passed ? INSTANT_FIRST : finding.opens;
}

/* The fact itself, or a copy that tells of the same event. */
static bool is_in(const struct known_facts *ledger, const struct known_fact *fact)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->items[i] == fact || (contact_is_repeat(ledger->bodies[i], &fact->body) &&
                                         span_equal(ledger->bodies[i]->event, fact->body.event)))
            return true;
    return false;
}

/* Everything that the hold is made of, its release included, so that it ends for the side when it
 * ends for the others. */
static void carry_hold(struct carry *carry, const struct side *side,
                       const struct contact_rule *rule, const struct known_facts *whole,
                       const struct known_facts *part)
{
    struct instant wanted = held_until(carry, rule, whole);
    if (wanted.us == INSTANT_FIRST.us ||
        instant_compare(held_until(carry, rule, part), wanted) >= 0)
        return;
    for (size_t i = 0; i < whole->count; i++)
        if (rule_speaks_of(rule, whole->bodies[i]) && !is_in(part, whole->items[i]))
            say_again(carry, side, whole->items[i],
                      (struct carried){.event = whole->bodies[i]->event,
                                       .score = whole->bodies[i]->score});
}

/* ---- pauses ---- */

/* The pause as it was sent. */
static struct span pause_json(struct arena *arena, struct preference pause)
{
    struct strbuf out = {.arena = arena};
    struct span until = SPAN_NONE, channel;
    bool has_channels = false;
    preference_field(&pause, &until);
    strbuf_addf(&out, "{\"pause\":{\"until\":");
    json_add_text(&out, until);
    for (; preference_field(&pause, &channel); has_channels = true) {
        strbuf_addf(&out, has_channels ? "," : ",\"channels\":[");
        json_add_text(&out, channel);
    }
    strbuf_addf(&out, has_channels ? "]}}" : "}}");
    return strbuf_span(&out);
}

/* By the customer, after the pause. */
static bool is_ended(const struct known_facts *whole, const struct contact_fact *pause)
{
    struct preference end;
    for (size_t i = 0; i < whole->count; i++) {
        const struct contact_fact *fact = whole->bodies[i];
        if (!(fact->flags & (CONTACT_IS_COPY | CONTACT_IS_NOT_SAID)) && fact->preferences.len > 0 &&
            preference_find(fact->preferences, SPAN("pause"), &end) && end.rest.len == 0 &&
            instant_compare(contact_frees_at(fact), pause->at) > 0)
            return true;
    }
    return false;
}

/* The same pause of the same time, said again perhaps. */
static bool knows_pause(const struct known_facts *part, struct instant at, struct preference pause)
{
    struct preference known;
    for (size_t i = 0; i < part->count; i++)
        if (part->bodies[i]->at.us == at.us &&
            preference_find(part->bodies[i]->preferences, SPAN("pause"), &known) &&
            span_equal(known.rest, pause.rest))
            return true;
    return false;
}

/* All that the customer asked for, the older ones too: of a channel the newest counts. */
static void carry_pauses(struct carry *carry, const struct side *side,
                         const struct known_facts *whole, const struct known_facts *part)
{
    struct preference pause;
    for (size_t i = 0; i < whole->count; i++) {
        const struct contact_fact *fact = whole->bodies[i];
        if (!preference_find(fact->preferences, SPAN("pause"), &pause) || pause.rest.len == 0 ||
            knows_pause(part, fact->at, pause) || is_ended(whole, fact))
            continue;
        say_again(carry, side, whole->items[i],
                  (struct carried){.event = SPAN("Pause Carried Over"),
                                   .score = CONTACT_SCORE_ABSENT,
                                   .pause = pause_json(carry->arena, pause)});
    }
}

/* ---- sides ---- */

static void carry_to_side(struct carry *carry, const struct side *side)
{
    struct known_facts whole = ledger_of(carry, &side->before, NULL),
                       part = ledger_of(carry, &side->before, &side->after);
    carry_opt_outs(carry, side, &whole, &part);
    carry_pauses(carry, side, &whole, &part);
    for (size_t i = 0; i < carry->policy->rule_count; i++)
        if (rule_is_hold(&carry->policy->rules[i]))
            carry_hold(carry, side, &carry->policy->rules[i], &whole, &part);
}

static void carry_to_all(struct carry *carry)
{
    struct map sides;
    map_init(&sides, carry->arena, sizeof(struct side), sizeof(bool));
    for (size_t i = 0; i < carry->members->count; i++) {
        struct side side = {carry->members->items[i].before, carry->members->items[i].after};
        bool is_first;
        map_put(&sides, &side, &is_first);
        if (is_first)
            carry_to_side(carry, &side);
    }
}

/* Two holds may be made of the same touchpoint. */
static void drop_repeats(struct arena *arena, struct carried_list *list)
{
    size_t kept = 0;
    struct map known;
    map_init(&known, arena, sizeof(struct id), sizeof(bool));
    for (size_t i = 0; i < list->count; i++) {
        bool is_first;
        map_put(&known, &list->items[i].event_id, &is_first);
        if (is_first)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

enum outcome carry_find(struct db *db, struct arena *arena, const struct effect_members *members,
                        const char *order, struct carried_list *out, struct err *err)
{
    struct carry carry = {.db = db,
                          .arena = arena,
                          .members = members,
                          .now = clock_now(),
                          .order = order,
                          .out = out};
    *out = (struct carried_list){0};
    if (!effect_splits(members))
        return OUTCOME_OK;
    CHECK(contact_ledger_policy(db, arena, &carry.policy, err));
    CHECK(read_facts(&carry, err));
    map_init(&carry.index, arena, sizeof(struct id), sizeof(struct effect_member *));
    for (size_t i = 0; i < members->count; i++)
        *(const struct effect_member **)map_put(&carry.index, &members->items[i].identifier_id,
                                                NULL) = &members->items[i];
    carry_to_all(&carry);
    drop_repeats(arena, out);
    return OUTCOME_OK;
}

#define CARRIED_LINE "{anchor}  {occurred_at}  {word:8}{what|}"
#define CARRIED_COLUMNS                                                                            \
    {                                                                                              \
        {"anchor", CELL_ID}, {"touchpoint", CELL_ID}, {"occurred_at", CELL_INSTANT},               \
            {"kind", CELL_TEXT}, {"what", CELL_TEXT}, {"word", CELL_WORDS},                        \
    }

static void report_as(const struct carried_list *list, const struct section_form *form,
                      struct report *report)
{
    struct report_part *section = report_section(report, form);
    for (size_t i = 0; i < list->count; i++) {
        const struct carried *item = &list->items[i];
        const char *kind = carried_kind(item);
        bool is_opt_out = item->opt_out.ptr != NULL;
        REPORT_ROW(report, section, cell_id(&item->anchor_id), cell_id(&item->event_id),
                   cell_instant(item->occurred_at), cell_words(kind),
                   cell_text(is_opt_out ? item->opt_out : item->event),
                   cell_words(is_opt_out ? "opt-out" : kind));
    }
}

void carry_report(const struct carried_list *list, struct report *report)
{
    static const struct section_form form = {
        .name = "carried",
        .title = "Opt-outs, holds and pauses that are sent again before the cut",
        .line = CARRIED_LINE,
        .columns = CARRIED_COLUMNS};
    report_as(list, &form, report);
}

void carry_report_latest(const struct carried_list *list, struct report *report)
{
    static const struct section_form form = {
        .name = "carried_latest",
        .title = "Opt-outs, holds and pauses of the last moment, which may be missing",
        .line = CARRIED_LINE,
        .columns = CARRIED_COLUMNS};
    report_as(list, &form, report);
}
