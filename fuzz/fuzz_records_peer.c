/*
 * JSON records against jansson: what it parses, turned into cells by the rules of docs/json-records.md as written down here a second time,
 * is what is read into columns, and what it refuses is refused, but for what is accepted beyond RFC 8259.
 * Input: one byte that says whether columns are declared, then the JSON text.
 */
#include "fuzz_records_peer.h"

#include "json/records.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

size_t records_peer_n_read; /* texts that became columns */

/* Is it known what must come out? */
enum known {
    NO,
    YES,
    UNKNOWN
};

enum kind {
    INT,
    FLOAT,
    BOOL,
    TEXT,
    JSON,
    LIST,
    STRUCT,
    MAP
};

struct rule {
    const char *name;
    const char *words;
    enum kind kind;
    int64_t least; /* of integers */
    int64_t most;
    const struct rule *children;
    size_t n_children;
};

static const struct rule k_int = {NULL, NULL, INT, INT64_MIN, INT64_MAX, NULL, 0};
static const struct rule k_text = {NULL, NULL, TEXT, 0, 0, NULL, 0};
static const struct rule k_float = {NULL, NULL, FLOAT, 0, 0, NULL, 0};
static const struct rule k_json = {NULL, NULL, JSON, 0, 0, NULL, 0};
static const struct rule k_members[] = {
    {"a", NULL, INT, INT64_MIN, INT64_MAX, NULL, 0},
    {"b", NULL, LIST, 0, 0, &k_json, 1},
};
static const struct rule k_fields[] = {
    {"i", "int64", INT, INT64_MIN, INT64_MAX, NULL, 0},
    {"k", "int32", INT, INT32_MIN, INT32_MAX, NULL, 0},
    {"f", "float64", FLOAT, 0, 0, NULL, 0},
    {"b", "bool", BOOL, 0, 0, NULL, 0},
    {"s", "string", TEXT, 0, 0, NULL, 0},
    {"j", "json", JSON, 0, 0, NULL, 0},
    {"L", "list<int64>", LIST, 0, 0, &k_int, 1},
    {"T", "list<string>", LIST, 0, 0, &k_text, 1},
    {"C", "struct<a: int64, b: list<json>>", STRUCT, 0, 0, k_members, 2},
    {"M", "map<string, float64>", MAP, 0, 0, &k_float, 1},
};
enum {
    N_FIELDS = sizeof k_fields / sizeof k_fields[0]
};

/* ---- which values a column takes ---- */

static enum known both(enum known a, enum known b)
{
    return a == NO || b == NO ? NO : a == UNKNOWN || b == UNKNOWN ? UNKNOWN : YES;
}

static bool is_null(const json_t *v, const struct rule *r)
{
    return v == NULL || json_is_null(v) ||
           (r->kind != TEXT && r->kind != JSON && json_is_string(v) && json_string_length(v) == 0);
}

static bool is_exact(json_int_t i)
{
    const double d = (double)i;

    return d < 9223372036854775808.0 && (json_int_t)d == i;
}

