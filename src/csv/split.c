/* Pieces: cutting a source, and taking one of them. */
#include "base/memory.h"
#include "base/strings.h"
#include "csv/aside.h"
#include "csv/token.h"

#include <inttypes.h>
#include <stdio.h>

#define DEFAULT_TARGET_BYTES ((uint64_t)128 << 20)
#define MOST_OF_A_FILE 10000
/* Every token has the names of all fields: those of a file together have no more than so many bytes. */
#define MOST_TOKEN_BYTES ((size_t)64 << 20)
#define OTHER_TOKEN_BYTES 700 /* what else is in one, nearly */

/* ---- what can be cut ---- */

static enum dn_status only_once(const char *path, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    path = dn_source_shown_path(shown, path);
    dn_error_set(
        err, DN_ERR_UNSUPPORTED,
        "%s: this can be read only once, so it is not cut into pieces: read it as a whole, "
        "or write it to a file first",
        path);
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return DN_ERR_UNSUPPORTED;
}

/* What holds for all rows together no piece can decide. */
static enum dn_status check_options(const struct dn_csv_options *o, struct dn_error *err)
{
    if (o->max_rejects > 0 || o->max_reject_percent > 0) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_UNSUPPORTED,
                         "the option max_rejects counts over all rows, which no piece can do; read "
                         "the source as a whole, or leave the option out"),
            "max_rejects");
    }
    return DN_OK;
}

/* Is `path` such that bytes of its text can be read anywhere?  *size is then how many there are. */
static enum dn_status look_at_file(struct dn_csv_reader *r, size_t file, int64_t *size,
                                   struct dn_source_identity *seen, struct dn_error *err)
{
    struct dn_source *source = NULL;

    const enum dn_status st =
        dn_text_open_again(&source, r->paths[file], r->feed.text, r->feed.stop, err);
    if (st == DN_ERR_UNSUPPORTED) {
        return only_once(r->paths[file], err);
    }
    DN_TRY(st);
    const bool again = dn_source_can_reopen(source);
    *seen = dn_source_identity(source);
    *size = dn_source_can_read_at(source) ? dn_source_size(source) : -1;
    dn_source_close(source);
    return again ? DN_OK : only_once(r->paths[file], err);
}

/* ---- cutting ---- */

struct splitter {
    struct dn_csv_reader *r;
    const struct dn_csv_split_options *how;
    uint64_t options; /* digest */
    struct dn_csv_survey survey;
    struct dn_csv_cut *cuts;         /* ours */
    int64_t *sizes;                  /* of the files' texts; -1: unknown */
    struct dn_source_identity *seen; /* the files as they were in front of the pass */
    size_t n_listed;
    struct dn_buffer token;
};

static uint64_t most_pieces(const struct dn_csv_reader *r)
{
    size_t bytes = OTHER_TOKEN_BYTES + 16 * r->n_columns;

    for (size_t i = 0; i < r->n_fields; i++) {
        bytes += strlen(r->field_names[i]) + 7;
    }
    const size_t n = MOST_TOKEN_BYTES / bytes;
    return n < 1 ? 1 : n < MOST_OF_A_FILE ? n : MOST_OF_A_FILE;
}

static uint64_t n_pieces_of(int64_t size, uint64_t target, uint64_t most)
{
    if (size <= 0 || (uint64_t)size <= target) {
        return 1;
    }
    const uint64_t n = (uint64_t)size / target + ((uint64_t)size % target > target / 2);
    return n < most ? n : most;
}

/* Places a piece apart, as equal as they can be. */
static enum dn_status choose_cuts(struct splitter *s, struct dn_error *err)
{
    const uint64_t target = s->how->target_bytes != 0 ? s->how->target_bytes : DEFAULT_TARGET_BYTES;
    const uint64_t most = most_pieces(s->r);
    uint64_t n = 0;

