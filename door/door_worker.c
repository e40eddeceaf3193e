/* door_worker.c: a worker with connections of its own. It takes what waits as one batch: a single
 * call at once when there is little to do, many together when there is much.
 *
 * The touchpoints are in Kafka before anything is decided. Whatever happens afterwards, the
 * pipeline decides about them, and finds a verdict that was stored here. */
#include <stdlib.h>
#include <time.h>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/service/admin_http.h"
#include "door/door.h"
#include "door/door_answers.h"
#include "operations/contact/decider.h"
#include "operations/topics/publisher.h"

enum {
    IDLE_MS = 1000,
    PUBLISH_MS = 2000,
    FIRST_WAIT_US = 2000,
    LAST_WAIT_US = 100000,
    OK = 200,
    BAD_REQUEST = 400,
    NOT_FOUND = 404,
    GONE = 410,
    UNAVAILABLE = 503,
};

struct door_worker {
    struct door *door;
    pthread_t thread;
    bool is_started;
    struct producer *producer;
    struct publisher *publisher;
    struct decider *decider;
    struct decider *peeker; /* its transactions are rolled back */
    struct arena arena;     /* of a batch */
};

/* ---- opening, closing ---- */

static enum outcome open_parts(struct door_worker *worker, struct err *err)
{
    const struct config *config = worker->door->config;
    const char *topic = config_text(config, "door.topic");
    struct decider_options options = {.config = config, .application_name = "door"};
    CHECK(producer_open(config, &worker->producer, err));
    CHECK(publisher_open(worker->producer, *topic ? topic : NULL, &worker->publisher, err));
    CHECK(decider_open(&options, &worker->peeker, err));
    options.producer = worker->producer;
    return decider_open(&options, &worker->decider, err);
}

enum outcome door_worker_open(struct door *door, struct door_worker **out, struct err *err)
{
    struct door_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        abort();
    worker->door = door;
    enum outcome outcome = open_parts(worker, err);
    if (outcome != OUTCOME_OK) {
        door_worker_close(worker);
        worker = NULL;
    }
    *out = worker;
    return outcome;
}

void door_worker_close(struct door_worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->is_started)
        pthread_join(worker->thread, NULL);
    decider_close(worker->decider);
    decider_close(worker->peeker);
    publisher_close(worker->publisher);
    if (worker->producer)
        producer_close(worker->producer);
    arena_free(&worker->arena);
    free(worker);
}

/* ---- answering ---- */

static void finish(struct door_worker *worker, struct door_job *job)
{
    door_count(worker->door, job->response->status, job->began_us);
    http_finish(job->response); /* the job is gone */
}

static void refuse(struct door_worker *worker, struct door_job *job, unsigned status,
                   const char *code, const char *message)
{
    door_refuse(job->response, status, code, message);
    finish(worker, job);
}

static void refuse_all(struct door_worker *worker, struct door_job *jobs, const struct err *err)
{
    for (struct door_job *job = jobs, *next; job; job = next) {
        next = job->next;
        refuse(worker, job, UNAVAILABLE, err->code, err->message);
    }
}

static unsigned status_of(const struct decided *decided)
{
    struct span code = decided->refused ? span_of(decided->refused_code) : SPAN("");
    return decided->refused == NULL   ? OK
           : span_is(code, "unknown") ? NOT_FOUND
           : span_is(code, "erased")  ? GONE
                                      : BAD_REQUEST;
}

static void answer(struct door_worker *worker, struct door_job *job, const struct decided *decided)
{
    struct http_response *response = job->response;
    size_t count = job->requests.count;
    response->content_type = "application/json";
    if (job->requests.is_list)
        strbuf_addf(&response->body, "{\"decisions\":[");
    else
        response->status = status_of(decided);
    for (size_t i = 0; i < count || i == 0; i++) {
        strbuf_addf(&response->body, i ? "," : "");
        door_add_answer(&response->body, &decided[i], job->shows_profile);
    }
    strbuf_addf(&response->body, job->requests.is_list ? "]}\n" : "\n");
    finish(worker, job);
}

static void answer_all(struct door_worker *worker, struct door_job *jobs,
                       const struct decided *decided)
{
    for (struct door_job *job = jobs, *next; job; job = next) {
        next = job->next;
        size_t count = job->requests.count;
        answer(worker, job, decided);
        decided += count;
    }
}

/* ---- deciding ---- */

/* The requests of all jobs, one after the other. */
struct asked {
    struct record *records;
    struct id *ids;
    size_t count;
    int64_t ends_us; /* of the job that ends first */
};

