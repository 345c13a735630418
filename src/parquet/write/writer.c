#include "base/budget.h"
#include "base/memory.h"
#include "base/os_wait.h"
#include "parquet/write/writer_internal.h"
#include "store/url.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_ROW_GROUP_ROWS 1000000
#define DEFAULT_ROW_GROUP_BYTES ((size_t)128 << 20)
#define DEFAULT_PAGE_ROWS 20000
#define DEFAULT_PAGE_BYTES ((size_t)1 << 20)
#define DEFAULT_BUDGET ((uint64_t)256 << 20)
#define LARGEST_PAGE_ROWS ((int64_t)1 << 28)
#define LARGEST_PAGE_BYTES ((size_t)256 << 20)
#define MORSEL_ROWS 32768
#define MORSEL_BITS ((size_t)8 << 22)
#define MORSEL_HELD ((size_t)8 << 20) /* what is encoded together is still near */
#define FLIGHT_PER_THREAD                                                                          \
    ((size_t)16 << 20)           /* more than this only lies about, and is given back in bursts */
#define FEW_BYTES ((size_t)4096) /* that a chunk has on average if there are very many columns */
#define PACKERS_BASE ((size_t)24 << 20) /* and an eighth of the budget */

/* ---- open ----------------------------------------------------------------------------------------------------------- */

static enum dn_status bad_option(struct dn_error *err, const char *name, long long value,
                                 const char *range)
{
    return dn_error_set(err, DN_ERR_INVALID, "parquet option %s is %lld; give %s", name, value,
                        range);
}

/* Fill in the defaults and refuse nonsense. */
static enum dn_status read_options(const struct dn_parquet_options *given,
                                   struct dn_parquet_options *out, struct dn_error *err)
{
    memset(out, 0, sizeof *out);
    if (given != NULL) {
        if (given->struct_size < DN_PARQUET_OPTIONS_V0_1_SIZE) {
            return bad_option(err, "struct_size", given->struct_size,
                              "sizeof(struct dn_parquet_options)");
        }
        memcpy(out, given, given->struct_size < sizeof *out ? given->struct_size : sizeof *out);
    }
    if (out->row_group_rows < 0 ||
        out->row_group_rows > INT32_MAX) { /* pages are counted in 32 bits */
        return bad_option(err, "row_group_rows", (long long)out->row_group_rows,
                          "at most 2147483647, or 0");
    }
    if (out->page_rows < 0 || out->page_rows > LARGEST_PAGE_ROWS) {
        return bad_option(err, "page_rows", (long long)out->page_rows, "at most 268435456, or 0");
    }
    if (out->page_bytes > LARGEST_PAGE_BYTES) {
        return bad_option(err, "page_bytes", (long long)out->page_bytes, "at most 268435456, or 0");
    }
    if (out->arrow_schema > DN_PARQUET_ARROW_SCHEMA_NEVER) {
        return bad_option(err, "arrow_schema", out->arrow_schema, "0 to 2");
    }
    if (out->intervals > DN_PARQUET_INTERVALS_PARQUET) {
        return bad_option(err, "intervals", out->intervals, "0 or 1");
    }
    out->compression = out->compression == NULL ? "snappy" : out->compression;
    out->row_group_rows = out->row_group_rows == 0 ? DEFAULT_ROW_GROUP_ROWS : out->row_group_rows;
    out->row_group_bytes =
        out->row_group_bytes == 0 ? DEFAULT_ROW_GROUP_BYTES : out->row_group_bytes;
    out->page_rows = out->page_rows == 0 ? DEFAULT_PAGE_ROWS : out->page_rows;
    out->page_bytes = out->page_bytes == 0 ? DEFAULT_PAGE_BYTES : out->page_bytes;
    return DN_OK;
}

