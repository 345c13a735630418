#include "csv_choices.h"

#include "arrow/batch.h"
#include "fuzz_target.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BETWEEN_FILES 0x1e
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- files ---- */

void csv_files_make(struct csv_files *f, const uint8_t *text, size_t len)
{
    f->n = 0;
    for (bool more = true; more; f->n++) {
        const uint8_t *end =
            f->n + 1 < CSV_MOST_FILES && len > 0 ? memchr(text, BETWEEN_FILES, len) : NULL;
        const size_t part = end != NULL ? (size_t)(end - text) : len;
        const int fd = memfd_create("fuzz_csv", 0);
        FUZZ_CHECK(fd >= 0 && write(fd, text, part) == (ssize_t)part, "no file in memory");
        f->fds[f->n] = fd;
        f->sizes[f->n] = part;
        (void)snprintf(f->texts[f->n], sizeof(f->texts[0]), "/proc/self/fd/%d", fd);
        f->paths[f->n] = f->texts[f->n];
        more = end != NULL;
        text += part + more;
        len -= part + more;
    }
}

void csv_files_finish(struct csv_files *f)
{
    while (f->n > 0) {
        (void)close(f->fds[--f->n]);
    }
}

/* ---- what reading gave ---- */

static void hash_into(uint64_t *hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        *hash = (*hash ^ p[i]) * UINT64_C(1099511628211);
    }
}

static void hash_reject(void *ctx, const struct dn_csv_reject *x)
{
    struct csv_outcome *o = ctx;
    const int64_t places[] = {x->line, x->row, x->byte_offset};
    const char *texts[] = {x->path, x->column != NULL ? x->column : "", x->code, x->expected,
                           x->message};

    o->n_aside++;
    hash_into(&o->aside, places, sizeof(places));
    for (size_t i = 0; i < N_OF(texts); i++) {
        hash_into(&o->aside, texts[i], strlen(texts[i]));
    }
    hash_into(&o->aside, x->raw, x->raw_len);
}

static void hash_advice(void *ctx, bool warning, const char *kind, const char *message)
{
    struct csv_outcome *o = ctx;

    hash_into(&o->advice, &warning, 1);
    hash_into(&o->advice, kind, strlen(kind));
    hash_into(&o->advice, message, strlen(message));
}

static void hash_names(struct csv_outcome *o, const struct ArrowSchema *schema)
{
    o->names = 0;
    for (int64_t c = 0; c < schema->n_children; c++) {
        const struct ArrowSchema *child = schema->children[c];
        hash_into(&o->names, child->name, strlen(child->name) + 1);
        hash_into(&o->names, child->format, strlen(child->format) + 1);
    }
}

static void hash_cell(struct csv_outcome *o, const struct dn_field *field,
                      const struct dn_column_view *view, int64_t row)
{
    const bool valid = dn_column_is_valid(view, row);

    hash_into(&o->cells, &valid, 1);
    if (!valid) {
        return;
    }
    if (dn_type_layout(field->type) == DN_LAYOUT_VIEWS) {
        size_t len;
        const uint8_t *text = dn_column_text(view, row, &len);
        hash_into(&o->cells, &len, sizeof(len));
        hash_into(&o->cells, text, len);
    } else if (field->type.id == DN_TYPE_BOOL) {
        const bool bit = dn_bit_get(view->values, view->offset + row);
        hash_into(&o->cells, &bit, 1);
    } else {
        const size_t width = dn_type_width(field->type);
        hash_into(&o->cells, (const uint8_t *)view->values + (size_t)(view->offset + row) * width,
                  width);
    }
}

