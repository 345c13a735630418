#include "codec/codec.h"

#include "base/memory.h"
#include "base/strings.h"
#include "codec/adaptor.h"

#include <stdio.h>
#include <string.h>

#define SMALL_CONTEXT_BYTES ((size_t)128 << 10)
#define LARGEST_INPUT ((size_t)INT32_MAX)

/* In the order in which messages list them. */
static const struct dn_codec *const codecs[] = {
    &dn_codec_none,   &dn_codec_snappy, &dn_codec_gzip,
    &dn_codec_brotli, &dn_codec_zstd,   &dn_codec_lz4_raw,
};
#define N_CODECS (sizeof(codecs) / sizeof(codecs[0]))

/* Names by which people know them elsewhere: not accepted, so that no file is written in a format nobody named. */
static const char *const other_names[][2] = {
    {"lz4", "lz4_raw"}, {"lz4raw", "lz4_raw"},    {"gz", "gzip"},  {"deflate", "gzip"},
    {"zlib", "gzip"},   {"br", "brotli"},         {"zst", "zstd"}, {"zstandard", "zstd"},
    {"snap", "snappy"}, {"uncompressed", "none"}, {"off", "none"}, {"no", "none"},
};

static const struct dn_codec *find(enum dn_codec_id id)
{
    for (size_t i = 0; i < N_CODECS; i++) {
        if (codecs[i]->id == id) {
            return codecs[i];
        }
    }
    return NULL;
}

const char *dn_codec_name(enum dn_codec_id id)
{
    const struct dn_codec *codec = find(id);

    return codec == NULL ? "unknown" : codec->name;
}

enum dn_status dn_codec_damaged(struct dn_error *err, const struct dn_codec *codec,
                                struct dn_span in, size_t out_len, const char *why)
{
    return dn_error_set(
        err, DN_ERR_DATA,
        "%zu bytes of %s data are damaged: they do not decompress to %zu bytes (%s); write or "
        "fetch the file again",
        in.len, codec->name, out_len, why);
}

enum dn_status dn_codec_failed(struct dn_error *err, const struct dn_codec *codec, size_t in_len,
                               const char *why)
{
    return dn_error_set(err, DN_ERR_INTERNAL,
                        "%s could not compress %zu bytes (%s); choose another codec", codec->name,
                        in_len, why);
}

/* ---- names and levels ------------------------------------------------------------------------------------------- */

/* "none, snappy, gzip:1..12, ..." */
static void list_codecs(char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < N_CODECS && used < size; i++) {
        const struct dn_codec *c = codecs[i];
        int n = 0;

        if (c->has_levels) {
            n = snprintf(out + used, size - used, "%s%s:%d..%d", i == 0 ? "" : ", ", c->name,
                         (int)c->level_min, (int)c->level_max);
        } else {
            n = snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ", ", c->name);
        }
        used += n > 0 ? (size_t)n : 0;
    }
}

static const char *suggest(const char *word)
{
    const char *names[N_CODECS];

    for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++) {
        if (dn_text_equal_nocase(word, other_names[i][0])) {
            return other_names[i][1];
        }
    }
    for (size_t i = 0; i < N_CODECS; i++) {
        names[i] = codecs[i]->name;
    }
    return dn_text_suggest(word, names, N_CODECS);
}

static enum dn_status report_unknown(struct dn_error *err, const char *word, const char *text)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    char list[160];
    const char *close = suggest(word);

    list_codecs(list, sizeof(list));
    dn_error_escape_value(shown, text, strlen(text));
    if (close == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "there is no codec %s; choose one of %s", shown,
                            list);
    }
    return dn_error_set(err, DN_ERR_INVALID,
                        "there is no codec %s; did you mean '%s'? Choose one of %s", shown, close,
                        list);
}

static bool is_named(int32_t level)
{
    return level <= DN_CODEC_LEVEL_NUMBERS;
}

static enum dn_status check_level(const struct dn_codec *codec, int32_t level, struct dn_error *err)
{
    if (is_named(level)) {
        return DN_OK;
    }
    if (!codec->has_levels) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%s takes no level, but %d was given; write just '%s'", codec->name,
                            (int)level, codec->name);
    }
    if (level < codec->level_min || level > codec->level_max) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%s has no level %d; give one from %d to %d (the default is %d)",
                            codec->name, (int)level, (int)codec->level_min, (int)codec->level_max,
                            (int)codec->level_default);
    }
    return DN_OK;
}

/* A decimal integer of at most five digits, with an optional sign, and nothing after it. */
static bool parse_level(const char *text, int32_t *out)
{
    bool negative = *text == '-';
    const char *digits = text + (negative || *text == '+' ? 1 : 0);
    int32_t value = 0;
    size_t n = 0;

    for (; digits[n] >= '0' && digits[n] <= '9' && n < 5; n++) {
        value = value * 10 + (digits[n] - '0');
    }
    if (n == 0 || digits[n] != '\0') {
        return false;
    }
    *out = negative ? -value : value;
    return true;
}

enum dn_status dn_codec_parse(const char *text, enum dn_codec_id *out_id, int32_t *out_level,
                              struct dn_error *err)
{
    char word[32] = "";
    char shown[DN_ESCAPED_VALUE_SIZE];
    const char *colon = text == NULL ? NULL : strchr(text, ':');
    const struct dn_codec *codec = NULL;
    int32_t level = DN_CODEC_LEVEL_DEFAULT;

