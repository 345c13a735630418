/* engine.options of the CSV reader. */
#include "csv_reader.h"

#include "base/memory.h"
#include "base/strings.h"
#include "filter/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_CHUNK_ROWS = 10000,
    LONGEST_DELIMITER = 8,  /* bytes, as in the library */
    LARGEST_BLOCK = 1 << 28 /* bytes, as in the library */
};

const struct dn_shell_option csv_reader_options[] = {
    {"delimiter", NULL, "text",
     "1 to 8 bytes between fields, \\t for a tab, or auto, which looks for it; default ','"},
    {"quote", "quote_char", "text",
     "one byte around fields, an empty text for none, or auto; default '\"'"},
    {"escape", NULL, "text", "one byte that takes the meaning from the next one; default none"},
    {"comment", NULL, "text", "one byte; a row that begins with it is none; default none"},
    {"skip_rows", NULL, "int", "lines in front of the header of every file to leave out"},
    {"skip_after_header", NULL, "int", "lines behind the header of every file to leave out"},
    {"skip_footer", NULL, "int",
     "lines at the end of every file to leave out, blank ones not counted"},
    {"header", NULL, "bool, int or list",
     "whether the first row of every file names the columns, or which one does, or the names of "
     "columns of files without a header; default true"},
    {"names", NULL, "text",
     "names as the header has them: keep (default); told apart: unique; or cleaned: snake_case"},
    {"rename", NULL, "map", "column -> another name, by which all other options call it"},
    {"null_values", NULL, "list | map",
     "texts that mean null besides the empty unquoted field, or column -> texts, \"\" for all"},
    {"quoted_nulls", NULL, "bool",
     "these mean null in quotes, too, in columns of strings as well; default false"},
    {"decimal", NULL, "text", "the decimal point of numbers, one byte; default '.'"},
    {"thousands", NULL, "text", "one character between groups of three digits; default none"},
    {"date_format", NULL, "list | map",
     "formats of dates such as %d.%m.%Y, or column -> formats, \"\" for all; default ISO 8601"},
    {"time_format", NULL, "list | map", "the same for times"},
    {"timestamp_format", NULL, "list | map", "the same for timestamps"},
    {"true_values", NULL, "list", "words that mean true; default true, in any case"},
    {"false_values", NULL, "list", "words that mean false"},
    {"trim", NULL, "bool",
     "blanks and tabs around unquoted values and names are no part of them; default false"},
    {"quoted", NULL, "text",
     "values in quotes: values (default), like unquoted ones, or text beside unquoted ones"},
    {"types", NULL, "map", "column -> type: int64, decimal(12,2), timestamp[ns], binary:hex, ..."},
    {"widened", NULL, "map", "column -> type, as inferred by an earlier attempt: read strictly"},
    {"columns", NULL, "list",
     "the columns to read, in this order, by names, or by places as #1, #2; default all"},
    {"union_by_name", NULL, "bool",
     "files may have different columns: the rows have those of all headers, and nulls in what a "
     "file lacks; default false"},
    {"max_row_size", NULL, "int",
     "bytes of the longest row, up to 512 MiB; default what the memory allows"},
    {"exclude", NULL, "list", "columns that are not read; default none"},
    {"required", NULL, "list", "columns in which a null is an error"},
    {"missing_as_null", NULL, "bool",
     "a named column that the file lacks reads as nulls; default false"},
    {"strict", NULL, "bool", "a stray quote is an error instead of text; default false"},
    {"encoding", NULL, "text",
     "of the files, as iconv has it; default utf-8, or what a byte order mark says"},
    {"on_invalid", NULL, "text",
     "bytes that are no text in the encoding: error (default), or replace by U+FFFD"},
    {"max_rejects", NULL, "text",
     "rows that are wrong are set aside, at most so many, or so many percent ('1%'); default 0"},
    {"rejects", NULL, "text", "the CSV file that these rows are written to, with their places"},
    {"ragged", NULL, "text",
     "rows with too few or too many fields: error, null (missing values), skip or reject; default "
     "reject with max_rejects, else error"},
    {"chunk_size", "batch_size", "int", "rows per batch; default 10000 for JSON"},
    {"block_bytes", NULL, "int", "bytes of text per unit of work; no effect on the rows"},
    {"inference", NULL, "text",
     "lossless (default for JSON), strings, or column (default for Arrow)"},
    {"decimals", NULL, "text",
     "numbers with more digits than a float64 holds: exact (default), as decimals, or float, "
     "rounded"},
    {"restartable", NULL, "bool",
     "the host starts over on a type error: the first value of a column without values in the "
     "sample says its type; default false"},
    {"advice", NULL, "bool",
     "what looks like a wrong option is said, with what helps; default true"},
    DN_READER_PLACE_OPTIONS,
    {"n_threads", NULL, "int", "threads to parse with, 0: one per CPU"},
};
const size_t csv_reader_n_options = sizeof(csv_reader_options) / sizeof(csv_reader_options[0]);

