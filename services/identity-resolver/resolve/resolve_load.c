/* resolve_load.c: locks and reads profiles (members, links, orders about them), then adds the
 * batch. */
#include "services/identity-resolver/resolve/resolve_work.h"

/* ---- locks ---- */
static int32_t stripe_of(const struct id *profile)
{
    return profile->bytes[0] << 8 | profile->bytes[1];
}

static bool has_bit(const uint8_t *bits, int32_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static void set_bit(uint8_t *bits, int32_t i)
{
    bits[i >> 3] |= (uint8_t)(1 << (i & 7));
}

static void note_held(struct work *work, const struct stripe_list *stripes)
{
    for (size_t i = 0; i < stripes->count; i++) {
        set_bit(work->held, stripes->items[i]);
        set_bit(work->request->stripes, stripes->items[i]);
    }
    if (stripes->count > 0 && stripes->items[stripes->count - 1] > work->highest)
        work->highest = stripes->items[stripes->count - 1];
}

/* It may wait for a stripe above all that it holds. Below, it must not wait: if a stripe is taken,
 * everything starts again with all of these first. */
static enum outcome lock_stripes(struct work *work, const struct stripe_list *stripes,
                                 struct err *err)
{
    bool all = true, is_upwards = stripes->count == 0 || stripes->items[0] > work->highest;
    if (stripes->count == 0)
        return OUTCOME_OK;
    if (is_upwards)
        CHECK(identity_store_lock_stripes(work->resolver->db, work->arena, stripes, err));
    else
        CHECK(identity_store_try_stripes(work->resolver->db, work->arena, stripes, &all, err));
    note_held(work, stripes);
    work->starts_again = !all;
    return all ? OUTCOME_OK
               : err_set(err, OUTCOME_RETRY, "lock_order",
                         "another instance holds a profile that is needed");
}

/* Locks the stripes of `profiles` (sorted) that are not held, and at the start also those that
 * earlier attempts needed. */
static enum outcome lock_profiles(struct work *work, const struct id_list *profiles,
                                  struct err *err)
{
    struct stripe_list needed = {0};
    uint8_t *first = work->request->stripes;
    bool is_start = work->highest < 0;
    for (size_t i = 0; i < profiles->count; i++) {
        int32_t stripe = stripe_of(&profiles->items[i]);
        if (is_start)
            set_bit(first, stripe);
        else if (!has_bit(work->held, stripe) &&
                 (needed.count == 0 || needed.items[needed.count - 1] != stripe))
            *arena_push(work->arena, &needed) = stripe;
    }
    for (int32_t i = 0; is_start && i < STRIPES; i++)
        if (first[i >> 3] == 0)
            i |= 7;
        else if (has_bit(first, i))
            *arena_push(work->arena, &needed) = i;
    return lock_stripes(work, &needed, err);
}

/* ---- members ---- */
static struct member *add_member(struct work *work, const struct identifier_row *row, bool is_new)
{
    bool is_first;
    uint32_t *at = map_put(&work->member_of, &row->identifier_id, &is_first);
    if (!is_first)
        return &work->members.items[*at];
    *at = (uint32_t)work->members.count;
    struct member *member = arena_push(work->arena, &work->members);
    *member = (struct member){.row = *row,
                              .first_seen = row->first_seen,
                              .profile_id = row->profile_id,
                              .type = identity_type_of_rank(&work->resolver->policy, row->type),
                              .is_new = is_new,
                              .is_quarantined = row->is_quarantined,
                              .has_refused = row->has_refused};
    return member;
}

static enum outcome add_members(struct work *work, const struct identifier_rows *rows,
                                struct err *err)
{
    for (size_t i = 0; i < rows->count; i++)
        if (add_member(work, &rows->items[i], false)->type < 0)
            return err_set(err, OUTCOME_FATAL, "unknown_type",
                           "the database has identifiers of type %d, which the policy lacks",
                           (int)rows->items[i].type);
    return OUTCOME_OK;
}

/* ---- links ---- */
static struct edge *put_edge(struct work *work, const struct link_key *key, bool *is_first)
{
    uint32_t *at = map_put(&work->edge_of, key, is_first);
    if (*is_first) {
        *at = (uint32_t)work->edges.count;
        *arena_push(work->arena, &work->edges) = (struct edge){.row.key = *key,
                                                               .a = NO_MEMBER,
                                                               .b = NO_MEMBER,
                                                               .stored = NOT_STORED,
                                                               .far_type = TYPE_UNKNOWN};
    }
    return &work->edges.items[*at];
}

static void add_stored_links(struct work *work, const struct link_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        bool is_first;
        struct edge *edge = put_edge(work, &rows->items[i].key, &is_first);
        if (edge->stored != NOT_STORED)
            continue;
        edge->row = rows->items[i];
        edge->stored = rows->items[i].refused_by;
        edge->is_observed = true;
    }
}

