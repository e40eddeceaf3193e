/* undefined.c: asks the active policy about every text of consent that is stored. */
#include "operations/inspect/undefined.h"

#include <stdlib.h>

#include "inspect_sql.h"
#include "operations/contact_ledger.h"
#include "services/suppression/logic/consent.h"

struct counting {
    struct undefined_words *out;
    struct arena *arena;
    int64_t touchpoints; /* with the text that is read */
};

/* A linear search: there are few of them. */
static struct undefined_word *find(struct counting *counting, struct span word)
{
    struct undefined_words *out = counting->out;
    for (size_t i = 0; i < out->count; i++)
        if (span_equal(out->items[i].word, word))
            return &out->items[i];
    struct undefined_word *item = arena_push(counting->arena, out);
    *item = (struct undefined_word){arena_copy(counting->arena, word), 0};
    return item;
}

static void count_word(void *arg, struct span word)
{
    struct counting *counting = arg;
    find(counting, word)->touchpoints += counting->touchpoints;
}

static int compare(const void *a, const void *b)
{
    const struct undefined_word *x = a, *y = b;
    if (x->touchpoints != y->touchpoints)
        return x->touchpoints < y->touchpoints ? 1 : -1;
    return span_compare(x->word, y->word);
}

enum outcome undefined_words(struct db *db, struct arena *arena, struct undefined_words *out,
                             struct err *err)
{
    const struct contact_policy *policy = NULL;
    struct db_result *r = NULL;
    struct counting counting = {.out = out, .arena = arena};
    *out = (struct undefined_words){0};
    CHECK(contact_ledger_policy(db, arena, &policy, err));
    CHECK(db_run(db, &sql_doctor_consent, NULL, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct contact_fact fact = {
            .consent = db_is_null(r, row, 0) ? SPAN_NONE : db_bytes(r, row, 0),
            .event = db_bytes(r, row, 1),
            .channel = db_bytes(r, row, 2),
        };
        counting.touchpoints = db_int8(r, row, 3);
        consent_undefined(policy, &fact, count_word, &counting);
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof *out->items, compare);
    return OUTCOME_OK;
}
