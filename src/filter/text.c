#include "filter/text.h"

#include "base/strings.h"
#include "base/utf8.h"
#include "filter/bgzf.h"
#include "filter/encoding.h"
#include "filter/filter.h"
#include "store/source_class.h"

#include <string.h>

/* The first bytes of a source, which afterwards still stands in front of them, if need be as another source. */
static enum dn_status peek(struct dn_source **source, uint8_t head[DN_FILTER_HEAD], size_t *len,
                           struct dn_error *err)
{
    struct dn_source *inner = *source;

    if (dn_source_can_read_at(inner)) {
        return dn_source_read_at(inner, 0, head, DN_FILTER_HEAD, len, err);
    }
    DN_TRY(dn_source_read(inner, head, DN_FILTER_HEAD, len, err));
    *source = NULL;
    return dn_filter_open(source, inner, NULL, NULL, head, *len, 0, err);
}

/* The packing that a name ends in; NULL: none. */
static const char *packing_named(const char *path)
{
    static const char *const ends[][2] = {{".gz", "gzip"},  {".bgz", "gzip"},  {".bgzf", "gzip"},
                                          {".zst", "zstd"}, {".zstd", "zstd"}, {".bz2", "bzip2"},
                                          {".xz", "xz"}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (dn_text_ends_with(path, ends[i][0])) {
            return ends[i][1];
        }
    }
    return NULL;
}

/* Can a text begin so?  The last character may be cut. */
static bool is_text(const uint8_t *head, size_t len)
{
    static const char controls[] = "\t\n\v\f\r\x1a\x1b"; /* ends of files and ISO-2022 */
    size_t n = 0;

    if (!dn_encoding_is_utf8(dn_encoding_of_mark(head, len))) {
        return true;
    }
    for (size_t i = 0; i < len; i += n) {
        bool valid = true;
        n = dn_utf8_next(head + i, len - i, &valid);
        if ((!valid && len - i >= 4) ||
            (head[i] < ' ' && memchr(controls, head[i], sizeof(controls) - 1) == NULL)) {
            return false;
        }
    }
    return true;
}

/* A text under the name of a packed file is read: somebody unpacked it.  What is neither was packed, before it was damaged. */
static enum dn_status check_name(const struct dn_source *source, const uint8_t *head, size_t len,
                                 struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *path = dn_source_shown_path(shown, dn_source_path(source));
    const char *packing = packing_named(path);

    if (packing == NULL || is_text(head, len)) {
        return DN_OK;
    }
    return dn_source_located(
        source,
        dn_error_set(err, DN_ERR_DATA,
                     "'%s': its name says %s, and its first bytes are neither that nor text: it is "
                     "damaged, or something else; get the file again, or rename it if it is a text "
                     "in an encoding of its own",
                     path, packing),
        err);
}

static enum dn_status unpack(struct dn_source **source, const struct dn_executor *executor,
                             struct dn_error *err)
{
    uint8_t head[DN_FILTER_HEAD];
    size_t len = 0;

    DN_TRY(peek(source, head, &len, err));
    const struct dn_filter_class *packing = dn_filter_find(head, len);
    if (packing == NULL) {
        return check_name(*source, head, len, err);
    }
    struct dn_source *inner = *source;
    *source = NULL;
    return dn_bgzf_begins(head, len)
               ? dn_bgzf_open(source, inner, executor, err)
               : dn_filter_open(source, inner, packing, NULL, NULL, 0, 0, err);
}

/* What the option says, if the first bytes do not say otherwise. */
static enum dn_status choose(const struct dn_source *source, const char *given, char *name,
                             const uint8_t *head, size_t len, const char **out,
                             struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *path = dn_source_shown_path(shown, dn_source_path(source));

    *out = dn_encoding_name(name, given);
    if (dn_encoding_contradicts(*out, head, len)) {
        return dn_source_located(
            source,
            dn_error_set(err, DN_ERR_DATA,
                         "'%s' begins with a byte order mark of another encoding than %.40s; leave "
                         "the encoding out, or name the right one",
                         path, given),
            err);
    }
    *out = dn_encoding_with_order(*out, head, len);
    if (*out == NULL) {
        return dn_source_located(
            source,
            dn_error_set(err, DN_ERR_DATA,
                         "'%s' has no byte order mark, and which order of %.40s it has is not to "
                         "be seen; set the encoding to utf-16le or utf-16be",
                         path, given),
            err);
    }
    return DN_OK;
}

static enum dn_status transcode(struct dn_source **source, const struct dn_text_options *options,
                                bool first, struct dn_error *err)
{
    struct dn_transcode how = {.replace = options->replace,
                               .n_replaced = first ? options->n_replaced : NULL};
    uint8_t head[DN_FILTER_HEAD];
    char name[DN_ENCODING_NAME_SIZE];
    size_t len = 0;

    DN_TRY(peek(source, head, &len, err));
    if (options->encoding != NULL) {
        DN_TRY(choose(*source, options->encoding, name, head, len, &how.encoding, err));
    } else {
        how.encoding = dn_encoding_of_mark(head, len);
    }
    if (dn_encoding_is_utf8(how.encoding) && !how.replace) {
        return DN_OK;
    }
    struct dn_source *inner = *source;
    *source = NULL;
    return dn_filter_open(source, inner, &dn_filter_transcode, &how, NULL, 0, 0, err);
}

/* `source` becomes what is read of it. */
static enum dn_status wrap(struct dn_source **source, const struct dn_text_options *options,
                           bool first, struct dn_error *err)
{
    static const struct dn_text_options none = {0};

    enum dn_status st = unpack(source, first && options != NULL ? options->executor : NULL, err);
    if (st == DN_OK) {
        st = transcode(source, options != NULL ? options : &none, first, err);
    }
    if (st != DN_OK) {
        dn_source_close(*source);
        *source = NULL;
    }
    return st;
}

enum dn_status dn_text_open(struct dn_source **out, const char *path,
                            const struct dn_text_options *options, struct dn_stop *stop,
                            struct dn_error *err)
{
    DN_TRY(dn_source_open(out, path, options != NULL ? options->store : NULL, stop, err));
    return wrap(out, options, true, err);
}

enum dn_status dn_text_open_again(struct dn_source **out, const char *path,
                                  const struct dn_text_options *options, struct dn_stop *stop,
                                  struct dn_error *err)
{
    DN_TRY(dn_source_open_again(out, path, options != NULL ? options->store : NULL, stop, err));
    return wrap(out, options, false, err);
}