enum outcome work_load_links(struct work *work, const struct id_list *members,
                             bool only_quarantined, struct err *err)
{
    struct link_rows rows = {0};
    struct db *db = work->resolver->db;
    if (members->count == 0)
        return OUTCOME_OK;
    if (only_quarantined)
        CHECK(identity_store_quarantined_links(db, work->arena, members->items, members->count,
                                               &rows, err));
    else
        CHECK(identity_store_member_links(db, work->arena, members->items, members->count, &rows,
                                          err));
    work->request->committed->counts.rows_read += rows.count;
    add_stored_links(work, &rows);
    return OUTCOME_OK;
}

/* ---- orders ---- */
/* Orders come oldest first, and all orders of a pair together. */
static void take_order(struct work *work, const struct order_row *row)
{
    map_put(&work->ordered, &row->key.a, NULL);
    map_put(&work->ordered, &row->key.b, NULL);
    if (row->kind == ORDER_RELEASE) {
        map_put(&work->released, &row->key.a, NULL);
        return;
    }
    bool is_first;
    put_edge(work, &row->key, &is_first)->is_manual = order_links(row->kind);
    *(enum order_kind *)map_put(&work->newest, &row->key, NULL) = row->kind;
}

static enum outcome load_orders(struct work *work, const struct id_list *ids, struct err *err)
{
    struct order_rows rows = {0};
    CHECK(identity_store_find_orders(work->resolver->db, work->arena, ids->items, ids->count, &rows,
                                     err));
    for (size_t i = 0; i < rows.count; i++)
        take_order(work, &rows.items[i]);
    for (size_t i = 0; i < ids->count; i++)
        find_member(work, &ids->items[i])->is_released =
            map_find(&work->released, &ids->items[i]) != NULL;
    return OUTCOME_OK;
}

/* ---- aliases ---- */
static enum outcome load_aliases(struct work *work, const struct id_list *ids, struct err *err)
{
    const struct identity_policy *policy = &work->resolver->policy;
    struct alias_rows rows = {0};
    if (policy->trust_count == 0 || ids->count == 0)
        return OUTCOME_OK;
    CHECK(identity_store_find_aliases(work->resolver->db, work->arena, ids->items, ids->count,
                                      &rows, err));
    for (size_t i = 0; i < rows.count; i++)
        if (identity_may_alias(policy, rows.items[i].topic, rows.items[i].source))
            map_put(&work->aliases, &rows.items[i].key, NULL);
    return OUTCOME_OK;
}

/* ---- profiles ---- */
/* Reads the links of members from `first` on. Links of quarantined identifiers are not read: there
 * may be millions, and all are refused. */
static enum outcome load_links_from(struct work *work, size_t first, struct err *err)
{
    struct id_list linked = {0};
    for (size_t i = first; i < work->members.count; i++) {
        const struct member *member = &work->members.items[i];
        if (!member->is_new && !member->is_plain && !member->row.is_quarantined)
            *arena_push(work->arena, &linked) = member->row.identifier_id;
    }
    return work_load_links(work, &linked, false, err);
}

static enum outcome load_profiles(struct work *work, struct id_list *profiles, struct err *err)
{
    struct identifier_rows rows = {0};
    struct id_list all = {0};
    size_t first = work->members.count;
    id_list_unique(profiles);
    if (profiles->count == 0)
        return OUTCOME_OK;
    CHECK(lock_profiles(work, profiles, err));
    CHECK(identity_store_members(work->resolver->db, work->arena, profiles->items, profiles->count,
                                 &rows, err));
    CHECK(add_members(work, &rows, err));
    work->request->committed->counts.rows_read += rows.count;
    for (size_t i = first; i < work->members.count; i++)
        *arena_push(work->arena, &all) = work->members.items[i].row.identifier_id;
    if (work->has_orders && all.count > 0)
        CHECK(load_orders(work, &all, err));
    CHECK(load_aliases(work, &all, err));
    return work->leaves_links ? OUTCOME_OK : load_links_from(work, first, err);
}

