/* The end of a job in pieces: all of them are there and become the result, or none of it stays. */
#include "base/memory.h"
#include "job/events.h"
#include "job/parts_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MOST_NAMED 10 /* tasks in a message */

/* ---- is everything there? ---- */

static enum dn_status sources_check(const struct dn_parts *p, struct dn_error *err)
{
    const json_t *files = json_object_get(p->json, "files");
    const json_t *connection =
        json_object_get(json_object_get(p->json, "reader_config"), "connection");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *then = json_array_get(files, i);
        const char *path = json_string_value(json_object_get(then, "path"));
        json_t *now = NULL;
        DN_TRY(dn_parts_identity(&now, path != NULL ? path : "", connection,
                                 "the source cannot be looked at", err));
        const bool same = json_equal(now, then) != 0;
        json_decref(now);
        if (!same) {
            const enum dn_status st =
                dn_error_set(err, DN_ERR_IO,
                             "%s: was written to since the plan was made, so that pieces may be of "
                             "different states of it; make a new plan, and abort this one",
                             path);
            dn_error_locate(err, path, -1, -1, -1, NULL);
            return st;
        }
    }
    return DN_OK;
}

enum piece_state {
    PIECE_MISSING = 0,
    PIECE_DIFFERS, /* its file is not what its task has written */
    PIECE_THERE,
};

struct committing {
    struct dn_parts_place *l;
    const struct dn_parts *p;
    json_t *staged; /* of the place */
    json_t *final;
    json_t **manifests; /* a piece each; NULL: none */
    enum piece_state *states;
    size_t n;
};

/* The file may have its final name already, if a commit was interrupted. */
static enum dn_status part_check(const struct committing *c, const char *name,
                                 const json_t *manifest, enum piece_state *out,
                                 struct dn_error *err)
{
    const bool is_staged = json_object_get(c->staged, name) != NULL;
    const json_t *there = json_object_get(is_staged ? c->staged : c->final, name);
    const json_t *crc32c = json_object_get(manifest, "crc32c");
    const json_t *etag = json_object_get(manifest, "etag");
    json_t *mark = NULL;

    *out = there == NULL ? PIECE_MISSING
           : json_equal(json_object_get(there, "bytes"), json_object_get(manifest, "bytes")) == 0
               ? PIECE_DIFFERS
               : PIECE_THERE;
    /* a copy has an ETag of its own */
    if (*out == PIECE_THERE && etag != NULL && is_staged &&
        json_equal(json_object_get(there, "etag"), etag) == 0) {
        *out = PIECE_DIFFERS;
    }
    if (*out != PIECE_THERE || crc32c == NULL) {
        return DN_OK;
    }
    DN_TRY(c->l->class->mark(c->l, is_staged, name, &mark, err));
    *out = json_equal(json_object_get(mark, "crc32c"), crc32c) != 0 ? PIECE_THERE : PIECE_DIFFERS;
    json_decref(mark);
    return DN_OK;
}

static bool is_whole(const struct committing *c, size_t index, const json_t *manifest)
{
    const char *id = json_string_value(json_object_get(manifest, "plan"));

    return id != NULL && strcmp(id, c->p->id) == 0 &&
           json_is_integer(json_object_get(manifest, "bytes")) &&
           json_is_integer(json_object_get(manifest, "rows")) &&
           (json_is_string(json_object_get(manifest, "crc32c")) ||
            json_is_string(json_object_get(manifest, "etag"))) &&
           json_is_integer(json_object_get(manifest, "index")) &&
           json_integer_value(json_object_get(manifest, "index")) == (json_int_t)index;
}

static enum dn_status piece_look(void *ctx, size_t index, struct dn_error *err)
{
    struct committing *c = ctx;
    char name[DN_PARTS_NAME_SIZE];
    json_t *manifest = NULL;

    dn_parts_manifest_name(name, c->p, index);
    if (json_object_get(c->staged, name) == NULL) {
        return DN_OK;
    }
    const enum dn_status st = c->l->class->read(c->l, true, name, &manifest, err);
    if (st == DN_ERR_NOT_FOUND || st == DN_ERR_DATA ||
        (st == DN_OK && !is_whole(c, index, manifest))) {
        dn_error_clear(err);
        json_decref(manifest);
        c->states[index] = st == DN_ERR_NOT_FOUND ? PIECE_MISSING : PIECE_DIFFERS;
        return DN_OK;
    }
    DN_TRY(st);
    c->manifests[index] = manifest;
    dn_parts_part_name(name, c->p, index);
    return part_check(c, name, manifest, &c->states[index], err);
}

