/* dn_csv_explain(): what was seen in the files, as JSON. */
#include "csv/explain.h"

#include "csv/aside.h"

#include "base/memory.h"
#include "base/strings.h"

#include <inttypes.h>
#include <stdio.h>

static enum dn_status append_member(struct dn_buffer *b, const char *name, const void *text,
                                    size_t len, struct dn_error *err)
{
    DN_TRY(dn_text_appendf(b, err, ",\"%s\":", name));
    return dn_text_append_json_string(b, text, len, err);
}

static enum dn_status append_text(struct dn_buffer *b, const char *name, const char *text,
                                  struct dn_error *err)
{
    return append_member(b, name, text, strlen(text), err);
}

/* ---- dialects ---- */

static enum dn_status append_guess(struct dn_buffer *b, const struct dn_csv_guess *g,
                                   struct dn_error *err)
{
    char flags[DN_CSV_DIALECT_WORDS_SIZE];
    char reason[DN_CSV_REASON_SIZE];
    const char delimiter = (char)g->delimiter;
    const char quote = (char)g->quote;
    const char escape = (char)g->escape;

    const int thousandths = (int)(g->score * 1000 + 0.5); /* printf() asks the host's locale */
    DN_TRY(dn_text_appendf(b, err, "{\"score\":%d.%03d", thousandths / 1000, thousandths % 1000));
    DN_TRY(append_member(b, "delimiter", &delimiter, 1, err));
    DN_TRY(append_member(b, "quote", &quote, quote != 0, err));
    DN_TRY(append_member(b, "escape", &escape, escape != 0, err));
    DN_TRY(append_text(b, "comment", g->comment, err));
    DN_TRY(dn_text_appendf(
        b, err, ",\"skip_rows\":%u,\"header\":%s,\"columns\":%zu,\"rows\":%zu,\"regular\":%zu",
        g->skip_rows, g->has_header ? "true" : "false", g->n_fields, g->n_rows, g->n_regular));
    DN_TRY(append_text(b, "flags", dn_csv_guess_flags(g, flags), err));
    DN_TRY(append_text(b, "reason", dn_csv_guess_reason(g, reason), err));
    return dn_text_append(b, "}", err);
}

static enum dn_status append_dialects(struct dn_buffer *b, const struct dn_csv_look *look,
                                      struct dn_error *err)
{
    DN_TRY(
        dn_text_appendf(b, err, "{\"sure\":%s,\"dialects\":[",
                        dn_csv_guess_is_unsure(look->guesses, look->n_guesses) ? "false" : "true"));
    for (size_t i = 0; i < look->n_guesses; i++) {
        DN_TRY(dn_text_append(b, i > 0 ? "," : "", err));
        DN_TRY(append_guess(b, &look->guesses[i], err));
    }
    return dn_text_append(b, "]}", err);
}

/* ---- columns ---- */

/* Is it a string for its quotes, not for what is in them? */
static bool is_mixed(const struct dn_csv_why_field *f)
{
    return f->type.id == DN_TYPE_UTF8_VIEW && f->last.own.n_quoted > 0 &&
           dn_csv_type_of_classes(f->evidence.quoted | f->evidence.unquoted, f->evidence.digits)
                   .id != DN_TYPE_UTF8_VIEW;
}

/* "because of line 7: 'n/a'; before that it was int64" */
static enum dn_status append_words(struct dn_buffer *b, const struct dn_csv_reader *r,
                                   const struct dn_csv_column *c, const struct dn_csv_why_field *f,
                                   const char *where, struct dn_error *err)
{
    const struct dn_csv_why_step *s = &f->last;
    const bool is_string = f->type.id == DN_TYPE_UTF8_VIEW;
    char words[800];
    char value[DN_ESCAPED_VALUE_SIZE];
    char shown[DN_SHOWN_PATH_SIZE];
    char file[340] = "";
    char line[48];

    if (r->n_paths > 1) {
        (void)snprintf(file, sizeof file, "%.300s, ",
                       dn_source_shown_path(shown, r->paths[s->file]));
    }
    (void)snprintf(line, sizeof line, s->line > 0 ? "line %" PRId64 : "byte %" PRId64,
                   s->line > 0 ? s->line : s->byte_offset);
    dn_error_escape_value(value, s->value, s->len);
    if (!f->seen) {
        (void)snprintf(words, sizeof words, "%s has no value of it", where);
    } else if (dn_csv_aside_wanted(r) && is_string && c->type.id != DN_TYPE_UTF8_VIEW) {
        (void)snprintf(words, sizeof words,
                       "rows that are wrong are set aside, else it would be string because of "
                       "%s%s: %s%s",
                       file, line, value, s->is_more ? "..." : "");
    } else if (!f->changed && !is_string) {
        (void)snprintf(words, sizeof words, "nothing in %s says otherwise (%" PRId64 " value%s)",
                       where, f->n_values, f->n_values == 1 ? "" : "s");
    } else {
        (void)snprintf(words, sizeof words, "because of %s%s: %s%s%s%s%s", file, line, value,
                       s->is_more ? "..." : "", is_mixed(f) ? ", quoted where others are not" : "",
                       f->changed ? "; before that it was " : "",
                       f->changed ? DN_TYPE_TEXT(f->before) : "");
    }
    return append_text(b, "text", words, err);
}

