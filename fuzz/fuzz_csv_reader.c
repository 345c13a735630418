/*
 * The CSV reader on arbitrary bytes: wherever the blocks are cut, with one thread or two, in batches of any size, the rows, the rows set
 * aside, what is counted and told, or the error, are the same.  The first bytes pick options, the rest is the file, or, with 0x1e between
 * them, the files.
 */
#include "csv_choices.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t block_sizes[] = {1, 3, 64, 100, 1000};
    static const int64_t batch_rows[] = {0, 1, 0, 3, 0};
    struct csv_files files;
    struct csv_outcome whole;
    struct csv_outcome cut;
    struct dn_csv_options options;

    if (size < CSV_CHOICES || size > 100000) {
        return 0;
    }
    csv_files_make(&files, data + CSV_CHOICES, size - CSV_CHOICES);
    csv_choose(&options, data, &whole);
    csv_read(&files, &options, &whole);
    const size_t first = size > 3000 ? 2 : size % 3;
    for (size_t i = first; i < first + 3; i++) {
        csv_choose(&options, data, &cut);
        options.block_bytes = block_sizes[i];
        options.batch_rows = batch_rows[i];
        if (i == 1 || i == 4) {
            options.submit = NULL;
            options.n_threads = 2;
        }
        csv_read(&files, &options, &cut);
        FUZZ_CHECK(csv_same_error(&whole, &cut),
                   "blocks of %zu bytes: status %d/%d row %lld/%lld: %s | %s", block_sizes[i],
                   whole.status, cut.status, (long long)whole.error.row, (long long)cut.error.row,
                   whole.error.message, cut.error.message);
        FUZZ_CHECK(csv_same_outcome(&whole, &cut),
                   "blocks of %zu bytes: status %d, %lld/%lld rows, %lld/%lld aside, advice %s",
                   block_sizes[i], whole.status, (long long)whole.n_rows, (long long)cut.n_rows,
                   (long long)whole.n_aside, (long long)cut.n_aside,
                   whole.advice == cut.advice ? "the same" : "differs");
    }
    csv_files_finish(&files);
    return 0;
}