static enum dn_status read_byte(const struct dn_shell_config *c, const char *name,
                                bool empty_allowed, char *out, bool *out_empty,
                                struct dn_error *err)
{
    const char *text = NULL;
    DN_TRY(dn_shell_option_text(c, name, &text, err));
    if (text == NULL) {
        return DN_OK;
    }
    if (strcmp(text, "\\t") == 0) {
        *out = '\t';
        return DN_OK;
    }
    if (text[0] == '\0' && empty_allowed) {
        *out_empty = true;
        return DN_OK;
    }
    if (text[0] == '\0' || text[1] != '\0' || (unsigned char)text[0] >= 0x80 || text[0] == '\n' ||
        text[0] == '\r') {
        return dn_shell_option_error(c, name, "must be one ASCII character and no line end", err);
    }
    *out = text[0];
    return DN_OK;
}

static enum dn_status read_delimiter(struct csv_settings *s, const struct dn_shell_config *c,
                                     struct dn_error *err)
{
    const char *text = NULL;

    DN_TRY(dn_shell_option_text(c, "delimiter", &text, err));
    if (text == NULL || (s->csv.detect & DN_CSV_DETECT_DELIMITER) != 0) {
        return DN_OK;
    }
    if (text[0] == '\0' || strlen(text) > LONGEST_DELIMITER || strpbrk(text, "\r\n") != NULL) {
        return dn_shell_option_error(c, "delimiter", "must be 1 to 8 bytes without a line end",
                                     err);
    }
    s->csv.delimiter_text = strcmp(text, "\\t") == 0 ? "\t" : text;
    return DN_OK;
}

/* Which bytes mean what, and which lines mean nothing. */
static enum dn_status read_structure(struct csv_settings *s, const struct dn_shell_config *c,
                                     struct dn_error *err)
{
    bool none = false;

    DN_TRY(read_delimiter(s, c, err));
    if ((s->csv.detect & DN_CSV_DETECT_QUOTE) == 0) {
        DN_TRY(read_byte(c, "quote", true, &s->csv.quote, &s->csv.no_quote, err));
    }
    DN_TRY(read_byte(c, "escape", true, &s->csv.escape, &none, err));
    DN_TRY(read_byte(c, "comment", true, &s->csv.comment, &none, err));
    DN_TRY(dn_shell_option_int(c, "skip_rows", 0, INT64_MAX, &s->csv.skip_rows, err));
    DN_TRY(
        dn_shell_option_int(c, "skip_after_header", 0, INT64_MAX, &s->csv.skip_after_header, err));
    return dn_shell_option_int(c, "skip_footer", 0, INT32_MAX, &s->csv.skip_footer, err);
}

static enum dn_status read_encoding(struct csv_settings *s, const struct dn_shell_config *c,
                                    struct dn_error *err)
{
    const char *on_invalid = NULL;

    DN_TRY(dn_shell_option_text(c, "encoding", &s->csv.encoding, err));
    DN_TRY(dn_shell_option_text(c, "on_invalid", &on_invalid, err));
    if (s->csv.encoding != NULL) {
        const enum dn_status st = dn_text_encoding_check(s->csv.encoding, err);
        if (st == DN_ERR_INVALID) {
            return dn_shell_option_error(c, "encoding",
                                         "must be an encoding of `iconv -l`, such as utf-8, "
                                         "utf-16, latin1 or windows-1252",
                                         err);
        }
        DN_TRY(st);
    }
    if (on_invalid == NULL || strcmp(on_invalid, "error") == 0) {
        return DN_OK;
    }
    s->csv.replace_invalid = strcmp(on_invalid, "replace") == 0;
    return s->csv.replace_invalid
               ? DN_OK
               : dn_shell_option_error(c, "on_invalid", "must be error or replace", err);
}

static enum dn_status read_values(const struct dn_shell_config *c, int level, enum csv_values *out,
                                  struct dn_error *err)
{
    static const char *const words[] = {"lossless", "strings", "column"};
    const char *text = NULL;

