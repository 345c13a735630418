/* The values of a page: decoded, and looked at one by one. */
#include "parquet/verify/check.h"

#include <inttypes.h>

#define BLOCK ((size_t)4096)          /* values at a time */
#define MOST_WIDTH ((size_t)16 << 20) /* wider ones are not decoded */

/* What the file is to blame for is told, and *out_ok is false; another failure goes on, as `why` has it. */
static enum dn_status tell(struct dn_pv_chunk_check *c, enum dn_status st,
                           const struct dn_error *why, bool *out_ok, struct dn_error *err)
{
    *out_ok = st == DN_OK;
    if (st == DN_ERR_DATA) {
        dn_pv_error(c->findings, &c->place, "page.values", "%s", why->message);
        return DN_OK;
    }
    if (st == DN_ERR_UNSUPPORTED) {
        dn_pv_note(c->findings, &c->place, "page.unsupported", "%s", why->message);
        return DN_OK;
    }
    return st == DN_OK ? DN_OK : dn_error_set(err, st, "%s", why->message);
}

static void tell_fault(struct dn_pv_chunk_check *c, const char *fault)
{
    if (fault != NULL) {
        dn_pv_error(c->findings, &c->place, "value", "a value %s", fault);
    }
}

static enum dn_status reserve_block(struct dn_pv_chunk_check *c, size_t size, struct dn_error *err)
{
    dn_buffer_reset(&c->block);
    return dn_buffer_reserve(&c->block, size, err);
}

/* Values, or the entries that `ids` name, in the order that the row group says they have. */
static enum dn_status check_sorted(struct dn_pv_chunk_check *c, const void *values,
                                   const uint32_t *ids, size_t n, struct dn_error *err)
{
    struct dn_span last = dn_buffer_span(&c->last);

    for (size_t i = 0; i < n && c->sorted != 0; i++) {
        const struct dn_span v = dn_pv_tally_value(c->column, values, ids != NULL ? ids[i] : i);
        if (dn_pv_is_nan(c->column, v)) {
            continue;
        }
        if (c->has_last && dn_pv_compare(c->column, last, v) * c->sorted > 0) {
            dn_pv_error(c->findings, &c->place, "group.sorting_columns",
                        "the values are said to %s and do not",
                        c->sorted > 0 ? "ascend" : "descend");
            c->sorted = 0;
        }
        last = v;
        c->has_last = true;
    }
    if (c->sorted == 0 || last.data == c->last.data) {
        return DN_OK;
    }
    dn_buffer_reset(&c->last);
    return dn_buffer_append(&c->last, last.data, last.len, err);
}

/* ---- ids --------------------------------------------------------------------------------------------------------- */

/* What hangs on every single value, not on the entry alone. */
static void count_by_ids(struct dn_pv_chunk_check *c, const uint32_t *ids, size_t n)
{
    const void *entries = c->entries.values.data;

    c->page.n_values += n;
    if (c->column->width == 0) {
        const struct dn_span *spans = entries;
        for (size_t i = 0; i < n; i++) {
            c->page.unencoded += spans[ids[i]].len;
        }
    } else if (c->column->is_float) {
        for (size_t i = 0; i < n; i++) {
            c->page.n_nan += dn_pv_is_nan(c->column, dn_pv_tally_value(c->column, entries, ids[i]));
        }
    }
}

/* Entries that the page uses, each once; and the first time in the chunk, its place in the filter. */
static enum dn_status stamp(struct dn_pv_chunk_check *c, const uint32_t *ids, size_t n,
                            struct dn_error *err)
{
    uint32_t *stamps = (uint32_t *)(void *)c->stamps.data;
    const uint32_t page = (uint32_t)c->place.page + 1;

