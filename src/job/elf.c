#include "job/elf.h"

#include "base/memory.h"

#include <elf.h>
#include <string.h>

#define MAX_SYMBOLS ((size_t)1 << 20)

/* The file as bytes; every access goes through at(), which knows the size. */
struct image {
    const uint8_t *data;
    size_t len;
};

/* Copy `size` bytes from `offset`: the file gives no alignment.  False if they are not all there. */
static bool at(const struct image *img, uint64_t offset, void *out, size_t size)
{
    if (offset > img->len || img->len - offset < size) {
        return false;
    }
    memcpy(out, img->data + offset, size);
    return true;
}

static bool section(const struct image *img, const Elf64_Ehdr *header, uint64_t index,
                    Elf64_Shdr *out)
{
    if (index >= header->e_shnum || header->e_shentsize != sizeof *out ||
        header->e_shoff > img->len) {
        return false;
    }
    return at(img, header->e_shoff + index * sizeof *out, out, sizeof *out);
}

/* A text of the string table: inside it, and ended inside it. */
static const char *text_at(const struct image *img, const Elf64_Shdr *strings, uint32_t offset)
{
    if (strings->sh_offset > img->len || img->len - strings->sh_offset < strings->sh_size ||
        offset >= strings->sh_size) {
        return NULL;
    }
    const uint8_t *text = img->data + strings->sh_offset + offset;
    return memchr(text, 0, strings->sh_size - offset) != NULL ? (const char *)text : NULL;
}

static bool is_exported_function(const Elf64_Sym *symbol)
{
    const unsigned bind = ELF64_ST_BIND(symbol->st_info);
    const unsigned type = ELF64_ST_TYPE(symbol->st_info);

    return symbol->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK) &&
           (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static enum dn_status table_read(struct dn_elf_symbols *out, const char *name,
                                 const struct image *img, const Elf64_Shdr *table,
                                 const Elf64_Shdr *strings, struct dn_error *err)
{
    const uint64_t n = table->sh_size / sizeof(Elf64_Sym);

    if (table->sh_entsize != sizeof(Elf64_Sym) || n > MAX_SYMBOLS || table->sh_offset > img->len ||
        img->len - table->sh_offset < table->sh_size) {
        return dn_error_set(err, DN_ERR_DATA, "%s: the dynamic symbol table is broken", name);
    }
    out->names = dn_arena_alloc(&out->arena, ((size_t)n + 1) * sizeof out->names[0]);
    if (out->names == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof out->names[0]);
    }
    for (uint64_t i = 0; i < n; i++) {
        Elf64_Sym symbol;
        if (!at(img, table->sh_offset + i * sizeof symbol, &symbol, sizeof symbol)) {
            return dn_error_set(err, DN_ERR_DATA, "%s: the dynamic symbol table is cut short",
                                name);
        }
        if (!is_exported_function(&symbol)) {
            continue;
        }
        const char *text = text_at(img, strings, symbol.st_name);
        if (text == NULL) {
            return dn_error_set(err, DN_ERR_DATA,
                                "%s: a symbol's name lies outside its string table", name);
        }
        out->names[out->n] = dn_arena_strdup(&out->arena, text);
        if (out->names[out->n] == NULL) {
            return dn_error_memory(err, strlen(text) + 1);
        }
        out->n++;
    }
    return DN_OK;
}

static enum dn_status header_check(const struct image *img, const char *name, Elf64_Ehdr *header,
                                   struct dn_error *err)
{
    if (img->len < EI_NIDENT || memcmp(img->data, ELFMAG, SELFMAG) != 0) {
        return dn_error_set(err, DN_ERR_DATA, "%s: not a shared library (no ELF header)", name);
    }
    if (img->data[EI_CLASS] != ELFCLASS64 || img->data[EI_DATA] != ELFDATA2LSB) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s: not a 64-bit little-endian ELF file",
                            name);
    }
    if (!at(img, 0, header, sizeof *header)) {
        return dn_error_set(err, DN_ERR_DATA, "%s: the ELF header is cut short", name);
    }
    return DN_OK;
}

enum dn_status dn_elf_read(struct dn_elf_symbols *out, const char *name, const uint8_t *data,
                           size_t len, struct dn_error *err)
{
    const struct image img = {.data = data, .len = len};
    struct dn_elf_symbols made = {0};
    Elf64_Ehdr header;

    DN_TRY(header_check(&img, name, &header, err));
    for (uint64_t i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr table;
        Elf64_Shdr strings;
        if (!section(&img, &header, i, &table)) {
            return dn_error_set(err, DN_ERR_DATA, "%s: the section table is cut short", name);
        }
        if (table.sh_type != SHT_DYNSYM) {
            continue;
        }
        if (!section(&img, &header, table.sh_link, &strings)) {
            return dn_error_set(err, DN_ERR_DATA, "%s: the dynamic symbol table has no strings",
                                name);
        }
        enum dn_status st = table_read(&made, name, &img, &table, &strings, err);
        if (st != DN_OK) {
            dn_elf_finish(&made);
            return st;
        }
        *out = made;
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA, "%s: no dynamic symbol table", name);
}
