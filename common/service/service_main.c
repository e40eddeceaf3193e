/* service_main.c: main() of every service: settings, signals, admin HTTP, the wait for its servers,
 * then the loop.
 *
 * A server that is down at the start is waited for: the process is alive and not ready. What
 * waiting cannot cure ends it with one line and status 1. */
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec/digest.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/service/admin_http.h"
#include "common/service/backoff.h"
#include "common/service/generation.h"
#include "common/service/pipeline.h"
#include "common/store/schema_migrations.h"

enum { MMAP_THRESHOLD = 32 << 20, TRIM_THRESHOLD = 256 << 20, TOP_PAD = 4 << 20 };

/* Every batch needs about the same memory again, also in the Kafka client's threads: pages that
 * were given back to the kernel would be cleared and mapped anew for each. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    mallopt(M_TOP_PAD, TOP_PAD);
}

/* Everything that is open; a half-built one is closed by the same function. */
struct app {
    const struct service *service;
    struct config *config;
    struct admin_http *http;
    struct service_context context;
    void *self; /* the service's own state */
    struct pipeline *pipeline;
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
    enum outcome outcome = config_load(program, tables, argc, argv, &app->config, action, err);
    if (outcome != OUTCOME_OK || *action == CONFIG_EXIT_OK)
        return outcome;
    app->context.config = app->config;
    outcome = consumer_check_config(app->config, err);
    return outcome == OUTCOME_OK ? producer_check_config(app->config, err) : outcome;
}

/* Every statement of a service goes by key, and its order of rows is the lock order: no plan may
 * change either. */
static void pin_plans(struct db *db)
{
    static const char *const off[] = {"enable_hashjoin", "enable_mergejoin", "enable_seqscan",
                                      "enable_bitmapscan"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        db_session_set(db, off[i], "off");
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
    enum outcome outcome =
        admin_http_open(config_text(config, "http.listen"), app->service->name, &app->http, err);
    if (outcome == OUTCOME_OK)
        outcome = producer_open(config, &app->context.producer, err);
    if (outcome == OUTCOME_OK)
        outcome = db_open(config, app->service->name, &app->context.db, err);
    if (outcome == OUTCOME_OK)
        pin_plans(app->context.db);
    if (outcome == OUTCOME_OK)
        outcome = schema_set_open(config, &app->context.schemas, err);
    return outcome;
}

static enum outcome reach_database(struct app *app, struct err *err)
{
    enum outcome outcome = db_ready(app->context.db, err);
    if (outcome == OUTCOME_OK)
        outcome = migrations_check(app->context.db, &schema_files, err);
    admin_http_condition("postgres", outcome == OUTCOME_OK);
    return outcome;
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

static enum outcome run(struct app *app, struct err *err)
{
    enum outcome (*const steps[])(struct app *, struct err *) = {reach_database, open_service,
                                                                 open_pipeline};
    enum outcome outcome = open_shell(app, err);
    for (size_t i = 0; outcome == OUTCOME_OK && i < sizeof steps / sizeof *steps; i++)
        outcome = keep_trying(app, steps[i], err);
    if (outcome == OUTCOME_OK) {
        log_event(LOG_INFO, "started", NULL);
        outcome = pipeline_run(app->pipeline, err);
    }
    return outcome == OUTCOME_RETRY && stop_requested() ? OUTCOME_OK : outcome;
}

static void close_all(struct app *app)
{
    pipeline_close(app->pipeline);
    close_service(app);
    schema_set_close(app->context.schemas);
    producer_close(app->context.producer);
    db_close(app->context.db);
    admin_http_close(app->http);
    config_free(app->config);
}

/* --check-config: the settings are valid already; what the service reads beside them is checked
 * here. */
static enum outcome check(const struct app *app, struct err *err)
{
    enum outcome outcome = app->service->check ? app->service->check(app->config, err) : OUTCOME_OK;
    if (outcome == OUTCOME_OK)
        puts("configuration is valid");
    return outcome;
}

int service_main(const struct service *service, int argc, char **argv)
{
    struct app app = {.service = service};
    struct err err = {0};
    enum config_action action = CONFIG_RUN;
    keep_memory();
    stop_open(); /* first of all: a signal during the start ends it as one in the loop does */
    digest_open();
    enum outcome outcome = load(&app, argc, argv, &action, &err);
    if (outcome == OUTCOME_OK && action == CONFIG_CHECK)
        outcome = check(&app, &err);
    if (outcome != OUTCOME_OK)
        fprintf(stderr, "tutti-%s: %s\n", service->name, err.message);
    else if (action == CONFIG_RUN) {
        outcome = run(&app, &err);
        if (outcome == OUTCOME_OK)
            log_event(LOG_INFO, "stopped", NULL);
        else
            log_event(LOG_ERROR, "fatal", "code", err.code, "message", err.message, NULL);
    }
    close_all(&app);
    return outcome == OUTCOME_OK ? 0 : 1;
}
