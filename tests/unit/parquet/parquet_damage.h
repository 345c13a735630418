/** Small files with damage: every single bit turned over, and random changes. */
#ifndef DN_TEST_PARQUET_DAMAGE_H
#define DN_TEST_PARQUET_DAMAGE_H

#include "batch_look.h"
#include "parquet_rows.h"
#include "verified.h"

struct bytes {
    uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_of_file(const char *path)
{
    struct bytes b = {0};
    struct stat info;
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &info), 0);
    b.len = (size_t)info.st_size;
    b.data = dn_malloc(b.len);
    assert_non_null(b.data);
    assert_int_equal(fread(b.data, 1, b.len, f), b.len);
    (void)fclose(f);
    return b;
}

/**
 * Columns [first, first + n) of `all` in a file of its own, without an Arrow schema, of which the format says no second time what it
 * says.
 */
static inline struct bytes bytes_of_rows(const char *dir, const struct rows *all, int64_t first,
                                         int64_t n, const char *codec)
{
    const char *path = scratch_path(dir, "small.parquet");
    const struct rows r = {all->n_rows, n, all->columns + first};
    const struct dn_parquet_options o = {.struct_size = sizeof(o),
                                         .overwrite = true,
                                         .compression = codec,
                                         .page_rows = 9,
                                         .arrow_schema = DN_PARQUET_ARROW_SCHEMA_NEVER,
                                         .n_threads = 1};
    struct dn_error err = {0};

    if (rows_write(&r, path, r.n_rows, &o, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    return bytes_of_file(path);
}

/** Is `at` within the last place of `part`, or within the `more` bytes behind it? */
static inline bool damage_is_at(const struct bytes *b, size_t at, const void *part, size_t len,
                                size_t more)
{
    for (size_t i = b->len - len; i > 0; i--) {
        if (memcmp(b->data + i, part, len) == 0) {
            return at >= i && at < i + len + more;
        }
    }
    return false;
}

/**
 * Bits that the format says once, so that the file is as right with either value:
 * created_by and the name of the root are free texts; a timestamp without a zone has its unit in its logical type alone (microseconds
 * become nanoseconds); the deprecated file_offset of the first chunk may be 0 or its first byte, 4.
 */
static inline bool damage_shows_nowhere(const struct bytes *b, size_t at, unsigned bit)
{
    static const char creator[] = "dativo-native version ";
    static const uint8_t unit[] = {0x12, 0x1c, 0x2c, 0x00, 0x00, 0x00};
    static const uint8_t chunk[] = {0x26, 0x00, 0x1c}; /* ColumnChunk: file_offset 0, meta_data */
    const size_t creator_end = strlen("0.1.0 (build release)");

    return damage_is_at(b, at, creator, sizeof creator - 1, creator_end) ||
           damage_is_at(b, at, "schema", 6, 0) ||
           (bit == 4 && at >= 2 && at + 4 <= b->len && memcmp(b->data + at - 2, unit, 6) == 0) ||
           (bit == 3 && at >= 1 && at + 2 <= b->len && memcmp(b->data + at - 1, chunk, 3) == 0);
}

/** Turn every bit over, one at a time, and verify; returns how many made no difference to it though they have a meaning. */
static inline size_t damage_every_bit(const struct bytes *b)
{
    size_t n_missed = 0;

    assert_int_equal(verify_bytes(b->data, b->len).errors, 0);
    assert_int_equal(verify_bytes(b->data, b->len).notes, 0);
    for (size_t at = 0; at < b->len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            const bool nowhere = damage_shows_nowhere(b, at, bit);
            b->data[at] ^= (uint8_t)(1U << bit);
            const struct verified v = verify_bytes(b->data, b->len);
            b->data[at] ^= (uint8_t)(1U << bit);
            if (v.status == DN_OK && v.errors + v.notes == 0 && !nowhere) {
                print_message("bit %u of byte %zu of %zu (0x%02x) is missed\n", bit, at, b->len,
                              b->data[at]);
                n_missed++;
            }
        }
    }
    return n_missed;
}

/** Some bytes of a file changed, moved, cut out or made extreme. */
static inline void damage_at_random(struct bytes *b, uint64_t *random)
{
    const size_t n = 1 + scratch_random(random) % 4;

    for (size_t i = 0; i < n && b->len > 16; i++) {
        /* half of it where the footer is */
        const size_t range = scratch_random(random) % 2 != 0 ? b->len : b->len / 2;
        const size_t at = b->len - 1 - scratch_random(random) % range;
        const size_t len = 1 + scratch_random(random) % 8;
        switch (scratch_random(random) % 6) {
        case 0:
            b->data[at] ^= (uint8_t)(1U << scratch_random(random) % 8);
            break;
        case 1:
            b->data[at] = (uint8_t)scratch_random(random);
            break;
        case 2:
            memset(b->data + at, scratch_random(random) % 2 != 0 ? 0xff : 0x80,
                   len < b->len - at ? len : b->len - at);
            break;
        case 3: { /* a piece of it somewhere else */
            const size_t from = scratch_random(random) % (b->len - len);
            memmove(b->data + at, b->data + from, len < b->len - at ? len : b->len - at);
            break;
        }
        case 4: /* bytes are missing */
            if (at + len < b->len) {
                memmove(b->data + at, b->data + at + len, b->len - at - len);
                b->len -= len;
            }
            break;
        default:
            b->data[at] = (uint8_t)(b->data[at] + (scratch_random(random) % 2 != 0 ? 1 : 255));
            break;
        }
    }
}

#define DAMAGE_MOST_ROWS 100000 /* a few bytes may stand for billions of nulls */

/** Read it all, or as far as it can be. */
static inline enum dn_status damage_read(const char *path, int64_t batch_rows, struct dn_error *err)
{
    const struct dn_parquet_read_options o = {.struct_size = sizeof(o),
                                              .n_threads = 1,
                                              .batch_rows = batch_rows,
                                              .memory_budget_bytes = UINT64_C(32) << 20};
    struct dn_parquet_reader *r = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    char said[256];
    int64_t rows = 0;
    enum dn_status st = dn_parquet_reader_open(&r, path, &o, err);

    if (st == DN_OK) {
        st = dn_parquet_reader_schema(r, &schema, err);
    }
    while (st == DN_OK && rows < DAMAGE_MOST_ROWS) {
        st = dn_parquet_reader_next(r, &batch, err);
        if (st != DN_OK || batch.release == NULL) {
            break;
        }
        if (batch_look(&schema, &batch, said) != NULL) {
            fail_msg("%s", said);
        }
        rows += batch.length;
        batch.release(&batch);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_parquet_reader_close(r);
    return st;
}

/** One damaged file through verify and the reader: what verify finds no fault in can be read. */
static inline bool damage_look(const struct bytes *b, size_t number)
{
    char path[MEMORY_FILE_PATH_SIZE];
    struct dn_error err = {0};
    const int fd = memory_file_open(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, b->data, b->len), b->len);
    const struct verified v = verify_path(path);
    const enum dn_status st = damage_read(path, number % 3 == 0 ? 7 : 0, &err);
    assert_int_equal(memory_file_close(fd, path), 0);
    if (v.status != DN_OK && v.status != DN_ERR_UNSUPPORTED) {
        fail_msg("damage %zu: verify: %s", number, v.first);
    }
    if (st != DN_OK && (st == DN_ERR_INTERNAL || err.code != (int32_t)st || err.message[0] == 0)) {
        fail_msg("damage %zu: status %d: %s", number, (int)st, err.message);
    }
    /* what Arrow has no room for is no fault of the file */
    if (st == DN_ERR_DATA && v.status == DN_OK && v.errors == 0 &&
        strstr(err.message, "does not fit nanoseconds") == NULL) {
        fail_msg("damage %zu: verify finds no fault, and it cannot be read: %s", number,
                 err.message);
    }
    return v.status == DN_OK && v.errors == 0;
}

/** n files made of `b` by damage; returns how many verify finds no fault in. */
static inline size_t damage_many(const struct bytes *b, size_t n, uint64_t seed)
{
    size_t n_good = 0;
    struct bytes copy = {dn_malloc(b->len), 0};
    uint64_t random = seed;

    assert_non_null(copy.data);
    for (size_t i = 0; i < n; i++) {
        memcpy(copy.data, b->data, b->len);
        copy.len = b->len;
        damage_at_random(&copy, &random);
        n_good += damage_look(&copy, i);
    }
    dn_free(copy.data);
    return n_good;
}

#endif
