/*
 * Slices in flight.  A task decodes one slice of one column and goes on with the next one in a task of its own, so that the columns of a
 * slice come to be done at about the same time.  A lane rests when its next slice has no place yet, or when the slices that wait to be
 * taken hold enough; the slice that the consumer waits for is always decoded, so the chain always moves.
 *
 * A lane that fails ends: nothing behind its slice is begun any more.  What was begun before is finished, and the consumer meets the first
 * failure in the order of slices and columns, whichever thread was first.
 */
#include "parquet/read/reader_internal.h"

#include "base/memory.h"

#include <inttypes.h>

static struct dn_pq_place *place_of(struct dn_parquet_reader *r, int64_t slice)
{
    return &r->places[(uint64_t)slice % r->n_places];
}

static int64_t n_slices(const struct dn_parquet_reader *r)
{
    return r->first_slices[r->file.n_groups];
}

static void rows_destroy(void *owner)
{
    struct dn_pq_rows *rows = owner;

    for (size_t i = 0; rows != NULL && i < rows->n_parts; i++) {
        dn_pq_part_finish(&rows->parts[i]);
    }
    dn_free(rows);
}

/* How many rows the slice has that begins at a row of a row group. */
static int64_t rows_at(const struct dn_parquet_reader *r, uint32_t group, int64_t row)
{
    const bool fine = group == r->fine_group && row < r->fine_end;
    const int64_t left = (fine ? r->fine_end : r->file.groups[group].n_rows) - row;
    const int64_t most = fine ? r->fine_rows : r->slice_rows;

    return left < most ? left : most;
}

/* ---- lanes, under the lock ---------------------------------------------------------------------------------------- */

/* The row group that the lane has next, behind all others if it has none. */
static void next_group(struct dn_pq_lane *lane)
{
    const struct dn_parquet_reader *r = lane->reader;
    const uint32_t left = r->file.n_groups - lane->group;

    lane->group += left < r->n_open ? left : r->n_open;
}

/* Go to the first slice of the first of the lane's row groups that has one, from lane->group on. */
static void find_slice(struct dn_pq_lane *lane)
{
    const struct dn_parquet_reader *r = lane->reader;

    while (lane->group < r->file.n_groups && r->file.groups[lane->group].n_rows == 0) {
        next_group(lane);
    }
    lane->row = 0;
    lane->has_begun = false;
    lane->slice = r->first_slices[lane->group];
}

static void advance(struct dn_pq_lane *lane)
{
    const struct dn_parquet_reader *r = lane->reader;

    lane->row += rows_at(r, lane->group, lane->row);
    lane->slice++;
    if (lane->row >= r->file.groups[lane->group].n_rows) {
        next_group(lane);
        find_slice(lane);
    }
}

static bool may_run(const struct dn_pq_lane *lane)
{
    const struct dn_parquet_reader *r = lane->reader;

    return !r->stopping && lane->slice < r->opened && lane->slice < r->stop_before &&
           (lane->slice == r->take || r->held < r->slices_bytes);
}

/* Give every slice a place that can have one.  Fails if memory runs out, with the slice that it is for. */
static void open_slices(struct dn_parquet_reader *r)
{
    while (r->opened < n_slices(r) && r->opened - r->take < (int64_t)r->n_places) {
        struct dn_pq_place *p = place_of(r, r->opened);
        while (r->open_row == r->file.groups[r->open_group].n_rows) {
            r->open_group++;
            r->open_row = 0;
        }
        p->row = r->open_row;
        p->n_rows = rows_at(r, r->open_group, r->open_row);
        r->open_row += p->n_rows;
        p->group = r->open_group;
        p->n_left = (uint32_t)r->n_leaves;
        p->bytes = 0;
        p->fits = 0;
        p->status = DN_OK;
        p->failed_leaf = SIZE_MAX;
        const size_t size = sizeof(*p->rows) + r->n_leaves * sizeof(p->rows->parts[0]);
        p->rows = dn_calloc(1, size);
        if (p->rows == NULL) {
            p->status = dn_error_memory(&p->error, size);
            p->n_left = 0;
            r->stop_before = r->opened < r->stop_before ? r->opened : r->stop_before;
        } else {
            p->rows->n_parts = r->n_leaves;
        }
        r->opened++;
    }
}

