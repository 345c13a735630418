#include "job/elf.h"

#include <string.h>

#define MOST_NAMES ((uint32_t)1 << 20)

/* A DLL: "Microsoft Portable Executable and Common Object File Format Specification". */
struct image {
    const uint8_t *data;
    size_t len;
    const uint8_t *sections;
    size_t n_sections;
};

static uint32_t number(const uint8_t *p, size_t size)
{
    uint32_t value = 0;

    memcpy(&value, p, size);
    return value;
}

/* `size` bytes at an offset of the file; NULL: it has them not. */
static const uint8_t *at_offset(const struct image *i, uint64_t offset, uint64_t size)
{
    return offset <= i->len && size <= i->len - offset ? i->data + offset : NULL;
}

/* The same at the address where a section is loaded; *room: bytes from there to the section's end. */
static const uint8_t *at_address(const struct image *i, uint32_t address, uint64_t size,
                                 size_t *room)
{
    for (size_t n = 0; n < i->n_sections; n++) {
        const uint8_t *section = i->sections + n * 40;
        const uint32_t start = number(section + 12, 4);
        const uint32_t stored = number(section + 16, 4);
        if (address >= start && address - start < stored) {
            const uint32_t from = address - start;
            if (size > stored - from) {
                return NULL;
            }
            *room = stored - from;
            return at_offset(i, (uint64_t)number(section + 20, 4) + from, stored - from);
        }
    }
    return NULL;
}

static enum dn_status broken(const char *name, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "%s is no DLL for x86-64, or a broken one", name);
}

static enum dn_status read_names(struct dn_elf_symbols *out, const char *name,
                                 const struct image *i, uint32_t exports, struct dn_error *err)
{
    size_t room = 0;
    const uint8_t *directory = at_address(i, exports, 40, &room);
    const uint32_t n = directory != NULL ? number(directory + 24, 4) : 0;

    if (directory == NULL || n > MOST_NAMES) {
        return broken(name, err);
    }
    const uint8_t *names = at_address(i, number(directory + 32, 4), (uint64_t)n * 4, &room);
    if (n > 0 && names == NULL) {
        return broken(name, err);
    }
    out->names = dn_arena_alloc(&out->arena, (n + 1) * sizeof(out->names[0]));
    if (out->names == NULL) {
        return dn_error_memory(err, (n + 1) * sizeof(out->names[0]));
    }
    for (uint32_t k = 0; k < n; k++) {
        const uint8_t *text = at_address(i, number(names + (size_t)k * 4, 4), 1, &room);
        const size_t len = text != NULL ? strnlen((const char *)text, room) : 0;
        if (text == NULL || len == room) {
            return broken(name, err);
        }
        out->names[k] = dn_arena_strndup(&out->arena, (const char *)text, len);
        if (out->names[k] == NULL) {
            return dn_error_memory(err, len + 1);
        }
        out->n++;
    }
    return DN_OK;
}

enum dn_status dn_elf_read(struct dn_elf_symbols *out, const char *name, const uint8_t *data,
                           size_t len, struct dn_error *err)
{
    struct image i = {.data = data, .len = len};

    *out = (struct dn_elf_symbols){0};
    const uint8_t *start = at_offset(&i, 0, 64);
    if (start == NULL || memcmp(start, "MZ", 2) != 0) {
        return broken(name, err);
    }
    const uint32_t header_at = number(start + 60, 4);
    const uint8_t *header = at_offset(&i, header_at, 24 + 120);
    if (header == NULL || memcmp(header, "PE\0\0", 4) != 0) {
        return broken(name, err);
    }
    if (number(header + 4, 2) != 0x8664 || number(header + 24, 2) != 0x20b) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s is a DLL for another processor", name);
    }
    i.n_sections = number(header + 6, 2);
    i.sections =
        at_offset(&i, (uint64_t)header_at + 24 + number(header + 20, 2), i.n_sections * 40);
    if (i.sections == NULL) {
        return broken(name, err);
    }
    const uint32_t exports = number(header + 24 + 112, 4);
    return exports == 0 ? DN_OK : read_names(out, name, &i, exports, err);
}
