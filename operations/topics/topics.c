/* topics.c: asks the brokers, creates what is missing, and reports; see topics.h. */
#include "operations/topics/topics.h"

#include <poll.h>

#include "operations/topics/topic_list.h"

enum topic_state { TOPIC_FINE, TOPIC_MISSING, TOPIC_DIFFERS };
enum { MAX_TRIES = 100, POLL_MS = 100, MS_PER_DAY = 86400000 };

struct plan {
    struct desk *desk;
    struct topic_list list;
    struct topic_settings *found;
};

static const char *difference_of(const struct plan *plan, size_t i)
{
    return plan->found[i].partitions == 0
               ? ""
               : topic_difference(plan->desk->arena, &plan->list.wanted[i], &plan->found[i]);
}

static enum topic_state state_of(const struct plan *plan, size_t i)
{
    if (plan->found[i].partitions == 0)
        return TOPIC_MISSING;
    return *difference_of(plan, i) ? TOPIC_DIFFERS : TOPIC_FINE;
}

static size_t count_state(const struct plan *plan, enum topic_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->list.count; i++)
        count += state_of(plan, i) == state;
    return count;
}

/* ---- the report ---- */

static struct report_cell word_cell(enum topic_state state)
{
    static const char *const words[] = {"ok", "create", "differs"};
    static const enum cell_tone tones[] = {TONE_GOOD, TONE_PLAIN, TONE_DOUBTFUL};
    struct report_cell cell = cell_words(words[state]);
    cell.tone = tones[state];
    return cell;
}

static void add_topic(const struct plan *plan, struct report *report, struct report_part *section,
                      size_t i)
{
    static const char *const states[] = {"ok", "missing", "differs"};
    enum topic_state state = state_of(plan, i);
    const char *difference = difference_of(plan, i);
    const struct topic_settings *wanted = &plan->list.wanted[i], *found = &plan->found[i],
                                *shown = state == TOPIC_MISSING ? wanted : found;
    REPORT_ROW(
        report, section, cell_words(plan->list.names[i]), cell_words(states[state]),
        cell_integer(found->partitions), cell_integer(wanted->partitions), cell_words(difference),
        word_cell(state), cell_integer(shown->partitions),
        cell_integer(shown->retention_ms / MS_PER_DAY),
        cell_words(arena_printf(report->arena, "%s%s", *difference ? "  " : "", difference)));
}

#define TOPIC_LINE "{word:7}  {topic:38} {shown:3} partitions  {days:3} d{tail}"
#define TOPIC_COLUMNS                                                                              \
    {                                                                                              \
        {"topic", CELL_TEXT}, {"state", CELL_TEXT}, {"partitions", CELL_INTEGER},                  \
            {"wanted_partitions", CELL_INTEGER}, {"difference", CELL_TEXT}, {"word", CELL_WORDS},  \
            {"shown", CELL_WORDS}, {"days", CELL_WORDS}, {"tail", CELL_WORDS},                     \
    }

static const struct section_form all_topics = {.line = TOPIC_LINE, .columns = TOPIC_COLUMNS},
                                 all_for_programs = {.line = TOPIC_LINE,
                                                     .is_for_programs = true,
                                                     .columns = TOPIC_COLUMNS};

/* People who apply want to see what is left as it is, and no more. */
static void report_topics(const struct plan *plan, bool applies, struct report *report)
{
    struct report_part *section = report_section(report, applies ? &all_for_programs : &all_topics);
    for (size_t i = 0; i < plan->list.count; i++) {
        add_topic(plan, report, section, i);
        if (applies && state_of(plan, i) == TOPIC_DIFFERS)
            report_line(report, "%s: %s", plan->list.names[i], difference_of(plan, i));
    }
}

/* ---- the brokers ---- */

static enum outcome look(struct plan *plan, struct admin *admin, struct err *err)
{
    return admin_describe(admin, plan->list.names, plan->list.count, plan->found, err);
}

static enum outcome create_missing(struct plan *plan, struct admin *admin, size_t *created,
                                   struct err *err)
{
    for (size_t i = 0; i < plan->list.count; i++) {
        if (plan->found[i].partitions > 0)
            continue;
        CHECK(admin_create(admin, plan->list.names[i], &plan->list.wanted[i], err));
        desk_note(plan->desk, "created %s with %d partitions", plan->list.names[i],
                  plan->list.wanted[i].partitions);
        ++*created;
    }
    return OUTCOME_OK;
}

/* A broker lists a new topic a moment after it has created it; services that start now must find
 * it. */
static enum outcome wait_for_topics(struct plan *plan, struct admin *admin, struct err *err)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        if (i > 0)
            poll(NULL, 0, POLL_MS);
        CHECK(look(plan, admin, err));
        if (count_state(plan, TOPIC_MISSING) == 0)
            break;
    }
    return OUTCOME_OK;
}

static enum outcome run(struct plan *plan, struct admin *admin, bool applies, size_t *created,
                        struct err *err)
{
    CHECK(look(plan, admin, err));
    if (applies)
        CHECK(create_missing(plan, admin, created, err));
    return *created > 0 ? wait_for_topics(plan, admin, err) : OUTCOME_OK;
}

enum outcome topics_look(struct desk *desk, const struct topics_request *request,
                         struct report *report, struct topics_counts *counts, struct err *err)
{
    struct plan plan = {.desk = desk};
    struct admin *admin = NULL;
    topic_list_build(desk->config, desk->arena, request->partitions, request->retention,
                     &plan.list);
    plan.found = arena_array(desk->arena, struct topic_settings, plan.list.count);
    *counts = (struct topics_counts){.all = plan.list.count};
    CHECK(admin_open(desk->config, &admin, err));
    enum outcome outcome = run(&plan, admin, request->applies, &counts->created, err);
    admin_close(admin);
    CHECK(outcome);
    counts->missing = count_state(&plan, TOPIC_MISSING);
    counts->differing = count_state(&plan, TOPIC_DIFFERS);
    report_topics(&plan, request->applies, report);
    return OUTCOME_OK;
}
