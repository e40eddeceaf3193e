/* runtime_config_test.c: one row per rule of config.h: precedence, types and ranges, nearest names,
 * file syntax, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/runtime/config.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { MOST = 6, TEXT = 16384 };

static const struct setting common_table[] = {
    {"log.level", SETTING_CHOICE, "info", 0, 0, "debug|info|warn|error",
     "Lines below it are dropped."},
    {"flush.interval", SETTING_DURATION, "500ms", 1000, 60 * US_PER_SECOND, NULL,
     "Longest wait before a flush."},
    {"cache.size", SETTING_BYTES, "64MB", 1024, INT64_C(1) << 40, NULL, "Memory of the cache."},
    {"batch.max-records", SETTING_INT, "1000", 1, 100000, NULL, "Records of one batch."},
    {"any.number", SETTING_INT, "0", 0, 0, NULL, "Any number."},
    {"feature.on", SETTING_BOOL, "false", 0, 0, NULL, "A | switch."},
    {NULL, SETTING_TEXT, NULL, 0, 0, NULL, NULL},
};
static const struct setting own_table[] = {
    {"group", SETTING_TEXT, NULL, 0, 0, NULL, "Consumer group."},
    {"log.level", SETTING_CHOICE, "error", 0, 0, "error", "The first table counts."},
    {"database.url", SETTING_TEXT, "", 0, 0, NULL, "Where the database is."},
    {"hash.key", SETTING_SECRET, "", 0, 0, NULL, "Key of the identifier hash."},
    {NULL, SETTING_TEXT, NULL, 0, 0, NULL, NULL},
};
static const struct setting *const tables[] = {common_table, own_table, NULL};

/* What one case gives to config_load: "%s" in an argument or variable is the path of the file. */
struct given {
    const char *file;
    const char *variables[MOST];
    const char *arguments[MOST];
};

struct loaded {
    struct config *config;
    enum outcome outcome;
    enum config_action action;
    struct err err;
    char output[TEXT];
    char path[64];
};