/* The lanes that can go on and do not run: they are marked, and to be submitted. */
static struct dn_pq_lane *wake_lanes(struct dn_parquet_reader *r)
{
    struct dn_pq_lane *list = NULL;
    struct dn_pq_lane **end = &list;

    for (size_t i = 0; i < r->n_open * r->n_leaves; i++) {
        struct dn_pq_lane *lane = &r->lanes[i];
        if (!lane->running && may_run(lane)) {
            lane->running = true;
            lane->to_start = NULL;
            *end = lane;
            end = &lane->to_start;
            r->n_tasks++;
        }
    }
    return list;
}

/* ---- tasks -------------------------------------------------------------------------------------------------------- */

static enum dn_status decode(struct dn_pq_lane *lane, struct dn_pq_part *part, struct dn_error *err)
{
    struct dn_parquet_reader *r = lane->reader;
    const struct dn_pq_group_info *g = &r->file.groups[lane->group];
    const struct dn_pq_chunk_info *chunk = &g->chunks[r->leaves[lane->index]->leaf];
    const int64_t n = rows_at(r, lane->group, lane->row);

    if (dn_stop_asked(&r->cancel)) {
        return dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request");
    }
    if (!lane->has_begun) {
        DN_TRY(dn_pq_stream_begin(&lane->stream, chunk, lane->group, g->first_row, g->n_rows, err));
        lane->has_begun = true;
        DN_TRY(dn_pq_stream_skip(&lane->stream, (size_t)lane->row, err));
    }
    DN_TRY(dn_pq_stream_read(&lane->stream, (size_t)n, part, err));
    return lane->row + n < g->n_rows ? DN_OK : dn_pq_stream_end(&lane->stream, err);
}

/* Under the lock: the slice that the lane was at is done in its column. */
static void finish_part(struct dn_pq_lane *lane, enum dn_status st, const struct dn_error *err)
{
    struct dn_parquet_reader *r = lane->reader;
    struct dn_pq_place *p = place_of(r, lane->slice);

    const size_t bytes = dn_pq_part_bytes(&p->rows->parts[lane->index]);
    p->bytes += bytes;
    r->held += bytes;
    if (st != DN_OK) {
        r->stop_before = lane->slice + 1 < r->stop_before ? lane->slice + 1 : r->stop_before;
        if (lane->index < p->failed_leaf) {
            p->failed_leaf = lane->index;
            p->fits = dn_pq_stream_fits(&lane->stream);
            p->status = st;
            p->error = *err;
        }
    }
    if (--p->n_left == 0 && lane->slice == r->take) {
        pthread_cond_signal(&r->ready);
    }
}

/* One slice of the lane.  True: there is more to do at once. */
static bool run_slice(struct dn_pq_lane *lane)
{
    struct dn_parquet_reader *r = lane->reader;
    struct dn_error err;

    /* neither changes while the lane runs: the slice cannot be taken before it is done */
    struct dn_pq_part *part = &place_of(r, lane->slice)->rows->parts[lane->index];
    const enum dn_status st = decode(lane, part, &err);
    pthread_mutex_lock(&r->lock);
    finish_part(lane, st, &err);
    if (st == DN_OK) {
        advance(lane);
    } else {
        lane->slice = INT64_MAX;
    }
    const bool more = may_run(lane);
    if (!more) {
        lane->running = false;
        if (--r->n_tasks == 0) {
            pthread_cond_signal(&r->ready); /* the last thing: the reader may be gone behind it */
        }
    }
    pthread_mutex_unlock(&r->lock);
    return more;
}

static void run_lane(void *arg)
{
    struct dn_pq_lane *lane = arg;
    const struct dn_executor executor = lane->reader->executor;

    while (run_slice(lane) && executor.submit(executor.ctx, run_lane, lane) != 0) {
        /* threads that take no more work leave it to this one */
    }
}

static void start_lanes(struct dn_parquet_reader *r, struct dn_pq_lane *list)
{
    for (struct dn_pq_lane *lane = list; lane != NULL;) {
        struct dn_pq_lane *next = lane->to_start;
        if (r->executor.submit(r->executor.ctx, run_lane, lane) != 0) {
            run_lane(lane);
        }
        lane = next;
    }
}

