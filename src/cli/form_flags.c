#include "cli/form_flags.h"

#include "base/memory.h"

#include <string.h>

/* Append a text to the list that a column has in an object, "" being all columns. */
static enum dn_status add_text(json_t *texts, const char *column, size_t column_len,
                               const char *text, size_t len, const char *flag, struct dn_error *err)
{
    char *key = dn_strndup(column, column_len);
    json_t *list = key != NULL ? json_object_get(texts, key) : NULL;
    int failed = key == NULL;

    if (failed == 0 && list == NULL) {
        list = json_array();
        failed = json_object_set_new(texts, key, list);
    }
    failed |= json_array_append_new(list, json_stringn(text, len));
    dn_free(key);
    return failed == 0
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID, "the value of %s is not valid UTF-8", flag);
}

/* A,B or COLUMN=A,B: what is before the '=' is for all texts behind it, up to the next one. */
static enum dn_status null_values_add(json_t *options, const struct dn_flag_list *list,
                                      struct dn_error *err)
{
    json_t *texts = list->n > 0 ? json_object() : NULL;

    if (list->n == 0) {
        return DN_OK;
    }
    if (texts == NULL || json_object_set_new(options, "null_values", texts) != 0) {
        return dn_error_memory(err, 64);
    }
    for (size_t i = 0; i < list->n; i++) {
        const char *column = "";
        size_t column_len = 0;
        for (const char *p = list->values[i];; p++) {
            const size_t len = strcspn(p, ",");
            const char *equals = memchr(p, '=', len);
            const char *text = equals != NULL ? equals + 1 : p;
            if (equals != NULL) {
                column = p;
                column_len = (size_t)(equals - p);
            }
            DN_TRY(add_text(texts, column, column_len, text, len - (size_t)(text - p),
                            "--null-values", err));
            p += len;
            if (*p == '\0') {
                break;
            }
        }
    }
    json_t *all = json_object_size(texts) == 1 ? json_object_get(texts, "") : NULL;
    return all == NULL || json_object_set(options, "null_values", all) == 0
               ? DN_OK
               : dn_error_memory(err, 64);
}

enum dn_status dn_form_flags_add(json_t *options, const struct dn_source_flags *s,
                                 struct dn_error *err)
{
    DN_TRY(null_values_add(options, &s->null_values, err));
    if (s->quoted_nulls && json_object_set_new(options, "quoted_nulls", json_true()) != 0) {
        return dn_error_memory(err, 64);
    }
    if (s->quoted != NULL && json_object_set_new(options, "quoted", json_string(s->quoted)) != 0) {
        return dn_error_set(err, DN_ERR_INVALID, "the value of --quoted is not valid UTF-8");
    }
    return DN_OK;
}

const char *dn_form_flags_first(const struct dn_source_flags *s)
{
    return s->null_values.n > 0 ? "--null-values"
           : s->quoted_nulls    ? "--quoted-nulls"
           : s->quoted != NULL  ? "--quoted"
                                : NULL;
}
