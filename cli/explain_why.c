/* explain_why.c: see explain_why.h. */
#include "cli/explain_why.h"

#include "cli/identifier.h"
#include "cli/printable.h"
#include "cli_sql.h"
#include "common/base/map.h"
#include "common/codec/json_write.h"

struct why {
    struct call *call;
    struct db *db;
    struct id ends[2], profiles[2];
    struct why_rows rows;
    struct strbuf *json; /* NULL: text */
};

static enum outcome read_rows(struct why *why, struct err *err)
{
    struct arena *arena = &why->call->arena;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, why->profiles, sizeof *why->profiles, 2);
    CHECK(db_run(why->db, &sql_why_evidence, &p, &r, NULL, err));
    why->rows.items = arena_array(arena, struct evidence_row, (size_t)db_rows(r));
    for (int row = 0; row < db_rows(r); row++)
        why->rows.items[why->rows.count++] = (struct evidence_row){
            .a = db_uuid(r, row, 0),
            .b = db_uuid(r, row, 1),
            .is_inside = db_bool(r, row, 2),
            .at = db_timestamptz(r, row, 3),
            .kind = arena_copy(arena, db_bytes(r, row, 4)),
            .refused_by = db_int2(r, row, 5),
            .type_a = arena_copy(arena, db_bytes(r, row, 6)),
            .type_b = arena_copy(arena, db_bytes(r, row, 7)),
            .what = arena_copy(arena, db_bytes(r, row, 8)),
        };
    return OUTCOME_OK;
}

static const char *rule_text(int16_t refused_by)
{
    static const char *const texts[] = {
        [REFUSED_PAIR] = "these two types may not link",
        [REFUSED_QUARANTINE] = "one end is in quarantine: it links too many",
        [REFUSED_CUT] = "it would unite two identifiers that an operator cut apart",
        [REFUSED_UNIQUE] = "the profile would hold two identifiers of a unique type",
        [REFUSED_LIMIT] = "the profile would hold more identifiers of a type than its limit",
        [REFUSED_MAX_IDENTIFIERS] = "the profile would hold more identifiers than max_identifiers",
    };
    return texts[refused_by];
}

static void print_row(struct why *why, const struct evidence_row *row, bool backwards,
                      bool is_first)
{
    char from[37], to[37], at[32];
    bool refused = row->refused_by != REFUSED_NOT;
    id_to_uuid(backwards ? &row->b : &row->a, from);
    id_to_uuid(backwards ? &row->a : &row->b, to);
    instant_format(row->at, at);
    struct span from_type = backwards ? row->type_b : row->type_a,
                to_type = backwards ? row->type_a : row->type_b;
    if (!why->json) {
        printf("%s " SPAN_FMT " - %s " SPAN_FMT "\n    %s  %s\n", from, SPAN_ARG(from_type), to,
               SPAN_ARG(to_type), at, printable(&why->call->arena, row->what));
        if (refused)
            printf("    refused by %s: %s\n", identity_refusal_name((enum refusal)row->refused_by),
                   rule_text(row->refused_by));
        return;
    }
    strbuf_addf(why->json,
                "%s{\"from\":\"%s\",\"from_type\":\"" SPAN_FMT
                "\",\"to\":\"%s\",\"to_type\":\"" SPAN_FMT "\",\"at\":\"%s\",\"kind\":\"" SPAN_FMT
                "\",\"refused_by\":%s%s%s,\"what\":",
                is_first ? "" : ",", from, SPAN_ARG(from_type), to, SPAN_ARG(to_type), at,
                SPAN_ARG(row->kind), refused ? "\"" : "",
                refused ? identity_refusal_name((enum refusal)row->refused_by) : "null",
                refused ? "\"" : "");
    json_add_text(why->json, row->what);
    strbuf_addf(why->json, "}");
}

/* -----------------------------------------------------------------------------------------------------
 * one profile */

/* How an identifier was reached: over which row, from which end. */
struct step {
    const struct evidence_row *row;
    bool backwards; /* from b to a */
};

static bool joins(const struct evidence_row *row)
{
    return row->is_inside && row->refused_by == REFUSED_NOT && !span_is(row->kind, "cut");
}

/* Breadth first, older evidence first: the shortest chain, and of those the one that was there
 * first. */
static struct map reach(struct why *why)
{
    struct arena *arena = &why->call->arena;
    struct map steps;
    struct id *queue = arena_array(arena, struct id, 2 * why->rows.count + 1);
    size_t head = 0, tail = 0;
    map_init(&steps, arena, sizeof(struct id), sizeof(struct step));
    map_put(&steps, &why->ends[0], NULL);
    queue[tail++] = why->ends[0];
    for (; head < tail && map_find(&steps, &why->ends[1]) == NULL; head++)
        for (size_t i = 0; i < why->rows.count; i++) {
            const struct evidence_row *row = &why->rows.items[i];
            bool forwards = id_equal(&row->a, &queue[head]),
                 backwards = id_equal(&row->b, &queue[head]);
            bool is_new = false;
            if (!joins(row) || (!forwards && !backwards))
                continue;
            const struct id *next = forwards ? &row->b : &row->a;
            struct step *step = map_put(&steps, next, &is_new);
            if (is_new) {
                *step = (struct step){row, backwards};
                queue[tail++] = *next;
            }
        }
    return steps;
}

