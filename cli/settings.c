/* settings.c: the settings of the command line itself. */
#include "cli/command.h"

const struct setting cli_settings[] = {
    {"topics.input", SETTING_TEXT,
     "touchpoints.web.v1,touchpoints.app.v1,touchpoints.email.v1,touchpoints.sms.v1,touchpoints."
     "pos.v1,touchpoints.call_center."
     "v1,"
     "touchpoints.crm.v1,touchpoints.direct_mail.v1,touchpoints.ads.v1,touchpoints.other.v1",
     0, 0, NULL, "Topics that channel systems write touchpoints to, separated by commas."},
    {"topics.replication", SETTING_INT, "-1", -1, 100, NULL,
     "Replicas of a new topic; -1 is the broker's default."},
    {"python", SETTING_TEXT, "python3", 0, 0, NULL,
     "Python of `tutti import`, with the packages of dev/requirements.txt."},
    {.name = NULL},
};
