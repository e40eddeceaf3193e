/* service_admin_http_test.c: real HTTP over loopback: the four paths, what is refused, and hostile
 * clients. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>
#include <cmocka.h>

#include "common/base/pack.h"
#include "common/runtime/clock.h"
#include "common/runtime/telemetry.h"
#include "common/service/admin_http.h"
#include "tests/support/deadline.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct answer {
    long status;
    struct strbuf body, headers;
};

static struct admin_http *http;

static int open_http(void **state)
{
    struct err err;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    signal(SIGPIPE, SIG_IGN);
    return admin_http_open("127.0.0.1:0", "journey-tracker", &http, &err) == OUTCOME_OK ? 0 : -1;
}

static int close_http(void **state)
{
    admin_http_close(http);
    admin_http_close(NULL);
    curl_global_cleanup();
    return 0;
}

static size_t append(char *data, size_t size, size_t count, void *arg)
{
    strbuf_add(arg, data, size * count);
    return size * count;
}

/* status 0: no answer. */
static struct answer request_at(const char *host, uint16_t port, const char *method,
                                const char *path, const char *body)
{
    struct answer answer = {0};
    char url[512];
    snprintf(url, sizeof url, "http://%s:%u%s", host, port, path);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.headers);
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_cleanup(curl);
    strbuf_add(&answer.body, "", 0);
    strbuf_add(&answer.headers, "", 0);
    return answer;
}

static struct answer request(const char *method, const char *path)
{
    return request_at("127.0.0.1", admin_http_port(http), method, path, NULL);
}

static void free_answer(struct answer *answer)
{
    strbuf_free(&answer->body);
    strbuf_free(&answer->headers);
}

/* Status and, where body is not NULL, the exact body. */
static void assert_answer(const char *method, const char *path, long status, const char *body)
{
    struct answer answer = request(method, path);
    if (answer.status != status || (body && strcmp(answer.body.ptr, body) != 0))
        fail_msg("%s %s: %ld %s", method, path, answer.status, answer.body.ptr);
    free_answer(&answer);
}

