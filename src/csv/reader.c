#include "base/budget.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "base/os_wait.h"
#include "csv/aside.h"
#include "csv/choose.h"
#include "csv/dialect.h"
#include "csv/explain.h"
#include "csv/reader_internal.h"
#include "csv/token.h"
#include "store/url.h"

/* What blocks in flight take at most. */
#define SMALLEST_BLOCK_BYTES ((size_t)64 << 10)
#define SMALLEST_RENDERED_BYTES ((size_t)8 << 10) /* of text that becomes many times as much */
/* Per byte of text: itself, bits, its index while it is at work, and a value: at most a view. */
#define BYTES_BESIDE_VALUE 6
#define BYTES_PER_TEXT (BYTES_BESIDE_VALUE + 16)
#define COLUMN_BLOCK_BYTES                                                                         \
    500 /* per column and block: buffers' beginnings and ends, what describes them */

/* ---- batches of at most batch_rows rows: slices that share one batch ---- */

struct dn_csv_shared_batch {
    struct ArrowArray batch;
    _Atomic int32_t n_users;
};

static void release_shared(void *owner)
{
    struct dn_csv_shared_batch *s = owner;

    if (atomic_fetch_sub(&s->n_users, 1) == 1) {
        s->batch.release(&s->batch);
        dn_free(s);
    }
}

/* A struct array over the same columns; it and each of its children count as one user of the shared batch. */
struct slice {
    struct ArrowArray **children;
    struct dn_csv_shared_batch *shared;
};

static void release_slice_child(struct ArrowArray *child)
{
    release_shared(child->private_data);
    child->release = NULL;
}

static void release_slice(struct ArrowArray *array)
{
    struct slice *s = array->private_data;

    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) {
            array->children[i]->release(array->children[i]);
        }
    }
    release_shared(s->shared);
    dn_free(s);
    array->release = NULL;
}

static enum dn_status make_slice(struct dn_csv_shared_batch *shared, int64_t at, int64_t n_rows,
                                 struct ArrowArray *out, struct dn_error *err)
{
    const size_t n = (size_t)shared->batch.n_children;
    struct slice *s =
        dn_calloc(1, sizeof(*s) + n * (sizeof(struct ArrowArray *) + sizeof(struct ArrowArray)) +
                         sizeof(void *));

    if (s == NULL) {
        return dn_error_memory(err, sizeof(*s));
    }
    s->shared = shared;
    s->children = (struct ArrowArray **)(s + 1);
    struct ArrowArray *children = (struct ArrowArray *)(s->children + n);
    for (size_t i = 0; i < n; i++) {
        children[i] = *shared->batch.children[i];
        children[i].offset += at;
        children[i].length = n_rows;
        children[i].null_count = children[i].null_count == 0 ? 0 : -1;
        children[i].private_data = shared;
        children[i].release = release_slice_child;
        s->children[i] = &children[i];
    }
    atomic_fetch_add(&shared->n_users, (int32_t)n + 1);
    *out = shared->batch;
    out->length = n_rows;
    out->children = s->children;
    out->private_data = s;
    out->release = release_slice;
    return DN_OK;
}

static enum dn_status copy_texts(struct dn_csv_reader *r, const char *const *texts, size_t n,
                                 const char ***out, struct dn_error *err)
{
    *out = dn_arena_alloc(&r->arena, (n + 1) * sizeof(char *));
    if (*out == NULL) {
        return dn_error_memory(err, n * sizeof(char *));
    }
    for (size_t i = 0; i < n; i++) {
        (*out)[i] = dn_arena_strdup(&r->arena, texts[i]);
        if ((*out)[i] == NULL) {
            return dn_error_memory(err, strlen(texts[i]));
        }
    }
    return DN_OK;
}