    DN_TRY(dn_buffer_reserve(&c->seen, n * sizeof(uint32_t), err));
    uint32_t *seen = (uint32_t *)(void *)c->seen.data;
    size_t n_seen = c->seen.len / sizeof(uint32_t);
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = ids[i];
        if (stamps[id] != page) {
            if (stamps[id] == 0) {
                const struct dn_span v = dn_pv_tally_value(c->column, c->entries.values.data, id);
                c->n_used++;
                dn_pv_bloom_values(c, c->column->width == 0 ? (const void *)&v : v.data, 1);
            }
            stamps[id] = page;
            seen[n_seen++] = id;
        }
    }
    c->seen.len = n_seen * sizeof(uint32_t);
    return DN_OK;
}

static enum dn_status check_ids(struct dn_pv_chunk_check *c, size_t n, bool *out_ok,
                                struct dn_error *err)
{
    struct dn_error why = {0};

    dn_buffer_reset(&c->seen);
    DN_TRY(reserve_block(c, BLOCK * sizeof(uint32_t), err));
    uint32_t *ids = (uint32_t *)(void *)c->block.data;
    for (size_t left = n; left > 0;) {
        const size_t now = left < BLOCK ? left : BLOCK;
        DN_TRY(tell(c, dn_pq_decoder_read_ids(c->decoder, now, ids, &why), &why, out_ok, err));
        if (!*out_ok) {
            return DN_OK;
        }
        count_by_ids(c, ids, now);
        DN_TRY(stamp(c, ids, now, err));
        DN_TRY(check_sorted(c, c->entries.values.data, ids, now, err));
        left -= now;
    }
    const uint32_t *seen = (const uint32_t *)(const void *)c->seen.data;
    for (size_t i = 0; i < c->seen.len / sizeof(uint32_t); i++) {
        DN_TRY(dn_pv_tally_bound(&c->page, c->column,
                                 dn_pv_tally_value(c->column, c->entries.values.data, seen[i]),
                                 err));
    }
    return DN_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static enum dn_status check_decoded(struct dn_pv_chunk_check *c, size_t n, bool *out_ok,
                                    struct dn_error *err)
{
    const size_t entry = c->column->width == 0 ? sizeof(struct dn_span) : c->column->width;
    const size_t block = entry > 64 ? BLOCK * 64 / entry + 1 : BLOCK;
    const char *fault = NULL;
    struct dn_error why = {0};

    DN_TRY(reserve_block(c, block * entry, err));
    for (size_t left = n; left > 0;) {
        const size_t now = left < block ? left : block;
        const char *found = NULL;
        DN_TRY(
            tell(c, dn_pq_decoder_read(c->decoder, now, c->block.data, &why), &why, out_ok, err));
        if (!*out_ok) {
            return DN_OK;
        }
        DN_TRY(dn_pv_tally_add(&c->page, c->column, c->block.data, now, &found, err));
        dn_pv_bloom_values(c, c->block.data, now);
        DN_TRY(check_sorted(c, c->block.data, NULL, now, err));
        fault = fault == NULL ? found : fault;
        left -= now;
    }
    tell_fault(c, fault);
    return DN_OK;
}

/* Nothing to decode by: no codec for the dictionary, or a fault that was told with it. */
static bool is_lost(const struct dn_pv_chunk_check *c, int32_t encoding, size_t n)
{
    return (dn_pq_is_dictionary(encoding) && n > 0 && c->has_dictionary && !c->has_entries) ||
           c->column->width > MOST_WIDTH;
}

/* fastparquet puts 8 zero bytes behind the values of every page. */
static void tell_trailing(struct dn_pv_chunk_check *c, struct dn_span body, size_t left, size_t n)
{
    static const char padder[] = "fastparquet";
    static const uint8_t zeros[8] = {0};
    const struct dn_span by = c->file->meta.created_by;

    if (left == sizeof zeros && memcmp(body.data + body.len - left, zeros, left) == 0 &&
        by.len >= sizeof padder - 1 && memcmp(by.data, padder, sizeof padder - 1) == 0) {
        dn_pv_note(c->findings, &c->place, "page.trailing",
                   "8 zero bytes are left behind the last of %zu values", n);
    } else {
        dn_pv_error(c->findings, &c->place, "page.trailing",
                    "%zu bytes are left behind the last of %zu values", left, n);
    }
}

enum dn_status dn_pv_values_check(struct dn_pv_chunk_check *c, int32_t encoding,
                                  struct dn_span body, size_t n, struct dn_error *err)
{
    struct dn_error why = {0};
    bool ok = true;

