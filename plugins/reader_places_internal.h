/** The inside of the columns by places: reader_places.c makes them, reader_places_rows.c puts them beside the files' own. */
#ifndef DN_PLUGINS_READER_PLACES_INTERNAL_H
#define DN_PLUGINS_READER_PLACES_INTERNAL_H

#include "reader_constant.h"
#include "reader_places.h"

struct place {
    const char *name;
    const char *called;   /* by the files' places or the options, which the option rename changes */
    const char *declared; /* type; NULL: none */
    const char *widened;
    bool required;
    bool is_name;  /* of the file, not of a folder */
    bool is_count; /* of the rows, from 1 */
    bool hidden;   /* the option exclude leaves it out */
    struct dn_type type;
    const char **texts;        /* per file; NULL: null */
    struct constant *constant; /* the last one that was made, of texts[made_of] */
    size_t made_of;
};

struct dn_reader_places {
    struct dn_arena *arena; /* of the configuration */
    const struct dn_reader_files *files;
    const char **paths; /* of the files, for messages */
    struct place *places;
    size_t n;
    size_t room;
    bool projected;
    size_t n_shown; /* columns of the rows if it is projected, else those behind the files' own */
    int64_t *shown; /* each of them: a place, or -1: the next one of the files' own */
    int64_t n_rows; /* in the batches before */
    void (*number)(const struct dn_reader *r, int64_t n_rows, int64_t *out); /* or NULL */
    const struct dn_reader *numbered;
};

#endif