    *out = level == 0 ? CSV_VALUES_LOSSLESS : CSV_VALUES_COLUMN;
    DN_TRY(dn_shell_option_text(c, "inference", &text, err));
    for (int i = 0; text != NULL && i < 3; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum csv_values)i;
            return DN_OK;
        }
    }
    return text == NULL
               ? DN_OK
               : dn_shell_option_error(c, "inference", "must be lossless, strings or column", err);
}

static enum dn_status read_decimals(struct csv_settings *s, const struct dn_shell_config *c,
                                    struct dn_error *err)
{
    const char *text = NULL;

    DN_TRY(dn_shell_option_text(c, "decimals", &text, err));
    s->csv.round_decimals = text != NULL && strcmp(text, "float") == 0;
    return text == NULL || s->csv.round_decimals || strcmp(text, "exact") == 0
               ? DN_OK
               : dn_shell_option_error(c, "decimals", "must be exact or float", err);
}

/* "10" or "0.5%". */
static bool read_limit(const char *text, struct dn_csv_options *o)
{
    char *end = NULL;

    errno = 0;
    if (text[strspn(text, "0123456789.")] == '%') {
        o->max_reject_percent = dn_text_to_double(text, &end);
        return end != text && strcmp(end, "%") == 0 && o->max_reject_percent <= 100;
    }
    o->max_rejects = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && o->max_rejects >= 0 &&
           strspn(text, "0123456789") == strlen(text);
}

static enum dn_status read_rejects(struct csv_settings *s, const struct dn_shell_config *c,
                                   struct dn_error *err)
{
    static const char *const words[] = {"error", "null", "skip", "reject", NULL};
    struct dn_csv_options *o = &s->csv;
    const char *limit = NULL;
    const char *ragged = NULL;
    uint32_t word = 0;

    if (dn_shell_option_is_number(c, "max_rejects")) {
        DN_TRY(dn_shell_option_int(c, "max_rejects", 0, INT64_MAX, &o->max_rejects, err));
    } else {
        DN_TRY(dn_shell_option_text(c, "max_rejects", &limit, err));
    }
    DN_TRY(dn_shell_option_text(c, "rejects", &s->rejects, err));
    DN_TRY(dn_shell_option_text(c, "ragged", &ragged, err));
    DN_TRY(dn_shell_option_word(c, "ragged", words, &word, err));
    o->ragged =
        ragged == NULL ? DN_CSV_RAGGED_BAD : (enum dn_csv_ragged)(DN_CSV_RAGGED_ERROR + (int)word);
    if (limit != NULL && !read_limit(limit, o)) {
        return dn_shell_option_error(
            c, "max_rejects", "must be a number of rows, or of percent up to 100 as in 0.5%", err);
    }
    if (s->rejects != NULL && (s->rejects[0] == '\0' || strcmp(s->rejects, "-") == 0)) {
        return dn_shell_option_error(c, "rejects", "must name a file", err);
    }
    const bool any = o->max_rejects > 0 || o->max_reject_percent > 0;
    const char *needy = s->rejects != NULL                  ? "rejects"
                        : o->ragged == DN_CSV_RAGGED_REJECT ? "ragged"
                                                            : NULL;
    if (needy != NULL && !any) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_INVALID,
                         "engine.options.%s needs the option max_rejects, which says how many rows "
                         "may be set aside at most",
                         needy),
            needy);
    }
    return DN_OK;
}

/* Append the entries of one map but for those that `before` has: a declared type stays. */
static enum dn_status add_types(const struct dn_shell_config *c, const char *name, bool declared,
                                const json_t *map, const json_t *before,
                                struct dn_csv_column_type *types, size_t *n, struct dn_error *err)
{
    json_t *mutable =
        (json_t *)(uintptr_t)map; /* jansson iterates through a mutable pointer only */
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *key = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        if (json_is_null(value)) {
            continue;
        }
        const char *type = dn_shell_text_value(value);
        if (type == NULL) {
            char problem[320];
            char shown[DN_ESCAPED_VALUE_SIZE];
            (void)snprintf(problem, sizeof(problem), "must give column %s a type name",
                           dn_error_escape_value(shown, key, strlen(key)));
            return dn_shell_option_error(c, name, problem, err);
        }
        if (json_is_null(json_object_get(before, key)) || json_object_get(before, key) == NULL) {
            types[(*n)++] = (struct dn_csv_column_type){key, type, declared};
        }
    }
    return DN_OK;
}