static void routes(void **state)
{
    static const struct {
        const char *method, *path;
        long status;
    } rows[] = {
        {"GET", "/livez", 200},
        {"HEAD", "/livez", 200},
        {"GET", "/livez?x=%00%ff", 200},
        {"GET", "/metrics", 200},
        {"GET", "/version", 200},
        {"HEAD", "/metrics", 200},
        {"POST", "/livez", 405},
        {"PUT", "/metrics", 405},
        {"DELETE", "/version", 405},
        {"OPTIONS", "/readyz", 405},
        {"TRACE", "/livez", 405},
        {"BREW", "/livez", 405},
        {"GET", "/", 404},
        {"GET", "/livez/", 404},
        {"GET", "//livez", 404},
        {"GET", "/../etc/passwd", 404},
        {"GET", "/LIVEZ", 404},
        {"POST", "/nothing", 404},
        {"GET", "/%00livez", 404},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_answer(rows[i].method, rows[i].path, rows[i].status, NULL);
}

static void headers(void **state)
{
    struct answer answer = request("GET", "/metrics");
    assert_non_null(strcasestr(answer.headers.ptr,
                               "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strcasestr(answer.headers.ptr, "Cache-Control: no-store\r\n"));
    free_answer(&answer);
    answer = request("POST", "/metrics");
    assert_non_null(strcasestr(answer.headers.ptr, "Allow: GET, HEAD\r\n"));
    free_answer(&answer);
}

static void readiness(void **state)
{
    assert_answer("GET", "/readyz", 503, "not ready\n");
    admin_http_condition("kafka", true);
    admin_http_condition("postgres", false);
    assert_answer("GET", "/readyz", 503, "not ready\n");
    assert_answer("GET", "/readyz?verbose", 503, "[+]kafka ok\n[-]postgres not ready\nnot ready\n");
    admin_http_condition("postgres", true);
    assert_answer("GET", "/readyz", 200, "ok\n");
    assert_answer("GET", "/readyz?verbose=1", 200, "[+]kafka ok\n[+]postgres ok\nok\n");
    admin_http_condition("kafka", false);
    assert_answer("GET", "/readyz", 503, "not ready\n");
}

static void liveness(void **state)
{
    assert_answer("GET", "/livez", 200, "ok\n");
    admin_http_beat(INT64_C(3600) * US_PER_SECOND);
    assert_answer("GET", "/livez", 200, "ok\n");
    /* A beat that may be no older than nothing is too old at once. */
    admin_http_beat(1);
    struct deadline deadline = deadline_start();
    struct answer answer = request("GET", "/livez");
    while (answer.status != 503) {
        deadline_check(deadline, "/livez says that the loop has not moved");
        free_answer(&answer);
        answer = request("GET", "/livez");
    }
    assert_non_null(strstr(answer.body.ptr, "has not moved"));
    free_answer(&answer);
    admin_http_beat(INT64_C(3600) * US_PER_SECOND);
    assert_answer("GET", "/livez", 200, "ok\n");
}

static void metrics(void **state)
{
    metric_add(metric_counter("records_consumed_total", "topic=\"t\"", "Records taken."), 5);
    struct answer answer = request("GET", "/metrics");
    assert_non_null(strstr(answer.body.ptr, "\ntutti_records_consumed_total{topic=\"t\"} 5\n"));
    assert_non_null(strstr(answer.body.ptr, "\nprocess_open_fds "));
    free_answer(&answer);
}

static void version(void **state)
{
    admin_http_note("protocol \"1\"");
    struct answer answer = request("GET", "/version");
    json_t *root = json_loadb(answer.body.ptr, answer.body.len, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "service")), "journey-tracker");
    assert_true(json_string_length(json_object_get(root, "version")) > 0);
    assert_true(json_string_length(json_object_get(root, "revision")) > 0);
    assert_string_equal(json_string_value(json_object_get(root, "note")), "protocol \"1\"");
    json_decref(root);
    free_answer(&answer);
}

static int connect_raw(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(admin_http_port(http))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends bytes, ends its side and reads until the server closes; returns the first 12 bytes
 * ("HTTP/1.1 400") or "". */
static void exchange(const char *bytes, size_t size, char status[13])
{
    char rest[4096];
    size_t got = 0;
    int fd = connect_raw();
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    shutdown(fd, SHUT_WR);
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    while (poll(&poller, 1, 20000) == 1) {
        ssize_t n = recv(fd, rest, sizeof rest, 0);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n && got < 12; i++)
            status[got++] = rest[i];
    }
    assert_true(poller.revents != 0);
    status[got] = '\0';
    close(fd);
}

static void hostile_requests(void **state)
{
    static const struct {
        const char *rule, *start;
        char fill;
        size_t fill_count;
        const char *end;
    } rows[] = {
        {"nothing", "", 0, 0, ""},
        {"garbage", "\x16\x03\x01\x02\xFF\x80\r\n\r\n", 0, 0, ""},
        {"cut request line", "GET /met", 0, 0, ""},
        {"cut headers", "GET /livez HTTP/1.1\r\nHost: x\r\nX: ", 0, 0, ""},
        {"no version", "GET /livez\r\n\r\n", 0, 0, ""},
        {"endless path", "GET /", 'a', 1 << 20, " HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"endless header", "GET /livez HTTP/1.1\r\nHost: x\r\nX: ", 'b', 1 << 20, "\r\n\r\n"},
        {"endless method", "", 'A', 1 << 20, " / HTTP/1.1\r\n\r\n"},
        {"endless query", "GET /readyz?", '&', 1 << 16, " HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"two lengths",
         "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n", 'x',
         9, ""},
        {"huge length",
         "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 'x',
         10, ""},
        {"negative length", "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 0, 0,
         ""},
        {"large body", "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n", 'x',
         1 << 20, ""},
        {"bad chunk",
         "POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n", 0, 0, ""},
        {"expect",
         "POST /livez HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 0,
         0, ""},
        {"no host", "GET /livez HTTP/1.1\r\n\r\n", 0, 0, ""},
        {"bare newlines", "GET /livez HTTP/1.1\nHost: x\n\n", 0, 0, ""},
        {"escaped NUL", "GET /livez%00/../metrics HTTP/1.1\r\nHost: x\r\n\r\n", 0, 0, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct strbuf bytes = {0};
        char status[13];
        strbuf_addf(&bytes, "%s", rows[i].start);
        for (size_t n = 0; n < rows[i].fill_count; n++)
            pack_byte(&bytes, (uint8_t)rows[i].fill);
        strbuf_addf(&bytes, "%s", rows[i].end);
        exchange(bytes.ptr, bytes.len, status);
        if (status[0] && strncmp(status, "HTTP/1.", 7) != 0)
            fail_msg("%s: %s", rows[i].rule, status);
        assert_answer("GET", "/livez", 200, "ok\n");
        strbuf_free(&bytes);
    }
}

static void wait_for_livez(void)
{
    struct deadline deadline = deadline_start();
    long status = 0;
    while (status != 200) {
        deadline_check(deadline, "/livez answers again");
        struct answer answer = request("GET", "/livez");
        status = answer.status;
        free_answer(&answer);
    }
}

/* More silent connections than are allowed: they are dropped after their time, and probes are
 * answered again. */
static void silent_connections_do_not_block_for_long(void **state)
{
    int fds[100];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_raw();
        if (i % 2)
            assert_true(send(fds[i], "GET /li", 7, MSG_NOSIGNAL) == 7 || errno == EPIPE ||
                        errno == ECONNRESET);
    }
    wait_for_livez();
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
}

static void a_connection_serves_one_request(void **state)
{
    static const char twice[] =
        "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    char text[4096];
    size_t got = 0;
    int fd = connect_raw();
    assert_int_equal(send(fd, twice, sizeof twice - 1, MSG_NOSIGNAL), sizeof twice - 1);
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    for (ssize_t n; got < sizeof text - 1 && poll(&poller, 1, 20000) == 1; got += (size_t)n)
        if ((n = recv(fd, text + got, sizeof text - 1 - got, 0)) <= 0)
            break;
    text[got] = '\0';
    const char *first = strstr(text, "HTTP/1.1 200");
    assert_non_null(first);
    assert_null(strstr(first + 1, "HTTP/1.1"));
    close(fd);
}

static void addresses(void **state)
{
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", admin_http_port(http));
    const struct {
        const char *listen, *error, *reach; /* error NULL: must work; reach NULL: off */
    } rows[] = {
        {"off", NULL, NULL},
        {":0", NULL, "127.0.0.1"},
        {"127.0.0.1:0", NULL, "127.0.0.1"},
        {"localhost:0", NULL, NULL},
        {taken, "Address already in use", NULL},
        {"", "is not an address", NULL},
        {"9101", "is not an address", NULL},
        {"127.0.0.1:", "is not an address", NULL},
        {"127.0.0.1:65536", "is not an address", NULL},
        {"127.0.0.1:12a", "is not an address", NULL},
        {"127.0.0.1:-1", "is not an address", NULL},
        {"::1:9101", "is not an address", NULL},
        {"[]:9101", "is not an address", NULL},
        {"203.0.113.1:0", "cannot listen on 203.0.113.1:0", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct admin_http *other = NULL;
        struct err err = {0};
        enum outcome outcome = admin_http_open(rows[i].listen, "s", &other, &err);
        if (outcome != (rows[i].error ? OUTCOME_FATAL : OUTCOME_OK) ||
            (rows[i].error && !strstr(err.message, rows[i].error)))
            fail_msg("%s: %d %s", rows[i].listen, outcome, err.message);
        assert_int_equal(other == NULL, rows[i].error || strcmp(rows[i].listen, "off") == 0);
        if (rows[i].reach) {
            struct answer answer =
                request_at(rows[i].reach, admin_http_port(other), "GET", "/version", NULL);
            assert_int_equal(answer.status, 200);
            free_answer(&answer);
        }
        admin_http_close(other);
    }
}

static void ipv6(void **state)
{
    struct admin_http *other = NULL;
    struct err err;
    if (admin_http_open("[::1]:0", "s", &other, &err) != OUTCOME_OK) {
        print_message("no IPv6 here: %s\n", err.message);
        skip();
    }
    struct answer answer = request_at("[::1]", admin_http_port(other), "GET", "/livez", NULL);
    assert_int_equal(answer.status, 200);
    free_answer(&answer);
    admin_http_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),
        cmocka_unit_test(headers),
        cmocka_unit_test(readiness),
        cmocka_unit_test(liveness),
        cmocka_unit_test(metrics),
        cmocka_unit_test(version),
        cmocka_unit_test(hostile_requests),
        cmocka_unit_test(silent_connections_do_not_block_for_long),
        cmocka_unit_test(a_connection_serves_one_request),
        cmocka_unit_test(addresses),
        cmocka_unit_test(ipv6),
    };
    return cmocka_run_group_tests(tests, open_http, close_http);
}
