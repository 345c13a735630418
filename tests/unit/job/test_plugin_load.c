#include "job/elf.h"
#include "job/plugin.h"

#include "base/memory.h"
#include "scratch.h"

#include <dlfcn.h>
#include <elf.h>

/* A shared library that every system with these tests has: the C library this program runs with. */
static const char *libc_path(void)
{
    static char path[1024];
    Dl_info info;
    void *self = NULL;
    size_t (*function)(const char *) = strlen;

    memcpy(&self, &function, sizeof(self));
    assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "qsort"), &info), 0);
    (void)snprintf(path, sizeof(path), "%s", info.dli_fname);
    return path;
}

/* For a symbolic link to it, which qemu-user leaves to the machine's own kernel. */
static const char *libc_link(void)
{
    static char path[2048];
    const char *root = getenv("QEMU_LD_PREFIX");

    (void)snprintf(path, sizeof(path), "%s%s", root != NULL ? root : "", libc_path());
    return path;
}

static bool has(const struct dn_elf_symbols *symbols, const char *name)
{
    for (size_t i = 0; i < symbols->n; i++) {
        if (strcmp(symbols->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_exported_functions(void **state)
{
    struct dn_elf_symbols symbols = {0};
    struct dn_error err;

    (void)state;
    dn_error_clear(&err);
    assert_int_equal(dn_elf_read_file(&symbols, libc_path(), &err), DN_OK);
    assert_true(symbols.n > 100);
    assert_true(has(&symbols, "qsort"));
    assert_false(has(&symbols, "create_reader"));
    assert_false(has(&symbols, "environ")); /* data, not a function */
    dn_elf_finish(&symbols);
    dn_elf_finish(&symbols);
}

static void test_other_files(void **state)
{
    struct dn_elf_symbols symbols = {0};
    struct dn_error err;
    char dir[512];

    (void)state;
    scratch_make(dir);
    dn_error_clear(&err);
    scratch_write(scratch_path(dir, "text.so"), "hello, this is text", 19);
    scratch_write(scratch_path(dir, "empty.so"), "", 0);
    scratch_write(scratch_path(dir, "elf32.so"), "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(dn_elf_read_file(&symbols, scratch_path(dir, "none.so"), &err),
                     DN_ERR_NOT_FOUND);
    assert_int_equal(dn_elf_read_file(&symbols, scratch_path(dir, "text.so"), &err), DN_ERR_DATA);
    assert_int_equal(dn_elf_read_file(&symbols, scratch_path(dir, "empty.so"), &err), DN_ERR_DATA);
    assert_int_equal(dn_elf_read_file(&symbols, dir, &err), DN_ERR_DATA);
    assert_int_equal(dn_elf_read_file(&symbols, scratch_path(dir, "elf32.so"), &err),
                     DN_ERR_UNSUPPORTED);
    scratch_remove(dir);
}

/* A minimal library image: header, sections (null, dynsym, dynstr), symbols, strings. */
struct tiny {
    Elf64_Ehdr header;
    Elf64_Shdr sections[3];
    Elf64_Sym symbols[3];
    char strings[16];
};

static void tiny_init(struct tiny *t)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->header.e_ident, ELFMAG, SELFMAG);
    t->header.e_ident[EI_CLASS] = ELFCLASS64;
    t->header.e_ident[EI_DATA] = ELFDATA2LSB;
    t->header.e_shoff = offsetof(struct tiny, sections);
    t->header.e_shentsize = sizeof(Elf64_Shdr);
    t->header.e_shnum = 3;
    t->sections[1].sh_type = SHT_DYNSYM;
    t->sections[1].sh_offset = offsetof(struct tiny, symbols);
    t->sections[1].sh_size = sizeof(t->symbols);
    t->sections[1].sh_entsize = sizeof(Elf64_Sym);
    t->sections[1].sh_link = 2;
    t->sections[2].sh_type = SHT_STRTAB;
    t->sections[2].sh_offset = offsetof(struct tiny, strings);
    t->sections[2].sh_size = sizeof(t->strings);
    memcpy(t->strings, "\0one\0two", 9);
    for (unsigned i = 1; i < 3; i++) {
        t->symbols[i].st_name = i == 1 ? 1 : 5;
        t->symbols[i].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
        t->symbols[i].st_shndx = 1;
    }
}

static enum dn_status tiny_read(const struct tiny *t, size_t len)
{
    struct dn_elf_symbols symbols = {0};
    struct dn_error err;
    /* an exact heap copy: a read past the end is seen by the address sanitizer */
    uint8_t *copy = dn_malloc(len);

    dn_error_clear(&err);
    memcpy(copy, t, len);
    const enum dn_status st = dn_elf_read(&symbols, "tiny.so", copy, len, &err);
    if (st == DN_OK) {
        assert_int_equal(symbols.n, 2);
        assert_string_equal(symbols.names[0], "one");
        assert_string_equal(symbols.names[1], "two");
    }
    dn_elf_finish(&symbols);
    dn_free(copy);
    return st;
}

static void test_broken_libraries(void **state)
{
    struct tiny t;
    uint64_t seed = 7;

    (void)state;
    tiny_init(&t);
    assert_int_equal(tiny_read(&t, sizeof(t)), DN_OK);
    for (size_t len = 0; len < offsetof(struct tiny, strings) + 9; len++) {
        assert_int_not_equal(tiny_read(&t, len), DN_OK); /* cut anywhere */
    }
    t.symbols[2].st_name = 15; /* its text would not end inside the table */
    memcpy(t.strings + 9, "xxxxxxx", 7);
    assert_int_equal(tiny_read(&t, sizeof(t)), DN_ERR_DATA);
    tiny_init(&t);
    t.header.e_shoff = UINT64_MAX - 10;
    assert_int_equal(tiny_read(&t, sizeof(t)), DN_ERR_DATA);
    tiny_init(&t);
    t.sections[1].sh_size = UINT64_MAX / 2;
    assert_int_equal(tiny_read(&t, sizeof(t)), DN_ERR_DATA);
    tiny_init(&t);
    t.sections[1].sh_link = 77;
    assert_int_equal(tiny_read(&t, sizeof(t)), DN_ERR_DATA);
    for (int round = 0; round < 20000;
         round++) { /* any byte may be anything: no crash, no read outside */
        struct dn_elf_symbols symbols = {0};
        uint8_t bytes[sizeof(t)];
        tiny_init(&t);
        memcpy(bytes, &t, sizeof(t));
        for (int i = 0; i < 3; i++) {
            bytes[16 + scratch_random(&seed) % (sizeof(t) - 16)] = (uint8_t)scratch_random(&seed);
        }
        (void)(dn_elf_read(&symbols, "tiny.so", bytes, sizeof(bytes), NULL) == DN_OK);
        dn_elf_finish(&symbols);
    }
}

static void test_loading(void **state)
{
    struct dn_plugin plugin = {0};
    struct dn_error err;
    char dir[512];

    (void)state;
    scratch_make(dir);
    dn_error_clear(&err);
    assert_int_equal(dn_plugin_load(&plugin, scratch_path(dir, "lib.so"), &err), DN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "library not found"));
    assert_null(strstr(err.message, "dylib")); /* nothing of other systems is looked for ... */
    assert_int_equal(dn_plugin_load(&plugin, scratch_path(dir, "lib"), &err), DN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/lib.so"));
    assert_int_equal(dn_plugin_load(&plugin, "no_such_library.so", &err), DN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "./no_such_library.so"));
    scratch_write(scratch_path(dir, "text.so"), "no library", 10);
    assert_int_equal(dn_plugin_load(&plugin, scratch_path(dir, "text.so"), &err), DN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "cannot be loaded"));

    assert_int_equal(mkfifo(scratch_path(dir, "pipe.so"), 0600), 0); /* which nobody writes to */
    assert_int_equal(dn_plugin_load(&plugin, scratch_path(dir, "pipe.so"), &err), DN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "pipe.so cannot be loaded: it is no file"));

    /* ... but a job may have been written on one: the .so beside its .dylib name */
    assert_int_equal(symlink(libc_link(), scratch_path(dir, "c.so")), 0);
    assert_int_equal(dn_plugin_load(&plugin, scratch_path(dir, "c.dylib"), &err), DN_OK);
    assert_string_equal(plugin.path, scratch_path(dir, "c.so"));
    assert_int_equal(dn_plugin_require(&plugin, "qsort", &err), DN_OK);
    assert_int_equal(dn_plugin_require(&plugin, "create_reader", &err), DN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "symbol create_reader not found in"));
    assert_non_null(strstr(err.message, "it exports "));
    assert_int_equal(dn_plugin_negotiate(&plugin, &err), DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "Level 0"));
    dn_plugin_finish(&plugin);
    assert_int_equal(mkdir(scratch_path(dir, "c"), 0700), 0); /* its sources beside it */
    assert_int_equal(dn_plugin_load(&plugin, scratch_path(dir, "c"), &err), DN_OK);
    assert_string_equal(plugin.path, scratch_path(dir, "c.so"));
    dn_plugin_finish(&plugin);
    scratch_remove(dir);
}

