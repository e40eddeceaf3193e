/* registry_client.c: GET requests over several base URLs; one connection is kept open. */
#include "common/codec/schema/registry_client.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "common/base/pack.h"
#include "common/codec/json.h"

enum { MAX_BODY = 4 * 1024 * 1024, MAX_URLS = 8, CODES_NOT_FOUND = 40400, CODES_AFTER = 40500 };

struct registry {
    CURL *curl;
    struct curl_slist *headers;
    char *urls; /* the list, commas replaced by NULs */
    const char *url[MAX_URLS];
    size_t url_count, current;
    struct arena arena; /* of one request */
};

static size_t receive(char *bytes, size_t size, size_t count, void *arg)
{
    struct strbuf *body = arg;
    if (body->len + size * count > MAX_BODY)
        return 0;
    strbuf_add(body, bytes, size * count);
    return size * count;
}

/* A URL as it may be shown: without credentials. */
static const char *shown(const char *url)
{
    const char *at = strrchr(url, '@');
    return at ? at + 1 : url;
}

static enum outcome split_urls(struct registry *r, struct err *err)
{
    char *rest = r->urls, *url;
    while ((url = strsep(&rest, ", ")) != NULL) {
        if (*url == '\0')
            continue;
        if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
            return err_set(err, OUTCOME_FATAL, "config_invalid",
                           "schema.registry.url: %s is not http:// or https://", shown(url));
        if (r->url_count == MAX_URLS)
            return err_set(err, OUTCOME_FATAL, "config_invalid",
                           "schema.registry.url: more than %d URLs", MAX_URLS);
        for (size_t n = strlen(url); n && url[n - 1] == '/'; n--)
            url[n - 1] = '\0';
        r->url[r->url_count++] = url;
    }
    if (r->url_count == 0)
        return err_set(err, OUTCOME_FATAL, "config_invalid", "schema.registry.url: no URL");
    return OUTCOME_OK;
}

static void set_credentials(struct registry *r, const struct registry_options *options)
{
    if (options->user_info && *options->user_info) {
        curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(r->curl, CURLOPT_USERPWD, options->user_info);
    }
    if (options->bearer_token && *options->bearer_token) {
        curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(r->curl, CURLOPT_XOAUTH2_BEARER, options->bearer_token);
    }
    if (options->ca_location && *options->ca_location)
        curl_easy_setopt(r->curl, CURLOPT_CAINFO, options->ca_location);
}

static enum outcome prepare(struct registry *r, const struct registry_options *options,
                            struct err *err)
{
    r->curl = curl_easy_init();
    r->headers =
        curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, application/json");
    r->urls = strdup(options->urls);
    if (r->curl == NULL || r->headers == NULL || r->urls == NULL)
        return err_set(err, OUTCOME_FATAL, "out_of_memory", "cannot prepare the registry client");
    long timeout_ms = (long)((options->timeout_us > 0 ? options->timeout_us : 5000000) / 1000);
    curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(r->curl, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(r->curl, CURLOPT_TIMEOUT_MS, timeout_ms > 0 ? timeout_ms : 1L);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, receive);
    set_credentials(r, options);
    return split_urls(r, err);
}

enum outcome registry_open(const struct registry_options *options, struct registry **out,
                           struct err *err)
{
    *out = NULL;
    struct registry *r = calloc(1, sizeof *r);
    if (r == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(r);
        return err_set(err, OUTCOME_FATAL, "out_of_memory", "cannot start libcurl");
    }
    enum outcome outcome = prepare(r, options, err);
    if (outcome)
        registry_close(r);
    else
        *out = r;
    return outcome;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    curl_easy_cleanup(registry->curl);
    curl_slist_free_all(registry->headers);
    arena_free(&registry->arena);
    free(registry->urls);
    free(registry);
    curl_global_cleanup();
}

static enum outcome down(const char *url, struct err *err, const char *what)
{
    return err_set(err, OUTCOME_RETRY, "registry_down", "schema registry %s: %s", shown(url), what);
}

/* An answer other than 200. Only a registry's own "not found" is final: a 404 of something else in
 * the way is not. */
static enum outcome refused(struct registry *r, const char *url, long status, struct span body,
                            struct err *err)
{
    const struct json *answer = NULL;
    int64_t code = 0;
    char what[64];
    struct err ignored;
    if (status == 404 &&
        json_parse_span(&r->arena, body, "registry answer", &answer, &ignored) == OUTCOME_OK &&
        json_int(answer, "error_code", 0, INT32_MAX, &code, &ignored) == OUTCOME_OK &&
        code >= CODES_NOT_FOUND && code < CODES_AFTER)
        return err_set(err, OUTCOME_REJECT, "unknown_schema_id",
                       "schema registry %s does not know it", shown(url));
    snprintf(what, sizeof what, "HTTP %ld%s", status,
             status == 404 ? ", and the answer is not a registry's: is the path right?"
             : status == 401 || status == 403 ? ", check basic.auth.user.info"
                                              : "");
    return down(url, err, what);
}

