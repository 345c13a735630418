/*
 * Version 1 of include/dativo/plugin.h, frozen: its declarations without their comments.  Never edit this file; the tests
 * compare the public header with it.  Members may be appended to the public header's structs, nothing else may change.
 */
/* clang-format off */
#ifndef DATIVO_PLUGIN_V1_H
#define DATIVO_PLUGIN_V1_H

#include <stddef.h>
#include <stdint.h>

#include "dativo/arrow.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#    define DATIVO_EXPORT __attribute__((visibility("default")))
#else
#    define DATIVO_EXPORT
#endif

#define DATIVO_ERROR_PREFIX "DATIVO_PLUGIN_ERROR "

#ifndef DATIVO_NO_PROTOTYPES

DATIVO_EXPORT void *create_reader(const char *config_json);

DATIVO_EXPORT const char *extract_batch(void *reader);

DATIVO_EXPORT void free_reader(void *reader);

DATIVO_EXPORT void *create_writer(const char *config_json);

DATIVO_EXPORT const char *write_batch(void *writer, const char *records_json);

DATIVO_EXPORT void free_writer(void *writer);

DATIVO_EXPORT void free_string(const char *text);

DATIVO_EXPORT const char *last_error(void *handle);

DATIVO_EXPORT const char *plugin_info(void);

DATIVO_EXPORT const char *check_connection(const char *config_json);

DATIVO_EXPORT const char *discover(const char *config_json);

DATIVO_EXPORT const char *commit_files(void *writer, const char *files_json);

#endif

#define DATIVO_ABI_VERSION ((uint32_t)0x00010000u)

#define DATIVO_PLUGIN_GET_SYMBOL "dativo_plugin_get"

#define DATIVO_EXT_READER "dativo.reader/1"
#define DATIVO_EXT_WRITER "dativo.writer/1"
#define DATIVO_EXT_INSPECTOR "dativo.inspector/1"

#define DATIVO_OK 0
#define DATIVO_ERR_INVALID 1
#define DATIVO_ERR_CONFIG 2
#define DATIVO_ERR_DATA 3
#define DATIVO_ERR_TYPE 4
#define DATIVO_ERR_NOT_FOUND 5
#define DATIVO_ERR_EXISTS 6
#define DATIVO_ERR_IO 7
#define DATIVO_ERR_MEMORY 8
#define DATIVO_ERR_UNSUPPORTED 9
#define DATIVO_ERR_CANCELLED 10
#define DATIVO_ERR_TEMPORARY 11
#define DATIVO_ERR_INTERNAL 12

struct dativo_error {
    uint32_t struct_size;
    int32_t code;
    int32_t os_errno;
    int32_t retryable;
    int64_t row;
    int64_t line;
    int64_t byte_offset;
    char path[512];
    char column[128];
    char expected[64];
    char suggested_type[32];
    char message[1024];
};

struct dativo_progress {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t bytes_done;
    int64_t bytes_total;
    int64_t rows_done;
};

#define DATIVO_LOG_DEBUG 10
#define DATIVO_LOG_INFO 20
#define DATIVO_LOG_WARNING 30
#define DATIVO_LOG_ERROR 40

struct dativo_host {
    uint32_t struct_size;
    uint32_t n_threads;
    void *ctx;
    void (*log)(void *ctx, int32_t level, const char *event_type, const char *message);
    int32_t (*cancelled)(void *ctx);
    void (*progress)(void *ctx, const struct dativo_progress *);

    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    uint64_t memory_budget_bytes;
};

struct dativo_plugin {
    uint32_t struct_size;
    uint32_t abi_version;
    const char *name;
    const char *version;
    const char *description;
    const void *(*get_extension)(const char *name);
    void (*free_text)(char *text);
};

DATIVO_EXPORT const struct dativo_plugin *dativo_plugin_get(uint32_t host_abi,
                                                            struct dativo_error *err);

struct dativo_reader_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    int32_t (*open)(const char *config_json, const struct dativo_host *host, void **out_reader,
                    struct dativo_error *err);

    int32_t (*schema)(void *reader, struct ArrowSchema *out_schema, struct dativo_error *err);

    int32_t (*stream)(void *reader, struct ArrowArrayStream *out_stream, struct dativo_error *err);

    int32_t (*last_error)(void *reader, struct dativo_error *err);

    void (*progress)(void *reader, struct dativo_progress *out);

    void (*cancel)(void *reader);

    void (*close)(void *reader);

    int32_t (*splits)(void *reader, uint64_t target_bytes, char **out_json,
                      struct dativo_error *err);

    int32_t (*open_split)(const char *config_json, const char *token,
                          const struct dativo_host *host, void **out_reader,
                          struct dativo_error *err);

    int32_t (*report)(void *reader, char **out_json, struct dativo_error *err);
};

struct dativo_writer_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    int32_t (*open)(const char *config_json, const struct ArrowSchema *schema,
                    const struct dativo_host *host, void **out_writer, struct dativo_error *err);

    int32_t (*append)(void *writer, struct ArrowArray *batch, struct dativo_error *err);

    int32_t (*append_stream)(void *writer, struct ArrowArrayStream *stream,
                             struct dativo_error *err);

    int32_t (*finish)(void *writer, char **out_manifest_json, struct dativo_error *err);

    int32_t (*commit)(void *writer, struct dativo_error *err);

    void (*abort)(void *writer);

    void (*close)(void *writer);
};

struct dativo_inspector_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    int32_t (*inspect)(const char *path, const char *options_json, char **out_json,
                       struct dativo_error *err);
};

#ifdef __cplusplus
}
#endif
#endif
