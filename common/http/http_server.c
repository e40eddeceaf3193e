/* http_server.c: see http_server.h. libmicrohttpd calls on_request three times or more for each
 * request: with its headers, with each piece of its body, and at its end. */
#include "common/http/http_server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/http/http_listen.h"
#include "common/runtime/clock.h"

enum {
    MEMORY_PER_CONNECTION = 16 * 1024, /* of request line and headers */
    MAX_SWALLOWED = 1024 * 1024, /* of a body that is too long, before the connection is cut */
    MAX_HEADERS = 16,
};

static const char plain_text[] = "text/plain; charset=utf-8";

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_options options;
    uint16_t port;
    pthread_mutex_t lock; /* of what follows */
    bool is_closing;
    struct exchange *deferred;
};

struct header {
    const char *name, *value;
};

/* A request with its response. */
struct exchange {
    struct http_request request; /* first: a request is its exchange */
    struct http_response response;
    struct http_server *server;
    struct MHD_Connection *connection;
    const struct http_route *route;
    struct arena arena;
    struct strbuf body;
    size_t swallowed;
    int64_t started_us;
    struct header headers[MAX_HEADERS];
    size_t header_count;
    bool is_deferred;
    struct exchange *next, *previous; /* among those that are deferred */
};

static struct exchange *exchange_of(struct http_response *response)
{
    return (struct exchange *)((char *)response - offsetof(struct exchange, response));
}

/* Requests */

static const char *lookup(const struct http_request *request, enum MHD_ValueKind kind,
                          const char *name)
{
    const struct exchange *x = (const struct exchange *)request;
    const char *value = NULL;
    size_t size = 0;
    bool is_there = MHD_lookup_connection_value_n(x->connection, kind, name, strlen(name), &value,
                                                  &size) == MHD_YES;
    return is_there && value == NULL ? "" : value;
}

