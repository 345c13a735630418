#include "merge.h"

#include "arrow/batch.h"
#include "arrow/bits.h"
#include "arrow/types.h"
#include "base/memory.h"
#include "base/os_memory.h"
#include "base/owner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define ALIGNMENT ((size_t)64)
/* Jobs there are at a time, at most. */
#define MOST_JOBS 8
/* Of a batch and column, besides what is in it. */
#define COLUMN_BYTES 256
/* What the batches of a job hold, and those of all, in batches that are made of them; beyond it nothing more is added. */
#define HELD_BY_JOB 4
#define HELD_BY_ALL 32

struct column {
    const char *name;
    enum dn_layout layout; /* as it is read: of DN_LAYOUT_VIEWS offsets are made */
    size_t width;          /* of a value, or of an offset */
    uint8_t *validity;     /* in the block, as all that follow */
    uint8_t *values;       /* or offsets */
    uint8_t *bytes;        /* of texts */
    size_t room;           /* for them */
    const void *heap;      /* that views of the last batch point to */
    size_t n_bytes;        /* that are there */
    int64_t null_count;    /* validity is filled if there are any */
    const void **buffers;
};

/* One allocation: this, what Arrow wants to be told of the columns, and their buffers. */
struct block {
    _Atomic int64_t n_refs; /* of the batch and of its columns, which may be moved out of it */
    size_t size;
    const void *no_validity;
    struct ArrowArray *children;
    struct ArrowArray **pointers;
};

/* A job that nobody has begun is run by the thread that wants its rows: tasks in front of it may wait for a network. */
enum state {
    ADDED_TO,
    READY,
    RUNNING,
    DONE
};

/* Rows that become one batch. */
struct job {
    struct dn_merge *merge;
    _Atomic int state; /* enum state */
    struct column *columns;
    struct ArrowArray *batches; /* that are copied */
    size_t n_batches;
    size_t most_batches;
    int64_t n_rows;
    size_t bytes;        /* of what is made */
    size_t held;         /* what the batches hold, about */
    struct block *block; /* what was made; NULL: memory ran out */
};

struct dn_merge {
    _Atomic size_t n_refs; /* of its owner, and of tasks that were submitted */
    struct dn_owner owner;
    struct column *columns; /* without places */
    int64_t n_columns;
    struct dn_executor executor;
    size_t bytes;     /* as large as batches become */
    size_t now_bytes; /* as large as the one is to be that is added to */
    size_t most_jobs;
    size_t first; /* of the jobs, which are a ring */
    size_t n_started;
    size_t largest; /* of the blocks, as many of which as there are jobs may lie idle */
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct job jobs[MOST_JOBS + 1]; /* the one behind those that were started is added to */
};

/* False: batches with such a column are not put together. */
static bool column_init(struct column *c, const struct ArrowSchema *node, uint8_t form)
{
    struct dn_type type;

    if (node->n_children > 0 || node->dictionary != NULL ||
        !dn_type_from_format(node->format, node->metadata, &type)) {
        return false;
    }
    *c = (struct column){.name = node->name, .layout = dn_type_layout(type)};
    switch (c->layout) {
    case DN_LAYOUT_NONE:
    case DN_LAYOUT_BITS:
        return true;
    case DN_LAYOUT_FIXED:
        c->width = dn_type_width(type);
        return c->width > 0;
    case DN_LAYOUT_VIEWS:
        c->width = form == DN_PLAIN_LARGE_UTF8 ? sizeof(int64_t) : sizeof(int32_t);
        return form != DN_PLAIN_VIEW;
    default:
        return false;
    }
}

bool dn_merge_can(const struct ArrowSchema *schema, const uint8_t *forms)
{
    struct column c;

    for (int64_t i = 0; i < schema->n_children; i++) {
        if (!column_init(&c, schema->children[i], forms[i + 1])) {
            return false;
        }
    }
    return schema->n_children > 0;
}

/* ---- the block ---------------------------------------------------------------------------------------------------- */

static size_t n_buffers_of(const struct column *c)
{
    return c->layout == DN_LAYOUT_NONE ? 0 : c->layout == DN_LAYOUT_VIEWS ? 3 : 2;
}

/* The next `size` bytes behind *end. */
static uint8_t *cut(uint8_t *start, size_t *end, size_t size)
{
    uint8_t *part = start != NULL ? start + *end : NULL;

    *end += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return part;
}

