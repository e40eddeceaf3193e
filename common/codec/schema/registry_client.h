/* registry_client.h: the few requests we make to a Schema Registry. libcurl ends in
 * registry_client.c. */
#ifndef TUTTI_CODEC_REGISTRY_CLIENT_H
#define TUTTI_CODEC_REGISTRY_CLIENT_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/outcome.h"

struct registry;
struct registry_options {
    /* comma-separated; each may have a path; tried in turn from the one that answered last */
    const char *urls;
    const char *user_info, *bearer_token, *ca_location; /* empty where not wanted */
    int64_t timeout_us;
};

/* FATAL if a URL is not http or https. Makes no request. */
enum outcome registry_open(const struct registry_options *options, struct registry **out,
                           struct err *err);
void registry_close(struct registry *registry);

/* Text of schema id, in the arena. REJECT unknown_schema_id: a registry says it has none. REJECT
 * schema_unusable: not Avro, or with references. RETRY registry_down: no URL gave a usable
 * answer (refused credentials included). */
enum outcome registry_schema(struct registry *registry, int32_t id, struct arena *arena,
                             struct span *out, struct err *err);

/* Schema id of a GUID, of the default context where there are several. REJECT unknown_schema_id,
 * RETRY registry_down. */
enum outcome registry_id_of_guid(struct registry *registry, const struct id *guid, int32_t *out,
                                 struct err *err);

#endif
