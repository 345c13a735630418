/* One page: header, checksum, codec, levels; its values are looked at in values.c. */
#include "parquet/verify/check.h"

#include "parquet/encoding/bits.h"
#include "parquet/read/unpack.h"

#include <inttypes.h>

#define READ_AHEAD ((size_t)1 << 20)
#define HEADER_PROBE ((size_t)4096)

enum dn_status dn_pv_bytes(struct dn_pv_chunk_check *c, uint64_t offset, size_t len,
                           struct dn_span *out, struct dn_error *err)
{
    if (offset - c->window_at >
            c->window.len || /* before the window too: the difference is unsigned */
        len > c->window.len - (size_t)(offset - c->window_at)) {
        const uint64_t rest = c->end - offset;
        const uint64_t ahead = (uint64_t)len + READ_AHEAD;
        const size_t want = rest < ahead ? (size_t)rest : (size_t)ahead;
        dn_buffer_reset(&c->window);
        DN_TRY(dn_pq_read_at(c->file->source, offset, want, &c->window, err));
        c->window_at = offset;
    }
    *out = (struct dn_span){c->window.data + (offset - c->window_at), len};
    return DN_OK;
}

/* What is wrong with the file, as an error record says it, becomes a finding; other failures go on. */
static enum dn_status as_finding(struct dn_pv_chunk_check *c, enum dn_status st, const char *rule,
                                 const struct dn_error *why, struct dn_error *err)
{
    if (st == DN_ERR_DATA) {
        dn_pv_error(c->findings, &c->place, rule, "%s", why->message);
        return DN_OK;
    }
    if (st != DN_OK && err != NULL) {
        *err = *why;
    }
    return st;
}

/* ---- unpacking --------------------------------------------------------------------------------------------------- */

/* *out_ok: the body is there, exactly as long as the header says.  It lies in `packed` or in `scratch`. */
static enum dn_status unpack(struct dn_pv_chunk_check *c, struct dn_span packed, int64_t len,
                             bool is_packed, struct dn_buffer *scratch, struct dn_span *out,
                             bool *out_ok, struct dn_error *err)
{
    const int32_t codec = is_packed ? c->chunk->meta.codec : DN_CODEC_NONE;
    struct dn_error why = {0};

    *out_ok = false;
    if (codec == DN_CODEC_NONE) {
        *out = packed;
        *out_ok = (uint64_t)len == packed.len;
        if (!*out_ok) {
            dn_pv_error(c->findings, &c->place, "page.size",
                        "%zu bytes that are not compressed are said to be %" PRId64, packed.len,
                        len);
        }
        return DN_OK;
    }
    if (!dn_pq_codec_is_known(codec) || len > DN_PQ_MAX_PAGE_BYTES) {
        return DN_OK; /* noted with the chunk, or below */
    }
    if (!dn_pq_codec_fits(codec, packed.len, (uint64_t)len)) {
        dn_pv_error(c->findings, &c->place, "page.size",
                    "%zu bytes of %s cannot unpack to %" PRId64, packed.len,
                    dn_pq_codec_words(codec), len);
        return DN_OK;
    }
    dn_buffer_reset(scratch);
    DN_TRY(dn_buffer_reserve(scratch, (size_t)len, err));
    if (packed.len == 0 && len == 0) {
        *out = dn_buffer_span(scratch);
        *out_ok = true;
        return DN_OK;
    }
    const enum dn_status st = dn_pq_unpack(codec, packed, (size_t)len, scratch, &why);
    *out = dn_buffer_span(scratch);
    *out_ok = st == DN_OK;
    return as_finding(c, st, "page.codec", &why, err);
}

