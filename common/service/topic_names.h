/* topic_names.h: the names of our own topics unless settings say otherwise. Who writes a topic, who
 * reads it and who creates it agree by them. */
#ifndef TUTTI_SERVICE_TOPIC_NAMES_H
#define TUTTI_SERVICE_TOPIC_NAMES_H

#define OUR_TOPIC_RESOLVED         "tutti.touchpoints-resolved.v1"
#define OUR_TOPIC_IDENTITY_CHANGES "tutti.identity-changes.v1"
#define OUR_TOPIC_DIFFS            "tutti.journey-diffs.v1"
#define OUR_TOPIC_STAGES           "tutti.journey-stages.v1"
#define OUR_TOPIC_OPPORTUNITIES    "tutti.opportunities.v1"
#define OUR_TOPIC_DECISIONS        "tutti.contact-decisions.v1"

#endif
