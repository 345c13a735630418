/** The flags that say what columns are called, which are read, and how many rows: of files, some of them of CSV alone. */
#ifndef DN_CLI_NAMING_FLAGS_H
#define DN_CLI_NAMING_FLAGS_H

#include "cli/flags.h"

#include <jansson.h>
#include <stdbool.h>

struct dn_naming_flags {
    const char *header;
    const char *names;
    struct dn_flag_list columns;
    bool union_by_name;
    const char *max_row_size;
    const char *limit;
    const char *row_number; /**< of a column */
};

#define DN_NAMING_FLAGS 7
/** The table rows of these flags, for a command's own table. */
void dn_naming_flags_table(struct dn_naming_flags *s, struct dn_flag out[DN_NAMING_FLAGS]);

/** For dn_command.more. */
#define DN_NAMING_FLAGS_HELP                                                                       \
    "\n"                                                                                           \
    "Columns of files:\n"                                                                          \
    "      --columns A,B,...   these columns, in this order; CSV: A:B calls A B, #3 is the third " \
    "one, -A,-B\n"                                                                                 \
    "                          is all but these; \\, \\: \\- are a comma, a colon, a dash\n"       \
    "      --header H          CSV: names A,B,... of columns without a header; or N: which row "   \
    "is the\n"                                                                                     \
    "                          header, what is before it is dropped; or none\n"                    \
    "      --limit N           the first N rows, of all files, wrong ones counted; what is "       \
    "behind is not read\n"                                                                         \
    "      --union-by-name     CSV: files may have different columns: all of them by name, null "  \
    "where a file\n"                                                                               \
    "                          has none\n"                                                         \
    "      --max-row-size SIZE CSV: the longest row, up to 512MiB; default an eighth of "          \
    "--memory, "                                                                                   \
    "8MiB at\n"                                                                                    \
    "                          least\n"                                                            \
    "      --names X           CSV: keep, unique (NAME_1 for repeated ones), or snake_case\n"      \
    "      --row-number-column N a column N with the numbers of the rows, over all files, from "   \
    "1\n"

/** The first flag that was given and is for CSV alone; NULL: none. */
const char *dn_naming_flags_of_csv(const struct dn_naming_flags *s);
/** The first flag that was given and is for files; NULL: none. */
const char *dn_naming_flags_of_files(const struct dn_naming_flags *s);

/** What they say as options of a reader. */
DN_NODISCARD enum dn_status dn_naming_flags_options(const struct dn_naming_flags *s, bool is_csv,
                                                    json_t *options, struct dn_error *err);

#endif
