/** Looks that are no reading: which dialect a file may have, and which values made the types. */
#ifndef DN_CSV_EXPLAIN_H
#define DN_CSV_EXPLAIN_H

#include "csv/detect.h"
#include "csv/why.h"

struct dn_csv_look {
    enum dn_csv_explained what;
    struct dn_csv_guess guesses[DN_CSV_GUESSES];
    size_t n_guesses;
    struct dn_csv_why why;
};

void dn_csv_look_free(struct dn_csv_look *look);

/** Blocks are only looked at: no batch comes of them. */
static inline bool dn_csv_look_wants_all(const struct dn_csv_reader *r)
{
    return r->look != NULL && r->look->what == DN_CSV_EXPLAIN_ALL;
}

#endif
