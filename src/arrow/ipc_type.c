#include "arrow/ipc_type.h"

#include "base/strings.h"

#include <stdlib.h>

/* All formats without parameters. */
static const struct {
    const char *format;
    struct dn_ipc_type type;
} formats[] = {
    {"n", {DN_IPC_NULL, {0}, {0}}},
    {"b", {DN_IPC_BOOL, {0}, {0}}},
    {"c", {DN_IPC_INT, {8, 1}, {0}}},
    {"C", {DN_IPC_INT, {8, 0}, {0}}},
    {"s", {DN_IPC_INT, {16, 1}, {0}}},
    {"S", {DN_IPC_INT, {16, 0}, {0}}},
    {"i", {DN_IPC_INT, {32, 1}, {0}}},
    {"I", {DN_IPC_INT, {32, 0}, {0}}},
    {"l", {DN_IPC_INT, {64, 1}, {0}}},
    {"L", {DN_IPC_INT, {64, 0}, {0}}},
    {"e", {DN_IPC_FLOATING_POINT, {0}, {0}}},
    {"f", {DN_IPC_FLOATING_POINT, {1}, {0}}},
    {"g", {DN_IPC_FLOATING_POINT, {2}, {0}}},
    {"z", {DN_IPC_BINARY, {0}, {0}}},
    {"u", {DN_IPC_UTF8, {0}, {0}}},
    {"Z", {DN_IPC_LARGE_BINARY, {0}, {0}}},
    {"U", {DN_IPC_LARGE_UTF8, {0}, {0}}},
    {"vz", {DN_IPC_BINARY_VIEW, {0}, {0}}},
    {"vu", {DN_IPC_UTF8_VIEW, {0}, {0}}},
    {"tdD", {DN_IPC_DATE, {0}, {0}}},
    {"tdm", {DN_IPC_DATE, {1}, {0}}},
    {"tts", {DN_IPC_TIME, {0, 32}, {0}}},
    {"ttm", {DN_IPC_TIME, {1, 32}, {0}}},
    {"ttu", {DN_IPC_TIME, {2, 64}, {0}}},
    {"ttn", {DN_IPC_TIME, {3, 64}, {0}}},
    {"tDs", {DN_IPC_DURATION, {0}, {0}}},
    {"tDm", {DN_IPC_DURATION, {1}, {0}}},
    {"tDu", {DN_IPC_DURATION, {2}, {0}}},
    {"tDn", {DN_IPC_DURATION, {3}, {0}}},
    {"tiM", {DN_IPC_INTERVAL, {0}, {0}}},
    {"tiD", {DN_IPC_INTERVAL, {1}, {0}}},
    {"tin", {DN_IPC_INTERVAL, {2}, {0}}},
    {"+l", {DN_IPC_LIST, {0}, {0}}},
    {"+L", {DN_IPC_LARGE_LIST, {0}, {0}}},
    {"+vl", {DN_IPC_LIST_VIEW, {0}, {0}}},
    {"+vL", {DN_IPC_LARGE_LIST_VIEW, {0}, {0}}},
    {"+s", {DN_IPC_STRUCT, {0}, {0}}},
    {"+m", {DN_IPC_MAP, {0}, {0}}},
    {"+r", {DN_IPC_RUN_END_ENCODED, {0}, {0}}},
};
#define N_FORMATS (sizeof formats / sizeof formats[0])

static const char unit_letters[] = "smun";

const struct dn_ipc_number *dn_ipc_numbers(enum dn_ipc_type_id id)
{
    static const struct dn_ipc_number numbers[DN_IPC_TYPE_COUNT][DN_IPC_NUMBERS] = {
        [DN_IPC_INT] = {{4, 0}, {1, 0}}, /* bits, is it signed? */
        [DN_IPC_FLOATING_POINT] = {{2, 0}},
        [DN_IPC_DECIMAL] = {{4, 0}, {4, 0}, {4, 128}}, /* precision, scale, bits */
        [DN_IPC_DATE] = {{2, 1}},
        [DN_IPC_TIME] = {{2, 1}, {4, 32}}, /* unit, bits */
        [DN_IPC_TIMESTAMP] = {{2, 0}},
        [DN_IPC_INTERVAL] = {{2, 0}},
        [DN_IPC_FIXED_SIZE_BINARY] = {{4, 0}},
        [DN_IPC_FIXED_SIZE_LIST] = {{4, 0}},
        [DN_IPC_MAP] = {{1, 0}}, /* are keys sorted?  That is a flag of the C data interface */
        [DN_IPC_DURATION] = {{2, 1}},
    };

    return numbers[id];
}

int dn_ipc_n_children(enum dn_ipc_type_id id)
{
    switch (id) {
    case DN_IPC_STRUCT:
        return -1;
    case DN_IPC_RUN_END_ENCODED:
        return 2;
    case DN_IPC_LIST:
    case DN_IPC_LARGE_LIST:
    case DN_IPC_LIST_VIEW:
    case DN_IPC_LARGE_LIST_VIEW:
    case DN_IPC_FIXED_SIZE_LIST:
    case DN_IPC_MAP:
        return 1;
    default:
        return 0;
    }
}

