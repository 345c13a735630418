/** For tests: what dn_parquet_verify() says of a file, or of bytes in memory. */
#ifndef DN_TEST_VERIFIED_H
#define DN_TEST_VERIFIED_H

#include "dativo/parquet.h"

#include "memory_file.h"
#include "scratch.h"

struct verified {
    enum dn_status status;
    uint64_t errors;
    uint64_t notes;
    char first[1024]; /**< rule and message of the first finding */
};

static inline uint64_t verified_number(const char *json, const char *key)
{
    const char *at = strstr(json, key);

    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static inline struct verified verify_path(const char *path)
{
    const struct dn_parquet_verify_options options = {.struct_size = sizeof(options),
                                                      .n_threads = 1};
    struct verified v = {0};
    struct dn_error err = {0};
    char *json = NULL;

    v.status = dn_parquet_verify(path, &options, &json, &err);
    if (v.status != DN_OK) {
        (void)snprintf(v.first, sizeof v.first, "%s", err.message);
        return v;
    }
    v.errors = verified_number(json, "\"errors\":");
    v.notes = verified_number(json, "\"notes\":");
    const char *rule = strstr(json, "\"findings\":[{");
    (void)snprintf(v.first, sizeof v.first, "%s", rule != NULL ? rule + 12 : "");
    dn_parquet_free(json);
    return v;
}

/** Through a file in memory. */
static inline struct verified verify_bytes(const void *data, size_t len)
{
    char path[MEMORY_FILE_PATH_SIZE];
    const int fd = memory_file_open(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    const struct verified v = verify_path(path);
    assert_int_equal(memory_file_close(fd, path), 0);
    return v;
}

/** A file of ours: not even a note. */
static inline void must_verify(const char *path)
{
    const struct verified v = verify_path(path);

    if (v.status != DN_OK || v.errors + v.notes > 0) {
        fail_msg("%s: verify: %s", path, v.first);
    }
}

#endif
