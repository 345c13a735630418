#include "base/memory.h"
#include "csv/reader_internal.h"

#include <stdio.h>
#include <string.h>

#define LOCATE_CHUNK ((size_t)1 << 20)

/* What can be read only once, or is another file by now, has no lines to count; anything else that fails is an error. */
static enum dn_status open_counter(struct dn_csv_line_counter *c, const struct dn_csv_reader *r,
                                   size_t file, struct dn_error *err)
{
    static const struct dn_source_identity not_opened;

    dn_csv_line_counter_finish(c);
    *c = (struct dn_csv_line_counter){.file = file, .lines = 1, .unknown = true};
    const enum dn_status st =
        dn_text_open_again(&c->source, r->paths[file], r->feed.text, r->feed.stop, err);
    if (st == DN_ERR_UNSUPPORTED) {
        return DN_OK;
    }
    DN_TRY(st);
    if (memcmp(&r->feed.opened[file], &not_opened, sizeof(not_opened)) != 0 &&
        !dn_source_is_same(c->source, &r->feed.opened[file])) {
        return DN_OK; /* its lines would not be those of what was read */
    }
    if (r->feed.range != NULL) { /* what stands in front of a piece was counted when it was cut */
        const struct dn_csv_range *range = r->feed.range;
        c->at = (uint64_t)range->start;
        c->lines = range->line;
        DN_TRY(dn_source_range(c->source, c->at, (uint64_t)range->end, err));
    }
    c->chunk = dn_malloc(LOCATE_CHUNK);
    if (c->chunk == NULL) {
        return dn_error_memory(err, LOCATE_CHUNK);
    }
    c->unknown = false;
    return DN_OK;
}

void dn_csv_line_counter_finish(struct dn_csv_line_counter *c)
{
    if (c->source != NULL) {
        dn_source_close(c->source);
    }
    dn_free(c->chunk);
    *c = (struct dn_csv_line_counter){0};
}

/* Lines are counted only when an error needs one, or somebody asks: it costs nothing while all is well. */
enum dn_status dn_csv_count_lines(struct dn_csv_line_counter *c, const struct dn_csv_reader *r,
                                  size_t file, int64_t offset, int64_t *out, struct dn_error *err)
{
    *out = -1;
    if (c->lines == 0 || c->file != file) {
        DN_TRY(open_counter(c, r, file, err));
    }
    while (!c->unknown && c->at < (uint64_t)offset) {
        const uint64_t left = (uint64_t)offset - c->at;
        size_t got;
        if (dn_stop_asked(r->feed.stop)) {
            return dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request");
        }
        DN_TRY(dn_source_read(c->source, c->chunk,
                              left < LOCATE_CHUNK ? (size_t)left : LOCATE_CHUNK, &got, err));
        if (got == 0) {
            return DN_OK;
        }
        c->lines += dn_csv_line_ends(&r->dialect, c->chunk, got, &c->after_cr);
        c->at += got;
    }
    *out = !c->unknown && c->at == (uint64_t)offset ? c->lines : -1;
    return DN_OK;
}

/* An error is told without its line rather than not at all. */
static int64_t count_lines(const struct dn_csv_reader *r, size_t file, int64_t offset)
{
    struct dn_csv_line_counter counter = {0};
    int64_t line = -1;

    if (dn_csv_count_lines(&counter, r, file, offset, &line, NULL) != DN_OK) {
        line = -1;
    }
    dn_csv_line_counter_finish(&counter);
    return line;
}

void dn_csv_place(const struct dn_csv_reader *r, size_t file, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    char line[32] = "";
    struct dn_error placed;
    const char *path = dn_source_shown_path(shown, r->paths[file]);

    if (err == NULL || err->byte_offset < 0) {
        return; /* not about a place in a file */
    }
    if (err->line < 0) {
        err->line = count_lines(r, file, err->byte_offset);
    }
    dn_error_locate(err, path, -1, -1, -1, NULL);
    if (err->line >= 0) {
        snprintf(line, sizeof(line), "line %lld, ", (long long)err->line);
    }
    (void)dn_error_set(&placed, (enum dn_status)err->code, "%s: %sbyte %lld: %s", err->path, line,
                       (long long)err->byte_offset, err->message);
    memcpy(err->message, placed.message, sizeof(err->message));
}