static size_t list_state(const struct committing *c, enum piece_state state, char *list,
                         size_t size, size_t *first)
{
    size_t n = 0;
    size_t len = 0;

    list[0] = '\0';
    for (size_t i = 0; i < c->n; i++) {
        if (c->states[i] != state) {
            continue;
        }
        *first = n == 0 && *first > i ? i : *first;
        if (n < MOST_NAMED) {
            len += (size_t)snprintf(list + len, size - len, "%s%zu", n > 0 ? ", " : "", i);
        }
        n++;
    }
    if (n > MOST_NAMED) {
        (void)snprintf(list + len, size - len, ", ...");
    }
    return n;
}

/* DN_ERR_NOT_FOUND, with those that are missing and those that are not what they should be. */
static enum dn_status pieces_check(const struct committing *c, struct dn_error *err)
{
    char missing[MOST_NAMED * 24 + 8];
    char differing[MOST_NAMED * 24 + 8];
    size_t first = c->n;
    const size_t n_missing = list_state(c, PIECE_MISSING, missing, sizeof missing, &first);
    const size_t n_differing = list_state(c, PIECE_DIFFERS, differing, sizeof differing, &first);
    char text[64] = "";

    if (n_missing + n_differing == 0) {
        return DN_OK;
    }
    if (n_missing == 0) {
        return dn_error_set(err, DN_ERR_NOT_FOUND,
                            "%zu of %zu pieces are damaged: %s; file or manifest is not what the "
                            "task has written: run them again: task PLAN.json --index %zu",
                            n_differing, c->n, differing, first);
    }
    if (n_differing > 0) {
        (void)snprintf(text, sizeof text, "; %zu are damaged: ", n_differing);
    }
    return dn_error_set(err, DN_ERR_NOT_FOUND,
                        "%zu of %zu pieces are not written: %s%s%s; run their tasks: "
                        "task PLAN.json --index %zu",
                        n_missing, c->n, missing, text, n_differing > 0 ? differing : "", first);
}

static enum dn_status rows_check(const struct dn_parts *p, size_t index, const json_t *manifest,
                                 struct dn_error *err)
{
    const json_t *wanted = json_object_get(json_array_get(p->list, index), "rows");
    const int64_t rows = json_integer_value(json_object_get(manifest, "rows"));

    if (!json_is_integer(wanted) || json_integer_value(wanted) == rows) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "rows do not add up: piece %zu has %" PRId64
                        " rows, and the plan says %" PRId64 "; nothing was committed",
                        index, rows, (int64_t)json_integer_value(wanted));
}

/* {"plan","job","rows","bytes","schema","files":[{"file","rows","bytes","crc32c"}]} */
static enum dn_status result_make(const struct committing *c, json_t **out,
                                  struct dn_parts_result *sum, struct dn_error *err)
{
    json_t *files = json_array();
    char name[DN_PARTS_NAME_SIZE];
    enum dn_status st = files != NULL ? DN_OK : dn_error_memory(err, 0);

    for (size_t i = 0; st == DN_OK && i < c->n; i++) {
        json_t *rows = json_object_get(c->manifests[i], "rows");
        json_t *bytes = json_object_get(c->manifests[i], "bytes");
        dn_parts_part_name(name, c->p, i);
        st = rows_check(c->p, i, c->manifests[i], err);
        if (st == DN_OK && json_array_append_new(
                               files, json_pack("{s:s, s:O, s:O, s:O*}", "file", name, "rows", rows,
                                                "bytes", bytes, "crc32c",
                                                json_object_get(c->manifests[i], "crc32c"))) != 0) {
            st = dn_error_memory(err, 64);
        }
        sum->rows += json_integer_value(rows);
        sum->bytes += json_integer_value(bytes);
    }
    if (st == DN_OK) {
        *out = json_pack("{s:s, s:O*, s:I, s:I, s:O, s:O}", "plan", c->p->id, "job",
                         json_object_get(c->p->json, "job"), "rows", (json_int_t)sum->rows, "bytes",
                         (json_int_t)sum->bytes, "schema", json_object_get(c->p->json, "schema"),
                         "files", files);
        st = *out != NULL ? DN_OK : dn_error_memory(err, 0);
    }
    json_decref(files);
    return st;
}

