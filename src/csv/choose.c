/* The dialect where the options leave it to a look at the first file. */
#include "csv/choose.h"

#include "csv/advice.h"
#include "csv/detect.h"

#include <stdio.h>

/* What the options say is known. */
static struct dn_csv_known known_of(const struct dn_csv_reader *r, const struct dn_csv_options *o)
{
    return (struct dn_csv_known){
        .delimiter = (o->detect & DN_CSV_DETECT_DELIMITER) == 0,
        .quote = (o->detect & DN_CSV_DETECT_QUOTE) == 0,
        .escape = (o->detect & DN_CSV_DETECT_ESCAPE) == 0,
        .comment = (o->detect & DN_CSV_DETECT_COMMENT) == 0,
        .skip_rows = (o->detect & DN_CSV_DETECT_SKIP_ROWS) == 0,
        .header = (o->detect & DN_CSV_DETECT_HEADER) == 0 || o->union_by_name,
        .as = {.delimiter = r->dialect.delimiter,
               .comment = {o->comment},
               .skip_rows = (uint32_t)(o->skip_rows < UINT32_MAX ? o->skip_rows : UINT32_MAX),
               .quote = r->dialect.has_quote ? r->dialect.quote : 0,
               .escape = r->dialect.has_escape ? r->dialect.escape : 0,
               .has_header = r->has_header},
    };
}

enum dn_status dn_csv_guess_dialect(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                    struct dn_csv_guess out[DN_CSV_GUESSES], size_t *n,
                                    struct dn_error *err)
{
    const struct dn_csv_known known = known_of(r, o);

    DN_TRY(dn_csv_feed_look(&r->feed, DN_CSV_DETECT_BYTES, err));
    const struct dn_span head = dn_csv_feed_held(&r->feed);
    return dn_csv_detect(head.data, head.len, r->feed.source_at_end, &known, out, n, err);
}

static enum dn_status refuse(const struct dn_csv_reader *r, const struct dn_csv_guess *guesses,
                             size_t n, struct dn_error *err)
{
    char list[600] = "";
    char shown[DN_SHOWN_PATH_SIZE];
    char flags[DN_CSV_DIALECT_WORDS_SIZE];
    char reason[DN_CSV_REASON_SIZE];
    size_t at = 0;

    for (size_t i = 0; i < n && at < sizeof list; i++) {
        if (!dn_csv_guess_is_unsure(guesses, i + 1) && i > 1) {
            break;
        }
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s (%s)", i > 0 ? "; or " : "",
                               dn_csv_guess_flags(&guesses[i], flags),
                               dn_csv_guess_reason(&guesses[i], reason));
    }
    const char *path = dn_source_shown_path(shown, r->paths[0]);
    (void)dn_error_set(err, DN_ERR_DATA,
                       "%.300s: there is more than one way to read this file, say which: %s", path,
                       list);
    dn_error_locate(err, path, -1, 1, 0, NULL);
    return DN_ERR_DATA;
}

static void tell(const struct dn_csv_reader *r, const struct dn_csv_guess *g)
{
    char message[900];
    char shown[DN_SHOWN_PATH_SIZE];
    char flags[DN_CSV_DIALECT_WORDS_SIZE];
    char reason[DN_CSV_REASON_SIZE];

    if (r->advise != NULL) {
        (void)snprintf(message, sizeof message, "%.300s: read with %s: %s",
                       dn_source_shown_path(shown, r->paths[0]), dn_csv_guess_flags(g, flags),
                       dn_csv_guess_reason(g, reason));
        r->advise(r->advise_ctx, false, DN_CSV_DIALECT_KIND, message);
    }
}

static void apply(const struct dn_csv_guess *g, struct dn_csv_options *o)
{
    if ((o->detect & DN_CSV_DETECT_DELIMITER) != 0) {
        o->delimiter = (char)g->delimiter;
        o->delimiter_text = NULL;
    }
    if ((o->detect & DN_CSV_DETECT_QUOTE) != 0) {
        o->quote = (char)g->quote;
        o->no_quote = g->quote == 0;
    }
    if ((o->detect & DN_CSV_DETECT_ESCAPE) != 0) {
        o->escape = (char)g->escape;
    }
    if ((o->detect & DN_CSV_DETECT_COMMENT) != 0) {
        o->comment = g->comment[0];
    }
    if ((o->detect & DN_CSV_DETECT_SKIP_ROWS) != 0) {
        o->skip_rows = g->skip_rows;
    }
    o->header = g->has_header ? DN_CSV_HEADER_YES : DN_CSV_HEADER_NO;
}

/* A first line that names the delimiter is no guess. */
static bool is_named(const struct dn_csv_reader *r)
{
    const struct dn_span head = dn_csv_feed_held(&r->feed);
    return head.len > 4 && memcmp(head.data, "sep=", 4) == 0;
}

enum dn_status dn_csv_choose_dialect(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                     struct dn_error *err)
{
    struct dn_csv_guess guesses[DN_CSV_GUESSES];
    struct dn_csv_options chosen = *o;
    size_t n = 0;

    if (o->detect == 0) {
        return DN_OK;
    }
    DN_TRY(dn_csv_guess_dialect(r, o, guesses, &n, err));
    if (n == 0 || is_named(r)) {
        return DN_OK; /* an empty file, which is told as such */
    }
    if (dn_csv_guess_is_unsure(guesses, n)) {
        return refuse(r, guesses, n, err);
    }
    apply(&guesses[0], &chosen);
    DN_TRY(dn_csv_set_dialect(r, &chosen, err));
    tell(r, &guesses[0]);
    return DN_OK;
}
