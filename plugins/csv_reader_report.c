/* What the CSV reader reports of the rows it gave: counters, warnings, and which types were inferred. */
#include "csv_reader.h"

#include "base/name_map.h"
#include "base/strings.h"

#include <inttypes.h>
#include <string.h>

/* What somebody should hear of: {"event_type","message"}. */
static enum dn_status append_warnings(const struct csv_handle *h, struct dn_buffer *b,
                                      int64_t n_rounded, struct dn_error *err)
{
    const struct dn_error *first = dn_csv_reader_rounded(h->reader);
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;

    if (first == NULL) {
        return DN_OK;
    }
    DN_TRY_GOTO(st,
                dn_text_appendf(&text, err, "%" PRId64 " value%s rounded to float64; the first: %s",
                                n_rounded, n_rounded == 1 ? " is" : "s are", first->message),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "{\"event_type\":\"values_rounded\",\"message\":", err),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append_json_string(b, (const char *)text.data, text.len, err), cleanup);
    st = dn_text_append(b, "}", err);
cleanup:
    dn_buffer_finish(&text);
    return st;
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
                                "},\"warnings\":[",
                                csv.stray_quotes, csv.rounded),
                cleanup);
    DN_TRY_GOTO(st, append_warnings(h, b, csv.rounded, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "],\"columns\":", err), cleanup);
    st = dn_reader_append_columns(b, schema, is_inferred, &declared, err);
cleanup:
    dn_name_map_finish(&declared.names);
    return st;
}