static enum dn_status append_why(struct dn_buffer *b, const struct dn_csv_reader *r,
                                 const struct dn_csv_column *c, const struct dn_csv_why_field *f,
                                 const char *where, struct dn_error *err)
{
    const struct dn_csv_why_step *s = f != NULL ? &f->last : NULL;
    char shown[DN_SHOWN_PATH_SIZE];

    if (f == NULL || c->declared) {
        return dn_text_appendf(b, err, ",\"why\":{\"text\":\"%s\"}",
                               c->declared ? "declared" : "the files have no such column");
    }
    DN_TRY(dn_text_appendf(b, err, ",\"why\":{\"values\":%" PRId64, f->n_values));
    DN_TRY(append_words(b, r, c, f, where, err));
    if (f->seen) {
        DN_TRY(append_text(b, "file", dn_source_shown_path(shown, r->paths[s->file]), err));
        DN_TRY(dn_text_appendf(b, err, ",\"byte\":%" PRId64, s->byte_offset));
        if (s->line > 0) {
            DN_TRY(dn_text_appendf(b, err, ",\"line\":%" PRId64, s->line));
        }
        DN_TRY(append_member(b, "value", s->value, s->len, err));
    }
    if (f->changed) {
        DN_TRY(append_text(b, "before", DN_TYPE_TEXT(f->before), err));
    }
    return dn_text_append(b, "}", err);
}

static int64_t count_nulls(const struct dn_csv_look *look, struct dn_type type,
                           const struct dn_csv_why_field *f)
{
    if (f == NULL) {
        return look->why.n_rows;
    }
    const int64_t null = look->why.n_rows - f->n_values - f->n_empty;
    return dn_type_is_bytes(type) ? null : null + f->n_empty;
}

static enum dn_status append_columns(struct dn_buffer *b, const struct dn_csv_reader *r,
                                     const struct dn_csv_look *look, struct dn_error *err)
{
    const bool all = look->what == DN_CSV_EXPLAIN_ALL;
    const char *where = !all ? "the sample" : r->n_paths > 1 ? "the files" : "the file";

    DN_TRY(dn_text_append(b, "{\"columns\":[", err));
    for (size_t i = 0; i < r->n_columns; i++) {
        const struct dn_csv_column *c = &r->columns[i];
        const struct dn_csv_why_field *f =
            c->field != SIZE_MAX ? &look->why.fields[c->field] : NULL;
        struct dn_type type = c->type;
        if (all && f != NULL && !c->declared) {
            type = f->seen ? f->type : DN_TYPE(UTF8_VIEW);
        }
        DN_TRY(dn_text_append(b, i > 0 ? ",{\"name\":" : "{\"name\":", err));
        DN_TRY(dn_text_append_json_string(b, c->name, strlen(c->name), err));
        DN_TRY(append_text(b, "type", DN_TYPE_TEXT(type), err));
        DN_TRY(dn_text_appendf(b, err, ",\"nullable\":%s", c->required ? "false" : "true"));
        if (all) {
            DN_TRY(dn_text_appendf(b, err, ",\"nulls\":%" PRId64, count_nulls(look, type, f)));
        }
        DN_TRY(append_why(b, r, c, f, where, err));
        DN_TRY(dn_text_append(b, "}", err));
    }
    return dn_text_appendf(b, err, "],\"rows\":%" PRId64 "}", look->why.n_rows);
}

static enum dn_status look_at_types(struct dn_buffer *b, struct dn_csv_reader *r,
                                    struct dn_csv_look *look, struct dn_error *err)
{
    struct ArrowArray none;

    if (look->what == DN_CSV_EXPLAIN_ALL) { /* no rows come out: one call reads everything */
        dn_csv_why_reset(&look->why);
        DN_TRY(dn_csv_reader_next(r, &none, err));
    }
    DN_TRY(dn_csv_why_place(&look->why, r, err));
    return append_columns(b, r, look, err);
}

enum dn_status dn_csv_explain_open(struct dn_csv_reader **out, enum dn_csv_explained what,
                                   const char *const *paths, size_t n_paths,
                                   const struct dn_csv_options *options, struct dn_error *err)
{
    struct dn_csv_look *look = dn_calloc(1, sizeof(*look));

    *out = NULL;
    if (look == NULL) {
        return dn_error_memory(err, sizeof(*look));
    }
    look->what = what;
    return dn_csv_reader_open_as(out, paths, n_paths, options, look, NULL, err);
}

enum dn_status dn_csv_explain(struct dn_csv_reader *r, char **out_json, struct dn_error *err)
{
    struct dn_csv_look *look = r->look;
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st,
                look->what == DN_CSV_EXPLAIN_DIALECTS ? append_dialects(&b, look, err)
                                                      : look_at_types(&b, r, look, err),
                cleanup);
    *out_json = dn_text_take(&b);
    if (*out_json == NULL) {
        st = dn_error_memory(err, b.len);
    }
cleanup:
    dn_buffer_finish(&b);
    return st;
}

void dn_csv_look_free(struct dn_csv_look *look)
{
    if (look != NULL) {
        dn_csv_why_finish(&look->why);
        dn_free(look);
    }
}