static bool check_crc(struct dn_pv_chunk_check *c, const struct dn_pv_page_head *head,
                      struct dn_span body)
{
    if (!dn_pv_has(&head->head, DN_PV_PAGE_CRC)) {
        return true;
    }
    const uint32_t crc = dn_crc32(0, body.data, body.len);
    if (crc != (uint32_t)head->crc) {
        dn_pv_error(c->findings, &c->place, "page.crc",
                    "the checksum is %08" PRIx32 " and should be %08" PRIx32, crc,
                    (uint32_t)head->crc);
    }
    return crc == (uint32_t)head->crc;
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

static bool count_levels(struct dn_pv_chunk_check *c, struct dn_span in, int32_t n, int32_t max,
                         bool packed, const char *what, struct dn_pv_levels *out)
{
    const char *fault = dn_pv_levels_count(in, (size_t)n, (unsigned)max, packed, out);

    if (fault != NULL) {
        dn_pv_error(c->findings, &c->place, "page.levels", "%s levels: %s", what, fault);
    }
    return fault == NULL;
}

/* Levels of a V1 page, in front of its values; *body is moved behind them. */
static bool take_levels(struct dn_pv_chunk_check *c, struct dn_span *body, int32_t n, int32_t max,
                        int32_t encoding, const char *what, struct dn_pv_levels *out)
{
    size_t len = 0;
    size_t head = 0;

    if (max == 0) {
        if (encoding != DN_PQ_RLE && encoding != DN_PQ_BIT_PACKED) {
            dn_pv_note(c->findings, &c->place, "page.encoding",
                       "there are no %s levels, and their encoding is said to be %" PRId32, what,
                       encoding);
        }
        *out = (struct dn_pv_levels){.counts = {(uint64_t)n}};
        return true;
    }
    if (encoding == DN_PQ_BIT_PACKED) {
        c->has_packed_levels = true;
        len = ((size_t)n * dn_pq_bit_length((uint64_t)max) + 7) / 8;
    } else if (encoding == DN_PQ_RLE) {
        c->has_rle_levels = true;
        head = 4;
        len = body->len < 4 ? 0 : dn_pq_load32(body->data);
    } else {
        dn_pv_error(c->findings, &c->place, "page.encoding",
                    "%s levels cannot have encoding %" PRId32, what, encoding);
        return false;
    }
    if (body->len < head || len > body->len - head) {
        dn_pv_error(c->findings, &c->place, "page.levels",
                    "%s levels take %zu bytes of a body of %zu", what, len, body->len);
        return false;
    }
    const struct dn_span levels = {body->data + head, len};
    *body = (struct dn_span){levels.data + len, body->len - head - len};
    return count_levels(c, levels, n, max, encoding == DN_PQ_BIT_PACKED, what, out);
}

static size_t n_present(const struct dn_pv_chunk_check *c)
{
    return (size_t)c->page_defs.counts[c->column->leaf.max_def];
}

static void check_first_level(struct dn_pv_chunk_check *c, bool must)
{
    if (c->page_reps.first != 0 && must) {
        dn_pv_error(c->findings, &c->place, "page.row_start",
                    "the page begins within a row (repetition level %" PRIu32 ")",
                    c->page_reps.first);
    }
}

/* ---- data pages -------------------------------------------------------------------------------------------------- */

static enum dn_status check_values(struct dn_pv_chunk_check *c, int32_t n, int32_t encoding,
                                   struct dn_span body, struct dn_error *err)
{
    c->page.n_levels = (uint64_t)n;
    c->page.n_rows = c->page_reps.counts[0];
    return dn_pv_values_check(c, encoding, body, n_present(c), err);
}

static enum dn_status check_data_v1(struct dn_pv_chunk_check *c, const struct dn_pv_page_head *head,
                                    struct dn_span packed, struct dn_error *err)
{
    const struct dn_pv_data_head *d = &head->data;
    const struct dn_pq_leaf *leaf = &c->column->leaf;
    struct dn_span body;
    bool ok = false;

    DN_TRY(unpack(c, packed, head->uncompressed, true, &c->unpacked, &body, &ok, err));
    if (!ok ||
        !take_levels(c, &body, d->n_values, leaf->max_rep, d->rep_encoding, "repetition",
                     &c->page_reps) ||
        !take_levels(c, &body, d->n_values, leaf->max_def, d->def_encoding, "definition",
                     &c->page_defs)) {
        return DN_OK;
    }
    check_first_level(c, c->index.has_offsets || c->total.n_levels == 0);
    return check_values(c, d->n_values, d->encoding, body, err);
}

static bool check_v2_levels(struct dn_pv_chunk_check *c, const struct dn_pv_data2_head *d,
                            struct dn_span packed)
{
    const struct dn_pq_leaf *leaf = &c->column->leaf;
    const struct dn_span reps = {packed.data, (size_t)d->rep_bytes};
    const struct dn_span defs = {packed.data + d->rep_bytes, (size_t)d->def_bytes};

