/**
 * Which functions a shared library exports, read from its ELF file without loading it: to say what a plugin has when it
 * lacks what was asked for.  Little-endian ELF64 only; every offset is checked against the file's size.
 */
#ifndef DN_JOB_ELF_H
#define DN_JOB_ELF_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

struct dn_elf_symbols {
    struct dn_arena arena;
    const char **names; /**< of defined, global functions, in the order of the symbol table */
    size_t n;
};

/**
 * Read the dynamic symbol table of a file.
 * @return DN_OK; DN_ERR_NOT_FOUND, DN_ERR_IO; DN_ERR_DATA: not an ELF file, or a broken one; DN_ERR_UNSUPPORTED: an ELF
 *         file of another kind (32 bit, big-endian).
 */
DN_NODISCARD enum dn_status dn_elf_read_file(struct dn_elf_symbols *out, const char *path,
                                             struct dn_error *err);
/** The same from memory. */
DN_NODISCARD enum dn_status dn_elf_read(struct dn_elf_symbols *out, const char *name,
                                        const uint8_t *data, size_t len, struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_elf_finish(struct dn_elf_symbols *symbols);

#endif
