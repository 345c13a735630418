/*
 * Bytes as files are stored: packed, in any encoding, in several members, damaged.  What comes out, or fails, must not depend on the
 * pieces in which it is asked for, nor on how many bytes a read below gives.
 * Input: flags (bits 0 to 2: encoding; bit 3: replace), size of pieces; then the file.
 */
#include "fuzz_target.h"

#include "base/buffer.h"
#include "filter/text.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
    dn_buffer_finish(&whole.text);
    dn_buffer_finish(&pieces.text);
    (void)close(fd);
    return 0;
}
