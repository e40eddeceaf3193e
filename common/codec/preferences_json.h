/* preferences_json.h: the preferences_json of a touchpoint as the text that is kept of it. */
#ifndef TUTTI_CODEC_PREFERENCES_JSON_H
#define TUTTI_CODEC_PREFERENCES_JSON_H

#include "common/base/arena.h"

/* The text of common/words/preferences.h, in the arena; SPAN_NONE where nothing is kept. A key that
 * is unknown, or whose value cannot be meant, is left out and counted in *unreadable, whose value
 * grows; the others stand. */
struct span preferences_json_kept(struct arena *arena, struct span preferences_json,
                                  size_t *unreadable);

#endif