    for (size_t f = 0; f < s->r->n_paths; f++) {
        n += n_pieces_of(s->sizes[f], target, most) - 1;
    }
    s->cuts = dn_calloc((size_t)n + 1, sizeof(*s->cuts));
    if (s->cuts == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof(*s->cuts));
    }
    s->survey.cuts = s->cuts;
    for (size_t f = 0; f < s->r->n_paths; f++) {
        const uint64_t n_pieces = n_pieces_of(s->sizes[f], target, most);
        const uint64_t size = (uint64_t)s->sizes[f];
        for (uint64_t i = 1; i < n_pieces; i++) { /* without overflow: size * i / n_pieces */
            const uint64_t at = size / n_pieces * i + size % n_pieces * i / n_pieces;
            s->cuts[s->survey.n_cuts++] = (struct dn_csv_cut){f, (int64_t)at};
        }
    }
    return DN_OK;
}

static enum dn_status check_cuts(const struct splitter *s, struct dn_error *err)
{
    const struct dn_csv_cut *cuts = s->survey.cuts;

    for (size_t i = 0; i < s->survey.n_cuts; i++) {
        const bool behind =
            i == 0 || cuts[i - 1].file < cuts[i].file ||
            (cuts[i - 1].file == cuts[i].file && cuts[i - 1].offset <= cuts[i].offset);
        if (cuts[i].file >= s->r->n_paths || cuts[i].offset < 0 || !behind) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "cut %zu, byte %" PRId64 " of file %zu, is in no file, or in front "
                                "of the cut before it",
                                i, cuts[i].offset, cuts[i].file);
        }
    }
    return DN_OK;
}

/* Cuts in front of a file's rows, and behind them, or in files of which no row was wanted. */
static void settle_bounds(struct splitter *s)
{
    struct dn_csv_survey *v = &s->survey;
    struct dn_csv_bound last = {.known = true, .line = 1};
    size_t cut = 0;

    for (size_t f = 0; f < s->r->n_paths; f++) {
        if (!v->starts[f].known) {
            last.offset = 0;
            last.line = 1;
            v->starts[f] = last;
            v->ends[f] = last;
        }
        for (; cut < v->n_cuts && v->cuts[cut].file == f; cut++) {
            if (!v->bounds[cut].known) {
                v->bounds[cut] =
                    v->cuts[cut].offset <= v->starts[f].offset ? v->starts[f] : v->ends[f];
            }
        }
        last = v->ends[f];
    }
}

/* The piece between two bounds. */
static enum dn_status list_piece(struct splitter *s, struct dn_buffer *out, size_t file,
                                 const struct dn_csv_bound *from, const struct dn_csv_bound *to,
                                 bool is_last, struct dn_error *err)
{
    const struct dn_csv_reader *r = s->r;
    char shown[DN_SHOWN_PATH_SIZE];
    const struct dn_source_identity *identity = &s->seen[file];
    const struct dn_csv_token token = {
        .range = {.file = file,
                  .start = from->offset,
                  .end = to->offset,
                  .line = from->line,
                  .size = identity->size,
                  .version = dn_source_version(identity)},
        .path = dn_source_shown_path(shown, r->paths[file]),
        .name = dn_csv_path_digest(r->paths[file]),
        .n_given = from->n_given,
        .left_out = from->left_out,
        .n_rows = to->n_given - from->n_given,
        .end_bytes = is_last ? atomic_load(&r->end_bytes) : 0,
        .options = s->options,
    };

    dn_buffer_reset(&s->token);
    DN_TRY(dn_csv_token_write(&s->token, &token, r, err));
    DN_TRY(dn_text_append(out, s->n_listed++ > 0 ? ",{\"token\":" : "{\"token\":", err));
    DN_TRY(dn_text_append_json_string(out, s->token.data, s->token.len, err));
    DN_TRY(dn_text_append(out, ",\"path\":", err));
    DN_TRY(dn_text_append_json_string(out, token.path, strlen(token.path), err));
    return dn_text_appendf(out, err, ",\"bytes\":%" PRId64 ",\"rows\":%" PRId64 "}",
                           to->offset - from->offset, token.n_rows);
}

