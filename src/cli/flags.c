#include "cli/flags.h"

#include "base/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool dn_flags_parse_size(const char *text, uint64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {{"", 1},
                 {"b", 1},
                 {"k", 1024},
                 {"kb", 1000},
                 {"kib", 1024},
                 {"m", UINT64_C(1) << 20},
                 {"mb", 1000000},
                 {"mib", UINT64_C(1) << 20},
                 {"g", UINT64_C(1) << 30},
                 {"gb", 1000000000},
                 {"gib", UINT64_C(1) << 30}};
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    const unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcasecmp(end, units[i].unit) == 0) {
            return !__builtin_mul_overflow((uint64_t)n, units[i].factor, out);
        }
    }
    return false;
}

static enum dn_status unknown_flag(const struct dn_flag *flags, size_t n_flags, const char *arg,
                                   size_t len, struct dn_error *err)
{
    const char *names[DN_FLAGS_MAX];
    char word[64];
    char shown[DN_ESCAPED_VALUE_SIZE];

    for (size_t i = 0; i < n_flags && i < DN_FLAGS_MAX; i++) {
        names[i] = flags[i].name;
    }
    dn_error_escape_value(shown, arg, len);
    if (len > 2 && len - 2 < sizeof word) {
        memcpy(word, arg + 2, len - 2);
        word[len - 2] = '\0';
        const char *close =
            dn_text_suggest(word, names, n_flags < DN_FLAGS_MAX ? n_flags : DN_FLAGS_MAX);
        if (close != NULL) {
            return dn_error_set(err, DN_ERR_INVALID, "unknown flag %s; did you mean --%s?", shown,
                                close);
        }
    }
    return dn_error_set(err, DN_ERR_INVALID, "unknown flag %s", shown);
}

static enum dn_status size_set(const struct dn_flag *flag, const char *value, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    uint64_t bytes = 0;

    if (!dn_flags_parse_size(value, &bytes)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--%s needs a whole number and a unit, such as 256MB, not %s",
                            flag->name, dn_error_escape_value(shown, value, strlen(value)));
    }
    if (bytes != 0 && bytes < DN_FLAG_MEMORY_MIN) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--%s %s is less than 1MiB (1048576 bytes); write the unit, e.g. 256MB",
                            flag->name, value);
    }
    *(uint64_t *)flag->out = bytes;
    return DN_OK;
}

static enum dn_status value_set(const struct dn_flag *flag, const char *value, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    switch (flag->kind) {
    case DN_FLAG_TEXT:
        *(const char **)flag->out = value;
        return DN_OK;
    case DN_FLAG_LIST: {
        struct dn_flag_list *list = flag->out;
        if (list->n == DN_FLAG_LIST_MAX) {
            return dn_error_set(err, DN_ERR_INVALID, "--%s is given more than %d times", flag->name,
                                DN_FLAG_LIST_MAX);
        }
        list->values[list->n++] = value;
        return DN_OK;
    }
    case DN_FLAG_INT: {
        char *end = NULL;
        errno = 0;
        const long long n = strtoll(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0' || n < 0) {
            return dn_error_set(err, DN_ERR_INVALID, "--%s needs a number, not %s", flag->name,
                                dn_error_escape_value(shown, value, strlen(value)));
        }
        *(int64_t *)flag->out = n;
        return DN_OK;
    }
    case DN_FLAG_SIZE:
        return size_set(flag, value, err);
    case DN_FLAG_BOOL:
    default:
        return DN_OK;
    }
}

/* The flag of the letter arg[1], and what is behind it in the word. */
static const struct dn_flag *letter_find(const struct dn_flag *flags, size_t n_flags,
                                         const char *arg, const char **inline_value)
{
    for (size_t i = 0; i < n_flags; i++) {
        if (flags[i].letter != '\0' && flags[i].letter == arg[1]) {
            *inline_value = arg[2] != '\0' ? arg + 2 : NULL;
            return &flags[i];
        }
    }
    return NULL;
}

/* The flag that argv[i] names, and where its value begins if it is in the same word. */
static const struct dn_flag *flag_find(const struct dn_flag *flags, size_t n_flags, const char *arg,
                                       const char **inline_value)
{
    *inline_value = NULL;
    if (arg[1] != '-') {
        return letter_find(flags, n_flags, arg, inline_value);
    }
    const char *equals = strchr(arg, '=');
    const size_t len = equals != NULL ? (size_t)(equals - arg - 2) : strlen(arg + 2);
    for (size_t i = 0; i < n_flags; i++) {
        if (strlen(flags[i].name) == len && strncmp(flags[i].name, arg + 2, len) == 0) {
            *inline_value = equals != NULL ? equals + 1 : NULL;
            return &flags[i];
        }
    }
    return NULL;
}

enum dn_status dn_flags_parse(const struct dn_flag *flags, size_t n_flags, int argc, char **argv,
                              const char **operands, size_t *n_operands, struct dn_error *err)
{
    bool only_operands = false;

    *n_operands = 0;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const char *value = NULL;
        if (only_operands || arg[0] != '-' || arg[1] == '\0') {
            operands[(*n_operands)++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_operands = true;
            continue;
        }
        const struct dn_flag *flag = flag_find(flags, n_flags, arg, &value);
        char rest[3] = "-";
        while (flag != NULL && flag->kind == DN_FLAG_BOOL && arg[1] != '-' && value != NULL) {
            *(bool *)flag->out = true; /* -qf is -q -f; the last letter may have a value */
            rest[1] = value[0];
            arg = value - 1;
            flag = letter_find(flags, n_flags, arg, &value);
        }
        if (flag == NULL) {
            return unknown_flag(flags, n_flags, rest[1] != '\0' ? rest : arg,
                                rest[1] != '\0' ? 2 : strcspn(arg, "="), err);
        }
        if (flag->kind == DN_FLAG_BOOL) {
            if (value != NULL) {
                return dn_error_set(err, DN_ERR_INVALID, "--%s takes no value", flag->name);
            }
            *(bool *)flag->out = true;
            continue;
        }
        if (value == NULL) {
            if (i + 1 == argc) {
                return dn_error_set(err, DN_ERR_INVALID, "--%s needs a value", flag->name);
            }
            value = argv[++i];
        }
        DN_TRY(value_set(flag, value, err));
    }
    return DN_OK;
}
