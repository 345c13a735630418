/** For tests of the Parquet writer: seeded rows of nested columns, and of dictionaries, runs and views of lists. */
#ifndef DN_TEST_NESTED_ROWS_H
#define DN_TEST_NESTED_ROWS_H

#include "arrow/builder.h"
#include "dativo/parquet.h"
#include "scratch.h"

#define NESTED_GROWN                                                                               \
    6 /* columns that a builder makes; behind them are a dictionary, runs, and views of lists */
#define NESTED_COLUMNS 9
#define NESTED_WORDS 5

struct nested_rows {
    struct dn_arena arena;
    int64_t n_rows;
    struct dn_node nodes[NESTED_COLUMNS];
    struct dn_builder builders[NESTED_GROWN + 3];
    struct dn_batch_column columns[NESTED_COLUMNS];
    struct dn_batch_column within[NESTED_COLUMNS][2];
    int batches_out;
};

static const char *const nested_types[NESTED_GROWN] = {
    "list<int64>",
    "list<struct<a: string, b: list(2)<int32>, c: list<list<float64>>>>",
    "map<string, list<bool>>",
    "struct<a: int64, b: struct<c: string, d: time>>",
    "list(3)<decimal(20, 2)>",
    "int64",
};

static inline void nested_fill(struct dn_builder *b, unsigned null_percent, uint64_t *seed)
{
    static const char text[] = "a text of some length, or of none";
    const struct dn_type type = b->node->field.type;
    const uint64_t r = scratch_random(seed);
    const uint64_t wide[4] = {r % 1000};
    int64_t n = (int64_t)(r >> 8) % 4;

    if (b->node->field.nullable && r % 100 < null_percent) {
        assert_int_equal(dn_builder_null(b, NULL), DN_OK);
        return;
    }
    if (dn_type_is_bytes(type)) {
        assert_int_equal(dn_builder_bytes(b, text, (r >> 8) % sizeof text, NULL), DN_OK);
        return;
    }
    if (!dn_type_is_nested(type)) {
        assert_int_equal(dn_builder_fixed(b, wide, NULL), DN_OK);
        return;
    }
    n = type.id == DN_TYPE_STRUCT ? 1 : type.id == DN_TYPE_FIXED_LIST ? type.width : n;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < b->node->n_children; k++) {
            nested_fill(&b->children[k], null_percent, seed);
        }
    }
    assert_int_equal(dn_builder_end(b, NULL), DN_OK);
}

static inline void *nested_room(struct nested_rows *r, size_t size)
{
    void *room = dn_arena_alloc(&r->arena, size + 8);

    assert_non_null(room);
    return room;
}

/* A node over others, which are made of words. */
static inline void nested_node(struct nested_rows *r, int64_t i, struct dn_type type,
                               const char *first, const char *second)
{
    const char *const words[2] = {first, second};
    struct dn_node *n = &r->nodes[i];

    *n = (struct dn_node){.field = {"", type, true}, .n_children = second != NULL ? 2 : 1};
    n->children = nested_room(r, 2 * sizeof *n->children);
    for (int64_t k = 0; k < n->n_children; k++) {
        assert_int_equal(dn_node_parse(words[k], &r->arena, &n->children[k], NULL), DN_OK);
        n->children[k].field.name = k > 0 || second == NULL ? "values" : "run_ends";
        n->children[k].field.nullable = k > 0 || second == NULL;
    }
}

/* Words that come twice, and a null, behind indices some of which are null. */
static inline void nested_dictionary(struct nested_rows *r, int64_t i, unsigned null_percent,
                                     uint64_t *seed)
{
    static const char *const words[NESTED_WORDS] = {"one", "two", "one", NULL,
                                                    "a longer word: three"};
    struct dn_builder *b = &r->builders[NESTED_GROWN];
    uint8_t *validity = nested_room(r, (size_t)r->n_rows / 8 + 1);
    int8_t *indices = nested_room(r, (size_t)r->n_rows);
    int64_t n_nulls = 0;

    nested_node(r, i, (struct dn_type){.id = DN_TYPE_DICTIONARY, .index = DN_TYPE_INT8}, "string",
                NULL);
    assert_int_equal(dn_builder_init(b, &r->nodes[i].children[0], NULL), DN_OK);
    for (int64_t k = 0; k < NESTED_WORDS; k++) {
        assert_int_equal(words[k] == NULL ? dn_builder_null(b, NULL)
                                          : dn_builder_bytes(b, words[k], strlen(words[k]), NULL),
                         DN_OK);
    }
    for (int64_t k = 0; k < r->n_rows; k++) {
        const uint64_t v = scratch_random(seed);
        const bool valid = v % 100 >= null_percent;
        indices[k] = (int8_t)((v >> 8) % NESTED_WORDS);
        validity[k / 8] = (uint8_t)(validity[k / 8] | (unsigned)valid << (k % 8));
        n_nulls += !valid;
    }
    assert_int_equal(dn_builder_describe(b, &r->within[i][0], NULL), DN_OK);
    r->within[i][0].n_rows = NESTED_WORDS;
    r->columns[i] = (struct dn_batch_column){.type = r->nodes[i].field.type,
                                             .null_count = n_nulls,
                                             .validity = validity,
                                             .values = indices,
                                             .children = r->within[i],
                                             .n_children = 1};
}

