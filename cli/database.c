/* database.c: see database.h. */
#include "cli/database.h"

#include <poll.h>

#include "cli/printable.h"
#include "common/codec/json_write.h"
#include "common/runtime/clock.h"
#include "common/service/generation.h"

enum { CONNECT_US = 5000000, CONNECT_POLL_MS = 100, LEAVE_US = 1000000, LEAVE_POLL_MS = 50 };

enum outcome database_connect(const struct call *call, struct db **out, struct err *err)
{
    enum outcome outcome = db_open(call->config, "tutti", out, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    int64_t deadline = clock_monotonic_us() + CONNECT_US;
    while ((outcome = db_ready(*out, err)) == OUTCOME_RETRY && clock_monotonic_us() < deadline)
        poll(NULL, 0, CONNECT_POLL_MS);
    if (outcome != OUTCOME_OK) {
        db_close(*out);
        *out = NULL;
    }
    return outcome;
}

static enum outcome try_lock_out(struct db *db, bool *locked, struct err *err)
{
    static const struct statement take_lock = {"database_take_lock",
                                               "SELECT pg_try_advisory_lock(" GENERATION_LOCK ")"};
    struct db_result *r = NULL;
    CHECK(db_run(db, &take_lock, NULL, &r, NULL, err));
    *locked = db_bool(r, 0, 0);
    return OUTCOME_OK;
}

/* The server hears a moment later that a service has ended. */
enum outcome database_lock_out_all(struct call *call, struct db *db, struct err *err)
{
    bool locked;
    int64_t deadline = clock_monotonic_us() + LEAVE_US;
    CHECK(try_lock_out(db, &locked, err));
    while (!locked && clock_monotonic_us() < deadline) {
        poll(NULL, 0, LEAVE_POLL_MS);
        CHECK(try_lock_out(db, &locked, err));
    }
    return locked ? OUTCOME_OK
                  : err_set(err, OUTCOME_FATAL, "services_running",
                            "services are running: stop all of them, run this, start them again");
}

enum outcome database_check_anchors(struct db *db, struct err *err)
{
    static const struct statement find = {"database_check_anchors",
                                          "SELECT EXISTS (SELECT FROM tutti_meta.reanchoring)"};
    struct db_result *r = NULL;
    CHECK(db_run(db, &find, NULL, &r, NULL, err));
    bool is_under_way = db_bool(r, 0, 0);
    return is_under_way ? err_set(err, OUTCOME_FATAL, "anchors_under_way",
                                  "facts get other anchors: run `tutti identity apply` with the "
                                  "same policy until it is done")
                        : OUTCOME_OK;
}

enum outcome database_lock_out_services(struct call *call, struct db *db, struct err *err)
{
    CHECK(database_lock_out_all(call, db, err));
    return database_check_anchors(db, err);
}

static const char *shown(struct arena *arena, const struct db_result *result, int row, int column)
{
    return printable(arena, span_of(result_text(arena, result, row, column)));
}

/* Characters, not bytes: continuation bytes take no column. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, int width, bool right, bool last)
{
    int blanks = width - width_of(text);
    printf("%*s%s%*s", right ? blanks : 0, "", text, right || last ? 0 : blanks, "");
    fputs(last ? "\n" : "  ", stdout);
}

void result_print(struct arena *arena, const struct db_result *result, const char *const *titles)
{
    int columns = 0, widths[24];
    for (; titles[columns] && columns < 24; columns++) {
        widths[columns] = width_of(titles[columns] + (titles[columns][0] == '>'));
        for (int row = 0; row < db_rows(result); row++) {
            int width = width_of(shown(arena, result, row, columns));
            widths[columns] = width > widths[columns] ? width : widths[columns];
        }
    }
    fputs(colour(stdout, COLOUR_BOLD), stdout);
    for (int i = 0; i < columns; i++)
        print_cell(titles[i] + (titles[i][0] == '>'), widths[i], titles[i][0] == '>',
                   i + 1 == columns);
    fputs(colour(stdout, COLOUR_OFF), stdout);
    for (int row = 0; row < db_rows(result); row++)
        for (int i = 0; i < columns; i++)
            print_cell(shown(arena, result, row, i), widths[i], titles[i][0] == '>',
                       i + 1 == columns);
    if (db_rows(result) == 0)
        puts("(none)");
}

void result_print_json(struct arena *arena, const struct db_result *result,
                       const char *const *names, struct strbuf *out)
{
    strbuf_addf(out, "[");
    for (int row = 0; row < db_rows(result); row++) {
        strbuf_addf(out, "%s{", row ? "," : "");
        for (int i = 0; names[i]; i++) {
            strbuf_addf(out, "%s", i ? "," : "");
            json_add_text(out, span_of(names[i] + (names[i][0] == '>')));
            strbuf_addf(out, ":");
            if (db_is_null(result, row, i))
                strbuf_addf(out, "null");
            else
                json_add_text(out, db_bytes(result, row, i));
        }
        strbuf_addf(out, "}");
    }
    strbuf_addf(out, "]");
}