static enum dn_status pieces_look(struct committing *c, struct dn_error *err)
{
    c->n = json_array_size(c->p->list);
    c->manifests = dn_calloc(c->n, sizeof(json_t *));
    c->states = dn_calloc(c->n, sizeof *c->states);
    if (c->manifests == NULL || c->states == NULL) {
        return dn_error_memory(err, c->n);
    }
    DN_TRY(c->l->class->list(c->l, true, &c->staged, err));
    DN_TRY(c->l->class->list(c->l, false, &c->final, err));
    DN_TRY(dn_parts_each(c->n, piece_look, c, err));
    return pieces_check(c, err);
}

static void committing_finish(struct committing *c)
{
    for (size_t i = 0; c->manifests != NULL && i < c->n; i++) {
        json_decref(c->manifests[i]);
    }
    dn_free(c->manifests);
    dn_free(c->states);
    json_decref(c->staged);
    json_decref(c->final);
}

/* ---- the result ---- */

static enum dn_status part_place(void *ctx, size_t index, struct dn_error *err)
{
    const struct committing *c = ctx;
    char name[DN_PARTS_NAME_SIZE];

    dn_parts_part_name(name, c->p, index);
    if (json_object_get(c->staged, name) == NULL) {
        return DN_OK; /* it has its final name already */
    }
    return c->l->class->put(c->l, name, c->manifests[index], err);
}

/* An abort at the same time takes away what a commit has put in place: whoever says that all is there has looked. */
static enum dn_status result_check(const struct committing *c, struct dn_error *err)
{
    json_t *list = NULL;
    char name[DN_PARTS_NAME_SIZE];
    enum dn_status st = c->l->class->list(c->l, false, &list, err);

    for (size_t i = 0; st == DN_OK && i < c->n; i++) {
        dn_parts_part_name(name, c->p, i);
        if (json_equal(json_object_get(json_object_get(list, name), "bytes"),
                       json_object_get(c->manifests[i], "bytes")) == 0) {
            st = dn_error_set(err, DN_ERR_IO,
                              "%s/%s: is not there with all its bytes after it was put there; was "
                              "the plan aborted at the same time?  There is no result",
                              c->p->directory, name);
        }
    }
    json_decref(list);
    return st;
}

/* Where nobody could count the rows before, this is the first time that somebody sees that there are none. */
static enum dn_status empty_check(const struct dn_parts *p, const struct dn_parts_result *sum,
                                  struct dn_error *err)
{
    if (sum->rows > 0 || !json_is_null(json_object_get(p->json, "rows")) ||
        json_is_true(json_object_get(p->json, "allow_empty"))) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "the source has no rows; nothing was committed: a plan that was made with "
                        "--allow-empty accepts that");
}

/* Everything was seen to be there.  Each step may have been done before; the last one says that all are. */
static enum dn_status result_place(struct committing *c, const json_t *result, struct dn_error *err)
{
    DN_TRY(dn_parts_each(c->n, part_place, c, err));
    DN_TRY(c->l->class->sync(c->l, err));
    DN_TRY(result_check(c, err));
    DN_TRY(c->l->class->write(c->l, false, DN_PARTS_MANIFEST, result, err));
    json_t *success = json_pack("{s:s}", "plan", c->p->id);
    const enum dn_status st = success != NULL
                                  ? c->l->class->write(c->l, false, DN_PARTS_SUCCESS, success, err)
                                  : dn_error_memory(err, 0);
    json_decref(success);
    return st;
}

/* What was missing may have been put in place by another commit of this plan meanwhile. */
static enum dn_status commit(struct committing *c, struct dn_parts_result *out, bool *has_begun,
                             struct dn_error *err)
{
    json_t *result = NULL;
    struct dn_error unsaid;

    DN_TRY(dn_parts_is_committed(c->l, &out->was_there, err));
    if (out->was_there) {
        return DN_OK;
    }
    DN_TRY(dn_parts_check_place(c->l, err));
    DN_TRY(sources_check(c->p, err));
    enum dn_status st = pieces_look(c, err);
    dn_error_clear(&unsaid);
    if (st == DN_ERR_NOT_FOUND && dn_parts_is_committed(c->l, &out->was_there, &unsaid) == DN_OK &&
        out->was_there) {
        dn_error_clear(err);
        return DN_OK;
    }
    if (st == DN_OK) {
        st = result_make(c, &result, out, err);
    }
    if (st == DN_OK) {
        st = empty_check(c->p, out, err);
    }
    if (st == DN_OK) {
        *has_begun = true;
        st = result_place(c, result, err);
    }
    json_decref(result);
    return st;
}

