/* rotate.c: one step of the exchange from each phase to each goal; see rotate.h. */
#include "operations/keys/rotate.h"

#include <inttypes.h>

#include "keys_sql.h"
#include "operations/lock_out.h"

struct rotation {
    struct desk *desk;
    const struct rotate_request *request;
    struct identity_keys keys;
    struct key_state state;
    int64_t identifiers, unfound, erased, erased_unfound, kept_unfound;
    uint64_t added, left; /* of raw values */
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
    CHECK(key_state_read(rotation->desk->db, rotation->desk->arena, &rotation->state, err));
    params_init(&p, rotation->desk->arena);
    params_int2(&p, new_number(rotation));
    CHECK(db_run(rotation->desk->db, &sql_rotate_progress, &p, &r, NULL, err));
    rotation->identifiers = db_int8(r, 0, 0);
    rotation->unfound = rotation->state.phase == KEYS_ONE ? 0 : db_int8(r, 0, 1);
    rotation->erased = db_int8(r, 0, 2);
    rotation->erased_unfound = rotation->state.phase == KEYS_ONE ? 0 : db_int8(r, 0, 3);
    rotation->kept_unfound = rotation->state.phase == KEYS_ONE ? 0 : db_int8(r, 0, 4);
    return OUTCOME_OK;
}

static enum outcome name_tombstones(const struct rotation *rotation, struct report *report,
                                    struct err *err)
{
    static const struct section_form form = {
        .name = "lost",
        .line = "  {identifier}  erased at {erased_at}; opt-outs kept: {opt_outs_kept}",
        .columns = {
            {"identifier", CELL_ID}, {"erased_at", CELL_INSTANT}, {"opt_outs_kept", CELL_INTEGER}}};
    struct params p;
    struct db_result *r = NULL;
    if (rotation->erased_unfound == 0)
        return OUTCOME_OK;
    params_init(&p, report->arena);
    params_int2(&p, new_number(rotation));
    params_int8(&p, rotation->request->limit);
    CHECK(db_run(rotation->desk->db, &sql_rotate_tombstones, &p, &r, NULL, err));
    if (db_rows(r) > 0)
        report_line(report, "tombstones that the previous key alone finds, first those with "
                            "opt-outs, then the newest:");
    struct report_part *section = report_section(report, &form);
    for (int row = 0; row < db_rows(r); row++) {
        struct id identifier = db_uuid(r, row, 0);
        REPORT_ROW(report, section, cell_id(&identifier), cell_instant(db_timestamptz(r, row, 1)),
                   cell_integer(db_int8(r, row, 2)));
    }
    return OUTCOME_OK;
}

static void report_state(const struct rotation *rotation, struct report *report)
{
    bool is_open = rotation->state.phase != KEYS_ONE;
    const char *phase = phases[rotation->state.phase],
               *unfound = is_open ? "of them are not found by the new key yet" : NULL;
    report_line(report, "%s; key number %d", phase, rotation->state.number);
    report_value(report, "phase", cell_words(phase), NULL);
    report_value(report, "key_number", cell_integer(rotation->state.number), NULL);
    report_value(report, "identifiers", cell_integer(rotation->identifiers), "identifiers");
    report_value(report, "only_by_previous", cell_integer(rotation->unfound), unfound);
    report_value(report, "erased", cell_integer(rotation->erased),
                 "tombstones of erased identifiers");
    report_value(report, "erased_only_by_previous", cell_integer(rotation->erased_unfound),
                 unfound);
    report_value(report, "kept_only_by_previous", cell_integer(rotation->kept_unfound),
                 rotation->kept_unfound > 0 ? "of these are addresses whose opt-outs were kept; "
                                              "without the previous key these bind nobody"
                                            : NULL);
    report_value(report, "added", cell_integer((int64_t)rotation->added), NULL);
    report_value(report, "unusable", cell_integer((int64_t)rotation->left), NULL);
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

/* Ids that were made with a former key are found by it already, so it could not be told when the
 * exchange back to it is done. */
static enum outcome expect_unused(const struct rotation *rotation, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, rotation->desk->arena);
    params_uuid(&p, &rotation->keys.given[0].fingerprint);
    CHECK(db_run(rotation->desk->db, &sql_rotate_former_key, &p, &r, NULL, err));
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
    desk_note(rotation->desk, "the key of identity.key_file is at work already");
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
    CHECK(key_state_write(rotation->desk->db, rotation->desk->arena, &rotation->state, &to, err));
    desk_note(
        rotation->desk,
        "announced: an identity-resolver that lacks the new key ends with its next transaction");
    return OUTCOME_OK;
}