static enum outcome get_from(struct registry *r, const char *base, const char *path,
                             const struct json **answer, struct err *err)
{
    struct strbuf body = {.arena = &r->arena};
    long status = 0;
    curl_easy_setopt(r->curl, CURLOPT_URL, arena_printf(&r->arena, "%s%s", base, path));
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, &body);
    CURLcode code = curl_easy_perform(r->curl);
    if (code != CURLE_OK)
        return down(base, err, curl_easy_strerror(code));
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return refused(r, base, status, strbuf_span(&body), err);
    struct err ignored;
    if (json_parse_span(&r->arena, strbuf_span(&body), "registry answer", answer, &ignored))
        return down(base, err, "the answer is not JSON");
    return OUTCOME_OK;
}

/* Asks the URL that answered last, then the others; a REJECT is an answer too. */
static enum outcome ask(struct registry *r, const char *path, const struct json **answer,
                        struct err *err)
{
    enum outcome outcome = OUTCOME_RETRY;
    for (size_t i = 0; i < r->url_count && outcome == OUTCOME_RETRY; i++) {
        size_t n = (r->current + i) % r->url_count;
        outcome = get_from(r, r->url[n], path, answer, err);
        if (outcome != OUTCOME_RETRY)
            r->current = n;
    }
    return outcome;
}

/* Every registry knows this path, or says itself that it does not. */
static bool is_alive(struct registry *r)
{
    const struct json *types;
    struct err ignored = {0};
    return ask(r, "/schemas/types", &types, &ignored) != OUTCOME_RETRY;
}

/* A registry that fails for one schema must not stop those who use others: what it answers to
 * something else tells a registry that is down from one that cannot give this schema. */
static enum outcome get(struct registry *r, const char *path, const struct json **answer,
                        struct err *err)
{
    enum outcome outcome = ask(r, path, answer, err);
    if (outcome != OUTCOME_RETRY || !is_alive(r))
        return outcome;
    struct err why = *err;
    return err_set(err, OUTCOME_REJECT, "schema_unavailable", "%s; it answers to other questions",
                   why.message);
}

static enum outcome read_schema(const struct json *answer, struct arena *arena, struct span *out,
                                struct err *err)
{
    struct span text = SPAN_NONE, type = SPAN("AVRO");
    const struct json *references = NULL;
    struct err ignored;
    if (json_text(answer, "schema", &text, &ignored) ||
        json_text(answer, "schemaType", &type, &ignored) || text.ptr == NULL)
        return err_set(err, OUTCOME_REJECT, "schema_unavailable",
                       "the registry's answer has no schema");
    if (!span_is(type, "AVRO"))
        return err_set(err, OUTCOME_REJECT, "schema_unusable", "schema: its type is not AVRO");
    if (json_list(answer, "references", &references, &ignored) || json_count(references) > 0)
        return err_set(err, OUTCOME_REJECT, "schema_unusable",
                       "schema: references to other subjects are not supported");
    *out = arena_copy(arena, text);
    return OUTCOME_OK;
}

enum outcome registry_schema(struct registry *registry, int32_t id, struct arena *arena,
                             struct span *out, struct err *err)
{
    const struct json *answer;
    char path[48];
    snprintf(path, sizeof path, "/schemas/ids/%d", (int)id);
    arena_reset(&registry->arena);
    enum outcome outcome = get(registry, path, &answer, err);
    return outcome ? outcome : read_schema(answer, arena, out, err);
}

enum outcome registry_id_of_guid(struct registry *registry, const struct id *guid, int32_t *out,
                                 struct err *err)
{
    const struct json *answer = NULL;
    char uuid[37], path[80];
    int64_t id = 0;
    id_to_uuid(guid, uuid);
    snprintf(path, sizeof path, "/schemas/guids/%s/ids", uuid);
    arena_reset(&registry->arena);
    CHECK(get(registry, path, &answer, err));
    for (size_t i = json_count(answer); i-- > 0;) {
        struct span context = SPAN(".");
        struct err ignored;
        const struct json *each = json_at(answer, i);
        int64_t candidate = 0;
        if (json_int(each, "id", 1, INT32_MAX, &candidate, &ignored) ||
            json_text(each, "context", &context, &ignored))
            continue;
        if (candidate && (id == 0 || span_is(context, ".")))
            id = candidate;
    }
    if (id == 0)
        return err_set(err, OUTCOME_REJECT, "unknown_schema_id",
                       "the schema registry knows no id of GUID %s", uuid);
    *out = (int32_t)id;
    return OUTCOME_OK;
}
