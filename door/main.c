/* main.c: tutti-door: may we? Asked and answered over HTTP. docs/door.md, door.h. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec/digest.h"
#include "common/http/http_listen.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/service/admin_http.h"
#include "common/service/backoff.h"
#include "common/service/generation.h"
#include "common/service/pipeline.h"
#include "common/store/schema_migrations.h"
#include "common/store/standing_lock.h"
#include "door/door.h"
#include "operations/contact/decider.h"
#include "services/identity-resolver/resolver_service.h"
#include "services/suppression/suppression_service.h"

enum { MOST_WORKERS = 64, TICK_MS = 1000, STUCK_US = 30000000 };

static const struct setting settings[] = {
    {"door.listen", SETTING_TEXT, "127.0.0.1:9110", 0, 0, NULL,
     "Address of the door. TLS is the business of a proxy before it."},
    {"door.tokens.file", SETTING_TEXT, NULL, 0, 0, NULL,
     "File with who may ask, one token a line; read again on SIGHUP."},
    {"door.topic", SETTING_TEXT, "", 0, 0, NULL,
     "Topic of its touchpoints; empty: by their channel, touchpoints.<channel>.v1 or "
     "touchpoints.other.v1."},
    {"door.workers", SETTING_INT, "2", 1, MOST_WORKERS, NULL,
     "Threads that decide, each with four connections to PostgreSQL."},
    {"door.timeout", SETTING_DURATION, "2s", 50000, 60000000, NULL,
     "A call that has no verdict after that is answered with 503, which means no."},
    {"door.rate", SETTING_INT, "200", 1, 1000000, NULL, "Calls of one token in a second."},
    {"door.schema.id", SETTING_INT, "1", 1, INT32_MAX, NULL,
     "Schema in which the door writes touchpoints."},
    {"cache.bytes", SETTING_BYTES, "16MB", 1 << 20, INT64_C(1) << 40, NULL,
     "Memory of each worker for known identifiers and links."},
    {.name = NULL},
};

struct app {
    struct config *config;
    struct door door;
    struct admin_http *admin;
    struct http_server *server;
    struct db *db; /* for the presence alone */
    struct standing_lock *presence;
    struct door_worker *workers[MOST_WORKERS];
    size_t worker_count;
};

static volatile sig_atomic_t wants_tokens;

static void on_hangup(int number)
{
    (void)number;
    wants_tokens = 1;
}

static enum outcome load(struct app *app, int argc, char **argv, enum config_action *action,
                         struct err *err)
{
    const struct setting *const tables[] = {settings,
                                            decider_settings,
                                            resolver_service.settings,
                                            suppression_service.settings,
                                            pipeline_settings,
                                            db_settings,
                                            schema_set_settings,
                                            policy_settings,
                                            NULL};
    CHECK(config_load("tutti-door", tables, argc, argv, &app->config, action, err));
    if (*action == CONFIG_EXIT_OK)
        return OUTCOME_OK;
    app->door.config = app->config;
    return producer_check_config(app->config, err);
}

/* ---- the steps of the start ---- */

static enum outcome open_shell(struct app *app, struct err *err)
{
    const struct config *config = app->config;
    struct door *door = &app->door;
    log_open("door", config_text(config, "log.level"), config_text(config, "log.format"));
    admin_http_condition("kafka", false);
    admin_http_condition("postgres", false);
    CHECK(admin_http_open(config_text(config, "http.listen"), "door", &app->admin, err));
    CHECK(door_tokens_read(config_text(config, "door.tokens.file"), &door->tokens, err));
    CHECK(door_schema_open(config, &door->arena, &door->schema, err));
    door->timeout = config_duration(config, "door.timeout");
    door->rate = (double)config_int(config, "door.rate");
    door->seconds =
        metric_histogram("door_seconds", "", "From a call, complete, to its answer.", NULL, 0);
    return db_open(config, "door", &app->db, err);
}

static enum outcome reach_database(struct app *app, struct err *err)
{
    CHECK(db_ready(app->db, err));
    return migrations_check(app->db, &schema_files, err);
}

static enum outcome take_presence(struct app *app, struct err *err)
{
    return standing_lock_take(app->db, PRESENCE_LOCK, STANDING_SHARED, &app->presence, err);
}

static enum outcome open_workers(struct app *app, struct err *err)
{
    size_t wanted = (size_t)config_int(app->config, "door.workers");
    while (app->worker_count < wanted) {
        CHECK(door_worker_open(&app->door, &app->workers[app->worker_count], err));
        app->worker_count++;
    }
    return OUTCOME_OK;
}

static enum outcome open_server(struct app *app, struct err *err)
{
    struct http_options options = {.listen = config_text(app->config, "door.listen"),
                                   .connections = 1024,
                                   .connections_per_address = 1024,
                                   .idle_seconds = 60,
                                   .keeps_connections = true,
                                   .routes = door_routes,
                                   .route_count = door_route_count,
                                   .context = &app->door};
    for (size_t i = 0; i < app->worker_count; i++)
        door_worker_start(app->workers[i]);
    CHECK(http_server_open(&options, &app->server, err));
    admin_http_condition("kafka", true);
    admin_http_condition("postgres", true);
    log_event(LOG_INFO, "started", "port", log_int(http_server_port(app->server)), NULL);
    return OUTCOME_OK;
}