/* The values are copied: a job is gone with its answer, before what it caused is published. */
static struct asked collect(struct door_worker *worker, const struct door_job *jobs)
{
    struct asked asked = {.ends_us = INT64_MAX};
    size_t count = 0;
    for (const struct door_job *job = jobs; job; job = job->next)
        count += job->requests.count;
    asked.records = arena_array(&worker->arena, struct record, count);
    asked.ids = arena_array(&worker->arena, struct id, count);
    for (const struct door_job *job = jobs; job; job = job->next) {
        asked.ends_us = job->ends_us < asked.ends_us ? job->ends_us : asked.ends_us;
        for (size_t i = 0; i < job->requests.count; i++) {
            asked.ids[asked.count] = job->requests.items[i].id;
            asked.records[asked.count++] =
                (struct record){.timestamp_ms = job->received_ms,
                                .value = arena_copy(&worker->arena, job->requests.items[i].value)};
        }
    }
    return asked;
}

static int left_ms(int64_t ends_us)
{
    int64_t left = (ends_us - clock_monotonic_us()) / 1000;
    return left > 0 ? (int)left : 0;
}

static enum outcome send_all(struct door_worker *worker, const struct door_job *jobs,
                             int64_t ends_us, struct err *err)
{
    for (const struct door_job *job = jobs; job; job = job->next)
        for (size_t i = 0; i < job->requests.count; i++) {
            const struct door_request *request = &job->requests.items[i];
            CHECK(publisher_send(worker->publisher, request->channel, request->key, request->value,
                                 job->received_ms, err));
        }
    return publisher_finish(worker->publisher, left_ms(ends_us), err);
}

static void wait_us(int64_t us)
{
    struct timespec time = {.tv_sec = us / US_PER_SECOND, .tv_nsec = us % US_PER_SECOND * 1000};
    nanosleep(&time, NULL);
}

/* What a decider is to do. */
typedef enum outcome work_fn(struct decider *decider, void *arg, struct err *err);

/* Repeats while a server or a competitor is in the way, until the time of the first call is over.
 */
static enum outcome repeat(struct decider *decider, work_fn *work, void *arg, int64_t ends_us,
                           struct err *err)
{
    int64_t wait = FIRST_WAIT_US;
    for (;;) {
        enum outcome outcome = decider_ready(decider, err);
        if (outcome == OUTCOME_OK)
            outcome = work(decider, arg, err);
        if (outcome == OUTCOME_OK)
            return outcome;
        decider_undo(decider);
        if (outcome != OUTCOME_RETRY || clock_monotonic_us() + wait > ends_us)
            return outcome;
        wait_us(wait);
        wait = wait * 2 < LAST_WAIT_US ? wait * 2 : LAST_WAIT_US;
    }
}

/* Requests, and room for their answers. */
struct decision {
    struct arena *arena;
    const struct asked *asked;
    struct decided **out;
};

static enum outcome run_once(struct decider *decider, void *arg, struct err *err)
{
    const struct decision *d = arg;
    return decider_run(decider, d->arena, d->asked->records, d->asked->ids, d->asked->count, d->out,
                       err);
}

static enum outcome run(struct decider *decider, struct arena *arena, const struct asked *asked,
                        struct decided **out, struct err *err)
{
    struct decision decision = {arena, asked, out};
    return repeat(decider, run_once, &decision, asked->ends_us, err);
}

static void publish(struct door_worker *worker)
{
    struct err err;
    if (decider_publish(worker->decider, PUBLISH_MS, &err) == OUTCOME_OK)
        return;
    decider_undo(worker->decider);
    log_event(LOG_WARN, "publish_left_to_services", "code", err.code, "message", err.message, NULL);
}

static void note_step(const char *step, int64_t us)
{
    struct metric *metric =
        metric_histogram("door_step_seconds", step,
                         "Time of a batch of requests in each step of the door.", NULL, 0);
    metric_observe(metric, (double)us / 1e6);
}

static void note_times(const struct door_worker *worker, int64_t kafka_us)
{
    struct decider_times times = decider_times(worker->decider);
    note_step("step=\"kafka\"", kafka_us);
    note_step("step=\"identity\"", times.identity_us);
    note_step("step=\"decision\"", times.decision_us);
}