    c->page_reps = (struct dn_pv_levels){.counts = {(uint64_t)d->n_values}};
    c->page_defs = c->page_reps;
    if ((leaf->max_rep == 0 && reps.len > 0) || (leaf->max_def == 0 && defs.len > 0)) {
        const bool is_reps = leaf->max_rep == 0 && reps.len > 0;
        dn_pv_error(c->findings, &c->place, "page.levels",
                    "there are %zu bytes of %s levels, which the column does not have",
                    is_reps ? reps.len : defs.len, is_reps ? "repetition" : "definition");
        return false;
    }
    c->has_rle_levels = c->has_rle_levels || leaf->max_rep > 0 || leaf->max_def > 0;
    return (leaf->max_rep == 0 || count_levels(c, reps, d->n_values, leaf->max_rep, false,
                                               "repetition", &c->page_reps)) &&
           (leaf->max_def == 0 ||
            count_levels(c, defs, d->n_values, leaf->max_def, false, "definition", &c->page_defs));
}

static enum dn_status check_data_v2(struct dn_pv_chunk_check *c, const struct dn_pv_page_head *head,
                                    struct dn_span packed, struct dn_error *err)
{
    const struct dn_pv_data2_head *d = &head->data2;
    const bool is_packed = !dn_pv_has(&d->head, DN_PV_DATA2_IS_COMPRESSED) || d->is_compressed;
    const int64_t levels = (int64_t)d->rep_bytes + d->def_bytes;
    struct dn_span body;
    bool ok = false;

    if (d->rep_bytes < 0 || d->def_bytes < 0 || levels > (int64_t)packed.len ||
        levels > head->uncompressed) {
        dn_pv_error(c->findings, &c->place, "page.levels",
                    "levels of %" PRId32 " and %" PRId32 " bytes in a page of %zu, %" PRId32
                    " unpacked",
                    d->rep_bytes, d->def_bytes, packed.len, head->uncompressed);
        return DN_OK;
    }
    if (!check_v2_levels(c, d, packed)) {
        return DN_OK;
    }
    check_first_level(c, true);
    if ((uint64_t)d->n_rows != c->page_reps.counts[0]) {
        dn_pv_error(c->findings, &c->place, "page.rows",
                    "%" PRId32 " rows are said and %" PRIu64 " are there", d->n_rows,
                    c->page_reps.counts[0]);
    }
    if ((int64_t)d->n_values - d->n_nulls != (int64_t)n_present(c)) {
        dn_pv_error(c->findings, &c->place, "page.nulls",
                    "%" PRId32 " nulls are said and %" PRId64 " are there", d->n_nulls,
                    (int64_t)d->n_values - (int64_t)n_present(c));
    }
    const struct dn_span values = {packed.data + levels, packed.len - (size_t)levels};
    DN_TRY(
        unpack(c, values, head->uncompressed - levels, is_packed, &c->unpacked, &body, &ok, err));
    return ok ? check_values(c, d->n_values, d->encoding, body, err) : DN_OK;
}

static enum dn_status check_data(struct dn_pv_chunk_check *c, const struct dn_pv_page_head *head,
                                 struct dn_span packed, uint64_t size, struct dn_error *err)
{
    const bool is_v2 = head->type == DN_PQ_DATA_PAGE_V2;
    const int32_t n = is_v2 ? head->data2.n_values : head->data.n_values;
    const uint64_t at = (uint64_t)c->place.byte;