    if (text == NULL || text[0] == '\0') {
        char list[160];
        list_codecs(list, sizeof(list));
        return dn_error_set(err, DN_ERR_INVALID, "the name of the codec is empty; choose one of %s",
                            list);
    }
    size_t word_len = colon == NULL ? strlen(text) : (size_t)(colon - text);
    if (word_len < sizeof(word)) {
        memcpy(word, text, word_len);
        word[word_len] = '\0';
    }
    for (size_t i = 0; i < N_CODECS; i++) {
        codec = dn_text_equal_nocase(word, codecs[i]->name) ? codecs[i] : codec;
    }
    if (codec == NULL) {
        return report_unknown(err, word, text);
    }
    if (colon != NULL && !parse_level(colon + 1, &level)) {
        dn_error_escape_value(shown, colon + 1, strlen(colon + 1));
        return dn_error_set(err, DN_ERR_INVALID,
                            "the level %s of codec %s is not a small integer; write for example %s",
                            shown, codec->name, codec->has_levels ? "'zstd:9'" : "just the name");
    }
    DN_TRY(check_level(codec, level, err));
    *out_id = codec->id;
    *out_level = level;
    return DN_OK;
}

/* ---- compressing ------------------------------------------------------------------------------------------------ */

struct dn_compressor {
    const struct dn_codec *codec;
    void *state;
    int32_t level;
};

/* What an adaptor is given: names are told to those alone who know more than one level of a state. */
static int32_t actual_level(const struct dn_codec *codec, int32_t level)
{
    return level == DN_CODEC_LEVEL_DEFAULT || (is_named(level) && codec->set_level == NULL)
               ? codec->level_default
               : level;
}

static enum dn_status find_codec(enum dn_codec_id id, const struct dn_codec **out,
                                 struct dn_error *err)
{
    *out = find(id);
    if (*out == NULL) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "codec number %d of Parquet is not supported (LZO and LZ4 with Hadoop's framing are "
            "not); write the file again with another codec",
            (int)id);
    }
    return DN_OK;
}

enum dn_status dn_compressor_create(struct dn_compressor **out, enum dn_codec_id id, int32_t level,
                                    struct dn_error *err)
{
    const struct dn_codec *codec = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY(find_codec(id, &codec, err));
    DN_TRY(check_level(codec, level, err));
    struct dn_compressor *c = dn_calloc(1, sizeof(*c));
    if (c == NULL) {
        return dn_error_memory(err, sizeof(*c));
    }
    c->codec = codec;
    c->level = level;
    if (codec->create != NULL) {
        DN_TRY_GOTO(st, codec->create(actual_level(codec, level), &c->state, err), cleanup);
    }
    *out = c;
    c = NULL;
cleanup:
    dn_compressor_destroy(c);
    return st;
}

enum dn_status dn_compressor_set_level(struct dn_compressor *c, int32_t level, struct dn_error *err)
{
    if (c->codec->set_level == NULL || level == c->level) {
        return DN_OK;
    }
    DN_TRY(check_level(c->codec, level, err));
    DN_TRY(c->codec->set_level(c->state, actual_level(c->codec, level), err));
    c->level = level;
    return DN_OK;
}

size_t dn_compressor_bytes(enum dn_codec_id id, int32_t level, size_t in_len)
{
    const struct dn_codec *codec = find(id);

    if (codec == NULL || codec->context_bytes == NULL) {
        return SMALL_CONTEXT_BYTES;
    }
    return codec->context_bytes(is_named(level) ? codec->level_default : level, in_len);
}

void dn_compressor_destroy(struct dn_compressor *c)
{
    if (c == NULL) {
        return;
    }
    if (c->state != NULL) {
        c->codec->destroy(c->state);
    }
    dn_free(c);
}

/* The libraries want a pointer even for nothing. */
static struct dn_span never_null(struct dn_span in)
{
    static const uint8_t nothing[1];

    return in.data != NULL ? in : (struct dn_span){nothing, 0};
}

enum dn_status dn_compress(struct dn_compressor *c, struct dn_span in, struct dn_buffer *out,
                           struct dn_error *err)
{
    size_t room = in.len > LARGEST_INPUT ? 0 : c->codec->bound(c->state, in.len);
    size_t n = 0;

    if (room == 0) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%zu bytes are too many for one page of %s; use smaller pages", in.len,
                            c->codec->name);
    }
    DN_TRY(dn_buffer_reserve(out, room, err));
    DN_TRY(c->codec->compress(c->state, never_null(in), out->data + out->len, room, &n, err));
    out->len += n;
    return DN_OK;
}

enum dn_status dn_decompress(enum dn_codec_id id, struct dn_span in, size_t out_len,
                             struct dn_buffer *out, struct dn_error *err)
{
    const struct dn_codec *codec = NULL;

    DN_TRY(find_codec(id, &codec, err));
    if (in.len == 0 && out_len == 0) {
        return DN_OK; /* some writers store nothing for nothing */
    }
    if (in.len > LARGEST_INPUT || out_len > LARGEST_INPUT) {
        return dn_codec_damaged(err, codec, in, out_len, "no page is that large");
    }
    DN_TRY(dn_buffer_reserve(out, out_len + 1, err)); /* + 1: never a NULL for nothing */
    DN_TRY(codec->decompress(never_null(in), out->data + out->len, out_len, err));
    out->len += out_len;
    return DN_OK;
}