/* One of the requests makes the transaction fail: each runs alone. */
static enum outcome run_each(struct door_worker *worker, const struct asked *asked,
                             struct decided **out, struct err *err)
{
    struct decided *all = arena_array(&worker->arena, struct decided, asked->count);
    for (size_t i = 0; i < asked->count; i++) {
        struct asked one = {asked->records + i, asked->ids + i, 1, asked->ends_us};
        struct decided *decided;
        enum outcome outcome = run(worker->decider, &worker->arena, &one, &decided, err);
        if (outcome == OUTCOME_OK) {
            all[i] = *decided;
            publish(worker);
        } else if (outcome == OUTCOME_REJECT) {
            all[i] =
                (struct decided){.request_id = asked->ids[i],
                                 .refused_code = err->code,
                                 .refused = arena_copy(&worker->arena, span_of(err->message)).ptr};
        } else {
            return outcome;
        }
    }
    *out = all;
    return OUTCOME_OK;
}

static void note_failure(struct door_worker *worker, enum outcome outcome, const struct err *err)
{
    if (outcome != OUTCOME_FATAL)
        return;
    log_event(LOG_ERROR, "fatal", "code", err->code, "message", err->message, NULL);
    atomic_store(&worker->door->has_failed, true);
    stop_request();
}

static void decide(struct door_worker *worker, struct door_job *jobs)
{
    struct err err = {0};
    struct decided *decided = NULL;
    struct asked asked = collect(worker, jobs);
    int64_t begun_us = clock_monotonic_us();
    enum outcome outcome = send_all(worker, jobs, asked.ends_us, &err);
    int64_t kafka_us = clock_monotonic_us() - begun_us;
    admin_http_condition("kafka", outcome == OUTCOME_OK);
    if (outcome == OUTCOME_OK) {
        outcome = run(worker->decider, &worker->arena, &asked, &decided, &err);
        bool is_alone = outcome == OUTCOME_REJECT;
        if (is_alone)
            outcome = run_each(worker, &asked, &decided, &err);
        if (outcome == OUTCOME_OK) {
            note_times(worker, kafka_us);
            answer_all(worker, jobs, decided);
            if (!is_alone)
                publish(worker);
            return;
        }
    }
    note_failure(worker, outcome, &err);
    refuse_all(worker, jobs, &err);
}

/* Each alone: what another one would reserve is not there. */
static enum outcome peek_each(struct door_worker *worker, const struct asked *asked,
                              struct decided **out, struct err *err)
{
    *out = arena_array(&worker->arena, struct decided, asked->count);
    for (size_t i = 0; i < asked->count; i++) {
        struct asked one = {asked->records + i, asked->ids + i, 1, asked->ends_us};
        struct decided *decided;
        CHECK(run(worker->peeker, &worker->arena, &one, &decided, err));
        (*out)[i] = *decided;
    }
    return OUTCOME_OK;
}

static size_t place_in(const struct contact_names *names, struct span channel)
{
    size_t i = 0;
    while (i < names->count && !span_equal(names->items[i], channel))
        i++;
    return i;
}

/* The channels that the customer prefers first; the others stay in their order. */
static enum outcome put_preferred_first(struct door_worker *worker, struct decided *decided,
                                        size_t count, struct err *err)
{
    struct contact_names preferred;
    CHECK(decider_preferred(worker->peeker, &worker->arena, &decided->verdict.decision.profile_id,
                            &preferred, err));
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0; k--) {
            struct decided *pair = &decided[k - 1], later = pair[1];
            if (place_in(&preferred, pair[0].verdict.decision.channel) <=
                place_in(&preferred, later.verdict.decision.channel))
                break;
            pair[1] = pair[0];
            pair[0] = later;
        }
    return OUTCOME_OK;
}

static void peek(struct door_worker *worker, struct door_job *job)
{
    struct err err = {0};
    struct decided *decided = NULL;
    struct asked asked = collect(worker, job);
    enum outcome outcome = job->requests.is_choice
                               ? peek_each(worker, &asked, &decided, &err)
                               : run(worker->peeker, &worker->arena, &asked, &decided, &err);
    if (outcome == OUTCOME_OK && job->requests.is_choice)
        outcome = put_preferred_first(worker, decided, asked.count, &err);
    note_failure(worker, outcome, &err);
    if (outcome == OUTCOME_OK)
        answer(worker, job, decided);
    else if (outcome == OUTCOME_REJECT)
        refuse(worker, job, BAD_REQUEST, err.code, err.message);
    else
        refuse(worker, job, UNAVAILABLE, err.code, err.message);
}

/* ---- verdicts that stand ---- */

/* What the token may not see is not there. */
static bool is_visible(const struct door_job *job, const struct decided *decided)
{
    struct door_token token = {.department = job->department, .channels = job->channels};
    const struct decision_row *row = &decided->verdict.decision;
    return decided->refused == NULL && door_token_may(&token, row->department, row->channel);
}

static void refuse_unknown(struct door_worker *worker, struct door_job *job)
{
    refuse(worker, job, NOT_FOUND, "unknown", "nothing is known of this request");
}

