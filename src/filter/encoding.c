#include "filter/encoding.h"

#include <string.h>

/* What iconv(3) does not know by itself; '-' stands for '_', too. */
static const struct {
    const char *given;
    const char *name;
} synonyms[] = {
    {"UTF8", "UTF-8"},
    {"UTF-8-SIG", "UTF-8"},
    {"UTF8-SIG", "UTF-8"},
    {"U8", "UTF-8"},
    {"ASCII", "UTF-8"},
    {"US-ASCII", "UTF-8"},
    {"UTF-16-LE", "UTF-16LE"},
    {"UTF-16-BE", "UTF-16BE"},
    {"UTF16LE", "UTF-16LE"},
    {"UTF16BE", "UTF-16BE"},
    {"UTF16-LE", "UTF-16LE"},
    {"UTF16-BE", "UTF-16BE"},
    {"UTF-32-LE", "UTF-32LE"},
    {"UTF-32-BE", "UTF-32BE"},
    {"UTF32-LE", "UTF-32LE"},
    {"UTF32-BE", "UTF-32BE"},
    {"UTF16", "UTF-16"},
    {"UTF32", "UTF-32"},
    {"LATIN-1", "ISO-8859-1"},
    {"LATIN-9", "ISO-8859-15"},
    {"ANSI", "WINDOWS-1252"},
    {"ISO2022-JP", "ISO-2022-JP"},
    {"ISO2022-JP-2", "ISO-2022-JP-2"},
    {"ISO2022-JP-3", "ISO-2022-JP-3"},
    {"ISO2022-KR", "ISO-2022-KR"},
};

static char capital(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

void dn_encoding_with_dashes(char name[DN_ENCODING_NAME_SIZE])
{
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)(*c == '_' || *c == ' ' ? '-' : *c);
    }
}

const char *dn_encoding_name(char out[DN_ENCODING_NAME_SIZE], const char *given)
{
    char dashed[DN_ENCODING_NAME_SIZE];
    size_t n = 0;

    for (; given[n] != '\0' && n + 1 < DN_ENCODING_NAME_SIZE; n++) {
        out[n] = capital(given[n]);
    }
    out[n] = '\0';
    memcpy(dashed, out, n + 1);
    dn_encoding_with_dashes(dashed);
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
        if (strcmp(dashed, synonyms[i].given) == 0) {
            return synonyms[i].name;
        }
    }
    return strcmp(dashed, "UTF-8") == 0 ? "UTF-8" : out;
}

const char *dn_encoding_of_mark(const uint8_t *head, size_t len)
{
    if (len >= 4 && memcmp(head, "\xff\xfe\0\0", 4) == 0) {
        return "UTF-32LE";
    }
    if (len >= 4 && memcmp(head, "\0\0\xfe\xff", 4) == 0) {
        return "UTF-32BE";
    }
    if (len >= 2 && memcmp(head, "\xff\xfe", 2) == 0) {
        return "UTF-16LE";
    }
    if (len >= 2 && memcmp(head, "\xfe\xff", 2) == 0) {
        return "UTF-16BE";
    }
    return "UTF-8";
}

bool dn_encoding_is_utf8(const char *name)
{
    return strcmp(name, "UTF-8") == 0;
}

static bool ends_with(const char *name, const char *end)
{
    const size_t len = strlen(name);
    const size_t end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

bool dn_encoding_contradicts(const char *name, const uint8_t *head, size_t len)
{
    const char *mark = dn_encoding_of_mark(head, len);

    if (dn_encoding_is_utf8(name)) {
        return false; /* other marks are no UTF-8, which its reader says better */
    }
    if (dn_encoding_is_utf8(mark)) {
        return len >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0;
    }
    const bool wide = strstr(name, "UCS") != NULL || strncmp(name, "UNICODE", 7) == 0;
    const char *order = mark + strlen("UTF-16");
    const char *other = strcmp(order, "LE") == 0 ? "BE" : "LE";

    return (!wide && strncmp(name, mark, strlen("UTF-16")) != 0) || ends_with(name, other);
}

/*
 * A zero beside a byte of ASCII is one of its characters; but U+4E00 and others have a zero, too, on the other side.  What counts are the
 * characters that CSV has between its values, whose mirrors hardly any text has, or most characters being of ASCII.
 */
static size_t count_order(const uint8_t *head, size_t len, size_t zero_at)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < len; i += 2) {
        const uint8_t byte = head[i + 1 - zero_at];
        if (head[i + zero_at] == 0 && byte < 0x80 && byte != 0) {
            n += strchr(",;|\t\r\n\"", byte) != NULL ? len : 1;
        }
    }
    return n;
}

const char *dn_encoding_with_order(const char *name, const uint8_t *head, size_t len)
{
    if (strcmp(name, "UTF-16") != 0 || len < 2 ||
        !dn_encoding_is_utf8(dn_encoding_of_mark(head, len))) {
        return name;
    }
    const size_t most = (len / 2 + 1) / 2;
    const bool big = count_order(head, len, 0) >= most;
    const bool little = count_order(head, len, 1) >= most;
    return big == little ? NULL : big ? "UTF-16BE" : "UTF-16LE";
}