/* The lines that are none of the table. */
static enum dn_status set_skipped(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                  struct dn_error *err)
{
    if (o->skip_rows < 0 || o->skip_after_header < 0 || o->skip_footer < 0) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the options skip_rows, skip_after_header and skip_footer are numbers "
                            "of lines, from 0 on");
    }
    if (o->skip_after_header > 0 && o->header == DN_CSV_HEADER_NO) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the option skip_after_header needs a header; without one the option "
                            "skip_rows leaves lines out");
    }
    r->feed.skip_rows = o->skip_rows;
    r->feed.skip_behind = o->skip_after_header;
    r->feed.n_above_header = r->has_header && o->header_row > 1 ? o->header_row - 1 : 0;
    r->feed.tail.footer = o->skip_footer;
    return DN_OK;
}

enum dn_status dn_csv_set_dialect(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                  struct dn_error *err)
{
    r->has_header = o->header == DN_CSV_HEADER_YES;
    DN_TRY(dn_csv_dialect_read(&r->dialect, o, err));
    return set_skipped(r, o, err);
}

/* The threads, and what does not depend on the columns. */
static void divide_budget(struct dn_csv_reader *r, const struct dn_csv_options *o)
{
    const uint32_t n_threads = o->n_threads != 0 ? o->n_threads : dn_os_cpu_count();

    r->budget = o->memory_budget_bytes != 0 ? o->memory_budget_bytes : DN_CSV_DEFAULT_BUDGET;
    r->idle_bytes = (size_t)(r->budget / 4);
    dn_memory_idle_grant(r->idle_bytes);
    r->executor = (struct dn_executor){o->submit_ctx, o->submit, n_threads};
    const uint64_t row = r->budget / DN_CSV_ROW_SHARE;
    r->feed.max_block_bytes = row < DN_CSV_ROW_AT_LEAST  ? DN_CSV_ROW_AT_LEAST
                              : row > DN_CSV_ROW_AT_MOST ? DN_CSV_ROW_AT_MOST
                                                         : (size_t)row;
    if (o->max_row_bytes != 0) {
        r->feed.max_block_bytes = (size_t)o->max_row_bytes;
        r->feed.max_row_given = true;
    }
    r->feed.tail.most_bytes = r->feed.max_block_bytes + ((size_t)1 << 20);
    r->feed.memory_share = (uint32_t)(o->memory_total_bytes / r->budget);
}

/* Rows of so many columns and more bytes than this: their blocks are counted in rows. */
#define MANY_COLUMNS 1024
#define LONG_ROW ((uint64_t)DN_CSV_DEFAULT_BLOCK_BYTES / ROWS_OF_LONG)
#define ROWS_OF_LONG 16 /* a block of such should have: every column costs something by itself */
#define LARGEST_BLOCK_BYTES ((uint64_t)8 << 20)
/* Per column: what a batch needs whatever its rows, and what the reader has of it besides. */
#define COLUMN_BATCH_BYTES 200
#define COLUMN_OWN_BYTES 300

/* Bytes of a row of the sample; 0: there is none. */
static uint64_t sampled_row(const struct dn_csv_reader *r)
{
    return r->sampled_rows > 0 ? r->sampled_bytes / (uint64_t)r->sampled_rows + 1 : 0;
}

/* Bytes of the values of a row. */
static uint64_t values_of_row(const struct dn_csv_reader *r)
{
    uint64_t bytes = 0;

    for (size_t c = 0; c < r->n_columns; c++) {
        bytes += r->columns[c].type.id == DN_TYPE_BOOL ? 1 : dn_type_width(r->columns[c].type);
    }
    return bytes;
}

/* Blocks of so many bytes, of which each may be a field. */
static void size_blocks(struct dn_csv_reader *r, uint64_t budget, bool given)
{
    const uint64_t columns = COLUMN_BLOCK_BYTES * (uint64_t)r->n_columns;
    const uint64_t smallest = given ? r->feed.block_bytes : SMALLEST_BLOCK_BYTES;
    const uint64_t n_fields = r->n_fields != 0 ? r->n_fields : 1;
    const uint64_t per_text = BYTES_BESIDE_VALUE + values_of_row(r) / n_fields + 1;
    const uint64_t most = budget / (columns + per_text * smallest);

    r->n_slots = most < r->n_slots ? (size_t)most : r->n_slots;
    r->n_slots = r->n_slots < 1 ? 1 : r->n_slots;
    if (!given) {
        const uint64_t share = budget / r->n_slots;
        const uint64_t text = share > columns ? (share - columns) / per_text : 0;
        r->feed.block_bytes = text < SMALLEST_BLOCK_BYTES         ? SMALLEST_BLOCK_BYTES
                              : text < DN_CSV_DEFAULT_BLOCK_BYTES ? (size_t)text
                                                                  : DN_CSV_DEFAULT_BLOCK_BYTES;
    }
}

