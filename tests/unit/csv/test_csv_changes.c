/* Files that change while they are read: the rows of one state of the file, or an error; never a part of them in silence. */
#include "dativo/csv.h"

#include "scratch.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FILE_BYTES ((size_t)6 << 20)
#define ROW "12345,67890\n"

static char dir[512];
static char path[600];
static char *text;
static char told[1024]; /* what the reader had to say besides */

static int setup(void **state)
{
    (void)state;
    scratch_make(dir);
    text = malloc(FILE_BYTES);
    assert_non_null(text);
    memcpy(text, "id,n\n", 5);
    for (size_t i = 5; i < FILE_BYTES; i++) {
        text[i] = ROW[(i - 5) % (sizeof(ROW) - 1)];
    }
    (void)snprintf(path, sizeof(path), "%s", scratch_path(dir, "data.csv"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    free(text);
    return 0;
}

static size_t whole_rows(void)
{
    return (FILE_BYTES - 5) / (sizeof(ROW) - 1);
}

static void on_note(void *ctx, const char *message)
{
    (void)ctx;
    assert_string_equal(told, "");
    (void)snprintf(told, sizeof(told), "%s", message);
}

/* What may happen to the file while its first part was read and the rest was not. */

static void cut(void)
{
    assert_int_equal(truncate(path, FILE_BYTES / 2 + 3), 0);
}

static void write_at(off_t at, const char *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, bytes, n, at), n);
    assert_int_equal(close(fd), 0);
}

static void append(void)
{
    write_at(FILE_BYTES, "\n77777,88888\n", 13);
}

static void write_over(void)
{
    write_at((off_t)FILE_BYTES - 100, "3", 1);
}

static void write_over_and_set_the_time_back(void)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    write_at(20, "3", 1); /* what was read already */
    const struct timespec times[2] = {info.st_atim, info.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void change_its_mode(void)
{
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void write_anew(void)
{
    scratch_write(path, "other,columns\n1,2\n", 18);
}

static void write_anew_and_longer(void)
{
    memcpy(text + 5, "99999", 5);
    scratch_write(path, text, FILE_BYTES);
    memcpy(text + 5, ROW, 5);
    append();
}

static void replace(void)
{
    const char *other = scratch_path(dir, "other.csv");

    scratch_write(other, "other,columns\n1,2\n", 18);
    assert_int_equal(rename(other, path), 0);
}

static void remove_it(void)
{
    assert_int_equal(unlink(path), 0);
}

static void leave_alone(void)
{
}

static size_t read_and(void (*happens)(void), enum dn_status *st, struct dn_error *err)
{
    const char *const paths[] = {path};
    const struct dn_csv_options o = {.struct_size = sizeof(o),
                                     .n_threads = 1,
                                     .block_bytes = 64 << 10,
                                     .memory_budget_bytes = 1 << 20,
                                     .note = on_note};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    size_t rows = 0;
    bool happened = false;

    told[0] = '\0';
    scratch_write(path, text, FILE_BYTES);
    (void)usleep(20000); /* a later time, for file systems whose clock ticks slowly */
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &o, err), DN_OK);
    while ((*st = dn_csv_reader_next(r, &batch, err)) == DN_OK && batch.release != NULL) {
        rows += (size_t)batch.length;
        batch.release(&batch);
        if (!happened) {
            happens();
            happened = true;
        }
    }
    dn_csv_reader_close(r);
    return rows;
}

static void test_an_error_says_that_it_changed(void **state)
{
    static const struct {
        void (*happens)(void);
        const char *says;
    } cases[] = {
        {cut, "it had 6291456 bytes when it was opened and has 3145731 now"},
        {write_over, "it was written to"},
        {write_over_and_set_the_time_back, "and its time was set back"},
        {write_anew, "it had 6291456 bytes when it was opened and has 18 now"},
        {write_anew_and_longer, "it was written anew"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dn_error err;
        enum dn_status st;
        (void)read_and(cases[i].happens, &st, &err);
        assert_int_equal(st, DN_ERR_IO);
        assert_string_equal(err.path, path);
        assert_non_null(strstr(err.message, "changed while it was read"));
        if (strstr(err.message, cases[i].says) == NULL) {
            fail_msg("\"%s\" is not in \"%s\"", cases[i].says, err.message);
        }
        assert_string_equal(told, "");
    }
}

static void test_the_rows_of_when_it_was_opened(void **state)
{
    static const struct {
        void (*happens)(void);
        const char *says;
    } cases[] = {
        {leave_alone, ""},
        {change_its_mode, ""},
        {append, "grew while it was read"},
        {replace, "was replaced or removed"},
        {remove_it, "was replaced or removed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dn_error err;
        enum dn_status st;
        const size_t rows = read_and(cases[i].happens, &st, &err);
        assert_int_equal(st, DN_OK);
        assert_int_equal(rows, whole_rows() + ((FILE_BYTES - 5) % (sizeof(ROW) - 1) > 6));
        assert_true(cases[i].says[0] == '\0' ? told[0] == '\0' : strstr(told, path) == told);
        assert_non_null(strstr(told, cases[i].says));
    }
}

/* A line is counted in the file that was read, or not at all. */

static void test_no_line_of_another_file(void **state)
{
    struct dn_error err;
    enum dn_status st;

    (void)state;
    memcpy(text + FILE_BYTES - 500, ",,,,", 4);
    (void)read_and(leave_alone, &st, &err);
    assert_int_equal(st, DN_ERR_DATA);
    assert_true(err.line > 1000);
    (void)read_and(replace, &st, &err);
    assert_int_equal(st, DN_ERR_DATA);
    assert_int_equal(err.line, -1);
    assert_true(err.byte_offset > (int64_t)FILE_BYTES - 600);
    for (size_t i = FILE_BYTES - 500; i < FILE_BYTES - 496; i++) {
        text[i] = ROW[(i - 5) % (sizeof(ROW) - 1)];
    }
}

/* The kernel makes these up as they are read: their sizes and times say nothing. */
static void test_files_of_the_kernel(void **state)
{
    static const char *const paths[] = {"/proc/self/status", "/proc/cpuinfo",
                                        "/sys/kernel/mm/transparent_hugepage/enabled"};
    const struct dn_csv_options o = {.struct_size = sizeof(o),
                                     .n_threads = 1,
                                     .delimiter = '\x01',
                                     .no_quote = true,
                                     .inference = DN_CSV_INFER_STRINGS,
                                     .note = on_note};

    (void)state;
    told[0] = '\0';
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct dn_csv_reader *r = NULL;
        struct ArrowArray batch;
        struct dn_error err;
        if (access(paths[i], R_OK) != 0) {
            continue; /* not on every machine */
        }
        assert_int_equal(dn_csv_reader_open(&r, &paths[i], 1, &o, &err), DN_OK);
        enum dn_status st;
        while ((st = dn_csv_reader_next(r, &batch, &err)) == DN_OK && batch.release != NULL) {
            batch.release(&batch);
        }
        assert_int_equal(st, DN_OK);
        dn_csv_reader_close(r);
    }
    assert_string_equal(told, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_says_that_it_changed),
        cmocka_unit_test(test_the_rows_of_when_it_was_opened),
        cmocka_unit_test(test_no_line_of_another_file),
        cmocka_unit_test(test_files_of_the_kernel),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
