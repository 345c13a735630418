/* ipc_schema < MESSAGE > MESSAGE: the schema of an IPC message, read and written again.  Exit code 1 and a line if it is refused. */
#include "arrow/ipc_schema.h"

#include <stdio.h>

int main(void)
{
    struct dn_buffer in = {0};
    struct dn_buffer out = {0};
    struct ArrowSchema schema = {0};
    struct dn_error err = {0};
    enum dn_status st = DN_OK;

    for (int c = getchar(); c != EOF && st == DN_OK; c = getchar()) {
        st = dn_buffer_append_byte(&in, (uint8_t)c, &err);
    }
    st = st == DN_OK ? dn_ipc_schema_read(dn_buffer_span(&in), &schema, &err) : st;
    st = st == DN_OK ? dn_ipc_schema_write(&schema, &out, &err) : st;
    if (st != DN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
    } else {
        (void)fwrite(out.data, 1, out.len, stdout);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_buffer_finish(&in);
    dn_buffer_finish(&out);
    return st != DN_OK;
}
