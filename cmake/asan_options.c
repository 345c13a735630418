/*
 * Linked into every program of a build under the address sanitizer.  What a library keeps per thread is not looked for by guessing what
 * lies in front of it: with glibc 2.25 and later the guess reads the allocator's own bytes, and the leak check crashes on some of them.
 */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}