/* ---- the consumer ------------------------------------------------------------------------------------------------- */

/* Wait for the slice, but only for so long that a wish to stop is noticed in time.  Lock held; true: asked to stop. */
static bool wait_for_slice(struct dn_parquet_reader *r)
{
    bool asked = false;

    if (dn_stop_wait_condition(&r->ready, &r->lock)) {
        return false;
    }
    pthread_mutex_unlock(&r->lock); /* the caller's functions may call back */
    asked = dn_stop_asked(&r->cancel);
    pthread_mutex_lock(&r->lock);
    return asked;
}

/* Take the slice that is done out of its place.  Lock held. */
static struct dn_pq_rows *take_rows(struct dn_parquet_reader *r, uint32_t *group, int64_t *n_rows)
{
    struct dn_pq_place *p = place_of(r, r->take);
    struct dn_pq_rows *rows = p->rows;

    *group = p->group;
    *n_rows = p->n_rows;
    p->rows = NULL;
    r->held -= p->bytes;
    r->take++;
    open_slices(r);
    return rows;
}

static enum dn_status fail_apart(const struct dn_parquet_reader *r, const struct dn_pq_node *a,
                                 const struct dn_pq_node *b, uint32_t group, struct dn_error *err)
{
    const struct dn_pq_leaf *leaves = r->file.leaves;

    dn_error_set(err, DN_ERR_DATA,
                 "columns \"%.100s\" and \"%.100s\", row group %" PRIu32
                 ": the file is damaged: they are in the same lists or structs, and their levels "
                 "tell of different ones",
                 leaves[a->leaf].path, leaves[b->leaf].path, group);
    dn_error_locate(err, NULL, -1, -1, -1, leaves[b->leaf].path);
    return DN_ERR_DATA;
}

/* What leaves say of a node: that of the first one counts, and the others must say the same of it and of all above it. */
static enum dn_status compare_shapes(const struct dn_parquet_reader *r,
                                     const struct dn_pq_node *node, struct dn_pq_part *first,
                                     uint32_t group, struct dn_error *err)
{
    for (size_t c = 1; c < node->n_children; c++) {
        const struct dn_pq_node *child = &node->children[c];
        struct dn_pq_part *part = first + (child->leaf - node->leaf);
        for (size_t i = 0; i <= node->depth; i++) {
            if (!dn_pq_shape_equal(&first->shapes[i], &part->shapes[i])) {
                return fail_apart(r, node, child, group, err);
            }
        }
    }
    return DN_OK;
}

/* A node and what is in it, as dn_batch_export() takes it; `part` is its first leaf's. */
static enum dn_status export_node(const struct dn_parquet_reader *r, const struct dn_pq_node *node,
                                  struct dn_pq_part *part, uint32_t group,
                                  struct dn_batch_column *out, struct dn_error *err)
{

    if (node->n_children == 0) {
        *out = dn_pq_part_export(part, &node->how);
        if (!node->nullable) { /* in nulls there is nothing, which is no null */
            out->null_count = 0;
            out->validity = NULL;
        }
        return DN_OK;
    }
    DN_TRY(compare_shapes(r, node, part, group, err));
    for (size_t i = 0; i < node->n_children; i++) {
        const struct dn_pq_node *child = &node->children[i];
        DN_TRY(export_node(r, child, part + (child->leaf - node->leaf), group, &node->exports[i],
                           err));
    }
    const struct dn_pq_shape *shape = &part->shapes[node->depth];
    *out = (struct dn_batch_column){
        .type = node->type,
        .null_count = (int64_t)shape->null_count,
        .validity = shape->null_count > 0 ? shape->validity.data : NULL,
        .values = shape->offsets.data,
        .children = node->exports,
        .n_children = (int64_t)node->n_children,
        .n_rows = (int64_t)shape->n,
    };
    return DN_OK;
}

/* What more than one leaf told is kept once. */
static void drop_doubles(const struct dn_parquet_reader *r, struct dn_pq_rows *rows)
{
    for (size_t i = 0; i < r->n_leaves; i++) {
        const struct dn_pq_node *leaf = r->leaves[i];
        for (const struct dn_pq_node *n = leaf->parent; n != NULL; n = n->parent) {
            if (n->leaf == leaf->leaf) {
                continue;
            }
            dn_buffer_finish(&rows->parts[i].shapes[n->depth].validity);
            dn_buffer_finish(&rows->parts[i].shapes[n->depth].offsets);
        }
    }
}

