/* The handle of dativo/parquet.h that reads: options, columns, schema, the division of the budget. */
#include "base/budget.h"
#include "base/memory.h"
#include "base/name_map.h"
#include "base/os_process.h"
#include "base/os_wait.h"
#include "base/strings.h"
#include "parquet/read/origin.h"
#include "parquet/read/reader_internal.h"

#include <inttypes.h>

#define DEFAULT_BUDGET ((uint64_t)128 << 20)
#define DEFAULT_BATCH_ROWS ((int64_t)65536)
#define MAX_BATCH_ROWS ((int64_t)1 << 24)
/* What a lane reads at a time, and what a page is thought to take. */
#define MOST_RANGE_BYTES ((uint64_t)1 << 20)
#define LEAST_RANGE_BYTES ((uint64_t)64 << 10)
/* Pages of other writers are read with any budget, if they are not larger than this. */
#define ROOM_FOR_PAGES ((uint64_t)16 << 20)
#define LEAST_PART_BYTES ((size_t)64 << 10)

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static enum dn_status no_such_column(const struct dn_parquet_reader *r, const char *name,
                                     struct dn_error *err)
{
    const char **names = dn_calloc((size_t)r->n_found + 1, sizeof(*names));
    const char *close = NULL;
    char columns[200] = "";

    for (uint32_t i = 0; names != NULL && i < r->n_found; i++) {
        names[i] = r->found[i].name;
    }
    if (names != NULL) {
        close = dn_text_suggest(name, names, r->n_found);
        dn_text_list(columns, sizeof(columns), names, r->n_found);
    }
    dn_free((void *)names);
    dn_error_set(err, DN_ERR_INVALID,
                 "the option columns names the column \"%.100s\", which the file does not have; "
                 "%s%s%sits columns: %s",
                 name, close != NULL ? "did you mean \"" : "", close != NULL ? close : "",
                 close != NULL ? "\"? " : "", columns);
    dn_error_locate(err, NULL, -1, -1, -1, name);
    return dn_error_option(err, DN_ERR_INVALID, "columns");
}

/* Places of the columns that are asked for. */
static enum dn_status find_columns(struct dn_parquet_reader *r, const struct dn_name_map *map,
                                   const struct dn_parquet_read_options *o, uint32_t *places,
                                   struct dn_error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_columns; i++) {
        const char *name = o->columns[i];
        const int64_t at = dn_name_map_get(map, name, strlen(name));
        if (at >= 0) {
            places[n++] = (uint32_t)at;
        } else if (!o->skip_missing) {
            return no_such_column(r, name, err);
        }
    }
    r->n_columns = n;
    return DN_OK;
}

/* Names to columns; of several with one name the first. */
static enum dn_status map_columns(const struct dn_parquet_reader *r, struct dn_name_map *map,
                                  struct dn_error *err)
{
    for (uint32_t i = 0; i < r->n_found; i++) {
        const struct dn_pq_column *c = &r->found[i];
        if (dn_name_map_get(map, c->name, c->name_len) < 0) {
            DN_TRY(dn_name_map_add(map, c->name, c->name_len, i, err));
        }
    }
    return DN_OK;
}

static void add_leaves(struct dn_parquet_reader *r, const struct dn_pq_node *node)
{
    if (node->n_children == 0) {
        r->leaves[r->n_leaves++] = node;
    }
    for (size_t i = 0; i < node->n_children; i++) {
        add_leaves(r, &node->children[i]);
    }
}

/* The trees of the columns at `places`. */
static enum dn_status make_columns(struct dn_parquet_reader *r, const uint32_t *places,
                                   struct dn_error *err)
{
    const size_t n = r->n_columns + 1;
    size_t n_leaves = 1;

    for (size_t i = 0; i < r->n_columns; i++) {
        n_leaves += r->found[places[i]].n_leaves;
    }
    r->columns = dn_arena_alloc(&r->arena, n * sizeof(*r->columns));
    r->leaves = dn_arena_alloc(&r->arena, n_leaves * sizeof(struct dn_pq_node *));
    if (r->columns == NULL || r->leaves == NULL) {
        return dn_error_memory(err, n_leaves * sizeof(*r->columns));
    }
    for (size_t i = 0; i < r->n_columns; i++) {
        const struct dn_pq_column *c = &r->found[places[i]];
        DN_TRY(dn_pq_node_make(&r->file, c, &r->arena, &r->columns[i], err));
        add_leaves(r, &r->columns[i]);
    }
    return DN_OK;
}

