#include "filter/filter.h"

#include "base/memory.h"
#include "store/source_class.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IN_BYTES ((size_t)256 << 10)

struct filter {
    struct dn_source base;
    struct dn_source *inner;
    const struct dn_filter_class *class;
    void *state;
    uint8_t *in; /* IN_BYTES; in[in_pos, in_len) are in hand */
    size_t in_pos;
    size_t in_len;
    uint64_t in_offset; /* stored bytes in front of in[0] */
    int64_t made;       /* bytes that came out */
    bool in_end;        /* nothing comes behind them */
    bool inside;        /* a member */
    bool ended;
    enum dn_status status; /* for good, once it failed */
    struct dn_error error;
};

static struct filter *of(struct dn_source *s)
{
    return (struct filter *)(void *)s;
}

/* ---- errors ---- */

static enum dn_status failed(const struct filter *f, enum dn_status st, const char *what,
                             struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    return dn_source_located(&f->base,
                             dn_error_set(err, st, "'%s': %s: %s",
                                          dn_source_shown_path(shown, f->base.path), f->class->name,
                                          what),
                             err);
}

static enum dn_status damaged(const struct filter *f, struct dn_error *err)
{
    char what[512];

    if (f->class->begins == NULL) { /* no packing, but a text with a place */
        dn_error_locate(err, NULL, -1, -1, f->made, NULL);
        return dn_source_located(&f->base, DN_ERR_DATA, err);
    }
    (void)snprintf(what, sizeof(what),
                   "damaged near byte %" PRIu64 " of the file as it is stored: %.300s; get the "
                   "file again",
                   f->in_offset + f->in_pos, err != NULL ? err->message : "unreadable");
    return failed(f, DN_ERR_DATA, what, err);
}

static enum dn_status cut(const struct filter *f, struct dn_error *err)
{
    char what[256];

    (void)snprintf(what, sizeof(what),
                   "the data ends in the middle, at byte %" PRIu64
                   " of the file as it is stored: it was cut; get the file again",
                   f->in_offset + f->in_len);
    return failed(f, DN_ERR_DATA, what, err);
}

static enum dn_status trailing(const struct filter *f, struct dn_error *err)
{
    char what[256];

    (void)snprintf(what, sizeof(what),
                   "byte %" PRIu64
                   " of the file as it is stored follows its end and begins nothing that is packed "
                   "like it; cut the file there, or get it again",
                   f->in_offset + f->in_pos);
    return failed(f, DN_ERR_DATA, what, err);
}

/* ---- bytes in hand ---- */

/* Have `wanted` bytes, or all there are. */
static enum dn_status fill(struct filter *f, size_t wanted, struct dn_error *err)
{
    if (f->in_end || f->in_len - f->in_pos >= wanted) {
        return DN_OK;
    }
    memmove(f->in, f->in + f->in_pos, f->in_len - f->in_pos);
    f->in_offset += f->in_pos;
    f->in_len -= f->in_pos;
    f->in_pos = 0;
    size_t got = 0;
    const size_t room = IN_BYTES - f->in_len;
    DN_TRY(dn_source_read(f->inner, f->in + f->in_len, room, &got, err));
    f->in_len += got;
    f->in_end = got == 0 && room > 0;
    f->base.stored_read = dn_source_stored_read(f->inner);
    return DN_OK;
}

/* Between two members: go to the next one, or end. */
static enum dn_status next_member(struct filter *f, struct dn_error *err)
{
    do {
        DN_TRY(fill(f, f->class->begins_len, err));
        while (f->class->padded && f->in_pos < f->in_len && f->in[f->in_pos] == 0) {
            f->in_pos++;
        }
        if (f->in_pos == f->in_len) {
            f->ended = f->in_end;
            return DN_OK; /* to come back, maybe */
        }
    } while (f->in_len - f->in_pos < f->class->begins_len && !f->in_end);
    if (!f->class->begins(f->in + f->in_pos, f->in_len - f->in_pos)) {
        return trailing(f, err);
    }
    f->inside = true;
    return f->class->begin != NULL ? f->class->begin(f->state, err) : DN_OK;
}

static enum dn_status step(struct filter *f, uint8_t *out, size_t room, size_t *made,
                           struct dn_error *err)
{
    struct dn_filter_io io = {.in = f->in + f->in_pos,
                              .in_len = f->in_len - f->in_pos,
                              .in_end = f->in_end,
                              .out = out,
                              .out_len = room};