static enum dn_status read_types(struct csv_settings *s, struct dn_shell_config *c,
                                 struct dn_error *err)
{
    const json_t *declared = NULL;
    const json_t *widened = NULL;
    DN_TRY(dn_shell_option_map(c, "types", &declared, err));
    DN_TRY(dn_shell_option_map(c, "widened", &widened, err));
    const size_t room = json_object_size(declared) + json_object_size(widened);
    if (room == 0) {
        return DN_OK;
    }
    struct dn_csv_column_type *types = dn_arena_alloc(&c->arena, room * sizeof(*types));
    if (types == NULL) {
        return dn_error_memory(err, room * sizeof(*types));
    }
    DN_TRY(add_types(c, "types", true, declared, NULL, types, &s->csv.n_types, err));
    DN_TRY(add_types(c, "widened", false, widened, declared, types, &s->csv.n_types, err));
    s->csv.types = types;
    s->csv.types_stride = sizeof(*types);
    return DN_OK;
}

/* A delimiter that is looked for brings with it what else is not said; a quote comes alone. */
static void read_detect(struct csv_settings *s, const struct dn_shell_config *c)
{
    static const struct {
        const char *option;
        uint32_t bit;
    } others[] = {{"quote", DN_CSV_DETECT_QUOTE},
                  {"header", DN_CSV_DETECT_HEADER},
                  {"skip_rows", DN_CSV_DETECT_SKIP_ROWS},
                  {"comment", DN_CSV_DETECT_COMMENT},
                  {"escape", DN_CSV_DETECT_ESCAPE}};

    if (dn_shell_option_is(c, "quote", "auto")) {
        s->csv.detect |= DN_CSV_DETECT_QUOTE;
    }
    if (!dn_shell_option_is(c, "delimiter", "auto")) {
        return;
    }
    s->csv.detect |= DN_CSV_DETECT_DELIMITER;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (!dn_shell_option_is_set(c, others[i].option)) {
            s->csv.detect |= others[i].bit;
        }
    }
}

/* It was said before by whoever starts over. */
static enum dn_status read_advice(struct csv_settings *s, const struct dn_shell_config *c,
                                  struct dn_error *err)
{
    const json_t *widened = NULL;

    DN_TRY(dn_shell_option_map(c, "widened", &widened, err));
    s->again = widened != NULL && !s->csv.restartable;
    s->advice = !s->again;
    return dn_shell_option_bool(c, "advice", &s->advice, err);
}

enum dn_status csv_settings_read(struct csv_settings *s, struct dn_shell_config *c, int level,
                                 struct dn_error *err)
{
    int64_t rows = level == 0 ? DEFAULT_CHUNK_ROWS : 0;
    int64_t block_bytes = 0;
    int64_t n_threads = 0;

    *s = (struct csv_settings){.csv = {.struct_size = sizeof(s->csv)}};
    DN_TRY(dn_reader_files_read(&s->files, c, CSV_TYPE, level, err));
    s->csv.store = s->files.store;
    read_detect(s, c);
    DN_TRY(read_structure(s, c, err));
    DN_TRY(csv_naming_read(s, c, err));
    DN_TRY(csv_forms_read(s, c, err));
    DN_TRY(read_types(s, c, err));
    DN_TRY(dn_shell_option_list(c, "required", &s->csv.required, &s->csv.n_required, err));
    DN_TRY(dn_shell_option_bool(c, "missing_as_null", &s->csv.missing_as_null, err));
    DN_TRY(dn_shell_option_bool(c, "strict", &s->csv.strict, err));
    DN_TRY(dn_shell_option_bool(c, "restartable", &s->csv.restartable, err));
    DN_TRY(read_advice(s, c, err));
    DN_TRY(read_encoding(s, c, err));
    DN_TRY(read_rejects(s, c, err));
    DN_TRY(dn_shell_option_int(c, "chunk_size", 1, INT32_MAX, &rows, err));
    DN_TRY(dn_shell_option_int(c, "block_bytes", 1, LARGEST_BLOCK, &block_bytes, err));
    DN_TRY(dn_shell_option_int(c, "n_threads", 0, 1024, &n_threads, err));
    DN_TRY(read_values(c, level, &s->values, err));
    DN_TRY(read_decimals(s, c, err));
    s->csv.inference = s->values == CSV_VALUES_COLUMN ? DN_CSV_INFER_COLUMN : DN_CSV_INFER_STRINGS;
    s->csv.batch_rows = rows;
    s->csv.block_bytes = (size_t)block_bytes;
    s->csv.n_threads = (uint32_t)n_threads;
    s->chunk_rows = rows;
    return DN_OK;
}