/* Reads until all are there. *missing: identifiers that the database does not have. */
static enum outcome load_all(struct work *work, const struct id *ids, size_t count,
                             struct id_list *hints, struct id_list *missing, struct err *err)
{
    if (hints && hints->count > 0)
        CHECK(load_profiles(work, hints, err));
    for (;;) {
        struct identifier_rows rows = {0};
        struct id_list profiles = {0};
        *missing = (struct id_list){0};
        for (size_t i = 0; i < count; i++)
            if (find_member(work, &ids[i]) == NULL)
                *arena_push(work->arena, missing) = ids[i];
        if (missing->count == 0)
            return OUTCOME_OK;
        CHECK(identity_store_find_identifiers(work->resolver->db, work->arena, missing->items,
                                              missing->count, &rows, err));
        for (size_t i = 0; i < rows.count; i++)
            *arena_push(work->arena, &profiles) = rows.items[i].profile_id;
        if (rows.count == 0)
            return OUTCOME_OK;
        CHECK(load_profiles(work, &profiles, err));
    }
}

enum outcome work_load(struct work *work, const struct id *ids, size_t count, struct id_list *hints,
                       struct err *err)
{
    struct id_list missing;
    CHECK(load_all(work, ids, count, hints, &missing, err));
    return missing.count == 0 ? OUTCOME_OK
                              : err_set(err, OUTCOME_REJECT, "identifier_unknown",
                                        "an identifier was never seen in a touchpoint");
}

void work_bring_inside(struct work *work, const struct id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct member *member = find_member(work, &ids[i]);
        if (member)
            map_put(&work->inside, &member->row.profile_id, NULL);
    }
    struct member *members = work->members.items;
    for (size_t i = 0; members && i < work->members.count; i++) {
        struct member *member = &members[i];
        if (member->is_inside || member->is_new ||
            map_find(&work->inside, &member->row.profile_id) == NULL)
            continue;
        member->is_inside = true;
        member->joined = work->round;
    }
}

void work_bring_all_inside(struct work *work)
{
    struct id_list ids = {0};
    for (size_t i = 0; i < work->members.count; i++)
        *arena_push(work->arena, &ids) = work->members.items[i].row.identifier_id;
    work_bring_inside(work, ids.items, ids.count);
}

/* ---- the batch ---- */
/* Known identifiers are stored for certain, nearly always still in the cached profile. Unknown ones
 * are new, unless their key turned out to be taken. */
static enum outcome known_of_batch(struct work *work, struct id_list *known, struct id_list *hints,
                                   struct err *err)
{
    const struct identifier_rows *wanted = &work->request->wanted;
    struct identifier_rows found = {0};
    struct id_list unknown = {0};
    for (size_t i = 0; i < wanted->count; i++) {
        const struct id *id = &wanted->items[i].identifier_id;
        const struct cached_identifier *cached = resolver_known(work->resolver, id);
        if (cached)
            *arena_push(work->arena, hints) = cached->profile_id;
        *arena_push(work->arena, cached ? known : &unknown) = *id;
    }
    if (!work->request->is_careful || unknown.count == 0)
        return OUTCOME_OK;
    CHECK(identity_store_find_identifiers(work->resolver->db, work->arena, unknown.items,
                                          unknown.count, &found, err));
    for (size_t i = 0; i < found.count; i++) {
        *arena_push(work->arena, hints) = found.items[i].profile_id;
        *arena_push(work->arena, known) = found.items[i].identifier_id;
    }
    return OUTCOME_OK;
}

static void find_anchors(struct request *request)
{
    map_init(&request->anchors, request->arena, sizeof(struct id), sizeof(bool));
    for (size_t i = 0; i < request->uncovered->count; i++)
        if (!request->uncovered->items[i].lacks_anchor)
            map_put(&request->anchors, &request->uncovered->items[i].ids[0].id, NULL);
}