/* The columns asked for. */
static enum dn_status choose_columns(struct dn_parquet_reader *r,
                                     const struct dn_parquet_read_options *o, struct dn_error *err)
{
    struct dn_name_map map = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_pq_columns_find(&r->file, &r->arena, &r->found, &r->n_found, err));
    r->n_columns = o->columns != NULL ? o->n_columns : r->n_found;
    uint32_t *places = dn_arena_alloc(&r->arena, (r->n_columns + 1) * sizeof(*places));
    if (places == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*places));
    }
    if (o->columns != NULL) {
        st = map_columns(r, &map, err);
        if (st == DN_OK) {
            st = find_columns(r, &map, o, places, err);
        }
        dn_name_map_finish(&map);
    } else {
        for (uint32_t i = 0; i < r->n_found; i++) {
            places[i] = i;
        }
    }
    return st == DN_OK ? make_columns(r, places, err) : st;
}

/* What dn_batch_export() is given of a node: the places of what is within. */
static enum dn_status make_exports(struct dn_parquet_reader *r, struct dn_pq_node *nodes, size_t n,
                                   struct dn_batch_column **out, struct dn_error *err)
{
    *out = dn_arena_alloc(&r->arena, (n + 1) * sizeof(**out));
    if (*out == NULL) {
        return dn_error_memory(err, n * sizeof(**out));
    }
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].n_children > 0) {
            DN_TRY(make_exports(r, nodes[i].children, nodes[i].n_children, &nodes[i].exports, err));
        }
    }
    return DN_OK;
}

static enum dn_status make_schema(struct dn_parquet_reader *r, struct dn_error *err)
{
    struct dn_node *nodes = dn_arena_alloc(&r->arena, (r->n_columns + 1) * sizeof(*nodes));

    if (nodes == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*nodes));
    }
    for (size_t i = 0; i < r->n_columns; i++) {
        DN_TRY(dn_pq_node_to_arrow(&r->columns[i], &r->arena, &nodes[i], err));
    }
    DN_TRY(make_exports(r, r->columns, r->n_columns, &r->exports, err));
    DN_TRY(dn_schema_make_nodes(&r->schema, nodes, (int64_t)r->n_columns, err));
    for (size_t i = 0; i < r->n_columns; i++) {
        DN_TRY(dn_pq_origin_add_metadata(&r->file, &r->columns[i], r->schema.children[i], err));
    }
    return dn_pq_origin_add_pairs(&r->file, &r->schema, err);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/* Of a leaf in lists there are several in a row. */
static uint64_t items_per_row(const struct dn_pq_chunk_info *c, int64_t n_rows)
{
    const int64_t most = (int64_t)1 << 32; /* more is damage, or beyond any memory */

    return c->n_values <= n_rows         ? 1
           : c->n_values / n_rows > most ? (uint64_t)most
                                         : (uint64_t)(c->n_values / n_rows) + 1;
}

/* What a row of a group takes in its batch, texts in their pages included, as far as the footer says. */
static uint64_t leaf_bytes(const struct dn_pq_node *leaf, const struct dn_pq_group_info *g)
{
    const struct dn_pq_chunk_info *c = &g->chunks[leaf->leaf];
    const uint64_t items = items_per_row(c, g->n_rows);
    uint64_t bytes =
        items * (leaf->how.width + 1) + (uint64_t)leaf->n_lists * items * sizeof(int32_t);

    if (leaf->how.how == DN_PQ_HOW_VIEWS && c->uncompressed_bytes > 0) {
        bytes += (uint64_t)c->uncompressed_bytes / (uint64_t)g->n_rows;
    }
    return bytes;
}

static uint64_t row_bytes(const struct dn_parquet_reader *r, const struct dn_pq_group_info *g)
{
    uint64_t bytes = 1;

    for (size_t i = 0; i < r->n_leaves; i++) {
        bytes += leaf_bytes(r->leaves[i], g);
    }
    return bytes;
}

