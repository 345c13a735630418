/** What the tests of src/json share: texts that end at an unreadable page, and reading and writing in one call. */
#ifndef DN_TESTS_JSON_SUPPORT_H
#define DN_TESTS_JSON_SUPPORT_H

/* cmocka.h wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** A text without terminator whose last byte is the last one of a page; the next page cannot be read. */
struct guarded {
    uint8_t *map;
    size_t size;
    const char *text;
};

static inline struct guarded guard_text(const char *text, size_t len)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guarded g = {.size = (len / page + 2) * page};

    g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + g.size - page, page, PROT_NONE), 0);
    uint8_t *start = g.map + g.size - page - len;
    memcpy(start, text, len);
    g.text = (const char *)start;
    return g;
}

static inline void unguard_text(struct guarded *g)
{
    assert_int_equal(munmap(g->map, g->size), 0);
}

/** One reading and all it gave. */
struct reading {
    enum dn_status status;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    int64_t file_counter;
    struct dn_records_counts counts;
    struct dn_error err;
};

/** Read `len` bytes of JSON behind which nothing can be read. */
static inline struct reading read_guarded(const char *json, size_t len,
                                          const struct dn_record_field *fields, int64_t n_fields)
{
    struct guarded g = guard_text(json, len);
    struct reading r;

    memset(&r, 0xA5, sizeof r);
    dn_error_clear(&r.err);
    r.status = dn_records_read_counted(g.text, fields, n_fields, &r.schema, &r.batch,
                                       &r.file_counter, &r.counts, &r.err);
    unguard_text(&g); /* the batch must not point into the text */
    if (r.status != DN_OK) {
        assert_null(r.schema.release);
        assert_null(r.batch.release);
        assert_int_equal(r.err.code, r.status);
        assert_true(r.err.message[0] != '\0');
        assert_null(strchr(r.err.message, '\n'));
    } else {
        assert_int_equal(r.err.code, DN_OK);
    }
    return r;
}

/** As read_guarded() for a C string that is a complete value: its NUL is not part of what is readable. */
static inline struct reading read_text(const char *json, const struct dn_record_field *fields,
                                       int64_t n_fields)
{
    return read_guarded(json, strlen(json), fields, n_fields);
}

static inline void end_reading(struct reading *r)
{
    if (r->status == DN_OK) {
        r->schema.release(&r->schema);
        r->batch.release(&r->batch);
    }
}

/** The batch as JSON in a string for free(). */
static inline char *write_text(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
    struct dn_buffer out = {0};
    struct dn_error err;

    dn_error_clear(&err);
    if (dn_records_write(&out, schema, batch, 0, batch->length, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    char *text = malloc(out.len + 1);
    assert_non_null(text);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    assert_int_equal(strlen(text), out.len);
    dn_buffer_finish(&out);
    return text;
}

/** Reading `json` with these fields gives a batch that is written as `expected`. */
static inline void assert_reads_as(const char *json, const struct dn_record_field *fields,
                                   int64_t n_fields, const char *expected)
{
    struct reading r = read_text(json, fields, n_fields);

    if (r.status != DN_OK) {
        fail_msg("%s: %s", json, r.err.message);
    }
    assert_int_equal(r.counts.n_bytes, strlen(json));
    char *text = write_text(&r.schema, &r.batch);
    assert_string_equal(text, expected);
    free(text);
    end_reading(&r);
}

#endif
