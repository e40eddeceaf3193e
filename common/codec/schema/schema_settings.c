/* schema_settings.c: the settings of a schema set. */
#include "common/codec/schema/schema_set.h"
#include "common/runtime/config.h"

const struct setting schema_set_settings[] = {
    {"schema.registry.retry", SETTING_DURATION, "30s", 100000, INT64_C(3600000000), NULL,
     "What the registry refused is asked for again after so long. Records that wait for their "
     "schema are sent again as often, later up to ten times as seldom."},
    {"schema.registry.url", SETTING_TEXT, "", 0, 0, NULL,
     "Base URLs of the Schema Registry, comma-separated, tried in turn; empty: schemas come from "
     "schema.files only."},
    {"basic.auth.user.info", SETTING_SECRET, "", 0, 0, NULL,
     "user:password for the Schema Registry."},
    {"schema.registry.bearer.token", SETTING_SECRET, "", 0, 0, NULL,
     "Bearer token for the Schema Registry."},
    {"schema.registry.ssl.ca.location", SETTING_TEXT, "", 0, 0, NULL,
     "File of CA certificates for the Schema Registry; empty: the system's."},
    {"schema.registry.timeout", SETTING_DURATION, "5s", 100000, 60 * US_PER_SECOND, NULL,
     "Longest duration of one request to the Schema Registry."},
    {"schema.files", SETTING_TEXT, "", 0, 0, NULL,
     "Schemas by id: 1=path.avsc,2=builtin:touchpoint. Without a registry id 1 is "
     "builtin:touchpoint unless set here."},
    {"schema.guids", SETTING_TEXT, "", 0, 0, NULL,
     "Schema ids of GUIDs in the header __value_schema_id: <guid>=<id>,... in addition to "
     "what the registry knows."},
    {"schema.cache.dir", SETTING_TEXT, "", 0, 0, NULL,
     "Directory that keeps fetched schemas, for a start while the registry is down; empty: none."},
    {"schema.raw.id", SETTING_INT, "0", 0, INT32_MAX - 2000000, NULL,
     "Id of the schema of topics with raw framing; 0: none."},
    {0},
};

enum outcome schema_set_open(const struct config *config, struct schema_set **out, struct err *err)
{
    struct schema_set_options options = {
        .files = config_text(config, "schema.files"),
        .guids = config_text(config, "schema.guids"),
        .retry_us = config_duration(config, "schema.registry.retry").us,
        .urls = config_text(config, "schema.registry.url"),
        .user_info = config_text(config, "basic.auth.user.info"),
        .bearer_token = config_text(config, "schema.registry.bearer.token"),
        .ca_location = config_text(config, "schema.registry.ssl.ca.location"),
        .cache_dir = config_text(config, "schema.cache.dir"),
        .timeout_us = config_duration(config, "schema.registry.timeout").us,
        .raw_id = (int32_t)config_int(config, "schema.raw.id"),
    };
    return schema_set_open_with(&options, out, err);
}
