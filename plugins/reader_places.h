/**
 * Columns that come from where a file lies instead of what is in it: its name (option file_name), the folders `key=value` of its path
 * (option hive_partitioning), and the number of the row over all files (option row_number), as errors have it.  They
 * stand behind the files' own columns, or where the option columns names them.
 *
 * A key or a file_name that the files have as a column, too, is an error.  All files have the same keys in the same order.  Keys and values
 * are percent-decoded; __HIVE_DEFAULT_PARTITION__ is null.  A column is int64 or date if all its values are written like that, by the
 * rules of CSV, else a string; the options rename, columns, exclude, types, widened and required count for it as for others.
 *
 * A column of one value costs one block of memory per file and value, which all its batches share.
 */
#ifndef DN_PLUGINS_READER_PLACES_H
#define DN_PLUGINS_READER_PLACES_H

#include "shell.h"

#include "dativo/arrow.h"

struct dn_reader;
struct dn_reader_files;
struct dn_reader_places;

/**
 * Read the options, and take the columns out of the other options, which are the library's.  *out NULL: none are asked for.
 * @param c      changed; texts stay borrowed from its arena
 * @param typed  false: columns without a declared type are strings
 */
DN_NODISCARD enum dn_status dn_reader_places_make(struct dn_reader_places **out,
                                                  struct dn_shell_config *c,
                                                  const struct dn_reader_files *files, bool typed,
                                                  struct dn_error *err);
/** NULL is allowed, here and below: nothing is added. */
void dn_reader_places_destroy(struct dn_reader_places *p);
/** Whom to ask for the numbers of a batch's rows when it is added; else they have them one after the other, from 1. */
void dn_reader_places_number_by(struct dn_reader_places *p,
                                void (*number)(const struct dn_reader *r, int64_t n_rows,
                                               int64_t *out),
                                const struct dn_reader *r);
/** Name i that no column of the files may have, NULL behind the last one: what the columns are called, then what they were before the option rename. */
const char *dn_reader_places_name(const struct dn_reader_places *p, size_t i);
/** Name i is a column of the files as well: an error, whichever columns are asked for. */
enum dn_status dn_reader_places_clash(const struct dn_reader_places *p, size_t i,
                                      struct dn_error *err);
/** The files' schema becomes that of the rows; released and made anew. */
DN_NODISCARD enum dn_status dn_reader_places_schema(const struct dn_reader_places *p,
                                                    struct ArrowSchema *schema,
                                                    struct dn_error *err);
/** Rows are counted behind so many that stand before them. */
void dn_reader_places_begin(struct dn_reader_places *p, int64_t n_rows);
/** A batch of file number `file` becomes one of the rows; on failure it is the caller's as it was. */
DN_NODISCARD enum dn_status dn_reader_places_add(struct dn_reader_places *p, size_t file,
                                                 struct ArrowArray *batch, struct dn_error *err);

#endif