/* Without the blanks around it; false: it has a NUL, or does not fit. */
static bool trimmed(const json_t *v, char out[64])
{
    const char *text = json_string_value(v);
    size_t len = json_string_length(v);

    while (len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    if (len == 0 || len >= 64 || memchr(text, '\0', len) != NULL) {
        return false;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

/* sign? digits, as a whole */
static bool is_integer(const char *t)
{
    t += *t == '+' || *t == '-';
    return *t != '\0' && strspn(t, "0123456789") == strlen(t);
}

/* sign? digits? (. digits?)? (e sign? digits)? with a digit in front of the e */
static bool is_number(const char *t)
{
    t += *t == '+' || *t == '-';
    const size_t whole = strspn(t, "0123456789");
    t += whole;
    size_t fraction = 0;
    if (*t == '.') {
        fraction = strspn(++t, "0123456789");
        t += fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*t == 'e' || *t == 'E') {
        t++;
        t += *t == '+' || *t == '-';
        const size_t exponent = strspn(t, "0123456789");
        return exponent > 0 && t[exponent] == '\0';
    }
    return *t == '\0';
}

static enum known takes_int(const json_t *v, const struct rule *r)
{
    char text[64];

    if (json_is_integer(v)) {
        return json_integer_value(v) >= r->least && json_integer_value(v) <= r->most ? YES : NO;
    }
    if (json_is_real(v)) { /* decided on digits, which jansson does not keep */
        const double d = json_real_value(v);
        const bool fits = d == floor(d) && fabs(d) <= 9007199254740992.0 && d >= (double)r->least &&
                          d <= (double)r->most;
        return fits ? UNKNOWN : NO;
    }
    if (!json_is_string(v)) {
        return NO;
    }
    if (!trimmed(v, text)) {
        return UNKNOWN;
    }
    errno = 0;
    const long long i = strtoll(text, NULL, 10);
    return is_integer(text) && errno == 0 && i >= r->least && i <= r->most ? YES : NO;
}

static enum known takes_float(const json_t *v)
{
    char text[64];

    if (json_is_integer(v)) {
        return is_exact(json_integer_value(v)) ? YES : NO;
    }
    if (json_is_real(v)) {
        return YES;
    }
    if (!json_is_string(v)) {
        return NO;
    }
    if (!trimmed(v, text) || strpbrk(text, "nNiI") != NULL) {
        return UNKNOWN; /* nan, inf */
    }
    if (is_integer(text)) {
        errno = 0;
        const long long i = strtoll(text, NULL, 10);
        return errno != 0 ? UNKNOWN : is_exact(i) ? YES : NO;
    }
    return is_number(text) && isfinite(strtod(text, NULL)) ? YES : NO;
}

static enum known takes_bool(const json_t *v, bool *value)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on",
                                        "f",     "t",    "n",  "y",   "0",   "1"};
    char text[64];

    if (json_is_boolean(v) || (json_is_integer(v) && (json_integer_value(v) | 1) == 1)) {
        *value = json_is_true(v) || json_integer_value(v) == 1;
        return YES;
    }
    if (json_is_real(v)) {
        return UNKNOWN;
    }
    if (!json_is_string(v)) {
        return NO;
    }
    if (!trimmed(v, text)) {
        return UNKNOWN;
    }
    for (char *p = text; *p != '\0'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i % 2 == 1;
            return YES;
        }
    }
    return NO;
}

static enum known takes(json_t *v, const struct rule *r);

static enum known takes_members(json_t *v, const struct rule *r)
{
    enum known all = YES;
    const char *key = NULL;
    json_t *member = NULL;

    json_object_foreach(v, key, member)
    {
        size_t i = 0;
        while (r->kind == STRUCT && i < r->n_children && strcmp(r->children[i].name, key) != 0) {
            i++;
        }
        all = both(all, i < r->n_children ? takes(member, &r->children[i]) : NO);
    }
    return all;
}

static enum known takes(json_t *v, const struct rule *r)
{
    enum known all = YES;
    bool value = false;

    if (is_null(v, r)) {
        return YES;
    }
    switch (r->kind) {
    case INT:
        return takes_int(v, r);
    case FLOAT:
        return takes_float(v);
    case BOOL:
        return takes_bool(v, &value);
    case LIST:
        for (size_t i = 0; i < json_array_size(v); i++) {
            all = both(all, takes(json_array_get(v, i), r->children));
        }
        return json_is_array(v) ? all : NO;
    case STRUCT:
        return json_is_object(v) ? takes_members(v, r) : NO;
    case MAP: /* pairs in a list: tests/unit/json has them */
        return json_is_object(v) ? takes_members(v, r) : json_is_array(v) ? UNKNOWN : NO;
    default:
        return YES;
    }
}

/* ---- what it becomes ---- */

static double double_of(const json_t *v)
{
    char text[64];

    if (json_is_string(v)) {
        return trimmed(v, text) ? strtod(text, NULL) : NAN;
    }
    return json_number_value(v);
}

