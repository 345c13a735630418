/** Every allocation of unpacking and transcoding fails once, in turn: an error, no leak, and what came before it is right. */
#include "filter/text.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/pool.h"

#include "scratch_dir.h"

#define TEXT "a,b\n1,2\n"

/* What the tools of each kind make of TEXT. */
struct packed {
    const char *name;
    const char *bytes;
    size_t len;
    const char *text;
    const char *encoding;
};
#define PACKED(name, bytes, text, encoding)                                                        \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, text, encoding                                             \
    }
#define GZIP                                                                                       \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xd4\x49\xe2\x32\xd4\x31\xe2\x02\x00\x7b\x07\x97" \
    "\x0a\x08\x00\x00\x00"
#define BLOCK                                                                                      \
    "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x42\x43\x02\x00\x23\x00\x4b\xd4\x49\xe2\x32" \
    "\xd4\x31\xe2\x02\x00\x7b\x07\x97\x0a\x08\x00\x00\x00"
#define LAST_BLOCK                                                                                 \
    "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x42\x43\x02\x00\x1b\x00\x03\x00\x00\x00\x00" \
    "\x00\x00\x00\x00\x00"
#define ZSTD "\x28\xb5\x2f\xfd\x20\x08\x41\x00\x00\x61\x2c\x62\x0a\x31\x2c\x32\x0a"
#define BZIP2                                                                                      \
    "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xbf\x87\x40\x7f\x00\x00\x03\x59\x00\x00\x10\x00\x04" \
    "\x30\x00\x30\x00\x20\x00\x30\xc0\x08\x69\xb2\x88\x23\x27\x8b\xb9\x22\x9c\x28\x48\x5f\xc3\xa0" \
    "\x3f\x80"
#define XZ                                                                                         \
    "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5" \
    "\xa3\x01\x00\x07\x61\x2c\x62\x0a\x31\x2c\x32\x0a\x00\xbe\x9c\xbd\x49\xb5\x12\x2a\xfe\x00\x01" \
    "\x20\x08\xbb\x19\xd9\xbb\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a"

static const struct packed kinds[] = {
    PACKED("gzip", GZIP GZIP, TEXT TEXT, NULL),
    PACKED("bgzf", BLOCK BLOCK LAST_BLOCK, TEXT TEXT, NULL),
    PACKED("bgzf, then gzip", BLOCK LAST_BLOCK GZIP, TEXT TEXT, NULL),
    PACKED("zstd", ZSTD ZSTD, TEXT TEXT, NULL),
    PACKED("bzip2", BZIP2 BZIP2, TEXT TEXT, NULL),
    PACKED("xz", XZ XZ, TEXT TEXT, NULL),
    PACKED("utf-16", "\xff\xfe\x61\0\x2c\0\xe9\0",
           "\xef\xbb\xbf"
           "a,\xc3\xa9",
           NULL),
    PACKED("windows-1252", "a,\x80", "a,\xe2\x82\xac", "cp1252"),
    PACKED("gzip of latin1", GZIP, TEXT, "latin-1"),
};

/* All of it in small pieces.  Whatever happened, it may be asked whether the file is still the same. */
static enum dn_status read_all(const char *path, const struct dn_text_options *options,
                               uint8_t *out, size_t size, size_t *len, struct dn_error *err)
{
    struct dn_source *s = NULL;
    enum dn_source_change change = DN_SOURCE_SAME;
    size_t got = 1;

    *len = 0;
    DN_TRY(dn_text_open(&s, path, options, NULL, err));
    enum dn_status st = DN_OK;
    while (st == DN_OK && got > 0) {
        assert_in_range(*len, 0, size - 3);
        st = dn_source_read(s, out + *len, 3, &got, err);
        *len += got;
    }
    (void)!dn_source_check(s, &change, NULL);
    dn_source_close(s);
    return st;
}

static void sweep(const struct packed *p, const struct dn_executor *executor)
{
    const char *path = scratch_path(dir, "in");
    const struct dn_text_options options = {
        .encoding = p->encoding, .replace = true, .executor = executor};
    const size_t n_open = scratch_count("/proc/self/fd");
    uint8_t text[64];
    unsigned n_failed = 0;
    uint64_t n = 1;

    scratch_write(path, p->bytes, p->len);
    for (;; n++) {
        struct dn_error err;
        size_t len = 0;

        dn_error_clear(&err);
        (void)dn_memory_fail_at(n);
        const enum dn_status st = read_all(path, &options, text, sizeof(text), &len, &err);
        const uint64_t counted = dn_memory_fail_at(0);
        assert_int_equal(scratch_count("/proc/self/fd"), n_open);
        assert_memory_equal(text, p->text, len);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            assert_int_equal(len, strlen(p->text));
            break;
        }
        if (st != DN_ERR_MEMORY || err.message[0] == '\0') {
            fail_msg("%s: allocation %u: %s: %s", p->name, (unsigned)n, dn_status_name(st),
                     err.message);
        }
        n_failed++;
    }
    assert_true(n_failed > 4); /* the source, its name, the filter, its buffer, its state */
}

static void test_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        sweep(&kinds[i], NULL);
    }
}

static int32_t run_at_once(void *ctx, void (*task)(void *), void *arg)
{
    (void)ctx;
    task(arg);
    return 0;
}

static void test_blocks_for_several_threads(void **state)
{
    const struct dn_executor executor = {.n_threads = 3, .submit = run_at_once};

    (void)state;
    sweep(&kinds[1], &executor);
    sweep(&kinds[2], &executor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_kind, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_blocks_for_several_threads, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
