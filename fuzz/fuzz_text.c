/*
 * Bytes as files are stored: packed, in any encoding, in several members, damaged.  What comes out, or fails, must not depend on the
 * pieces in which it is asked for, nor on how many bytes a read below gives.  What a library unpacks, or iconv() transcodes, in one call is
 * what comes out.
 * Input: flags (bits 0 to 2: encoding; bit 3: replace), size of pieces; then the file.
 */
#include "fuzz_target.h"

#include "base/buffer.h"
#include "filter/bgzf.h"
#include "filter/encoding.h"
#include "filter/filter.h"
#include "filter/text.h"

#include <iconv.h>
#include <libdeflate.h>
#include <lzma.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#define HEADER 2
#define MOST_TEXT ((size_t)4 << 20) /* a few bytes can stand for gigabytes */

static const char *const encodings[] = {NULL,       "utf-8",        "utf-16",    "utf-16le",
                                        "utf-32be", "windows-1252", "shift_jis", "utf-7"};

struct outcome {
    struct dn_buffer text;
    enum dn_status status;
    struct dn_error error;
    int64_t n_replaced;
};

static void read_all(struct outcome *o, const char *path, const struct dn_text_options *given,
                     size_t piece)
{
    _Atomic int64_t n_replaced = 0;
    struct dn_text_options options = *given;
    struct dn_source *source = NULL;
    size_t got = piece;

    options.n_replaced = &n_replaced;
    o->status = dn_text_open(&source, path, &options, NULL, &o->error);
    while (o->status == DN_OK && got > 0 && o->text.len < MOST_TEXT) {
        FUZZ_CHECK(dn_buffer_reserve(&o->text, piece, NULL) == DN_OK, "out of memory");
        o->status = dn_source_read(source, o->text.data + o->text.len, piece, &got, &o->error);
        FUZZ_CHECK(got <= piece, "more than asked for");
        o->text.len += got;
    }
    o->n_replaced = atomic_load(&n_replaced);
    FUZZ_CHECK(o->status == DN_OK || o->error.message[0] != '\0', "failed without a message");
    dn_source_close(source);
}

/* ---- the same by libraries, in one call ---- */

/* True: all of `in` is one gzip member, one xz stream or frames of zstd; *made bytes of it are at `out`. */
static bool unpack_at_once(const uint8_t *in, size_t len, uint8_t *out, size_t *made)
{
    if (dn_filter_find(in, len) == &dn_filter_gzip) {
        struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
        size_t used = 0;
        FUZZ_CHECK(d != NULL, "out of memory");
        const enum libdeflate_result result =
            libdeflate_gzip_decompress_ex(d, in, len, out, MOST_TEXT, &used, made);
        libdeflate_free_decompressor(d);
        return result == LIBDEFLATE_SUCCESS && used == len;
    }
    if (dn_filter_find(in, len) == &dn_filter_zstd) {
        *made = ZSTD_decompress(out, MOST_TEXT, in, len);
        return !ZSTD_isError(*made);
    }
    if (dn_filter_find(in, len) == &dn_filter_xz) {
        uint64_t memory = (uint64_t)64 << 20;
        size_t used = 0;
        *made = 0;
        return lzma_stream_buffer_decode(&memory, 0, NULL, in, &used, len, out, made, MOST_TEXT) ==
                   LZMA_OK &&
               used == len;
    }
    return false;
}

/* True: iconv() takes all of `in`; as much of it as fits is not enough. */
static bool transcode_at_once(const char *encoding, const uint8_t *in, size_t len, uint8_t *out,
                              size_t *made)
{
    const iconv_t cd = iconv_open("UTF-8", encoding);
    char *from = (char *)(uintptr_t)in;
    char *to = (char *)out;
    size_t room = MOST_TEXT;

    FUZZ_CHECK(cd != (iconv_t)-1, "no encoding %s", encoding);
    bool whole = iconv(cd, &from, &len, &to, &room) != (size_t)-1;
    whole = whole && iconv(cd, NULL, NULL, &to, &room) != (size_t)-1;
    (void)iconv_close(cd);
    *made = (size_t)((uint8_t *)to - out);
    return whole;
}

/* iconv() knows characters behind U+10FFFF, which become U+FFFD where that is asked for. */
static bool has_beyond(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] > 0xf4 || (text[i] == 0xf4 && i + 1 < len && text[i + 1] > 0x8f)) {
            return true;
        }
    }
    return false;
}

static void compare(const struct outcome *o, const struct dn_text_options *options,
                    const uint8_t *in, size_t len)
{
    static uint8_t unpacked[MOST_TEXT];
    static uint8_t text[MOST_TEXT];
    char name[DN_ENCODING_NAME_SIZE];
    size_t n = len;

    if (dn_filter_find(in, len) != NULL) {
        if (dn_bgzf_begins(in, len) || !unpack_at_once(in, len, unpacked, &n)) {
            return;
        }
        in = unpacked;
    }
    const size_t head = n < DN_FILTER_HEAD ? n : DN_FILTER_HEAD;
    const char *encoding = dn_encoding_of_mark(in, head);
    if (options->encoding != NULL) {
        encoding = dn_encoding_name(name, options->encoding);
        if (dn_encoding_contradicts(encoding, in, head)) {
            return;
        }
        encoding = dn_encoding_with_order(encoding, in, head);
    }
    if (encoding == NULL) {
        return;
    }
    if (!dn_encoding_is_utf8(encoding) || options->replace) {
        size_t made = 0;
        if (!transcode_at_once(encoding, in, n, text, &made) || has_beyond(text, made)) {
            return;
        }
        in = text;
        n = made;
    }
    if (o->status == DN_ERR_UNSUPPORTED) {
        return; /* a window that takes too much memory */
    }
    FUZZ_CHECK(o->status == DN_OK, "%s", o->error.message);
    FUZZ_CHECK(n == o->text.len || o->text.len >= MOST_TEXT, "%zu bytes instead of %zu",
               o->text.len, n);
    FUZZ_CHECK(n == 0 || memcmp(in, o->text.data, n) == 0, "a library makes another text");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = {0};
    struct outcome pieces = {0};

    if (size < HEADER) {
        return 0;
    }
    const int fd = memfd_create("fuzz_text", MFD_CLOEXEC);
    char path[32];
    FUZZ_CHECK(fd >= 0 && write(fd, data + HEADER, size - HEADER) == (ssize_t)(size - HEADER),
               "no file");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct dn_text_options options = {.encoding = encodings[data[0] & 7],
                                            .replace = (data[0] & 8) != 0};
    read_all(&whole, path, &options, (size_t)1 << 16);
    read_all(&pieces, path, &options, (size_t)data[1] + 1);
    const size_t n = whole.text.len < pieces.text.len ? whole.text.len : pieces.text.len;
    FUZZ_CHECK(n == 0 || memcmp(whole.text.data, pieces.text.data, n) == 0, "texts differ");
    if (whole.text.len < MOST_TEXT && pieces.text.len < MOST_TEXT) {
        FUZZ_CHECK(whole.status == pieces.status, "one way fails, the other does not");
        FUZZ_CHECK(whole.status != DN_OK || whole.text.len == pieces.text.len, "lengths differ");
        FUZZ_CHECK(whole.status != DN_OK || whole.n_replaced == pieces.n_replaced,
                   "replaced counts differ");
    }
    compare(&whole, &options, data + HEADER, size - HEADER);
    dn_buffer_finish(&whole.text);
    dn_buffer_finish(&pieces.text);
    (void)close(fd);
    return 0;
}