static enum outcome expect_announced(struct rotation *rotation, struct err *err)
{
    CHECK(expect_given(rotation, &rotation->state.next, err));
    desk_note(rotation->desk, "the key of identity.key_file is announced already");
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
    CHECK(identity_keys_follow(&rotation->keys, rotation->desk->db, rotation->desk->arena, err));
    return rotate_fill(rotation->desk, &rotation->keys, &rotation->added, &rotation->left, err);
}

static enum outcome make_current(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    CHECK(expect_given(rotation, &rotation->state.next, err));
    to.previous = to.current;
    to.current = to.next;
    to.next = (struct id){{0}};
    to.number++;
    CHECK(key_state_write(rotation->desk->db, rotation->desk->arena, &rotation->state, &to, err));
    desk_note(rotation->desk, "the new key is at work");
    return fill(rotation, err);
}

static enum outcome cancel(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    if (rotation->state.phase != KEYS_ANNOUNCED)
        return err_set(err, OUTCOME_REJECT, "key_phase",
                       "no key is announced that is not at work yet");
    to.next = (struct id){{0}};
    return key_state_write(rotation->desk->db, rotation->desk->arena, &rotation->state, &to, err);
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
    return rotate_forget(rotation->desk, rotation->state.number, err);
}

static enum outcome finish(struct rotation *rotation, struct err *err)
{
    struct key_state to = rotation->state;
    if (!is_given(rotation, 0, &to.current))
        return err_set(err, OUTCOME_REJECT, "other_setting",
                       "identity.key_file must be the key that is at work");
    if (rotation->unfound + rotation->erased_unfound > 0 && !rotation->request->forces)
        return err_set(err, OUTCOME_REJECT, "not_found_yet",
                       "%" PRId64
                       " identifiers would no longer be recognised, and input of %" PRId64
                       " erased ones would no longer be dropped, and opt-outs of %" PRId64
                       " of these would bind nobody; --force finishes all the same",
                       rotation->unfound, rotation->erased_unfound, rotation->kept_unfound);
    to.previous = (struct id){{0}};
    CHECK(key_state_write(rotation->desk->db, rotation->desk->arena, &rotation->state, &to, err));
    return rotate_forget(rotation->desk, to.number, err);
}

/* What leads to a goal from each phase; nothing leads over two. */
typedef enum outcome step_fn(struct rotation *rotation, struct err *err);
static step_fn *const steps[][3] = {
    [ROTATE_ANNOUNCED] = {[KEYS_ONE] = announce,
                          [KEYS_ANNOUNCED] = expect_announced,
                          [KEYS_ROTATING] = expect_at_work},
    [ROTATE_ROTATING] =
        {[KEYS_ONE] = refuse_unannounced, [KEYS_ANNOUNCED] = make_current, [KEYS_ROTATING] = fill},
    [ROTATE_FINISHED] =
        {[KEYS_ONE] = finish_again, [KEYS_ANNOUNCED] = refuse_unfinished, [KEYS_ROTATING] = finish},
    [ROTATE_CANCEL] = {cancel, cancel, cancel},
};

static enum outcome report_all(const struct rotation *rotation, bool is_done, struct report *report,
                               struct err *err)
{
    report_state(rotation, report);
    CHECK(name_tombstones(rotation, report, err));
    report_value(report, "executed", cell_bool(is_done), NULL);
    report->is_complete = true;
    return OUTCOME_OK;
}

static enum outcome look_only(struct rotation *rotation, struct report *report, struct err *err)
{
    CHECK(look(rotation, err));
    return report_all(rotation, false, report, err);
}

/* A step that was refused is reported as well. */
static enum outcome act(struct rotation *rotation, struct report *report, struct err *err)
{
    struct err ignored = {0};
    CHECK(check_anchors_settled(rotation->desk, err));
    CHECK(look(rotation, err));
    enum outcome outcome = steps[rotation->request->goal][rotation->state.phase](rotation, err);
    if (outcome == OUTCOME_OK)
        outcome = look(rotation, err);
    bool is_done = outcome == OUTCOME_OK;
    if (report_all(rotation, is_done, report, is_done ? err : &ignored) != OUTCOME_OK)
        return OUTCOME_FATAL;
    return outcome;
}

enum outcome rotate_key(struct desk *desk, const struct rotate_request *request,
                        struct report *report, enum key_phase *phase, struct err *err)
{
    struct rotation rotation = {.desk = desk, .request = request};
    CHECK(identity_keys_read(desk->config, &rotation.keys, err));
    CHECK(desk_connect(desk, err));
    enum outcome outcome = request->goal == ROTATE_LOOK ? look_only(&rotation, report, err)
                                                        : act(&rotation, report, err);
    *phase = rotation.state.phase;
    return outcome;
}