/* Blocks of so many rows: of very many columns not every byte is a field where rows are long. */
static void size_long_blocks(struct dn_csv_reader *r, uint64_t budget)
{
    const uint64_t row = sampled_row(r);
    const uint64_t own = COLUMN_OWN_BYTES * (uint64_t)r->n_columns;
    const uint64_t batch = COLUMN_BATCH_BYTES * (uint64_t)r->n_columns;
    const uint64_t index = 2 * sizeof(uint32_t) * (uint64_t)r->n_fields;
    const uint64_t per_row =
        2 * row + values_of_row(r) + index; /* half of what was read may wait */
    const uint64_t window = budget > own ? budget - own : 0;
    const uint64_t most = window / (batch + ROWS_OF_LONG * per_row);

    r->n_slots = most < r->n_slots ? (size_t)most : r->n_slots;
    r->n_slots = r->n_slots < 1 ? 1 : r->n_slots;
    const uint64_t share = window / r->n_slots;
    const uint64_t rows = share > batch + per_row ? (share - batch) / per_row : 1;
    r->feed.most_rows = rows < ROWS_OF_LONG ? (size_t)rows : ROWS_OF_LONG;
    const uint64_t text = r->feed.most_rows * row;
    r->feed.block_bytes = (size_t)(text < LARGEST_BLOCK_BYTES ? text : LARGEST_BLOCK_BYTES);
}

/*
 * How many blocks may be in flight, and of what size: enough to keep the threads busy, and within the budget even if every byte of
 * text is a field of its own.  Blocks become smaller before they become fewer, but for those of very many columns.
 */
enum dn_status dn_csv_size_window(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                  struct dn_error *err)
{
    uint64_t n_texts = 0;

    for (size_t c = 0; c < r->n_columns; c++) {
        n_texts += dn_type_width(r->columns[c].type) > sizeof(uint64_t); /* decimals, too */
    }
    const uint64_t least = dn_budget_of_columns(r->n_columns, n_texts, DN_BUDGET_READING);
    if (o->memory_budget_bytes == 0 && r->budget < least + r->way_bytes) {
        r->budget = least + r->way_bytes; /* nobody set a limit */
    }
    const size_t idle = (size_t)((r->budget > least ? r->budget - least : 0) / 4);
    if (idle < r->idle_bytes) { /* what columns need does not lie idle */
        dn_memory_idle_withdraw(r->idle_bytes - idle);
        r->idle_bytes = idle;
    }
    const bool remote = r->way_bytes > 0 && o->memory_budget_bytes != 0;
    DN_TRY(dn_budget_check_columns(r->n_columns, n_texts, DN_BUDGET_READING, remote, r->budget,
                                   o->memory_total_bytes, err));
    r->n_slots = 2 * (size_t)r->executor.n_threads +
                 4; /* with fewer the feeding thread waits, and more gain nothing */
    if (o->block_bytes == 0 && r->n_fields >= MANY_COLUMNS && sampled_row(r) > LONG_ROW) {
        size_long_blocks(r, r->budget - r->way_bytes);
    } else {
        size_blocks(r, r->budget - r->way_bytes, o->block_bytes != 0);
    }
    r->n_slots += 2;
    return DN_OK;
}

void dn_csv_reader_shrink_blocks(struct dn_csv_reader *r, size_t bytes)
{
    const size_t text = r->feed.block_bytes / bytes * BYTES_PER_TEXT;

    if (!r->block_bytes_given && bytes > BYTES_PER_TEXT) {
        r->feed.block_bytes = text < SMALLEST_RENDERED_BYTES ? SMALLEST_RENDERED_BYTES : text;
    }
}

/* -1: unknown, also where something is wrong with a file, which reading tells when its turn comes. */
static enum dn_status total_size(struct dn_csv_reader *r, int64_t *out, struct dn_error *err)
{
    int64_t total = 0;

