/* identity_rotate.c: `tutti identity rotate-key`: the exchange of the key of identifier hashes,
 * phase by phase, while services run (services/identity-resolver/keys/identity_keys.h). --to names
 * the phase to be reached, so that the same words again do nothing more. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/identity.h"
#include "cli/identity_rotate.h"
#include "cli_sql.h"

struct rotation {
    struct call *call;
    struct db *db;
    struct identity_keys keys;
    struct key_state state;
    int64_t identifiers, unfound, erased, erased_unfound;
    uint64_t added, left; /* of raw values */
    struct strbuf *json;  /* NULL: as text */
};

static const char *const phases[] = {"one key", "announced", "rotating"};

/* ---- how far it is ---- */
/* Before the new key is at work nothing is found by it. */
static int16_t new_number(const struct rotation *rotation)
{
    return (int16_t)(rotation->state.number + (rotation->state.phase == KEYS_ANNOUNCED));
}

static enum outcome look(struct rotation *rotation, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    CHECK(key_state_read(rotation->db, &rotation->call->arena, &rotation->state, err));
    params_init(&p, &rotation->call->arena);
    params_int2(&p, new_number(rotation));
    CHECK(db_run(rotation->db, &sql_rotate_progress, &p, &r, NULL, err));
    rotation->identifiers = db_int8(r, 0, 0);
    rotation->unfound = rotation->state.phase == KEYS_ONE ? 0 : db_int8(r, 0, 1);
    rotation->erased = db_int8(r, 0, 2);
    rotation->erased_unfound = rotation->state.phase == KEYS_ONE ? 0 : db_int8(r, 0, 3);
    return OUTCOME_OK;
}

static void print_tombstones(struct rotation *rotation, const struct db_result *r)
{
    if (rotation->json)
        strbuf_addf(rotation->json, ",\"lost\":[");
    else if (db_rows(r) > 0)
        printf("tombstones that the previous key alone finds, the newest:\n");
    for (int row = 0; row < db_rows(r); row++) {
        char id[37], at[32];
        struct id identifier = db_uuid(r, row, 0);
        id_to_uuid(&identifier, id);
        instant_format(db_timestamptz(r, row, 1), at);
        if (rotation->json)
            strbuf_addf(rotation->json, "%s{\"identifier\":\"%s\",\"erased_at\":\"%s\"}",
                        row ? "," : "", id, at);
        else
            printf("  %s  erased at %s\n", id, at);
    }
    if (rotation->json)
        strbuf_addf(rotation->json, "]");
}

static enum outcome name_tombstones(struct rotation *rotation, int64_t limit, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    if (rotation->erased_unfound == 0)
        return OUTCOME_OK;
    params_init(&p, &rotation->call->arena);
    params_int2(&p, new_number(rotation));
    params_int8(&p, limit);
    CHECK(db_run(rotation->db, &sql_rotate_tombstones, &p, &r, NULL, err));
    print_tombstones(rotation, r);
    return OUTCOME_OK;
}

static void print_state(struct rotation *rotation)
{
    const char *phase = phases[rotation->state.phase];
    if (rotation->json) {
        strbuf_addf(rotation->json,
                    "{\"phase\":\"%s\",\"key_number\":%d,\"identifiers\":%" PRId64
                    ",\"only_by_previous\":%" PRId64 ",\"erased\":%" PRId64
                    ",\"erased_only_by_previous\":%" PRId64 ",\"added\":%" PRIu64
                    ",\"unusable\":%" PRIu64,
                    phase, rotation->state.number, rotation->identifiers, rotation->unfound,
                    rotation->erased, rotation->erased_unfound, rotation->added, rotation->left);
        return;
    }
    printf("%s; key number %d\n", phase, rotation->state.number);
    printf("%12" PRId64 "  identifiers\n", rotation->identifiers);
    if (rotation->state.phase != KEYS_ONE)
        printf("%12" PRId64 "  of them are not found by the new key yet\n", rotation->unfound);
    printf("%12" PRId64 "  tombstones of erased identifiers\n", rotation->erased);
    if (rotation->state.phase != KEYS_ONE)
        printf("%12" PRId64 "  of them are not found by the new key yet\n",
               rotation->erased_unfound);
}

/* ---- the steps ---- */
static bool is_given(const struct rotation *rotation, size_t i, const struct id *fingerprint)
{
    return rotation->keys.given_count > i &&
           id_equal(&rotation->keys.given[i].fingerprint, fingerprint);
}

