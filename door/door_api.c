/* door_api.c: the calls of the door: authenticate, read, check rights, and queue for a worker. All
 * handlers run on the server's one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/codec/json.h"
#include "common/codec/schema/embedded.h"
#include "common/runtime/clock.h"
#include "door/door.h"
#include "door/door_answers.h"

enum {
    BAD_REQUEST = 400,
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    TOO_MANY = 429,
    UNAVAILABLE = 503,
};

void door_refuse(struct http_response *response, unsigned status, const char *code,
                 const char *message)
{
    response->status = status;
    response->content_type = "application/json";
    if (status == UNAVAILABLE || status == TOO_MANY)
        http_add_header(response, "Retry-After", "1");
    if (status == UNAUTHORIZED)
        http_add_header(response, "WWW-Authenticate", "Bearer");
    strbuf_reset(&response->body);
    door_add_error(&response->body, code, message);
}

void door_count(struct door *door, unsigned status, int64_t began_us)
{
    char labels[32];
    snprintf(labels, sizeof labels, "code=\"%u\"", status);
    metric_add(metric_counter("door_requests_total", labels, "Calls of the door by their answer."),
               1);
    metric_observe(door->seconds, (double)(clock_monotonic_us() - began_us) / 1e6);
}

/* ---- who asks ---- */

/* A copy of the token, whose texts are in the arena: the file may be read again at any time. False:
 * the response is a refusal. */
static bool admit(struct door *door, const struct http_request *request, unsigned right,
                  struct door_token *out, struct http_response *response)
{
    pthread_mutex_lock(&door->tokens_lock);
    struct door_token *token =
        door_tokens_find(&door->tokens, http_header(request, "Authorization"));
    bool has_allowance = token && door_token_take(token, door->rate, clock_monotonic_us());
    if (token) {
        *out = *token;
        out->department = arena_copy(request->arena, token->department);
        out->channels = arena_copy(request->arena, token->channels);
    }
    pthread_mutex_unlock(&door->tokens_lock);
    if (token == NULL)
        door_refuse(response, UNAUTHORIZED, "unauthorized", "the token is missing or unknown");
    else if (!has_allowance)
        door_refuse(response, TOO_MANY, "too_many_requests",
                    "this token asks more often than door.rate");
    else if (!(out->rights & right))
        door_refuse(response, FORBIDDEN, "forbidden", "this token has not the right to do that");
    else
        return true;
    return false;
}

/* ---- what is asked ---- */

static struct door_job *new_job(struct door *door, const struct http_request *request,
                                struct http_response *response)
{
    struct door_job *job = arena_new(request->arena, struct door_job);
    job->began_us = clock_monotonic_us();
    job->ends_us = job->began_us + door->timeout.us;
    job->received_ms = clock_now().us / 1000;
    job->response = response;
    return job;
}

static void queue(struct door *door, struct door_job *job)
{
    struct http_response *response = job->response;
    if (!http_defer(response) || door_queue_put(&door->queue, job, DOOR_MOST_WAITING))
        return;
    door_refuse(response, UNAVAILABLE, "overloaded", "too many requests wait for an answer");
    door_count(door, response->status, job->began_us);
    http_finish(response);
}

static bool may_all(const struct door_token *token, const struct door_requests *requests,
                    struct http_response *response)
{
    for (size_t i = 0; i < requests->count; i++) {
        const struct door_request *request = &requests->items[i];
        if (!door_token_may(token, request->department, request->channel)) {
            door_refuse(response, FORBIDDEN, "forbidden",
                        "this token may not ask for that department and channel");
            return false;
        }
    }
    return true;
}

/* False: the response is a refusal. */
static bool read_requests(struct door *door, const struct http_request *request, bool is_peek,
                          struct door_job *job)
{
    struct err err = {0};
    struct door_token token = {0};
    if (!admit(door, request, is_peek ? RIGHT_PEEK : RIGHT_DECIDE, &token, job->response))
        return false;
    job->action = is_peek ? DOOR_PEEKS : DOOR_DECIDES;
    job->shows_profile = token.rights & RIGHT_PROFILE;
    if (door_requests_read(&door->schema, request->arena, request->body, &job->requests, &err) !=
        OUTCOME_OK) {
        door_refuse(job->response, BAD_REQUEST, err.code, err.message);
        return false;
    }
    if (job->requests.is_choice && !is_peek) {
        door_refuse(job->response, BAD_REQUEST, "bad_query", "channels: only with peek=1");
        return false;
    }
    return may_all(&token, &job->requests, job->response);
}

static void answer_decisions(void *context, const struct http_request *request,
                             struct http_response *response)
{
    struct door *door = context;
    struct door_job *job = new_job(door, request, response);
    const char *peek = http_query(request, "peek");
    bool is_peek = peek && strcmp(peek, "1") == 0;
    if (peek && !is_peek)
        door_refuse(response, BAD_REQUEST, "bad_query", "peek: expected 1");
    else if (read_requests(door, request, is_peek, job))
        return queue(door, job);
    door_count(door, response->status, job->began_us);
}

/* A job about a verdict that stands: the worker finds out whether it is the token's. */
static void set_owner(struct door_job *job, enum door_action action, const struct door_token *token)
{
    job->action = action;
    job->department = token->department;
    job->channels = token->channels;
    job->shows_profile = token->rights & RIGHT_PROFILE;
}

static void answer_decision(void *context, const struct http_request *request,
                            struct http_response *response)
{
    struct door *door = context;
    struct door_job *job = new_job(door, request, response);
    struct door_token token = {0};
    if (admit(door, request, RIGHT_DECIDE, &token, response)) {
        set_owner(job, DOOR_SHOWS, &token);
        if (id_from_uuid(span_of(request->rest), &job->named))
            return queue(door, job);
        door_refuse(response, BAD_REQUEST, "bad_id", "expected the request_id of a decision");
    }
    door_count(door, response->status, job->began_us);
}

static enum outcome read_claim(const struct http_request *request, struct id *out, struct err *err)
{
    const struct json *body;
    struct span text = SPAN("");
    CHECK(json_parse_span(request->arena, request->body, "body", &body, err));
    CHECK(json_check_keys(body, "request_id", "", err));
    CHECK(json_text(body, "request_id", &text, err));
    return id_from_uuid(text, out) ? OUTCOME_OK
                                   : err_set(err, OUTCOME_REJECT, "bad_id",
                                             "request_id: expected the request_id of a decision");
}

static void answer_claim(void *context, const struct http_request *request,
                         struct http_response *response)
{
    struct door *door = context;
    struct door_job *job = new_job(door, request, response);
    struct door_token token = {0};
    struct err err = {0};
    if (admit(door, request, RIGHT_CLAIM, &token, response)) {
        set_owner(job, DOOR_CLAIMS, &token);
        if (read_claim(request, &job->named, &err) == OUTCOME_OK)
            return queue(door, job);
        door_refuse(response, BAD_REQUEST, err.code, err.message);
    }
    door_count(door, response->status, job->began_us);
}

static void answer_openapi(void *context, const struct http_request *request,
                           struct http_response *response)
{
    response->content_type = "application/json";
    response->fixed_body = embedded_schema("door.openapi");
}

const struct http_route door_routes[] = {
    {"POST", "/v1/contact-decisions", answer_decisions, DOOR_BODY_MAX},
    {"GET", "/v1/contact-decisions/*", answer_decision, 0},
    {"POST", "/v1/contact-claims", answer_claim, DOOR_CLAIM_MAX},
    {"GET", "/v1/openapi.json", answer_openapi, 0},
};
const size_t door_route_count = sizeof door_routes / sizeof *door_routes;
