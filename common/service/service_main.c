/* service_main.c: main() of every service: settings, signals, admin HTTP, the wait for its servers,
 * then the loop.
 *
 * A server that is down at the start is waited for: the process is alive and not ready. An error
 * that waiting cannot cure ends the process with one line and status 1. */
#include <malloc.h>
#include <poll.h>
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

enum { MMAP_THRESHOLD = 32 << 20, TRIM_THRESHOLD = 256 << 20, TOP_PAD = 4 << 20 };

/* Every batch needs about the same memory again, also in the Kafka client's threads. Pages that
 * were given back to the kernel would have to be cleared and mapped again for each. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    mallopt(M_TOP_PAD, TOP_PAD);
}

/* Everything that is open. close_all closes a half-built one, too. */
struct app {
    const struct service *service;
    struct config *config;
    struct admin_http *http;
    struct service_context context;
    struct policy_source policies;
    void *self; /* the service's own state */
    struct pipeline *pipeline;
    struct standing_lock *presence;
};

static enum outcome load(struct app *app, int argc, char **argv, enum config_action *action,
                         struct err *err)
{
    static const struct setting none[] = {{.name = NULL}};
    const struct setting *own = app->service->settings ? app->service->settings : none;
    const struct setting *const tables[] = {
        own, pipeline_settings, db_settings, schema_set_settings, policy_settings, NULL};
    char program[64];
    snprintf(program, sizeof program, "tutti-%s", app->service->name);
    CHECK(config_load(program, tables, argc, argv, &app->config, action, err));
    if (*action == CONFIG_EXIT_OK)
        return OUTCOME_OK;
    app->context.config = app->config;
    app->policies = policy_source_of(app->config);
    app->context.policies = &app->policies;
    CHECK(consumer_check_config(app->config, err));
    return producer_check_config(app->config, err);
}

static enum outcome open_shell(struct app *app, struct err *err)
{
    const struct config *config = app->config;
    log_open(app->service->name, config_text(config, "log.level"),
             config_text(config, "log.format"));
    if (*config_ignored(config))
        log_event(LOG_DEBUG, "variables_ignored", "names", config_ignored(config), NULL);
    admin_http_condition("kafka", false);
    admin_http_condition("postgres", false);
    admin_http_note(app->service->version_note);
    CHECK(admin_http_open(config_text(config, "http.listen"), app->service->name, &app->http, err));
    CHECK(producer_open(config, &app->context.producer, err));
    CHECK(db_open(config, app->service->name, &app->context.db, err));
    db_pin_plans(app->context.db);
    return schema_set_open(config, &app->context.schemas, err);
}

static enum outcome check_schema(struct db *db, struct err *err)
{
    CHECK(db_ready(db, err));
    return migrations_check(db, &schema_files, err);
}

static enum outcome reach_database(struct app *app, struct err *err)
{
    enum outcome outcome = check_schema(app->context.db, err);
    admin_http_condition("postgres", outcome == OUTCOME_OK);
    return outcome;
}

/* From here on no command works that needs the services stopped. */
static enum outcome take_presence(struct app *app, struct err *err)
{
    enum outcome outcome =
        standing_lock_take(app->context.db, PRESENCE_LOCK, STANDING_SHARED, &app->presence, err);
    return outcome == OUTCOME_RETRY && strcmp(err->code, "lock_taken") == 0
               ? err_set(err, OUTCOME_FATAL, "policy_apply_running",
                         "`tutti policy apply` or `tutti identity apply` is running: start the "
                         "services when it is done")
               : outcome;
}

static void close_service(struct app *app)
{
    if (app->self)
        app->service->close(app->self);
    free(app->self);
    app->self = NULL;
}

static enum outcome open_service(struct app *app, struct err *err)
{
    app->self = calloc(1, app->service->self_size);
    if (app->self == NULL)
        abort();
    enum outcome outcome = app->service->open(&app->context, app->self, err);
    if (outcome != OUTCOME_OK) {
        close_service(app);
        db_rollback(app->context.db);
    }
    return outcome;
}

static enum outcome open_pipeline(struct app *app, struct err *err)
{
    return pipeline_open(app->service, app->self, &app->context, &app->pipeline, err);
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

static enum outcome run_steps(struct app *app, struct err *err)
{
    CHECK(open_shell(app, err));
    CHECK(keep_trying(app, reach_database, err));
    CHECK(keep_trying(app, take_presence, err));
    CHECK(keep_trying(app, open_service, err));
    CHECK(keep_trying(app, open_pipeline, err));
    log_event(LOG_INFO, "started", NULL);
    return pipeline_run(app->pipeline, err);
}

static enum outcome run(struct app *app, struct err *err)
{
    enum outcome outcome = run_steps(app, err);
    return outcome == OUTCOME_RETRY && stop_requested() ? OUTCOME_OK : outcome;
}

static void close_all(struct app *app)
{
    pipeline_close(app->pipeline);
    close_service(app);
    policy_source_free(&app->policies);
    schema_set_close(app->context.schemas);
    producer_close(app->context.producer);
    standing_lock_release(app->presence);
    db_close(app->context.db);
    admin_http_close(app->http);
    config_free(app->config);
}

static enum outcome check_shell(struct app *app, struct err *err)
{
    const char *listen = config_text(app->config, "http.listen");
    if (strcmp(listen, "off") != 0)
        CHECK(http_listen_check(listen, err));
    CHECK(pipeline_check(app->service, app->config, err));
    CHECK(producer_check_start(app->config, err));
    CHECK(db_open(app->config, app->service->name, &app->context.db, err));
    return schema_set_open(app->config, &app->context.schemas, err);
}

/* --check-config: the settings are valid one by one. This does what the start does short of asking
 * a server: clients are made, files are read. */
static enum outcome check(struct app *app, struct err *err)
{
    CHECK(check_shell(app, err));
    if (app->service->check)
        CHECK(app->service->check(app->config, err));
    puts("configuration is valid");
    return OUTCOME_OK;
}

static enum outcome load_and_check(struct app *app, int argc, char **argv,
                                   enum config_action *action, struct err *err)
{
    CHECK(load(app, argc, argv, action, err));
    return *action == CONFIG_CHECK ? check(app, err) : OUTCOME_OK;
}

static enum outcome run_logged(struct app *app, struct err *err)
{
    enum outcome outcome = run(app, err);
    if (outcome == OUTCOME_OK)
        log_event(LOG_INFO, "stopped", NULL);
    else
        log_event(LOG_ERROR, "fatal", "code", err->code, "message", err->message, NULL);
    return outcome;
}

int service_main(const struct service *service, int argc, char **argv)
{
    struct app app = {.service = service};
    struct err err = {0};
    enum config_action action = CONFIG_RUN;
    keep_memory();
    stop_open(); /* first of all: a signal during the start ends it as a signal in the loop does */
    digest_open();
    enum outcome outcome = load_and_check(&app, argc, argv, &action, &err);
    if (outcome != OUTCOME_OK)
        fprintf(stderr, "tutti-%s: %s\n", service->name, err.message);
    else if (action == CONFIG_RUN)
        outcome = run_logged(&app, &err);
    if (outcome != OUTCOME_OK)
        stop_failing(); /* a client of a topic that was deleted never ends by itself */
    close_all(&app);
    return outcome == OUTCOME_OK ? 0 : 1;
}
