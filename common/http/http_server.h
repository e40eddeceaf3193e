/* http_server.h: a small HTTP/1.1 server over libmicrohttpd: a table of routes, bounded requests,
 * answers now or later.
 *
 * Threads. The server has threads of its own (one unless options say more). Each of them serves
 * its share of the connections, and calls the handler of a request when the request is complete.
 * With one thread, two handlers never run at the same time. A handler may not wait: all connections
 * of its thread wait with it. Where the answer takes longer (a broker's acknowledgement, a query),
 * the handler calls http_defer, hands the response to another thread and returns; that thread fills
 * it and calls http_finish.
 *
 * What the server answers itself: 404 (no such path), 405 with Allow (no such method there), 413
 * (the body is longer than the route takes). It closes the connection after these. libmicrohttpd
 * answers malformed requests. HEAD goes to the handler of GET; the body is left out.
 *
 * Paths, names and values are decoded once (%41 is A); %00 is left as it stands, so that no text
 * holds a NUL. */
#ifndef TUTTI_HTTP_HTTP_SERVER_H
#define TUTTI_HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/outcome.h"
#include "common/base/pack.h"

/* Borrowed until the response is sent. */
struct http_request {
    const char *method; /* as it was sent: HEAD, although the handler is that of GET */
    const char *path;
    const char *rest;    /* what stood for the * of the route; "" without one */
    struct span body;    /* whole */
    struct arena *arena; /* lives until the response is sent */
};

/* The first value of a parameter behind the ?; "" where it has none, NULL where it is absent. */
const char *http_query(const struct http_request *request, const char *name);
/* The first value of a header, NULL where it is absent. Names have no case. */
const char *http_header(const struct http_request *request, const char *name);

/* What the handler fills. Each answer has X-Content-Type-Options: nosniff, and Cache-Control:
 * no-store unless the handler adds another. */
struct http_response {
    unsigned status;          /* 200 at first */
    const char *content_type; /* "text/plain; charset=utf-8" at first */
    struct strbuf body;       /* on the heap; the server takes it */
    struct span fixed_body;   /* instead of body: bytes that outlive the server, not copied */
};

/* Adds a header. A name or value with a line break or another control character is left out. */
void http_add_header(struct http_response *response, const char *name, const char *value);

/* In a handler: the response is finished later. False while the server is closing; the response is
 * then a 503, and the handler returns. The request stays valid until http_finish. No time limit is
 * kept for a response that is deferred: who deferred it must finish it. */
bool http_defer(struct http_response *response);
/* From any thread, once, after http_defer: sends the response, which belongs to the server again.
 * It may come before the handler has returned. */
void http_finish(struct http_response *response);

typedef void http_handler(void *context, const struct http_request *request,
                          struct http_response *response);

/* The first row whose path fits counts. A path that ends in / and a star takes all that begin
 * with what stands before the star. */
struct http_route {
    const char *method; /* "GET" */
    const char *path;
    http_handler *handler;
    size_t body_max; /* bytes of a body; 0: none is taken */
};

/* All that is 0 or NULL has the default in brackets. */
struct http_options {
    /* "127.0.0.1:9101", "[::1]:9101", ":9101": all addresses; port 0: any free one (127.0.0.1:0) */
    const char *listen;
    unsigned threads;                 /* (1) */
    unsigned connections;             /* at the same time; more are not accepted (64) */
    unsigned connections_per_address; /* (half of connections) */
    unsigned idle_seconds;            /* without progress; the connection is then dropped (5) */
    unsigned body_seconds;            /* for a whole body, however it drips (10 x idle_seconds) */
    bool keeps_connections;           /* else a connection serves one request */
    const struct http_route *routes;  /* lives as long as the server */
    size_t route_count;
    /* answers other paths, with status 404 at first and no body read; it may not defer (a short
     * text) */
    http_handler *otherwise;
    void *context; /* the first argument of every handler */
};

struct http_server;
/* FATAL "http_listen" or "http_start" with one line, if the address is malformed or taken. A port
 * that is taken is waited for 2 s: a process that was just killed may still hold it. */
enum outcome http_server_open(const struct http_options *options, struct http_server **out,
                              struct err *err);
/* Ends the threads and drops all connections, and with them the responses that are deferred. No
 * http_finish may run at the same time or follow. NULL is fine. */
void http_server_close(struct http_server *server);
/* The port it listens on. */
uint16_t http_server_port(const struct http_server *server);

#endif
