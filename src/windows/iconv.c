#include "windows/posix.h"

#include <iconv.h>
#include <stdbool.h>

#include <windows.h>

enum kind {
    KIND_BYTES,
    KIND_UTF8,
    KIND_UTF16,
    KIND_UTF32
};

#define NO_CHARACTER UINT32_MAX
#define BYTE_ORDER_MARK 0xfeffu
#define LAST_CHARACTER 0x10ffffu

struct dn_iconv {
    enum kind kind;
    bool big;       /* the byte with the most weight comes first */
    bool asks_mark; /* the order is that of the mark, if there is one */
    bool at_start;
    uint32_t characters[256]; /* of bytes */
};

/* ---- names ---- */

static const struct {
    const char *name;
    enum kind kind;
    bool big;
    bool asks_mark;
} k_unicode[] = {
    {"UTF-8", KIND_UTF8, false, false},     {"UTF8", KIND_UTF8, false, false},
    {"UTF-16", KIND_UTF16, false, true},    {"UTF16", KIND_UTF16, false, true},
    {"UTF-16LE", KIND_UTF16, false, false}, {"UTF-16BE", KIND_UTF16, true, false},
    {"UTF-32", KIND_UTF32, false, true},    {"UTF32", KIND_UTF32, false, true},
    {"UTF-32LE", KIND_UTF32, false, false}, {"UTF-32BE", KIND_UTF32, true, false},
};

static const struct {
    const char *name;
    UINT page;
} k_pages[] = {
    {"US-ASCII", 20127}, {"ASCII", 20127},  {"LATIN1", 28591},    {"LATIN2", 28592},
    {"LATIN-1", 28591},  {"LATIN9", 28605}, {"L1", 28591},        {"KOI8-R", 20866},
    {"KOI8-U", 21866},   {"ANSI", 1252},    {"MACINTOSH", 10000},
};

static const struct {
    const char *prefix;
    UINT base; /* of what the number behind it is added to */
} k_families[] = {
    {"WINDOWS-", 0},      {"CP", 0},           {"IBM", 0},
    {"ISO-8859-", 28590}, {"ISO8859-", 28590}, {"ISO_8859-", 28590},
};

static UINT page_of(const char *name)
{
    for (size_t i = 0; i < sizeof(k_pages) / sizeof(k_pages[0]); i++) {
        if (_stricmp(name, k_pages[i].name) == 0) {
            return k_pages[i].page;
        }
    }
    for (size_t i = 0; i < sizeof(k_families) / sizeof(k_families[0]); i++) {
        const size_t len = strlen(k_families[i].prefix);
        char *end = NULL;
        if (_strnicmp(name, k_families[i].prefix, len) == 0) {
            const unsigned long number = strtoul(name + len, &end, 10);
            return end != name + len && *end == '\0' && number > 0 && number < 20000
                       ? k_families[i].base + (UINT)number
                       : 0;
        }
    }
    return 0;
}

static bool fill_page(struct dn_iconv *cd, UINT page)
{
    CPINFO info;

    if (page == 0 || !GetCPInfo(page, &info) || info.MaxCharSize != 1) {
        return false;
    }
    const bool is_windows = page >= 1250 && page <= 1258;
    for (unsigned int i = 0; i < 256; i++) {
        const char byte = (char)i;
        wchar_t wide = 0;
        const bool known = MultiByteToWideChar(page, MB_ERR_INVALID_CHARS, &byte, 1, &wide, 1) == 1;
        /* what these pages leave open Windows takes for control characters, and others for no text */
        cd->characters[i] =
            !known || (page == 20127 && i >= 0x80) || (is_windows && i >= 0x80 && wide < 0xa0)
                ? NO_CHARACTER
                : wide;
    }
    return true;
}

iconv_t iconv_open(const char *to, const char *from)
{
    struct dn_iconv *cd = calloc(1, sizeof(*cd));

    if (cd == NULL) {
        errno = ENOMEM;
        return (iconv_t)-1;
    }
    cd->at_start = true;
    for (size_t i = 0; i < sizeof(k_unicode) / sizeof(k_unicode[0]); i++) {
        if (_stricmp(to, "UTF-8") == 0 && _stricmp(from, k_unicode[i].name) == 0) {
            cd->kind = k_unicode[i].kind;
            cd->big = k_unicode[i].big;
            cd->asks_mark = k_unicode[i].asks_mark;
            return cd;
        }
    }
    if (_stricmp(to, "UTF-8") != 0 || !fill_page(cd, page_of(from))) {
        free(cd);
        errno = EINVAL;
        return (iconv_t)-1;
    }
    return cd;
}

