#include "base/memory.h"
#include "parquet/write/writer_internal.h"

struct dn_parquet_context {
    struct dn_owner owner;
    struct dn_pool *disk;         /**< of the one thread that waits for it */
    struct dn_pq_packer *packers; /**< those that rest; a writer has them while it is open */
    size_t idle_bytes;            /**< of freed blocks, by the largest budget of a writer so far */
    bool in_use;
};

static void destroy_packers(struct dn_pq_packer *p)
{
    while (p != NULL) {
        struct dn_pq_packer *next = p->next;
        dn_pq_packer_destroy(p);
        p = next;
    }
}

enum dn_status dn_parquet_context_create(struct dn_parquet_context **out, struct dn_error *err)
{
    struct dn_parquet_context *c = dn_calloc(1, sizeof *c);

    *out = NULL;
    if (c == NULL) {
        return dn_error_memory(err, sizeof *c);
    }
    dn_owner_init(&c->owner);
    const enum dn_status st = dn_pool_create(&c->disk, 1, err);
    if (st != DN_OK) {
        dn_free(c);
        return st;
    }
    *out = c;
    return DN_OK;
}

void dn_parquet_context_destroy(struct dn_parquet_context *c)
{
    if (c == NULL || !dn_owner_is_here(&c->owner)) {
        return;
    }
    dn_pool_destroy(c->disk);
    destroy_packers(c->packers);
    dn_memory_idle_withdraw(c->idle_bytes);
    dn_free(c);
}

enum dn_status dn_pq_context_enter(struct dn_parquet_context *c, struct dn_parquet_writer *w,
                                   struct dn_error *err)
{
    struct dn_pq_packer *p = c->packers;

    DN_TRY(dn_owner_check(&c->owner, "context of Parquet writers", err));
    if (c->in_use) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "'%s' was opened in a context in which another file is open; close "
                            "that one first",
                            w->path);
    }
    if (c->idle_bytes < w->budget.idle_bytes) {
        dn_memory_idle_grant(w->budget.idle_bytes - c->idle_bytes);
        c->idle_bytes = w->budget.idle_bytes;
    }
    c->in_use = true;
    c->packers = NULL;
    w->context = c;
    w->disk = dn_pool_executor(c->disk);
    while (p != NULL && p->codec == w->codec && p->level == w->codec_level &&
           w->n_packers < w->budget.most_packers) {
        struct dn_pq_packer *next = p->next;
        p->next = w->packers;
        w->packers = p;
        w->n_packers++;
        p = next;
    }
    destroy_packers(p); /* of another codec, or more than may be at work */
    return DN_OK;
}

void dn_pq_context_leave(struct dn_parquet_context *c, struct dn_parquet_writer *w)
{
    if (c != NULL) {
        c->packers = w->packers;
        c->in_use = false;
        w->packers = NULL;
    }
}