/* Where everything is in a block that begins at `start`, which may be NULL; how large it is. */
static size_t lay_out(struct job *j, uint8_t *start)
{
    const size_t n = (size_t)j->merge->n_columns;
    const size_t n_rows = (size_t)j->n_rows;
    const size_t n_bits = (n_rows + 7) / 8;
    struct block *b = (struct block *)start;
    size_t end = 0;

    (void)cut(start, &end, sizeof *b);
    void *children = cut(start, &end, n * sizeof *b->children);
    void *pointers = cut(start, &end, n * sizeof(void *));
    const void **buffers = (const void **)cut(start, &end, 3 * n * sizeof *buffers);
    for (size_t i = 0; i < n; i++) {
        struct column *c = &j->columns[i];
        c->buffers = start != NULL ? buffers + 3 * i : NULL;
        if (c->layout == DN_LAYOUT_NONE) {
            continue;
        }
        c->validity = cut(start, &end, n_bits);
        c->values = cut(start, &end,
                        c->layout == DN_LAYOUT_BITS    ? n_bits
                        : c->layout == DN_LAYOUT_VIEWS ? (n_rows + 1) * c->width
                                                       : n_rows * c->width);
        c->bytes = c->layout == DN_LAYOUT_VIEWS ? cut(start, &end, c->room + DN_VIEW_INLINE) : NULL;
    }
    if (b != NULL) {
        *b = (struct block){.children = children, .pointers = pointers};
    }
    return end;
}

static struct block *block_make(struct job *j)
{
    const size_t size = lay_out(j, NULL);
    struct block *b = dn_malloc_aligned(size);

    if (b != NULL) {
        dn_os_pages_fault(b, size);
        (void)lay_out(j, (uint8_t *)b);
        b->size = size;
    }
    return b;
}

static void block_unref(struct block *b)
{
    if (atomic_fetch_sub(&b->n_refs, 1) == 1) {
        dn_free_aligned(b, b->size);
    }
}

static void column_release(struct ArrowArray *array)
{
    struct block *b = array->private_data;

    array->release = NULL;
    block_unref(b);
}

static void batch_release(struct ArrowArray *array)
{
    struct block *b = array->private_data;

    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child->release != NULL) {
            child->release(child);
        }
    }
    array->release = NULL;
    block_unref(b);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static const uint8_t *validity_of(const struct ArrowArray *in)
{
    return in->null_count != 0 ? in->buffers[0] : NULL;
}

/* Bytes of all texts. */
static size_t text_bytes(const struct ArrowArray *in, int64_t first, int64_t n)
{
    const struct dn_string_view *views = (const struct dn_string_view *)in->buffers[1] + first;
    const uint8_t *bits = validity_of(in);
    int64_t total = 0;

    if (bits == NULL) {
        for (int64_t i = 0; i < n; i++) {
            total += views[i].len;
        }
        return (size_t)total;
    }
    for (int64_t i = 0; i < n; i++) {
        total += dn_bit_get(bits, first + i) ? views[i].len : 0;
    }
    return (size_t)total;
}

static inline void put_offset(uint8_t *offsets, bool large, int64_t row, size_t at)
{
    if (large) {
        ((int64_t *)(void *)offsets)[row] = (int64_t)at;
    } else {
        ((int32_t *)(void *)offsets)[row] = (int32_t)at;
    }
}

/* There are DN_VIEW_INLINE bytes of room behind the last text, so that short ones are copied without a branch on their length. */
static inline void add_texts_as(struct column *c, bool large, int64_t row,
                                const struct ArrowArray *in, const uint8_t *bits, int64_t first,
                                int64_t n)
{
    const struct dn_string_view *views = (const struct dn_string_view *)in->buffers[1] + first;
    uint8_t *offsets = c->values;
    uint8_t *bytes = c->bytes;
    size_t at = c->n_bytes;

    for (int64_t i = 0; i < n; i++) {
        const struct dn_string_view *v = &views[i];
        put_offset(offsets, large, row + i, at);
        if (bits != NULL && !dn_bit_get(bits, first + i)) {
            continue;
        }
        if (v->len <= DN_VIEW_INLINE) {
            memcpy(bytes + at, v->u.inlined, DN_VIEW_INLINE);
        } else {
            memcpy(bytes + at, (const uint8_t *)in->buffers[2 + v->u.ref.buffer] + v->u.ref.offset,
                   (size_t)v->len);
        }
        at += (size_t)v->len;
    }
    put_offset(offsets, large, row + n, at);
    c->n_bytes = at;
}

static void add_texts(struct column *c, int64_t row, const struct ArrowArray *in, int64_t first,
                      int64_t n)
{
    const uint8_t *bits = validity_of(in);

    if (c->width == sizeof(int64_t)) {
        add_texts_as(c, true, row, in, bits, first, n);
    } else if (bits != NULL) {
        add_texts_as(c, false, row, in, bits, first, n);
    } else {
        add_texts_as(c, false, row, in, NULL, first, n);
    }
}

