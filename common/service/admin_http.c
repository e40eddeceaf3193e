/* admin_http.c: see admin_http.h. The loop reports its health here; the thread of the server reads
 * it. */
#include "common/service/admin_http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/http_server.h"
#include "common/runtime/clock.h"
#include "common/runtime/log_text.h"
#include "common/runtime/telemetry.h"
#include "common/runtime/version.h"

enum { CONDITIONS = 16, UNAVAILABLE = 503 };

struct admin_http {
    struct http_server *server;
    char service[64];
};

/* What the loop reports and the HTTP thread reads. */
static struct {
    _Atomic int64_t last_beat_us, limit_us; /* limit 0: no beat yet */
    _Atomic(const char *) note;
    pthread_mutex_t lock;
    size_t count;
    struct {
        const char *name;
        bool is_met;
    } conditions[CONDITIONS];
} health = {.lock = PTHREAD_MUTEX_INITIALIZER};

void admin_http_beat(int64_t limit_us)
{
    atomic_store_explicit(&health.last_beat_us, clock_monotonic_us(), memory_order_relaxed);
    atomic_store_explicit(&health.limit_us, limit_us, memory_order_release);
}

void admin_http_condition(const char *name, bool is_met)
{
    pthread_mutex_lock(&health.lock);
    size_t i = 0;
    while (i < health.count && strcmp(health.conditions[i].name, name) != 0)
        i++;
    if (i == CONDITIONS)
        abort();
    if (i == health.count)
        health.conditions[health.count++].name = name;
    health.conditions[i].is_met = is_met;
    pthread_mutex_unlock(&health.lock);
}

void admin_http_note(const char *note)
{
    atomic_store(&health.note, note);
}

static void answer_livez(void *context, const struct http_request *request,
                         struct http_response *response)
{
    int64_t limit = atomic_load_explicit(&health.limit_us, memory_order_acquire);
    int64_t age =
        clock_monotonic_us() - atomic_load_explicit(&health.last_beat_us, memory_order_relaxed);
    if (limit == 0 || age < limit) {
        strbuf_addf(&response->body, "ok\n");
        return;
    }
    response->status = UNAVAILABLE;
    strbuf_addf(&response->body, "the loop has not moved for %lld ms\n", (long long)(age / 1000));
}

static void answer_readyz(void *context, const struct http_request *request,
                          struct http_response *response)
{
    struct strbuf *body = &response->body;
    bool verbose = http_query(request, "verbose") != NULL;
    pthread_mutex_lock(&health.lock);
    bool is_ready = health.count > 0;
    for (size_t i = 0; i < health.count; i++) {
        is_ready &= health.conditions[i].is_met;
        if (verbose)
            strbuf_addf(body, health.conditions[i].is_met ? "[+]%s ok\n" : "[-]%s not ready\n",
                        health.conditions[i].name);
    }
    pthread_mutex_unlock(&health.lock);
    strbuf_addf(body, is_ready ? "ok\n" : "not ready\n");
    if (!is_ready)
        response->status = UNAVAILABLE;
}

static void answer_metrics(void *context, const struct http_request *request,
                           struct http_response *response)
{
    char *text = telemetry_render();
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    strbuf_add(&response->body, text, strlen(text));
    free(text);
}

static void answer_version(void *context, const struct http_request *request,
                           struct http_response *response)
{
    const struct admin_http *http = context;
    const char *note = atomic_load(&health.note);
    struct strbuf *body = &response->body;
    response->content_type = "application/json";
    strbuf_addf(body, "{\"service\":");
    json_quote(body, span_of(http->service));
    strbuf_addf(body, ",\"version\":");
    json_quote(body, span_of(TUTTI_VERSION));
    strbuf_addf(body, ",\"revision\":");
    json_quote(body, span_of(tutti_revision));
    if (note) {
        strbuf_addf(body, ",\"note\":");
        json_quote(body, span_of(note));
    }
    strbuf_addf(body, "}\n");
}

static void answer_otherwise(void *context, const struct http_request *request,
                             struct http_response *response)
{
    strbuf_addf(&response->body, "not found; there are /livez /readyz /metrics /version\n");
}

static const struct http_route routes[] = {
    {"GET", "/livez", answer_livez, 0},
    {"GET", "/readyz", answer_readyz, 0},
    {"GET", "/metrics", answer_metrics, 0},
    {"GET", "/version", answer_version, 0},
};

enum outcome admin_http_open(const char *listen, const char *service, struct admin_http **out,
                             struct err *err)
{
    *out = NULL;
    if (strcmp(listen, "off") == 0)
        return OUTCOME_OK;
    struct admin_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        abort();
    snprintf(http->service, sizeof http->service, "%s", service);
    struct http_options options = {.listen = listen,
                                   .routes = routes,
                                   .route_count = sizeof routes / sizeof *routes,
                                   .otherwise = answer_otherwise,
                                   .context = http};
    enum outcome outcome = http_server_open(&options, &http->server, err);
    if (outcome == OUTCOME_OK)
        *out = http;
    else
        admin_http_close(http);
    return outcome;
}

void admin_http_close(struct admin_http *http)
{
    if (http == NULL)
        return;
    http_server_close(http->server);
    free(http);
}

uint16_t admin_http_port(const struct admin_http *http)
{
    return http_server_port(http->server);
}
