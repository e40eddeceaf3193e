/* read_again.h: what suppression has read by other policies, and no journey-tracker has stored. */
#ifndef TUTTI_OPERATIONS_POLICIES_READ_AGAIN_H
#define TUTTI_OPERATIONS_POLICIES_READ_AGAIN_H

#include "operations/desk.h"
#include "operations/readers.h"

/* Sets suppression's group back to where journey-tracker's is, as far as it is ahead of that: what
 * is not stored yet is read again, by the new policies. No service may run, and the generation must
 * be the active one. Does not ask Kafka where no other policies were ever active. Waits, as long as
 * the desk says, until Kafka has noticed that every instance ended: RETRY "group_busy". FATAL
 * "group_unknown" if suppression has stored something and its group has committed nothing. */
enum outcome policy_read_again(struct desk *desk, const struct readers *readers, struct err *err);

#endif