    const enum dn_status st = f->class->step(f->state, &io, err);
    f->in_pos += io.used;
    *made = io.made;
    f->made += (int64_t)io.made;
    if (st != DN_OK) {
        return st == DN_ERR_DATA          ? damaged(f, err)
               : st == DN_ERR_UNSUPPORTED ? failed(f, st, err != NULL ? err->message : "", err)
                                          : st;
    }
    if (io.member_ended) {
        f->inside = false;
        f->ended = f->class->begins == NULL;
    } else if (io.used == 0 && io.made == 0) {
        if (io.in_len == IN_BYTES) { /* no packing needs so many to go on */
            (void)dn_error_set(err, DN_ERR_DATA, "it does not go on");
            return damaged(f, err);
        }
        return f->in_end ? cut(f, err) : fill(f, io.in_len + 1, err);
    }
    return DN_OK;
}

/* ---- the source ---- */

static enum dn_status next_bytes(struct filter *f, uint8_t *out, size_t room, size_t *made,
                                 struct dn_error *err)
{
    if (!f->inside) {
        return next_member(f, err);
    }
    DN_TRY(fill(f, 1, err));
    return step(f, out, room, made, err);
}

static enum dn_status filter_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                                  struct dn_error *err)
{
    struct filter *f = of(s);
    size_t done = 0;

    while (done < size && !f->ended && f->status == DN_OK) {
        size_t made = 0;
        f->status = next_bytes(f, (uint8_t *)buf + done, size - done, &made, &f->error);
        done += made;
        if (f->status == DN_OK && made == 0 && dn_stop_asked(s->stop)) { /* it may go on for long */
            f->status = dn_source_stopped(s, &f->error);
        }
    }
    *got = done;
    if (done > 0 || f->status == DN_OK) {
        return DN_OK; /* a failure comes when there is nothing in front of it */
    }
    if (err != NULL) {
        *err = f->error;
    }
    return f->status;
}

/* Of what is not to be changed only the head was taken. */
static enum dn_status pass_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                                struct dn_error *err)
{
    struct filter *f = of(s);
    const size_t held = f->in_len - f->in_pos;
    const size_t n = held < size ? held : size;

    memcpy(buf, f->in + f->in_pos, n);
    f->in_pos += n;
    *got = n;
    if (n < size && !f->in_end) {
        size_t more = 0;
        DN_TRY(dn_source_read(f->inner, (uint8_t *)buf + n, size - n, &more, err));
        *got = n + more;
        f->in_end = more == 0;
    }
    s->stored_read = dn_source_stored_read(f->inner);
    return DN_OK;
}

static enum dn_status filter_check(const struct dn_source *s, enum dn_source_change *out,
                                   struct dn_error *err)
{
    const struct filter *f = (const struct filter *)(const void *)s;
    return dn_source_check(f->inner, out, err);
}

static void filter_close(struct dn_source *s)
{
    struct filter *f = of(s);

    if (f->state != NULL) {
        f->class->close(f->state);
    }
    dn_source_close(f->inner);
    dn_free(f->in);
    dn_free(f);
}

static const struct dn_source_class filter_class = {
    .read = filter_read, .check = filter_check, .close = filter_close};
static const struct dn_source_class pass_class = {
    .read = pass_read, .check = filter_check, .close = filter_close};

const struct dn_filter_class *dn_filter_find(const uint8_t *head, size_t len)
{
    static const struct dn_filter_class *const all[] = {&dn_filter_gzip, &dn_filter_zstd,
                                                        &dn_filter_bzip2, &dn_filter_xz};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i]->begins(head, len)) {
            return all[i];
        }
    }
    return NULL;
}

enum dn_status dn_filter_open(struct dn_source **out, struct dn_source *inner,
                              const struct dn_filter_class *class, const void *how,
                              const uint8_t *head, size_t len, uint64_t offset,
                              struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_source *s =
        dn_source_make(sizeof(struct filter), class != NULL ? &filter_class : &pass_class,
                       dn_source_path(inner), inner->stop, err);

    *out = NULL;
    if (s == NULL) {
        dn_source_close(inner);
        return DN_ERR_MEMORY;
    }
    struct filter *f = of(s);
    f->inner = inner;
    f->class = class;
    f->in = dn_malloc(class != NULL ? IN_BYTES : DN_FILTER_HEAD);
    if (f->in == NULL) {
        st = dn_error_memory(err, IN_BYTES);
        goto cleanup;
    }
    if (len > 0) {
        memcpy(f->in, head, len);
    }
    f->in_len = len;
    f->in_offset = offset;
    s->can_reopen = dn_source_can_reopen(inner);
    s->identity = dn_source_identity(inner);
    s->stored_size = dn_source_stored_size(inner);
    s->stored_read = dn_source_stored_read(inner);
    if (class != NULL) {
        DN_TRY_GOTO(st, class->open(&f->state, how, err), cleanup);
        f->inside = class->begins == NULL;
    }
    *out = s;
    s = NULL;
cleanup:
    dn_source_close(s);
    return st;
}
