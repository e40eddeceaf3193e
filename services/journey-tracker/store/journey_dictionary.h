/* journey_dictionary.h: journey.dictionary in memory: a small number for each text that cells and
 * states name.
 *
 * It only grows. A new text is written in a small transaction of its own, before the batch that
 * needs it. So two instances agree on its code. */
#ifndef TUTTI_JOURNEY_DICTIONARY_H
#define TUTTI_JOURNEY_DICTIONARY_H

#include "common/base/map.h"
#include "common/store/db.h"

struct dictionary {
    struct db *db;
    struct map codes; /* hash of the text -> uint32_t */
};

/* Loads every code of the database. */
enum outcome dictionary_open(struct dictionary *dictionary, struct db *db, struct err *err);
void dictionary_close(struct dictionary *dictionary);

/* Code of a text; 0 for an absent one. A new text is written at once. RETRY "dictionary" while
 * another instance's row is not visible yet. `dictionary` is a struct dictionary; the type is that
 * of journey_intern. */
enum outcome dictionary_code(void *dictionary, struct span text, uint32_t *code, struct err *err);

#endif