static enum dn_status open_columns(struct dn_parquet_writer *w, const struct ArrowSchema *schema,
                                   const struct dn_parquet_options *o, struct dn_error *err)
{
    const enum dn_status st =
        dn_pq_schema_init(&w->schema, schema, o->intervals == DN_PARQUET_INTERVALS_PARQUET, err);

    if (st != DN_OK) {
        dn_error_locate(err, w->path, -1, -1, -1, NULL);
        return st;
    }
    const size_t n = (size_t)w->schema.n_leaves;
    w->columns = w->schema.leaves;
    w->lanes = dn_calloc(n, sizeof *w->lanes);
    w->totals = dn_calloc(n, sizeof *w->totals);
    if (w->lanes == NULL || w->totals == NULL) {
        return dn_error_memory(err, n * sizeof *w->lanes);
    }
    w->n_columns = w->schema.n_leaves;
    for (int64_t i = 0; i < w->n_columns; i++) {
        dn_pq_stats_init(&w->totals[i], w->columns[i].kind, w->columns[i].order);
    }
    DN_TRY(dn_pq_said_init(&w->said, schema, o, err));
    dn_pq_schema_number(&w->schema, &w->said);
    return DN_OK;
}

static enum dn_status check_verification(const struct dn_parquet_writer *w, struct dn_error *err)
{
    return !w->verify || dn_sink_can_be_read(w->sink)
               ? DN_OK
               : dn_error_set(err, DN_ERR_UNSUPPORTED,
                              "'%s' cannot be read back before it has its name: write a file with "
                              "verify and copy that, or leave the option verify out",
                              w->path);
}

static enum dn_status open_verification(struct dn_parquet_writer *w,
                                        const struct dn_parquet_options *o, struct dn_error *err)
{
    w->verify = o->verify;
    w->cancelled = o->cancelled;
    w->cancel_ctx = o->cancel_ctx;
    if (!w->verify) {
        return DN_OK;
    }
    const int64_t n = w->schema.n_fields;
    w->digests = dn_calloc((size_t)n, sizeof *w->digests);
    if (w->digests == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof *w->digests);
    }
    DN_TRY(dn_pq_schema_read(&w->schema, &w->expected, err));
    return dn_pq_written_init(&w->written, n, err);
}

/*
 * One budget for everything that grows with columns and rows.  A quarter is for batches on their way, five eighths for what becomes
 * the row group, of which dictionaries may have three and packed pages what the encoders leave; three sixteenths may lie idle.  Bytes on
 * their way to S3 take what is left and the place of packed pages, which wait in a file then: the object has the bytes of the file.
 */
static size_t held_share(uint64_t budget, uint64_t way)
{
    const uint64_t left = budget / 32 * 3; /* by flight, row group and footer */
    const uint64_t taken = way > left ? way - left : 0;
    const uint64_t least = budget / 16;

    return (size_t)(budget / 8 * 5 > taken + least ? budget / 8 * 5 - taken : least);
}

/* What a column takes with a batch of few rows, and one whose bounds are bytes besides. */
#define COLUMN_BYTES 1700
#define BOUNDS_BYTES 700

/*
 * PLAIN bytes of a row group: half of the budget, or five eighths of what very many columns leave of it, for none of them has a page that
 * is full and out of the way before the row group ends.
 */
static size_t most_row_group(const struct dn_parquet_writer *w, uint64_t budget)
{
    uint64_t columns = COLUMN_BYTES * (uint64_t)w->n_columns;

    for (int64_t i = 0; i < w->n_columns; i++) {
        columns += dn_pq_kind_is_bytes(w->columns[i].kind) ? BOUNDS_BYTES : 0;
    }
    const uint64_t left = columns < budget / 8 * 7 ? (budget - columns) / 8 * 5 : budget / 64 * 5;

    return (size_t)(left < budget / 2 ? left : budget / 2);
}

