/* why.c: one profile gets the shortest chain of evidence, two get every row that speaks of both;
 * see why.h. */
#include "operations/inspect/why.h"

#include "common/base/map.h"
#include "inspect_sql.h"
#include "operations/identifier.h"
#include "operations/report_query.h"

struct why {
    struct desk *desk;
    struct report *report;
    struct id ends[2], profiles[2];
    struct why_rows rows;
};

static enum outcome read_rows(struct why *why, struct err *err)
{
    struct arena *arena = why->desk->arena;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, why->profiles, sizeof *why->profiles, 2);
    CHECK(db_run(why->desk->db, &sql_why_evidence, &p, &r, NULL, err));
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
            .is_indirect = db_bool(r, row, 9),
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

static struct report_cell refusal_of(const struct evidence_row *row)
{
    return cell_words(identity_refusal_name((enum refusal)row->refused_by));
}

static void add_row(struct why *why, struct report_part *section, const struct evidence_row *row,
                    bool backwards)
{
    REPORT_ROW(why->report, section, cell_id(backwards ? &row->b : &row->a),
               cell_text(backwards ? row->type_b : row->type_a),
               cell_id(backwards ? &row->a : &row->b),
               cell_text(backwards ? row->type_a : row->type_b), cell_instant(row->at),
               cell_text(row->kind), refusal_of(row), cell_text(row->what),
               cell_words(rule_text(row->refused_by)));
}

#define EVIDENCE_LINE                                                                              \
    "{from} {from_type} - {to} {to_type}\n    {at}  {what}\n    refused by {refused_by}: {rule}"
#define EVIDENCE_COLUMNS                                                                           \
    {                                                                                              \
        {"from", CELL_ID}, {"from_type", CELL_TEXT}, {"to", CELL_ID}, {"to_type", CELL_TEXT},      \
            {"at", CELL_INSTANT}, {"kind", CELL_TEXT}, {"refused_by", CELL_TEXT},                  \
            {"what", CELL_TEXT}, {"rule", CELL_WORDS},                                             \
    }

/* ---- one profile ---- */

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
    struct arena *arena = why->desk->arena;
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

static void report_chain(struct why *why)
{
    static const struct section_form form = {
        .name = "chain", .line = EVIDENCE_LINE, .columns = EVIDENCE_COLUMNS};
    struct map steps = reach(why);
    struct step *chain = arena_array(why->desk->arena, struct step, steps.count + 1);
    size_t count = 0;
    struct id at = why->ends[1];
    for (const struct step *step; (step = map_find(&steps, &at)) && step->row;
         at = step->backwards ? step->row->b : step->row->a)
        chain[count++] = *step;
    report_line(why->report, "one customer: %s",
                count == 0 ? "the same identifier"
                           : "each line was seen together, or linked by an operator");
    struct report_part *section = report_section(why->report, &form);
    for (size_t i = count; i-- > 0;)
        add_row(why, section, chain[i].row, chain[i].backwards);
}

/* ---- two profiles ---- */

static bool is_cut(const struct evidence_row *row)
{
    return span_is(row->kind, "cut");
}

static bool is_refused(const struct evidence_row *row)
{
    return !is_cut(row) && (row->refused_by != REFUSED_NOT || evidence_is_ordered_link(row));
}

static const struct apart {
    bool (*speaks)(const struct evidence_row *row);
    struct section_form form;
} apart[] = {
    {is_cut,
     {.name = "cuts",
      .title = "Cut apart",
      .line = EVIDENCE_LINE,
      .is_shy = true,
      .columns = EVIDENCE_COLUMNS}},
    {is_refused,
     {.name = "refused",
      .title = "Seen together or linked by an operator, but refused",
      .line = EVIDENCE_LINE,
      .is_shy = true,
      .columns = EVIDENCE_COLUMNS}},
};

static size_t report_apart(struct why *why, const struct apart *apart_by)
{
    struct report_part *section = report_section(why->report, &apart_by->form);
    for (size_t i = 0; i < why->rows.count; i++)
        if (!why->rows.items[i].is_inside && apart_by->speaks(&why->rows.items[i]))
            add_row(why, section, &why->rows.items[i], false);
    return report_rows(section);
}

static const struct asked {
    const struct statement *statement;
    bool of_profiles;
    struct section_form form;
} asked[] = {
    {&sql_why_quarantined,
     false,
     {.name = "quarantined",
      .title = "In quarantine: links nothing",
      .is_shy = true,
      .columns = {{"identifier", CELL_TEXT}, {"type", CELL_TEXT}, {"links", CELL_NUMBER}}}},
    {&sql_why_between,
     true,
     {.name = "between",
      .title = "Both were seen with a third customer, and refused there",
      .is_shy = true,
      .columns = {{"profile", CELL_TEXT}, {"note", CELL_TEXT}, {"refused_by", CELL_TEXT}}}},
};

static enum outcome ask(struct why *why, const struct asked *what, size_t *found, struct err *err)
{
    struct params p;
    size_t rows;
    params_init(&p, why->desk->arena);
    params_uuid_array(&p, what->of_profiles ? why->profiles : why->ends, sizeof *why->ends, 2);
    CHECK(report_query(why->report, why->desk->db, &what->form, what->statement, &p, &rows, err));
    *found += rows;
    return OUTCOME_OK;
}

static enum outcome report_separation(struct why *why, struct err *err)
{
    size_t found = 0;
    CHECK(why_judge_orders(why->desk, why->profiles, &why->rows, err));
    report_line(why->report, "two customers");
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
        found += report_apart(why, &apart[i]);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        CHECK(ask(why, &asked[i], &found, err));
    if (found == 0)
        report_line(why->report, "no evidence connects them");
    return OUTCOME_OK;
}

enum outcome explain_why(struct desk *desk, const char *a, const char *b, struct report *report,
                         struct err *err)
{
    struct why why = {.desk = desk, .report = report};
    CHECK(desk_connect(desk, err));
    CHECK(identifier_parse(desk, a, &why.ends[0], err));
    CHECK(identifier_parse(desk, b, &why.ends[1], err));
    for (int i = 0; i < 2; i++)
        CHECK(identifier_profile(desk, &why.ends[i], &why.profiles[i], err));
    CHECK(read_rows(&why, err));
    bool is_one = id_equal(&why.profiles[0], &why.profiles[1]);
    report_value(report, "one_customer", cell_bool(is_one), NULL);
    if (!is_one)
        return report_separation(&why, err);
    report_chain(&why);
    return OUTCOME_OK;
}
