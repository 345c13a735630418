#include "pg/plan.h"

#include "base/strings.h"

#include <string.h>

#define FIRST_VERSION_WITH_RANGES 140000

/* Why not, or NULL. */
static const char *reason_of_part(const struct dn_pg_part *part)
{
    if (part->kind == 'p') {
        return NULL; /* has no rows of its own */
    }
    if (part->kind == 'f') {
        return "one of its partitions is a foreign table";
    }
    if (!part->is_heap) {
        return "it, or a part of it, is not stored in PostgreSQL's own way (heap)";
    }
    return NULL;
}

static const char *reason_for_one(const struct dn_pg_relation *rel)
{
    if (rel->kind == 'v') {
        return "it is a view";
    }
    if (rel->kind == 'f') {
        return "it is a foreign table";
    }
    if (rel->version < FIRST_VERSION_WITH_RANGES) {
        return "the server is older than PostgreSQL 14, which cannot read ranges of pages";
    }
    if (rel->is_standby) {
        return "the server is a standby, which may end any of several transactions";
    }
    for (size_t i = 0; i < rel->n_parts; i++) {
        const char *reason = reason_of_part(&rel->parts[i]);
        if (reason != NULL) {
            return reason;
        }
        if (rel->n_parts > 1 && rel->parts[i].is_policed) {
            return "it has partitions or children, and row security applies to this user";
        }
        if (rel->n_parts > 1 && !rel->parts[i].is_readable) {
            return "one of its partitions or children may be read through it only";
        }
    }
    return NULL;
}

/* ---- SQL ---------------------------------------------------------------------------------------------------------- */

static bool has_cast(const struct dn_pg_field *f)
{
    return f->is_cast || f->cast_to != NULL;
}

static enum dn_status put_cast(struct dn_buffer *sql, const struct dn_pg_field *f,
                               struct dn_error *err)
{
    if (!has_cast(f)) {
        return DN_OK;
    }
    const char *type = f->cast_to != NULL ? f->cast_to
                       : f->is_array      ? "pg_catalog.text[]"
                                          : "pg_catalog.text";
    return dn_text_appendf(sql, err, "::%s", type);
}

static enum dn_status put_field(struct dn_buffer *sql, const struct dn_pg_field *f,
                                struct dn_error *err)
{
    DN_TRY(f->is_missing ? dn_text_append(sql, "NULL", err) : dn_pg_quote_name(sql, f->name, err));
    return put_cast(sql, f, err);
}

static enum dn_status put_columns(struct dn_buffer *sql, const struct dn_pg_field *fields,
                                  size_t n_fields, const size_t *columns, size_t n,
                                  struct dn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const size_t column = columns != NULL ? columns[i] : i;
        if (column >= n_fields) {
            return dn_error_set(err, DN_ERR_INVALID, "there is no column %zu", column);
        }
        if (i > 0) {
            DN_TRY(dn_text_append(sql, ",", err));
        }
        DN_TRY(put_field(sql, &fields[column], err));
    }
    return DN_OK;
}

static enum dn_status put_select(struct dn_buffer *sql, const struct dn_pg_relation *rel,
                                 const struct dn_pg_wish *wish, const struct dn_pg_part *part,
                                 const struct dn_pg_range *r, struct dn_error *err)
{
    const char *and = " WHERE ";

    DN_TRY(dn_text_append(sql, "SELECT ", err));
    DN_TRY(put_columns(sql, rel->fields, rel->n_fields, wish->columns,
                       wish->columns != NULL ? wish->n_columns : rel->n_fields, err));
    DN_TRY(dn_text_append(sql, r->from < 0 ? " FROM " : " FROM ONLY ", err));
    DN_TRY(dn_pg_quote_name(sql, r->from < 0 ? rel->schema : part->schema, err));
    DN_TRY(dn_text_append(sql, ".", err));
    DN_TRY(dn_pg_quote_name(sql, r->from < 0 ? rel->name : part->name, err));
    if (r->from > 0) {
        DN_TRY(dn_text_appendf(sql, err, "%sctid >= '(%lld,0)'::pg_catalog.tid", and,
                               (long long)r->from));
        and = " AND ";
    }
    if (r->from >= 0 && r->to >= 0) {
        DN_TRY(dn_text_appendf(sql, err, "%sctid < '(%lld,0)'::pg_catalog.tid", and,
                               (long long)r->to));
        and = " AND ";
    }
    if (wish->where != NULL && wish->where[0] != '\0') {
        DN_TRY(dn_text_appendf(sql, err, "%s(%s\n)", and, wish->where));
    }
    return DN_OK;
}

