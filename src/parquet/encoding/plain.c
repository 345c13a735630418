#include "parquet/encoding/plain.h"

void dn_pq_plain_put_texts(uint8_t *out, const struct dn_pq_text *texts, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const size_t len = texts[i].len;
        if (len <= DN_PQ_TEXT_INLINE) {
            memcpy(out, &texts[i], 16);
        } else {
            const uint8_t *data = texts[i].u.data;
            dn_pq_store32(out, (uint32_t)len);
            if (len >= 16 && len <= 32) {
                memcpy(out + 4, data, 16);
                memcpy(out + 4 + len - 16, data + len - 16, 16);
            } else if (len > 32 && len <= 64) {
                memcpy(out + 4, data, 32);
                memcpy(out + 4 + len - 32, data + len - 32, 32);
            } else {
                memcpy(out + 4, data, len);
            }
        }
        out += 4 + len;
    }
}

void dn_pq_plain_put_fixed(uint8_t *out, const struct dn_pq_text *texts, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        memcpy(out, dn_pq_text_data(&texts[i]), texts[i].len);
        out += texts[i].len;
    }
}

/*
 * A length below 128 is four bytes of ASCII, which no character goes across: such texts and the lengths between them are valid
 * together if each is.
 */
bool dn_pq_plain_is_utf8(const struct dn_kernels *kernels, const uint8_t *plain, size_t len,
                         uint32_t lens)
{
    if (lens < 128) {
        return len == 0 || kernels->utf8_valid_prefix(plain, len) == len;
    }
    for (size_t at = 0; at < len;) {
        const size_t n = dn_pq_load32(plain + at);
        if (kernels->utf8_valid_prefix(plain + at + 4, n) != n) {
            return false;
        }
        at += 4 + n;
    }
    return true;
}

enum dn_status dn_pq_plain_get_spans(struct dn_span in, size_t n, struct dn_span *out,
                                     size_t *out_used, struct dn_error *err)
{
    const uint8_t *at = in.data;
    size_t left = in.len;

    for (size_t i = 0; i < n; i++) {
        const size_t len = left < 4 ? 0 : dn_pq_load32(at);
        if (left < 4 || len > left - 4) {
            return dn_error_set(err, DN_ERR_DATA,
                                "its values are damaged: %zu byte arrays do not fit into %zu bytes",
                                n, in.len);
        }
        out[i] = (struct dn_span){at + 4, len};
        at += 4 + len;
        left -= 4 + len;
    }
    *out_used = in.len - left;
    return DN_OK;
}

void dn_pq_plain_get_bools(const uint8_t *bits, size_t bit, size_t n, uint8_t *out)
{
    size_t i = 0;

    for (; i < n && (bit & 7) != 0; i++, bit++) {
        out[i] = bits[bit >> 3] >> (bit & 7) & 1;
    }
    for (; n - i >= 8; i += 8, bit += 8) {
        /* one copy of the byte for each bit, of which every copy keeps another: 1 becomes 0x80 by the sum, then 1 */
        const uint64_t copies = bits[bit >> 3] * UINT64_C(0x0101010101010101);
        const uint64_t kept = copies & UINT64_C(0x8040201008040201);
        const uint64_t ones =
            (kept + UINT64_C(0x00406070787c7e7f)) >> 7 & UINT64_C(0x0101010101010101);
        memcpy(out + i, &ones, sizeof ones);
    }
    for (; i < n; i++, bit++) {
        out[i] = bits[bit >> 3] >> (bit & 7) & 1;
    }
}
