/*
 * Blocks of records, which the reader's tasks render, put together to texts of as many rows as the host asked for.  A thread does that,
 * so that the next text is there when the host comes for it; the host's own thread only takes it.
 */
#include "csv_reader_records.h"

#include "base/memory.h"
#include "base/thread.h"
#include "csv/records.h"

/* How far ahead texts are made: so many, and so many bytes.  A text that is larger than that is made when it is asked for. */
#define MOST_TEXTS 16
#define MOST_BYTES ((size_t)32 << 20)

struct csv_records {
    struct dn_csv_reader *reader;
    const struct ArrowSchema *schema;
    bool numbers;
    int64_t chunk_rows;
    bool begun;
    bool
        has_thread; /**< else there is none to be had, and texts are made when they are asked for */
    pthread_t thread;

    /* of who makes the texts */
    struct dn_csv_records block; /**< the block that is being cut, */
    int64_t block_row;           /**< and the first row of it that is in no text */
    size_t idle_bytes;           /**< of freed texts that may be kept */

    pthread_mutex_t lock; /**< guards everything below */
    pthread_cond_t given; /**< for the host: a text, or the end */
    pthread_cond_t room;  /**< for the thread: a text was taken or is wanted, or none is any more */
    const char *texts[MOST_TEXTS];
    size_t sizes[MOST_TEXTS];
    size_t first;
    size_t n;
    size_t bytes;     /**< of the n texts */
    size_t last_size; /**< of the last one that was made, without its end */
    bool wanted;      /**< the host waits */
    bool stop;
    bool ended; /**< nothing comes behind the n texts but what `status` says */
    enum dn_status status;
    struct dn_error error;
};

enum dn_status csv_records_create(struct csv_records **out, struct dn_csv_reader *reader,
                                  const struct ArrowSchema *schema, bool numbers,
                                  int64_t chunk_rows, struct dn_error *err)
{
    struct csv_records *t = dn_calloc(1, sizeof(*t));

    *out = t;
    if (t == NULL) {
        return dn_error_memory(err, sizeof(*t));
    }
    t->reader = reader;
    t->schema = schema;
    t->numbers = numbers;
    t->chunk_rows = chunk_rows;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->given, NULL);
    pthread_cond_init(&t->room, NULL);
    return DN_OK;
}

/* ---- making a text ---- */

/* Freed texts are what the next ones are made in. */
static void keep_idle(struct csv_records *t, size_t size)
{
    const size_t wanted = size < MOST_BYTES / 2 ? 2 * size : MOST_BYTES;

    if (wanted > t->idle_bytes) {
        dn_memory_idle_grant(wanted - t->idle_bytes);
        t->idle_bytes = wanted;
    }
}

/* Make sure that the block has rows left; it has none at the end of the data. */
static enum dn_status fill_block(struct csv_records *t, struct dn_error *err)
{
    if (t->block_row < t->block.n_rows) {
        return DN_OK;
    }
    dn_csv_records_finish(&t->block);
    t->block_row = 0;
    return dn_csv_reader_next_records(t->reader, &t->block, err);
}

/* Append rows of the block, chunk_rows in all at most, each with a comma behind it. */
static enum dn_status append_rows(struct csv_records *t, struct dn_buffer *b, int64_t *n_rows,
                                  struct dn_error *err)
{
    const int64_t left = t->block.n_rows - t->block_row;
    const int64_t wanted = t->chunk_rows - *n_rows;
    const int64_t n = left < wanted ? left : wanted;
    const uint64_t from = t->block_row == 0 ? 0 : dn_csv_record_end(&t->block, t->block_row - 1);
    const uint64_t to = dn_csv_record_end(&t->block, t->block_row + n - 1);

    DN_TRY(dn_buffer_append(b, t->block.text.data + from, (size_t)(to - from), err));
    t->block_row += n;
    *n_rows += n;
    return DN_OK;
}

static enum dn_status make_text(struct csv_records *t, size_t expected, const char **out,
                                size_t *size, struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;
    int64_t n_rows = 0;

    *out = NULL;
    DN_TRY(fill_block(t, err));
    if (t->block.n_rows == 0) {
        return DN_OK;
    }
    DN_TRY(dn_shell_text_begin(&b, expected + expected / 16, err));
    DN_TRY_GOTO(st, dn_buffer_append_byte(&b, '[', err), cleanup);
    while (n_rows < t->chunk_rows && t->block.n_rows > 0) {
        DN_TRY_GOTO(st, append_rows(t, &b, &n_rows, err), cleanup);
        if (n_rows < t->chunk_rows) {
            DN_TRY_GOTO(st, fill_block(t, err), cleanup);
        }
    }
    b.data[b.len - 1] = ']'; /* in place of the last comma */
    *size = dn_shell_text_len(&b);
    keep_idle(t, *size);
    *out = dn_shell_text_end(&b);
    if (*out == NULL) {
        st = dn_error_memory(err, *size);
    }
cleanup:
    dn_buffer_finish(&b);
    return st;
}