static void hash_batch(struct csv_outcome *o, const struct dn_csv_reader *r,
                       const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
    const size_t file = dn_csv_reader_file(r);
    int64_t *numbers = calloc((size_t)batch->length + 1, sizeof(*numbers));

    FUZZ_CHECK(numbers != NULL, "out of memory");
    dn_csv_reader_number_rows(r, batch->length, numbers);
    for (int64_t row = 0; row < batch->length; row++) {
        hash_into(&o->cells, &file, sizeof(file));
        hash_into(&o->cells, &numbers[row], sizeof(numbers[row]));
        for (int64_t c = 0; c < schema->n_children; c++) {
            struct dn_field field;
            struct dn_column_view view;
            FUZZ_CHECK(dn_schema_get_field(schema, c, &field, NULL) == DN_OK &&
                           dn_batch_get_column(batch, c, &field, &view, NULL) == DN_OK,
                       "no column %lld", (long long)c);
            hash_cell(o, &field, &view, row);
        }
    }
    free(numbers);
}

static void add_counters(struct csv_outcome *o, const struct dn_csv_reader *r)
{
    struct dn_csv_progress p = {.struct_size = sizeof(p)};

    dn_csv_reader_progress(r, &p);
    o->counters.rows += p.rows;
    o->counters.stray_quotes += p.stray_quotes;
    o->counters.rounded += p.rounded;
    o->counters.replaced += o->limited ? 0 : p.replaced;
    o->counters.marks += p.marks;
    o->counters.rejected += p.rejected;
    o->counters.skipped += p.skipped;
}

void csv_drain(struct dn_csv_reader *r, struct csv_outcome *o)
{
    struct ArrowSchema schema;
    struct ArrowArray batch;

    FUZZ_CHECK(dn_csv_reader_schema(r, &schema, NULL) == DN_OK, "no schema");
    hash_names(o, &schema);
    for (;;) {
        o->status = dn_csv_reader_next(r, &batch, &o->error);
        if (o->status != DN_OK || batch.release == NULL) {
            break;
        }
        o->n_rows += batch.length;
        hash_batch(o, r, &schema, &batch);
        batch.release(&batch);
    }
    if (o->status == DN_OK) {
        add_counters(o, r);
    }
    schema.release(&schema);
    dn_csv_reader_close(r);
}

void csv_read(const struct csv_files *f, const struct dn_csv_options *options,
              struct csv_outcome *o)
{
    struct dn_csv_reader *r = NULL;

    o->status = dn_csv_reader_open(&r, f->paths, f->n, options, &o->error);
    if (o->status == DN_OK) {
        csv_drain(r, o);
    }
}

bool csv_same_error(const struct csv_outcome *a, const struct csv_outcome *b)
{
    return a->status == b->status &&
           (a->status == DN_OK || a->long_rows_fail ||
            (a->error.row == b->error.row && a->error.line == b->error.line &&
             a->error.byte_offset == b->error.byte_offset &&
             strcmp(a->error.message, b->error.message) == 0));
}

bool csv_same_outcome(const struct csv_outcome *a, const struct csv_outcome *b)
{
    if (a->status != DN_OK && a->long_rows_fail) {
        return a->status == b->status;
    }
    return csv_same_error(a, b) && a->advice == b->advice && a->aside == b->aside &&
           a->n_aside == b->n_aside && a->names == b->names &&
           (a->status != DN_OK || (a->cells == b->cells && a->n_rows == b->n_rows &&
                                   memcmp(&a->counters, &b->counters, sizeof(a->counters)) == 0));
}

/* ---- options ---- */

static void set_dialect(struct dn_csv_options *o, uint8_t flags)
{
    o->delimiter_text = flags & 128 ? "||" : flags & 1 ? ";" : NULL;
    o->escape = flags & 32 ? '\\' : 0;
    o->comment = flags & 64 ? '#' : 0;
    o->skip_rows = flags & 128 ? 1 : 0;
    o->skip_footer = flags & 128 ? 1 : 0;
    o->no_quote = (flags & 2) != 0;
    o->strict = (flags & 4) != 0;
    o->header = flags & 8 ? DN_CSV_HEADER_NO : DN_CSV_HEADER_YES;
    o->inference = flags & 16 ? DN_CSV_INFER_STRINGS : DN_CSV_INFER_COLUMN;
}

