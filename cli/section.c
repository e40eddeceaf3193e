/* section.c: see section.h. */
#include "cli/section.h"

#include "common/codec/avro/avro_to_json.h"

static enum outcome print_one(struct call *call, struct db *db, const struct section *section,
                              const struct id *parameter, struct strbuf *json, struct err *err)
{
    struct params params;
    struct db_result *result = NULL;
    params_init(&params, &call->arena);
    if (parameter)
        params_uuid(&params, parameter);
    enum outcome outcome = db_run(db, section->statement, &params, &result, NULL, err);
    if (outcome != OUTCOME_OK)
        return err_prefix(err, "%s", section->title);
    if (json) {
        strbuf_addf(json, "%s\"%s\":", json->len > 1 ? "," : "", section->name);
        result_print_json(&call->arena, result, section->columns, json);
    } else {
        printf("\n%s%s%s\n", colour(stdout, COLOUR_BOLD), section->title,
               colour(stdout, COLOUR_OFF));
        result_print(&call->arena, result, section->columns);
    }
    return OUTCOME_OK;
}

enum outcome sections_print(struct call *call, struct db *db, const struct section *sections,
                            const struct id *parameter, bool json, struct err *err)
{
    struct strbuf text = {&call->arena, NULL, 0, 0};
    strbuf_addf(&text, "{");
    enum outcome outcome = OUTCOME_OK;
    for (; sections->name && outcome == OUTCOME_OK; sections++)
        outcome = print_one(call, db, sections, parameter, json ? &text : NULL, err);
    if (json && outcome == OUTCOME_OK)
        printf("%s}\n", text.ptr);
    return outcome;
}
