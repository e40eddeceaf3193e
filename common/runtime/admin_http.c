/* admin_http.c: the probes, the metrics and the version of a service over HTTP. */
#include "common/runtime/admin_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/runtime/clock.h"
#include "common/runtime/log_text.h"
#include "common/runtime/telemetry.h"
#include "common/runtime/version.h"

enum { BIND_TRIES = 20, BIND_PAUSE_MS = 100 };
enum {
    CONDITIONS = 16,
    CONNECTIONS = 64,
    CONNECTIONS_PER_ADDRESS = 32,
    TIMEOUT_S = 5,
    MEMORY_PER_CONNECTION = 16 * 1024
};

struct admin_http {
    struct MHD_Daemon *daemon;
    char service[64];
    uint16_t port;
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

/* Answers: each fills the body and returns the status. */

typedef unsigned answer_fn(const struct admin_http *http, struct MHD_Connection *connection,
                           struct strbuf *body);

static unsigned answer_livez(const struct admin_http *http, struct MHD_Connection *connection,
                             struct strbuf *body)
{
    int64_t limit = atomic_load_explicit(&health.limit_us, memory_order_acquire);
    int64_t age =
        clock_monotonic_us() - atomic_load_explicit(&health.last_beat_us, memory_order_relaxed);
    bool is_alive = limit == 0 || age < limit;
    if (is_alive)
        strbuf_addf(body, "ok\n");
    else
        strbuf_addf(body, "the loop has not moved for %lld ms\n", (long long)(age / 1000));
    return is_alive ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned answer_readyz(const struct admin_http *http, struct MHD_Connection *connection,
                              struct strbuf *body)
{
    const char *unused = NULL;
    size_t unused_size = 0;
    bool verbose = MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, "verbose", 7,
                                                 &unused, &unused_size) == MHD_YES;
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
    return is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned answer_metrics(const struct admin_http *http, struct MHD_Connection *connection,
                               struct strbuf *body)
{
    char *text = telemetry_render();
    strbuf_add(body, text, strlen(text));
    free(text);
    return MHD_HTTP_OK;
}

static unsigned answer_version(const struct admin_http *http, struct MHD_Connection *connection,
                               struct strbuf *body)
{
    const char *note = atomic_load(&health.note);
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
    return MHD_HTTP_OK;
}

static unsigned answer_not_found(const struct admin_http *http, struct MHD_Connection *connection,
                                 struct strbuf *body)
{
    strbuf_addf(body, "not found; there are /livez /readyz /metrics /version\n");
    return MHD_HTTP_NOT_FOUND;
}

static unsigned answer_not_allowed(const struct admin_http *http, struct MHD_Connection *connection,
                                   struct strbuf *body)
{
    strbuf_addf(body, "method not allowed\n");
    return MHD_HTTP_METHOD_NOT_ALLOWED;
}

struct route {
    const char *path, *content_type;
    answer_fn *answer;
};

static const struct route routes[] = {
    {"/livez", "text/plain; charset=utf-8", answer_livez},
    {"/readyz", "text/plain; charset=utf-8", answer_readyz},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", answer_metrics},
    {"/version", "application/json", answer_version},
};
static const struct route not_found = {"", "text/plain; charset=utf-8", answer_not_found};
static const struct route not_allowed = {"", "text/plain; charset=utf-8", answer_not_allowed};

static const struct route *route_of(const char *method, const char *url)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(url, routes[i].path) == 0)
            return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ? &routes[i]
                                                                             : &not_allowed;
    return &not_found;
}

static enum MHD_Result respond(struct MHD_Connection *connection, const struct route *route,
                               unsigned status, struct strbuf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->ptr, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        strbuf_free(body);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", route->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Connection", "close");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Answers at the first call, before any request body is read; MHD then closes the connection. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    const struct route *route = route_of(method, url);
    struct strbuf body = {0};
    unsigned status = route->answer(arg, connection, &body);
    return respond(connection, route, status, &body);
}

/* Listening */

/* Splits "host:port"; an empty host means all addresses. */
static bool split_listen(const char *listen, char host[256], char port[8])
{
    struct span all = span_trim(span_of(listen));
    const char *colon = all.len ? memrchr(all.ptr, ':', all.len) : NULL;
    if (colon == NULL)
        return false;
    struct span h = {all.ptr, (size_t)(colon - all.ptr)},
                p = {colon + 1, all.len - (size_t)(colon + 1 - all.ptr)};
    bool is_bracketed = h.len >= 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']';
    if (is_bracketed)
        h = (struct span){h.ptr + 1, h.len - 2};
    else if (h.len && memchr(h.ptr, ':', h.len))
        return false;
    if (h.len >= 256 || p.len == 0 || p.len > 5 || (is_bracketed && h.len == 0))
        return false;
    for (size_t i = 0; i < p.len; i++)
        if (p.ptr[i] < '0' || p.ptr[i] > '9')
            return false;
    snprintf(host, 256, SPAN_FMT, SPAN_ARG(h));
    snprintf(port, 8, SPAN_FMT, SPAN_ARG(p));
    return atoi(port) <= 65535;
}

static int bind_one(const struct addrinfo *address)
{
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, CONNECTIONS) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* IPv6 first where all addresses are wanted: that socket takes IPv4 too. -1 and errno if none can
 * be had. */
static int bind_any(const struct addrinfo *found, bool has_host)
{
    int fd = -1;
    for (int pass = 0; pass < 2 && fd < 0; pass++)
        for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
            if ((a->ai_family == AF_INET6) == (pass == has_host))
                fd = bind_one(a);
    return fd;
}

/* A process that was killed a moment ago may still hold the port: its successor waits for it a
 * little. */
static enum outcome bind_listen(const char *text, int *fd, struct err *err)
{
    char host[256], port[8];
    if (!split_listen(text, host, port))
        return err_set(err, OUTCOME_FATAL, "http_listen",
                       "\"%s\" is not an address such as 127.0.0.1:9101, [::1]:9101 or :9101",
                       text);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    int rc = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (rc != 0)
        return err_set(err, OUTCOME_FATAL, "http_listen", "cannot listen on %s: %s", text,
                       gai_strerror(rc));
    *fd = bind_any(found, *host != '\0');
    for (int tries = 0; *fd < 0 && errno == EADDRINUSE && tries < BIND_TRIES; tries++) {
        poll(NULL, 0, BIND_PAUSE_MS);
        *fd = bind_any(found, *host != '\0');
    }
    int saved = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return err_set(err, OUTCOME_FATAL, "http_listen", "cannot listen on %s: %s", text,
                       strerror(saved));
    return OUTCOME_OK;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

enum outcome admin_http_open(const char *listen, const char *service, struct admin_http **out,
                             struct err *err)
{
    int fd = -1;
    *out = NULL;
    if (strcmp(listen, "off") == 0)
        return OUTCOME_OK;
    enum outcome outcome = bind_listen(listen, &fd, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct admin_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        abort();
    snprintf(http->service, sizeof http->service, "%s", service);
    http->port = port_of(fd);
    http->daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (http->daemon == NULL) {
        close(fd);
        free(http);
        return err_set(err, OUTCOME_FATAL, "http_start", "cannot start the HTTP thread for %s",
                       listen);
    }
    *out = http;
    return OUTCOME_OK;
}

void admin_http_close(struct admin_http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}

uint16_t admin_http_port(const struct admin_http *http)
{
    return http->port;
}