static void print_chain(struct why *why)
{
    struct map steps = reach(why);
    struct step *chain = arena_array(&why->call->arena, struct step, steps.count + 1);
    size_t count = 0;
    struct id at = why->ends[1];
    for (const struct step *step; (step = map_find(&steps, &at)) && step->row;
         at = step->backwards ? step->row->b : step->row->a)
        chain[count++] = *step;
    if (why->json)
        strbuf_addf(why->json, "\"chain\":[");
    else
        printf("one customer: %s\n", count == 0
                                         ? "the same identifier"
                                         : "each line was seen together, or linked by an operator");
    for (size_t i = count; i-- > 0;)
        print_row(why, chain[i].row, chain[i].backwards, i + 1 == count);
    if (why->json)
        strbuf_addf(why->json, "]");
}

/* ---------------------------------------------------------------------------------------------------
 * two profiles */

static size_t print_apart(struct why *why, bool cuts)
{
    size_t printed = 0;
    if (why->json)
        strbuf_addf(why->json, "%s\"%s\":[", cuts ? "" : ",", cuts ? "cuts" : "refused");
    for (size_t i = 0; i < why->rows.count; i++) {
        const struct evidence_row *row = &why->rows.items[i];
        bool says = cuts ? span_is(row->kind, "cut")
                         : row->refused_by != REFUSED_NOT || span_is(row->kind, "link");
        if (row->is_inside || !says)
            continue;
        if (!why->json && printed == 0)
            printf("\n%s%s%s\n", colour(stdout, COLOUR_BOLD),
                   cuts ? "Cut apart" : "Seen together or linked by an operator, but refused",
                   colour(stdout, COLOUR_OFF));
        print_row(why, row, false, printed++ == 0);
    }
    if (why->json)
        strbuf_addf(why->json, "]");
    return printed;
}

static const struct why_section {
    const char *name, *title;
    const struct statement *statement;
    bool of_profiles;
    const char *columns[5];
} why_sections[] = {
    {"quarantined",
     "In quarantine: links nothing",
     &sql_why_quarantined,
     false,
     {"identifier", "type", ">links"}},
    {"between",
     "Both were seen with a third customer, and refused there",
     &sql_why_between,
     true,
     {"profile", "note", "refused_by"}},
};

static enum outcome print_section(struct why *why, const struct why_section *section, size_t *found,
                                  struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &why->call->arena);
    params_uuid_array(&p, section->of_profiles ? why->profiles : why->ends, sizeof *why->ends, 2);
    CHECK(db_run(why->db, section->statement, &p, &r, NULL, err));
    *found += (size_t)db_rows(r);
    if (why->json) {
        strbuf_addf(why->json, ",\"%s\":", section->name);
        result_print_json(&why->call->arena, r, section->columns, why->json);
    } else if (db_rows(r) > 0) {
        printf("\n%s%s%s\n", colour(stdout, COLOUR_BOLD), section->title,
               colour(stdout, COLOUR_OFF));
        result_print(&why->call->arena, r, section->columns);
    }
    return OUTCOME_OK;
}

static enum outcome print_separation(struct why *why, struct err *err)
{
    size_t found = 0;
    CHECK(why_judge_orders(why->call, why->db, why->profiles, &why->rows, err));
    if (!why->json)
        puts("two customers");
    found += print_apart(why, true);
    found += print_apart(why, false);
    for (size_t i = 0; i < sizeof why_sections / sizeof *why_sections; i++)
        CHECK(print_section(why, &why_sections[i], &found, err));
    if (!why->json && found == 0)
        puts("no evidence connects them");
    return OUTCOME_OK;
}

enum outcome explain_why(struct call *call, struct db *db, const struct id *a, const struct id *b,
                         struct err *err)
{
    struct strbuf json = {.arena = &call->arena};
    struct why why = {
        .call = call, .db = db, .ends = {*a, *b}, .json = call_has(call, "json") ? &json : NULL};
    CHECK(identifier_profile(call, db, a, &why.profiles[0], err));
    CHECK(identifier_profile(call, db, b, &why.profiles[1], err));
    CHECK(read_rows(&why, err));
    bool is_one = id_equal(&why.profiles[0], &why.profiles[1]);
    if (why.json)
        strbuf_addf(&json, "{\"one_customer\":%s,", is_one ? "true" : "false");
    if (is_one)
        print_chain(&why);
    else
        CHECK(print_separation(&why, err));
    if (why.json)
        printf(SPAN_FMT "}\n", SPAN_ARG(strbuf_span(&json)));
    return OUTCOME_OK;
}