/* All of them; of chosen places those without a byte are left out, but for one, if there is nothing else. */
static enum dn_status list_pieces(struct splitter *s, struct dn_buffer *out, struct dn_error *err)
{
    const struct dn_csv_survey *v = &s->survey;
    const size_t n_files = s->r->n_paths;
    const bool given = s->how->cuts != NULL;
    size_t last_file = 0;
    size_t cut = 0;

    for (size_t f = 0; f < n_files; f++) {
        last_file = v->ends[f].offset > v->starts[f].offset || given ? f : last_file;
    }
    DN_TRY(dn_text_append(out, "[", err));
    for (size_t f = 0; f < n_files; f++) {
        const struct dn_csv_bound *from = &v->starts[f];
        bool more = true;
        while (more) {
            more = cut < v->n_cuts && v->cuts[cut].file == f;
            const struct dn_csv_bound *to = more ? &v->bounds[cut++] : &v->ends[f];
            const bool at_end = to->offset == v->ends[f].offset;
            if (given || to->offset > from->offset ||
                (f == last_file && s->n_listed == 0 && !more)) {
                DN_TRY(list_piece(s, out, f, from, to, f == last_file && (given ? !more : at_end),
                                  err));
            }
            from = to;
        }
    }
    return dn_text_append(out, "]", err);
}

/* The others are opened behind the look at them: what they are by then a piece of them will find out. */
static enum dn_status check_first(const struct splitter *s, struct dn_error *err)
{
    const struct dn_source_identity *opened = &s->r->feed.opened[0];
    char shown[DN_SHOWN_PATH_SIZE];

    if (opened->size == s->seen[0].size && opened->file == s->seen[0].file &&
        dn_source_version(opened) == dn_source_version(&s->seen[0])) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_IO,
                        "%s: the file changed while it was cut into pieces; try again when nothing "
                        "writes to it",
                        dn_source_shown_path(shown, s->r->paths[0]));
}

static enum dn_status survey_all(struct splitter *s, struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    struct dn_csv_survey *v = &s->survey;
    struct ArrowArray none;

    s->sizes = dn_calloc(r->n_paths, sizeof(*s->sizes));
    s->seen = dn_calloc(r->n_paths, sizeof(*s->seen));
    if (s->sizes == NULL || s->seen == NULL) {
        return dn_error_memory(err, r->n_paths * sizeof(*s->seen));
    }
    for (size_t f = 0; f < r->n_paths; f++) {
        DN_TRY(look_at_file(r, f, &s->sizes[f], &s->seen[f], err));
    }
    DN_TRY(check_first(s, err));
    v->cuts = s->how->cuts;
    v->n_cuts = s->how->cuts != NULL ? s->how->n_cuts : 0;
    DN_TRY(s->how->cuts != NULL ? check_cuts(s, err) : choose_cuts(s, err));
    v->bounds = dn_calloc(v->n_cuts + 1, sizeof(*v->bounds));
    v->starts = dn_calloc(r->n_paths, sizeof(*v->starts));
    v->ends = dn_calloc(r->n_paths, sizeof(*v->ends));
    if (v->bounds == NULL || v->starts == NULL || v->ends == NULL) {
        return dn_error_memory(err, (v->n_cuts + r->n_paths) * sizeof(*v->bounds));
    }
    r->survey = v;
    r->feed.count_first = true;
    DN_TRY(dn_csv_reader_next(r, &none, err)); /* no rows come out: one call reads everything */
    settle_bounds(s);
    return DN_OK;
}

static enum dn_status read_how(const struct dn_csv_split_options *given,
                               struct dn_csv_split_options *out, struct dn_error *err)
{
    *out = (struct dn_csv_split_options){.struct_size = sizeof(*out)};
    if (given != NULL && given->struct_size < DN_CSV_SPLIT_OPTIONS_V0_1_SIZE) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "csv split option struct_size is %u; give sizeof(struct dn_csv_split_options)",
            given->struct_size);
    }
    if (given != NULL) {
        memcpy(out, given, given->struct_size < sizeof(*out) ? given->struct_size : sizeof(*out));
    }
    return DN_OK;
}

