/* inspect_file N_ROWS FILE...: what dn_parquet_inspect() says of each file, one line each; errors as {"error":code,"message":...}. */
#include "dativo/parquet.h"

#include "base/error.h"
#include "base/strings.h"

#include <stdio.h>
#include <stdlib.h>

static int show(const char *path, int64_t n_rows)
{
    struct dn_error err = {0};
    struct dn_buffer line = {0};
    char *json = NULL;
    int failed = 0;

    if (dn_parquet_inspect(path, n_rows, &json, &err) == DN_OK) {
        failed = puts(json) < 0;
    } else {
        failed =
            dn_text_appendf(&line, NULL, "{\"error\":%d,\"message\":", (int)err.code) != DN_OK ||
            dn_text_append_json_string(&line, err.message, strlen(err.message), NULL) != DN_OK ||
            dn_text_append(&line, "}\n", NULL) != DN_OK ||
            fwrite(line.data, 1, line.len, stdout) != line.len;
    }
    dn_parquet_free(json);
    dn_buffer_finish(&line);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s N_ROWS FILE...\n", argv[0]);
        return 2;
    }
    const int64_t n_rows = strtoll(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++) {
        failed |= show(argv[i], n_rows);
    }
    return failed;
}