static enum dn_status export_rows(struct dn_parquet_reader *r, struct dn_pq_rows *rows,
                                  uint32_t group, int64_t n_rows, struct ArrowArray *out,
                                  struct dn_error *err)
{
    struct dn_pq_part *part = rows->parts;
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < r->n_columns && st == DN_OK; i++) {
        st = export_node(r, &r->columns[i], part, group, &r->exports[i], err);
        part += r->columns[i].n_leaves;
    }
    if (st == DN_OK) {
        drop_doubles(r, rows);
        st = dn_batch_export(out, n_rows, (int64_t)r->n_columns, r->exports, rows_destroy, rows,
                             err);
    }
    if (st != DN_OK) {
        rows_destroy(rows);
    }
    return st;
}

/* At the end: the file must be what it was when it was opened. */
static enum dn_status check_source(const struct dn_parquet_reader *r, struct dn_error *err)
{
    enum dn_source_change change = DN_SOURCE_SAME;

    DN_TRY(dn_source_check(r->source, &change, err));
    if (change == DN_SOURCE_GREW) {
        return dn_error_set(err, DN_ERR_IO,
                            "the file changed while it was read: bytes were added to it; read it "
                            "again when nothing writes to it, or a copy of it");
    }
    return DN_OK;
}

/*
 * The slice that is waited for holds more than a batch may.  Nothing of it was handed out: its rows are read once more, in slices that are as
 * much smaller as it was too large, and what was begun behind it with them.  Lock held; it is let go while tasks end.
 */
static void start_finer(struct dn_parquet_reader *r)
{
    const struct dn_pq_place *p = place_of(r, r->take);
    const bool again = r->fine_end > 0 && p->group == r->fine_group && p->row < r->fine_end;

    while (r->n_tasks > 0) {
        pthread_cond_wait(&r->ready, &r->lock);
    }
    r->fine_end = again ? r->fine_end : p->row + p->n_rows;
    r->fine_group = p->group;
    r->fine_row = p->row;
    r->fine_rows = p->fits / 2 > 0 ? p->fits / 2 : 1;
    r->open_group = p->group;
    r->open_row = p->row;
    for (size_t i = 0; i < r->n_places; i++) {
        rows_destroy(r->places[i].rows);
        r->places[i].rows = NULL;
    }
    r->held = 0;
    r->opened = r->take;
    r->stop_before = INT64_MAX;
    dn_pq_lanes_number(r, r->fine_group, r->fine_row, r->take);
    for (size_t i = 0; i < r->n_open * r->n_leaves; i++) {
        struct dn_pq_lane *lane = &r->lanes[i];
        const uint32_t own = (uint32_t)(i / r->n_leaves);
        const uint32_t behind = (own + r->n_open - r->fine_group % r->n_open) % r->n_open;
        const uint32_t left = r->file.n_groups - r->fine_group;
        lane->group = r->fine_group + (behind < left ? behind : left);
        find_slice(lane);
        if (behind == 0) {
            lane->row = r->fine_row;
            lane->slice = r->take;
        }
    }
}

static enum dn_status fail(struct dn_parquet_reader *r, const struct dn_pq_place *p,
                           struct dn_error *err)
{
    struct dn_error of_source;

    /* what is wrong in a file that was written over is no fault of its writer */
    if (p->status == DN_ERR_DATA && check_source(r, &of_source) != DN_OK) {
        *err = of_source;
        return (enum dn_status)of_source.code;
    }
    *err = p->error;
    return p->status;
}

/* With the lock, which is given back meanwhile: open what there is room for, and let lanes go on. */
static void run_slices(struct dn_parquet_reader *r)
{
    open_slices(r);
    struct dn_pq_lane *list = wake_lanes(r);
    pthread_mutex_unlock(&r->lock);
    start_lanes(r, list);
    pthread_mutex_lock(&r->lock);
}

enum dn_status dn_pq_lanes_next(struct dn_parquet_reader *r, struct ArrowArray *out,
                                struct dn_error *err)
{
    struct dn_pq_place *p = NULL;
    struct dn_pq_rows *rows = NULL;
    uint32_t group = 0;
    int64_t n_rows = 0;
    bool asked = false;

