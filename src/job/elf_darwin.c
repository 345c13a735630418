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

enum dn_status dn_elf_read_file(struct dn_elf_symbols *out, const char *path, struct dn_error *err)
{
    return dn_elf_read(out, path, NULL, 0, err);
}

void dn_elf_finish(struct dn_elf_symbols *symbols)
{
    dn_arena_finish(&symbols->arena);
    *symbols = (struct dn_elf_symbols){0};
}