static uint64_t largest_row(const struct dn_parquet_reader *r)
{
    uint64_t largest = 1;

    for (uint32_t i = 0; i < r->file.n_groups; i++) {
        const struct dn_pq_group_info *g = &r->file.groups[i];
        const uint64_t bytes = g->n_rows > 0 ? row_bytes(r, g) : 0;
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static uint64_t clamp(uint64_t v, uint64_t least, uint64_t most)
{
    return v < least ? least : v > most ? most : v;
}

/* Slices of the columns' usual rows are far from this; nested ones that have many more items in some rows get there. */
static enum dn_status bound_parts(struct dn_parquet_reader *r, struct dn_error *err)
{
    r->most_part_bytes = dn_arena_alloc(&r->arena, (r->n_leaves + 1) * sizeof(*r->most_part_bytes));
    if (r->most_part_bytes == NULL) {
        return dn_error_memory(err, r->n_leaves * sizeof(*r->most_part_bytes));
    }
    for (size_t i = 0; i < r->n_leaves; i++) {
        uint64_t most = r->slices_bytes / 2 / r->n_leaves;
        for (uint32_t g = 0; g < r->file.n_groups; g++) {
            const struct dn_pq_group_info *group = &r->file.groups[g];
            const uint64_t bytes = group->n_rows > 0 ? leaf_bytes(r->leaves[i], group) : 0;
            const uint64_t usual = 4 * (uint64_t)r->slice_rows * bytes;
            most = usual > most ? usual : most;
        }
        r->most_part_bytes[i] = most > LEAST_PART_BYTES ? (size_t)most : LEAST_PART_BYTES;
    }
    return DN_OK;
}

static enum dn_status number_slices(struct dn_parquet_reader *r, struct dn_error *err)
{
    const size_t n = (size_t)r->file.n_groups + 1;

    r->first_slices = dn_arena_alloc(&r->arena, n * sizeof(*r->first_slices));
    if (r->first_slices == NULL) {
        return dn_error_memory(err, n * sizeof(*r->first_slices));
    }
    dn_pq_lanes_number(r, 0, 0, 0);
    return bound_parts(r, err);
}

/*
 * Half of the budget is for the slices, the rest for the pages and dictionaries of the lanes and for blocks that lie idle.  Slices become
 * smaller before they become fewer.  A further row group is opened where columns are fewer than threads, if its slices find room.
 */
static enum dn_status divide_budget(struct dn_parquet_reader *r,
                                    const struct dn_parquet_read_options *o, struct dn_error *err)
{
    const uint64_t n_threads = r->executor.n_threads;
    const uint64_t n_leaves = r->n_leaves > 0 ? r->n_leaves : 1;
    const uint64_t bytes = largest_row(r);
    const int64_t most = o->batch_rows != 0 ? o->batch_rows : DEFAULT_BATCH_ROWS;

    r->slices_bytes = r->budget / 2;
    const uint64_t rows = clamp(r->slices_bytes / 4 / bytes, 1, (uint64_t)MAX_BATCH_ROWS);
    r->slice_rows = most < (int64_t)rows ? most : (int64_t)rows;
    if (bytes > r->budget) {
        return dn_error_set(err, DN_ERR_MEMORY,
                            "a row takes about %" PRIu64
                            " bytes, more than there is room for; raise "
                            "the memory budget to %" PRIu64 " bytes",
                            bytes, 2 * bytes * r->memory_share);
    }
    const uint64_t in_budget = r->slices_bytes / ((uint64_t)r->slice_rows * bytes);
    const uint64_t wanted = (n_threads + n_leaves - 1) / n_leaves;
    const uint64_t per_group =
        r->file.n_groups > 0 ? (uint64_t)(r->file.groups[0].n_rows / r->slice_rows) + 1 : 1;
    uint64_t n_open = clamp(in_budget / per_group, 1, wanted);
    n_open = n_open > r->file.n_groups ? r->file.n_groups : n_open;
    n_open = n_open == 0 ? 1 : n_open; /* of a file without row groups */
    r->n_open = (uint32_t)n_open;
    r->n_places = (size_t)clamp(in_budget, 2, n_threads + 2 + (n_open - 1) * per_group);
    r->range_bytes =
        (size_t)clamp(r->budget / 8 / (n_leaves * n_open), LEAST_RANGE_BYTES, MOST_RANGE_BYTES);
    return number_slices(r, err);
}

static int64_t bytes_of_columns(const struct dn_parquet_reader *r)
{
    int64_t bytes = 0;

    for (uint32_t g = 0; g < r->file.n_groups; g++) {
        for (size_t i = 0; i < r->n_leaves; i++) {
            const struct dn_pq_chunk_info *c = &r->file.groups[g].chunks[r->leaves[i]->leaf];
            /* dn_pq_file_read() checked the sum of all columns; one may be named more than once */
            if (c->has_meta && __builtin_add_overflow(bytes, c->compressed_bytes, &bytes)) {
                return INT64_MAX;
            }
        }
    }
    return bytes;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* What the caller's struct has of our options; the rest is zero. */
static enum dn_status read_options(const struct dn_parquet_read_options *given,
                                   struct dn_parquet_read_options *out, struct dn_error *err)
{
    *out = (struct dn_parquet_read_options){.struct_size = sizeof(*out)};
    if (given == NULL) {
        return DN_OK;
    }
    if (given->struct_size < DN_PARQUET_READ_OPTIONS_V0_1_SIZE) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "parquet option struct_size is %u; give sizeof(struct dn_parquet_read_options)",
            given->struct_size);
    }
    memcpy(out, given, given->struct_size < sizeof(*out) ? given->struct_size : sizeof(*out));
    out->struct_size = sizeof(*out);
    if (out->batch_rows < 0 || out->batch_rows > MAX_BATCH_ROWS) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "batch_rows is %" PRId64 "; 1 to %" PRId64
                            " rows are possible, and 0 for %" PRId64,
                            out->batch_rows, MAX_BATCH_ROWS, DEFAULT_BATCH_ROWS);
    }
    return DN_OK;
}