/* Numbers between commas, at least `least`; false: something else. */
static bool read_numbers(const char *at, int least, struct dn_ipc_type *out)
{
    for (int i = 0; i < DN_IPC_NUMBERS; i++) {
        char *end = NULL;
        const long n = strtol(at, &end, 10);
        if (end == at || n < INT32_MIN || n > INT32_MAX) {
            return false;
        }
        out->numbers[i] = (int32_t)n;
        if (*end == '\0') {
            return i + 1 >= least;
        }
        if (*end != ',' || i + 1 == DN_IPC_NUMBERS) {
            return false;
        }
        at = end + 1;
    }
    return false;
}

static bool is_possible(const struct dn_ipc_type *t)
{
    const int32_t *n = t->numbers;
    const int most_digits = n[2] == 32 ? 9 : n[2] == 64 ? 18 : n[2] == 128 ? 38 : 76;

    switch (t->id) {
    case DN_IPC_DECIMAL:
        return n[0] >= 1 && n[0] <= most_digits && n[1] >= INT8_MIN && n[1] <= INT8_MAX &&
               (n[2] == 32 || n[2] == 64 || n[2] == 128 || n[2] == 256);
    case DN_IPC_FIXED_SIZE_BINARY:
    case DN_IPC_FIXED_SIZE_LIST:
        return n[0] >= 0;
    case DN_IPC_TIMESTAMP:
        return n[0] >= 0 && n[0] < (int32_t)(sizeof unit_letters - 1);
    default:
        return true;
    }
}

/* Behind "ts": "u:Europe/Berlin" */
static bool read_timestamp(const char *at, struct dn_ipc_type *out)
{
    const char *unit = at[0] != '\0' ? strchr(unit_letters, at[0]) : NULL;

    if (unit == NULL || at[1] != ':') {
        return false;
    }
    *out = (struct dn_ipc_type){.id = DN_IPC_TIMESTAMP, .numbers = {(int)(unit - unit_letters)}};
    if (at[2] != '\0') {
        out->zone = (struct dn_span){(const uint8_t *)at + 2, strlen(at + 2)};
    }
    return true;
}

bool dn_ipc_type_from_format(const char *format, struct dn_ipc_type *out)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(formats[i].format, format) == 0) {
            *out = formats[i].type;
            return true;
        }
    }
    *out = (struct dn_ipc_type){.id = DN_IPC_NULL};
    if (strncmp(format, "ts", 2) == 0) {
        return read_timestamp(format + 2, out);
    }
    if (strncmp(format, "d:", 2) == 0) {
        out->id = DN_IPC_DECIMAL;
        out->numbers[2] = 128;
        return read_numbers(format + 2, 2, out) && is_possible(out);
    }
    if (strncmp(format, "w:", 2) == 0 || strncmp(format, "+w:", 3) == 0) {
        const bool is_list = format[0] == '+';
        out->id = is_list ? DN_IPC_FIXED_SIZE_LIST : DN_IPC_FIXED_SIZE_BINARY;
        return read_numbers(format + 2 + is_list, 1, out) && strchr(format, ',') == NULL &&
               is_possible(out);
    }
    return false;
}

static enum dn_status put_zoned(const struct dn_ipc_type *t, struct dn_buffer *out,
                                struct dn_error *err)
{
    DN_TRY(dn_text_appendf(out, err, "ts%c:", unit_letters[t->numbers[0]]));
    return dn_buffer_append(out, t->zone.data, t->zone.len, err);
}

enum dn_status dn_ipc_type_format(const struct dn_ipc_type *t, struct dn_buffer *out,
                                  struct dn_error *err)
{
    const int32_t *n = t->numbers;
    enum dn_status st = DN_ERR_DATA;

    if (!is_possible(t)) {
        return DN_ERR_DATA;
    }
    switch (t->id) {
    case DN_IPC_DECIMAL:
        st = n[2] == 128 ? dn_text_appendf(out, err, "d:%d,%d", (int)n[0], (int)n[1])
                         : dn_text_appendf(out, err, "d:%d,%d,%d", (int)n[0], (int)n[1], (int)n[2]);
        break;
    case DN_IPC_FIXED_SIZE_BINARY:
        st = dn_text_appendf(out, err, "w:%d", (int)n[0]);
        break;
    case DN_IPC_FIXED_SIZE_LIST:
        st = dn_text_appendf(out, err, "+w:%d", (int)n[0]);
        break;
    case DN_IPC_TIMESTAMP:
        st = put_zoned(t, out, err);
        break;
    default:
        for (size_t i = 0; i < N_FORMATS; i++) {
            const bool is_map = t->id == DN_IPC_MAP; /* its number is a flag */
            if (formats[i].type.id == t->id &&
                (is_map || memcmp(formats[i].type.numbers, n, sizeof t->numbers) == 0)) {
                st = dn_text_append(out, formats[i].format, err);
                break;
            }
        }
        break;
    }
    DN_TRY(st);
    return dn_buffer_append_byte(out, '\0', err);
}
