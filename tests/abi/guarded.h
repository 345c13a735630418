/** Memory that ends where a struct ends: whoever reads or writes behind it crashes. */
#ifndef DN_TESTS_ABI_GUARDED_H
#define DN_TESTS_ABI_GUARDED_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** The first `size` bytes of `from`, at most a page.  Never freed. */
static inline void *guarded(const void *from, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED && size <= page);
    assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
    memcpy(memory + page - size, from, size);
    return memory + page - size;
}

#endif