static void init(struct dn_parquet_reader *r, const struct dn_parquet_read_options *o)
{
    dn_owner_init(&r->owner);
    pthread_mutex_init(&r->lock, NULL);
    dn_os_condition_init(&r->ready);
    dn_stop_init(&r->cancel, o->cancelled, o->cancel_ctx);
    r->kernels = dn_kernels_selected();
    r->budget = o->memory_budget_bytes != 0 ? o->memory_budget_bytes : DEFAULT_BUDGET;
    r->memory_share = o->memory_total_bytes > r->budget ? o->memory_total_bytes / r->budget : 1;
    r->most_page_bytes = r->budget > ROOM_FOR_PAGES ? r->budget : ROOM_FOR_PAGES;
    r->idle_bytes = (size_t)(r->budget / 4);
    dn_memory_idle_grant(r->idle_bytes);
    r->executor = (struct dn_executor){o->submit_ctx, o->submit,
                                       o->n_threads != 0 ? o->n_threads : dn_os_cpu_count()};
}

static enum dn_status open_file(struct dn_parquet_reader *r, const char *path,
                                const struct dn_parquet_read_options *o, bool strict,
                                struct dn_error *err)
{
    r->path = dn_arena_strdup(&r->arena, path);
    if (r->path == NULL) {
        return dn_error_memory(err, strlen(path) + 1);
    }
    DN_TRY(dn_pq_file_read(&r->file, r->source, err));
    if (strict) {
        dn_pq_file_be_strict(&r->file);
    }
    DN_TRY(choose_columns(r, o, err));
    DN_TRY(make_schema(r, err));
    DN_TRY(divide_budget(r, o, err));
    r->bytes_total = bytes_of_columns(r);
    return dn_pq_lanes_start(r, err);
}

/* Say which file a message is about. */
static enum dn_status place(const char *path, enum dn_status st, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, path);

    if (st != DN_OK && err != NULL && err->path[0] == '\0') {
        dn_error_locate(err, name, -1, -1, -1, NULL);
        return dn_error_prefix(err, st, "%s: ", name);
    }
    return st;
}

