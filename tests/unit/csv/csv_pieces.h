/** Pieces of a source in tests: cutting it, and reading them one by one against the whole. */
#ifndef DN_TEST_CSV_PIECES_H
#define DN_TEST_CSV_PIECES_H

#include "csv_made_text.h"

struct pieces {
    char **tokens;
    int64_t *bytes;
    int64_t *rows;
    size_t n;
};

static inline void pieces_free(struct pieces *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->tokens[i]);
    }
    free((void *)p->tokens);
    free(p->bytes);
    free(p->rows);
    *p = (struct pieces){0};
}

/* [{"token":"...","path":"...","bytes":n,"rows":n},...] */
static inline void pieces_parse(const char *json, struct pieces *out)
{
    static const char begin[] = "{\"token\":\"";
    const char *at = json;

    *out = (struct pieces){0};
    while ((at = strstr(at, begin)) != NULL) {
        char *token = malloc(strlen(at));
        size_t len = 0;
        out->n++;
        out->tokens = realloc((void *)out->tokens, out->n * sizeof(char *));
        out->bytes = realloc(out->bytes, out->n * sizeof(int64_t));
        out->rows = realloc(out->rows, out->n * sizeof(int64_t));
        assert_true(token != NULL && out->tokens != NULL && out->bytes != NULL &&
                    out->rows != NULL);
        for (at += strlen(begin); *at != '"'; at++) {
            at += *at == '\\';
            token[len++] = *at;
        }
        token[len] = 0;
        out->tokens[out->n - 1] = token;
        at = strstr(at, ",\"bytes\":");
        assert_non_null(at);
        assert_int_equal(sscanf(at, ",\"bytes\":%ld,\"rows\":%ld}", &out->bytes[out->n - 1],
                                &out->rows[out->n - 1]),
                         2);
    }
}

/** DN_OK, and the pieces. */
static inline enum dn_status pieces_cut(const char *const *paths, size_t n_paths,
                                        const struct dn_csv_options *o,
                                        const struct dn_csv_split_options *how, struct pieces *out,
                                        struct dn_error *err)
{
    char *json = NULL;
    const enum dn_status st = dn_csv_find_splits(&json, paths, n_paths, o, how, err);

    *out = (struct pieces){0};
    assert_true((st == DN_OK) == (json != NULL));
    if (st == DN_OK) {
        pieces_parse(json, out);
        dn_csv_free(json);
    }
    return st;
}

static inline void piece_read(const char *token, const char *const *paths, size_t n_paths,
                              const struct dn_csv_options *o, struct rig_result *out)
{
    struct dn_csv_reader *r = NULL;
    struct dn_error error = {0};
    const enum dn_status st = dn_csv_split_open(&r, token, paths, n_paths, o, NULL, &error);

    if (st != DN_OK) {
        fail_msg("%s; token %s", error.message, token);
    }
    rig_drain(r, true, out);
}

/**
 * Are the rows of all pieces those of the whole, and its strays, types and names?  The first failure of a piece has to be that of the
 * whole, in words, place and number of the row.
 */
static inline void pieces_compare(const struct pieces *p, const char *const *paths, size_t n_paths,
                                  const struct dn_csv_options *o, const struct rig_result *whole,
                                  const char *what)
{
    struct rig_text rows = {0};
    int64_t strays = 0;
    bool failed = false;

    rig_append(&rows, "", 0);
    for (size_t i = 0; i < p->n && !failed; i++) {
        struct rig_result got;
        if (p->bytes[i] == 0) {
            assert_int_equal(p->rows[i], 0);
            if (i % 7 != 0) {
                continue; /* they are all alike */
            }
        }
        piece_read(p->tokens[i], paths, n_paths, o, &got);
        failed = got.status != DN_OK;
        if (failed && (got.status != whole->status || got.error.line != whole->error.line ||
                       got.error.row != whole->error.row ||
                       got.error.byte_offset != whole->error.byte_offset ||
                       strcmp(got.error.message, whole->error.message) != 0)) {
            fail_msg("%s: piece %zu: row %ld: %s; the whole: row %ld: %s", what, i,
                     (long)got.error.row, got.error.message, (long)whole->error.row,
                     whole->error.message);
        }
        if (!failed && got.n_rows != p->rows[i]) {
            fail_msg("%s: piece %zu has %ld rows, not %ld: %.300s", what, i, (long)got.n_rows,
                     (long)p->rows[i], got.rows.data);
        }
        assert_string_equal(got.types, whole->types);
        assert_string_equal(got.names, whole->names);
        rig_append(&rows, got.rows.data, got.rows.len);
        strays += got.stray_quotes;
        rig_free(&got);
    }
    assert_int_equal(failed, whole->status != DN_OK);
    const size_t n = failed && whole->rows.len < rows.len ? whole->rows.len : rows.len;
    if ((!failed && (n != whole->rows.len || strays != whole->stray_quotes)) ||
        (failed && n > whole->rows.len) || memcmp(rows.data, whole->rows.data, n) != 0) {
        size_t i = 0;
        while (i < n && rows.data[i] == whole->rows.data[i]) {
            i++;
        }
        fail_msg("%s: differs at %zu: \"%.80s\", not \"%.80s\"; strays %ld, not %ld", what, i,
                 rows.data + i, whole->rows.data + i, (long)strays, (long)whole->stray_quotes);
    }
    free(rows.data);
}