static void add_validity(struct column *c, int64_t row, const struct ArrowArray *in, int64_t first,
                         int64_t n)
{
    const uint8_t *bits = validity_of(in);
    const int64_t nulls =
        bits != NULL ? n - (int64_t)dn_bits_count(bits, (size_t)first, (size_t)n) : 0;

    if (nulls > 0 && c->null_count == 0) {
        dn_bits_fill(c->validity, 0, (size_t)row, 1);
    }
    c->null_count += nulls;
    if (nulls > 0) {
        dn_bits_copy(c->validity, (size_t)row, bits, (size_t)first, (size_t)n);
    } else if (c->null_count > 0) {
        dn_bits_fill(c->validity, (size_t)row, (size_t)n, 1);
    }
}

static void add_column(struct column *c, int64_t row, const struct ArrowArray *in, int64_t first,
                       int64_t n)
{
    if (c->layout == DN_LAYOUT_NONE) {
        c->null_count += n;
        return;
    }
    add_validity(c, row, in, first, n);
    if (c->layout == DN_LAYOUT_VIEWS) {
        add_texts(c, row, in, first, n);
    } else if (c->layout == DN_LAYOUT_BITS) {
        dn_bits_copy(c->values, (size_t)row, in->buffers[1], (size_t)first, (size_t)n);
    } else {
        memcpy(c->values + (size_t)row * c->width,
               (const uint8_t *)in->buffers[1] + (size_t)first * c->width, (size_t)n * c->width);
    }
}

/* ---- a job -------------------------------------------------------------------------------------------------------- */

static void copy_rows(struct job *j)
{
    int64_t row = 0;

    for (size_t i = 0; i < j->n_batches; i++) {
        const struct ArrowArray *batch = &j->batches[i];
        for (int64_t k = 0; k < batch->n_children; k++) {
            const struct ArrowArray *in = batch->children[k];
            add_column(&j->columns[k], row, in, batch->offset + in->offset, batch->length);
        }
        row += batch->length;
    }
}

static void drop_batches(struct job *j)
{
    for (size_t i = 0; i < j->n_batches; i++) {
        j->batches[i].release(&j->batches[i]);
    }
    j->n_batches = 0;
}

static void unref(struct dn_merge *m)
{
    if (atomic_fetch_sub(&m->n_refs, 1) == 1) {
        (void)pthread_cond_destroy(&m->done);
        (void)pthread_mutex_destroy(&m->lock);
        dn_free(m);
    }
}

static bool claim(struct job *j)
{
    int ready = READY;

    return atomic_compare_exchange_strong(&j->state, &ready, RUNNING);
}

/* Of a job that was claimed. */
static void run(struct job *j)
{
    struct dn_merge *m = j->merge;

    j->block = block_make(j);
    if (j->block != NULL) {
        copy_rows(j);
    }
    drop_batches(j);
    (void)pthread_mutex_lock(&m->lock);
    atomic_store(&j->state, DONE);
    (void)pthread_cond_signal(&m->done);
    (void)pthread_mutex_unlock(&m->lock);
}

static void run_task(void *arg)
{
    struct job *j = arg;
    struct dn_merge *m = j->merge;

    if (claim(j)) {
        run(j);
    }
    unref(m);
}

static struct job *job_at(struct dn_merge *m, size_t i)
{
    return &m->jobs[(m->first + i) % (m->most_jobs + 1)];
}

/* One that is run now copies what is in memory, which does not take long. */
static void wait_for(struct job *j)
{
    (void)pthread_mutex_lock(&j->merge->lock);
    while (atomic_load(&j->state) != DONE) {
        (void)pthread_cond_wait(&j->merge->done, &j->merge->lock);
    }
    (void)pthread_mutex_unlock(&j->merge->lock);
}

/* The one that is added to, which this thread or a task runs. */
static void start(struct dn_merge *m, bool here)
{
    struct job *j = job_at(m, m->n_started++);
    const size_t twice = 2 * j->bytes;
    const size_t larger = twice > m->now_bytes ? twice : m->now_bytes;

    here = here || m->now_bytes == 0; /* the first is waited for */
    m->now_bytes = larger < m->bytes ? larger : m->bytes;
    atomic_store(&j->state, READY);
    if (m->executor.submit != NULL && !here) {
        atomic_fetch_add(&m->n_refs, 1);
        if (m->executor.submit(m->executor.ctx, run_task, j) == 0) {
            return;
        }
        atomic_fetch_sub(&m->n_refs, 1);
    }
    if (claim(j)) {
        run(j);
    }
}

