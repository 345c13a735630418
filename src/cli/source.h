/** The flags that describe a source, shared by convert and schema. */
#ifndef DN_CLI_SOURCE_H
#define DN_CLI_SOURCE_H

#include "base/arena.h"
#include "cli/flags.h"
#include "cli/naming_flags.h"
#include "cli/store_flags.h"
#include "job/transfer.h"
#include "store/glob.h"

#include <jansson.h>
#include <stdbool.h>

/** Flags of CSV that are passed to the reader as texts: the rows of their table in source.c. */
#define DN_CSV_TEXT_FLAGS 5

struct dn_source_flags {
    const char *delimiter;
    const char *quote;
    const char *escape;
    const char *comment;
    int64_t skip_rows;
    int64_t skip_after_header;
    int64_t skip_footer;
    const char *
        reader; /**< "csv", "parquet", or a plugin as for dn_source_plugin(); NULL: what the files are */
    const char *file_name; /**< of a column */
    bool hive;
    bool no_header;
    struct dn_flag_list types;
    struct dn_flag_list null_values;
    bool quoted_nulls;
    const char *quoted;
    const char *decimal;
    const char *thousands;
    struct dn_flag_list date_format;
    struct dn_flag_list time_format;
    struct dn_flag_list timestamp_format;
    struct dn_flag_list true_values;
    struct dn_flag_list false_values;
    bool trim;
    const char *csv_texts[DN_CSV_TEXT_FLAGS];
    const char *query; /**< of a database */
    const char *where;
    struct dn_flag_list options;
    int64_t n_threads;
    uint64_t memory_bytes;
    struct dn_naming_flags naming;
    struct dn_store_flags store;
};

#define DN_SOURCE_FLAGS (28 + DN_CSV_TEXT_FLAGS + DN_NAMING_FLAGS + DN_STORE_FLAGS)
/** The table rows of these flags, for a command's own table. */
void dn_source_flags_table(struct dn_source_flags *s, struct dn_flag out[DN_SOURCE_FLAGS]);

/** Rows of CSV that are wrong, for the part of the help that is more. */
#define DN_REJECTS_HELP                                                                            \
    "\n"                                                                                           \
    "Of CSV, rows that are wrong:\n"                                                               \
    "      --max-rejects N     set up to N of them aside, or up to N%, instead of ending there\n"  \
    "      --rejects FILE      write them, with their places, to a CSV file\n"                     \
    "      --ragged X          with too few or too many fields: error, null (missing values), "    \
    "skip, reject\n"

#define DN_SOURCE_FLAGS_HELP                                                                       \
    "      --types C=T,...     int64, decimal(12,2), time, uuid and others of docs/types.md; of\n" \
    "                          Parquet they are checked, not converted; a database casts\n"        \
    "      --file-name-column N  a column N with the name of each row's file\n"                    \
    "      --hive-partitioning   folders key=value in the paths of the files are columns\n"        \
    "      --reader P          csv, parquet, or another reader plugin, path/lib.so or "            \
    "path/lib.so:function\n"                                                                       \
    "      --reader-option K=V an option of the reader plugin; V is JSON or a text; repeatable; "  \
    "of\n"                                                                                         \
    "                          Parquet 'columns=[\"a\",\"b\"]' reads these columns alone\n"        \
    "  -t, --threads N         threads to use; default, also as 0: one per CPU\n"                  \
    "  -m, --memory SIZE       memory to share between reader and writer, e.g. 256MB; 0: the "     \
    "default\n"

/** Those of CSV, a part of the help of its own. */
#define DN_CSV_FLAGS_HELP                                                                          \
    "\n"                                                                                           \
    "Of CSV:\n"                                                                                    \
    "  -d, --delimiter X       up to 8 bytes between fields, \\t or tab, or auto: looked for; "    \
    "default a\n"                                                                                  \
    "                          comma, a tab for *.tsv\n"                                           \
    "      --quote X           one character; \"\" for none; auto: looked for; default \"\n"       \
    "      --escape X          one character that takes the meaning from the next one; default "   \
    "none\n"                                                                                       \
    "      --comment X         one character; rows that begin with it are left out\n"              \
    "      --skip-rows N, --skip-after-header N, --skip-footer N\n"                                \
    "                          lines to leave out of every file: in front of its header, behind "  \
    "it, "                                                                                         \
    "at the\n"                                                                                     \
    "                          end (blank ones there are not counted)\n"                           \
    "      --no-header         the first row is data; columns are column_1, column_2, ...\n"       \
    "      --encoding E        as iconv has it, e.g. utf-16, latin1, windows-1252; default "       \
    "utf-8, or "                                                                                   \
    "what\n"                                                                                       \
    "                          a byte order mark says\n"                                           \
    "      --on-invalid X      bytes that are no text in the encoding: error, or replace by "      \
    "U+FFFD\n"

