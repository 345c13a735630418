/* Typed access to engine.options: the plain options first, then those of the connector's recipe. */
#include "shell.h"

#include "base/memory.h"
#include "base/strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
    const json_t *value; /* NULL: absent */
    bool native;
    const char *key; /* as the user wrote it */
};

static struct found find_option(const struct dn_shell_config *c, const char *name)
{
    const char *names[2] = {name, NULL};
    for (size_t i = 0; i < c->n_table; i++) {
        if (strcmp(c->table[i].name, name) == 0) {
            names[1] = c->table[i].alias;
        }
    }
    for (int native = 0; native < 2; native++) {
        for (int i = 0; i < 2 && names[i] != NULL; i++) {
            const json_t *value = dn_shell_get(native ? c->native : c->options, names[i]);
            if (value != NULL) {
                return (struct found){value, native != 0, names[i]};
            }
        }
    }
    return (struct found){NULL, false, name};
}

static const char *kind_name(const json_t *value)
{
    if (json_is_string(value)) {
        return "a text";
    }
    return json_is_array(value) ? "a list" : json_is_object(value) ? "an object" : "that";
}

/* Of texts only short and plain ones are shown, of lists and objects nothing: a password can stand in any place. */
static const char *shown_value(char out[DN_ESCAPED_VALUE_SIZE], const json_t *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+- ";
    const char *text = dn_shell_text_value(value);
    size_t len = text != NULL ? strlen(text) : 0;

    if (text != NULL && (len <= 4 || (len <= 32 && text[strspn(text, plain)] == '\0'))) {
        return dn_error_escape_value(out, text, len);
    }
    if (!json_is_number(value) && !json_is_boolean(value)) {
        return kind_name(value);
    }
    len = json_dumpb(value, out, DN_ESCAPED_VALUE_SIZE - 1, JSON_ENCODE_ANY);
    out[len < DN_ESCAPED_VALUE_SIZE ? len : 0] = '\0';
    return out;
}

static enum dn_status option_error(const struct found *f, const char *problem, const char *shown,
                                   struct dn_error *err)
{
    const enum dn_status st = dn_error_set(err, DN_ERR_CONFIG, "engine.options.%s%s %s, not %s",
                                           f->native ? "native." : "", f->key, problem, shown);
    return dn_error_option(err, st, f->key);
}

static enum dn_status wrong_value(const struct found *f, const char *problem, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    return option_error(f, problem, shown_value(shown, f->value), err);
}

/* Where even a short text is not what was asked for. */
static enum dn_status wrong_kind(const struct found *f, const char *problem, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    return option_error(
        f, problem, json_is_string(f->value) ? kind_name(f->value) : shown_value(shown, f->value),
        err);
}

enum dn_status dn_shell_option_error(const struct dn_shell_config *c, const char *name,
                                     const char *problem, struct dn_error *err)
{
    struct found f = find_option(c, name);
    return wrong_value(&f, problem, err);
}

enum dn_status dn_shell_option_text(const struct dn_shell_config *c, const char *name,
                                    const char **out, struct dn_error *err)
{
    struct found f = find_option(c, name);
    if (f.value == NULL) {
        return DN_OK;
    }
    const char *text = dn_shell_text_value(f.value);
    if (text == NULL) {
        return wrong_kind(&f,
                          json_is_string(f.value)
                              ? "must be a text without NUL characters"
                              : "must be a text (in quotes, if it looks like another value)",
                          err);
    }
    *out = text;
    return DN_OK;
}

enum dn_status dn_shell_option_bool(const struct dn_shell_config *c, const char *name, bool *out,
                                    struct dn_error *err)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"},
                                            {"true", "yes", "on", "1"}};
    struct found f = find_option(c, name);
    if (f.value == NULL) {
        return DN_OK;
    }
    if (json_is_boolean(f.value)) {
        *out = json_is_true(f.value);
        return DN_OK;
    }
    const char *text = dn_shell_text_value(f.value);
    for (int i = 0; text != NULL && i < 8; i++) {
        if (dn_text_equal_nocase(text, words[i / 4][i % 4])) {
            *out = i >= 4;
            return DN_OK;
        }
    }
    return wrong_value(&f, "must be true or false", err);
}

/* A whole number, also written as a text ("10000") or as a float without a fraction (1e4). */
static bool read_int(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (json_is_real(value)) {
        const double real = json_real_value(value);
        if (real >= -9007199254740992.0 && real <= 9007199254740992.0 &&
            real == (double)(int64_t)real) {
            *out = (int64_t)real;
            return true;
        }
        return false;
    }
    const char *text = dn_shell_text_value(value);
    if (text == NULL) {
        return false;
    }
    const char *digits = text[0] == '-' ? text + 1 : text;
    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') {
        return false;
    }
    errno = 0;
    const long long parsed = strtoll(text, NULL, 10);
    if (errno != 0) {
        return false;
    }
    *out = parsed;
    return true;
}