static const size_t pieces_block_sizes[] = {0, 1, 2, 5, 16, 64, 130, 1000};

/** Every byte is a place to cut at: then every row that begins there is a piece of its own. */
static inline struct dn_csv_cut *pieces_every_cut(const struct rig_text *texts, size_t n_texts,
                                                  size_t *n)
{
    struct dn_csv_cut *cuts = NULL;

    *n = 0;
    for (size_t f = 0; f < n_texts; f++) {
        cuts = realloc(cuts, (*n + texts[f].len + 3) * sizeof(*cuts));
        assert_non_null(cuts);
        for (size_t i = 0; i < texts[f].len + 3; i++) {
            cuts[(*n)++] = (struct dn_csv_cut){f, (int64_t)i};
        }
    }
    return cuts;
}

/** The whole, every row by itself, and some pairs and sets of random pieces. */
static inline void pieces_compare_all(const struct rig_text *texts, size_t n_texts,
                                      struct dn_csv_options o, size_t n_random, const char *what)
{
    const char *paths[4];
    struct rig_result whole;
    struct pieces pieces;
    struct dn_error err = {0};
    size_t n_cuts = 0;

    for (size_t f = 0; f < n_texts; f++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "piece%zu.csv", f);
        paths[f] = scratch_path(rig_dir, name);
        scratch_write(paths[f], texts[f].data, texts[f].len);
    }
    rig_read(paths, n_texts, &o, true, &whole);
    struct dn_csv_cut *every = pieces_every_cut(texts, n_texts, &n_cuts);
    struct dn_csv_split_options how = {.struct_size = sizeof(how), .cuts = every, .n_cuts = n_cuts};
    for (size_t k = 0; k <= n_random; k++) {
        struct dn_csv_cut *some = malloc((n_cuts + 1) * sizeof(*some));
        assert_non_null(some);
        if (k > 0) { /* one cut, or many */
            const size_t one_in = k % 3 == 0 ? 1 + below(60) : 0;
            const size_t one = below(n_cuts);
            how.n_cuts = 0;
            for (size_t i = 0; i < n_cuts; i++) {
                if (one_in > 0 ? below(one_in) == 0 : i == one) {
                    some[how.n_cuts++] = every[i];
                }
            }
            how.cuts = some;
        }
        o.block_bytes = pieces_block_sizes[below(8)];
        o.n_threads = (uint32_t)(1 + below(4));
        const enum dn_status st = pieces_cut(paths, n_texts, &o, &how, &pieces, &err);
        if (st != DN_OK) { /* what is broken is told as by reading it */
            if (st != whole.status || strcmp(err.message, whole.error.message) != 0 ||
                err.row != whole.error.row || err.line != whole.error.line) {
                fail_msg("%s: cutting: %d, row %ld: %s; reading: %d, row %ld: %s", what, (int)st,
                         (long)err.row, err.message, (int)whole.status, (long)whole.error.row,
                         whole.error.message);
            }
        } else {
            assert_int_equal(pieces.n, how.n_cuts + n_texts);
            o.block_bytes = pieces_block_sizes[below(8)];
            pieces_compare(&pieces, paths, n_texts, &o, &whole, what);
        }
        pieces_free(&pieces);
        free(some);
    }
    free(every);
    rig_free(&whole);
}

#endif
