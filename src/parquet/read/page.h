/**
 * Pages: headers, checksums and codecs, and where levels and values lie, of both versions of data pages.
 * The PageHeader of parquet.thrift, https://github.com/apache/parquet-format.
 *
 * Errors: DN_ERR_DATA what is wrong in the page (the caller adds which page); DN_ERR_UNSUPPORTED legal but not for us.
 * Threads: none; everything is in the arguments.
 */
#ifndef DN_PARQUET_READ_PAGE_H
#define DN_PARQUET_READ_PAGE_H

#include "base/buffer.h"
#include "parquet/format.h"
#include "parquet/read/unpack.h"

struct dn_pq_page_head {
    int32_t type; /**< enum dn_pq_page_type */
    int32_t packed_len;
    int32_t unpacked_len;
    bool has_crc;
    uint32_t crc;
    int32_t n_values;
    int32_t encoding;
    int32_t def_encoding; /**< V1 */
    size_t header_len;
    int32_t rep_encoding; /**< V1 */
    int32_t n_nulls;      /**< V2; not more than n_values */
    int32_t n_rows;       /**< V2; not more than n_values */
    int32_t def_len;      /**< V2; levels fit into both lengths of the page */
    int32_t rep_len;      /**< V2 */
    bool is_packed;       /**< V2: whether the codec was used for the values */
};

/**
 * Parse a page header at the start of `in`.
 * @param offset       of the header in the file, for messages
 * @param out_ran_out  set if the failure may be due to `in` being too short
 */
DN_NODISCARD enum dn_status dn_pq_page_header_read(struct dn_span in, uint64_t offset,
                                                   struct dn_pq_page_head *out, bool *out_ran_out,
                                                   struct dn_error *err);
/**
 * Check the checksum of a page body, if there is one, and undo the codec.  Levels of a V2 page, for which no codec is used, are in
 * front of the values in *out too.
 * @param body     of page->packed_len bytes
 * @param scratch  keeps the unpacked bytes; *out points into it, or into `body` if there is no codec
 */
DN_NODISCARD enum dn_status dn_pq_page_unpack(const struct dn_pq_page_head *page,
                                              struct dn_span body, int32_t codec,
                                              struct dn_buffer *scratch, struct dn_span *out,
                                              struct dn_error *err);

/** Where the parts of a data page lie. */
struct dn_pq_page_parts {
    struct dn_span
        rep; /**< repetition levels, without a length in front; see dn_pq_levels_begin() */
    struct dn_span def; /**< definition levels */
    struct dn_span values;
    int32_t rep_encoding;
    int32_t def_encoding;
};
/** Split the unpacked body of a data page of either version. */
DN_NODISCARD enum dn_status dn_pq_page_split(const struct dn_pq_page_head *page,
                                             struct dn_span body, int32_t max_rep, int32_t max_def,
                                             struct dn_pq_page_parts *out, struct dn_error *err);

#endif