/* Readers know profiles by their anchors, but an identifier of a unique type says something of its
 * profile even if it never is one. */
static bool needs_telling(struct work *work, const struct member *member)
{
    struct request *request = work->request;
    if (member->type < 0 || !work->resolver->policy.types[member->type].is_unique)
        return false;
    if (request->anchors.key_size == 0)
        find_anchors(request);
    return map_find(&request->anchors, &member->row.identifier_id) == NULL;
}

static enum outcome add_batch_members(struct work *work, struct err *err)
{
    const struct identifier_rows *wanted = &work->request->wanted;
    for (size_t i = 0; i < wanted->count; i++) {
        struct member *member = find_member(work, &wanted->items[i].identifier_id);
        if (member == NULL) {
            member = add_member(work, &wanted->items[i], true);
            member->is_inside = true;
            member->is_told = needs_telling(work, member);
        }
        member->is_wanted = true;
        if (instant_compare(wanted->items[i].first_seen, member->first_seen) < 0)
            member->first_seen = wanted->items[i].first_seen;
        if (member->type < 0)
            return err_set(err, OUTCOME_FATAL, "unknown_type",
                           "an identifier has a type that the policy lacks");
    }
    return OUTCOME_OK;
}

static void bring_batch_inside(struct work *work)
{
    const struct identifier_rows *wanted = &work->request->wanted;
    struct id_list stored = {0};
    for (size_t i = 0; i < wanted->count; i++)
        if (!find_member(work, &wanted->items[i].identifier_id)->is_new)
            *arena_push(work->arena, &stored) = wanted->items[i].identifier_id;
    work_bring_inside(work, stored.items, stored.count);
}

/* Links between two quarantined identifiers were not read with the members. */
static enum outcome find_skipped_links(struct work *work, struct err *err)
{
    const struct link_rows *links = &work->request->links;
    struct link_rows skipped = {0}, found = {0};
    for (size_t i = 0; i < links->count; i++)
        if (find_member(work, &links->items[i].key.a)->row.is_quarantined &&
            find_member(work, &links->items[i].key.b)->row.is_quarantined)
            *arena_push(work->arena, &skipped) = links->items[i];
    if (skipped.count == 0)
        return OUTCOME_OK;
    CHECK(identity_store_find_links(work->resolver->db, work->arena, skipped.items, skipped.count,
                                    &found, err));
    add_stored_links(work, &found);
    return OUTCOME_OK;
}

static void add_batch_links(struct work *work)
{
    const struct link_rows *links = &work->request->links;
    for (size_t i = 0; i < links->count; i++) {
        const struct link_row *row = &links->items[i];
        bool is_first;
        struct edge *edge = put_edge(work, &row->key, &is_first);
        edge->is_wanted = true;
        if (!edge->is_observed) {
            edge->row = *row;
            edge->is_observed = true;
            find_member(work, &row->key.a)->has_news = find_member(work, &row->key.b)->has_news =
                true;
            continue;
        }
        if (link_row_compare(row, &edge->row) >= 0)
            continue;
        edge->row.is_indirect = row->is_indirect;
        edge->row.first_seen = row->first_seen;
        edge->row.evidence = row->evidence;
        edge->is_older = true;
    }
}

/* A batch says only what the policy trusts. */
static void add_batch_aliases(struct work *work)
{
    const struct alias_rows *aliases = &work->request->aliases;
    for (size_t i = 0; i < aliases->count; i++)
        if (identity_may_alias(&work->resolver->policy, aliases->items[i].topic,
                               aliases->items[i].source))
            map_put(&work->aliases, &aliases->items[i].key, NULL);
}

enum outcome work_load_batch(struct work *work, struct err *err)
{
    struct id_list known = {0}, hints = {0}, missing;
    CHECK(known_of_batch(work, &known, &hints, err));
    work->leaves_links = true;
    CHECK(load_all(work, known.items, known.count, &hints, &missing, err));
    work->leaves_links = false;
    CHECK(add_batch_members(work, err));
    bring_batch_inside(work);
    add_batch_aliases(work);
    if (!work->is_review)
        work_settle_plain(work);
    CHECK(load_links_from(work, 0, err));
    CHECK(find_skipped_links(work, err));
    add_batch_links(work);
    return OUTCOME_OK;
}