static enum dn_status divide_budget(struct dn_parquet_writer *w, const struct dn_parquet_options *o,
                                    struct dn_error *err)
{
    uint64_t budget = o->memory_budget_bytes != 0 ? o->memory_budget_bytes : DEFAULT_BUDGET;
    struct dn_pq_budget *b = &w->budget;
    const bool remote = dn_url_is_remote(w->path);
    uint64_t n_texts = 0;

    for (int64_t i = 0; i < w->n_columns; i++) {
        n_texts += dn_pq_kind_is_bytes(w->columns[i].kind);
    }
    const uint64_t least = dn_budget_of_columns((uint64_t)w->n_columns, n_texts, DN_BUDGET_WRITING);
    if (o->memory_budget_bytes == 0 && budget < least) {
        budget = least; /* nobody set a limit */
    }
    DN_TRY(dn_budget_check_columns((uint64_t)w->n_columns, n_texts, DN_BUDGET_WRITING,
                                   remote && o->memory_budget_bytes != 0, budget,
                                   o->memory_total_bytes, err));
    b->bytes = budget;
    b->row_group_rows = o->row_group_rows;
    const size_t most = most_row_group(w, budget);
    b->row_group_bits = 8 * (o->row_group_bytes > most ? most + 1 : o->row_group_bytes);
    b->flight_bytes = (size_t)(budget / 4);
    if (o->n_threads > 0 && b->flight_bytes / FLIGHT_PER_THREAD > (size_t)o->n_threads) {
        b->flight_bytes = FLIGHT_PER_THREAD * (size_t)o->n_threads;
    }
    b->morsel_bytes = b->flight_bytes / 4 < MORSEL_HELD ? b->flight_bytes / 4 : MORSEL_HELD;
    b->way_bytes = remote ? dn_budget_on_the_way(budget, DN_BUDGET_WRITING) : 0;
    b->held_bytes = held_share(budget, b->way_bytes);
    b->footer_bytes = (size_t)(budget / 32);
    b->idle_bytes = (size_t)((budget - least) / 16 * 3);
    b->columns_bytes = (size_t)least;
    const size_t packer = dn_compressor_bytes(w->codec, w->codec_level, o->page_bytes);
    b->most_packers = (PACKERS_BASE + (size_t)(budget / 8)) / (packer + o->page_bytes);
    b->most_packers = b->most_packers < 1 ? 1 : b->most_packers;
    return DN_OK;
}

static uint64_t digest_values(const void *column, const struct dn_column_view *view, int64_t row,
                              int64_t n_rows, uint64_t first)
{
    return dn_pq_column_digest(column, view, row, n_rows, first);
}

static enum dn_status open_within(struct dn_pq_lane *lane, const struct dn_pq_column *column,
                                  struct dn_error *err)
{
    if (!dn_pq_column_is_within(column)) {
        return DN_OK;
    }
    lane->within = dn_calloc(1, sizeof *lane->within);
    if (lane->within == NULL) {
        return dn_error_memory(err, sizeof *lane->within);
    }
    lane->encoder.leaf = &lane->within->leaf;
    lane->within->shred_rows = 64;
    lane->within->digest = (struct dn_digest_path){.children = column->within,
                                                   .n_children = column->n_within,
                                                   .values = digest_values,
                                                   .ctx = column};
    return DN_OK;
}