static enum dn_status job_init(struct job *j, struct dn_merge *m, struct dn_error *err)
{
    const size_t size = (size_t)m->n_columns * sizeof *j->columns;

    j->merge = m;
    j->columns = dn_malloc(size);
    return j->columns != NULL ? DN_OK : dn_error_memory(err, size);
}

/* ---- the jobs ------------------------------------------------------------------------------------------------------ */

enum dn_status dn_merge_create(struct dn_merge **out, const struct ArrowSchema *schema,
                               const uint8_t *forms, const struct dn_executor *executor,
                               size_t bytes, struct dn_error *err)
{
    const size_t size = (size_t)schema->n_children * sizeof(struct column);
    struct dn_merge *m = dn_calloc(1, sizeof *m);

    *out = m;
    if (m == NULL) {
        return dn_error_memory(err, sizeof *m);
    }
    atomic_init(&m->n_refs, 1);
    dn_owner_init(&m->owner);
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_cond_init(&m->done, NULL);
    m->executor = *executor;
    m->bytes = bytes;
    m->most_jobs = executor->submit == NULL              ? 1
                   : executor->n_threads + 1 < MOST_JOBS ? executor->n_threads + 1
                                                         : MOST_JOBS;
    m->n_columns = schema->n_children;
    m->columns = dn_calloc(1, size);
    if (m->columns == NULL) {
        return dn_error_memory(err, size);
    }
    for (int64_t i = 0; i < m->n_columns; i++) {
        (void)column_init(&m->columns[i], schema->children[i], forms[i + 1]);
    }
    for (size_t i = 0; i <= m->most_jobs; i++) {
        DN_TRY(job_init(&m->jobs[i], m, err));
    }
    return DN_OK;
}

void dn_merge_free(struct dn_merge *m)
{
    if (m == NULL || !dn_owner_is_here(&m->owner)) {
        return; /* in a child of fork() nobody runs what was begun */
    }
    for (size_t i = 0; i < m->n_started; i++) {
        struct job *j = job_at(m, i);
        if (!claim(j)) {
            wait_for(j);
        }
        if (j->block != NULL) {
            dn_free_aligned(j->block, j->block->size);
        }
    }
    for (size_t i = 0; i <= m->most_jobs; i++) {
        drop_batches(&m->jobs[i]);
        dn_free(m->jobs[i].batches);
        dn_free(m->jobs[i].columns);
    }
    dn_memory_idle_withdraw(m->most_jobs * m->largest);
    dn_free(m->columns);
    unref(m);
}

bool dn_merge_wants(struct dn_merge *m)
{
    size_t held = 0;

    for (size_t i = 0; i < m->n_started; i++) {
        held += job_at(m, i)->held;
    }
    return m->n_started == 0 || (m->n_started < m->most_jobs && held < HELD_BY_ALL * m->bytes &&
                                 atomic_load(&job_at(m, 0)->state) != DONE);
}

static enum dn_status too_much_text(const char *column, struct dn_error *err)
{
    const enum dn_status st = dn_error_set(
        err, DN_ERR_UNSUPPORTED,
        "column \"%s\": a batch has more than 2 GiB of text; the option strings=\"view\" has room "
        "for it",
        column);

    dn_error_locate(err, NULL, -1, -1, -1, column);
    return st;
}

/* The views of a column, and the texts that they point to, unless another column or the batch before shares them. */
static size_t held_by(struct column *c, const struct ArrowArray *in, const void **heap)
{
    size_t sum = (size_t)in->length * sizeof(struct dn_string_view);

    if (in->n_buffers > 3 && in->buffers[2] != *heap && in->buffers[2] != c->heap) {
        const int64_t *lens = in->buffers[in->n_buffers - 1];
        for (int64_t i = 0; i < in->n_buffers - 3; i++) {
            sum += (size_t)lens[i];
        }
    }
    c->heap = in->n_buffers > 3 ? in->buffers[2] : NULL;
    *heap = c->heap;
    return sum;
}

