/* What to do about a row that is longer than a row may be. */
#include "base/memory.h"
#include "csv/feed.h"

#include <stdio.h>

#define DN_CSV_ROW_ENDLESS INT64_MAX

/* Bytes of the row at `offset`, read again, or of more than a row may have; DN_CSV_ROW_ENDLESS: the file ends in it; -1: unknown. */
static int64_t row_length(const struct dn_csv_feed *f, size_t file, int64_t offset)
{
    const size_t chunk_bytes = (size_t)1 << 20;
    struct dn_source *source = NULL;
    enum dn_csv_state state = DN_CSV_START;
    uint64_t n = 0;
    size_t kept = 0;
    bool ended = false;

    if (dn_text_open_again(&source, f->paths[file], f->text, f->stop, NULL) != DN_OK) {
        return -1;
    }
    uint8_t *chunk = dn_calloc(1, chunk_bytes + DN_BUFFER_PADDING);
    if (chunk != NULL && dn_source_skip(source, (uint64_t)offset, NULL, NULL) != DN_OK) {
        n = DN_CSV_ROW_ENDLESS;
    }
    while (chunk != NULL && !ended && n <= DN_CSV_ROW_AT_MOST) {
        size_t got = 0;
        size_t pos = 0;
        if (dn_source_read(source, chunk + kept, chunk_bytes - kept, &got, NULL) != DN_OK) {
            n = DN_CSV_ROW_ENDLESS;
            break;
        }
        /* until all is read, the last bytes may be one with what follows */
        const size_t ahead = got > 0 ? DN_CSV_DELIMITER_MOST : 0;
        kept += got;
        while (pos + ahead < kept && !ended) {
            struct dn_csv_mark m;
            state = dn_csv_step(f->dialect, state, chunk + pos, kept - pos, &m);
            pos += m.n;
            ended = m.row_ends;
        }
        n += pos;
        if (got == 0 && !ended) {
            n = DN_CSV_ROW_ENDLESS;
        }
        kept -= pos;
        memmove(chunk, chunk + pos, kept);
    }
    dn_free(chunk);
    dn_source_close(source);
    return chunk != NULL ? (int64_t)n : -1;
}

const char *dn_csv_long_row_advice(char out[DN_CSV_ADVICE_SIZE], const struct dn_csv_feed *f,
                                   size_t file, int64_t offset)
{
    const int64_t length = row_length(f, file, offset);
    const uint64_t share = (uint64_t)DN_CSV_ROW_SHARE * (f->memory_share > 0 ? f->memory_share : 1);
    const char *what = f->memory_share > 0 ? "--memory" : "the memory budget";

    if (f->max_row_given && length != DN_CSV_ROW_ENDLESS) {
        (void)snprintf(out, DN_CSV_ADVICE_SIZE, "else give the option max_row_size more%s%.0lld%s",
                       length < 0 ? "" : ": the row has ", length < 0 ? 0LL : (long long)length,
                       length < 0 ? "" : " bytes");
    } else if (length < 0) {
        (void)snprintf(out, DN_CSV_ADVICE_SIZE,
                       "else raise %s, one part in %llu of which a row may have", what,
                       (unsigned long long)share);
    } else if (length == DN_CSV_ROW_ENDLESS) {
        (void)snprintf(out, DN_CSV_ADVICE_SIZE, "it does not end in this file");
    } else if (length > (int64_t)DN_CSV_ROW_AT_MOST) {
        (void)snprintf(out, DN_CSV_ADVICE_SIZE,
                       "it has more than %zu bytes, the most that a row may have",
                       DN_CSV_ROW_AT_MOST);
    } else {
        const uint64_t needed = ((uint64_t)length * share + 999999) / 1000000 + 1;
        (void)snprintf(out, DN_CSV_ADVICE_SIZE,
                       "else the row has %lld bytes, and %s of %lluMB lets it through",
                       (long long)length, what, (unsigned long long)needed);
    }
    return out;
}