/* Behind a commit: the result is there whatever happens to what is left of the work. */
static void staging_remove(struct dn_parts_place *l)
{
    struct dn_error why;

    dn_error_clear(&why);
    if (l->class->clear(l, &why) != DN_OK) {
        dn_events_emit(l->events, DN_EVENT_WARNING, "staging_left", NULL,
                       "the result is complete, but %.900s", why.message);
    }
}

enum dn_status dn_parts_commit(const struct dn_parts *p, const struct dn_events *events,
                               struct dn_parts_result *out, struct dn_error *err)
{
    struct committing c = {.p = p};
    bool has_begun = false;

    *out = (struct dn_parts_result){0};
    DN_TRY(dn_parts_place_open(&c.l, p, events, err));
    enum dn_status st = c.l->class->claim(c.l, err);
    if (st == DN_OK) {
        st = commit(&c, out, &has_begun, err);
        if (st == DN_OK) {
            staging_remove(c.l);
        }
        c.l->class->release(c.l, st == DN_OK || !has_begun);
    }
    committing_finish(&c);
    dn_parts_place_close(c.l);
    return st;
}

/* ---- abort ---- */

struct aborting {
    struct dn_parts_place *l;
    const char **names;
};

static enum dn_status remove_one(void *ctx, size_t i, struct dn_error *err)
{
    const struct aborting *a = ctx;

    return a->l->class->remove(a->l, false, a->names[i], err);
}

/* What a commit put in place before it was interrupted. */
static enum dn_status result_remove(struct dn_parts_place *l, struct dn_error *err)
{
    struct aborting a = {.l = l};
    json_t *list = NULL;
    const char *name;
    json_t *item;
    bool own = false;
    size_t n = 0;
    enum dn_status st = DN_OK;

    DN_TRY(dn_parts_is_own(l, DN_PARTS_MANIFEST, &own, err));
    if (own) {
        DN_TRY(l->class->remove(l, false, DN_PARTS_MANIFEST, err));
    }
    DN_TRY_GOTO(st, l->class->list(l, false, &list, err), cleanup);
    a.names = dn_calloc(json_object_size(list) + 1, sizeof *a.names);
    DN_TRY_GOTO(st, a.names != NULL ? DN_OK : dn_error_memory(err, 0), cleanup);
    json_object_foreach(list, name, item)
    {
        if (dn_parts_is_part(l->plan, name)) {
            a.names[n++] = name;
        }
    }
    st = dn_parts_each(n, remove_one, &a, err);
cleanup:
    dn_free(a.names);
    json_decref(list);
    return st;
}

/* A commit that was under way, where none can be kept out, has said that files are there which are gone. */
static enum dn_status success_check(struct dn_parts_place *l, struct dn_error *err)
{
    bool own = false;

    DN_TRY(dn_parts_is_own(l, DN_PARTS_SUCCESS, &own, err));
    if (!own) {
        return DN_OK;
    }
    DN_TRY(l->class->remove(l, false, DN_PARTS_SUCCESS, err));
    return dn_error_set(err, DN_ERR_IO,
                        "%s: the plan was committed while it was aborted, and there is no result "
                        "now: abort it again, and run its tasks once more",
                        l->plan->directory);
}

static enum dn_status all_remove(struct dn_parts_place *l, bool *was_committed,
                                 struct dn_error *err)
{
    DN_TRY(dn_parts_is_committed(l, was_committed, err));
    if (!*was_committed) {
        DN_TRY(result_remove(l, err));
    }
    DN_TRY(l->class->clear(l, err));
    return *was_committed ? DN_OK : success_check(l, err);
}

static enum dn_status claim_of_abort(struct dn_parts_place *l, bool *claimed, struct dn_error *err)
{
    struct dn_error failure;

    dn_error_clear(&failure);
    enum dn_status st = l->class->claim(l, &failure);
    *claimed = st == DN_OK;
    if (st == DN_ERR_EXISTS) { /* that of another plan, whose files have other names */
        return DN_OK;
    }
    if (st != DN_OK) {
        *err = failure;
    }
    return st;
}

enum dn_status dn_parts_abort(const struct dn_parts *p, const struct dn_events *events,
                              bool *was_committed, struct dn_error *err)
{
    struct dn_parts_place *l = NULL;
    bool claimed = false;

    *was_committed = false;
    DN_TRY(dn_parts_place_open(&l, p, events, err));
    enum dn_status st = claim_of_abort(l, &claimed, err);
    if (st == DN_OK) {
        st = all_remove(l, was_committed, err);
    }
    if (claimed) {
        l->class->release(l, st == DN_OK);
    }
    dn_parts_place_close(l);
    return st;
}
