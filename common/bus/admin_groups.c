/* admin_groups.c: how far consumer groups have read; see admin.h. */
#include <stdlib.h>

#include "common/bus/admin_internal.h"

static rd_kafka_topic_partition_list_t *partitions_of(const char *topic, int32_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int32_t p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, topic, p);
    return list;
}

static enum outcome take_offsets(rd_kafka_event_t *event, int64_t *offsets, int32_t count,
                                 struct err *err)
{
    size_t n;
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
    const rd_kafka_error_t *error = n > 0 ? rd_kafka_group_result_error(groups[0]) : NULL;
    const rd_kafka_topic_partition_list_t *found =
        n > 0 ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    if (error || found == NULL)
        return admin_down(err, error ? rd_kafka_error_string(error) : "no offsets of a group");
    for (int i = 0; i < found->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &found->elems[i];
        if (at->err)
            return admin_down(err, rd_kafka_err2str(at->err));
        if (at->partition < count)
            offsets[at->partition] = at->offset < 0 ? -1 : at->offset;
    }
    return OUTCOME_OK;
}

enum outcome admin_group_offsets(struct admin *admin, const char *group, const char *topic,
                                 int64_t *offsets, int32_t count, struct err *err)
{
    rd_kafka_topic_partition_list_t *wanted = partitions_of(topic, count);
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group, wanted);
    rd_kafka_AdminOptions_t *options =
        admin_options(admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_event_t *event;
    for (int32_t p = 0; p < count; p++)
        offsets[p] = -1;
    rd_kafka_ListConsumerGroupOffsets(admin->rk, &request, 1, options, admin->queue);
    enum outcome outcome = admin_await(admin, &event, err);
    if (outcome == OUTCOME_OK) {
        outcome = take_offsets(event, offsets, count, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(wanted);
    return outcome;
}

enum outcome admin_group_behind(struct admin *admin, const char *group, const char *topic,
                                const int64_t *ends, int32_t count, int64_t *behind,
                                struct err *err)
{
    int64_t *offsets = calloc((size_t)count + 1, sizeof *offsets);
    if (!offsets)
        abort();
    enum outcome outcome = admin_group_offsets(admin, group, topic, offsets, count, err);
    *behind = 0;
    for (int32_t p = 0; outcome == OUTCOME_OK && p < count; p++) {
        int64_t done = offsets[p] < 0 ? 0 : offsets[p];
        *behind += ends[p] > done ? ends[p] - done : 0;
    }
    free(offsets);
    return outcome;
}

/* Who is no member may commit offsets of an empty group only. */
static enum outcome refused(rd_kafka_resp_err_t code, const char *group, struct err *err)
{
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
        code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP ||
        code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
        return err_set(err, OUTCOME_RETRY, "group_busy",
                       "the group %s has members: an instance runs, or ended without a word",
                       group);
    return admin_down(err, rd_kafka_err2str(code));
}

static enum outcome check_altered(rd_kafka_event_t *event, const char *group, struct err *err)
{
    size_t n;
    const rd_kafka_group_result_t **groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(event), &n);
    const rd_kafka_error_t *error = n > 0 ? rd_kafka_group_result_error(groups[0]) : NULL;
    const rd_kafka_topic_partition_list_t *altered =
        n > 0 ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    if (error)
        return refused(rd_kafka_error_code(error), group, err);
    if (altered == NULL)
        return admin_down(err, "no offsets of a group");
    for (int i = 0; i < altered->cnt; i++)
        if (altered->elems[i].err)
            return refused(altered->elems[i].err, group, err);
    return OUTCOME_OK;
}

enum outcome admin_group_alter(struct admin *admin, const char *group, const char *topic,
                               const int64_t *offsets, int32_t count, struct err *err)
{
    rd_kafka_topic_partition_list_t *wanted = partitions_of(topic, count);
    for (int32_t p = 0; p < count; p++)
        wanted->elems[p].offset = offsets[p];
    rd_kafka_AlterConsumerGroupOffsets_t *request =
        rd_kafka_AlterConsumerGroupOffsets_new(group, wanted);
    rd_kafka_AdminOptions_t *options =
        admin_options(admin, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
    rd_kafka_event_t *event;
    rd_kafka_AlterConsumerGroupOffsets(admin->rk, &request, 1, options, admin->queue);
    enum outcome outcome = admin_await(admin, &event, err);
    if (outcome == OUTCOME_OK) {
        outcome = check_altered(event, group, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(wanted);
    return outcome;
}
