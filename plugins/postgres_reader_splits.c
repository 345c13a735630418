/* Pieces of a table: splits(), open_split() and hold(). */
#include "postgres_reader.h"

#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGEST_SIZE 17

static struct postgres_handle *handle_of(struct dn_reader *r)
{
    return (struct postgres_handle *)(void *)r;
}

/* Of a value as one line with its keys sorted. */
static enum dn_status digest(char out[DIGEST_SIZE], const json_t *value, struct dn_error *err)
{
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII;
    struct dn_arena arena = {0};
    const size_t len = value != NULL ? json_dumpb(value, NULL, 0, flags) : 0;
    char *text = len > 0 ? dn_arena_alloc(&arena, len) : NULL;
    const bool made = text != NULL && json_dumpb(value, text, len, flags) == len;

    (void)snprintf(out, DIGEST_SIZE, "%016" PRIx64,
                   made ? dn_digest_bytes(DN_DIGEST_START, text, len) : 0);
    dn_arena_finish(&arena);
    return made ? DN_OK : dn_error_memory(err, len);
}

static json_t *copy_without(const json_t *object)
{
    /* do not decide what the rows are: who reads a piece may give others */
    static const char *const free_options[] = {"n_threads",  "connections", "statement_timeout",
                                               "chunk_size", "batch_size",  "lock_timeout",
                                               "meltano",    "native"};
    json_t *copy = object != NULL ? json_copy((json_t *)(uintptr_t)object) : json_object();

    for (size_t i = 0; copy != NULL && i < sizeof(free_options) / sizeof(free_options[0]); i++) {
        (void)json_object_del(copy, free_options[i]);
    }
    return copy;
}

/* Of all that decides what the rows are, but for the connection, which the snapshot stands for. */
static enum dn_status digest_config(char out[DIGEST_SIZE], const struct dn_shell_config *c,
                                    struct dn_error *err)
{
    json_t *all = json_pack("{s:o, s:o, s:O*, s:O*}", "options", copy_without(c->options), "native",
                            copy_without(c->native), "objects", json_object_get(c->root, "objects"),
                            "files", json_object_get(c->root, "files"));
    const enum dn_status st = digest(out, all, err);