static enum dn_status open_lanes(struct dn_parquet_writer *w,
                                 const struct dn_parquet_options *options, struct dn_error *err)
{
    int64_t n_dictionaries = 0;

    for (int64_t i = 0; i < w->n_columns; i++) {
        const enum dn_pq_kind kind = w->columns[i].kind;
        n_dictionaries += kind != DN_PQ_KIND_BOOL && kind != DN_PQ_KIND_NULL;
    }
    const size_t per_column = w->budget.row_group_bits / 8 / (size_t)w->n_columns;
    w->encoder = (struct dn_pq_encoder_options){
        .kernels = w->kernels,
        .page_rows = options->page_rows,
        .page_bytes = options->page_bytes,
        .row_group_rows = options->row_group_rows,
        /* Codecs take more off PLAIN than off ids, and most off texts. */
        .number_share = w->codec == DN_CODEC_NONE ? 15 : 12,
        .text_share = w->codec == DN_CODEC_NONE ? 15 : 8,
        .has_codec = w->codec != DN_CODEC_NONE,
        .many_columns = per_column < FEW_BYTES,
        .chooses_level = w->codec_level == DN_CODEC_LEVEL_NEAR,
        .dictionary_bytes =
            n_dictionaries == 0 ? 0 : (size_t)(w->budget.bytes / 8 * 3 / (uint64_t)n_dictionaries),
    };
    for (int64_t i = 0; i < w->n_columns; i++) {
        w->lanes[i].writer = w;
        w->lanes[i].column = i;
        dn_pq_encoder_init(&w->lanes[i].encoder, &w->columns[i], &w->encoder);
        w->lanes[i].encoder.emit = dn_pq_writer_emit;
        w->lanes[i].encoder.emit_ctx = &w->lanes[i];
        DN_TRY(open_within(&w->lanes[i], &w->columns[i], err));
    }
    return DN_OK;
}

/*
 * Who forgets to name the output, or lets the shell name it (*.csv), has a source of theirs in its place: only a Parquet file is
 * replaced by one.  An empty file holds nothing to lose.  What cannot be opened is left to the sink, which found it replaceable.
 */
static enum dn_status refuse_foreign(struct dn_parquet_writer *w, struct dn_error *err)
{
    uint8_t head[16];
    char shown[DN_ESCAPED_VALUE_SIZE];
    size_t len = 0;

    DN_TRY(dn_sink_replaced_head(w->sink, head, sizeof head, &len, err));
    if (len == 0 || (len >= DN_PQ_MAGIC_LEN && memcmp(head, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN) == 0)) {
        return DN_OK;
    }
    const enum dn_status st = dn_error_set(
        err, DN_ERR_EXISTS,
        "'%s' is not a Parquet file, so none replaces it (it begins with %s); choose another name, "
        "or remove it first",
        w->path, dn_error_escape_value(shown, head, len));
    dn_error_locate(err, w->path, -1, -1, -1, NULL);
    return st;
}

static enum dn_status open_sink(struct dn_parquet_writer *w, const char *path,
                                const struct dn_parquet_options *options, struct dn_error *err)
{
    struct dn_store_options store;

    DN_TRY(dn_store_options_read(&store, options->store, err));
    if (store.content_type == NULL) {
        store.content_type = "application/vnd.apache.parquet";
    }
    if (w->budget.way_bytes == 0) {
        store.memory_bytes = w->budget.bytes / 64; /* a block */
    } else if (store.memory_bytes == 0) {
        store.memory_bytes = w->budget.way_bytes;
    }
    return dn_sink_open(&w->sink, path, options->overwrite, &store, &w->stop, err);
}

static enum dn_status open_context(struct dn_parquet_writer *w, struct dn_parquet_context *given,
                                   struct dn_error *err)
{
    if (given == NULL) {
        const enum dn_status st = dn_parquet_context_create(&w->own_context, err);
        if (st != DN_OK) {
            dn_error_locate(err, w->path, -1, -1, -1, NULL);
            return st;
        }
    }
    return dn_pq_context_enter(given != NULL ? given : w->own_context, w, err);
}