    dn_pv_tally_reset(&c->page);
    c->page_defs = (struct dn_pv_levels){0};
    c->page_reps = c->page_defs;
    c->first_data = c->first_data == 0 ? at : c->first_data;
    if (n < 0) {
        dn_pv_error(c->findings, &c->place, "page.header", "it has %" PRId32 " values", n);
        c->is_broken = true;
        return DN_OK;
    }
    if (check_crc(c, head, packed)) {
        DN_TRY(is_v2 ? check_data_v2(c, head, packed, err) : check_data_v1(c, head, packed, err));
    }
    if (!c->page.is_counted) {
        c->page.n_levels = (uint64_t)n;
    }
    const struct dn_pv_head *h = is_v2 ? &head->data2.head : &head->data.head;
    if (dn_pv_has(h, is_v2 ? (unsigned)DN_PV_DATA2_STATISTICS : (unsigned)DN_PV_DATA_STATISTICS)) {
        dn_pv_statistics_check(c, is_v2 ? &head->data2.statistics : &head->data.statistics,
                               &c->page, false);
    }
    dn_pv_index_page(c, at, size);
    dn_pv_levels_add(&c->defs, &c->page_defs);
    dn_pv_levels_add(&c->reps, &c->page_reps);
    return dn_pv_tally_merge(&c->total, &c->page, c->column, err);
}

/* ---- any page ---------------------------------------------------------------------------------------------------- */

static enum dn_status check_dictionary_page(struct dn_pv_chunk_check *c,
                                            const struct dn_pv_page_head *head,
                                            struct dn_span packed, struct dn_error *err)
{
    const struct dn_pv_chunk *chunk = c->chunk;
    struct dn_span body;
    bool ok = false;

    if (c->has_dictionary || c->first_data != 0) {
        dn_pv_error(c->findings, &c->place, "dictionary.place",
                    c->has_dictionary ? "the chunk has a dictionary page already"
                                      : "the dictionary page comes after data pages");
        return DN_OK;
    }
    c->has_dictionary = true;
    if (!dn_pv_has(&chunk->meta.head, DN_PV_META_DICTIONARY_OFFSET) &&
        chunk->meta.data_page_offset == c->place.byte) {
        c->is_unsaid = true; /* as writers of old did; readers look for it where the chunk begins */
        dn_pv_note(c->findings, &c->place, "chunk.dictionary_page_offset",
                   "it is not set; data_page_offset tells where the dictionary page is");
    } else if (chunk->meta.dictionary_page_offset != c->place.byte) {
        dn_pv_error(c->findings, &c->place, "chunk.dictionary_page_offset",
                    "the footer does not say that the dictionary page is here");
    }
    if (!check_crc(c, head, packed)) {
        return DN_OK;
    }
    DN_TRY(unpack(c, packed, head->uncompressed, true, &c->dictionary, &body, &ok, err));
    if (ok && body.data != c->dictionary.data) { /* it must outlive the window */
        dn_buffer_reset(&c->dictionary);
        DN_TRY(dn_buffer_append(&c->dictionary, body.data, body.len, err));
        body = dn_buffer_span(&c->dictionary);
    }
    return ok ? dn_pv_dictionary_check(c, head, body, err) : DN_OK;
}

/* The header that the page type asks for, and no other. */
static bool check_header(struct dn_pv_chunk_check *c, const struct dn_pv_page_head *head)
{
    static const unsigned wanted[DN_PV_PAGE_TYPES] = {DN_PV_PAGE_DATA, DN_PV_PAGE_INDEX,
                                                      DN_PV_PAGE_DICTIONARY, DN_PV_PAGE_DATA2};
    const uint32_t inner = head->head.has >> DN_PV_PAGE_DATA << DN_PV_PAGE_DATA;

    if (head->type < 0 || head->type >= DN_PV_PAGE_TYPES) {
        return head->compressed >= 0; /* reported; readers skip what they do not know */
    }
    if (inner != (uint32_t)1 << wanted[head->type] && head->type != DN_PQ_INDEX_PAGE) {
        dn_pv_error(c->findings, &c->place, "page.header",
                    "a page of type %" PRId32 " has not the one header of that type", head->type);
        return false;
    }
    if (head->compressed < 0 || head->uncompressed < 0) {
        dn_pv_error(c->findings, &c->place, "page.header",
                    "it has %" PRId32 " bytes, %" PRId32 " uncompressed", head->compressed,
                    head->uncompressed);
        return false;
    }
    if (head->uncompressed > DN_PQ_MAX_PAGE_BYTES) {
        dn_pv_note(c->findings, &c->place, "page.unsupported",
                   "it unpacks to %" PRId32 " bytes, which are not looked at", head->uncompressed);
    }
    return true;
}

static void count_page(struct dn_pv_chunk_check *c, const struct dn_pv_page_head *head)
{
    const int32_t encoding = head->type == DN_PQ_DATA_PAGE         ? head->data.encoding
                             : head->type == DN_PQ_DATA_PAGE_V2    ? head->data2.encoding
                             : head->type == DN_PQ_DICTIONARY_PAGE ? head->dictionary.encoding
                                                                   : -1;

    c->result->n_pages++;
    if (encoding >= 0 && encoding < DN_PV_MOST_ENCODINGS) {
        c->pages[head->type][encoding]++;
    }
}

/* The whole header at `at`, in c->header, which what is read of it points into. */
static enum dn_status read_header(struct dn_pv_chunk_check *c, uint64_t at,
                                  struct dn_pv_page_head *head, bool *out_ok, struct dn_error *err)
{
    const uint64_t rest = c->end - at;
    size_t probe = rest < HEADER_PROBE ? (size_t)rest : HEADER_PROBE;
    struct dn_error why = {0};
    struct dn_span bytes;
    size_t len = 0;