/* Which columns there are, and what they are called. */
static void set_columns(struct dn_csv_options *o, uint8_t flags)
{
    static const char *const names[] = {"x", "b"};
    static const char *const columns[] = {"#2", "b", "#1", "#2"};
    static const char *const exclude[] = {"b", "#3"};
    static const struct dn_csv_rename renames[] = {{"#1", "z"}, {"b", "c"}};

    o->header_row = (flags & 3) == 1 ? 2 : 0;
    if ((flags & 3) == 2) {
        o->header = DN_CSV_HEADER_NO;
        o->header_names = names;
        o->n_header_names = N_OF(names);
    }
    o->missing_as_null = (flags & 3) == 3;
    o->names = (enum dn_csv_names)((flags >> 2 & 3) % 3);
    if (flags & 16) {
        o->columns = columns;
        o->n_columns = N_OF(columns);
    } else if (flags & 32) {
        o->exclude = exclude;
        o->n_exclude = N_OF(exclude);
    }
    if (flags & 64) {
        o->renames = renames;
        o->n_renames = N_OF(renames);
        o->renames_stride = sizeof(renames[0]);
    }
    o->union_by_name = (flags & 128) != 0;
}

/* Which rows there are, and what becomes of those that are wrong. */
static void set_rows(struct dn_csv_options *o, uint8_t flags)
{
    static const int64_t limits[] = {0, 1, 2, 7};
    static const int64_t most[] = {0, 1, 4, 0};

    o->has_limit = (flags & 1) != 0;
    o->limit = limits[flags >> 1 & 3];
    o->max_rejects = most[flags >> 3 & 3];
    o->max_reject_percent = (flags >> 3 & 3) == 3 ? 60 : 0;
    o->ragged = (enum dn_csv_ragged)((flags >> 5) % 5);
}

/* How values are written. */
static void set_values(struct dn_csv_options *o, uint8_t flags)
{
    static const char *const nulls[] = {"NA", "\\N"};
    static const char *const required[] = {"a"};
    static const struct dn_csv_column_type types[] = {
        {"a", "int64", true}, {"b", "string", true}, {"c", "decimal(9,2)", true}};

    o->trim = (flags & 1) != 0;
    o->quoted_nulls = (flags & 2) != 0;
    o->quoted_text = (flags & 4) != 0;
    if (flags & 8) {
        o->null_values = nulls;
        o->n_null_values = N_OF(nulls);
    }
    if (flags & 16) {
        o->decimal = ',';
        o->thousands = ".";
    }
    if (flags & 32) {
        o->types = types;
        o->n_types = N_OF(types);
        o->types_stride = sizeof(types[0]);
        o->missing_as_null = true;
    }
    o->restartable = (flags & 64) != 0;
    if (flags & 128) {
        o->required = required;
        o->n_required = N_OF(required);
    }
}

/* In which forms values are written. */
static void set_forms(struct dn_csv_options *o, uint8_t flags)
{
    static const struct dn_csv_column_text dates[] = {{NULL, "%d.%m.%Y"}, {"a", "%Y%m%d"}};
    static const struct dn_csv_column_text times[] = {{NULL, "%H:%M"}};
    static const struct dn_csv_column_text timestamps[] = {{"", "%d.%m.%Y %H:%M:%S"},
                                                           {"b", "%m/%d/%Y %I:%M %p"}};
    static const char *const yes[] = {"ja", "x"};
    static const char *const no[] = {"nein", ""};
    static const struct dn_csv_column_text nulls[] = {{"a", "-"}, {"b", "0"}, {"b", "?"}};

    if (flags & 1) {
        o->date_formats = dates;
        o->n_date_formats = N_OF(dates);
    }
    if (flags & 2) {
        o->time_formats = times;
        o->n_time_formats = N_OF(times);
    }
    if (flags & 4) {
        o->timestamp_formats = timestamps;
        o->n_timestamp_formats = N_OF(timestamps);
    }
    if (flags & 8) {
        o->true_values = yes;
        o->n_true_values = N_OF(yes);
        o->false_values = no;
        o->n_false_values = 1;
    }
    if (flags & 16) {
        o->column_null_values = nulls;
        o->n_column_null_values = N_OF(nulls);
    }
    o->round_decimals = (flags & 32) != 0;
    o->skip_after_header = flags & 64 ? 2 : 0;
    if (flags & 128) {
        o->thousands = "'";
    }
}

