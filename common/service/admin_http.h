/* admin_http.h: the pages /livez, /readyz[?verbose], /metrics and /version of a service, on one
 * thread of common/http; loopback by default.
 *
 * GET and HEAD only (else 405), other paths 404. A connection serves one request and is dropped
 * after 5 s without progress; there are at most 64 connections, 32 of one address. */
#ifndef TUTTI_SERVICE_ADMIN_HTTP_H
#define TUTTI_SERVICE_ADMIN_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/outcome.h"

struct admin_http;

/* listen is "127.0.0.1:9101", "[::1]:9101", ":9101" (all addresses) or "off" (then *out stays
 * NULL). Port 0: any free one. FATAL with one line if the address is malformed or taken. service is
 * copied. */
enum outcome admin_http_open(const char *listen, const char *service, struct admin_http **out,
                             struct err *err);
void admin_http_close(struct admin_http *http); /* NULL is fine */
/* The port it listens on. */
uint16_t admin_http_port(const struct admin_http *http);

/* Liveness: /livez is 200 while the last beat is younger than limit_us; the loop beats once per
 * round. No dependency. Before the first beat (the program is still starting) it is 200 too. */
void admin_http_beat(int64_t limit_us);
/* Readiness: named conditions (static names such as "kafka", "postgres", "registry", at most 16);
 * ready when there is at least one and all are true. */
void admin_http_condition(const char *name, bool is_met);
/* A static text for the field "note" of /version, or NULL. */
void admin_http_note(const char *note);

#endif