    *out = -1;
    for (size_t i = 0; i < r->n_paths; i++) {
        struct dn_source *source = NULL;
        const enum dn_status st =
            dn_source_open_again(&source, r->paths[i], r->store, &r->cancel, err);
        if (st == DN_ERR_MEMORY) {
            return st;
        }
        if (st != DN_OK) {
            dn_error_clear(err);
            return DN_OK;
        }
        const int64_t size = dn_source_stored_size(source);
        dn_source_close(source);
        if (size < 0) {
            return DN_OK;
        }
        total += size;
    }
    *out = total;
    return DN_OK;
}

/* What the connection says, with the part of the budget that is for bytes on their way. */
static enum dn_status copy_store(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    struct dn_store_options store;
    bool remote = false;

    for (size_t i = 0; i < r->n_paths; i++) {
        remote = remote || dn_url_is_remote(r->paths[i]);
    }
    DN_TRY(dn_store_options_read(&store, o->store, err));
    if (!remote) {
        return DN_OK;
    }
    if (store.memory_bytes == 0) {
        r->way_bytes = o->memory_budget_bytes == 0
                           ? r->budget / 2 /* most of it blocks need only in theory */
                           : dn_budget_on_the_way(r->budget, DN_BUDGET_READING);
        store.memory_bytes = r->way_bytes;
    }
    return dn_store_options_copy(&r->store, &store, err);
}

static enum dn_status set_text(struct dn_csv_reader *r, const struct dn_csv_options *o,
                               struct dn_error *err)
{
    r->text.replace = o->replace_invalid;
    r->text.n_replaced = &r->replaced;
    r->text.executor = &r->executor;
    DN_TRY(copy_store(r, o, err));
    r->text.store = r->store;
    if (o->encoding == NULL) {
        return DN_OK;
    }
    DN_TRY(dn_text_encoding_check(o->encoding, err));
    r->text.encoding = dn_arena_strdup(&r->arena, o->encoding);
    return r->text.encoding != NULL ? DN_OK : dn_error_memory(err, strlen(o->encoding) + 1);
}

/* The caller's array, whose entries may be of an older or a newer version, in ours. */
static enum dn_status copy_types(struct dn_csv_reader *r, struct dn_csv_options *o,
                                 struct dn_error *err)
{
    struct dn_csv_column_type *types = dn_arena_alloc(&r->arena, (o->n_types + 1) * sizeof(*types));

    if (types == NULL) {
        return dn_error_memory(err, o->n_types * sizeof(*types));
    }
    if (o->n_types > 0 && o->types_stride < DN_CSV_COLUMN_TYPE_V0_1_SIZE) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "csv option types_stride is %zu; give sizeof(struct dn_csv_column_type)",
            o->types_stride);
    }
    const size_t n = o->types_stride < sizeof(*types) ? o->types_stride : sizeof(*types);
    for (size_t i = 0; i < o->n_types; i++) {
        types[i] = (struct dn_csv_column_type){0};
        memcpy(&types[i], (const char *)o->types + i * o->types_stride, n);
    }
    o->types = types;
    o->types_stride = sizeof(*types);
    return DN_OK;
}

static enum dn_status copy_renames(struct dn_csv_reader *r, struct dn_csv_options *o,
                                   struct dn_error *err)
{
    struct dn_csv_rename *renames =
        dn_arena_alloc(&r->arena, (o->n_renames + 1) * sizeof(*renames));

    if (renames == NULL) {
        return dn_error_memory(err, o->n_renames * sizeof(*renames));
    }
    if (o->n_renames > 0 && o->renames_stride < DN_CSV_RENAME_V0_1_SIZE) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "csv option renames_stride is %zu; give sizeof(struct dn_csv_rename)",
                            o->renames_stride);
    }
    for (size_t i = 0; i < o->n_renames; i++) {
        memcpy(&renames[i], (const char *)o->renames + i * o->renames_stride, sizeof(*renames));
    }
    o->renames = renames;
    o->renames_stride = sizeof(*renames);
    return DN_OK;
}

