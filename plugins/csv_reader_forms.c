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

/* A text, a list of texts, or an object of columns. */
static enum dn_status read_formats(struct dn_shell_config *c, const char *option,
                                   const struct dn_csv_column_text **out, size_t *n,
                                   struct dn_error *err)
{
    const json_t *value = dn_shell_option_value(c, option);
    const char *const *texts = NULL;
    size_t n_texts = 0;

    if (json_is_object(value)) {
        return read_column_texts(c, option, value, out, n, err);
    }
    DN_TRY(dn_shell_option_list(c, option, &texts, &n_texts, err));
    struct dn_csv_column_text *all = dn_arena_alloc(&c->arena, (n_texts + 1) * sizeof(*all));
    if (all == NULL) {
        return dn_error_memory(err, n_texts * sizeof(*all));
    }
    for (size_t i = 0; i < n_texts; i++) {
        all[i].text = texts[i];
    }
    *out = all;
    *n = n_texts;
    return DN_OK;
}

static enum dn_status read_numbers(struct csv_settings *s, struct dn_shell_config *c,
                                   struct dn_error *err)
{
    const char *decimal = NULL;

    DN_TRY(dn_shell_option_text(c, "decimal", &decimal, err));
    DN_TRY(dn_shell_option_text(c, "thousands", &s->csv.thousands, err));
    if (decimal == NULL) {
        return DN_OK;
    }
    s->csv.decimal = decimal[0];
    return decimal[0] != '\0' && decimal[1] == '\0'
               ? DN_OK
               : dn_shell_option_error(c, "decimal", "must be one ASCII character", err);
}

enum dn_status csv_forms_read(struct csv_settings *s, struct dn_shell_config *c,
                              struct dn_error *err)
{
    static const char *const quoted[] = {"values", "text", NULL};
    struct dn_csv_options *o = &s->csv;
    uint32_t word = 0;

    DN_TRY(dn_shell_option_word(c, "quoted", quoted, &word, err));
    o->quoted_text = word == 1;
    DN_TRY(dn_shell_option_bool(c, "trim", &o->trim, err));
    DN_TRY(read_numbers(s, c, err));
    DN_TRY(read_formats(c, "date_format", &o->date_formats, &o->n_date_formats, err));
    DN_TRY(read_formats(c, "time_format", &o->time_formats, &o->n_time_formats, err));
    DN_TRY(
        read_formats(c, "timestamp_format", &o->timestamp_formats, &o->n_timestamp_formats, err));
    DN_TRY(dn_shell_option_list(c, "true_values", &o->true_values, &o->n_true_values, err));
    DN_TRY(dn_shell_option_list(c, "false_values", &o->false_values, &o->n_false_values, err));
    return read_nulls(s, c, err);
}