/* ---- ahead of the host ---- */

/* Lock held. */
static bool may_make(const struct csv_records *t)
{
    return t->n < MOST_TEXTS && (t->wanted || t->bytes + t->last_size <= MOST_BYTES);
}

/* Make one more text, or note why there is none.  Lock held, but for the making. */
static void make_one(struct csv_records *t)
{
    const size_t expected = t->last_size;
    const char *text = NULL;
    size_t size = 0;
    struct dn_error error;

    dn_error_clear(&error);
    pthread_mutex_unlock(&t->lock);
    const enum dn_status st = make_text(t, expected, &text, &size, &error);
    pthread_mutex_lock(&t->lock);
    if (text == NULL) {
        t->ended = true;
        t->status = st;
        t->error = error;
        return;
    }
    const size_t at = (t->first + t->n++) % MOST_TEXTS;
    t->texts[at] = text;
    t->sizes[at] = size;
    t->bytes += size;
    t->last_size = size;
}

static void *make_texts(void *arg)
{
    struct csv_records *t = arg;

    pthread_mutex_lock(&t->lock);
    while (!t->stop && !t->ended) {
        if (!may_make(t)) {
            pthread_cond_wait(&t->room, &t->lock);
            continue;
        }
        make_one(t);
        if (t->wanted) {
            pthread_cond_signal(&t->given);
        }
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static enum dn_status begin(struct csv_records *t, struct dn_error *err)
{
    const int64_t n = t->schema->n_children;
    const char **names = dn_calloc((size_t)n + 1, sizeof(*names));

    if (names == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof(*names));
    }
    for (int64_t i = 0; i < n; i++) {
        names[i] = t->schema->children[i]->name;
    }
    const enum dn_status st = dn_csv_reader_render(t->reader, names, t->numbers, err);
    dn_free(names);
    DN_TRY(st);
    t->begun = true;
    t->has_thread = dn_thread_start(&t->thread, "dn-records", make_texts, t) == 0;
    return DN_OK;
}

/* Lock held. */
static const char *take_text(struct csv_records *t)
{
    const char *text = t->texts[t->first];

    t->bytes -= t->sizes[t->first];
    t->first = (t->first + 1) % MOST_TEXTS;
    t->n--;
    return text;
}

enum dn_status csv_records_next(struct csv_records *t, const char **out, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    *out = NULL;
    if (!t->begun) {
        DN_TRY(begin(t, err));
    }
    pthread_mutex_lock(&t->lock);
    t->wanted = t->n == 0;
    if (!t->has_thread && !t->ended) {
        make_one(t);
    } else if (t->wanted) {
        pthread_cond_signal(&t->room);
    }
    while (t->n == 0 && !t->ended) {
        pthread_cond_wait(&t->given, &t->lock);
    }
    t->wanted = false;
    if (t->n > 0) {
        *out = take_text(t);
    } else if (t->status != DN_OK) {
        st = t->status;
        *err = t->error;
    }
    if (t->has_thread &&
        t->n <=
            MOST_TEXTS / 2) { /* to wake it for each of small ones would cost more than they do */
        pthread_cond_signal(&t->room);
    }
    pthread_mutex_unlock(&t->lock);
    return st;
}

void csv_records_destroy(struct csv_records *t)
{
    if (t == NULL) {
        return;
    }
    if (t->has_thread) {
        dn_csv_reader_cancel(t->reader);
        pthread_mutex_lock(&t->lock);
        t->stop = true;
        pthread_cond_signal(&t->room);
        pthread_mutex_unlock(&t->lock);
        (void)pthread_join(t->thread, NULL);
    }
    while (t->n > 0) {
        dn_shell_text_free(take_text(t));
    }
    dn_csv_records_finish(&t->block);
    dn_memory_idle_withdraw(t->idle_bytes);
    pthread_cond_destroy(&t->room);
    pthread_cond_destroy(&t->given);
    pthread_mutex_destroy(&t->lock);
    dn_free(t);
}
