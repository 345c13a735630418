/** CRC-32C (Castagnoli), the checksum that S3 compares what it stores with.  Threads: all functions are thread-safe. */
#ifndef DN_STORE_S3_CRC32C_H
#define DN_STORE_S3_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** Of what `crc` is the checksum of, followed by `data`; 0 is the one of nothing.  By the CPU's instruction where it has one. */
uint32_t dn_crc32c(uint32_t crc, const void *data, size_t len);
/** The same without that instruction: what is right. */
uint32_t dn_crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