static void show(struct door_worker *worker, struct door_job *job)
{
    struct err err = {0};
    struct decided *decided;
    enum outcome outcome = decider_ready(worker->decider, &err);
    if (outcome == OUTCOME_OK)
        outcome = decider_find(worker->decider, &worker->arena, &job->named, 1, &decided, &err);
    note_failure(worker, outcome, &err);
    if (outcome != OUTCOME_OK)
        return refuse(worker, job, UNAVAILABLE, err.code, err.message);
    if (!is_visible(job, decided))
        return refuse_unknown(worker, job);
    answer(worker, job, decided);
}

/* The claims of all jobs that may see their verdict. */
struct claiming {
    struct arena *arena;
    const struct door_job *jobs;
    struct claim *claims, **of_jobs; /* NULL: the job may not see its verdict */
    size_t count;
};

static enum outcome find_and_claim(struct decider *decider, void *arg, struct err *err)
{
    struct claiming *c = arg;
    struct id ids[DOOR_MOST_TOGETHER];
    struct decided *decided;
    size_t count = 0, i = 0;
    for (const struct door_job *job = c->jobs; job; job = job->next)
        ids[count++] = job->named;
    CHECK(decider_find(decider, c->arena, ids, count, &decided, err));
    c->claims = arena_calloc(c->arena, count, sizeof *c->claims);
    c->of_jobs = arena_calloc(c->arena, count, sizeof *c->of_jobs);
    c->count = 0;
    for (const struct door_job *job = c->jobs; job; job = job->next, i++)
        if (is_visible(job, &decided[i])) {
            c->of_jobs[i] = &c->claims[c->count++];
            c->of_jobs[i]->request_id = job->named;
        }
    return c->count ? decider_claim(decider, c->arena, c->claims, c->count, err) : OUTCOME_OK;
}

static void answer_claim(struct door_worker *worker, struct door_job *job,
                         const struct claim *claim)
{
    if (claim == NULL || claim->is_unknown)
        return refuse_unknown(worker, job);
    job->response->content_type = "application/json";
    door_add_claim(&job->response->body, claim);
    finish(worker, job);
}

static void claim(struct door_worker *worker, struct door_job *jobs)
{
    struct err err = {0};
    struct claiming c = {.arena = &worker->arena, .jobs = jobs};
    enum outcome outcome = repeat(worker->decider, find_and_claim, &c, jobs->ends_us, &err);
    note_failure(worker, outcome, &err);
    if (outcome != OUTCOME_OK)
        return refuse_all(worker, jobs, &err);
    for (struct door_job *job = jobs, *next; job; job = next) {
        next = job->next;
        answer_claim(worker, job, *c.of_jobs++);
    }
}

/* ---- the thread ---- */

static struct door_job *drop_overdue(struct door_worker *worker, struct door_job *jobs)
{
    static const struct err overdue = {OUTCOME_RETRY, "overloaded",
                                       "the request waited longer than door.timeout"};
    struct door_job *kept = NULL, **last = &kept;
    int64_t now_us = clock_monotonic_us();
    for (struct door_job *job = jobs, *next; job; job = next) {
        next = job->next;
        job->next = NULL;
        if (job->ends_us <= now_us) {
            refuse_all(worker, job, &overdue);
        } else {
            *last = job;
            last = &job->next;
        }
    }
    return kept;
}

static void look_at_servers(struct door_worker *worker)
{
    struct err err;
    bool is_up = decider_ready(worker->decider, &err) == OUTCOME_OK;
    decider_ready(worker->peeker, &err);
    admin_http_condition("postgres", is_up);
}

static void serve(struct door_worker *worker, struct door_job *jobs)
{
    arena_reset(&worker->arena);
    if (jobs->action == DOOR_DECIDES)
        decide(worker, jobs);
    else if (jobs->action == DOOR_PEEKS)
        peek(worker, jobs);
    else if (jobs->action == DOOR_CLAIMS)
        claim(worker, jobs);
    else
        show(worker, jobs);
}

static void *work(void *arg)
{
    struct door_worker *worker = arg;
    struct door_queue *queue = &worker->door->queue;
    for (;;) {
        struct door_job *jobs = door_queue_take(queue, DOOR_MOST_TOGETHER, IDLE_MS);
        if (jobs == NULL && door_queue_is_closed(queue))
            return NULL;
        look_at_servers(worker);
        jobs = drop_overdue(worker, jobs);
        if (jobs)
            serve(worker, jobs);
    }
}

void door_worker_start(struct door_worker *worker)
{
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        abort();
    worker->is_started = true;
}
