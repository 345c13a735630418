/* engine.options of the Parquet writer. */
#include "parquet_writer.h"

#include "base/strings.h"
#include "codec/codec.h"

#include <stdio.h>
#include <string.h>

#define LARGEST_PAGE (INT64_C(1) << 28) /* rows or bytes, as in the library */

const struct dn_shell_option parquet_writer_options[] = {
    {"compression", NULL, "text",
     "none snappy gzip zstd lz4_raw brotli, a level as in \"zstd:9\"; lz4 means lz4_raw; default "
     "snappy"},
    {"compression_level", NULL, "int", "the level, apart from the name"},
    {"row_group_size", NULL, "int", "rows per row group; default 1000000"},
    {"row_group_bytes", NULL, "int",
     "a row group also ends at so many bytes of PLAIN values; default 128 MiB"},
    {"page_rows", NULL, "int", "rows per page; default 20000"},
    {"page_size", NULL, "int", "bytes per page; default 1 MiB"},
    {"verify", NULL, "bool",
     "read every finished file back and compare its values before it counts; default false"},
    {"arrow_schema", NULL, "text",
     "auto always never: keep the schema of the columns in the footer (ARROW:schema); default "
     "auto, "
     "if it says what Parquet's types do not"},
    {"intervals", NULL, "text",
     "iso8601 parquet: intervals as texts, or as INTERVAL; default iso8601"},
    {"field_ids", NULL, "list",
     "numbers of the columns and of what is within them, or the word auto; default those of the "
     "columns' metadata"},
    DN_WRITER_OPTIONS,
};
const size_t parquet_writer_n_options =
    sizeof(parquet_writer_options) / sizeof(parquet_writer_options[0]);

/* What the Python host's other writers mean by lz4 is a framing of Hadoop's, which no reader should have to guess. */
static const char k_lz4_note[] =
    "compression lz4 is written as lz4_raw: what Parquet calls LZ4 is a framing of Hadoop's that "
    "was given up; name lz4_raw, and this is not said";

static enum dn_status read_compression(struct dn_parquet_options *o, struct dn_shell_config *c,
                                       const char **note, struct dn_error *err)
{
    const char *name = NULL;
    int64_t level = INT64_MIN;

    DN_TRY(dn_shell_option_text(c, "compression", &name, err));
    DN_TRY(dn_shell_option_int(c, "compression_level", -1000, 1000, &level, err));
    if (name != NULL && dn_text_equal_nocase(name, "lz4")) {
        name = "lz4_raw";
        *note = k_lz4_note;
    }
    o->compression = name;
    if (level == INT64_MIN) {
        return DN_OK;
    }
    if (name == NULL) {
        return dn_shell_option_error(c, "compression_level", "needs a \"compression\" beside it",
                                     err);
    }
    if (strchr(name, ':') != NULL) {
        return dn_shell_option_error(
            c, "compression", "must not carry a level of its own beside compression_level", err);
    }
    const size_t size = strlen(name) + 16;
    char *text = dn_arena_alloc(&c->arena, size);
    if (text == NULL) {
        return dn_error_memory(err, size);
    }
    (void)snprintf(text, size, "%s:%d", name, (int)level);
    o->compression = text;
    enum dn_codec_id codec;
    int32_t parsed;
    if (dn_codec_parse(name, &codec, &parsed, NULL) != DN_OK) {
        return DN_OK; /* the name is what is wrong */
    }
    const enum dn_status st = dn_codec_parse(text, &codec, &parsed, err);
    return st == DN_OK ? DN_OK
                       : dn_error_option(err, dn_error_prefix(err, st, "compression_level: "),
                                         "compression_level");
}

/* What the footer says of the schema. */
static enum dn_status read_schema_options(struct dn_parquet_options *o, struct dn_shell_config *c,
                                          struct dn_error *err)
{
    static const char *const when[] = {"auto", "always", "never", NULL}; /* enum dn_parquet_... */
    static const char *const intervals[] = {"iso8601", "parquet", NULL};

    DN_TRY(dn_shell_option_word(c, "arrow_schema", when, &o->arrow_schema, err));
    DN_TRY(dn_shell_option_word(c, "intervals", intervals, &o->intervals, err));
    o->field_ids_auto = dn_shell_option_is(c, "field_ids", "auto");
    return o->field_ids_auto
               ? DN_OK
               : dn_shell_option_ints(c, "field_ids", -1, &o->field_ids, &o->n_field_ids, err);
}

enum dn_status parquet_writer_configure(struct dn_shell_config *c, void **out_own,
                                        const char **note, struct dn_error *err)
{
    struct dn_parquet_options *o = dn_arena_alloc(&c->arena, sizeof(*o));
    int64_t row_group_bytes = 0;
    int64_t page_bytes = 0;

    if (o == NULL) {
        return dn_error_memory(err, sizeof(*o));
    }
    *o = (struct dn_parquet_options){.struct_size = sizeof(*o)};
    *out_own = o;
    DN_TRY(read_compression(o, c, note, err));
    DN_TRY(dn_shell_option_int(c, "row_group_size", 1, INT32_MAX, &o->row_group_rows, err));
    DN_TRY(dn_shell_option_int(c, "row_group_bytes", 1, INT64_C(1) << 40, &row_group_bytes, err));
    DN_TRY(dn_shell_option_int(c, "page_rows", 1, LARGEST_PAGE, &o->page_rows, err));
    DN_TRY(dn_shell_option_int(c, "page_size", 1, LARGEST_PAGE, &page_bytes, err));
    DN_TRY(dn_shell_option_bool(c, "verify", &o->verify, err));
    DN_TRY(read_schema_options(o, c, err));
    o->row_group_bytes = (size_t)row_group_bytes;
    o->page_bytes = (size_t)page_bytes;
    return DN_OK;
}
