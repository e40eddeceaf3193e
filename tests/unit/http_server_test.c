/* http_server_test.c: the server over loopback: routes, what is refused, bodies and their limits,
 * queries, answers that come later, slow clients. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/http/http_server.h"
#include "common/runtime/clock.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { BODY_MAX = 100, WORKERS = 8, WAIT_S = 60 /* a machine may be slow */ };

/* A thread that finishes responses, as a door's would after the broker's acknowledgement. */
struct later {
    pthread_t threads[WORKERS];
    _Atomic(struct http_response *) kept; /* never finished */
    size_t count;
};

static struct http_server *server;
static struct later later;

static void answer_echo(void *context, const struct http_request *request,
                        struct http_response *response)
{
    strbuf_addf(&response->body, "%s %s|%s|" SPAN_FMT, request->method, request->path,
                request->rest, SPAN_ARG(request->body));
}

static void answer_query(void *context, const struct http_request *request,
                         struct http_response *response)
{
    const char *a = http_query(request, "a"), *b = http_query(request, "b c");
    strbuf_addf(&response->body, "%s|%s", a ? a : "none", b ? b : "none");
}

static void answer_page(void *context, const struct http_request *request,
                        struct http_response *response)
{
    const char *known = http_header(request, "if-none-match");
    response->content_type = "text/html";
    http_add_header(response, "ETag", "\"7\"");
    http_add_header(response, "Cache-Control", "max-age=60");
    http_add_header(response, "X-Split", "a\r\nSet-Cookie: b");
    if (known && strcmp(known, "\"7\"") == 0)
        response->status = 304;
    else
        response->fixed_body = SPAN("<p>page</p>");
}

static void *finish(void *arg)
{
    struct http_response *response = arg;
    strbuf_addf(&response->body, "later");
    http_finish(response);
    return NULL;
}

static void answer_later(void *context, const struct http_request *request,
                         struct http_response *response)
{
    assert_ptr_equal(context, &later);
    if (!http_defer(response))
        return;
    response->status = 202;
    if (strcmp(request->rest, "never") == 0)
        later.kept = response;
    else if (strcmp(request->rest, "at-once") == 0)
        finish(response);
    else
        pthread_create(&later.threads[later.count++], NULL, finish, response);
}

static const struct http_route routes[] = {
    {"GET", "/echo", answer_echo, 0},
    {"POST", "/echo", answer_echo, BODY_MAX},
    {"GET", "/files/*", answer_echo, 0},
    {"PUT", "/only-put", answer_echo, BODY_MAX},
    {"GET", "/query", answer_query, 0},
    {"GET", "/page", answer_page, 0},
    {"POST", "/later/*", answer_later, BODY_MAX},
};

static struct http_options options_of(unsigned threads)
{
    return (struct http_options){.threads = threads,
                                 .idle_seconds = WAIT_S,
                                 .keeps_connections = true,
                                 .routes = routes,
                                 .route_count = COUNT(routes),
                                 .context = &later};
}

static int open_server(void **state)
{
    struct err err;
    struct http_options options = options_of(1);
    signal(SIGPIPE, SIG_IGN);
    return http_server_open(&options, &server, &err) == OUTCOME_OK ? 0 : -1;
}

static int close_server(void **state)
{
    http_server_close(server);
    http_server_close(NULL);
    return 0;
}

static int connect_to(const struct http_server *to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(http_server_port(to))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    for (size_t sent = 0, size = strlen(text); sent < size;) {
        ssize_t n = send(fd, text + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server has closed: the test looks at what it said */
        sent += (size_t)n;
    }
}

/* Reads until the server closes, or until `wanted` stands in what was read (NULL: until the end).
 * False after WAIT_S. */
static bool receive(int fd, const char *wanted, char text[8192])
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    size_t got = 0;
    text[0] = '\0';
    while (wanted == NULL || strstr(text, wanted) == NULL) {
        if (poll(&poller, 1, WAIT_S * 1000) != 1)
            return false;
        ssize_t n = recv(fd, text + got, 8191 - got, 0);
        if (n <= 0)
            return wanted == NULL;
        got += (size_t)n;
        text[got] = '\0';
    }
    return true;
}

/* One request on a connection of its own. */
static void exchange(const char *request, char text[8192])
{
    int fd = connect_to(server);
    send_text(fd, request);
    shutdown(fd, SHUT_WR);
    if (!receive(fd, NULL, text))
        fail_msg("no end of the answer to %s", request);
    close(fd);
}

static const char *body_of(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    return end ? end + 4 : "";
}

#define HEAD_OF(line) line " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"