    if (is_lost(c, encoding, n)) {
        return DN_OK;
    }
    if (c->column->has_no_values && n > 0) {
        dn_pv_error(c->findings, &c->place, "value",
                    "there are %zu values in a column of nothing but nulls", n);
    }
    if (c->decoder == NULL) {
        DN_TRY(dn_pq_decoder_create(&c->decoder, &c->column->leaf, err));
    }
    const enum dn_status st = dn_pq_decoder_begin(c->decoder, encoding, body, n,
                                                  c->has_entries ? &c->entries : NULL, &why);
    DN_TRY(tell(c, st, &why, &ok, err));
    if (!ok) {
        return DN_OK;
    }
    if (dn_pq_is_dictionary(encoding) && n > 0) {
        DN_TRY(check_ids(c, n, &ok, err));
    } else {
        DN_TRY(check_decoded(c, n, &ok, err));
    }
    if (ok && dn_pq_decoder_left(c->decoder) != 0) {
        tell_trailing(c, body, dn_pq_decoder_left(c->decoder), n);
    }
    c->page.is_counted = ok;
    return DN_OK;
}

/* ---- dictionaries ------------------------------------------------------------------------------------------------ */

static void check_entries(struct dn_pv_chunk_check *c, const struct dn_pv_dictionary_head *head,
                          struct dn_span body)
{
    const struct dn_pv_column *column = c->column;
    const void *values = c->entries.values.data;
    const bool sorted = dn_pv_has(&head->head, DN_PV_DICTIONARY_IS_SORTED) && head->is_sorted &&
                        column->order != DN_PV_ORDERED_NOT;
    bool ascends = true;
    size_t used = column->width * c->entries.n;

    for (size_t i = 0; i < c->entries.n; i++) {
        const struct dn_span v = dn_pv_tally_value(column, values, i);
        const char *fault = dn_pv_value_fault(column, v);
        if (fault != NULL) {
            dn_pv_error(c->findings, &c->place, "value", "entry %zu of the dictionary %s", i,
                        fault);
            break;
        }
        used += column->width == 0 ? 4 + v.len : 0;
        ascends =
            ascends && (!sorted || i == 0 ||
                        dn_pv_compare(column, dn_pv_tally_value(column, values, i - 1), v) < 0);
        if (i + 1 == c->entries.n && used != body.len) {
            dn_pv_error(c->findings, &c->place, "page.trailing",
                        "%zu bytes are left behind the last of %zu entries", body.len - used,
                        c->entries.n);
        }
    }
    if (!ascends) {
        dn_pv_error(c->findings, &c->place, "dictionary.is_sorted",
                    "it is said to be sorted and is not");
    }
}

enum dn_status dn_pv_dictionary_check(struct dn_pv_chunk_check *c,
                                      const struct dn_pv_page_head *head, struct dn_span body,
                                      struct dn_error *err)
{
    const struct dn_pv_dictionary_head *d = &head->dictionary;
    struct dn_error why = {0};
    bool ok = true;

    if (d->n_values < 0) {
        dn_pv_error(c->findings, &c->place, "page.header", "it has %" PRId32 " entries",
                    d->n_values);
        return DN_OK;
    }
    if (c->column->width > MOST_WIDTH) {
        return DN_OK;
    }
    const enum dn_status st = dn_pq_entries_read(&c->entries, &c->column->leaf, d->encoding, body,
                                                 (size_t)d->n_values, &why);
    DN_TRY(tell(c, st, &why, &ok, err));
    if (!ok) {
        return DN_OK;
    }
    const size_t size = c->entries.n * sizeof(uint32_t);
    DN_TRY(dn_buffer_reserve(&c->stamps, size, err));
    memset(c->stamps.data, 0, size);
    c->has_entries = true;
    check_entries(c, d, body);
    return DN_OK;
}