static enum dn_status keep(const char **out, struct dn_buffer *sql, struct dn_arena *arena,
                           struct dn_error *err)
{
    *out = dn_arena_strndup(arena, (const char *)sql->data, sql->len);
    const size_t len = sql->len;
    dn_buffer_reset(sql);
    return *out != NULL ? DN_OK : dn_error_memory(err, len + 1);
}

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

struct maker {
    const struct dn_pg_relation *rel;
    const struct dn_pg_wish *wish;
    struct dn_pg_piece *pieces;
    size_t n;
    struct dn_buffer sql;
    struct dn_arena *arena;
};

static enum dn_status add_piece(struct maker *m, size_t part, const struct dn_pg_range *r,
                                struct dn_error *err)
{
    struct dn_pg_piece *piece = &m->pieces[m->n];

    DN_TRY(put_select(&m->sql, m->rel, m->wish, &m->rel->parts[part], r, err));
    DN_TRY(keep(&piece->select, &m->sql, m->arena, err));
    piece->part = part;
    piece->n_blocks = r->n_blocks;
    m->n++;
    return DN_OK;
}

static bool has_rows(const struct dn_pg_part *part)
{
    return part->kind == 'r' || part->kind == 'm';
}

int64_t dn_pg_part_blocks(const struct dn_pg_part *part)
{
    return part->n_blocks + part->n_toast_blocks;
}

/* Own pages of a piece.  Where TOAST is, nobody knows: a page has the share of it that every page has. */
static int64_t own_blocks(const struct dn_pg_part *part, int64_t piece_blocks)
{
    if (part->n_toast_blocks == 0) {
        return piece_blocks;
    }
    const double share = (double)part->n_blocks / (double)dn_pg_part_blocks(part);
    const double own = (double)piece_blocks * share;
    return own < 1 ? 1 : (int64_t)own;
}

/* All pages of the first so many own ones. */
static int64_t blocks_up_to(const struct dn_pg_part *part, int64_t own)
{
    return own >= part->n_blocks ? dn_pg_part_blocks(part)
                                 : own + (int64_t)((double)part->n_toast_blocks *
                                                   ((double)own / (double)part->n_blocks));
}

/* A part without pages had no rows when its size was asked for, which was behind the snapshot; it is one piece all the same. */
static int64_t pieces_of(const struct dn_pg_part *part, int64_t piece_blocks)
{
    const int64_t own = own_blocks(part, piece_blocks);
    const int64_t n = part->n_blocks / own + (part->n_blocks % own != 0 ? 1 : 0);

    return !has_rows(part) ? 0 : n > 0 ? n : 1;
}

/* The i-th of its n pieces. */
static struct dn_pg_range piece_of(const struct dn_pg_part *part, int64_t piece_blocks, int64_t i,
                                   int64_t n)
{
    const int64_t own = own_blocks(part, piece_blocks);
    const int64_t from = i * own;
    const int64_t n_blocks = blocks_up_to(part, from + own) - blocks_up_to(part, from);

    return (struct dn_pg_range){part->oid, from, i == n - 1 ? -1 : from + own, n_blocks};
}

static enum dn_status cut_part(struct maker *m, size_t index, int64_t piece_blocks,
                               struct dn_error *err)
{
    const struct dn_pg_part *part = &m->rel->parts[index];
    const int64_t n = pieces_of(part, piece_blocks);

    for (int64_t i = 0; i < n; i++) {
        const struct dn_pg_range r = piece_of(part, piece_blocks, i, n);
        DN_TRY(add_piece(m, index, &r, err));
    }
    return DN_OK;
}

static int64_t blocks_of(const struct dn_pg_relation *rel)
{
    int64_t n = 0;

    for (size_t i = 0; i < rel->n_parts; i++) {
        n += has_rows(&rel->parts[i]) ? dn_pg_part_blocks(&rel->parts[i]) : 0;
    }
    return n;
}

static struct dn_pg_range whole_of(const struct dn_pg_relation *rel)
{
    return (struct dn_pg_range){rel->n_parts > 0 ? rel->parts[0].oid : 0, -1, -1, blocks_of(rel)};
}