/* What the caller's struct has of our options; the rest is zero. */
static enum dn_status read_options(struct dn_csv_reader *r, const struct dn_csv_options *given,
                                   struct dn_csv_options *out, struct dn_error *err)
{
    *out = (struct dn_csv_options){.struct_size = sizeof(*out)};
    if (given == NULL) {
        return DN_OK;
    }
    if (given->struct_size < DN_CSV_OPTIONS_V0_1_SIZE) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "csv option struct_size is %u; give sizeof(struct dn_csv_options)",
                            given->struct_size);
    }
    memcpy(out, given, given->struct_size < sizeof(*out) ? given->struct_size : sizeof(*out));
    out->struct_size = sizeof(*out);
    DN_TRY(copy_types(r, out, err));
    return copy_renames(r, out, err);
}

/* What is done with rows that are wrong. */
static enum dn_status set_aside(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                struct dn_error *err)
{
    r->ragged = o->ragged;
    r->restartable = o->restartable;
    r->max_rejects = o->max_rejects;
    r->max_reject_percent = o->max_reject_percent;
    r->reject = o->reject;
    r->reject_ctx = o->reject_ctx;
    if (o->max_rejects < 0 || !(o->max_reject_percent >= 0 && o->max_reject_percent <= 100)) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_INVALID,
                         "max_rejects is a number of rows, or of percent up to 100"),
            "max_rejects");
    }
    if (o->ragged == DN_CSV_RAGGED_REJECT && !dn_csv_aside_wanted(r)) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_INVALID, "ragged: reject needs max_rejects: how many at most"),
            "ragged");
    }
    r->feed.always_count_lines = dn_csv_aside_wanted(r);
    return DN_OK;
}

static enum dn_status open_reader(struct dn_csv_reader *r, const char *const *paths, size_t n_paths,
                                  const struct dn_csv_options *o, const struct dn_csv_piece *piece,
                                  struct dn_error *err)
{
    if (o->max_row_bytes > DN_CSV_ROW_AT_MOST) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "max_row_bytes is %llu; at most %zu (512 MiB) is possible",
                            (unsigned long long)o->max_row_bytes, DN_CSV_ROW_AT_MOST);
    }
    if (n_paths == 0) {
        return dn_error_set(err, DN_ERR_INVALID, "no input file was named");
    }
    DN_TRY(copy_texts(r, paths, n_paths, &r->paths, err));
    r->n_paths = n_paths;
    r->options_digest = dn_csv_options_digest(o);
    if (piece != NULL) {
        DN_TRY(dn_csv_piece_take(r, piece, o, err));
    }
    r->quoted_text = o->quoted_text;
    r->trim = o->trim;
    DN_TRY(dn_csv_copy_nulls(r, o, err));
    DN_TRY(dn_csv_set_dialect(r, o, err));
    DN_TRY(set_aside(r, o, err));
    r->kernels = dn_kernels_selected();
    if (o->union_by_name && !r->has_header) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the option union_by_name needs files with a header, and the option "
                            "header says that they have none");
    }
    r->batch_rows = o->batch_rows;
    r->block_bytes_given = o->block_bytes != 0;
    r->has_limit = o->has_limit && piece == NULL; /* it was cut so */
    r->limit = o->limit < 0 ? 0 : o->limit;
    divide_budget(r, o);
    DN_TRY(set_text(r, o, err));
    r->feed.text = &r->text;
    r->feed.stop = &r->cancel;
    r->feed.note = o->note;
    r->feed.note_ctx = o->note_ctx;
    r->advise = o->advise;
    r->advise_ctx = o->note_ctx;
    r->feed.opened = dn_arena_alloc(&r->arena, n_paths * sizeof(*r->feed.opened));
    if (r->feed.opened == NULL) {
        return dn_error_memory(err, n_paths * sizeof(*r->feed.opened));
    }
    r->feed.paths = r->paths;
    r->feed.n_paths = n_paths;
    r->feed.dialect = &r->dialect;
    r->feed.block_bytes = o->block_bytes != 0 ? o->block_bytes : DN_CSV_DEFAULT_BLOCK_BYTES;
    if (r->feed.block_bytes > ((size_t)1 << 28)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "block_bytes is %zu; at most 268435456 (256 MiB) is possible",
                            r->feed.block_bytes);
    }
    if (piece == NULL) {
        DN_TRY(total_size(r, &r->bytes_total, err));
    } else {
        r->bytes_total = r->token->range.end - r->token->range.start;
    }
    DN_TRY(dn_csv_open_schema(r, o, err));
    r->waiting =
        o->waiting; /* opening may read rows, too, but the caller has no reader yet that it could ask */
    r->waiting_ctx = o->waiting_ctx;
    return DN_OK;
}

