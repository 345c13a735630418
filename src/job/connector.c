#include "job/connector.h"

#include "base/strings.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *type;
    const char *reader;
} k_connectors[] = {
    {DN_CONNECTOR_CSV, "libcsv_reader_plugin.so"},
    {DN_CONNECTOR_PARQUET, "libparquet_reader_plugin.so"},
    {DN_CONNECTOR_POSTGRES, "libpostgres_reader_plugin.so"},
};

bool dn_connector_is_csv(const char *type)
{
    return type == NULL || strcmp(type, DN_CONNECTOR_CSV) == 0;
}

bool dn_connector_is_database(const char *type)
{
    return type != NULL && strcmp(type, DN_CONNECTOR_POSTGRES) == 0;
}

const char *dn_connector_reader(const char *type)
{
    for (size_t i = 0; type != NULL && i < sizeof k_connectors / sizeof k_connectors[0]; i++) {
        if (strcmp(k_connectors[i].type, type) == 0) {
            return k_connectors[i].reader;
        }
    }
    return NULL;
}

bool dn_connector_is_target(const char *type)
{
    return strcmp(type, DN_CONNECTOR_LOCAL) == 0 || dn_connector_is_bucket(type);
}

bool dn_connector_is_bucket(const char *type)
{
    return strcmp(type, DN_CONNECTOR_S3) == 0 || strcmp(type, DN_CONNECTOR_MINIO) == 0 ||
           strcmp(type, DN_CONNECTOR_ICEBERG) == 0;
}

/*
 * "PAR1", or "PARE" of an encrypted footer, and then a page's header, which begins with a control byte that no text has: a CSV file
 * whose first column is called PAR1 stays one.
 */
static bool begins_as_parquet(const unsigned char head[5])
{
    return (memcmp(head, "PAR1", 4) == 0 || memcmp(head, "PARE", 4) == 0) && head[4] < 0x20 &&
           head[4] != '\t' && head[4] != '\n' && head[4] != '\r';
}

enum dn_file_kind dn_file_kind(const char *path)
{
    unsigned char head[5] = {0};
    struct stat info;
    enum dn_file_kind kind = DN_FILE_UNKNOWN;
    const bool is_stdin = strcmp(path, "-") == 0;

    /* a pipe must not even be opened: whoever writes into it would take that for its reader */
    if (is_stdin ? fstat(STDIN_FILENO, &info) != 0 : stat(path, &info) != 0) {
        return DN_FILE_UNKNOWN;
    }
    const int fd = !S_ISREG(info.st_mode) ? -1
                   : is_stdin             ? STDIN_FILENO
                                          : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return DN_FILE_UNKNOWN;
    }
    const off_t at = is_stdin ? lseek(fd, 0, SEEK_CUR) : 0;
    const ssize_t got = at >= 0 ? pread(fd, head, sizeof head, at) : -1;
    if (got >= 0) {
        kind = got == (ssize_t)sizeof head && begins_as_parquet(head) ? DN_FILE_PARQUET
                                                                      : DN_FILE_OTHER;
    }
    if (!is_stdin) {
        (void)close(fd);
    }
    return kind;
}

bool dn_file_is_named_parquet(const char *path)
{
    static const char *const endings[] = {".parquet", ".parq", ".pq"};
    const size_t len = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t n = strlen(endings[i]);
        if (len >= n && dn_text_equal_nocase(path + len - n, endings[i])) {
            return true;
        }
    }
    return false;
}