/** How the values of CSV are written, for the part of the help that is more. */
#define DN_FORM_FLAGS_HELP                                                                         \
    "\n"                                                                                           \
    "Of CSV, how its values are written:\n"                                                        \
    "      --null-values A,B   texts that mean null, besides the empty unquoted field; C=A,B: in " \
    "the\n"                                                                                        \
    "                          column C alone\n"                                                   \
    "      --decimal X         the decimal point, as the comma of 1,5\n"                           \
    "      --thousands X       what is between groups of three digits, as the point of 1.234,5\n"  \
    "      --date-format F     of dates, such as %d.%m.%Y; C=F: of the column C alone; "           \
    "repeatable, the "                                                                             \
    "first that\n"                                                                                 \
    "                          fits counts\n"                                                      \
    "      --time-format F, --timestamp-format F  the same of times and timestamps\n"              \
    "      --true-values A,B, --false-values A,B  words of booleans, instead of true and false\n"  \
    "      --trim              blanks around unquoted values and names are no part of them\n"      \
    "      --quoted X          what is in quotes is read like what is not (values, default), or "  \
    "is text\n"                                                                                    \
    "                          beside unquoted values (text)\n"                                    \
    "      --quoted-nulls      --null-values mean null in quotes, too, in columns of strings as "  \
    "well\n"

/** The sources that are no files, for the part of the help that is more. */
#define DN_DATABASE_HELP                                                                           \
    "\n"                                                                                           \
    "Of PostgreSQL, SRC is postgres://user@host/database?table=schema.name, or without the "       \
    "table:\n"                                                                                     \
    "      --query SQL         what the statement gives\n"                                         \
    "      --where SQL         the rows of the table for which it is true\n"

/**
 * The reader's Level 0 configuration for these files.
 * @param out  A new reference.
 */
DN_NODISCARD enum dn_status dn_source_config(const struct dn_source_flags *s,
                                             const char *const *files, size_t n_files, json_t **out,
                                             struct dn_error *err);

/**
 * The files that the operands stand for, as dn_glob() finds them, operand by operand.  What a pattern or a folder stands for is said.
 * @param out  to be freed with dn_file_list_finish(), on failure as well
 */
DN_NODISCARD enum dn_status dn_source_files_find(struct dn_file_list *out,
                                                 const char *const *operands, size_t n_operands,
                                                 const struct dn_store_flags *store,
                                                 const struct dn_events *events,
                                                 struct dn_error *err);

/** Whether a file name ends so, in capitals or not: ".TSV" is ".tsv". */
bool dn_source_has_ending(const char *path, const char *ending);

/** DN_ERR_INVALID unless a file name is not empty, and UTF-8 if it is one of somewhere else. */
DN_NODISCARD enum dn_status dn_source_name_check(const char *name, struct dn_error *err);

/** "K=V" items as members of an object: V is JSON, or a text if it is not. */
DN_NODISCARD enum dn_status dn_source_options_add(json_t *options, const struct dn_flag_list *items,
                                                  const char *flag, struct dn_error *err);

/** The reader of these flags: what --reader names, or a built-in one, which the configuration's type tells. */
DN_NODISCARD enum dn_status dn_source_reader(const struct dn_source_flags *s,
                                             struct dn_arena *arena, struct dn_plugin_ref *out,
                                             struct dn_error *err);

/**
 * The value of --reader or --writer: "path/lib.so", or "path/lib.so:function" as in a job.
 * @param text  May be NULL: the built-in plugin.
 */
DN_NODISCARD enum dn_status dn_source_plugin(struct dn_arena *arena, const char *text,
                                             struct dn_plugin_ref *out, struct dn_error *err);

#endif
