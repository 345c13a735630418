#include "windows/names.h"
#include "windows/posix.h"

#include <fnmatch.h>

#include <windows.h>

/* ---- texts ---- */

void *dn_posix_memmem(const void *bytes, size_t len, const void *wanted, size_t n)
{
    const char *p = bytes;
    const char *first = wanted;

    if (n == 0) {
        return (void *)(uintptr_t)p;
    }
    while (len >= n) {
        const char *found = memchr(p, first[0], len - n + 1);
        if (found == NULL) {
            return NULL;
        }
        if (memcmp(found, wanted, n) == 0) {
            return (void *)(uintptr_t)found;
        }
        len -= (size_t)(found - p) + 1;
        p = found + 1;
    }
    return NULL;
}

char *dn_posix_strndup(const char *text, size_t len)
{
    const size_t n = strnlen(text, len);
    char *copy = malloc(n + 1);

    if (copy != NULL) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

char *dn_posix_stpcpy(char *out, const char *text)
{
    const size_t len = strlen(text);

    memcpy(out, text, len + 1);
    return out + len;
}

char *dn_posix_strsep(char **text, const char *separators)
{
    char *start = *text;

    if (start != NULL) {
        char *end = start + strcspn(start, separators);
        *text = *end != '\0' ? end + 1 : NULL;
        *end = '\0';
    }
    return start;
}

int dn_posix_strerror_r(int number, char *out, size_t size)
{
    static const struct {
        int number;
        const char *text;
    } beyond[] = {
        {EDQUOT, "Disk quota exceeded"},
        {ELOOP, "Too many levels of symbolic links"},
        {ENOTSUP, "Operation not supported"},
        {EOPNOTSUPP, "Operation not supported"},
        {EWOULDBLOCK, "Resource temporarily unavailable"},
        {ETIMEDOUT, "Connection timed out"},
        {ECONNREFUSED, "Connection refused"},
        {ECONNRESET, "Connection reset by peer"},
    };

    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        if (beyond[i].number == number) {
            return snprintf(out, size, "%s", beyond[i].text) < (int)size ? 0 : ERANGE;
        }
    }
    return strerror_s(out, size, number);
}

/* ---- numbers ---- */

locale_t dn_posix_newlocale(int mask, const char *name, locale_t base)
{
    static const char any = 0;

    (void)mask;
    (void)name;
    (void)base;
    return (locale_t)(const void *)&any;
}

/* That of mingw-w64 knows no other point than '.', and rounds as it should, which Windows' own does not for every text. */
double dn_posix_strtod_l(const char *text, char **end, locale_t locale)
{
    (void)locale;
    return __mingw_strtod(text, end);
}

/* ---- dates ---- */

static bool number(const char **text, int digits, int least, int most, int *out)
{
    int value = 0;
    int n = 0;

    while (n < digits && (*text)[n] >= '0' && (*text)[n] <= '9') {
        value = value * 10 + ((*text)[n] - '0');
        n++;
    }
    *text += n;
    *out = value;
    return n > 0 && value >= least && value <= most;
}

static bool convert(const char **text, char conversion, struct tm *out)
{
    int value = 0;
    bool good = false;

    switch (conversion) {
    case 'Y':
        good = number(text, 4, 0, 9999, &value);
        out->tm_year = value - 1900;
        break;
    case 'm':
        good = number(text, 2, 1, 12, &value);
        out->tm_mon = value - 1;
        break;
    case 'd':
        good = number(text, 2, 1, 31, &out->tm_mday);
        break;
    case 'H':
        good = number(text, 2, 0, 23, &out->tm_hour);
        break;
    case 'M':
        good = number(text, 2, 0, 59, &out->tm_min);
        break;
    case 'S':
        good = number(text, 2, 0, 60, &out->tm_sec);
        break;
    default:
        break;
    }
    return good;
}

char *dn_posix_strptime(const char *text, const char *format, struct tm *out)
{
    for (const char *f = format; *f != '\0'; f++) {
        if (*f != '%') {
            if (*text != *f) {
                return NULL;
            }
            text++;
            continue;
        }
        f++;
        if (*f == 'T' || *f == 'F') {
            text = strptime(text, *f == 'T' ? "%H:%M:%S" : "%Y-%m-%d", out);
            if (text == NULL) {
                return NULL;
            }
        } else if (!convert(&text, *f, out)) {
            return NULL;
        }
    }
    return (char *)(uintptr_t)text;
}

time_t dn_posix_timegm(struct tm *tm)
{
    return _mkgmtime64(tm);
}

/* ---- the environment ---- */

struct value {
    struct value *next;
    char text[];
};
static SRWLOCK values_lock = SRWLOCK_INIT;
static struct value
    *first_value; /* for as long as the process lives: getenv() gives texts that stay */

