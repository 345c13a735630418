/* JSON records for tests in Python: records_json_write() and its kin of a shared library. */
#include "json/records.h"

#include "base/memory.h"

/** Rows as a text for records_json_free(); NULL: *err says why. */
DN_API char *records_json_write(struct ArrowSchema *schema, struct ArrowArray *batch, int64_t row,
                                int64_t n_rows, struct dn_error *err);
DN_API void records_json_free(char *text);
/** Columns by the words of their types, with a '!' in front of those that are required; a code, and *err says why. */
DN_API int32_t records_json_read(const char *json, const char *const *names,
                                 const char *const *words, int64_t n, struct ArrowSchema *schema,
                                 struct ArrowArray *batch, int64_t *n_rounded,
                                 struct dn_error *err);

char *records_json_write(struct ArrowSchema *schema, struct ArrowArray *batch, int64_t row,
                         int64_t n_rows, struct dn_error *err)
{
    struct dn_buffer out = {0};
    char *text = NULL;

    if (dn_records_write(&out, schema, batch, row, n_rows, err) == DN_OK) {
        text = dn_strndup((const char *)out.data, out.len);
    }
    dn_buffer_finish(&out);
    batch->release(batch);
    schema->release(schema);
    return text;
}

void records_json_free(char *text)
{
    dn_free(text);
}

static enum dn_status read_records(const char *json, const char *const *names,
                                   const char *const *words, int64_t n, struct dn_arena *arena,
                                   struct ArrowSchema *schema, struct ArrowArray *batch,
                                   int64_t *n_rounded, struct dn_error *err)
{
    struct dn_record_field *fields = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof *fields);
    struct dn_node *nodes = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof *nodes);
    struct dn_records_counts counts;
    int64_t counter = 0;

    for (int64_t i = 0; i < n; i++) {
        const bool required = words[i][0] == '!';
        DN_TRY(dn_node_parse(words[i] + required, arena, &nodes[i], err));
        fields[i] = (struct dn_record_field){names[i], DN_TYPE(NULL), required, &nodes[i]};
    }
    DN_TRY(dn_records_read_counted(json, fields, n, schema, batch, &counter, &counts, err));
    *n_rounded = counts.n_rounded;
    return DN_OK;
}

int32_t records_json_read(const char *json, const char *const *names, const char *const *words,
                          int64_t n, struct ArrowSchema *schema, struct ArrowArray *batch,
                          int64_t *n_rounded, struct dn_error *err)
{
    struct dn_arena arena = {0};
    const enum dn_status st =
        read_records(json, names, words, n, &arena, schema, batch, n_rounded, err);

    dn_arena_finish(&arena);
    return (int32_t)st;
}