enum dn_status dn_parquet_writer_open_in(struct dn_parquet_context *c,
                                         struct dn_parquet_writer **out, const char *path,
                                         const struct ArrowSchema *schema,
                                         const struct dn_parquet_options *options,
                                         struct dn_error *err)
{
    struct dn_parquet_options opts;
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY(read_options(options, &opts, err));
    struct dn_parquet_writer *w = dn_calloc(1, sizeof *w);
    if (w == NULL) {
        return dn_error_memory(err, sizeof *w);
    }
    dn_owner_init(&w->owner);
    pthread_mutex_init(&w->lock, NULL);
    dn_os_condition_init(&w->changed);
    dn_stop_init(&w->stop, opts.cancelled, opts.cancel_ctx);
    st = dn_codec_parse(opts.compression, &w->codec, &w->codec_level, err);
    if (st != DN_OK) {
        st = dn_error_option(err, st, "compression");
        goto cleanup;
    }
    if (w->codec == DN_CODEC_ZSTD && w->codec_level == DN_CODEC_LEVEL_DEFAULT) {
        w->codec_level = DN_CODEC_LEVEL_NEAR;
    }
    w->path = dn_strdup(path);
    if (w->path == NULL) {
        st = dn_error_memory(err, strlen(path) + 1);
        goto cleanup;
    }
    w->kernels = dn_kernels_selected();
    DN_TRY_GOTO(st, open_columns(w, schema, &opts, err), cleanup);
    DN_TRY_GOTO(st, divide_budget(w, &opts, err), cleanup);
    DN_TRY_GOTO(st, open_verification(w, &opts, err), cleanup);
    DN_TRY_GOTO(st, open_lanes(w, &opts, err), cleanup);
    w->executor = (struct dn_executor){opts.submit_ctx, opts.submit, opts.n_threads};
    w->may_help = dn_executor_is_pool(&w->executor) && opts.cancelled == NULL;
    DN_TRY_GOTO(st, dn_pool_provide(&w->pool, &w->executor, err), cleanup);
    DN_TRY_GOTO(st, open_context(w, c, err), cleanup);
    DN_TRY_GOTO(st, open_sink(w, path, &opts, err), cleanup);
    DN_TRY_GOTO(st, check_verification(w, err), cleanup);
    DN_TRY_GOTO(st, refuse_foreign(w, err), cleanup);
    DN_TRY_GOTO(st, dn_sink_write(w->sink, DN_PQ_MAGIC, DN_PQ_MAGIC_LEN, err), cleanup);
    *out = w;
    w = NULL;
cleanup:
    dn_parquet_close(w);
    return st;
}

enum dn_status dn_parquet_writer_open(struct dn_parquet_writer **out, const char *path,
                                      const struct ArrowSchema *schema,
                                      const struct dn_parquet_options *options,
                                      struct dn_error *err)
{
    return dn_parquet_writer_open_in(NULL, out, path, schema, options, err);
}

/* ---- append ----------------------------------------------------------------------------------------------------------- */

/*
 * Where row groups end depends on rows alone: behind row_group_rows rows, or behind the first row with which the row group has
 * row_group_bytes (see the public header), whichever is first.  Where morsels end leaves no trace.  Rows are checked when their turn comes:
 * a batch may be a whole table, and the lanes are to begin at once.
 */
static enum dn_status append_slices(struct dn_parquet_writer *w, struct dn_pq_batch *batch,
                                    struct dn_error *err)
{
    const struct dn_pq_budget *budget = &w->budget;
    const int64_t n_rows = batch->array.length;
    int64_t checked = 0;

    for (int64_t row = 0; row < n_rows;) {
        DN_TRY(dn_pq_writer_go_on(w, err));
        const int64_t pending = w->pending != NULL ? w->pending->n_rows : 0;
        const int64_t left = budget->row_group_rows - w->row_group_n_rows;
        int64_t n = n_rows - row < left ? n_rows - row : left;
        n = n < MORSEL_ROWS - pending ? n : MORSEL_ROWS - pending;
        if (checked < row + n) {
            DN_TRY(dn_pq_batch_check(w, batch, checked, row + n - checked, err));
            checked = row + n;
        }
        const size_t room = budget->row_group_bits - w->row_group_n_bits;
        size_t bits = 0;
        n = dn_pq_batch_fit(w, batch, row, n, room < MORSEL_BITS ? room : MORSEL_BITS, &bits);
        DN_TRY(dn_pq_morsel_add(w, batch, row, n, bits, err));
        row += n;
        w->row_group_n_rows += n;
        w->row_group_n_bits += bits;
        const bool ends = w->row_group_n_rows == budget->row_group_rows ||
                          w->row_group_n_bits >= budget->row_group_bits;
        if (ends || w->pending->n_rows >= MORSEL_ROWS || w->pending->bits >= MORSEL_BITS ||
            w->pending->held >= budget->morsel_bytes) {
            DN_TRY(dn_pq_writer_dispatch(w, ends, err));
        }
        if (ends) {
            w->row_group_n_rows = 0;
            w->row_group_n_bits = 0;
        }
    }
    w->n_rows += n_rows;
    return DN_OK;
}