static const char *interned(const char *text)
{
    const struct value *found = NULL;

    AcquireSRWLockExclusive(&values_lock);
    for (const struct value *v = first_value; v != NULL && found == NULL; v = v->next) {
        found = strcmp(v->text, text) == 0 ? v : NULL;
    }
    if (found == NULL) {
        struct value *fresh = malloc(sizeof(*fresh) + strlen(text) + 1);
        if (fresh != NULL) {
            memcpy(fresh->text, text, strlen(text) + 1);
            fresh->next = first_value;
            first_value = fresh;
            found = fresh;
        }
    }
    ReleaseSRWLockExclusive(&values_lock);
    return found != NULL ? found->text : NULL;
}

char *dn_posix_getenv(const char *name)
{
    wchar_t *wide = dn_windows_wide(AT_FDCWD, name);
    const char *found = NULL;

    if (wide == NULL) {
        return NULL;
    }
    SetLastError(ERROR_SUCCESS);
    const DWORD n = GetEnvironmentVariableW(wide, NULL, 0);
    wchar_t *value = n > 0 ? calloc(n, sizeof(*value)) : NULL;
    char *narrow = value != NULL ? malloc(4 * (size_t)n) : NULL;
    if (narrow != NULL && GetEnvironmentVariableW(wide, value, n) < n &&
        WideCharToMultiByte(CP_UTF8, 0, value, -1, narrow, (int)(4 * n), NULL, NULL) > 0) {
        found = interned(narrow);
    } else if (n == 0 && GetLastError() == ERROR_SUCCESS) {
        found = "";
    }
    free(narrow);
    free(value);
    free(wide);
    return (char *)(uintptr_t)found;
}

int dn_posix_setenv(const char *name, const char *value, int overwrite)
{
    if (!overwrite && getenv(name) != NULL) {
        return 0;
    }
    wchar_t *wide = dn_windows_wide(AT_FDCWD, name);
    wchar_t *wide_value = value[0] != '\0' ? dn_windows_wide(AT_FDCWD, value) : NULL;
    int result = -1;
    if (wide != NULL && (wide_value != NULL || value[0] == '\0')) {
        result = SetEnvironmentVariableW(wide, wide_value != NULL ? wide_value : L"")
                     ? 0
                     : dn_windows_fail(GetLastError());
    }
    free(wide);
    free(wide_value);
    return result;
}

int dn_posix_unsetenv(const char *name)
{
    wchar_t *wide = dn_windows_wide(AT_FDCWD, name);

    if (wide == NULL) {
        return -1;
    }
    (void)SetEnvironmentVariableW(wide, NULL);
    free(wide);
    return 0;
}

/* ---- patterns of names ---- */

static const char *character(const char *text, uint32_t *out)
{
    const unsigned char *p = (const unsigned char *)text;
    const int n = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
    uint32_t value = p[0];

    if (n > 0) {
        value &= 0x3fu >> n;
        for (int i = 1; i <= n; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                *out = p[0];
                return text + 1;
            }
            value = value << 6 | (p[i] & 0x3fu);
        }
    }
    *out = value;
    return text + n + 1;
}

/* The set behind '['; NULL: it never ends, so that '[' means itself. */
static const char *set_has(const char *set, uint32_t wanted, bool *out)
{
    const bool inverted = *set == '!' || *set == '^';
    bool found = false;

    set += inverted ? 1 : 0;
    for (bool first = true; first || *set != ']'; first = false) {
        uint32_t low = 0;
        if (*set == '\0') {
            return NULL;
        }
        set = character(set, &low);
        uint32_t high = low;
        if (set[0] == '-' && set[1] != ']' && set[1] != '\0') {
            set = character(set + 1, &high);
        }
        found = found || (low <= wanted && wanted <= high);
    }
    *out = found != inverted;
    return set + 1;
}

int fnmatch(const char *pattern, const char *text, int flags)
{
    const char *star = NULL; /* the pattern behind the last '*', and where it was tried last */
    const char *tried = NULL;

    (void)flags;
    if (text[0] == '.' && pattern[0] != '.') {
        return FNM_NOMATCH;
    }
    while (*text != '\0' || *pattern != '\0') {
        const char *next_pattern = NULL;
        uint32_t here = 0;
        const char *next_text = *text != '\0' ? character(text, &here) : NULL;
        if (*pattern == '*') {
            star = ++pattern;
            tried = text;
            continue;
        }
        if (next_text != NULL && *pattern == '?') {
            next_pattern = pattern + 1;
        } else if (next_text != NULL && *pattern == '[') {
            bool has = false;
            const char *behind = set_has(pattern + 1, here, &has);
            next_pattern = behind == NULL ? (here == '[' ? pattern + 1 : NULL)
                           : has          ? behind
                                          : NULL;
        } else if (next_text != NULL && *pattern != '\0') {
            uint32_t wanted = 0;
            const char *behind = character(pattern, &wanted);
            next_pattern = wanted == here ? behind : NULL;
        }
        if (next_pattern != NULL) {
            pattern = next_pattern;
            text = next_text;
        } else if (star != NULL && *tried != '\0') {
            uint32_t skipped = 0;
            tried = character(tried, &skipped);
            text = tried;
            pattern = star;
        } else {
            return FNM_NOMATCH;
        }
    }
    return 0;
}
