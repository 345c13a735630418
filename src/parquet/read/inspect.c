/* A Parquet file as JSON; see dn_parquet_inspect() in dativo/parquet.h. */
#include "dativo/parquet.h"

#include "base/memory.h"
#include "base/strings.h"
#include "parquet/read/rows_json.h"
#include "parquet/read/value.h"
#include "text/format.h"

#include <inttypes.h>
#include <string.h>

#define MAX_ROWS 1000000
#define MAX_TEXT ((size_t)1 << 30) /* of JSON */
#define STATISTICS_CUT 64

static enum dn_status put_string(struct dn_buffer *out, const char *key, const void *text,
                                 size_t len, struct dn_error *err)
{
    DN_TRY(dn_text_append(out, key, err));
    if (text == NULL) {
        return dn_text_append(out, "null", err);
    }
    return dn_text_append_json_string(out, text, len, err);
}

static enum dn_status put_words(struct dn_buffer *out, const char *key, const char *words,
                                struct dn_error *err)
{
    return put_string(out, key, words, words == NULL ? 0 : strlen(words), err);
}

static enum dn_status put_schema(struct dn_buffer *out, const struct dn_pq_file_info *file,
                                 struct dn_error *err)
{
    char words[DN_PQ_WORDS_SIZE];

    DN_TRY(dn_text_append(out, ",\"schema\":[", err));
    for (uint32_t i = 0; i < file->n_leaves; i++) {
        const struct dn_pq_leaf *leaf = &file->leaves[i];
        DN_TRY(put_string(out, i == 0 ? "{\"name\":" : ",{\"name\":", leaf->path, leaf->path_len,
                          err));
        dn_pq_type_words(leaf, words);
        DN_TRY(put_words(out, ",\"type\":", words, err));
        dn_pq_physical_words(leaf, words);
        DN_TRY(put_words(out, ",\"physical_type\":", words, err));
        DN_TRY(put_words(out, ",\"logical_type\":", dn_pq_logical_words(leaf, words) ? words : NULL,
                         err));
        DN_TRY(
            dn_text_appendf(out, err, ",\"nullable\":%s}", leaf->max_def > 0 ? "true" : "false"));
    }
    return dn_text_append(out, "]", err);
}

static enum dn_status put_encodings(struct dn_buffer *out, uint32_t encodings, struct dn_error *err)
{
    const char *separator = "";

    DN_TRY(dn_text_append(out, ",\"encodings\":[", err));
    for (int32_t e = 0; e <= DN_PQ_ENCODING_UNKNOWN; e++) {
        if ((encodings >> e & 1) != 0) {
            DN_TRY(dn_text_appendf(out, err, "%s\"%s\"", separator, dn_pq_encoding_words(e)));
            separator = ",";
        }
    }
    return dn_text_append(out, "]", err);
}

static const char *codec_words(int32_t codec)
{
    static const char *const names[] = {"none",   "snappy", "gzip", "lzo",
                                        "brotli", "lz4",    "zstd", "lz4_raw"};

    return (size_t)codec < sizeof(names) / sizeof(names[0]) ? names[codec] : "unknown";
}

static enum dn_status put_bound(struct dn_buffer *out, const char *key,
                                const struct dn_pq_leaf *leaf, struct dn_span bound,
                                struct dn_error *err)
{
    DN_TRY(dn_text_append(out, key, err));
    if (bound.data == NULL ||
        dn_pq_leaf_shown(leaf) == DN_PQ_SHOWN_INT96) { /* INT96 has no order */
        return dn_text_append(out, "null", err);
    }
    return dn_pq_value_json(out, leaf, bound, STATISTICS_CUT, err);
}

static enum dn_status put_chunk(struct dn_buffer *out, const struct dn_pq_leaf *leaf,
                                const struct dn_pq_chunk_info *c, struct dn_error *err)
{
    DN_TRY(put_string(out, "{\"name\":", leaf->path, leaf->path_len, err));
    if (!c->has_meta) {
        return dn_text_append(out,
                              ",\"codec\":null,\"encodings\":[],\"compressed_bytes\":null,"
                              "\"uncompressed_bytes\":null,"
                              "\"null_count\":null,\"min\":null,\"max\":null}",
                              err);
    }
    DN_TRY(put_words(out, ",\"codec\":", codec_words(c->codec), err));
    DN_TRY(put_encodings(out, c->encodings, err));
    DN_TRY(dn_text_appendf(out, err,
                           ",\"compressed_bytes\":%" PRId64 ",\"uncompressed_bytes\":%" PRId64,
                           c->compressed_bytes, c->uncompressed_bytes));
    if (c->null_count >= 0) {
        DN_TRY(dn_text_appendf(out, err, ",\"null_count\":%" PRId64, c->null_count));
    } else {
        DN_TRY(dn_text_append(out, ",\"null_count\":null", err));
    }
    DN_TRY(put_bound(out, ",\"min\":", leaf, c->min, err));
    DN_TRY(put_bound(out, ",\"max\":", leaf, c->max, err));
    return dn_text_append(out, "}", err);
}

