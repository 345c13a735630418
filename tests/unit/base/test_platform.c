/** Clock, CPU detection and the log line. */
#include "base/clock.h"
#include "base/cpu.h"
#include "base/library.h"
#include "base/log.h"

#include "base/os_process.h"
#include "scratch.h"

#include <limits.h>
#include <sys/socket.h>
#include <time.h>

static void test_clocks_advance(void **state)
{
    (void)state;
    double start = dn_clock_seconds();
    double cpu = dn_clock_cpu_seconds();
    struct timespec nap = {.tv_nsec = 20000000};
    volatile uint64_t work = 0;

    assert_int_equal(nanosleep(&nap, NULL), 0);
    double slept = dn_clock_seconds() - start;
    assert_true(slept >= 0.0199 && slept < 20.0);
    for (uint64_t i = 0; i < 3000000; i++) {
        work = work + i;
    }
    assert_true(dn_clock_cpu_seconds() > cpu);
}

static void test_peak_memory_follows_use(void **state)
{
    (void)state;
    const size_t size = (size_t)48 << 20;
    uint64_t before = dn_os_peak_rss_bytes();
    uint8_t *memory = malloc(size);

    assert_true(before > 100000);
    assert_non_null(memory);
    for (size_t i = 0; i < size; i += 4096) {
        ((volatile uint8_t *)memory)[i] = 1;
    }
    uint64_t after = dn_os_peak_rss_bytes();
    free(memory);
    assert_true(after >= (uint64_t)size);
    assert_true(dn_os_peak_rss_bytes() + (1 << 20) >=
                after); /* a peak stays; the kernel counts in lots */
}

static void check_timestamp(const char *text)
{
    static const char form[] = "dddd-dd-dd dd:dd:dd,ddd";

    assert_int_equal(strlen(text), strlen(form));
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd') {
            assert_in_range(text[i], '0', '9');
        } else {
            assert_int_equal(text[i], form[i]);
        }
    }
}

static void test_log_timestamp(void **state)
{
    (void)state;
    char text[32];
    struct tm parsed = {.tm_isdst = -1};

    dn_clock_log_timestamp(text);
    check_timestamp(text);
    assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &parsed));
    double off = difftime(time(NULL), mktime(&parsed)); /* local time */
    assert_true(off > -5 && off < 5);
}

static void test_tier_names(void **state)
{
    (void)state;
    assert_string_equal(dn_cpu_tier_name(DN_CPU_SCALAR), "scalar");
#if defined(__x86_64__)
    assert_string_equal(dn_cpu_tier_name(DN_CPU_AVX2), "avx2");
    assert_string_equal(dn_cpu_tier_name(DN_CPU_AVX512), "avx512");
#elif defined(__aarch64__)
    assert_string_equal(dn_cpu_tier_name(DN_CPU_NEON), "neon");
    assert_string_equal(dn_cpu_tier_name(DN_CPU_PMULL), "pmull");
#endif
    assert_string_equal(dn_cpu_tier_name(DN_CPU_TIER_COUNT), "unknown");
}

static void test_detection_agrees_with_the_compiler(void **state)
{
    (void)state;
    enum dn_cpu_tier wanted = DN_CPU_SCALAR;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
        __builtin_cpu_supports("pclmul")) {
        wanted = DN_CPU_AVX2; /* every CPU with these has LZCNT */
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512vbmi2")) {
            wanted = DN_CPU_AVX512;
        }
    }
#elif defined(__aarch64__)
    uint64_t instructions = 0; /* 4 bits, from the fourth on: 1 for those of AES, 2 with PMULL */
    __asm__("mrs %0, ID_AA64ISAR0_EL1" : "=r"(instructions));
    wanted = (instructions >> 4 & 15) >= 2 ? DN_CPU_PMULL : DN_CPU_NEON;
#endif
    assert_int_equal(dn_cpu_detect(), wanted);
}

static void test_environment_lowers_only(void **state)
{
    (void)state;
    enum dn_cpu_tier best = dn_cpu_detect();

    assert_int_equal(unsetenv("DN_CPU"), 0);
    assert_int_equal(dn_cpu_selected(), best);
    for (int tier = DN_CPU_SCALAR; tier < DN_CPU_TIER_COUNT; tier++) {
        assert_int_equal(setenv("DN_CPU", dn_cpu_tier_name((enum dn_cpu_tier)tier), 1), 0);
        assert_int_equal(dn_cpu_selected(), tier < (int)best ? tier : (int)best);
    }
    assert_int_equal(setenv("DN_CPU", "sse9", 1), 0);
    assert_int_equal(dn_cpu_selected(), best);
    assert_int_equal(setenv("DN_CPU", "", 1), 0);
    assert_int_equal(dn_cpu_selected(), best);
    assert_int_equal(unsetenv("DN_CPU"), 0);
}

/* What one dn_log_json() call writes.  A packet socket shows the borders of the writes. */
static void log_once(char *out, size_t size, const char *level, const char *event,
                     const char *message, const char *extra)
{
    int ends[2];
    int saved = dup(STDERR_FILENO);

    assert_true(saved >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    dn_log_json(level, event, message, extra);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    (void)close(saved);
    (void)close(ends[1]);
    ssize_t n = recv(ends[0], out, size - 1, 0);
    assert_true(n > 0);
    out[n] = '\0';
    assert_int_equal(recv(ends[0], out + n, 1, 0), 0); /* nothing more */
    (void)close(ends[0]);
}

static void test_log_line(void **state)
{
    (void)state;
    char line[4096];
    char timestamp[24];
    static const char start[] = "{\"timestamp\": \"";
    static const char rest[] =
        "\", \"level\": \"WARNING\", \"message\": \"two\\nlines \\\"q\\\"\", "
        "\"event_type\": \"slow_disk\", \"rows\": 4}\n";

    log_once(line, sizeof(line), "WARNING", "slow_disk", "two\nlines \"q\"", "\"rows\": 4");
    assert_memory_equal(line, start, strlen(start));
    memcpy(timestamp, line + strlen(start), 23);
    timestamp[23] = '\0';
    check_timestamp(timestamp);
    assert_string_equal(line + strlen(start) + 23, rest);
    log_once(line, sizeof(line), "INFO", "plain", "m", NULL);
    assert_non_null(strstr(line, "\"event_type\": \"plain\"}\n"));
    log_once(line, sizeof(line), "INFO", "plain", NULL, "");
    assert_non_null(strstr(line, "\"message\": \"\", \"event_type\": \"plain\"}\n"));
}

/* What cannot be looked at may have any. */
static void test_library_texts(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char absent[64];

    (void)snprintf(absent, sizeof absent, "no such %d text", (int)getpid());
    assert_true(dn_os_executable(path, sizeof path));
    assert_true(dn_library_may_have_text(path, "a text that this program has"));
    assert_false(dn_library_may_have_text(path, absent));
    assert_true(dn_library_may_have_text("/nowhere/lib.so", absent));
    assert_true(dn_library_may_have_text("/", absent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_advance),
        cmocka_unit_test(test_peak_memory_follows_use),
        cmocka_unit_test(test_log_timestamp),
        cmocka_unit_test(test_tier_names),
        cmocka_unit_test(test_detection_agrees_with_the_compiler),
        cmocka_unit_test(test_environment_lowers_only),
        cmocka_unit_test(test_log_line),
        cmocka_unit_test(test_library_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