static void answers(void **state)
{
    static const struct {
        const char *request, *status, *body, *header; /* NULL: any */
    } rows[] = {
        {HEAD_OF("GET /echo") "\r\n", "200", "GET /echo||", "Cache-Control: no-store\r\n"},
        {HEAD_OF("HEAD /echo") "\r\n", "200", "", "Content-Length: 12\r\n"},
        {HEAD_OF("POST /echo") "Content-Length: 3\r\n\r\nabc", "200", "POST /echo||abc", NULL},
        {HEAD_OF("POST /echo") "Content-Length: 0\r\n\r\n", "200", "POST /echo||", NULL},
        {HEAD_OF("POST /echo") "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
         "200", "POST /echo||abc", NULL},
        {HEAD_OF("DELETE /echo") "\r\n", "405", "method not allowed\n",
         "Allow: GET, HEAD, POST\r\n"},
        {HEAD_OF("GET /only-put") "\r\n", "405", NULL, "Allow: PUT\r\n"},
        {HEAD_OF("GET /nothing") "\r\n", "404", "not found\n", NULL},
        {HEAD_OF("POST /nothing") "Content-Length: 9999\r\n\r\n", "404", "not found\n", NULL},
        {HEAD_OF("GET /files") "\r\n", "404", NULL, NULL},
        {HEAD_OF("GET /files/") "\r\n", "200", "GET /files/||", NULL},
        {HEAD_OF("GET /files/a/b%20c.js") "\r\n", "200", "GET /files/a/b c.js|a/b c.js|", NULL},
        {HEAD_OF("GET /files/a%00b") "\r\n", "200", "GET /files/a%00b|a%00b|", NULL},
        {HEAD_OF("GET /echo") "Content-Length: 1\r\n\r\nx", "413", NULL, NULL},
        {HEAD_OF("GET /query?a=1&b%20c=%C3%BC+x") "\r\n", "200", "1|\xc3\xbc x", NULL},
        {HEAD_OF("GET /query?a") "\r\n", "200", "|none", NULL},
        {HEAD_OF("GET /query?a=") "\r\n", "200", "|none", NULL},
        {HEAD_OF("GET /query?a=%zz%4&a=2&A=3") "\r\n", "200", "%zz%4|none", NULL},
        {HEAD_OF("GET /query") "\r\n", "200", "none|none", NULL},
        {HEAD_OF("GET /page") "\r\n", "200", "<p>page</p>", "ETag: \"7\"\r\n"},
        {HEAD_OF("GET /page") "\r\n", "200", NULL, "Cache-Control: max-age=60\r\n"},
        {HEAD_OF("GET /page") "\r\n", "200", NULL, "X-Content-Type-Options: nosniff\r\n"},
        {HEAD_OF("GET /page") "If-None-Match: \"7\"\r\n\r\n", "304", "", "ETag: \"7\"\r\n"},
    };
    char text[8192];
    for (size_t i = 0; i < COUNT(rows); i++) {
        exchange(rows[i].request, text);
        if (strncmp(text, "HTTP/1.1 ", 9) != 0 || strncmp(text + 9, rows[i].status, 3) != 0 ||
            (rows[i].body && strcmp(body_of(text), rows[i].body) != 0) ||
            (rows[i].header && strcasestr(text, rows[i].header) == NULL) ||
            strstr(text, "Set-Cookie"))
            fail_msg("row %zu, %s: %s", i, rows[i].request, text);
    }
}

