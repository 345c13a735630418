/* The options of the CSV reader that say what columns are called, and which of them are read. */
#include "csv_reader.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* What header says besides true and false: "none", the number of a row, or names. */
static enum dn_status read_header(struct csv_settings *s, struct dn_shell_config *c,
                                  struct dn_error *err)
{
    static const char problem[] = "must be true, false or none, the number of the row that is the "
                                  "header, or a list of names";
    const json_t *value = dn_shell_option_value(c, "header");
    const char *text = dn_shell_text_value(value);
    const bool is_number =
        json_is_integer(value) || (text != NULL && text[0] != '\0' && strcmp(text, "0") != 0 &&
                                   strspn(text, "0123456789") == strlen(text));
    bool has_header = true;
    int64_t row = 1;

    if (json_is_array(value)) {
        DN_TRY(
            dn_shell_option_list(c, "header", &s->csv.header_names, &s->csv.n_header_names, err));
        for (size_t i = 0; i < s->csv.n_header_names; i++) {
            if (s->csv.header_names[i][0] == '\0') {
                return dn_shell_option_error(c, "header", "must give every column a name", err);
            }
        }
        has_header = false;
        if (s->csv.n_header_names == 0) {
            return dn_shell_option_error(c, "header", problem, err);
        }
    } else if (is_number) {
        DN_TRY(dn_shell_option_int(c, "header", 1, INT32_MAX, &row, err));
    } else if (text != NULL && strcmp(text, "none") == 0) {
        has_header = false;
    } else if (dn_shell_option_bool(c, "header", &has_header, NULL) != DN_OK) {
        return dn_shell_option_error(c, "header", problem, err);
    }
    s->csv.header = has_header ? DN_CSV_HEADER_YES : DN_CSV_HEADER_NO;
    s->csv.header_row = (uint64_t)row;
    return DN_OK;
}

static enum dn_status read_renames(struct csv_settings *s, struct dn_shell_config *c,
                                   struct dn_error *err)
{
    const json_t *map = NULL;

    DN_TRY(dn_shell_option_map(c, "rename", &map, err));
    const size_t n = json_object_size(map);
    if (n == 0) {
        return DN_OK;
    }
    struct dn_csv_rename *renames = dn_arena_alloc(&c->arena, n * sizeof(*renames));
    if (renames == NULL) {
        return dn_error_memory(err, n * sizeof(*renames));
    }
    json_t *mutable =
        (json_t *)(uintptr_t)map; /* jansson iterates through a mutable pointer only */
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *to = dn_shell_text_value(json_object_iter_value(it));
        if (to == NULL || to[0] == '\0') {
            return dn_shell_option_error(c, "rename", "must give every column in it a name", err);
        }
        renames[s->csv.n_renames++] = (struct dn_csv_rename){json_object_iter_key(it), to};
    }
    s->csv.renames = renames;
    s->csv.renames_stride = sizeof(*renames);
    return DN_OK;
}

enum dn_status csv_naming_read(struct csv_settings *s, struct dn_shell_config *c,
                               struct dn_error *err)
{
    static const char *const words[] = {"keep", "unique", "snake_case", NULL};
    uint32_t names = DN_CSV_NAMES_KEEP;

    DN_TRY(read_header(s, c, err));
    DN_TRY(dn_shell_option_word(c, "names", words, &names, err));
    s->csv.names = (enum dn_csv_names)names;
    DN_TRY(read_renames(s, c, err));
    int64_t max_row = 0;
    DN_TRY(dn_shell_option_int(c, "max_row_size", 1, 1 << 29, &max_row, err));
    s->csv.max_row_bytes = (uint64_t)max_row;
    DN_TRY(dn_shell_option_bool(c, "union_by_name", &s->csv.union_by_name, err));
    DN_TRY(dn_shell_option_list(c, "columns", &s->csv.columns, &s->csv.n_columns, err));
    return dn_shell_option_list(c, "exclude", &s->csv.exclude, &s->csv.n_exclude, err);
}