/* Dialects of other bytes, or what a look at the file finds. */
static void set_other_dialect(struct dn_csv_options *o, uint8_t flags)
{
    static const char *const delimiters[] = {NULL,  "\t", "|",  "\xc2\xa7",
                                             "<~>", " ",  "aa", "12345678"};
    static const char quotes[] = {0, '\'', '|', '\\'};
    static const uint32_t detect[] = {0,
                                      DN_CSV_DETECT_DELIMITER,
                                      DN_CSV_DETECT_QUOTE,
                                      DN_CSV_DETECT_HEADER,
                                      DN_CSV_DETECT_SKIP_ROWS,
                                      DN_CSV_DETECT_COMMENT,
                                      DN_CSV_DETECT_ESCAPE,
                                      DN_CSV_DETECT_DELIMITER | DN_CSV_DETECT_QUOTE |
                                          DN_CSV_DETECT_HEADER | DN_CSV_DETECT_SKIP_ROWS |
                                          DN_CSV_DETECT_COMMENT | DN_CSV_DETECT_ESCAPE};

    if ((flags & 7) != 0) {
        o->delimiter_text = delimiters[flags & 7];
    }
    o->quote = quotes[flags >> 3 & 3];
    o->detect = detect[flags >> 5];
}

/* Encodings, and how long rows may be. */
static void set_text(struct dn_csv_options *o, uint8_t flags)
{
    static const char *const encodings[] = {NULL,     "latin-1", "utf-16", "utf-16-be",
                                            "cp1252", "gb18030", "ascii",  "utf-8"};

    o->encoding = encodings[flags & 7];
    o->replace_invalid = (flags & 8) != 0;
    o->max_row_bytes = flags & 16 ? 40 : 0;
}

/* What the first columns are said to be. */
static void set_types(struct dn_csv_options *o, uint8_t flags)
{
    enum {
        N_TYPED = 3,
        N_SETS = 8
    };
    static const struct dn_csv_column_type types[N_SETS][N_TYPED] = {
        {{"a", "string", false}, {"b", "string", false}, {"c", "string", false}},
        {{"a", "timestamp", true}, {"b", "date", true}, {"c", "time", true}},
        {{"a", "float64", true}, {"b", "bool", true}, {"c", "json", true}},
        {{"a", "uuid", true}, {"b", "decimal(38,10)", true}, {"c", "int8", true}},
        {{"a", "timestamptz", true}, {"b", "duration", true}, {"c", "uint64", true}},
        {{"a", "float64", false}, {"b", "int64", false}, {"c", "bool", false}},
        {{"a", "binary", true}, {"b", "interval", true}, {"c", "float16", true}},
        {{"a", "decimal(3,1)", false}, {"b", "timestamp", false}, {"c", "date", false}}};

    if ((flags & 8) != 0) {
        o->types = types[flags & 7];
        o->n_types = N_TYPED;
        o->types_stride = sizeof(types[0][0]);
        o->missing_as_null = true;
    }
}

/* At once, by the thread that reads ahead: a pool would cost more than what it is to do here. */
static int32_t run_at_once(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
    return 0;
}

void csv_choose(struct dn_csv_options *o, const uint8_t *choices, struct csv_outcome *to)
{
    *to = (struct csv_outcome){.cells = UINT64_C(14695981039346656037)};
    *o = (struct dn_csv_options){.struct_size = sizeof(*o),
                                 .submit = run_at_once,
                                 .reject = hash_reject,
                                 .reject_ctx = to,
                                 .advise = hash_advice,
                                 .note_ctx = to};
    set_dialect(o, choices[0]);
    set_columns(o, choices[1]);
    set_rows(o, choices[2]);
    set_values(o, choices[3]);
    set_forms(o, choices[4]);
    set_other_dialect(o, choices[5]);
    set_text(o, choices[6]);
    to->long_rows_fail = o->max_row_bytes > 0;
    to->limited = o->has_limit;
    set_types(o, choices[7]);
}