/* A job written on one system names a library that is there under the other one's name. */
static void test_names_of_every_system(void **state)
{
    static const char *const suffixes[] = {".so", ".dylib", ".dll"};
    static const char *const written[] = {"lib.so", "lib.dylib", "lib.dll", "lib"};
    struct dn_error err;
    char dir[512];

    (void)state;
    scratch_make(dir);
    for (size_t s = 0; s < sizeof suffixes / sizeof suffixes[0]; s++) {
        char name[32];
        char there[600];
        (void)snprintf(name, sizeof(name), "lib%s", suffixes[s]);
        (void)snprintf(there, sizeof(there), "%s", scratch_path(dir, name));
        for (size_t w = 0; w < sizeof written / sizeof written[0]; w++) {
            char *found = NULL;
            dn_error_clear(&err);
            assert_int_equal(
                dn_plugin_find_for(suffixes[s], scratch_path(dir, written[w]), &found, &err),
                DN_ERR_NOT_FOUND);
            assert_non_null(strstr(err.message, there)); /* both names are told */
            assert_non_null(strstr(err.message, scratch_path(dir, written[w])));
        }
        scratch_write(there, "x", 1);
        for (size_t w = 0; w < sizeof written / sizeof written[0]; w++) {
            char *found = NULL;
            assert_int_equal(
                dn_plugin_find_for(suffixes[s], scratch_path(dir, written[w]), &found, &err),
                DN_OK);
            assert_string_equal(found, there);
            dn_free(found);
        }
        assert_int_equal(unlink(there), 0);
    }
    scratch_remove(dir);
}

