/* engine.options of the CSV reader that say how values are written. */
#include "csv_reader.h"

#include "base/strings.h"

#include <stdio.h>
#include <string.h>

/* How many texts an object {column: text or [texts]} has. */
static size_t count_texts(const json_t *map)
{
    json_t *mutable =
        (json_t *)(uintptr_t)map; /* jansson iterates through a mutable pointer only */
    size_t n = 0;

    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const json_t *value = json_object_iter_value(it);
        n += json_is_array(value) ? json_array_size(value) : 1;
    }
    return n;
}

static enum dn_status add_text(const struct dn_shell_config *c, const char *option,
                               const char *column, const json_t *value,
                               struct dn_csv_column_text *texts, size_t *n, struct dn_error *err)
{
    const char *text = dn_shell_text_value(value);
    char problem[320];
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (text == NULL) {
        (void)snprintf(problem, sizeof(problem),
                       "must give column %s a text or a list of texts (put numbers in quotes)",
                       dn_error_escape_value(shown, column, strlen(column)));
        return dn_shell_option_error(c, option, problem, err);
    }
    texts[(*n)++] = (struct dn_csv_column_text){column, text};
    return DN_OK;
}

/* {column: text or [texts]}, the column "" being all of them. */
static enum dn_status read_column_texts(struct dn_shell_config *c, const char *option,
                                        const json_t *map, const struct dn_csv_column_text **out,
                                        size_t *n, struct dn_error *err)
{
    json_t *mutable = (json_t *)(uintptr_t)map;
    const size_t room = count_texts(map);
    struct dn_csv_column_text *texts = dn_arena_alloc(&c->arena, (room + 1) * sizeof(*texts));

    if (texts == NULL) {
        return dn_error_memory(err, room * sizeof(*texts));
    }
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *column = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        if (!json_is_array(value)) {
            DN_TRY(add_text(c, option, column, value, texts, n, err));
            continue;
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            DN_TRY(add_text(c, option, column, json_array_get(value, i), texts, n, err));
        }
    }
    *out = texts;
    return DN_OK;
}

static enum dn_status read_nulls(struct csv_settings *s, struct dn_shell_config *c,
                                 struct dn_error *err)
{
    const json_t *value = dn_shell_option_value(c, "null_values");

    DN_TRY(dn_shell_option_bool(c, "quoted_nulls", &s->csv.quoted_nulls, err));
    return json_is_object(value)
               ? read_column_texts(c, "null_values", value, &s->csv.column_null_values,
                                   &s->csv.n_column_null_values, err)
               : dn_shell_option_list(c, "null_values", &s->csv.null_values, &s->csv.n_null_values,
                                      err);
}

enum dn_status csv_forms_read(struct csv_settings *s, struct dn_shell_config *c,
                              struct dn_error *err)
{
    static const char *const quoted[] = {"values", "text", NULL};
    uint32_t word = 0;

    DN_TRY(dn_shell_option_word(c, "quoted", quoted, &word, err));
    s->csv.quoted_text = word == 1;
    return read_nulls(s, c, err);
}