/* Runs of three rows. */
static inline void nested_runs(struct nested_rows *r, int64_t i, unsigned null_percent,
                               uint64_t *seed)
{
    struct dn_builder *b = &r->builders[NESTED_GROWN + 1];
    const int64_t n = (r->n_rows + 2) / 3;
    int32_t *ends = nested_room(r, (size_t)n * sizeof *ends);

    nested_node(r, i, DN_TYPE(RUN_END), "int32", "list<string>");
    assert_int_equal(dn_builder_init(b, &r->nodes[i].children[1], NULL), DN_OK);
    for (int64_t k = 0; k < n; k++) {
        ends[k] = (int32_t)(3 * k + 3 < r->n_rows ? 3 * k + 3 : r->n_rows);
        nested_fill(b, null_percent, seed);
    }
    r->within[i][0] = (struct dn_batch_column){.type = DN_TYPE(INT32), .values = ends, .n_rows = n};
    assert_int_equal(dn_builder_describe(b, &r->within[i][1], NULL), DN_OK);
    r->within[i][1].n_rows = n;
    r->columns[i] = (struct dn_batch_column){
        .type = r->nodes[i].field.type, .children = r->within[i], .n_children = 2};
}

/* Views of lists, which share items and lie in no order. */
static inline void nested_views(struct nested_rows *r, int64_t i, unsigned null_percent,
                                uint64_t *seed)
{
    struct dn_builder *b = &r->builders[NESTED_GROWN + 2];
    int32_t *starts = nested_room(r, (size_t)r->n_rows * sizeof *starts);
    int32_t *sizes = nested_room(r, (size_t)r->n_rows * sizeof *sizes);

    nested_node(r, i, DN_TYPE(LIST_VIEW), "string", NULL);
    assert_int_equal(dn_builder_init(b, &r->nodes[i].children[0], NULL), DN_OK);
    for (int64_t k = 0; k < 50; k++) {
        nested_fill(b, null_percent, seed);
    }
    for (int64_t k = 0; k < r->n_rows; k++) {
        const uint64_t v = scratch_random(seed);
        starts[k] = (int32_t)(v % 45);
        sizes[k] = (int32_t)((v >> 8) % 5);
    }
    assert_int_equal(dn_builder_describe(b, &r->within[i][0], NULL), DN_OK);
    r->within[i][0].n_rows = 50;
    r->columns[i] = (struct dn_batch_column){.type = r->nodes[i].field.type,
                                             .values = starts,
                                             .bytes = (const uint8_t *)sizes,
                                             .children = r->within[i],
                                             .n_children = 1};
}

/* Neither the column nor anything within it has nulls. */
static inline void nested_require(struct dn_node *n)
{
    n->field.nullable = false;
    for (int64_t i = 0; i < n->n_children; i++) {
        nested_require(&n->children[i]);
    }
}

/** With 0 % of nulls the schema has none either, but for dictionaries, runs and views. */
static inline void nested_make(struct nested_rows *r, int64_t n_rows, unsigned null_percent,
                               uint64_t seed)
{
    memset(r, 0, sizeof *r);
    r->n_rows = n_rows;
    for (int64_t i = 0; i < NESTED_GROWN; i++) {
        assert_int_equal(dn_node_parse(nested_types[i], &r->arena, &r->nodes[i], NULL), DN_OK);
        if (null_percent == 0) {
            nested_require(&r->nodes[i]);
        }
        assert_int_equal(dn_builder_init(&r->builders[i], &r->nodes[i], NULL), DN_OK);
        for (int64_t k = 0; k < n_rows; k++) {
            nested_fill(&r->builders[i], null_percent, &seed);
        }
        assert_int_equal(dn_builder_describe(&r->builders[i], &r->columns[i], NULL), DN_OK);
    }
    nested_dictionary(r, NESTED_GROWN, null_percent, &seed);
    nested_runs(r, NESTED_GROWN + 1, null_percent, &seed);
    nested_views(r, NESTED_GROWN + 2, null_percent, &seed);
    for (int64_t i = 0; i < NESTED_COLUMNS; i++) {
        char *name = nested_room(r, 2);
        name[0] = (char)('a' + i);
        r->nodes[i].field.name = name;
    }
}

static inline void nested_free(struct nested_rows *r)
{
    for (int64_t i = 0; i < NESTED_GROWN + 3; i++) {
        dn_builder_finish(&r->builders[i]);
    }
    dn_arena_finish(&r->arena);
}

static inline void nested_release(void *rows)
{
    ((struct nested_rows *)rows)->batches_out--;
}

/** All rows, as one batch. */
static inline enum dn_status nested_write(struct nested_rows *r, const char *path,
                                          const struct dn_parquet_options *options,
                                          struct dn_error *err)
{
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_schema_make_nodes(&schema, r->nodes, NESTED_COLUMNS, err));
    DN_TRY_GOTO(st, dn_parquet_writer_open(&w, path, &schema, options, err), cleanup);
    DN_TRY_GOTO(
        st, dn_batch_export(&batch, r->n_rows, NESTED_COLUMNS, r->columns, nested_release, r, err),
        cleanup);
    r->batches_out++;
    DN_TRY_GOTO(st, dn_parquet_append(w, &batch, err), cleanup);
    DN_TRY_GOTO(st, dn_parquet_finish(w, err), cleanup);
    st = dn_parquet_commit(w, err);
cleanup:
    dn_parquet_close(w);
    schema.release(&schema);
    return st;
}

#endif