enum dn_status dn_shell_option_int(const struct dn_shell_config *c, const char *name, int64_t min,
                                   int64_t max, int64_t *out, struct dn_error *err)
{
    struct found f = find_option(c, name);
    int64_t value = 0;
    if (f.value == NULL) {
        return DN_OK;
    }
    if (!read_int(f.value, &value) || value < min || value > max) {
        char problem[96];
        (void)snprintf(problem, sizeof(problem), "must be a whole number from %lld to %lld",
                       (long long)min, (long long)max);
        return wrong_value(&f, problem, err);
    }
    *out = value;
    return DN_OK;
}

enum dn_status dn_shell_option_list(struct dn_shell_config *c, const char *name,
                                    const char *const **out, size_t *n_out, struct dn_error *err)
{
    struct found f = find_option(c, name);
    if (f.value == NULL) {
        return DN_OK;
    }
    const bool single = json_is_string(f.value);
    if (!single && !json_is_array(f.value)) {
        return wrong_value(&f, "must be a list of texts", err);
    }
    const size_t n = single ? 1 : json_array_size(f.value);
    const char **texts = dn_arena_alloc(&c->arena, (n + 1) * sizeof(*texts));
    if (texts == NULL) {
        return dn_error_memory(err, n * sizeof(*texts));
    }
    for (size_t i = 0; i < n; i++) {
        texts[i] = dn_shell_text_value(single ? f.value : json_array_get(f.value, i));
        if (texts[i] == NULL) {
            return wrong_value(&f, "must be a list of texts (put numbers in quotes)", err);
        }
    }
    *out = texts;
    *n_out = n;
    return DN_OK;
}

enum dn_status dn_shell_option_ints(struct dn_shell_config *c, const char *name, int32_t min,
                                    const int32_t **out, size_t *n_out, struct dn_error *err)
{
    struct found f = find_option(c, name);
    char problem[96];
    if (f.value == NULL) {
        return DN_OK;
    }
    (void)snprintf(problem, sizeof(problem), "must be a list of whole numbers from %d to %d",
                   (int)min, INT32_MAX);
    if (!json_is_array(f.value)) {
        return wrong_value(&f, problem, err);
    }
    const size_t n = json_array_size(f.value);
    int32_t *numbers = dn_arena_alloc(&c->arena, (n + 1) * sizeof(*numbers));
    if (numbers == NULL) {
        return dn_error_memory(err, n * sizeof(*numbers));
    }
    for (size_t i = 0; i < n; i++) {
        const struct found item = {json_array_get(f.value, i), f.native, f.key};
        int64_t value = 0;
        if (!read_int(item.value, &value) || value < min || value > INT32_MAX) {
            return wrong_value(&item, problem, err);
        }
        numbers[i] = (int32_t)value;
    }
    *out = numbers;
    *n_out = n;
    return DN_OK;
}

bool dn_shell_option_is_number(const struct dn_shell_config *c, const char *name)
{
    return json_is_number(find_option(c, name).value);
}

bool dn_shell_option_is_set(const struct dn_shell_config *c, const char *name)
{
    return find_option(c, name).value != NULL;
}

bool dn_shell_option_is(const struct dn_shell_config *c, const char *name, const char *text)
{
    const struct found f = find_option(c, name);
    const char *given = f.value != NULL ? dn_shell_text_value(f.value) : NULL;

    return given != NULL && strcmp(given, text) == 0;
}

enum dn_status dn_shell_option_word(const struct dn_shell_config *c, const char *name,
                                    const char *const *words, uint32_t *out, struct dn_error *err)
{
    const struct found f = find_option(c, name);
    const char *given = f.value != NULL ? dn_shell_text_value(f.value) : NULL;
    char list[80];
    char problem[96];
    uint32_t n = 0;

    if (f.value == NULL) {
        return DN_OK;
    }
    for (; words[n] != NULL; n++) {
        if (given != NULL && strcmp(given, words[n]) == 0) {
            *out = n;
            return DN_OK;
        }
    }
    dn_text_list(list, sizeof(list), words, n);
    (void)snprintf(problem, sizeof(problem), "must be one of %s", list);
    return wrong_value(&f, problem, err);
}

const json_t *dn_shell_option_value(const struct dn_shell_config *c, const char *name)
{
    return find_option(c, name).value;
}

enum dn_status dn_shell_option_map(const struct dn_shell_config *c, const char *name,
                                   const json_t **out, struct dn_error *err)
{
    struct found f = find_option(c, name);
    if (f.value == NULL) {
        return DN_OK;
    }
    if (!json_is_object(f.value)) {
        return wrong_kind(&f, "must be an object", err);
    }
    *out = f.value;
    return DN_OK;
}

enum dn_status dn_shell_option_set(struct dn_shell_config *c, const char *name, json_t *value,
                                   struct dn_error *err)
{
    const json_t *first = c->options != NULL ? c->options : c->native;

    return json_object_set_new((json_t *)(uintptr_t)first, name, value) == 0
               ? DN_OK
               : dn_error_memory(err, strlen(name));
}