static void test_builtin_search(void **state)
{
    struct dn_plugin plugin = {0};
    struct dn_error err;
    char dir[512];
    char list[1200];

    (void)state;
    scratch_make(dir);
    dn_error_clear(&err);
    (void)snprintf(list, sizeof(list), "/nowhere:%s", dir);
    (void)setenv("DATIVO_PLUGIN_PATH", list, 1);
    assert_int_equal(dn_plugin_load_builtin(&plugin, "libabsent.so", &err), DN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/libabsent.so"));
    assert_non_null(strstr(err.message, "/../plugins/libabsent.so"));
    assert_non_null(strstr(err.message, "/usr/lib/dativo/plugins/libabsent.so"));
    assert_non_null(strstr(err.message, "DATIVO_PLUGIN_PATH"));
    assert_int_equal(symlink(libc_link(), scratch_path(dir, "libabsent.so")), 0);
    assert_int_equal(dn_plugin_load_builtin(&plugin, "libabsent.so", &err), DN_OK);
    dn_plugin_finish(&plugin);
    (void)unsetenv("DATIVO_PLUGIN_PATH");
    scratch_remove(dir);
}

static void test_errors_cross_the_boundary(void **state)
{
    struct dativo_error e;
    struct dn_error err;

    (void)state;
    dn_plugin_error_init(&e);
    assert_int_equal(e.struct_size, sizeof(e));
    assert_int_equal(e.row, -1);
    (void)snprintf(e.message, sizeof(e.message), "said");
    (void)snprintf(e.column, sizeof(e.column), "qty");
    (void)snprintf(e.suggested_type, sizeof(e.suggested_type), "float64");
    e.line = 12;
    e.os_errno = 5;
    assert_int_equal(dn_plugin_error_take(&err, &e, DATIVO_ERR_TYPE, "nothing said"), DN_ERR_TYPE);
    assert_string_equal(err.message, "said");
    assert_string_equal(err.column, "qty");
    assert_string_equal(err.suggested_type, "float64");
    assert_int_equal(err.line, 12);
    assert_int_equal(err.os_errno, 5);
    dn_plugin_error_init(&e);
    assert_int_equal(dn_plugin_error_take(&err, &e, 4711, "nothing said"), DN_ERR_INTERNAL);
    assert_string_equal(err.message, "nothing said");
    assert_int_equal(dn_plugin_error_take(NULL, &e, DATIVO_ERR_IO, ""), DN_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exported_functions),        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_broken_libraries),          cmocka_unit_test(test_loading),
        cmocka_unit_test(test_names_of_every_system),     cmocka_unit_test(test_builtin_search),
        cmocka_unit_test(test_errors_cross_the_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
