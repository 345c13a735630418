#include "job/elf.h"

/* Libraries have another format here, of which nothing is read yet. */
enum dn_status dn_elf_read(struct dn_elf_symbols *out, const char *name, const uint8_t *data,
                           size_t len, struct dn_error *err)
{
    (void)out;
    (void)data;
    (void)len;
    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "%s: which functions a library exports is read on Linux alone", name);
}
