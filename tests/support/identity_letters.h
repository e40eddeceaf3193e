/* identity_letters.h: graphs of one-letter identifiers, written as text:
 *
 *   "a-b@3"  a link first seen at 3
 *   "a@2"    an identifier seen at 2
 *   "a=b"    an operator's link
 *   "a/b"    an operator's cut
 *   "+a"     an operator's release
 *
 * Capital letters are user ids, digits loyalty ids, a to m e-mails, n to z devices. The hash of a
 * link is made of both letters. So a-b comes before a-c and b-c where they are otherwise equal. */
#ifndef TUTTI_TESTS_IDENTITY_LETTERS_H
#define TUTTI_TESTS_IDENTITY_LETTERS_H

#include "services/identity-resolver/logic/identity.h"

enum { LETTERS_USER, LETTERS_LOYALTY, LETTERS_EMAIL, LETTERS_DEVICE, LETTERS_TYPES };
enum { LETTERS_NODES = 64, LETTERS_LINKS = 128, LETTERS_CUTS = 16 };

struct letters {
    struct identity_node nodes[LETTERS_NODES];
    struct identity_link links[LETTERS_LINKS];
    struct identity_cut cuts[LETTERS_CUTS];
    bool is_released[LETTERS_NODES];
    struct identity_graph graph; /* of these */
};

/* User ids are unique, nothing else is limited. */
struct identity_policy letters_policy(void);

/* Fills the graph, quarantine included. */
void letters_read(struct letters *out, const struct identity_policy *policy, const char *text);
/* Partitions it: every letter with the one that names its profile, by letter: "A=A B=B e=A". In the
 * arena. */
const char *letters_profiles(struct letters *letters, const struct identity_policy *policy,
                             struct arena *arena);
char letters_of(const struct letters *letters, uint32_t node);
/* Of a partitioned graph. */
enum refusal letters_refusal(const struct letters *letters, char a, char b);

#endif