/* A value as its JSON text. */
static bool is_text_of(const json_t *v, const json_t *got)
{
    json_t *read = json_loadb(json_string_value(got), json_string_length(got),
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    const bool same = json_equal(v, read) != 0;
    json_decref(read);
    return same;
}

/* `got` is the cell as it was written again; v is one that takes() does not refuse. */
static bool becomes(json_t *v, const struct rule *r, json_t *got)
{
    char text[64];
    bool value = false;
    const char *key = NULL;
    json_t *member = NULL;
    bool same = true;

    if (is_null(v, r)) {
        /* null in a JSON column is no value, or the value null */
        return json_is_null(got) || (r->kind == JSON && v != NULL && json_is_string(got));
    }
    if ((r->kind == INT || r->kind == FLOAT) && json_is_string(v) && !trimmed(v, text)) {
        return true; /* long numbers, of which takes() does not know either */
    }
    switch (r->kind) {
    case INT:
        if (json_is_real(v)) {
            return json_is_integer(got) && (double)json_integer_value(got) == json_real_value(v);
        }
        return json_is_integer(got) &&
               json_integer_value(got) == (json_is_string(v) && trimmed(v, text)
                                               ? strtoll(text, NULL, 10)
                                               : json_integer_value(v));
    case FLOAT:
        return json_is_real(got) && json_real_value(got) == double_of(v);
    case BOOL:
        return takes_bool(v, &value) != YES || (value ? json_is_true(got) : json_is_false(got));
    case TEXT:
        return json_is_string(v) ? json_equal(v, got) != 0 : is_text_of(v, got);
    case JSON:
        return json_equal(v, got) != 0 || (json_is_string(got) && is_text_of(v, got));
    case LIST:
        for (size_t i = 0; same && i < json_array_size(v); i++) {
            same = becomes(json_array_get(v, i), r->children, json_array_get(got, i));
        }
        return same && json_is_array(got) && json_array_size(got) == json_array_size(v);
    case STRUCT:
        for (size_t i = 0; same && i < r->n_children; i++) {
            const char *name = r->children[i].name;
            same = becomes(json_object_get(v, name), &r->children[i], json_object_get(got, name));
        }
        return same && json_is_object(got) && json_object_size(got) == r->n_children;
    default: /* a map; pairs are not looked at */
        json_object_foreach(v, key, member)
        {
            same = same && becomes(member, r->children, json_object_get(got, key));
        }
        return json_is_array(v) || (same && json_object_size(got) == json_object_size(v));
    }
}

/* ---- columns that nobody declared ---- */

static bool is_declared(const char *key, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (strcmp(k_fields[i].name, key) == 0) {
            return true;
        }
    }
    return false;
}

/* The narrowest type that holds every value of a key exactly. */
static struct rule rule_of(const json_t *records, const char *key)
{
    bool can_int = true;
    bool can_float = true;
    bool can_bool = true;
    bool any = false;

    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *v = json_object_get(json_array_get(records, i), key);
        if (v == NULL || json_is_null(v)) {
            continue;
        }
        any = true;
        can_bool = can_bool && json_is_boolean(v);
        can_int = can_int && json_is_integer(v);
        can_float = can_float &&
                    (json_is_real(v) || (json_is_integer(v) && is_exact(json_integer_value(v))));
    }
    struct rule r = k_text;
    if (any) {
        r = can_int ? k_int : can_float ? k_float : k_text;
        r.kind = can_bool ? BOOL : r.kind;
    }
    return r;
}

/* ---- the comparison ---- */

static size_t depth_of(json_t *v)
{
    size_t most = 0;
    const char *key = NULL;
    json_t *member = NULL;

    json_object_foreach(v, key, member)
    {
        const size_t d = depth_of(member);
        most = d > most ? d : most;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        const size_t d = depth_of(json_array_get(v, i));
        most = d > most ? d : most;
    }
    return most + (json_is_array(v) || json_is_object(v));
}

/* Can the text be read, as far as values go?  *records are borrowed. */
static enum known can_read(json_t *root, size_t n_fields, json_t **records)
{
    enum known all = YES;
    const json_t *counter = json_object_get(root, "file_counter");

    *records = json_is_array(root) ? root : json_object_get(root, "records");
    if (!json_is_array(*records) || depth_of(root) > 128) {
        return NO;
    }
    if (json_is_real(counter)) {
        all = UNKNOWN;
    } else if (counter != NULL && !json_is_null(counter) &&
               (!json_is_integer(counter) || json_integer_value(counter) < 0)) {
        return NO;
    }
    for (size_t i = 0; i < json_array_size(*records); i++) {
        json_t *record = json_array_get(*records, i);
        all = both(all, json_is_object(record) ? YES : NO);
        for (size_t f = 0; f < n_fields; f++) {
            all = both(all, takes(json_object_get(record, k_fields[f].name), &k_fields[f]));
        }
    }
    return all;
}