/* Count the batch in; false: its texts do not fit behind those there are, and nothing of it counts. */
static bool count_in(struct job *j, const struct ArrowArray *batch, const char **column)
{
    const size_t n_rows = (size_t)batch->length;
    size_t bytes = n_rows;
    size_t held = (size_t)j->merge->n_columns * COLUMN_BYTES;
    const void *heap = NULL;
    int64_t i = 0;

    for (; i < j->merge->n_columns; i++) {
        struct column *c = &j->columns[i];
        const struct ArrowArray *in = batch->children[i];
        c->n_bytes = 0;
        if (c->layout == DN_LAYOUT_VIEWS) {
            c->n_bytes = text_bytes(in, batch->offset + in->offset, batch->length);
            held += held_by(c, in, &heap);
        }
        c->room += c->n_bytes;
        bytes += c->n_bytes + n_rows * c->width + n_rows / 8;
        if (c->width == sizeof(int32_t) && c->room > INT32_MAX - DN_VIEW_INLINE) {
            *column = c->name;
            break;
        }
    }
    const bool fits = i == j->merge->n_columns;
    for (int64_t k = 0; k < (fits ? i : i + 1); k++) {
        j->columns[k].room -= fits ? 0 : j->columns[k].n_bytes;
        j->columns[k].n_bytes = 0;
    }
    j->bytes += fits ? bytes : 0;
    j->held += fits ? bytes + held : 0;
    return fits;
}

/* The job that is added to, without rows. */
static void job_empty(struct job *j)
{
    memcpy(j->columns, j->merge->columns, (size_t)j->merge->n_columns * sizeof *j->columns);
    j->n_rows = 0;
    j->bytes = 0;
    j->held = 0;
}

static enum dn_status reserve(struct job *j, struct dn_error *err)
{
    if (j->n_batches < j->most_batches) {
        return DN_OK;
    }
    const size_t more = 2 * j->most_batches + 8;
    struct ArrowArray *grown = dn_realloc_array(j->batches, more, sizeof *grown);
    if (grown == NULL) {
        return dn_error_memory(err, more * sizeof *grown);
    }
    j->batches = grown;
    j->most_batches = more;
    return DN_OK;
}

enum dn_status dn_merge_add(struct dn_merge *m, struct ArrowArray *batch, struct dn_error *err)
{
    struct job *j = job_at(m, m->n_started);
    const char *column = NULL;

    atomic_store(&j->state, ADDED_TO);
    if (j->n_batches == 0) {
        job_empty(j);
    }
    if (!count_in(j, batch, &column)) {
        if (j->n_batches == 0) {
            return too_much_text(column, err);
        }
        start(m, false); /* for one more there is always room, see dn_merge_wants() */
        return dn_merge_add(m, batch, err);
    }
    DN_TRY(reserve(j, err));
    j->batches[j->n_batches++] = *batch;
    j->n_rows += batch->length;
    batch->release = NULL;
    if (j->bytes >= m->now_bytes || j->held >= HELD_BY_JOB * m->bytes) {
        start(m, false);
    }
    return DN_OK;
}

static void hand_out(struct job *j, struct ArrowArray *out)
{
    struct block *b = j->block;
    const int64_t n = j->merge->n_columns;

    for (int64_t i = 0; i < n; i++) {
        const struct column *c = &j->columns[i];
        c->buffers[0] = c->null_count > 0 ? c->validity : NULL;
        c->buffers[1] = c->values;
        c->buffers[2] = c->bytes;
        b->pointers[i] = &b->children[i];
        b->children[i] = (struct ArrowArray){.length = j->n_rows,
                                             .null_count = c->null_count,
                                             .n_buffers = (int64_t)n_buffers_of(c),
                                             .buffers = c->buffers,
                                             .release = column_release,
                                             .private_data = b};
    }
    atomic_init(&b->n_refs, n + 1);
    *out = (struct ArrowArray){.length = j->n_rows,
                               .n_buffers = 1,
                               .n_children = n,
                               .buffers = &b->no_validity,
                               .children = b->pointers,
                               .release = batch_release,
                               .private_data = b};
}

enum dn_status dn_merge_take(struct dn_merge *m, struct ArrowArray *out, struct dn_error *err)
{
    struct job *j = job_at(m, 0);

    *out = (struct ArrowArray){0};
    DN_TRY(dn_owner_check(&m->owner, "stream", err));
    if (m->n_started == 0) {
        if (j->n_batches == 0) {
            return DN_OK;
        }
        start(m, true);
    }
    if (claim(j)) {
        run(j);
    } else {
        wait_for(j);
    }
    m->first = (m->first + 1) % (m->most_jobs + 1);
    m->n_started--;
    if (j->block == NULL) {
        return dn_error_memory(err, j->bytes);
    }
    if (j->block->size > m->largest) {
        dn_memory_idle_grant(m->most_jobs * (j->block->size - m->largest));
        m->largest = j->block->size;
    }
    hand_out(j, out);
    j->block = NULL;
    return DN_OK;
}
