#include "job/names.h"

#include "base/buffer.h"
#include "base/strings.h"

#include <inttypes.h>

/* name_1, name_2, ...: the first that is not in `taken`, which it joins; *counter is where to go on for the next one. */
static enum dn_status name_make(json_t *column, const char *name, json_t *taken,
                                json_int_t *counter, struct dn_error *err)
{
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;
    bool found = false;

    while (st == DN_OK && !found) {
        text.len = 0;
        (*counter)++;
        DN_TRY_GOTO(st, dn_text_appendf(&text, err, "%s_%" PRId64, name, (int64_t)*counter),
                    cleanup);
        DN_TRY_GOTO(st, dn_buffer_append_byte(&text, 0, err), cleanup);
        found = json_object_get(taken, (const char *)text.data) == NULL;
    }
    const char *made = (const char *)text.data;
    if (json_object_set_new(taken, made, json_null()) != 0 ||
        json_object_set_new(column, "unique_name", json_string(made)) != 0) {
        st = dn_error_memory(err, text.len);
    }
cleanup:
    dn_buffer_finish(&text);
    return st;
}

enum dn_status dn_names_make_unique(json_t *schema, struct dn_error *err)
{
    json_t *taken = json_object(); /* every name of the file, and those made up */
    json_t *seen = json_object();  /* the names so far, with the last number given out */
    enum dn_status st = DN_OK;

    if (taken == NULL || seen == NULL) {
        st = dn_error_memory(err, 64);
    }
    for (size_t i = 0; st == DN_OK && i < json_array_size(schema); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(schema, i), "name"));
        if (name != NULL && json_object_set_new(taken, name, json_null()) != 0) {
            st = dn_error_memory(err, 64);
        }
    }
    for (size_t i = 0; st == DN_OK && i < json_array_size(schema); i++) {
        json_t *column = json_array_get(schema, i);
        const char *name = json_string_value(json_object_get(column, "name"));
        const json_t *last = name != NULL ? json_object_get(seen, name) : NULL;
        json_int_t counter = json_integer_value(last);
        if (last != NULL) {
            st = name_make(column, name, taken, &counter, err);
        }
        if (st == DN_OK && name != NULL &&
            json_object_set_new(seen, name, json_integer(counter)) != 0) {
            st = dn_error_memory(err, 64);
        }
    }
    json_decref(taken);
    json_decref(seen);
    return st;
}
