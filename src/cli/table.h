/** Text tables on stdout, and JSON values as cells that are safe to print on a terminal. */
#ifndef DN_CLI_TABLE_H
#define DN_CLI_TABLE_H

#include "base/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define DN_TABLE_MAX_CELL 40 /* columns of the terminal; longer cells are cut, with an ellipsis */

/** Zero-initialise with n_columns set.  Cells are added row after row; the first row is the heading. */
struct dn_table {
    struct dn_arena arena;
    size_t n_columns;
    const char **cells;
    size_t n_cells;
    size_t capacity;
    bool *
        right; /**< columns whose cells stand at the right edge: NULL or n_columns flags, caller's */
    bool failed; /**< memory ran out: nothing will be printed */
};

/** Add a cell: `text` with control characters escaped and cut to DN_TABLE_MAX_CELL. */
void dn_table_add(struct dn_table *t, const char *text);
/** The same, uncut: what a reader has to see to its end. */
void dn_table_add_whole(struct dn_table *t, const char *text);
/** The same of a text that may have NULs in it. */
void dn_table_add_text(struct dn_table *t, const char *text, size_t len);
/** The same, formatted. */
void dn_table_addf(struct dn_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** A JSON value: texts without quotes (an empty one as ""), null as "null", numbers in their shortest form, a missing value as "". */
void dn_table_add_json(struct dn_table *t, const json_t *value);
/** A value out of a file: as above, but a text that would look like something else ("null", "", blanks at an end) stands in quotes. */
void dn_table_add_value(struct dn_table *t, const json_t *value);
/** Print with every line indented by `indent` blanks; nothing if memory ran out, which dn_table_lost() then tells. */
void dn_table_print(const struct dn_table *t, FILE *out, int indent);
void dn_table_finish(struct dn_table *t);
/** Whether a table of this process was lost: its command has to fail. */
bool dn_table_lost(void);

/** Print a text as it is, except that control characters are escaped as in a cell, line ends too. */
void dn_text_print(FILE *out, const char *text);

/** Terminal columns of a UTF-8 text: two for wide East Asian characters, none for combining ones. */
size_t dn_table_width(const char *text);

#endif