/* A body of `size` bytes, announced or in chunks; returns the status. */
static int post(size_t size, bool is_chunked, const char *expect)
{
    struct strbuf request = {0};
    char text[8192];
    strbuf_addf(&request, HEAD_OF("POST /echo") "%s", expect);
    if (is_chunked)
        strbuf_addf(&request, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", size);
    else
        strbuf_addf(&request, "Content-Length: %zu\r\n\r\n", size);
    for (size_t i = 0; i < size; i++)
        strbuf_add(&request, "x", 1);
    if (is_chunked)
        strbuf_addf(&request, "\r\n0\r\n\r\n");
    exchange(request.ptr, text);
    strbuf_free(&request);
    return *text ? atoi(text + 9) : 0;
}

static void bodies_are_bounded(void **state)
{
    static const char expect[] = "Expect: 100-continue\r\n";
    assert_int_equal(post(BODY_MAX, false, ""), 200);
    assert_int_equal(post(BODY_MAX, true, ""), 200);
    assert_int_equal(post(BODY_MAX + 1, false, ""), 413);
    assert_int_equal(post(BODY_MAX + 1, true, ""), 413);
    assert_int_equal(post(BODY_MAX + 1, false, expect), 413);
    assert_int_equal(post(BODY_MAX, false, expect), 100);
    assert_int_equal(post(50000, true, ""), 413);
    /* Too long even to be swallowed: the connection is cut without an answer. */
    assert_int_equal(post(4 << 20, true, ""), 0);
    assert_int_equal(post(1, false, ""), 200);
}

static void a_connection_is_kept(void **state)
{
    char text[8192];
    int fd = connect_to(server);
    send_text(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(receive(fd, "GET /echo||", text));
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    assert_true(receive(fd, "POST /echo||hi", text));
    send_text(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"); /* a refusal closes */
    assert_true(receive(fd, NULL, text));
    assert_non_null(strstr(text, " 404 "));
    close(fd);
}

/* Neither silence nor a body that drips holds a connection for long. */
static void slow_clients_are_dropped(void **state)
{
    static const char *const starts[] = {"", "GET /ec", "GET /echo HTTP/1.1\r\nHost: x\r\n",
                                         "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                                         "\r\nabc"};
    struct http_options options = options_of(1);
    struct http_server *strict = NULL;
    struct err err;
    char text[8192];
    options.idle_seconds = 1;
    options.body_seconds = 2;
    assert_int_equal(http_server_open(&options, &strict, &err), OUTCOME_OK);
    for (size_t i = 0; i < COUNT(starts); i++) {
        int fd = connect_to(strict);
        send_text(fd, starts[i]);
        assert_true(receive(fd, NULL, text));
        assert_null(strstr(text, " 200 "));
        close(fd);
    }
    int fd = connect_to(strict);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n");
    int64_t start = clock_monotonic_us();
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int64_t limit = WAIT_S * (int64_t)US_PER_SECOND;
    while (poll(&poller, 1, 200) == 0 && clock_monotonic_us() - start < limit)
        send_text(fd, "x");
    assert_true(receive(fd, NULL, text));
    assert_null(strstr(text, " 200 "));
    close(fd);
    http_server_close(strict);
}

static void an_answer_may_come_later(void **state)
{
    static const char *const paths[] = {"thread", "at-once", "thread"};
    char request[256], text[8192];
    int fd = connect_to(server);
    later.count = 0;
    for (size_t i = 0; i < COUNT(paths); i++) { /* on one connection */
        snprintf(request, sizeof request,
                 "POST /later/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", paths[i]);
        send_text(fd, request);
        assert_true(receive(fd, "\r\n\r\nlater", text));
        assert_non_null(strstr(text, " 202 "));
    }
    close(fd);
    for (size_t i = 0; i < later.count; i++)
        pthread_join(later.threads[i], NULL);
}

static void others_are_served_while_one_waits(void **state)
{
    char text[8192];
    int fd = connect_to(server);
    later.kept = NULL;
    send_text(fd, "POST /later/never HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    exchange(HEAD_OF("GET /echo") "\r\n", text);
    assert_non_null(strstr(text, " 200 "));
    while (later.kept == NULL)
        poll(NULL, 0, 1);
    finish(later.kept);
    assert_true(receive(fd, "\r\n\r\nlater", text));
    close(fd);
}

/* Closing drops what is deferred; with several threads too. */
static void closing_drops_what_is_deferred(void **state)
{
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        struct http_server *other = NULL;
        struct http_options options = options_of(threads);
        struct err err;
        char text[8192];
        assert_int_equal(http_server_open(&options, &other, &err), OUTCOME_OK);
        int fd = connect_to(other), second = connect_to(other);
        send_text(second, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_true(receive(second, "GET /echo||", text));
        later.kept = NULL;
        send_text(fd, "POST /later/never HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        while (later.kept == NULL)
            poll(NULL, 0, 1);
        http_server_close(other);
        receive(fd, NULL, text);
        assert_null(strstr(text, " 202 "));
        close(fd);
        close(second);
    }
}

static void addresses(void **state)
{
    static const char *const bad[] = {"", "9101", "127.0.0.1:", "127.0.0.1:65536", "::1:9101"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct http_options options = options_of(1);
        struct http_server *other = NULL;
        struct err err = {0};
        options.listen = bad[i];
        assert_int_equal(http_server_open(&options, &other, &err), OUTCOME_FATAL);
        assert_string_equal(err.code, "http_listen");
        assert_null(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(bodies_are_bounded),
        cmocka_unit_test(a_connection_is_kept),
        cmocka_unit_test(slow_clients_are_dropped),
        cmocka_unit_test(an_answer_may_come_later),
        cmocka_unit_test(others_are_served_while_one_waits),
        cmocka_unit_test(closing_drops_what_is_deferred),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, open_server, close_server);
}
