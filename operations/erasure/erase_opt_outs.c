/* erase_opt_outs.c: the opt-outs of an erased person's addresses. They stay as facts of the address
 * that say no to a channel: copies, so everybody who relies on the address is bound by them. */
#include <stdlib.h>

#include "erasure_sql.h"
#include "operations/contact_ledger.h"
#include "operations/erasure/erase_internal.h"
#include "operations/identifier.h"
#include "services/identity-resolver/logic/identity.h"
#include "services/suppression/logic/addresses.h"
#include "services/suppression/logic/consent.h"

struct said {
    struct contact_fact *facts;
    size_t count;
};

static enum outcome read_said(struct erasure *e, struct said *said, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    struct arena *arena = e->desk->arena;
    params_init(&p, arena);
    params_int8_array(&p, e->keys, sizeof *e->keys, e->count);
    CHECK(db_run(e->desk->db, &sql_erase_opt_out_facts, &p, &r, NULL, err));
    said->count = (size_t)db_rows(r);
    said->facts = arena_array(arena, struct contact_fact, said->count);
    for (size_t i = 0; i < said->count; i++) {
        struct contact_fact *fact = &said->facts[i];
        *fact = contact_ledger_fact(arena, r, (int)i, 0);
        fact->anchor = db_int8(r, (int)i, 11);
        if (!db_is_null(r, (int)i, 12))
            fact->others = arena_copy(arena, db_bytes(r, (int)i, 12));
    }
    return OUTCOME_OK;
}

static int by_time(const void *a, const void *b)
{
    return contact_fact_order(*(const struct contact_fact *const *)a,
                              *(const struct contact_fact *const *)b);
}

/* What touchpoints that name the address say, in order, each once: a yes counts if it names it. */
static size_t said_of(const struct said *said, int64_t address, const struct contact_fact **out)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < said->count; i++)
        if (contact_names(&said->facts[i], address))
            out[count++] = &said->facts[i];
    if (count > 1)
        qsort(out, count, sizeof *out, by_time);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !contact_is_repeat(out[i], out[kept - 1]))
            out[kept++] = out[i];
    return kept;
}

static void add(struct erasure *e, struct id address_id, struct span type,
                const struct opt_out *opt_out)
{
    struct strbuf consent = {.arena = e->desk->arena};
    if (opt_out->key.about != CONSENT_CHANNEL && opt_out->key.about != CONSENT_ALL)
        return; /* what was said of classes binds the customer, not the address */
    consent_write(&consent, opt_out->key.name, false);
    *arena_push(e->desk->arena, &e->opt_outs) = (struct kept_opt_out){
        address_id, type, opt_out->key.name, strbuf_span(&consent), opt_out->fact->at};
}

/* Of the members, by the active identity policy. */
static enum outcome find_addresses(struct erasure *e, struct db_result **r, struct err *err)
{
    struct params p;
    struct identity_policy *policy = arena_new(e->desk->arena, struct identity_policy);
    CHECK(identifier_policy(e->desk, policy, err));
    struct span *types = arena_array(e->desk->arena, struct span, policy->type_count);
    size_t count = 0;
    for (size_t i = 0; i < policy->type_count; i++)
        if (policy->types[i].address_of.len > 0)
            types[count++] = policy->types[i].name;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, e->members, sizeof *e->members, e->count);
    params_text_array(&p, types, sizeof *types, count);
    return db_run(e->desk->db, &sql_erase_opt_out_addresses, &p, r, NULL, err);
}

static enum outcome judge(struct erasure *e, const struct contact_policy *policy, struct err *err)
{
    struct db_result *r = NULL;
    struct said said;
    CHECK(read_said(e, &said, err));
    CHECK(find_addresses(e, &r, err));
    const struct contact_fact **facts =
        arena_array(e->desk->arena, const struct contact_fact *, said.count);
    for (int row = 0; row < db_rows(r); row++) {
        struct id address_id = db_uuid(r, row, 0);
        struct span type = arena_copy(e->desk->arena, db_bytes(r, row, 1));
        size_t count = said_of(&said, id_short(&address_id), facts);
        struct opt_outs list = consent_opt_outs(policy, facts, count, e->desk->arena);
        for (size_t i = 0; i < list.count; i++)
            add(e, address_id, type, &list.items[i]);
    }
    return OUTCOME_OK;
}

/* Of those who were erased together with these identifiers before. */
static enum outcome look_left(struct erasure *e, const struct id *ids, size_t count, bool takes,
                              struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, ids, sizeof *ids, count);
    CHECK(db_run(e->desk->db, takes ? &sql_erase_take_opt_outs : &sql_erase_count_left, &p, &r,
                 NULL, err));
    e->left_opt_outs = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome erase_find_opt_outs(struct erasure *e, bool executes, struct err *err)
{
    const struct contact_policy *policy;
    CHECK(contact_ledger_policy(e->desk->db, e->desk->arena, &policy, err));
    e->keeps_opt_outs = policy->keep_opt_outs && !e->request->takes_opt_outs;
    e->opt_outs.count = 0;
    e->left_opt_outs = 0;
    CHECK(judge(e, policy, err));
    return e->request->takes_opt_outs ? look_left(e, e->members, e->count, executes, err)
                                      : OUTCOME_OK;
}

enum outcome erase_keep_opt_outs(struct erasure *e, struct err *err)
{
    const struct kept_opt_out *first = e->opt_outs.items;
    size_t count = e->opt_outs.count, stride = sizeof *first;
    struct params p;
    if (count == 0 || !e->keeps_opt_outs)
        return OUTCOME_OK;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, &first->address_id, stride, count);
    params_text_array(&p, &first->type, stride, count);
    params_text_array(&p, &first->channel, stride, count);
    params_text_array(&p, &first->consent, stride, count);
    params_timestamptz_array(&p, &first->said_no_at, stride, count);
    return db_run(e->desk->db, &sql_erase_keep_opt_outs, &p, NULL, NULL, err);
}

enum outcome erase_look_left(struct erasure *e, bool executes, struct err *err)
{
    struct err why = *err;
    if (!e->request->takes_opt_outs || strcmp(err->code, "erased_already") != 0)
        return OUTCOME_REJECT;
    CHECK(look_left(e, &e->identifier, 1, executes, err));
    if (e->left_opt_outs > 0)
        return OUTCOME_OK;
    *err = why;
    return OUTCOME_REJECT;
}
