/* http_listen.h: a listening socket from a text such as 127.0.0.1:9101. */
#ifndef TUTTI_HTTP_HTTP_LISTEN_H
#define TUTTI_HTTP_HTTP_LISTEN_H

#include <stdint.h>

#include "common/base/outcome.h"

/* FATAL "http_listen" as in http_server.h. backlog is listen()'s. */
enum outcome http_listen(const char *text, int backlog, int *fd, struct err *err);
/* FATAL as http_listen where the text is no address. Binds nothing. */
enum outcome http_listen_check(const char *text, struct err *err);
/* The port of a bound socket, 0 if it has none. */
uint16_t http_port_of(int fd);

#endif
