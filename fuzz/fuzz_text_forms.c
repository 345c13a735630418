/*
 * Formats of dates and times, and numbers with other marks.  Any format is compiled or refused in words; any text is rewritten within its
 * room, or is none; a moment that was rewritten and is one comes back from its ISO form; no digit of a number is lost.
 * Input: kind (digits 0 to 2), decimal point, thousands (0: none); the format, up to a line end; the text.
 */
#include "fuzz_target.h"

#include "base/memory.h"
#include "text/moment_format.h"
#include "text/number_form.h"
#include "text/parse.h"

#include <string.h>

#define MOST 4096

static size_t count_digits(const uint8_t *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        n += text[i] >= '0' && text[i] <= '9';
    }
    return n;
}

static void check_number(uint8_t decimal, uint8_t thousands, const uint8_t *text, size_t len)
{
    const struct dn_number_form f = {decimal, thousands != 0, {thousands}};
    uint8_t *out = dn_malloc(len + 1);

    FUZZ_CHECK(out != NULL, "out of memory");
    const size_t n = dn_number_rewrite(&f, text, len, out);
    FUZZ_CHECK(n <= len, "it has %zu bytes", n);
    FUZZ_CHECK(n == 0 || count_digits(out, n) == count_digits(text, len), "digits are lost");
    FUZZ_CHECK(n == 0 || decimal == ',' || memchr(out, ',', n) == NULL || thousands == ',',
               "a comma is left");
    dn_free(out);
}

static void check_moment(const struct dn_moment_format *f, const uint8_t *text, size_t len)
{
    static const char *const iso[] = {"%Y-%m-%d", "%H:%M:%S", "%Y-%m-%dT%H:%M:%S"};
    uint8_t padded[DN_TEXT_PADDING + DN_MOMENT_TEXT + DN_TEXT_PADDING] = {0};
    char *out = (char *)padded + DN_TEXT_PADDING;
    char again[DN_MOMENT_TEXT];
    char problem[DN_MOMENT_PROBLEM_SIZE];
    struct dn_moment_format usual;
    char format[48];

    const size_t n = dn_moment_rewrite(f, text, len, out);
    FUZZ_CHECK(n < DN_MOMENT_TEXT, "it has %zu bytes", n);
    if (n == 0) {
        return;
    }
    const bool fraction = memchr(out, '.', n) != NULL;
    (void)snprintf(format, sizeof format, "%s%s%s", iso[f->kind], fraction ? ".%f" : "",
                   f->zoned ? "%z" : "");
    FUZZ_CHECK(dn_moment_compile(&usual, f->kind, format, problem), "%s", problem);
    const size_t n_again = dn_moment_rewrite(&usual, (const uint8_t *)out, n, again);
    FUZZ_CHECK(n_again == n && memcmp(out, again, n) == 0, "%s is another text as %s", out, format);
    int32_t days = 0;
    int64_t us = 0;
    bool zoned = false;
    if (f->kind == DN_MOMENT_DATE) {
        (void)dn_parse_date32((const uint8_t *)out, n, &days);
    } else if (f->kind == DN_MOMENT_TIMESTAMP &&
               dn_parse_timestamp_us((const uint8_t *)out, n, &us, &zoned)) {
        FUZZ_CHECK(zoned == f->zoned, "%s", out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char format[MOST + 1] = {0};
    char problem[DN_MOMENT_PROBLEM_SIZE] = "";
    struct dn_moment_format f;

    if (size < 4 || size > MOST) {
        return 0;
    }
    const uint8_t *rest = data + 3;
    const uint8_t *end = memchr(rest, '\n', size - 3);
    if (end == NULL) {
        return 0;
    }
    memcpy(format, rest, (size_t)(end - rest));
    const uint8_t *text = end + 1;
    const size_t len = (size_t)(data + size - text);
    if (dn_moment_compile(&f, (enum dn_moment_kind)(data[0] % DN_MOMENT_KINDS), format, problem)) {
        check_moment(&f, text, len);
    } else {
        FUZZ_CHECK(problem[0] != '\0', "refused without a word");
    }
    if (data[1] < '0' || data[1] > '9') {
        check_number(data[1], data[2] == '0' ? 0 : data[2], text, len);
    }
    return 0;
}