static void wait_for_stop(int64_t us)
{
    struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
    poll(&fd, 1, (int)(us / 1000) + 1);
}

/* Repeats a step while its server is away. RETRY only if a stop was requested meanwhile. */
static enum outcome keep_trying(struct app *app, enum outcome (*step)(struct app *, struct err *),
                                struct err *err)
{
    struct backoff backoff = {100000, 2000000, 0, (uint32_t)clock_now().us};
    enum outcome outcome;
    while ((outcome = step(app, err)) == OUTCOME_RETRY && !stop_requested()) {
        log_event(LOG_WARN, "waiting_at_start", "code", err->code, "message", err->message, NULL);
        wait_for_stop(backoff_next_us(&backoff));
    }
    return outcome;
}

/* ---- while it is open ---- */

/* A file that cannot be read leaves the tokens as they were. */
static void read_tokens_again(struct app *app)
{
    struct err err;
    struct door *door = &app->door;
    wants_tokens = 0;
    pthread_mutex_lock(&door->tokens_lock);
    enum outcome outcome =
        door_tokens_read(config_text(app->config, "door.tokens.file"), &door->tokens, &err);
    size_t count = door->tokens.count;
    pthread_mutex_unlock(&door->tokens_lock);
    if (outcome == OUTCOME_OK)
        log_event(LOG_INFO, "tokens_read", "count", log_int((long long)count), NULL);
    else
        log_event(LOG_ERROR, "tokens_kept", "code", err.code, "message", err.message, NULL);
}

static void wait_for_end(struct app *app)
{
    while (!stop_requested()) {
        admin_http_beat(STUCK_US);
        if (wants_tokens)
            read_tokens_again(app);
        wait_for_stop(TICK_MS * 1000);
    }
}

static enum outcome run_steps(struct app *app, struct err *err)
{
    CHECK(open_shell(app, err));
    CHECK(keep_trying(app, reach_database, err));
    CHECK(keep_trying(app, take_presence, err));
    CHECK(keep_trying(app, open_workers, err));
    CHECK(open_server(app, err));
    wait_for_end(app);
    return OUTCOME_OK;
}

static void close_all(struct app *app)
{
    door_queue_close(&app->door.queue);
    for (size_t i = 0; i < app->worker_count; i++)
        door_worker_close(app->workers[i]); /* what waits is answered first */
    http_server_close(app->server);
    standing_lock_release(app->presence);
    db_close(app->db);
    admin_http_close(app->admin);
    door_tokens_free(&app->door.tokens);
    door_schema_close(&app->door.schema);
    arena_free(&app->door.arena);
    config_free(app->config);
}

/* ---- the program ---- */

static enum outcome check(struct app *app, struct err *err)
{
    CHECK(http_listen_check(config_text(app->config, "door.listen"), err));
    CHECK(producer_check_start(app->config, err));
    CHECK(door_tokens_read(config_text(app->config, "door.tokens.file"), &app->door.tokens, err));
    CHECK(resolver_service.check(app->config, err));
    CHECK(suppression_service.check(app->config, err));
    puts("configuration is valid");
    return OUTCOME_OK;
}

static enum outcome run(struct app *app, struct err *err)
{
    enum outcome outcome = run_steps(app, err);
    if (outcome == OUTCOME_RETRY && stop_requested())
        outcome = OUTCOME_OK;
    if (outcome == OUTCOME_OK)
        log_event(LOG_INFO, "stopped", NULL);
    else
        log_event(LOG_ERROR, "fatal", "code", err->code, "message", err->message, NULL);
    return outcome;
}

int main(int argc, char **argv)
{
    static struct app app;
    struct err err = {0};
    enum config_action action = CONFIG_RUN;
    struct sigaction hangup = {.sa_handler = on_hangup};
    stop_open();
    sigaction(SIGHUP, &hangup, NULL);
    digest_open();
    pthread_mutex_init(&app.door.tokens_lock, NULL);
    door_queue_open(&app.door.queue);
    enum outcome outcome = load(&app, argc, argv, &action, &err);
    bool is_loaded = outcome == OUTCOME_OK;
    if (outcome == OUTCOME_OK && action == CONFIG_CHECK)
        outcome = check(&app, &err);
    else if (outcome == OUTCOME_OK && action == CONFIG_RUN)
        outcome = run(&app, &err);
    if (outcome != OUTCOME_OK && (!is_loaded || action != CONFIG_RUN))
        fprintf(stderr, "tutti-door: %s\n", err.message);
    bool has_failed = outcome != OUTCOME_OK || atomic_load(&app.door.has_failed);
    if (has_failed)
        stop_failing();
    close_all(&app);
    return has_failed ? 1 : 0;
}