/*
 * Every failure is for good: rows that were refused would be missing from the file, and of a batch that failed half-way some may be
 * on their way.  Returns the first failure of the writer, whichever call it was.
 */
static enum dn_status give_up(struct dn_parquet_writer *w, const struct dn_error *failure,
                              struct dn_error *err)
{
    dn_pq_writer_fail(w, failure);
    return dn_pq_writer_check(w, err);
}

static enum dn_status append(struct dn_parquet_writer *w, struct ArrowArray *batch,
                             struct dn_error *err)
{
    struct dn_pq_batch *b = NULL;

    if (w->state != DN_PQ_OPEN) {
        return dn_error_set(err, DN_ERR_INVALID, "rows were appended to '%s' after it was finished",
                            w->path);
    }
    DN_TRY(dn_pq_writer_check(w, err));
    DN_TRY(dn_pq_batch_take(w, batch, &b, err));
    const enum dn_status st = append_slices(w, b, err);
    dn_pq_batch_unref(w, b);
    return st;
}

enum dn_status dn_parquet_append(struct dn_parquet_writer *w, struct ArrowArray *batch,
                                 struct dn_error *err)
{
    struct dn_error failure;
    const enum dn_status here = dn_owner_check(&w->owner, "Parquet writer", err);
    const enum dn_status st = here != DN_OK ? here : append(w, batch, &failure);

    if (batch->release != NULL) { /* it was refused before it was taken */
        batch->release(batch);
    }
    DN_TRY(here);
    return st == DN_OK ? DN_OK : give_up(w, &failure, err);
}

/* ---- finish, commit, close -------------------------------------------------------------------------------------------------- */

/* The finished file, by its reader, against what came in. */
static enum dn_status read_back(struct dn_parquet_writer *w, struct dn_error *err)
{
    char path[DN_SINK_READING_PATH_SIZE];
    const struct dn_parquet_read_options options = {
        .struct_size = sizeof options,
        .memory_budget_bytes = w->budget.bytes / 2,
        .n_threads = w->executor.n_threads,
        .submit_ctx = w->executor.ctx,
        .submit = w->executor.submit,
        .cancelled = w->cancelled,
        .cancel_ctx = w->cancel_ctx,
    };

    dn_buffer_finish(&w->footer);
    dn_memory_give_back(); /* what the encoders had; the reader has its own */
    DN_TRY(dn_sink_reading_path(w->sink, path, err));
    return dn_pq_written_check(&w->written, path, w->path, w->expected, &options, err);
}

static enum dn_status finish(struct dn_parquet_writer *w, struct dn_error *err)
{
    if (w->state != DN_PQ_OPEN) {
        return dn_error_set(err, DN_ERR_INVALID, "'%s' was finished already", w->path);
    }
    DN_TRY(dn_pq_writer_check(w, err));
    if (w->row_group_n_rows > 0) { /* never an empty row group */
        DN_TRY(dn_pq_writer_dispatch(w, true, err));
    }
    dn_pq_writer_wait(w);
    DN_TRY(dn_pq_writer_check(w, err));
    for (int64_t i = 0; i < w->n_columns; i++) { /* the footer and the manifest need room */
        dn_pq_encoder_finish(&w->lanes[i].encoder);
    }
    if (w->budget.columns_bytes > w->budget.bytes / 4) {
        dn_memory_give_back(); /* of so many columns it is much, in pieces that nobody else can use */
    }
    DN_TRY(dn_pq_footer_write(w, err));
    DN_TRY(dn_sink_finish(w->sink, err));
    return w->verify ? read_back(w, err) : DN_OK;
}