static enum dn_status put_groups(struct dn_buffer *out, const struct dn_pq_file_info *file,
                                 struct dn_error *err)
{
    DN_TRY(dn_text_append(out, ",\"row_groups\":[", err));
    for (uint32_t g = 0; g < file->n_groups; g++) {
        const struct dn_pq_group_info *group = &file->groups[g];
        DN_TRY(dn_text_appendf(out, err,
                               "%s{\"rows\":%" PRId64 ",\"bytes\":%" PRId64 ",\"columns\":[",
                               g == 0 ? "" : ",", group->n_rows, group->bytes));
        for (uint32_t i = 0; i < file->n_leaves; i++) {
            const struct dn_pq_leaf *leaf = &file->leaves[i];
            if (i > 0) {
                DN_TRY(dn_buffer_append_byte(out, ',', err));
            }
            enum dn_status st = put_chunk(out, leaf, &group->chunks[i], err);
            if (st != DN_OK) {
                dn_error_locate(err, NULL, -1, -1, -1, leaf->path);
                return dn_error_prefix(
                    err, st, "column \"%.100s\", row group %" PRIu32 ", statistics: ", leaf->path,
                    g);
            }
        }
        DN_TRY(dn_text_append(out, "]}", err));
    }
    return dn_text_append(out, "]", err);
}

static enum dn_status describe(struct dn_buffer *out, struct dn_source *source,
                               const struct dn_pq_file_info *file, const char *path, int64_t n_rows,
                               struct dn_error *err)
{
    DN_TRY(put_words(out, "{\"format\":\"parquet\",\"path\":", path, err));
    DN_TRY(dn_text_appendf(out, err, ",\"size_bytes\":%" PRIu64 ",\"record_count\":%" PRId64,
                           file->size_bytes, file->n_rows));
    DN_TRY(put_string(out, ",\"created_by\":", file->created_by.data, file->created_by.len, err));
    DN_TRY(put_schema(out, file, err));
    DN_TRY(put_groups(out, file, err));
    if (n_rows > 0) {
        DN_TRY(dn_pq_rows_json(out, source, file, n_rows, err));
    }
    return dn_text_append(out, "}", err);
}

enum dn_status dn_parquet_inspect_stored(const char *path, const struct dn_store_options *store,
                                         int64_t n_rows, char **out_json, struct dn_error *err)
{
    struct dn_store_options said;
    char room[DN_SHOWN_PATH_SIZE];
    const char *shown = dn_source_shown_path(room, path);
    struct dn_source *source = NULL;
    struct dn_pq_file_info file = {0};
    struct dn_buffer out = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    if (n_rows < 0 || n_rows > MAX_ROWS) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%" PRId64 " rows are asked for; 0 to %d can be shown", n_rows,
                            MAX_ROWS);
    }
    DN_TRY(dn_store_options_read(&said, store, err));
    DN_TRY(dn_source_open(&source, path, &said, NULL, err));
    dn_buffer_init(&out, MAX_TEXT);
    DN_TRY_GOTO(st, dn_pq_file_read(&file, source, err), cleanup);
    DN_TRY_GOTO(st, describe(&out, source, &file, shown, n_rows, err), cleanup);
    *out_json = dn_text_take(&out);
    if (*out_json == NULL) {
        st = dn_error_memory(err, out.len);
    }
cleanup:
    if (st != DN_OK) {
        dn_error_locate(err, shown, -1, -1, -1, NULL);
        dn_error_prefix(err, st, "%s: ", shown);
    }
    dn_buffer_finish(&out);
    dn_pq_file_finish(&file);
    dn_source_close(source);
    return st;
}

enum dn_status dn_parquet_inspect(const char *path, int64_t n_rows, char **out_json,
                                  struct dn_error *err)
{
    return dn_parquet_inspect_stored(path, NULL, n_rows, out_json, err);
}

void dn_parquet_free(void *text)
{
    dn_free(text);
}
