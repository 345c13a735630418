/** SHA-256, HMAC and MD5 by libcrypto, loaded on first use, and texts of bytes.  Threads: all functions are thread-safe. */
#ifndef DN_STORE_S3_HASH_H
#define DN_STORE_S3_HASH_H

#include "base/buffer.h"

#define DN_SHA256_BYTES 32
#define DN_SHA256_HEX_SIZE 65

/** DN_ERR_UNSUPPORTED without libcrypto. */
DN_NODISCARD enum dn_status dn_sha256(struct dn_span data, uint8_t out[DN_SHA256_BYTES],
                                      struct dn_error *err);
/** As 64 lower-case hexadecimal digits and a NUL. */
DN_NODISCARD enum dn_status dn_sha256_hex(struct dn_span data, char out[DN_SHA256_HEX_SIZE],
                                          struct dn_error *err);
DN_NODISCARD enum dn_status dn_hmac_sha256(struct dn_span key, struct dn_span data,
                                           uint8_t out[DN_SHA256_BYTES], struct dn_error *err);

/** For ETags, which are MD5 with most stores; DN_ERR_UNSUPPORTED where OpenSSL may not. */
#define DN_MD5_BYTES 16
DN_NODISCARD enum dn_status dn_md5(struct dn_span data, uint8_t out[DN_MD5_BYTES],
                                   struct dn_error *err);

void dn_hex(const uint8_t *data, size_t len, char *out);
/** The four bytes of a checksum, most significant first, in base64: 8 characters and a NUL. */
#define DN_CHECKSUM_TEXT_SIZE 9
void dn_checksum_text(uint32_t checksum, char out[DN_CHECKSUM_TEXT_SIZE]);

#endif