const char *http_query(const struct http_request *request, const char *name)
{
    return lookup(request, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *request, const char *name)
{
    return lookup(request, MHD_HEADER_KIND, name);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes escapes in place. All other text, and %00, stays as it is. */
static size_t unescape(void *arg, struct MHD_Connection *connection, char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++, to++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
        bool is_escape = low >= 0 && (high || low);
        *to = is_escape ? (char)(high << 4 | low) : *at;
        at += is_escape ? 2 : 0;
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* Routes */

/* What stands for the star of a route, "" where the path is the route's; NULL: another path. */
static const char *fit(const struct http_route *route, const char *path)
{
    size_t length = strlen(route->path);
    bool has_star = length >= 2 && strcmp(route->path + length - 2, "/*") == 0;
    if (!has_star)
        return strcmp(route->path, path) == 0 ? "" : NULL;
    return strncmp(route->path, path, length - 1) == 0 ? path + length - 1 : NULL;
}

static bool takes(const struct http_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The methods of a path, for Allow; "" if there is no such path. */
static const char *allowed(const struct exchange *x)
{
    const struct http_options *options = &x->server->options;
    const char *list = "";
    for (size_t i = 0; i < options->route_count; i++) {
        const struct http_route *route = &options->routes[i];
        if (fit(route, x->request.path))
            list = arena_printf(x->request.arena, "%s%s%s%s", list, *list ? ", " : "",
                                route->method, strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
    }
    return list;
}

static void find_route(struct exchange *x)
{
    const struct http_options *options = &x->server->options;
    for (size_t i = 0; i < options->route_count && x->route == NULL; i++) {
        const char *rest = fit(&options->routes[i], x->request.path);
        if (rest && takes(&options->routes[i], x->request.method)) {
            x->route = &options->routes[i];
            x->request.rest = rest;
        }
    }
}

/* Responses */

static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

void http_add_header(struct http_response *response, const char *name, const char *value)
{
    struct exchange *x = exchange_of(response);
    if (x->header_count == MAX_HEADERS)
        abort();
    if (is_clean(name) && is_clean(value))
        x->headers[x->header_count++] = (struct header){arena_copy(&x->arena, span_of(name)).ptr,
                                                        arena_copy(&x->arena, span_of(value)).ptr};
}

/* The body becomes libmicrohttpd's. */
static struct MHD_Response *with_body(struct http_response *response)
{
    struct strbuf body = response->body;
    struct span fixed = response->fixed_body.ptr ? response->fixed_body : SPAN("");
    response->body = (struct strbuf){0};
    if (response->fixed_body.ptr == NULL && body.len)
        return MHD_create_response_from_buffer(body.len, body.ptr, MHD_RESPMEM_MUST_FREE);
    strbuf_free(&body);
    return MHD_create_response_from_buffer(fixed.len, (void *)(uintptr_t)fixed.ptr,
                                           MHD_RESPMEM_PERSISTENT);
}

static void add_headers(const struct exchange *x, struct MHD_Response *response)
{
    bool has_cache_control = false;
    for (size_t i = 0; i < x->header_count; i++) {
        has_cache_control |= strcasecmp(x->headers[i].name, "Cache-Control") == 0;
        MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
    }
    MHD_add_response_header(response, "Content-Type", x->response.content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!has_cache_control)
        MHD_add_response_header(response, "Cache-Control", "no-store");
}

static enum MHD_Result respond(struct exchange *x, bool is_last)
{
    struct MHD_Response *response = with_body(&x->response);
    if (response == NULL)
        return MHD_NO;
    add_headers(x, response);
    if (is_last || !x->server->options.keeps_connections)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(x->connection, x->response.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct exchange *x, unsigned status, const char *text)
{
    x->response.status = status;
    strbuf_reset(&x->response.body);
    strbuf_addf(&x->response.body, "%s\n", text);
    return respond(x, true);
}

bool http_defer(struct http_response *response)
{
    struct exchange *x = exchange_of(response);
    struct http_server *server = x->server;
    pthread_mutex_lock(&server->lock);
    bool is_open = !server->is_closing;
    if (is_open) {
        x->is_deferred = true;
        x->next = server->deferred;
        if (x->next)
            x->next->previous = x;
        server->deferred = x;
        MHD_suspend_connection(x->connection);
    } else {
        response->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    pthread_mutex_unlock(&server->lock);
    return is_open;
}

/* Under the lock. */
static void resume(struct exchange *x)
{
    *(x->previous ? &x->previous->next : &x->server->deferred) = x->next;
    if (x->next)
        x->next->previous = x->previous;
    MHD_resume_connection(x->connection);
}

void http_finish(struct http_response *response)
{
    struct exchange *x = exchange_of(response);
    struct http_server *server = x->server;
    pthread_mutex_lock(&server->lock);
    resume(x); /* from here on it is its thread's */
    pthread_mutex_unlock(&server->lock);
}

/* The three calls of a request */

static struct exchange *begin(struct http_server *server, struct MHD_Connection *connection,
                              const char *method, const char *path)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL)
        abort();
    x->server = server;
    x->connection = connection;
    x->request =
        (struct http_request){.method = method, .path = path, .rest = "", .arena = &x->arena};
    x->response = (struct http_response){.status = MHD_HTTP_OK, .content_type = plain_text};
    x->started_us = clock_monotonic_us();
    return x;
}

/* The length that the headers give; more than any limit if they leave it open and no body is
 * taken. */
static uint64_t announced(const struct exchange *x)
{
    const char *length = http_header(&x->request, "Content-Length");
    bool is_chunked = http_header(&x->request, "Transfer-Encoding") != NULL;
    if (is_chunked && x->route->body_max == 0)
        return UINT64_MAX;
    return length ? strtoull(length, NULL, 10) : 0;
}

static enum MHD_Result answer_otherwise(struct exchange *x)
{
    const struct http_options *options = &x->server->options;
    if (options->otherwise == NULL)
        return refuse(x, MHD_HTTP_NOT_FOUND, "not found");
    x->response.status = MHD_HTTP_NOT_FOUND;
    options->otherwise(options->context, &x->request, &x->response);
    return respond(x, true);
}

/* A request is refused before its body is read. */
static enum MHD_Result on_headers(struct exchange *x)
{
    find_route(x);
    if (x->route) {
        bool is_too_large = announced(x) > x->route->body_max;
        return is_too_large ? refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too large") : MHD_YES;
    }
    const char *methods = allowed(x);
    if (*methods == '\0')
        return answer_otherwise(x);
    http_add_header(&x->response, "Allow", methods);
    return refuse(x, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed");
}

/* No answer is possible amid a body: one that grows too large without an announcement is
 * swallowed, and the connection is cut if it does not end soon. */
static enum MHD_Result on_body(struct exchange *x, const char *bytes, size_t size)
{
    int64_t age = clock_monotonic_us() - x->started_us;
    if (age > x->server->options.body_seconds * US_PER_SECOND)
        return MHD_NO;
    if (x->swallowed || size > x->route->body_max - x->body.len) {
        x->swallowed += size;
        return x->swallowed > MAX_SWALLOWED ? MHD_NO : MHD_YES;
    }
    strbuf_add(&x->body, bytes, size);
    return MHD_YES;
}

static enum MHD_Result on_end(struct exchange *x)
{
    if (x->is_deferred) /* and finished: its connection has been resumed */
        return respond(x, false);
    if (x->swallowed)
        return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too large");
    x->request.body = strbuf_span(&x->body);
    x->route->handler(x->server->options.context, &x->request, &x->response);
    return x->is_deferred ? MHD_YES : respond(x, false);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    struct exchange *x = *state;
    if (x == NULL) {
        *state = x = begin(arg, connection, method, path);
        return on_headers(x);
    }
    if (*upload_size == 0)
        return on_end(x);
    enum MHD_Result result = on_body(x, upload, *upload_size);
    *upload_size = 0;
    return result;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *state;
    *state = NULL;
    if (x == NULL)
        return;
    strbuf_free(&x->body);
    strbuf_free(&x->response.body);
    arena_free(&x->arena);
    free(x);
}

/* Opening and closing */

static unsigned or_default(unsigned value, unsigned otherwise)
{
    return value ? value : otherwise;
}

static struct http_options with_defaults(const struct http_options *given)
{
    struct http_options options = *given;
    options.listen = given->listen ? given->listen : "127.0.0.1:0";
    options.threads = or_default(given->threads, 1);
    options.connections = or_default(given->connections, 64);
    options.connections_per_address =
        or_default(given->connections_per_address, (options.connections + 1) / 2);
    options.idle_seconds = or_default(given->idle_seconds, 5);
    options.body_seconds = or_default(given->body_seconds, 10 * options.idle_seconds);
    return options;
}

static struct MHD_Daemon *start(struct http_server *server, int fd)
{
    const struct http_options *options = &server->options;
    /* A pool of one thread is refused: 0 is no pool. */
    unsigned pool = options->threads > 1 ? options->threads : 0;
    return MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, pool,
        MHD_OPTION_CONNECTION_LIMIT, options->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, options->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
}

enum outcome http_server_open(const struct http_options *given, struct http_server **out,
                              struct err *err)
{
    struct http_options options = with_defaults(given);
    int fd = -1;
    *out = NULL;
    CHECK(http_listen(options.listen, (int)options.connections, &fd, err));
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        abort();
    server->options = options;
    server->options.listen = NULL; /* the caller's */
    server->port = http_port_of(fd);
    pthread_mutex_init(&server->lock, NULL);
    server->daemon = start(server, fd);
    if (server->daemon == NULL) {
        close(fd);
        free(server);
        return err_set(err, OUTCOME_FATAL, "http_start", "cannot start the HTTP thread for %s",
                       options.listen);
    }
    *out = server;
    return OUTCOME_OK;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->is_closing = true;
    while (server->deferred) {
        server->deferred->response.status = MHD_HTTP_SERVICE_UNAVAILABLE;
        resume(server->deferred);
    }
    pthread_mutex_unlock(&server->lock);
    MHD_stop_daemon(server->daemon);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}
