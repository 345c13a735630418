/* engine.options of the Parquet reader. */
#include "parquet_reader.h"

enum {
    DEFAULT_CHUNK_ROWS = 10000,
    MOST_BATCH_ROWS = 1 << 16 /* the library's default; JSON chunks may take several batches */
};

const struct dn_shell_option parquet_reader_options[] = {
    {"columns", NULL, "list", "the columns to read, in this order; default all"},
    {"types", NULL, "map", "column -> the type it has to have; nothing is converted"},
    {"widened", NULL, "map", "accepted, without effect: columns have the types of the file"},
    {"required", NULL, "list", "columns in which a null is an error"},
    {"missing_as_null", NULL, "bool",
     "a named column that the file lacks reads as nulls; default false"},
    {"chunk_size", "batch_size", "int", "most rows per batch; default 10000 for JSON"},
    DN_READER_PLACE_OPTIONS,
    {"n_threads", NULL, "int", "threads to decode with, 0: one per CPU"},
};
const size_t parquet_reader_n_options =
    sizeof(parquet_reader_options) / sizeof(parquet_reader_options[0]);

/* Every entry of `types` is a text. */
static enum dn_status check_types(const struct dn_shell_config *c, const json_t *types,
                                  struct dn_error *err)
{
    json_t *mutable =
        (json_t *)(uintptr_t)types; /* jansson iterates through a mutable pointer only */
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const json_t *value = json_object_iter_value(it);
        if (!json_is_null(value) && dn_shell_text_value(value) == NULL) {
            return dn_shell_option_error(c, "types", "must give every column a type name", err);
        }
    }
    return DN_OK;
}

enum dn_status parquet_read_settings_read(struct parquet_read_settings *s,
                                          struct dn_shell_config *c, int level,
                                          struct dn_error *err)
{
    int64_t rows = level == 0 ? DEFAULT_CHUNK_ROWS : 0;
    int64_t n_threads = 0;
    const json_t *widened = NULL;

    *s = (struct parquet_read_settings){.parquet = {.struct_size = sizeof(s->parquet)}};
    DN_TRY(dn_reader_files_read(&s->files, c, PARQUET_TYPE, level, err));
    s->parquet.store = s->files.store;
    DN_TRY(dn_shell_option_list(c, "columns", &s->columns, &s->n_columns, err));
    DN_TRY(dn_shell_option_map(c, "types", &s->types, err));
    DN_TRY(check_types(c, s->types, err));
    DN_TRY(dn_shell_option_map(c, "widened", &widened, err));
    DN_TRY(dn_shell_option_list(c, "required", &s->required, &s->n_required, err));
    DN_TRY(dn_shell_option_bool(c, "missing_as_null", &s->missing_as_null, err));
    DN_TRY(dn_shell_option_int(c, "chunk_size", 1, INT32_MAX, &rows, err));
    DN_TRY(dn_shell_option_int(c, "n_threads", 0, 1024, &n_threads, err));
    s->parquet.batch_rows = rows < MOST_BATCH_ROWS ? rows : MOST_BATCH_ROWS;
    s->parquet.n_threads = (uint32_t)n_threads;
    s->chunk_rows = rows;
    return DN_OK;
}