enum dn_status dn_pq_reader_open(struct dn_parquet_reader **out, const char *path,
                                 const struct dn_parquet_read_options *options, bool strict,
                                 struct dn_error *err)
{
    struct dn_parquet_read_options all;
    struct dn_store_options store;
    struct dn_parquet_reader *r = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY(read_options(options, &all, err));
    r = dn_calloc(1, sizeof(*r));
    if (r == NULL) {
        return dn_error_memory(err, sizeof(*r));
    }
    init(r, &all);
    st = dn_store_options_read(&store, all.store, err);
    if (st == DN_OK) {
        st = dn_source_open(&r->source, path, &store, &r->cancel, err);
    }
    if (st == DN_OK) {
        st = place(path, open_file(r, path, &all, strict, err), err);
    }
    if (st != DN_OK) {
        dn_parquet_reader_close(r);
        return st;
    }
    *out = r;
    return DN_OK;
}

enum dn_status dn_parquet_reader_open(struct dn_parquet_reader **out, const char *path,
                                      const struct dn_parquet_read_options *options,
                                      struct dn_error *err)
{
    return dn_pq_reader_open(out, path, options, false, err);
}

/* ---- the handle ------------------------------------------------------------------------------------------------- */

void dn_parquet_reader_close(struct dn_parquet_reader *r)
{
    if (r == NULL || !dn_owner_is_here(&r->owner)) {
        return; /* in a child of fork() its threads are not there to be waited for */
    }
    dn_pq_lanes_finish(r);
    if (r->schema.release != NULL) {
        r->schema.release(&r->schema);
    }
    dn_pq_file_finish(&r->file);
    dn_source_close(r->source);
    dn_stop_finish(&r->cancel);
    pthread_cond_destroy(&r->ready);
    pthread_mutex_destroy(&r->lock);
    dn_arena_finish(&r->arena);
    dn_memory_idle_withdraw(r->idle_bytes);
    dn_free(r);
}

/* The reader's first failure, which is its answer from then on; DN_OK: there was none. */
static enum dn_status answer(const struct dn_parquet_reader *r, struct dn_error *err)
{
    if (r->status != DN_OK && err != NULL) {
        *err = r->error;
    }
    return r->status;
}

enum dn_status dn_parquet_reader_schema(struct dn_parquet_reader *r, struct ArrowSchema *out,
                                        struct dn_error *err)
{
    out->release = NULL;
    DN_TRY(dn_owner_check(&r->owner, "Parquet reader", err));
    if (r->status == DN_OK) {
        r->status = dn_schema_copy(out, &r->schema, &r->error);
    }
    return answer(r, err);
}

enum dn_status dn_parquet_reader_next(struct dn_parquet_reader *r, struct ArrowArray *out,
                                      struct dn_error *err)
{
    out->release = NULL;
    DN_TRY(dn_owner_check(&r->owner, "Parquet reader", err));
    if (r->status != DN_OK) {
        return answer(r, err);
    }
    if (dn_stop_asked(&r->cancel)) {
        r->status = dn_error_set(&r->error, DN_ERR_CANCELLED, "reading was stopped on request");
    } else {
        r->status = place(r->path, dn_pq_lanes_next(r, out, &r->error), &r->error);
    }
    if (r->status == DN_OK && out->release != NULL) {
        atomic_fetch_add(&r->rows_out, out->length);
    }
    return answer(r, err);
}

bool dn_parquet_reader_has_column(const struct dn_parquet_reader *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_found; i++) {
        if (strcmp(r->found[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void dn_parquet_reader_progress(const struct dn_parquet_reader *r,
                                struct dn_parquet_read_progress *out)
{
    const int64_t read = atomic_load(&r->bytes_read);
    const struct dn_parquet_read_progress now = {
        .struct_size = out->struct_size,
        .bytes_read = read < r->bytes_total ? read : r->bytes_total, /* some were read twice */
        .bytes_total = r->bytes_total,
        .rows = atomic_load(&r->rows_out),
        .rows_total = r->file.n_rows,
    };
    memcpy(out, &now, now.struct_size < sizeof(now) ? now.struct_size : sizeof(now));
}

void dn_parquet_reader_cancel(struct dn_parquet_reader *r)
{
    if (dn_owner_is_here(&r->owner)) { /* the descriptor is the parent's, too */
        dn_stop_ask(&r->cancel);       /* nothing else: it may be called from a signal handler */
    }
}