    *out_ok = false;
    for (;;) {
        bool ran_out = false;
        DN_TRY(dn_pv_bytes(c, at, probe, &bytes, err));
        const enum dn_status st =
            dn_pv_struct_length(bytes, at, "the page header", &len, &ran_out, &why);
        if (st == DN_OK) {
            break;
        }
        if (!ran_out || probe == rest) {
            return as_finding(c, st, "page.header", &why, err);
        }
        probe = probe > rest / 8 ? (size_t)rest : probe * 8;
    }
    dn_buffer_reset(&c->header);
    DN_TRY(dn_buffer_append(&c->header, bytes.data, len, err));
    struct dn_pv_meta_reader m;
    dn_pv_meta_start(&m, dn_buffer_span(&c->header), at, "the page header", &c->arena, c->findings,
                     &c->place);
    const enum dn_status st = dn_pv_meta_read(&m, &dn_pv_page_type, head, &why);
    *out_ok = st == DN_OK;
    return as_finding(c, st, "page.header", &why, err);
}

enum dn_status dn_pv_page_check(struct dn_pv_chunk_check *c, uint64_t *pos, struct dn_error *err)
{
    struct dn_pv_page_head head = {.type = -1, .uncompressed = -1, .compressed = -1};
    struct dn_span packed;
    bool ok = false;

    c->place.byte = (int64_t)*pos;
    DN_TRY(read_header(c, *pos, &head, &ok, err));
    if (!ok || !check_header(c, &head)) {
        c->is_broken = true;
        return DN_OK;
    }
    const uint64_t body_at = *pos + c->header.len;
    if ((uint64_t)head.compressed > c->end - body_at) {
        dn_pv_error(c->findings, &c->place, "page.size",
                    "its %" PRId32 " bytes reach over the end of the chunk", head.compressed);
        c->is_broken = true;
        return DN_OK;
    }
    DN_TRY(dn_pv_bytes(c, body_at, (size_t)head.compressed, &packed, err));
    const uint64_t size = c->header.len + (uint64_t)head.compressed;
    c->uncompressed += c->header.len + (uint64_t)(head.uncompressed > 0 ? head.uncompressed : 0);
    *pos += size;
    count_page(c, &head);
    switch (head.type) {
    case DN_PQ_DATA_PAGE:
    case DN_PQ_DATA_PAGE_V2:
        return check_data(c, &head, packed, size, err);
    case DN_PQ_DICTIONARY_PAGE:
        return check_dictionary_page(c, &head, packed, err);
    default: /* index pages and what is to come hold no values */
        (void)check_crc(c, &head, packed);
        return DN_OK;
    }
}