/* Some for everybody, so that none waits long at the end. */
static int64_t choose_piece(int64_t n_blocks, const struct dn_pg_wish *wish)
{
    const int64_t most = wish->piece_blocks > 0 ? wish->piece_blocks : DN_PG_PIECE_BLOCKS;
    int64_t size = n_blocks / ((int64_t)wish->n_connections * 4);

    if (size < DN_PG_SMALLEST_PIECE_BLOCKS) {
        size = DN_PG_SMALLEST_PIECE_BLOCKS;
    }
    return size < most ? size : most;
}

static enum dn_status make_pieces(struct maker *m, struct dn_pg_plan *out, int64_t piece_blocks,
                                  struct dn_error *err)
{
    const struct dn_pg_relation *rel = m->rel;
    int64_t n = 0;

    for (size_t i = 0; piece_blocks > 0 && i < rel->n_parts; i++) {
        n += pieces_of(&rel->parts[i], piece_blocks);
    }
    m->pieces = dn_arena_alloc(m->arena, ((size_t)n + 1) * sizeof(*m->pieces));
    if (m->pieces == NULL) {
        return dn_error_memory(err, ((size_t)n + 1) * sizeof(*m->pieces));
    }
    if (piece_blocks == 0) {
        const struct dn_pg_range whole = whole_of(rel);
        DN_TRY(add_piece(m, 0, &whole, err));
    }
    for (size_t i = 0; piece_blocks > 0 && i < rel->n_parts; i++) {
        DN_TRY(cut_part(m, i, piece_blocks, err));
    }
    out->pieces = m->pieces;
    out->n_pieces = m->n;
    return DN_OK;
}

enum dn_status dn_pg_plan_make(struct dn_pg_plan *out, const struct dn_pg_relation *rel,
                               const struct dn_pg_wish *wish, struct dn_arena *arena,
                               struct dn_error *err)
{
    struct maker m = {.rel = rel, .wish = wish, .arena = arena};
    const size_t n_columns = wish->columns != NULL ? wish->n_columns : rel->n_fields;
    int64_t piece_blocks = 0;

    *out = (struct dn_pg_plan){.n_connections = 1,
                               .n_blocks = blocks_of(rel),
                               .is_unsized = rel->kind == 'v' || rel->kind == 'f'};
    if (n_columns == 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s.%s has no columns to read", rel->schema,
                            rel->name);
    }
    if (wish->n_connections > 1) {
        out->reason = reason_for_one(rel);
        piece_blocks = choose_piece(out->n_blocks, wish);
        if (out->reason == NULL && out->n_blocks < 2 * piece_blocks) {
            out->reason = "it is small";
        }
        piece_blocks = out->reason == NULL ? piece_blocks : 0;
    }
    const enum dn_status st = make_pieces(&m, out, piece_blocks, err);
    dn_buffer_finish(&m.sql);
    if (st == DN_OK && piece_blocks > 0) {
        out->n_connections =
            out->n_pieces < wish->n_connections ? (uint32_t)out->n_pieces : wish->n_connections;
    }
    return st;
}

/* ---- pieces of other processes ------------------------------------------------------------------------------------ */

enum dn_status dn_pg_plan_cut(struct dn_pg_range **out, size_t *n, const char **reason,
                              const struct dn_pg_relation *rel, int64_t piece_blocks,
                              struct dn_arena *arena, struct dn_error *err)
{
    int64_t n_pieces = 0;

    *n = 0;
    *reason = reason_for_one(rel);
    for (size_t i = 0; *reason == NULL && i < rel->n_parts; i++) {
        n_pieces += pieces_of(&rel->parts[i], piece_blocks);
    }
    struct dn_pg_range *list = dn_arena_alloc(arena, ((size_t)n_pieces + 1) * sizeof(*list));
    *out = list;
    if (list == NULL) {
        return dn_error_memory(err, ((size_t)n_pieces + 1) * sizeof(*list));
    }
    if (n_pieces == 0) { /* or all its parts are without rows of their own */
        list[(*n)++] = whole_of(rel);
    }
    for (size_t i = 0; *reason == NULL && i < rel->n_parts; i++) {
        const struct dn_pg_part *part = &rel->parts[i];
        const int64_t n_of_part = pieces_of(part, piece_blocks);
        for (int64_t k = 0; k < n_of_part; k++) {
            list[(*n)++] = piece_of(part, piece_blocks, k, n_of_part);
        }
    }
    return DN_OK;
}