    out->release = NULL;
    if (r->take == n_slices(r)) {
        return check_source(r, err);
    }
    pthread_mutex_lock(&r->lock);
    if (!r->started) {
        r->started = true;
        run_slices(r);
    }
    p = place_of(r, r->take);
    while (!asked && (p->n_left > 0 || p->fits > 0)) {
        if (p->n_left > 0) {
            asked = wait_for_slice(r);
            continue;
        }
        start_finer(r);
        run_slices(r);
        p = place_of(r, r->take);
    }
    asked = asked && p->n_left > 0;
    if (asked || p->status != DN_OK) {
        pthread_mutex_unlock(&r->lock);
        return asked ? dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request")
                     : fail(r, p, err);
    }
    rows = take_rows(r, &group, &n_rows);
    struct dn_pq_lane *list = wake_lanes(r);
    pthread_mutex_unlock(&r->lock);
    start_lanes(r, list);
    return export_rows(r, rows, group, n_rows, out, err);
}

/* ---- start and end ------------------------------------------------------------------------------------------------ */

/* So many slices are from a row of a row group to the row group's end. */
static int64_t slices_from(const struct dn_parquet_reader *r, uint32_t group, int64_t row)
{
    const int64_t n_rows = r->file.groups[group].n_rows;
    int64_t n = 0;

    if (group == r->fine_group && row < r->fine_end) {
        n = (r->fine_end - row - 1) / r->fine_rows + 1;
        row = r->fine_end;
    }
    return n + (n_rows - row) / r->slice_rows + ((n_rows - row) % r->slice_rows != 0);
}

void dn_pq_lanes_number(struct dn_parquet_reader *r, uint32_t group, int64_t row, int64_t slice)
{
    for (uint32_t i = group; i < r->file.n_groups; i++) {
        r->first_slices[i] = slice;
        slice += slices_from(r, i, i == group ? row : 0);
    }
    r->first_slices[r->file.n_groups] = slice;
}

enum dn_status dn_pq_lanes_start(struct dn_parquet_reader *r, struct dn_error *err)
{
    const size_t n = r->n_open * r->n_leaves;

    r->places = dn_calloc(r->n_places, sizeof(*r->places));
    r->lanes = dn_calloc(n + 1, sizeof(*r->lanes));
    if (r->places == NULL || r->lanes == NULL) {
        return dn_error_memory(err, n * sizeof(*r->lanes));
    }
    for (size_t i = 0; i < n; i++) {
        struct dn_pq_lane *lane = &r->lanes[i];
        lane->reader = r;
        lane->index = i % r->n_leaves;
        const struct dn_pq_node *leaf = r->leaves[lane->index];
        lane->group = (uint32_t)(i / r->n_leaves);
        lane->stream.cursor.source = r->source;
        lane->stream.cursor.leaf = &r->file.leaves[leaf->leaf];
        lane->stream.cursor.range_bytes = r->range_bytes;
        lane->stream.cursor.bytes_read = &r->bytes_read;
        lane->stream.cursor.most_page_bytes = r->most_page_bytes;
        lane->stream.cursor.memory_share = r->memory_share;
        lane->stream.type = leaf->how;
        lane->stream.kernels = r->kernels;
        lane->stream.most_bytes = r->most_part_bytes[lane->index];
        lane->stream.budget = r->budget;
        if (leaf->depth > 0) {
            DN_TRY(dn_pq_nest_create(&lane->stream.nest, leaf, err));
        }
        find_slice(lane);
    }
    r->stop_before = INT64_MAX;
    return dn_pool_provide(&r->pool, &r->executor, err);
}

void dn_pq_lanes_finish(struct dn_parquet_reader *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    while (r->n_tasks > 0) {
        pthread_cond_wait(&r->ready, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    dn_pool_destroy(r->pool);
    for (size_t i = 0; r->lanes != NULL && i < r->n_open * r->n_leaves; i++) {
        dn_pq_stream_finish(&r->lanes[i].stream);
    }
    for (size_t i = 0; r->places != NULL && i < r->n_places; i++) {
        rows_destroy(r->places[i].rows);
    }
    dn_free(r->lanes);
    dn_free(r->places);
}