static void init_waiting(struct dn_csv_reader *r, const struct dn_csv_options *o)
{
    atomic_init(&r->n_users, 1);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    pthread_cond_init(&r->room, NULL);
    pthread_cond_init(&r->turn, NULL);
    dn_os_condition_init(&r->ready);
    dn_stop_init(&r->cancel, o->cancelled, o->cancel_ctx);
}

enum dn_status dn_csv_reader_open(struct dn_csv_reader **out, const char *const *paths,
                                  size_t n_paths, const struct dn_csv_options *options,
                                  struct dn_error *err)
{
    return dn_csv_reader_open_as(out, paths, n_paths, options, NULL, NULL, err);
}

enum dn_status dn_csv_reader_open_as(struct dn_csv_reader **out, const char *const *paths,
                                     size_t n_paths, const struct dn_csv_options *options,
                                     struct dn_csv_look *look, const struct dn_csv_piece *piece,
                                     struct dn_error *err)
{
    struct dn_csv_options all;
    struct dn_csv_reader *r = dn_calloc(1, sizeof(*r));

    *out = NULL;
    if (r == NULL) {
        dn_csv_look_free(look);
        return dn_error_memory(err, sizeof(*r));
    }
    r->look = look;
    enum dn_status st = read_options(r, options, &all, err);
    dn_owner_init(&r->owner);
    init_waiting(r, &all);
    if (st == DN_OK) {
        st = open_reader(r, paths, n_paths, &all, piece, err);
    }
    if (st != DN_OK) {
        dn_csv_reader_close(r);
        return st;
    }
    *out = r;
    return DN_OK;
}

void dn_csv_reader_release(struct dn_csv_reader *r)
{
    if (atomic_fetch_sub(&r->n_users, 1) != 1) {
        return;
    }
    dn_csv_pipeline_finish(r);
    if (r->slicing != NULL) {
        release_shared(r->slicing);
    }
    dn_csv_look_free(r->look);
    dn_buffer_finish(&r->batch_lacks);
    dn_csv_feed_finish(&r->feed);
    dn_stop_finish(&r->cancel);
    pthread_cond_destroy(&r->turn);
    pthread_cond_destroy(&r->room);
    pthread_cond_destroy(&r->ready);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    dn_store_options_free(r->store);
    dn_arena_finish(&r->arena);
    dn_memory_idle_withdraw(r->idle_bytes);
    dn_free(r);
}

enum dn_status dn_csv_reader_stopped(struct dn_csv_reader *r)
{
    r->status = dn_error_set(&r->error, DN_ERR_CANCELLED, "reading was stopped on request");
    return r->status;
}

/* The reader's first failure, which is its answer from then on; DN_OK: there was none. */
enum dn_status dn_csv_reader_answer(const struct dn_csv_reader *r, struct dn_error *err)
{
    if (r->status != DN_OK && err != NULL) {
        *err = r->error;
    }
    return r->status;
}

void dn_csv_reader_close(struct dn_csv_reader *r)
{
    if (r == NULL || !dn_owner_is_here(&r->owner)) {
        return; /* in a child of fork() its threads are not there to be waited for */
    }
    if (r->started) {
        dn_csv_pipeline_stop(r);
    }
    dn_pool_destroy(r->pool);
    r->pool = NULL;
    dn_csv_reader_release(r);
}