/* The new key is given as identity.key_file, the one at work as identity.previous_key_file. */
static enum outcome expect_given(const struct rotation *rotation, const struct id *next,
                                 struct err *err)
{
    const struct given_key *given = rotation->keys.given;
    bool fits = rotation->keys.given_count == MAX_GIVEN_KEYS &&
                is_given(rotation, 1, &rotation->state.current) &&
                !id_equal(&given[0].fingerprint, &given[1].fingerprint) &&
                (next == NULL || is_given(rotation, 0, next));
    return fits ? OUTCOME_OK
                : err_set(err, OUTCOME_REJECT, "other_setting",
                          "identity.key_file must be the new key%s, and identity.previous_key_file "
                          "the one that is at work",
                          next ? " that was announced" : "");
}

/* Ids that were made with it are found by it already: nobody could tell when the exchange back is
 * done. */
static enum outcome expect_unused(const struct rotation *rotation, struct err *err)
{
    static const struct statement find = {"rotate_former_key",
                                          "SELECT name FROM identity.settings WHERE name LIKE "
                                          "'former\\_key\\_%' AND value = $1::uuid::text"};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &rotation->call->arena);
    params_uuid(&p, &rotation->keys.given[0].fingerprint);
    CHECK(db_run(rotation->db, &find, &p, &r, NULL, err));
    bool is_used = db_rows(r) > 0;
    return is_used ? err_set(err, OUTCOME_REJECT, "former_key",
                             "identity.key_file was at work before: take a key that is new")
                   : OUTCOME_OK;
}

/* Both are given, and the new one is the current key: its exchange is that far already, or over. */
static bool is_at_work(const struct rotation *rotation)
{
    return rotation->keys.given_count == MAX_GIVEN_KEYS &&
           is_given(rotation, 0, &rotation->state.current);
}

static enum outcome expect_at_work(struct rotation *rotation, struct err *err)
{
    if (!is_at_work(rotation))
        return err_set(err, OUTCOME_REJECT, "key_phase",
                       "an exchange to another key than identity.key_file is under way");
    say("the key of identity.key_file is at work already");
    return OUTCOME_OK;
}

static enum outcome announce(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    if (is_at_work(rotation))
        return expect_at_work(rotation, err);
    CHECK(expect_given(rotation, NULL, err));
    CHECK(expect_unused(rotation, err));
    to.next = rotation->keys.given[0].fingerprint;
    CHECK(key_state_write(rotation->db, &rotation->call->arena, &rotation->state, &to, err));
    say("announced: an identity-resolver that lacks the new key ends with its next transaction");
    return OUTCOME_OK;
}

static enum outcome expect_announced(struct rotation *rotation, struct err *err)
{
    CHECK(expect_given(rotation, &rotation->state.next, err));
    say("the key of identity.key_file is announced already");
    return OUTCOME_OK;
}

static enum outcome refuse_unannounced(struct rotation *rotation, struct err *err)
{
    return is_at_work(rotation) ? expect_at_work(rotation, err)
                                : err_set(err, OUTCOME_REJECT, "key_phase",
                                          "the new key is not announced: --to announced first");
}

static enum outcome fill(struct rotation *rotation, struct err *err)
{
    CHECK(identity_keys_follow(&rotation->keys, rotation->db, &rotation->call->arena, err));
    return rotate_fill(rotation->call, rotation->db, &rotation->keys, &rotation->added,
                       &rotation->left, err);
}

static enum outcome make_current(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    CHECK(expect_given(rotation, &rotation->state.next, err));
    to.previous = to.current;
    to.current = to.next;
    to.next = (struct id){{0}};
    to.number++;
    CHECK(key_state_write(rotation->db, &rotation->call->arena, &rotation->state, &to, err));
    say("the new key is at work");
    return fill(rotation, err);
}

static enum outcome cancel(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    if (rotation->state.phase != KEYS_ANNOUNCED)
        return err_set(err, OUTCOME_REJECT, "key_phase",
                       "no key is announced that is not at work yet");
    to.next = (struct id){{0}};
    return key_state_write(rotation->db, &rotation->call->arena, &rotation->state, &to, err);
}

static enum outcome refuse_unfinished(struct rotation *rotation, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "key_phase",
                   "the new key is not at work: --to rotating first");
}

/* The end may have been interrupted. */
static enum outcome finish_again(struct rotation *rotation, struct err *err)
{
    if (rotation->state.number == 0)
        return err_set(err, OUTCOME_REJECT, "key_phase", "no exchange of keys is under way");
    return rotate_forget(rotation->db, rotation->state.number, err);
}