enum dn_status dn_parquet_finish(struct dn_parquet_writer *w, struct dn_error *err)
{
    struct dn_error failure;

    DN_TRY(dn_owner_check(&w->owner, "Parquet writer", err));
    if (finish(w, &failure) != DN_OK) {
        dn_error_locate(&failure, w->path, -1, -1, -1, NULL);
        return give_up(w, &failure, err);
    }
    w->state = DN_PQ_FINISHED;
    return DN_OK;
}

static enum dn_status commit(struct dn_parquet_writer *w, struct dn_error *err)
{
    DN_TRY(dn_pq_writer_check(w, err));
    if (w->state != DN_PQ_FINISHED) {
        return dn_error_set(err, DN_ERR_INVALID, "'%s' was committed %s", w->path,
                            w->state == DN_PQ_OPEN ? "before it was finished" : "twice");
    }
    return dn_sink_commit(w->sink, err);
}

enum dn_status dn_parquet_commit(struct dn_parquet_writer *w, struct dn_error *err)
{
    struct dn_error failure;

    DN_TRY(dn_owner_check(&w->owner, "Parquet writer", err));
    if (commit(w, &failure) != DN_OK) {
        return give_up(w, &failure, err);
    }
    w->state = DN_PQ_COMMITTED;
    return DN_OK;
}

static void free_columns(struct dn_parquet_writer *w)
{
    for (int64_t i = 0; i < w->n_columns; i++) {
        dn_pq_encoder_finish(&w->lanes[i].encoder);
        if (w->lanes[i].within != NULL) {
            dn_pq_shredder_finish(&w->lanes[i].within->shredder);
            dn_free(w->lanes[i].within);
        }
        dn_pq_stats_finish(&w->totals[i]);
    }
    dn_pq_schema_finish(&w->schema);
    dn_free(w->lanes);
    dn_free(w->totals);
    dn_free(w->digests);
    dn_pq_written_finish(&w->written);
    dn_pq_said_finish(&w->said);
}

uint64_t dn_parquet_size(const struct dn_parquet_writer *w)
{
    return dn_sink_position(w->sink);
}

void dn_parquet_close(struct dn_parquet_writer *w)
{
    struct dn_error closed;

    if (w == NULL || !dn_owner_is_here(&w->owner)) {
        return; /* in a child of fork() neither its threads nor its file are ours */
    }
    (void)dn_error_set(&closed, DN_ERR_CANCELLED, "'%s' was closed",
                       w->path != NULL ? w->path : "");
    dn_pq_writer_fail(w, &closed); /* what has not started yet need not run */
    dn_stop_ask(&w->stop);         /* and nobody waits for a network */
    dn_pq_writer_wait(w);
    dn_pool_destroy(w->pool);
    dn_pq_context_leave(w->context, w);
    dn_parquet_context_destroy(w->own_context);
    dn_pq_morsel_destroy(w, w->pending);
    while (w->first_row_group != NULL) {
        struct dn_pq_row_group *next = w->first_row_group->next;
        dn_pq_row_group_destroy(w->first_row_group);
        w->first_row_group = next;
    }
    free_columns(w);
    dn_buffer_finish(&w->footer);
    dn_buffer_finish(&w->footer_pieces);
    dn_spill_close(w->footer_spill);
    dn_sink_close(w->sink);
    dn_stop_finish(&w->stop);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    dn_free(w->path);
    dn_free(w);
}