static void write_file(char path[64], const char *text)
{
    strcpy(path, "/tmp/tutti_config_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static const char *with_path(const char *format, const char *path, char *text, size_t size)
{
    const char *at = strstr(format, "%s");
    if (at == NULL)
        return format;
    snprintf(text, size, "%.*s%s%s", (int)(at - format), format, path, at + 2);
    return text;
}

static void set_variables(const struct given *given, const char *path)
{
    clearenv();
    for (int i = 0; i < MOST && given->variables[i]; i++) {
        char text[256], name[128];
        const char *pair = with_path(given->variables[i], path, text, sizeof text);
        size_t n = strcspn(pair, "=");
        snprintf(name, sizeof name, "%.*s", (int)n, pair);
        setenv(name, pair + n + 1, 1);
    }
}

/* Runs call with stdout going into output. */
static void load_captured(struct loaded *loaded, int argc, char **argv)
{
    FILE *to = tmpfile();
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fileno(to), STDOUT_FILENO);
    loaded->outcome = config_load("tutti-test", tables, argc, argv, &loaded->config,
                                  &loaded->action, &loaded->err);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(to);
    loaded->output[fread(loaded->output, 1, TEXT - 1, to)] = '\0';
    fclose(to);
}

static void load(const struct given *given, struct loaded *loaded)
{
    char texts[MOST + 2][256], *argv[MOST + 3] = {(char *)"tutti-test"};
    int argc = 1;
    *loaded = (struct loaded){0};
    if (given->file) {
        write_file(loaded->path, given->file);
        argv[argc++] = (char *)"--config";
        argv[argc++] = loaded->path;
    }
    for (int i = 0; i < MOST && given->arguments[i]; i++)
        argv[argc++] =
            (char *)with_path(given->arguments[i], loaded->path, texts[i], sizeof texts[i]);
    set_variables(given, loaded->path);
    load_captured(loaded, argc, argv);
    if (given->file)
        unlink(loaded->path);
}

/* The value of name as text, whatever its type. */
static void value_text(const struct config *config, const char *name, char *text, size_t size)
{
    for (const struct setting *const *table = tables; *table; table++)
        for (const struct setting *s = *table; s->name; s++) {
            if (strcmp(s->name, name) != 0)
                continue;
            if (s->type == SETTING_INT || s->type == SETTING_BYTES)
                snprintf(text, size, "%lld", (long long)config_int(config, name));
            else if (s->type == SETTING_BOOL)
                snprintf(text, size, "%s", config_bool(config, name) ? "true" : "false");
            else if (s->type == SETTING_DURATION)
                snprintf(text, size, "%lldus", (long long)config_duration(config, name).us);
            else
                snprintf(text, size, "%s", config_text(config, name));
            return;
        }
    fail_msg("no setting %s", name);
}

static void values(void **state)
{
    static const struct {
        const char *rule;
        struct given given;
        const char *name, *value;
    } rows[] = {
        {"default", {NULL, {NULL}, {"--group", "g"}}, "flush.interval", "500000us"},
        {"file over default",
         {"group=g\nflush.interval = 2s\n", {NULL}, {NULL}},
         "flush.interval",
         "2000000us"},
        {"environment over file",
         {"group=g\nflush.interval=2s\n", {"TUTTI_FLUSH_INTERVAL=3s"}, {NULL}},
         "flush.interval",
         "3000000us"},
        {"flag over environment",
         {"group=g\n", {"TUTTI_FLUSH_INTERVAL=3s"}, {"--flush.interval", "4s"}},
         "flush.interval",
         "4000000us"},
        {"flag over file",
         {"group=g\nflush.interval=2s\n", {NULL}, {"--flush.interval=4s"}},
         "flush.interval",
         "4000000us"},
        {"later line wins", {"group=g\ngroup=h\n", {NULL}, {NULL}}, "group", "h"},
        {"later flag wins", {NULL, {NULL}, {"--group=g", "--group=h"}}, "group", "h"},
        {"dash in a name is _ in the environment",
         {NULL, {"TUTTI_BATCH_MAX_RECORDS=7"}, {"--group=g"}},
         "batch.max-records",
         "7"},
        {"first table's default", {NULL, {NULL}, {"--group=g"}}, "log.level", "info"},
        {"TUTTI_CONFIG names the file",
         {"group = of file\n", {"TUTTI_CONFIG=%s"}, {"--config", "%s"}},
         "group",
         "of file"},
        {"equals sign in a value", {"group = a=b = c\n", {NULL}, {NULL}}, "group", "a=b = c"},
        {"hash in a value", {"group = a # b\n", {NULL}, {NULL}}, "group", "a # b"},
        {"comment and blank lines", {"# c\n\n   # d\n\t\ngroup=g", {NULL}, {NULL}}, "group", "g"},
        {"CRLF", {"group=g\r\nlog.level=warn\r\n", {NULL}, {NULL}}, "log.level", "warn"},
        {"byte order mark", {"\xEF\xBB\xBFgroup=g\n", {NULL}, {NULL}}, "group", "g"},
        {"value of a flag may begin with dashes",
         {NULL, {NULL}, {"--group", "--x"}},
         "group",
         "--x"},
        {"empty text", {NULL, {NULL}, {"--group=g", "--database.url="}}, "database.url", ""},
        {"milliseconds",
         {NULL, {NULL}, {"--group=g", "--flush.interval=1ms"}},
         "flush.interval",
         "1000us"},
        {"minutes",
         {NULL, {NULL}, {"--group=g", "--flush.interval=1m"}},
         "flush.interval",
         "60000000us"},
        {"ISO 8601",
         {NULL, {NULL}, {"--group=g", "--flush.interval=PT30S"}},
         "flush.interval",
         "30000000us"},
        {"bytes", {NULL, {NULL}, {"--group=g", "--cache.size=1024"}}, "cache.size", "1024"},
        {"kB", {NULL, {NULL}, {"--group=g", "--cache.size=512kB"}}, "cache.size", "524288"},
        {"MB in any case",
         {NULL, {NULL}, {"--group=g", "--cache.size=3 mb"}},
         "cache.size",
         "3145728"},
        {"GB", {NULL, {NULL}, {"--group=g", "--cache.size=1GB"}}, "cache.size", "1073741824"},
        {"true", {NULL, {NULL}, {"--group=g", "--feature.on=true"}}, "feature.on", "true"},
        {"lowest",
         {NULL, {NULL}, {"--group=g", "--batch.max-records=1"}},
         "batch.max-records",
         "1"},
        {"highest",
         {NULL, {NULL}, {"--group=g", "--batch.max-records=100000"}},
         "batch.max-records",
         "100000"},
        {"no range",
         {NULL, {NULL}, {"--group=g", "--any.number=-9223372036854775808"}},
         "any.number",
         "-9223372036854775808"},
        {"secret", {NULL, {NULL}, {"--group=g", "--hash.key=abc"}}, "hash.key", "abc"},
        {"secret from a file, flag",
         {"group=g\n#", {NULL}, {"--hash.key_file=%s"}},
         "hash.key",
         "group=g\n#"},
        {"secret from a file, environment",
         {"group=g\n", {"TUTTI_HASH_KEY_FILE=%s"}, {NULL}},
         "hash.key",
         "group=g"},
        {"flag secret over environment file",
         {"group=g\n", {"TUTTI_HASH_KEY_FILE=%s"}, {"--hash.key=k"}},
         "hash.key",
         "k"},
        {"variables of the stack are no settings",
         {NULL,
          {"TUTTI_KAFKA_PORT=1", "TUTTI_PG_FSYNC=off", "TUTTI_RUN_DIR=/x", "TUTTI_TEST_X=1"},
          {"--group=g"}},
         "group",
         "g"},
        {"variables of Kubernetes are no settings",
         {NULL,
          {"TUTTI_SERVICE_HOST=1.2.3.4", "TUTTI_PORT=tcp://1.2.3.4:80",
           "TUTTI_PORT_80_TCP_PORT=80"},
          {"--group=g"}},
         "group",
         "g"},
        {"variables of other programs are ignored",
         {NULL, {"TUTTI_PYTHON=python3", "TUTTI_TOPICS_INPUT=x"}, {"--group=g"}},
         "group",
         "g"},
        {"four letters away is another program's",
         {NULL, {"TUTTI_GROUPABCD=x"}, {"--group=g"}},
         "group",
         "g"},
        {"variables without the prefix do not matter",
         {NULL, {"GROUP=x", "TUTT_GROUP=y"}, {"--group=g"}},
         "group",
         "g"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loaded loaded;
        char text[256];
        load(&rows[i].given, &loaded);
        if (loaded.outcome != OUTCOME_OK)
            fail_msg("%s: %s", rows[i].rule, loaded.err.message);
        assert_int_equal(loaded.action, CONFIG_RUN);
        value_text(loaded.config, rows[i].name, text, sizeof text);
        if (strcmp(text, rows[i].value) != 0)
            fail_msg("%s: %s", rows[i].rule, text);
        config_free(loaded.config);
    }
}

/* Every part of `parts` is in the message, in this order; nothing is loaded. */
static void errors(void **state)
{
    static const struct {
        const char *rule;
        struct given given;
        const char *code, *parts[3];
    } rows[] = {
        {"required",
         {NULL, {NULL}, {NULL}},
         "config_missing",
         {"\"group\" must be given", "TUTTI_GROUP", "--group"}},
        {"required and empty",
         {"group =\n", {NULL}, {NULL}},
         "config_missing",
         {"\"group\" must be given"}},
        {"unknown key in a file",
         {"group=g\n\nflush.intervall=1s\n", {NULL}, {NULL}},
         "config_unknown",
         {":3: unknown setting \"flush.intervall\"", "\"flush.interval\""}},
        {"unknown flag",
         {NULL, {NULL}, {"--flush-interval", "1s"}},
         "config_unknown",
         {"\"--flush-interval\"", "\"--flush.interval\""}},
        {"unknown switch of ours",
         {NULL, {NULL}, {"--chek-config=1"}},
         "config_unknown",
         {"\"--chek-config\"", "\"--check-config\""}},
        {"unknown variable",
         {NULL, {"TUTTI_FLUSH_INTERVL=1s"}, {"--group=g"}},
         "config_unknown",
         {"\"TUTTI_FLUSH_INTERVL\"", "\"TUTTI_FLUSH_INTERVAL\""}},
        {"variable three letters away",
         {NULL, {"TUTTI_GROUPABC=x"}, {"--group=g"}},
         "config_unknown",
         {"\"TUTTI_GROUPABC\"", "\"TUTTI_GROUP\""}},
        {"misspelt variable of a secret file",
         {NULL, {"TUTTI_HASH_KEY_FIEL=x"}, {"--group=g"}},
         "config_unknown",
         {"\"TUTTI_HASH_KEY_FIEL\"", "\"TUTTI_HASH_KEY_FILE\""}},
        {"misspelt TUTTI_CONFIG",
         {NULL, {"TUTTI_CONFG=/x"}, {"--group=g"}},
         "config_unknown",
         {"\"TUTTI_CONFIG\""}},
        {"unknown secret file",
         {NULL, {NULL}, {"--hash.kee_file=x"}},
         "config_unknown",
         {"\"--hash.key_file\""}},
        {"file form only for secrets",
         {NULL, {NULL}, {"--group_file=x"}},
         "config_unknown",
         {"\"--group_file\""}},
        {"misspelt kafka",
         {"kafak.client.id=x\n", {NULL}, {NULL}},
         "config_unknown",
         {":1:", "\"kafka.client.id\""}},
        {"nearly ours is not librdkafka's",
         {"grup=x\n", {NULL}, {NULL}},
         "config_unknown",
         {"\"group\""}},
        {"kafka alone", {"kafka.=x\n", {NULL}, {NULL}}, "config_unknown", {"\"kafka.\""}},
        {"no equals sign",
         {"group=g\nsecret words\n", {NULL}, {NULL}},
         "config_syntax",
         {":2: no '='"}},
        {"no key", {"= g\n", {NULL}, {NULL}}, "config_syntax", {":1: no key"}},
        {"bad UTF-8", {"group = \xFF\n", {NULL}, {NULL}}, "config_syntax", {":1: not clean UTF-8"}},
        {"bad UTF-8 in the environment",
         {NULL, {"TUTTI_GROUP=\xC3"}, {NULL}},
         "config_syntax",
         {"TUTTI_GROUP", "UTF-8"}},
        {"file not there",
         {NULL, {NULL}, {"--config", "/nonexistent/x"}},
         "config_file",
         {"/nonexistent/x: No such file"}},
        {"file is a folder",
         {NULL, {NULL}, {"--config=/tmp"}},
         "config_file",
         {"/tmp: not a readable file"}},
        {"secret's file not there",
         {NULL, {NULL}, {"--group=g", "--hash.key_file=/nonexistent"}},
         "config_file",
         {"flag --hash.key_file", "/nonexistent", "No such file"}},
        {"secret twice in the environment",
         {"group=g\n", {"TUTTI_HASH_KEY_FILE=%s", "TUTTI_HASH_KEY=k"}, {NULL}},
         "config_twice",
         {"hash.key is given by"}},
        {"argument",
         {NULL, {NULL}, {"start"}},
         "config_argument",
         {"unexpected argument \"start\""}},
        {"dashes only", {NULL, {NULL}, {"--"}}, "config_argument", {"\"--\""}},
        {"no name", {NULL, {NULL}, {"--=x"}}, "config_argument", {"\"--=x\""}},
        {"no value", {NULL, {NULL}, {"--group"}}, "config_argument", {"--group needs a value"}},
        {"switch with a value",
         {NULL, {NULL}, {"--check-config=yes"}},
         "config_argument",
         {"takes no value"}},
        {"choice",
         {NULL, {NULL}, {"--group=g", "--log.level=inf"}},
         "config_value",
         {"flag --log.level", "\"inf\"", "debug|info|warn|error"}},
        {"empty choice", {NULL, {NULL}, {"--group=g", "--log.level="}}, "config_value", {"\"\""}},
        {"bool",
         {NULL, {NULL}, {"--group=g", "--feature.on=yes"}},
         "config_value",
         {"\"yes\"", "true or false"}},
        {"int",
         {NULL, {NULL}, {"--group=g", "--batch.max-records=1k"}},
         "config_value",
         {"\"1k\"", "whole number"}},
        {"int with plus",
         {NULL, {NULL}, {"--group=g", "--any.number=+1"}},
         "config_value",
         {"\"+1\""}},
        {"int with blank",
         {NULL, {NULL}, {"--group=g", "--any.number= 1"}},
         "config_value",
         {"\" 1\""}},
        {"int too large",
         {NULL, {NULL}, {"--group=g", "--any.number=9223372036854775808"}},
         "config_value",
         {"9223372036854775808"}},
        {"below the range",
         {NULL, {NULL}, {"--group=g", "--batch.max-records=0"}},
         "config_range",
         {"= 0 is outside 1 to 100000"}},
        {"above the range",
         {"group=g\nbatch.max-records=100001\n", {NULL}, {NULL}},
         "config_range",
         {":2: batch.max-records", "1 to 100000"}},
        {"duration without unit",
         {NULL, {NULL}, {"--group=g", "--flush.interval=5"}},
         "config_value",
         {"\"5\"", "duration such as"}},
        {"duration of months",
         {NULL, {NULL}, {"--group=g", "--flush.interval=P1M"}},
         "config_value",
         {"\"P1M\""}},
        {"duration overflow",
         {NULL, {NULL}, {"--group=g", "--flush.interval=999999999999999d"}},
         "config_value",
         {"duration"}},
        {"duration range",
         {NULL, {NULL}, {"--group=g", "--flush.interval=2m"}},
         "config_range",
         {"2m is outside 1ms to 1m"}},
        {"duration zero below the range",
         {NULL, {NULL}, {"--group=g", "--flush.interval=0"}},
         "config_range",
         {"1ms to 1m"}},
        {"bytes unit",
         {NULL, {NULL}, {"--group=g", "--cache.size=5PB"}},
         "config_value",
         {"\"5PB\"", "size such as"}},
        {"bytes overflow",
         {NULL, {NULL}, {"--group=g", "--cache.size=99999999TB"}},
         "config_value",
         {"size such as"}},
        {"bytes range",
         {NULL, {NULL}, {"--group=g", "--cache.size=1000"}},
         "config_range",
         {"1kB to 1TB"}},
        {"negative bytes",
         {NULL, {NULL}, {"--group=g", "--cache.size=-1"}},
         "config_value",
         {"\"-1\""}},
        {"origin environment",
         {NULL, {"TUTTI_LOG_LEVEL=x"}, {"--group=g"}},
         "config_value",
         {"environment TUTTI_LOG_LEVEL"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loaded loaded;
        load(&rows[i].given, &loaded);
        assert_null(loaded.config);
        if (loaded.outcome != OUTCOME_FATAL || strcmp(loaded.err.code, rows[i].code) != 0)
            fail_msg("%s: %d %s %s", rows[i].rule, loaded.outcome,
                     loaded.err.code ? loaded.err.code : "", loaded.err.message);
        const char *at = loaded.err.message;
        for (size_t p = 0; p < COUNT(rows[i].parts) && rows[i].parts[p]; p++)
            if ((at = strstr(at, rows[i].parts[p])) == NULL)
                fail_msg("%s: %s", rows[i].rule, loaded.err.message);
        assert_null(strchr(loaded.err.message, '\n'));
        assert_null(strstr(loaded.err.message, "secret words"));
    }
}

static enum outcome append(void *arg, const char *key, const char *value, struct err *err)
{
    char *text = arg;
    snprintf(text + strlen(text), 512 - strlen(text), "%s=%s;", key, value);
    return OUTCOME_OK;
}

static enum outcome refuse(void *arg, const char *key, const char *value, struct err *err)
{
    append(arg, key, value, err);
    return err_set(err, OUTCOME_FATAL, "no", "no %s", key);
}

static void pass_through(void **state)
{
    static const struct {
        const char *rule;
        struct given given;
        const char *prefix, *visited;
    } rows[] = {
        {"none", {"group=g\n", {NULL}, {NULL}}, "kafka.", ""},
        {"file order", {"group=g\nkafka.b=1\nkafka.a=2\n", {NULL}, {NULL}}, "kafka.", "b=1;a=2;"},
        {"later wins and moves",
         {"group=g\nkafka.b=1\nkafka.a=2\nkafka.b=3\n", {NULL}, {NULL}},
         "kafka.",
         "a=2;b=3;"},
        {"environment",
         {"group=g\nkafka.bootstrap.servers=x\n",
          {"TUTTI_KAFKA_BOOTSTRAP_SERVERS=y:1,z:2"},
          {NULL}},
         "kafka.",
         "bootstrap.servers=y:1,z:2;"},
        {"flag",
         {"group=g\n", {"TUTTI_KAFKA_CLIENT_ID=e"}, {"--kafka.client.id=f"}},
         "kafka.",
         "client.id=f;"},
        {"prefix of the consumer",
         {"group=g\nkafka.consumer.x=1\nkafka.producer.x=2\n", {NULL}, {NULL}},
         "kafka.consumer.",
         "x=1;"},
        {"a kcat configuration",
         {"group=g\nbootstrap.servers=b:1\nsecurity.protocol=SASL_SSL\nsasl.username=u\n",
          {NULL},
          {NULL}},
         "kafka.",
         "bootstrap.servers=b:1;security.protocol=SASL_SSL;sasl.username=u;"},
        {"secret from a file",
         {"group=g\n", {"TUTTI_KAFKA_SASL_PASSWORD_FILE=%s"}, {NULL}},
         "kafka.",
         "sasl.password=group=g;"},
        {"secret from a file, consumer",
         {"group=g\n", {NULL}, {"--kafka.consumer.ssl.key.password_file=%s"}},
         "kafka.consumer.",
         "ssl.key.password=group=g;"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loaded loaded;
        char text[512] = "";
        load(&rows[i].given, &loaded);
        if (loaded.outcome != OUTCOME_OK)
            fail_msg("%s: %s", rows[i].rule, loaded.err.message);
        assert_int_equal(config_visit(loaded.config, rows[i].prefix, append, text, &loaded.err),
                         OUTCOME_OK);
        if (strcmp(text, rows[i].visited) != 0)
            fail_msg("%s: %s", rows[i].rule, text);
        config_free(loaded.config);
    }
}

static void a_visit_stops_at_a_failure(void **state)
{
    struct given given = {"group=g\nkafka.a=1\nkafka.b=2\n", {NULL}, {NULL}};
    struct loaded loaded;
    char text[512] = "";
    load(&given, &loaded);
    assert_int_equal(config_visit(loaded.config, "kafka.", refuse, text, &loaded.err),
                     OUTCOME_FATAL);
    assert_string_equal(text, "a=1;");
    assert_string_equal(loaded.err.message, "no a");
    config_free(loaded.config);
}

static void actions(void **state)
{
    static const struct {
        const char *rule;
        struct given given;
        enum config_action action;
        const char *output[4], *absent;
    } rows[] = {
        {"check", {NULL, {NULL}, {"--group=g", "--check-config"}}, CONFIG_CHECK, {NULL}, "group"},
        {"help although a setting is missing",
         {NULL, {NULL}, {"--help"}},
         CONFIG_EXIT_OK,
         {"Usage: tutti-test", "--flush.interval  duration (1ms to 1m), default 500ms",
          "--group  text, default required", "--hash.key"},
         "%"},
        {"-h", {NULL, {NULL}, {"-h"}}, CONFIG_EXIT_OK, {"Usage: "}, "%"},
        {"version", {NULL, {NULL}, {"--version"}}, CONFIG_EXIT_OK, {"tutti-test "}, "Usage"},
        {"print",
         {"group=g\n",
          {"TUTTI_FLUSH_INTERVAL=1s"},
          {"--print-config", "--cache.size=1MB", "--kafka.client.id=c"}},
         CONFIG_EXIT_OK,
         {"flush.interval = 1s  # environment TUTTI_FLUSH_INTERVAL\n",
          "cache.size = 1MB  # flag --cache.size\n", ":1\n",
          "kafka.client.id = c  # flag --kafka.client.id\n"},
         "%"},
        {"print what was ignored",
         {NULL,
          {"TUTTI_PYTHON=S3CRET", "TUTTI_TOPICS_INPUT=S3CRET"},
          {"--group=g", "--print-config"}},
         CONFIG_EXIT_OK,
         {"# ignored, of other programs: TUTTI_PYTHON TUTTI_TOPICS_INPUT\n"},
         "S3CRET"},
        {"print defaults",
         {NULL, {NULL}, {"--group=g", "--print-config"}},
         CONFIG_EXIT_OK,
         {"log.level = info  # default\n", "group = g  # flag --group\n",
          "hash.key =   # default\n"},
         "%"},
        {"secret masked",
         {NULL, {NULL}, {"--group=g", "--print-config", "--hash.key=S3CRET"}},
         CONFIG_EXIT_OK,
         {"hash.key = ******  # flag --hash.key\n"},
         "S3CRET"},
        {"secret of a file masked",
         {"group=S3CRET\n", {"TUTTI_HASH_KEY_FILE=%s"}, {"--print-config", "--group=g"}},
         CONFIG_EXIT_OK,
         {"hash.key = ******  # environment TUTTI_HASH_KEY_FILE, file /tmp/"},
         "S3CRET"},
        {"kafka secrets masked",
         {"group=g\nsasl.password=S3CRET\nkafka.producer.ssl.key.pem=S3CRET\n",
          {NULL},
          {"--print-config"}},
         CONFIG_EXIT_OK,
         {"kafka.sasl.password = ******", "kafka.producer.ssl.key.pem = ******"},
         "S3CRET"},
        {"password of a URL masked",
         {NULL,
          {NULL},
          {"--group=g", "--print-config", "--database.url=postgresql://u:S3CRET@h:5432/d"}},
         CONFIG_EXIT_OK,
         {"postgresql://u:******@h:5432/d"},
         "S3CRET"},
        {"password of a conninfo masked",
         {NULL,
          {NULL},
          {"--group=g", "--print-config", "--database.url=host=h password=S3CRET dbname=d"}},
         CONFIG_EXIT_OK,
         {"host=h password=****** dbname=d"},
         "S3CRET"},
        {"quoted password of a conninfo masked",
         {NULL,
          {NULL},
          {"--group=g", "--print-config", "--database.url=password='S3C RET' dbname=d"}},
         CONFIG_EXIT_OK,
         {"password=****** dbname=d"},
         "RET"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loaded loaded;
        load(&rows[i].given, &loaded);
        if (loaded.outcome != OUTCOME_OK || loaded.action != rows[i].action)
            fail_msg("%s: %d %d %s", rows[i].rule, loaded.outcome, loaded.action,
                     loaded.err.message);
        assert_int_equal(loaded.config != NULL, rows[i].action == CONFIG_CHECK);
        const char *at = loaded.output;
        for (size_t p = 0; p < COUNT(rows[i].output) && rows[i].output[p]; p++)
            if ((at = strstr(loaded.output, rows[i].output[p])) == NULL)
                fail_msg("%s: no %s in %s", rows[i].rule, rows[i].output[p], loaded.output);
        if (strstr(loaded.output, rows[i].absent))
            fail_msg("%s: %s", rows[i].rule, loaded.output);
        config_free(loaded.config);
    }
}

static void document(void **state)
{
    char text[TEXT];
    FILE *to = tmpfile();
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fileno(to), STDOUT_FILENO);
    config_document("Settings", tables);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(to);
    text[fread(text, 1, TEXT - 1, to)] = '\0';
    fclose(to);
    assert_non_null(
        strstr(text, "## Settings\n\n| setting | type | default | meaning |\n|---|---|---|---|\n"));
    assert_non_null(strstr(text, "| `log.level` | choice (debug/info/warn/error) | `info` | Lines "
                                 "below it are dropped. |\n"));
    assert_non_null(
        strstr(text, "| `cache.size` | size (1kB to 1TB) | `64MB` | Memory of the cache. |\n"));
    assert_non_null(strstr(text, "| `feature.on` | boolean | `false` | A \\| switch. |\n"));
    assert_non_null(strstr(text, "| `group` | text | required | Consumer group. |\n"));
    assert_non_null(
        strstr(text, "| `hash.key` | secret | empty | Key of the identifier hash. |\n"));
}

/* No file, however broken, does more than give one line. */
static void random_files(void **state)
{
    static const char pieces[] = "group=\n# \t.kafka\xFF\xC3\xBC\r_file%s\"'";
    uint32_t seed = 12345;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 300; round++) {
        char file[200];
        size_t n = 0;
        for (; n < sizeof file - 1; n++) {
            seed = seed * 1664525u + 1013904223u;
            file[n] = pieces[(seed >> 16) % (sizeof pieces - 1)];
        }
        file[n] = '\0';
        struct given given = {file, {NULL}, {NULL}};
        struct loaded loaded;
        load(&given, &loaded);
        assert_true(loaded.outcome == OUTCOME_OK || loaded.outcome == OUTCOME_FATAL);
        if (loaded.outcome == OUTCOME_FATAL)
            assert_true(loaded.err.message[0] != '\0');
        config_free(loaded.config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),       cmocka_unit_test(errors),
        cmocka_unit_test(pass_through), cmocka_unit_test(a_visit_stops_at_a_failure),
        cmocka_unit_test(actions),      cmocka_unit_test(document),
        cmocka_unit_test(random_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
