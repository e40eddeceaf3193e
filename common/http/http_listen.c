/* http_listen.c: reads the address, then binds the first socket that the resolver offers. */
#include "common/http/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/span.h"

enum { BIND_TRIES = 20, BIND_PAUSE_MS = 100 };

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

static int bind_one(const struct addrinfo *address, int backlog)
{
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, backlog) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* IPv6 first where all addresses are wanted: that socket takes IPv4 too. -1 and errno if none can
 * be had. */
static int bind_any(const struct addrinfo *found, bool has_host, int backlog)
{
    int fd = -1;
    for (int pass = 0; pass < 2 && fd < 0; pass++)
        for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
            if ((a->ai_family == AF_INET6) == (pass == has_host))
                fd = bind_one(a, backlog);
    return fd;
}

static enum outcome read_listen(const char *text, char host[256], char port[8], struct err *err)
{
    return split_listen(text, host, port)
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "http_listen",
                         "http.listen: \"%s\" is not an address such as 127.0.0.1:9101, "
                         "[::1]:9101 or :9101",
                         text);
}

enum outcome http_listen_check(const char *text, struct err *err)
{
    char host[256] = "", port[8] = "";
    return read_listen(text, host, port, err);
}

/* A process that was killed a moment ago may still hold the port: its successor waits for it a
 * little. */
enum outcome http_listen(const char *text, int backlog, int *fd, struct err *err)
{
    char host[256] = "", port[8] = "";
    CHECK(read_listen(text, host, port, err));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    int rc = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (rc != 0)
        return err_set(err, OUTCOME_FATAL, "http_listen", "cannot listen on %s: %s", text,
                       gai_strerror(rc));
    *fd = bind_any(found, *host != '\0', backlog);
    for (int tries = 0; *fd < 0 && errno == EADDRINUSE && tries < BIND_TRIES; tries++) {
        poll(NULL, 0, BIND_PAUSE_MS);
        *fd = bind_any(found, *host != '\0', backlog);
    }
    int saved = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return err_set(err, OUTCOME_FATAL, "http_listen", "cannot listen on %s: %s", text,
                       strerror(saved));
    return OUTCOME_OK;
}

uint16_t http_port_of(int fd)
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
