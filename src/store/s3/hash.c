#include "store/s3/hash.h"

#include "base/library.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

struct crypto {
    __typeof__(&EVP_sha256) sha256;
    __typeof__(&EVP_md5) md5;
    __typeof__(&EVP_Digest) digest;
    __typeof__(&HMAC) hmac;
};

static enum dn_status load(const struct crypto **out, struct dn_error *err)
{
    static const char *const names[] = {"EVP_sha256", "EVP_md5", "EVP_Digest", "HMAC"};
    static const struct dn_library library = {
        .soname = "libcrypto.so.3",
        .purpose = "s3://",
        .package = "libssl3",
        .names = names,
        .n_names = sizeof(names) / sizeof(names[0]),
    };
    static void *_Atomic once;
    const void *table = NULL;

    _Static_assert(sizeof(struct crypto) == sizeof(names), "one name per member");
    DN_TRY(dn_library_load(&table, &library, &once, err));
    *out = table;
    return DN_OK;
}

static enum dn_status failed(struct dn_error *err)
{
    return dn_error_set(
        err, DN_ERR_UNSUPPORTED,
        "libcrypto refuses SHA-256, which every signed request to S3 needs; look at OpenSSL's "
        "configuration (OPENSSL_CONF) on this machine");
}

enum dn_status dn_sha256(struct dn_span data, uint8_t out[DN_SHA256_BYTES], struct dn_error *err)
{
    const struct crypto *crypto = NULL;
    unsigned len = 0;

    DN_TRY(load(&crypto, err));
    if (crypto->digest(data.len > 0 ? data.data : (const uint8_t *)"", data.len, out, &len,
                       crypto->sha256(), NULL) != 1) {
        return failed(err);
    }
    return DN_OK;
}

enum dn_status dn_md5(struct dn_span data, uint8_t out[DN_MD5_BYTES], struct dn_error *err)
{
    const struct crypto *crypto = NULL;
    unsigned len = 0;

    DN_TRY(load(&crypto, err));
    if (crypto->digest(data.len > 0 ? data.data : (const uint8_t *)"", data.len, out, &len,
                       crypto->md5(), NULL) != 1) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "libcrypto refuses MD5");
    }
    return DN_OK;
}

void dn_hex(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

enum dn_status dn_sha256_hex(struct dn_span data, char out[DN_SHA256_HEX_SIZE],
                             struct dn_error *err)
{
    uint8_t hash[DN_SHA256_BYTES];

    DN_TRY(dn_sha256(data, hash, err));
    dn_hex(hash, sizeof(hash), out);
    return DN_OK;
}

enum dn_status dn_hmac_sha256(struct dn_span key, struct dn_span data, uint8_t out[DN_SHA256_BYTES],
                              struct dn_error *err)
{
    const struct crypto *crypto = NULL;
    unsigned len = 0;

    DN_TRY(load(&crypto, err));
    if (key.len > INT32_MAX ||
        crypto->hmac(crypto->sha256(), key.len > 0 ? key.data : (const uint8_t *)"", (int)key.len,
                     data.data, data.len, out, &len) == NULL) {
        return failed(err);
    }
    return DN_OK;
}

void dn_checksum_text(uint32_t checksum, char out[DN_CHECKSUM_TEXT_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint64_t bits = (uint64_t)checksum
                          << 4; /* 36 bits: six digits, and two that are padding */

    for (unsigned i = 0; i < 6; i++) {
        out[i] = digits[bits >> (30 - 6 * i) & 63];
    }
    out[6] = out[7] = '=';
    out[8] = '\0';
}