enum dn_status dn_pg_plan_range(struct dn_pg_plan *out, const struct dn_pg_relation *rel,
                                const struct dn_pg_wish *wish, const struct dn_pg_range *range,
                                struct dn_arena *arena, struct dn_error *err)
{
    struct maker m = {.rel = rel, .wish = wish, .arena = arena};
    size_t part = 0;

    *out = (struct dn_pg_plan){.n_connections = 1, .n_blocks = range->n_blocks};
    out->is_unsized = range->n_blocks == 0;
    while (part < rel->n_parts && rel->parts[part].oid != range->oid) {
        part++;
    }
    if (part == rel->n_parts || (range->from < 0 && part > 0)) {
        return dn_error_set(err, DN_ERR_IO,
                            "%s.%s is another table, or has other partitions, than when it was cut "
                            "into pieces; cut it again",
                            rel->schema, rel->name);
    }
    m.pieces = dn_arena_alloc(arena, sizeof(*m.pieces));
    if (m.pieces == NULL) {
        return dn_error_memory(err, sizeof(*m.pieces));
    }
    const enum dn_status st = add_piece(&m, part, range, err);
    dn_buffer_finish(&m.sql);
    out->pieces = m.pieces;
    out->n_pieces = m.n;
    return st;
}

/* ---- queries ------------------------------------------------------------------------------------------------------ */

/* Are all columns of a query asked for as they are? */
static bool is_whole_query(const struct dn_pg_field *fields, size_t n, size_t n_columns)
{
    bool whole = n == n_columns;

    for (size_t i = 0; whole && i < n; i++) {
        whole = fields[i].place == i && !has_cast(&fields[i]);
    }
    return whole;
}

/* People end statements with a semicolon, which cannot stand in the parentheses that follow. */
static size_t without_end(const char *sql)
{
    size_t len = strlen(sql);

    while (len > 0 && strchr("; \t\r\n", sql[len - 1]) != NULL) {
        len--;
    }
    return len;
}

/* Names of a query's columns may repeat, so its columns get names by number where not all are asked for as they are. */
static enum dn_status put_query(struct dn_buffer *out, const char *sql, size_t n_columns,
                                const struct dn_pg_field *fields, size_t n_fields,
                                struct dn_error *err)
{
    const size_t len = without_end(sql);

    if (is_whole_query(fields, n_fields, n_columns)) {
        return dn_buffer_append(out, sql, len, err);
    }
    DN_TRY(dn_text_append(out, "SELECT ", err));
    for (size_t i = 0; i < n_fields; i++) {
        DN_TRY(dn_text_append(out, i > 0 ? "," : "", err));
        DN_TRY(fields[i].is_missing ? dn_text_append(out, "NULL", err)
                                    : dn_text_appendf(out, err, "c%zu", fields[i].place));
        DN_TRY(put_cast(out, &fields[i], err));
    }
    DN_TRY(dn_text_append(out, " FROM (", err));
    DN_TRY(dn_buffer_append(out, sql, len, err));
    DN_TRY(dn_text_append(out, "\n) AS q(", err));
    for (size_t i = 0; i < n_columns; i++) {
        DN_TRY(dn_text_appendf(out, err, "%sc%zu", i > 0 ? "," : "", i));
    }
    return dn_text_append(out, ")", err);
}

enum dn_status dn_pg_plan_query(struct dn_pg_plan *out, const char *sql, size_t n_columns,
                                const struct dn_pg_field *fields, size_t n_fields,
                                struct dn_arena *arena, struct dn_error *err)
{
    struct dn_pg_piece *piece = dn_arena_alloc(arena, sizeof(*piece));
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;

    *out = (struct dn_pg_plan){.n_connections = 1, .reason = "it is a query", .is_unsized = true};
    if (piece == NULL) {
        return dn_error_memory(err, sizeof(*piece));
    }
    if (n_fields == 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the query has no columns to read");
    }
    st = put_query(&text, sql, n_columns, fields, n_fields, err);
    if (st == DN_OK) {
        st = keep(&piece->select, &text, arena, err);
    }
    dn_buffer_finish(&text);
    out->pieces = piece;
    out->n_pieces = st == DN_OK ? 1 : 0;
    return st;
}