/* The options of whoever reads pieces: nobody starts over. */
static struct dn_csv_options options_of_pieces(const struct dn_csv_options *given)
{
    struct dn_csv_options o = {.struct_size = sizeof(o)};

    if (given != NULL) {
        memcpy(&o, given, given->struct_size < sizeof(o) ? given->struct_size : sizeof(o));
        o.struct_size = given->struct_size < sizeof(o) ? given->struct_size : sizeof(o);
    }
    o.restartable = false;
    return o;
}

enum dn_status dn_csv_find_splits(char **out_json, const char *const *paths, size_t n_paths,
                                  const struct dn_csv_options *options,
                                  const struct dn_csv_split_options *how, struct dn_error *err)
{
    const struct dn_csv_options o = options_of_pieces(options);
    struct dn_csv_split_options read;
    struct splitter s = {.how = &read};
    struct dn_buffer out = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    out.cap = SIZE_MAX;
    s.token.cap = SIZE_MAX;
    DN_TRY(read_how(how, &read, err));
    DN_TRY(check_options(&o, err));
    for (size_t i = 0; i < n_paths; i++) { /* before anybody waits for a pipe */
        struct dn_source *source = NULL;
        st = dn_source_open_again(&source, paths[i], o.store, NULL, err);
        dn_source_close(source);
        if (st != DN_OK) {
            return st == DN_ERR_UNSUPPORTED ? only_once(paths[i], err) : st;
        }
    }
    DN_TRY(dn_csv_reader_open_as(&s.r, paths, n_paths, &o, NULL, NULL, err));
    s.options = dn_csv_digest_tag(s.r->options_digest, read.tag);
    DN_TRY_GOTO(st, survey_all(&s, err), cleanup);
    DN_TRY_GOTO(st, list_pieces(&s, &out, err), cleanup);
    *out_json = dn_text_take(&out);
    if (*out_json == NULL) {
        st = dn_error_memory(err, out.len);
    }
cleanup:
    dn_csv_reader_close(s.r);
    dn_buffer_finish(&s.token);
    dn_buffer_finish(&out);
    dn_free(s.survey.bounds);
    dn_free(s.survey.starts);
    dn_free(s.survey.ends);
    dn_free(s.sizes);
    dn_free(s.seen);
    dn_free(s.cuts);
    return st;
}

/* ---- one piece ---- */

static enum dn_status other_options(struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_INVALID,
                        "the piece was cut with another configuration: give the options and files "
                        "that the source was cut with, or cut it again with these");
}

enum dn_status dn_csv_piece_take(struct dn_csv_reader *r, const struct dn_csv_piece *piece,
                                 const struct dn_csv_options *o, struct dn_error *err)
{
    struct dn_csv_token *token = NULL;

    DN_TRY(check_options(o, err));
    DN_TRY(dn_csv_token_read(&token, piece->token, &r->arena, err));
    const struct dn_csv_range *range = &token->range;
    if (range->file >= r->n_paths || dn_csv_path_digest(r->paths[range->file]) != token->name ||
        token->options != dn_csv_digest_tag(dn_csv_options_digest(o), piece->tag)) {
        return other_options(err);
    }
    r->token = token;
    r->feed.range = &token->range;
    r->rows_done = token->n_given;
    r->aside_done = token->left_out;
    atomic_store(&r->end_bytes, token->end_bytes);
    return DN_OK;
}

enum dn_status dn_csv_split_open(struct dn_csv_reader **out, const char *token,
                                 const char *const *paths, size_t n_paths,
                                 const struct dn_csv_options *options, const char *tag,
                                 struct dn_error *err)
{
    const struct dn_csv_options o = options_of_pieces(options);
    const struct dn_csv_piece piece = {token, tag};

    return dn_csv_reader_open_as(out, paths, n_paths, &o, NULL, &piece, err);
}

int64_t dn_csv_reader_rows_before(const struct dn_csv_reader *r)
{
    return r->token != NULL ? r->token->n_given : 0;
}