enum dn_status dn_csv_reader_schema(struct dn_csv_reader *r, struct ArrowSchema *out,
                                    struct dn_error *err)
{
    DN_TRY(dn_owner_check(&r->owner, "CSV reader", err));
    if (r->status == DN_OK) {
        r->status = dn_csv_make_schema(r, out, &r->error);
    }
    return dn_csv_reader_answer(r, err);
}

/* The next slice of r->slicing, taking a new batch when it is used up. */
static enum dn_status next_slice(struct dn_csv_reader *r, struct ArrowArray *out,
                                 struct dn_error *err)
{
    if (r->slicing == NULL) {
        struct dn_csv_shared_batch *shared = dn_calloc(1, sizeof(*shared));
        if (shared == NULL) {
            return dn_error_memory(err, sizeof(*shared));
        }
        shared->n_users = 1;
        const enum dn_status st = dn_csv_pipeline_next(r, &shared->batch);
        if (st != DN_OK || shared->batch.release == NULL) {
            dn_free(shared);
            return st;
        }
        r->slicing = shared;
        r->slice_at = 0;
    }
    const int64_t left = r->slicing->batch.length - r->slice_at;
    const int64_t n = left < r->batch_rows ? left : r->batch_rows;
    DN_TRY(make_slice(r->slicing, r->slice_at, n, out, err));
    r->slice_from = r->slice_at;
    r->slice_at += n;
    if (n == left) {
        release_shared(r->slicing);
        r->slicing = NULL;
    }
    return DN_OK;
}

enum dn_status dn_csv_reader_begin(struct dn_csv_reader *r)
{
    if (r->status == DN_OK && dn_stop_asked(&r->cancel)) {
        r->status = dn_csv_reader_stopped(r);
    }
    if (r->status == DN_OK && !r->started) {
        r->status = dn_csv_pipeline_start(r, &r->error);
    }
    return r->status;
}

enum dn_status dn_csv_reader_next(struct dn_csv_reader *r, struct ArrowArray *out,
                                  struct dn_error *err)
{
    out->release = NULL;
    DN_TRY(dn_owner_check(&r->owner, "CSV reader", err));
    enum dn_status st = dn_csv_reader_begin(r);
    if (st == DN_OK) {
        st = r->batch_rows > 0 ? next_slice(r, out, &r->error) : dn_csv_pipeline_next(r, out);
    }
    r->status = st;
    if (st == DN_OK && out->release != NULL) {
        atomic_fetch_add(&r->rows_out, out->length);
    }
    return dn_csv_reader_answer(r, err);
}

void dn_csv_reader_progress(const struct dn_csv_reader *r, struct dn_csv_progress *out)
{
    const struct dn_csv_progress now = {
        .struct_size = out->struct_size,
        .bytes_read = atomic_load(&r->bytes_read),
        .bytes_total = r->bytes_total,
        .replaced = atomic_load(&r->replaced),
        .rows = atomic_load(&r->rows_out),
        .stray_quotes = atomic_load(&r->strays),
        .rounded = atomic_load(&r->rounded),
        .marks = atomic_load(&r->marks),
        .end_bytes = atomic_load(&r->end_bytes),
        .rejected = atomic_load(&r->rejected),
        .skipped = atomic_load(&r->skipped),
    };
    memcpy(out, &now, now.struct_size < sizeof(now) ? now.struct_size : sizeof(now));
}

const struct dn_error *dn_csv_reader_rounded(struct dn_csv_reader *r)
{
    if (atomic_load(&r->rounded) == 0) {
        return NULL;
    }
    if (!r->first_rounded_placed) {
        dn_csv_place(r, r->first_rounded_file, &r->first_rounded);
        r->first_rounded_placed = true;
    }
    return &r->first_rounded;
}

void dn_csv_reader_cancel(struct dn_csv_reader *r)
{
    if (dn_owner_is_here(&r->owner)) { /* the descriptor is the parent's, too */
        dn_stop_ask(&r->cancel);       /* nothing else: it may be called from a signal handler */
    }
}

size_t dn_csv_reader_file(const struct dn_csv_reader *r)
{
    return r->batch_file;
}

bool dn_csv_reader_has_column(const struct dn_csv_reader *r, const char *name)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcmp(r->field_names[i], name) == 0) {
            return true;
        }
    }
    return false;
}