    json_decref(all);
    return st;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------- */

static json_t *digits_json(const struct dn_pg_cut *cut)
{
    json_t *list = json_array();

    for (size_t i = 0; i < cut->n_digits; i++) {
        const struct dn_pg_digits *d = &cut->digits[i];
        json_t *entry = d->is_surveyed
                            ? json_pack("[i, i, I, I]", d->n_whole, d->n_places,
                                        (json_int_t)d->n_values, (json_int_t)d->n_specials)
                            : json_null();
        if (json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* "check" is the digest of all the rest. */
static enum dn_status token_make(json_t **out, const struct dn_pg_cut *shared,
                                 const struct dn_pg_range *range, const char *options,
                                 struct dn_error *err)
{
    char check[DIGEST_SIZE];

    *out = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "options", options,
                     "snapshot", shared->snapshot.name, "server", shared->snapshot.server, "moment",
                     shared->snapshot.moment, "oid", (json_int_t)range->oid, "from",
                     (json_int_t)range->from, "to", (json_int_t)range->to, "pages",
                     (json_int_t)range->n_blocks, "digits", digits_json(shared));
    enum dn_status st = digest(check, *out, err);
    if (st == DN_OK && json_object_set_new(*out, "check", json_string(check)) != 0) {
        st = dn_error_memory(err, 64);
    }
    if (st != DN_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

static enum dn_status piece_add(json_t *list, const struct dn_pg_reader *reader,
                                const struct dn_pg_cuts *cuts, const struct dn_pg_range *range,
                                const char *options, struct dn_error *err)
{
    const char *snapshot = cuts->shared.snapshot.name;
    struct dn_arena arena = {0};
    json_t *token = NULL;

    DN_TRY(token_make(&token, &cuts->shared, range, options, err));
    const size_t len = json_dumpb(token, NULL, 0, JSON_COMPACT);
    char *text = dn_arena_alloc(&arena, len + 1);
    const bool made =
        len > 0 && text != NULL && json_dumpb(token, text, len, JSON_COMPACT) == len &&
        json_array_append_new(list, json_pack("{s:s%, s:s, s:I, s:s?}", "token", text, len, "path",
                                              dn_pg_reader_name(reader), "bytes",
                                              (json_int_t)range->n_blocks * DN_PG_PAGE_BYTES,
                                              "snapshot", snapshot[0] != '\0' ? snapshot : NULL)) ==
            0;
    dn_arena_finish(&arena);
    json_decref(token);
    return made ? DN_OK : dn_error_memory(err, len);
}

static enum dn_status text_make(char **out, const json_t *list, struct dn_error *err)
{
    struct dn_buffer b = {0};
    const size_t len = json_dumpb(list, NULL, 0, JSON_COMPACT);
    enum dn_status st = dn_shell_text_begin(&b, len, err);

    if (st == DN_OK) {
        st = dn_buffer_reserve(&b, len, err);
    }
    if (st == DN_OK && len > 0 &&
        json_dumpb(list, (char *)b.data + b.len, len, JSON_COMPACT) == len) {
        b.len += len;
        *out = dn_shell_text_end(&b);
    }
    dn_buffer_finish(&b);
    return st != DN_OK ? st : *out != NULL ? DN_OK : dn_error_memory(err, len);
}

static enum dn_status cut(struct dn_reader *r, uint64_t target_bytes, char **out_json,
                          struct dn_error *err)
{
    struct postgres_handle *h = handle_of(r);
    char options[DIGEST_SIZE];
    struct dn_pg_cuts cuts;
    json_t *list = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(dn_shell_handle_check(&r->shell, err));
    if (h->settings.read.piece != NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a piece is not cut again: give splits() a reader of the whole");
    }
    DN_TRY(digest_config(options, &r->config, err));
    DN_TRY(dn_pg_reader_cut(h->reader, target_bytes, !h->settings.snapshot_per_piece, &cuts, err));
    list = json_array();
    for (size_t i = 0; st == DN_OK && i < cuts.n; i++) {
        st = piece_add(list, h->reader, &cuts, &cuts.ranges[i], options, err);
    }
    if (st == DN_OK) {
        st = text_make(out_json, list, err);
    }
    json_decref(list);
    return st;
}

int32_t postgres_splits(void *reader, uint64_t target_bytes, char **out_json,
                        struct dativo_error *err)
{
    struct dn_error error = {0};

    *out_json = NULL;
    return dn_shell_error_export(cut(reader, target_bytes, out_json, &error), &error, err);
}

/* ---- opening one -------------------------------------------------------------------------------------------------- */

static bool take_text(char *out, size_t size, const json_t *token, const char *key)
{
    const char *text = dn_shell_text_value(json_object_get(token, key));

    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool take_int(int64_t *out, const json_t *value)
{
    *out = json_integer_value(value);
    return json_is_integer(value);
}

static bool take_digits(struct dn_pg_digits *out, const json_t *entry)
{
    int64_t n_whole = 0;
    int64_t n_places = 0;

    *out = (struct dn_pg_digits){.is_surveyed = !json_is_null(entry)};
    if (!out->is_surveyed) {
        return true;
    }
    const bool good = take_int(&n_whole, json_array_get(entry, 0)) &&
                      take_int(&n_places, json_array_get(entry, 1)) &&
                      take_int(&out->n_values, json_array_get(entry, 2)) &&
                      take_int(&out->n_specials, json_array_get(entry, 3)) && n_whole >= 0 &&
                      n_whole <= INT32_MAX && n_places >= 0 && n_places <= INT32_MAX;
    out->n_whole = (int32_t)n_whole;
    out->n_places = (int32_t)n_places;
    return good;
}

/* false: it is damaged. */
static bool take_token(struct dn_pg_cut *out, const json_t *token, struct dn_arena *arena)
{
    const json_t *digits = json_object_get(token, "digits");
    const size_t n = json_array_size(digits);
    struct dn_pg_digits *list = dn_arena_alloc(arena, (n + 1) * sizeof(*list));
    struct dn_pg_snapshot *s = &out->snapshot;
    int64_t oid = 0;

    bool good = list != NULL && json_is_array(digits) &&
                take_text(s->name, sizeof(s->name), token, "snapshot") &&
                take_text(s->server, sizeof(s->server), token, "server") &&
                take_text(s->moment, sizeof(s->moment), token, "moment") &&
                take_int(&oid, json_object_get(token, "oid")) &&
                take_int(&out->range.from, json_object_get(token, "from")) &&
                take_int(&out->range.to, json_object_get(token, "to")) &&
                take_int(&out->range.n_blocks, json_object_get(token, "pages")) && oid >= 0 &&
                oid <= UINT32_MAX;
    for (size_t i = 0; good && i < n; i++) {
        good = take_digits(&list[i], json_array_get(digits, i));
    }
    out->range.oid = (uint32_t)oid;
    out->digits = list;
    out->n_digits = n;
    return good;
}

static enum dn_status token_check(json_t *token, const struct dn_shell_config *c,
                                  struct dn_error *err)
{
    char check[DIGEST_SIZE] = "";
    char options[DIGEST_SIZE] = "";
    char own[DIGEST_SIZE] = "";

    const bool has_check = take_text(check, sizeof(check), token, "check") &&
                           take_text(options, sizeof(options), token, "options") &&
                           json_object_del(token, "check") == 0;
    DN_TRY(digest(own, token, err));
    if (!has_check || strcmp(check, own) != 0) {
        return dn_error_set(err, DN_ERR_INVALID, "the token of a piece is damaged");
    }
    DN_TRY(digest_config(own, c, err));
    return strcmp(options, own) == 0
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID,
                              "the token of a piece was made with other options than those that "
                              "it is opened with");
}

static enum dn_status take_piece(struct postgres_handle *h, const char *text, struct dn_error *err)
{
    struct dn_shell_config *c = &h->base.config;
    json_t *token = NULL;

    DN_TRY(dn_shell_json_parse(&token, text != NULL ? text : "", "the token of a piece", err));
    enum dn_status st = token_check(token, c, err);
    if (st == DN_OK && !take_token(&h->piece, token, &c->arena)) {
        st = dn_error_set(err, DN_ERR_INVALID, "the token of a piece is none of a table");
    }
    json_decref(token);
    h->settings.read.piece = &h->piece;
    return st;
}

static enum dn_status open_piece(struct dn_reader *r, const char *token, struct dn_error *err)
{
    DN_TRY(take_piece(handle_of(r), token, err));
    return dn_reader_open(r, err);
}

int32_t postgres_open_split(const char *config_json, const char *token,
                            const struct dativo_host *host, void **out_reader,
                            struct dativo_error *err)
{
    return dn_reader_v1_open_by(open_piece, config_json, token, host, out_reader, err);
}

int32_t postgres_hold(void *reader, struct dativo_error *err)
{
    struct dn_reader *r = reader;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&r->shell, &error);

    if (st == DN_OK) {
        st = dn_pg_reader_hold(handle_of(r)->reader, &error);
    }
    return dn_shell_error_export(st, &error, err);
}