int iconv_close(iconv_t cd)
{
    free(cd);
    return 0;
}

/* ---- characters: each returns how many bytes it takes, 0: more are needed, -1: they are none ---- */

static uint32_t unit(const unsigned char *p, int size, bool big)
{
    uint32_t value = 0;

    for (int i = 0; i < size; i++) {
        value |= (uint32_t)p[big ? size - 1 - i : i] << (8 * i);
    }
    return value;
}

static bool is_surrogate(uint32_t c)
{
    return c >= 0xd800 && c <= 0xdfff;
}

static int take_utf8(const unsigned char *p, size_t len, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const int n = p[0] < 0x80   ? 1
                  : p[0] < 0xc2 ? -1
                  : p[0] < 0xe0 ? 2
                  : p[0] < 0xf0 ? 3
                  : p[0] < 0xf5 ? 4
                                : -1;

    if (n < 0) {
        return -1;
    }
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if ((size_t)i >= len) {
            return 0;
        }
        if ((p[i] & 0xc0) != 0x80) {
            return -1;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    *out = c;
    return c < least[n] || is_surrogate(c) || c > LAST_CHARACTER ? -1 : n;
}

static int take_utf16(const unsigned char *p, size_t len, bool big, uint32_t *out)
{
    if (len < 2) {
        return 0;
    }
    const uint32_t high = unit(p, 2, big);
    *out = high;
    if (!is_surrogate(high)) {
        return 2;
    }
    if (high >= 0xdc00) {
        return -1;
    }
    if (len < 4) {
        return 0;
    }
    const uint32_t low = unit(p + 2, 2, big);
    *out = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
    return low >= 0xdc00 && low <= 0xdfff ? 4 : -1;
}

static int take_utf32(const unsigned char *p, size_t len, bool big, uint32_t *out)
{
    if (len < 4) {
        return 0;
    }
    *out = unit(p, 4, big);
    return is_surrogate(*out) || *out > LAST_CHARACTER ? -1 : 4;
}

static int take(const struct dn_iconv *cd, const unsigned char *p, size_t len, uint32_t *out)
{
    switch (cd->kind) {
    case KIND_UTF8:
        return take_utf8(p, len, out);
    case KIND_UTF16:
        return take_utf16(p, len, cd->big, out);
    case KIND_UTF32:
        return take_utf32(p, len, cd->big, out);
    case KIND_BYTES:
    default:
        *out = cd->characters[p[0]];
        return *out == NO_CHARACTER ? -1 : 1;
    }
}

static size_t put(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((0xf00u >> n & 0xf0u) | c);
    return n;
}

/* The mark at the start, of which nothing is made.  True: it was there. */
static bool take_mark(struct dn_iconv *cd, const unsigned char *p, size_t len)
{
    const int size = cd->kind == KIND_UTF16 ? 2 : 4;

    if (len < (size_t)size) {
        return false;
    }
    cd->at_start = false;
    if (unit(p, size, true) == BYTE_ORDER_MARK || unit(p, size, false) == BYTE_ORDER_MARK) {
        cd->big = unit(p, size, true) == BYTE_ORDER_MARK;
        return true;
    }
    cd->big = false;
    return false;
}

size_t iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left)
{
    if (in == NULL || *in == NULL) {
        cd->at_start = true;
        return 0;
    }
    while (*in_left > 0) {
        const unsigned char *p = (const unsigned char *)*in;
        uint32_t c = 0;
        char made[4];
        size_t n_made = 0;
        int n = 0;
        if (cd->at_start && cd->asks_mark && take_mark(cd, p, *in_left)) {
            n = cd->kind == KIND_UTF16 ? 2 : 4;
        } else {
            n = take(cd, p, *in_left, &c);
            n_made = n > 0 ? put(c, made) : 0;
        }
        if (n <= 0) {
            errno = n == 0 ? EINVAL : EILSEQ;
            return (size_t)-1;
        }
        if (n_made > *out_left) {
            errno = E2BIG;
            return (size_t)-1;
        }
        memcpy(*out, made, n_made);
        *out += n_made;
        *out_left -= n_made;
        *in += n;
        *in_left -= (size_t)n;
    }
    return 0;
}
