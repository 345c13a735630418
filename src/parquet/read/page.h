/**
 * Pages: headers, checksums and codecs, definition levels, PLAIN values and dictionary ids (V1 data pages of flat columns).
 * Encodings.md and the PageHeader of parquet.thrift, https://github.com/apache/parquet-format.
 *
 * Errors: DN_ERR_DATA what is wrong in the page (the caller adds which page); DN_ERR_UNSUPPORTED legal but not for us.
 * Threads: none; everything is in the arguments.
 */
#ifndef DN_PARQUET_READ_PAGE_H
#define DN_PARQUET_READ_PAGE_H

#include "base/buffer.h"
#include "parquet/format.h"

/** A page that unpacks to more is refused. */
#define DN_PQ_MAX_PAGE_BYTES ((int32_t)512 << 20)

struct dn_pq_page_head {
    int32_t type; /**< enum dn_pq_page_type */
    int32_t packed_len;
    int32_t unpacked_len;
    bool has_crc;
    uint32_t crc;
    int32_t n_values;
    int32_t encoding;
    int32_t def_encoding;
    size_t header_len;
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
 * Check the checksum of a page body, if there is one, and undo the codec.
 * @param scratch  keeps the unpacked bytes; *out points into it, or into `body` if there is no codec
 */
DN_NODISCARD enum dn_status dn_pq_page_unpack(const struct dn_pq_page_head *page,
                                              struct dn_span body, int32_t codec,
                                              struct dn_buffer *scratch, struct dn_span *out,
                                              struct dn_error *err);

/** The RLE / bit-packed hybrid. */
struct dn_pq_hybrid {
    struct dn_span in;
    size_t pos;
    unsigned bit_width; /**< 0..32 */
    bool is_packed;
    uint64_t run_left; /**< values left in the current run */
    uint32_t value;    /**< of a repeated run */
    uint64_t bit;      /**< next bit of a packed run, counted from the start of `in` */
};
void dn_pq_hybrid_init(struct dn_pq_hybrid *h, struct dn_span in, unsigned bit_width);
/** The next n values. */
DN_NODISCARD enum dn_status dn_pq_hybrid_read(struct dn_pq_hybrid *h, uint32_t *out, size_t n,
                                              struct dn_error *err);

/**
 * Definition levels of max_def 1, with their length in front: append the first n as bytes, 1 for a value and 0 for a null.
 * *body is moved behind the levels.
 */
DN_NODISCARD enum dn_status dn_pq_levels_read(struct dn_span *body, size_t n, struct dn_buffer *out,
                                              size_t *out_n_valid, struct dn_error *err);

/** Where a byte array lies in the byte store of its column. */
struct dn_pq_ref {
    uint64_t offset;
    uint64_t len;
};
/**
 * Append the first n PLAIN values: booleans as bytes 0 and 1, fixed-width values as they are (little endian), byte arrays as
 * struct dn_pq_ref with their bytes in `bytes`.
 * @param width  bytes per value, 0 for byte arrays
 */
DN_NODISCARD enum dn_status dn_pq_plain_read(int32_t type, size_t width, struct dn_span in,
                                             size_t n, struct dn_buffer *values,
                                             struct dn_buffer *bytes, struct dn_error *err);
/** Append the dictionary entries (of `entry` bytes each) that the first n ids of a data page name. */
DN_NODISCARD enum dn_status dn_pq_id_values_read(struct dn_span in, size_t n,
                                                 struct dn_span dictionary, size_t entry,
                                                 struct dn_buffer *values, struct dn_error *err);

#endif