static void check_rows(const json_t *records, size_t n_fields, const json_t *written)
{
    FUZZ_CHECK(json_array_size(written) == json_array_size(records), "%zu records became %zu",
               json_array_size(records), json_array_size(written));
    json_t *keys = json_object(); /* of all records, in the order of their first appearance */
    for (size_t i = 0; i < json_array_size(records); i++) {
        const char *key = NULL;
        json_t *value = NULL;
        json_object_foreach(json_array_get(records, i), key, value)
        {
            if (!is_declared(key, n_fields) && json_object_get(keys, key) == NULL) {
                (void)json_object_set_new(keys, key, json_null());
            }
        }
    }
    for (size_t i = 0; i < json_array_size(records); i++) {
        json_t *record = json_array_get(records, i);
        json_t *row = json_array_get(written, i);
        FUZZ_CHECK(json_object_size(row) == n_fields + json_object_size(keys),
                   "record %zu has other columns", i + 1);
        for (size_t f = 0; f < n_fields; f++) {
            const char *name = k_fields[f].name;
            FUZZ_CHECK(
                becomes(json_object_get(record, name), &k_fields[f], json_object_get(row, name)),
                "record %zu, column %s", i + 1, name);
        }
    }
    const char *key = NULL;
    json_t *unused = NULL;
    void *column = json_object_iter(json_array_get(written, 0));
    for (size_t f = 0; f < n_fields; f++) {
        column = json_object_iter_next(json_array_get(written, 0), column);
    }
    json_object_foreach(keys, key, unused)
    {
        const struct rule r = rule_of(records, key);
        FUZZ_CHECK(strcmp(json_object_iter_key(column), key) == 0, "column %s is not in its place",
                   key);
        column = json_object_iter_next(json_array_get(written, 0), column);
        for (size_t i = 0; i < json_array_size(records); i++) {
            json_t *v = json_object_get(json_array_get(records, i), key);
            FUZZ_CHECK(
                becomes(v, &r, json_object_get(json_array_get(written, i), key)) ||
                    (r.kind == TEXT && json_is_string(v) && json_string_length(v) == 0 &&
                     json_string_length(json_object_get(json_array_get(written, i), key)) == 0),
                "record %zu, undeclared column %s", i + 1, key);
        }
    }
    json_decref(keys);
}

/* What is accepted beyond RFC 8259, or beyond jansson. */
static bool is_beyond(const char *json, size_t size, const json_error_t *why)
{
    const enum json_error_code code = json_error_code(why);

    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           code == json_error_stack_overflow || strstr(why->text, "invalid Unicode") != NULL ||
           memmem(json, size, "NaN", 3) != NULL || memmem(json, size, "Infinity", 8) != NULL;
}

static void check_written(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                          const json_t *records, size_t n_fields)
{
    struct dn_buffer text = {0};
    struct dn_error err;

    FUZZ_CHECK(dn_records_write(&text, schema, batch, 0, batch->length, &err) == DN_OK, "%s",
               err.message);
    json_t *written = json_loadb((const char *)text.data, text.len, JSON_ALLOW_NUL, NULL);
    if (written != NULL) { /* else there are texts of nan or inf in a float column */
        check_rows(records, n_fields, written);
    }
    json_decref(written);
    dn_buffer_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dn_record_field fields[N_FIELDS];
    struct dn_node nodes[N_FIELDS];
    struct dn_arena arena = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct dn_records_counts counts;
    struct dn_error err;
    json_error_t why;
    int64_t counter = 0;
    json_t *records = NULL;

    if (size == 0) {
        return 0;
    }
    const size_t n_fields = data[0] % 2 == 0 ? N_FIELDS : 0;
    for (size_t i = 0; i < n_fields; i++) {
        FUZZ_CHECK(dn_node_parse(k_fields[i].words, &arena, &nodes[i], NULL) == DN_OK, "%s",
                   k_fields[i].words);
        fields[i] =
            (struct dn_record_field){k_fields[i].name, nodes[i].field.type, false, &nodes[i]};
    }
    char *json = malloc(size); /* in the place of the first byte, a NUL behind the last */
    FUZZ_CHECK(json != NULL, "out of memory");
    memcpy(json, data + 1, size - 1);
    json[size - 1] = '\0';
    dn_error_clear(&err);
    const enum dn_status st = dn_records_read_counted(json, fields, (int64_t)n_fields, &schema,
                                                      &batch, &counter, &counts, &err);
    const size_t flags = JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL;
    const size_t len = strlen(json); /* behind a number jansson skips a NUL */
    json_t *root = json_loadb(json, len, flags, &why);
    if (root == NULL) {
        FUZZ_CHECK(st != DN_OK || is_beyond(json, len, &why), "jansson refuses it: %s", why.text);
    } else {
        const enum known readable = can_read(root, n_fields, &records);
        json_t *strict = json_loadb(json, len, flags | JSON_REJECT_DUPLICATES, NULL);
        const bool has_duplicates = strict == NULL; /* the earlier ones are not known here */
        json_decref(strict);
        FUZZ_CHECK(st != DN_OK || readable != NO, "a value was taken that must not be");
        FUZZ_CHECK(st == DN_OK || readable != YES || has_duplicates, "%s", err.message);
        if (st == DN_OK) {
            records_peer_n_read++;
            FUZZ_CHECK(counts.n_bytes == (size_t)why.position, "%zu bytes, jansson reads %d",
                       counts.n_bytes, why.position);
            check_written(&schema, &batch, records, n_fields);
        }
    }
    if (st == DN_OK) {
        schema.release(&schema);
        batch.release(&batch);
    }
    json_decref(root);
    free(json);
    dn_arena_finish(&arena);
    return 0;
}