static enum outcome finish(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    if (!is_given(rotation, 0, &to.current))
        return err_set(err, OUTCOME_REJECT, "other_setting",
                       "identity.key_file must be the key that is at work");
    if (rotation->unfound + rotation->erased_unfound > 0 && !call_has(rotation->call, "force"))
        return err_set(err, OUTCOME_REJECT, "not_found_yet",
                       "%" PRId64
                       " identifiers would no longer be recognised, and input of %" PRId64
                       " erased ones would no longer be dropped; --force finishes all the same",
                       rotation->unfound, rotation->erased_unfound);
    to.previous = (struct id){{0}};
    CHECK(key_state_write(rotation->db, &rotation->call->arena, &rotation->state, &to, err));
    return rotate_forget(rotation->db, to.number, err);
}

/* What leads to the phase of --to, from each phase; nothing leads over two. */
static const struct target {
    const char *name;
    enum outcome (*from[3])(struct rotation *rotation, struct err *err);
} targets[] = {
    {"announced",
     {[KEYS_ONE] = announce,
      [KEYS_ANNOUNCED] = expect_announced,
      [KEYS_ROTATING] = expect_at_work}},
    {"rotating",
     {[KEYS_ONE] = refuse_unannounced, [KEYS_ANNOUNCED] = make_current, [KEYS_ROTATING] = fill}},
    {"finished",
     {[KEYS_ONE] = finish_again, [KEYS_ANNOUNCED] = refuse_unfinished, [KEYS_ROTATING] = finish}},
};

static const struct target *target_of(const struct call *call)
{
    const char *to = call_option(call, "to");
    for (size_t i = 0; to && i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i].name, to) == 0)
            return &targets[i];
    return NULL;
}

static enum outcome step(struct rotation *rotation, struct err *err)
{
    return call_has(rotation->call, "cancel")
               ? cancel(rotation, err)
               : target_of(rotation->call)->from[rotation->state.phase](rotation, err);
}

static void say_next(const struct rotation *rotation)
{
    static const char *const next[] = {
        "--to announced --execute announces the key of identity.key_file; every identity-resolver "
        "must have it, and the one at "
        "work as "
        "identity.previous_key_file",
        "--to rotating --execute makes the new key the current one; --cancel --execute takes the "
        "announcement back",
        "--to rotating --execute hashes kept raw values with the new key; --to finished --execute "
        "forgets the previous key"};
    say("%s", next[rotation->state.phase]);
}

static enum outcome run(struct rotation *rotation, int64_t limit, struct err *err)
{
    bool executes = call_has(rotation->call, "execute");
    if (executes)
        CHECK(database_check_anchors(rotation->db, err));
    CHECK(look(rotation, err));
    enum outcome o = executes ? step(rotation, err) : OUTCOME_OK;
    if (o == OUTCOME_OK && executes)
        CHECK(look(rotation, err));
    print_state(rotation);
    if (name_tombstones(rotation, limit, o == OUTCOME_OK ? err : &(struct err){0}) != OUTCOME_OK)
        return OUTCOME_FATAL;
    if (rotation->json)
        printf(SPAN_FMT ",\"executed\":%s}\n", SPAN_ARG(strbuf_span(rotation->json)),
               executes && o == OUTCOME_OK ? "true" : "false");
    if (!rotation->json && o == OUTCOME_OK)
        say_next(rotation);
    return o;
}

static enum exit_status check_words(const struct call *call)
{
    bool cancels = call_has(call, "cancel");
    if (call_has(call, "to") && (cancels || target_of(call) == NULL))
        return misuse(call, cancels ? "--to or --cancel, not both"
                                    : "--to: expected announced, rotating or finished");
    if (call_has(call, "execute") && !cancels && !call_has(call, "to"))
        return misuse(call, "--execute needs --to announced, rotating or finished, or --cancel");
    return EXIT_DONE;
}

enum exit_status identity_rotate(struct call *call)
{
    struct strbuf json = {.arena = &call->arena};
    struct rotation rotation = {.call = call, .json = call_has(call, "json") ? &json : NULL};
    struct err err = {0};
    int64_t limit;
    if (!call_number(call, "limit", 0, 1000000, 5, &limit))
        return EXIT_USAGE;
    enum exit_status status = check_words(call);
    if (status != EXIT_DONE)
        return status;
    enum outcome o = identity_keys_read(call->config, &rotation.keys, &err);
    if (o == OUTCOME_OK)
        o = database_connect(call, &rotation.db, &err);
    if (o == OUTCOME_OK)
        o = run(&rotation, limit, &err);
    db_close(rotation.db);
    return o == OUTCOME_OK ? EXIT_DONE : failed(&err);
}
