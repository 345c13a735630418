#include "batch_trip.h"

#include <stdio.h>

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

static enum dn_status append_all(struct gen_table *t, struct dn_parquet_writer *w,
                                 struct dn_error *err)
{
    for (int64_t row = 0; row < t->n_rows;) {
        const int64_t n = gen_table_cut(t, row);
        struct ArrowArray batch;
        gen_table_batch(t, row, n, &batch);
        DN_TRY(dn_parquet_append(w, &batch, err));
        row += n;
    }
    return DN_OK;
}

static enum dn_status write_table(struct gen_table *t, const struct ArrowSchema *schema,
                                  const char *path, struct dn_error *err)
{
    struct dn_parquet_writer *w = NULL;
    enum dn_status st = dn_parquet_writer_open(&w, path, schema, &t->options, err);

    if (st == DN_OK) {
        st = append_all(t, w, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_finish(w, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_commit(w, err);
    }
    dn_parquet_close(w);
    return st;
}

static int32_t append_all_by_plugin(struct gen_table *t, const struct dativo_writer_v1 *table,
                                    void *writer, struct dativo_error *err)
{
    for (int64_t row = 0; row < t->n_rows;) {
        const int64_t n = gen_table_cut(t, row);
        struct ArrowArray batch;
        gen_table_batch(t, row, n, &batch);
        const int32_t st = table->append(writer, &batch, err);
        if (st != DATIVO_OK) {
            return st;
        }
        row += n;
    }
    return DATIVO_OK;
}

static void put_option(char *out, size_t size, const char *key, long long value)
{
    const size_t len = strlen(out);

    if (value != 0) { /* else the default, which the plugin has no number for */
        (void)snprintf(out + len, size - len, ",\"%s\":%lld", key, value);
    }
}

/* The same options as JSON. */
static int32_t write_by_plugin(struct gen_table *t, const struct ArrowSchema *schema,
                               const char *path, const struct dativo_plugin *plugin,
                               struct dativo_error *err)
{
    const struct dn_parquet_options *o = &t->options;
    const struct dativo_host host = {.struct_size = sizeof host,
                                     .n_threads = o->n_threads,
                                     .memory_budget_bytes = o->memory_budget_bytes};
    const struct dativo_writer_v1 *table = plugin->get_extension(DATIVO_EXT_WRITER);
    char config[1024];
    char *manifest = NULL;
    void *writer = NULL;

    (void)snprintf(
        config, sizeof config,
        "{\"path\":\"%s\",\"engine\":{\"options\":{\"overwrite\":true,\"compression\":\"%s\"", path,
        t->codec);
    put_option(config, sizeof config, "row_group_size", (long long)o->row_group_rows);
    put_option(config, sizeof config, "row_group_bytes", (long long)o->row_group_bytes);
    put_option(config, sizeof config, "page_rows", (long long)o->page_rows);
    put_option(config, sizeof config, "page_size", (long long)o->page_bytes);
    (void)strncat(config, "}}}", sizeof config - strlen(config) - 1);
    int32_t st = table->open(config, schema, &host, &writer, err);
    if (st == DATIVO_OK) {
        st = append_all_by_plugin(t, table, writer, err);
    }
    if (st == DATIVO_OK) {
        st = table->finish(writer, &manifest, err);
    }
    if (st == DATIVO_OK) {
        st = table->commit(writer, err);
    }
    if (manifest != NULL) {
        plugin->free_text(manifest);
    }
    table->close(writer);
    return st;
}

static bool write_any(struct gen_table *t, const char *path, const struct dativo_plugin *plugin,
                      char *message, size_t size)
{
    struct ArrowSchema schema;
    struct dn_error err = {0};
    struct dativo_error plugin_err = {.struct_size = sizeof plugin_err};
    enum dn_status st = gen_table_schema(t, &schema, &err);

    if (st == DN_OK && plugin == NULL) {
        st = write_table(t, &schema, path, &err);
    } else if (st == DN_OK) {
        st = (enum dn_status)write_by_plugin(t, &schema, path, plugin, &plugin_err);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    if (st != DN_OK) {
        (void)snprintf(message, size, "not written: %s%s", err.message, plugin_err.message);
    }
    return st == DN_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* Any columns in any order, or all of them as they are. */
static int64_t choose_columns(struct gen *g, const struct gen_table *t, int64_t *from,
                              const char **names)
{
    const bool all = gen_below(g, 3) != 0;
    const int64_t n = all ? t->n_columns : (int64_t)gen_below(g, (uint64_t)t->n_columns) + 1;

    for (int64_t i = 0; i < t->n_columns; i++) {
        from[i] = i;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!all) {
            const int64_t k = i + (int64_t)gen_below(g, (uint64_t)(t->n_columns - i));
            const int64_t chosen = from[k];
            from[k] = from[i];
            from[i] = chosen;
        }
        names[i] = t->columns[from[i]].name;
    }
    return n;
}

static bool read_batches(const struct gen_table *t, struct dn_parquet_reader *r,
                         const int64_t *from, int64_t n_columns, char *message, size_t size)
{
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct dn_error err = {0};
    int64_t row = 0;
    bool right = dn_parquet_reader_schema(r, &schema, &err) == DN_OK;

    while (right && err.code == 0) {
        if (dn_parquet_reader_next(r, &batch, &err) != DN_OK || batch.release == NULL) {
            break;
        }
        right = gen_table_equals(t, from, n_columns, row, &schema, &batch, message, size);
        row += batch.length;
        batch.release(&batch);
    }
    if (err.code != 0) {
        (void)snprintf(message, size, "not read: %s", err.message);
        right = false;
    } else if (right && row != t->n_rows) {
        (void)snprintf(message, size, "%lld rows of %lld were read", (long long)row,
                       (long long)t->n_rows);
        right = false;
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return right;
}

static bool read_back(struct gen *g, const struct gen_table *t, const char *path, char *message,
                      size_t size)
{
    static const int64_t batch_rows[] = {0, 0, 1, 7, 64, 100, 513, 4096};
    const char *names[GEN_MOST_COLUMNS];
    int64_t from[GEN_MOST_COLUMNS];
    struct dn_parquet_reader *r = NULL;
    struct dn_error err = {0};
    const int64_t n = choose_columns(g, t, from, names);
    struct dn_parquet_read_options options = {
        .struct_size = sizeof options,
        .columns = names,
        .n_columns = (size_t)n,
        .batch_rows = batch_rows[gen_below(g, sizeof batch_rows / sizeof batch_rows[0])],
        .n_threads = (uint32_t)gen_below(g, 4) + 1,
    };
    bool right = false;

    if (options.batch_rows != 0 && options.batch_rows < t->n_rows / 200) {
        options.batch_rows = t->n_rows / 200;
    }
    if (dn_parquet_reader_open(&r, path, &options, &err) == DN_OK) {
        right = read_batches(t, r, from, n, message, size);
    } else {
        (void)snprintf(message, size, "not opened: %s", err.message);
    }
    dn_parquet_reader_close(r);
    return right;
}

/* The format's own rules, held against the file by something that knows nothing of the writer. */
static bool verify(const char *path, char *message, size_t size)
{
    const struct dn_parquet_verify_options options = {.struct_size = sizeof options,
                                                      .n_threads = 1};
    struct dn_error err = {0};
    char *json = NULL;
    const enum dn_status st = dn_parquet_verify(path, &options, &json, &err);
    const char *findings = st == DN_OK ? strstr(json, "\"findings\":[") : NULL;
    const bool clean = findings != NULL && strstr(findings, "[]") != NULL;

    if (!clean) {
        (void)snprintf(message, size, "verify: %s%.1000s", err.message,
                       findings != NULL ? findings : "");
    }
    dn_parquet_free(json);
    return clean;
}

bool gen_trip(struct gen *g, const char *path, const struct dativo_plugin *plugin, char *message,
              size_t size)
{
    struct gen_table table;
    char wrong[2400];

    gen_table_make(&table, g);
    const bool right = write_any(&table, path, plugin, wrong, sizeof wrong) &&
                       verify(path, wrong, sizeof wrong) &&
                       read_back(g, &table, path, wrong, sizeof wrong);
    if (!right) {
        const int n = snprintf(message, size, "%s\n", wrong);
        if (n > 0 && (size_t)n < size) {
            gen_table_describe(&table, message + n, size - (size_t)n);
        }
    }
    gen_table_free(&table);
    return right;
}
