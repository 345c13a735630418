/* What the CSV reader reports of the rows it gave: counters, warnings, and which types were inferred. */
#include "csv_reader_rejects.h"

#include "base/log.h"
#include "base/name_map.h"
#include "base/strings.h"
#include "store/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE (sizeof(((struct dn_error *)NULL)->message) + 64)

/* What to say of rounded values, and of nothing else: false. */
static bool tell_rounded(const struct csv_handle *h, char *out, size_t size)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    const struct dn_error *first = dn_csv_reader_rounded(h->reader);

    if (first == NULL) {
        return false;
    }
    dn_csv_reader_progress(h->reader, &csv);
    (void)snprintf(out, size, "%" PRId64 " value%s rounded; the first: %s", csv.rounded,
                   csv.rounded == 1 ? " is" : "s are", first->message);
    return true;
}

static bool tell_replaced(const struct csv_handle *h, char *out, size_t size)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    const char *first = h->base.files.shown[0];

    dn_csv_reader_progress(h->reader, &csv);
    (void)snprintf(out, size,
                   "%.400s%s: %" PRId64
                   " byte sequence%s no text in the encoding and became U+FFFD",
                   strcmp(first, "-") == 0 ? "standard input" : first,
                   h->base.files.n > 1 ? " and other files" : "", csv.replaced,
                   csv.replaced == 1 ? " was" : "s were");
    return csv.replaced > 0;
}

/* "FILE", or "FILE and other files". */
static void name_files(const struct csv_handle *h, char *out, size_t size)
{
    const char *first = h->base.files.shown[0];

    (void)snprintf(out, size, "%.400s%s", strcmp(first, "-") == 0 ? "standard input" : first,
                   h->base.files.n > 1 ? " and other files" : "");
}

static bool tell_marks(const struct csv_handle *h, char *out, size_t size)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    char files[440];

    dn_csv_reader_progress(h->reader, &csv);
    name_files(h, files, sizeof files);
    (void)snprintf(out, size, "%s: %" PRId64 " byte order mark%s left out at the start of %s",
                   files, csv.marks, csv.marks == 1 ? " was" : "s were",
                   csv.marks == 1 ? "a row" : "rows");
    return csv.marks > 0;
}

static bool tell_end(const struct csv_handle *h, char *out, size_t size)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    char files[440];

    dn_csv_reader_progress(h->reader, &csv);
    name_files(h, files, sizeof files);
    (void)snprintf(out, size,
                   "%s: %" PRId64 " byte%s left out at the end, behind the text (0x1a or NUL)",
                   files, csv.end_bytes, csv.end_bytes == 1 ? " was" : "s were");
    return csv.end_bytes > 0;
}

static bool tell_rejected(const struct csv_handle *h, char *out, size_t size)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    const char *first = csv_rejects_first(h->rejects);
    const char *file = h->settings.rejects;
    char shown[DN_SHOWN_PATH_SIZE];

    if (first == NULL) {
        return false;
    }
    dn_csv_reader_progress(h->reader, &csv);
    (void)snprintf(out, size, "%" PRId64 " rejected row%s%s%.250s; the first: %s", csv.rejected,
                   csv.rejected == 1 ? "" : "s",
                   file != NULL                       ? ", in "
                   : csv_rejects_streamed(h->rejects) ? ""
                                                      : ", kept nowhere",
                   file != NULL ? dn_source_shown_path(shown, file) : "", first);
    return true;
}

static bool tell_skipped(const struct csv_handle *h, char *out, size_t size)
{
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};

    dn_csv_reader_progress(h->reader, &csv);
    (void)snprintf(out, size, "%" PRId64 " row%s left out for having too few or too many fields",
                   csv.skipped, csv.skipped == 1 ? " was" : "s were");
    return csv.skipped > 0;
}

/* What somebody should hear of, which each of these tells. */
static const struct {
    const char *event;
    bool (*tell)(const struct csv_handle *h, char *out, size_t size);
} warnings[] = {{"values_rounded", tell_rounded}, {"bytes_replaced", tell_replaced},
                {"marks_left_out", tell_marks},   {"end_left_out", tell_end},
                {"rows_rejected", tell_rejected}, {"rows_skipped", tell_skipped}};
#define N_WARNINGS (sizeof(warnings) / sizeof(warnings[0]))

void csv_log_warnings(const struct csv_handle *h)
{
    char message[MESSAGE_SIZE];

    for (size_t i = 0; i < N_WARNINGS; i++) {
        if (warnings[i].tell(h, message, sizeof message)) {
            dn_log_json("WARNING", warnings[i].event, message, NULL);
        }
    }
}

/* {"event_type","message"} of each. */
static enum dn_status append_warnings(const struct csv_handle *h, struct dn_buffer *b,
                                      struct dn_error *err)
{
    char message[MESSAGE_SIZE];
    const char *separator = "";

    for (size_t i = 0; i < N_WARNINGS; i++) {
        if (!warnings[i].tell(h, message, sizeof message)) {
            continue;
        }
        DN_TRY(dn_text_appendf(b, err, "%s{\"event_type\":\"%s\",\"message\":", separator,
                               warnings[i].event));
        DN_TRY(dn_text_append_json_string(b, message, strlen(message), err));
        DN_TRY(dn_text_append(b, "}", err));
        separator = ",";
    }
    return DN_OK;
}

/* The names of the columns whose types a person declared; none, if types are not inferred at all. */
struct declared {
    bool inferring;
    struct dn_name_map names;
};

static enum dn_status read_declared(const struct csv_settings *s, struct declared *d,
                                    struct dn_error *err)
{
    d->inferring = s->values == CSV_VALUES_COLUMN;
    for (size_t i = 0; i < s->csv.n_types; i++) {
        const char *name = s->csv.types[i].name;
        if (s->csv.types[i].declared && dn_name_map_get(&d->names, name, strlen(name)) < 0) {
            DN_TRY(dn_name_map_add(&d->names, name, strlen(name), 0, err));
        }
    }
    return DN_OK;
}

static bool is_inferred(const void *ctx, const char *name)
{
    const struct declared *d = ctx;
    return d->inferring && dn_name_map_get(&d->names, name, strlen(name)) < 0;
}

enum dn_status csv_report(struct dn_reader *r, struct dn_buffer *b,
                          const struct ArrowSchema *schema, struct dn_error *err)
{
    struct csv_handle *h = (struct csv_handle *)(void *)r;
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    struct declared declared = {0};
    enum dn_status st = DN_OK;

    dn_csv_reader_progress(h->reader, &csv);
    DN_TRY_GOTO(st, read_declared(&h->settings, &declared, err), cleanup);
    DN_TRY_GOTO(st,
                dn_text_appendf(b, err,
                                "\"counters\":{\"stray_quotes\":%" PRId64 ",\"rounded\":%" PRId64
                                ",\"replaced\":%" PRId64 ",\"rejected\":%" PRId64
                                ",\"skipped\":%" PRId64 "},\"warnings\":[",
                                csv.stray_quotes, csv.rounded, csv.replaced, csv.rejected,
                                csv.skipped),
                cleanup);
    DN_TRY_GOTO(st, append_warnings(h, b, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "],\"columns\":", err), cleanup);
    st = dn_reader_append_columns(b, schema, is_inferred, &declared, err);
cleanup:
    dn_name_map_finish(&declared.names);
    return st;
}
