#include "cli/guide.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What the last line belongs to: the next one may go on with it. */
enum open_part {
    OPEN_NONE,
    OPEN_TEXT,   /* a paragraph, or what a row means */
    OPEN_EXAMPLE /* lines as they are */
};

struct page {
    enum open_part open;
    bool fresh;      /* behind a heading, which begins a paragraph by itself */
    bool examples;   /* under such a heading */
    bool paragraphs; /* DESCRIPTION has begun */
    bool options;    /* OPTIONS has begun */
};

/* Text as it is: a dash is ASCII's, a backslash no request, and no line begins with a control character. */
static void text_print(const char *text, size_t len)
{
    if (len > 0 && (text[0] == '.' || text[0] == '\'')) {
        (void)fputs("\\&", stdout);
    }
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '\\':
            (void)fputs("\\e", stdout);
            break;
        case '-':
            (void)fputs("\\-", stdout);
            break;
        case '\'':
            (void)fputs("\\(aq", stdout);
            break;
        case '`':
            (void)fputs("\\(ga", stdout);
            break;
        case '~':
            (void)fputs("\\(ti", stdout);
            break;
        case '^':
            (void)fputs("\\(ha", stdout);
            break;
        default:
            (void)putchar(text[i]);
        }
    }
}

static void line_print(const char *text, size_t len)
{
    text_print(text, len);
    (void)putchar('\n');
}

static void example_end(struct page *p)
{
    if (p->open == OPEN_EXAMPLE) {
        (void)puts(".EE");
    }
    p->open = OPEN_NONE;
}

static void paragraph_begin(struct page *p)
{
    if (!p->fresh) {
        (void)puts(".PP");
    }
    p->fresh = false;
}

static void heading_print(struct page *p, const char *line, size_t len)
{
    const bool flags = strncmp(line, "Flags:", 6) == 0;
    const bool part = p->options && !p->examples; /* of the options */

    example_end(p);
    p->fresh = true;
    p->examples = strncmp(line, "Example", 7) == 0;
    if (p->examples) {
        (void)puts(".SH EXAMPLES");
    } else if (flags && !p->options) {
        (void)puts(".SH OPTIONS");
        p->options = true;
    } else {
        (void)fputs(part ? ".SS " : ".SH ", stdout);
        p->options = part;
        line_print(line, len - 1);
    }
}

/* Where a row's head ends: behind a flag and its value, or at two blanks; 0: the line is no row. */
static size_t head_len(const char *row, size_t len)
{
    size_t end = 0;

    while (end + 1 < len && !(row[end] == ' ' && row[end + 1] == ' ')) {
        end++;
    }
    if (end + 1 < len) {
        return end;
    }
    if (row[0] != '-') {
        return 0;
    }
    const char *dashes = memmem(row, len, "--", 2); /* "--columns A,B,... these", with one blank */
    const char *blank = dashes != NULL ? memchr(dashes, ' ', len - (size_t)(dashes - row)) : NULL;
    while (blank != NULL) {
        const size_t at = (size_t)(blank - row);
        const char *next = memchr(blank + 1, ' ', len - at - 1);
        if (next == NULL) {
            return len;
        }
        if (next[-1] != ',') {
            return (size_t)(next - row);
        }
        blank = memchr(next + 1, ' ', len - (size_t)(next - row) - 1); /* one more flag */
    }
    return len;
}

static void row_print(struct page *p, const char *row, size_t len, size_t head)
{
    p->fresh = false;
    (void)fputs(".TP\n.B ", stdout);
    line_print(row, head);
    while (head < len && row[head] == ' ') {
        head++;
    }
    if (head < len) {
        line_print(row + head, len - head);
    }
    p->open = OPEN_TEXT;
}

static void indented_print(struct page *p, const char *line, size_t len)
{
    size_t indent = 0;

    while (indent < len && line[indent] == ' ') {
        indent++;
    }
    const char *row = line + indent;
    const size_t head = head_len(row, len - indent);
    if (p->examples) {
        if (p->open != OPEN_EXAMPLE) {
            paragraph_begin(p);
            (void)puts(".EX");
        }
        line_print(row, len - indent);
        p->open = OPEN_EXAMPLE;
    } else if ((indent <= 2 || row[0] == '-') && indent <= 6 && head > 0) {
        row_print(p, row, len - indent, head);
    } else {
        if (p->open == OPEN_NONE) {
            paragraph_begin(p);
        }
        line_print(row, len - indent);
        p->open = OPEN_TEXT;
    }
}

static void paragraph_print(struct page *p, const char *line, size_t len)
{
    const size_t head = head_len(line, len);

    if (!p->paragraphs) {
        (void)puts(".SH DESCRIPTION");
        p->paragraphs = true;
        p->fresh = true;
    }
    if (head > 0 && line[head + 2] == ' ') { /* a word, three blanks, what it means */
        row_print(p, line, len, head);
        return;
    }
    if (p->open != OPEN_TEXT) {
        example_end(p);
        paragraph_begin(p);
    }
    line_print(line, len);
    p->open = OPEN_TEXT;
}

static void part_print(struct page *p, const char *text)
{
    static const char usage[] = "Usage: ";

    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        const size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
        if (len == 0) {
            example_end(p);
        } else if (strncmp(text, usage, sizeof usage - 1) == 0) {
            (void)fputs(".SH SYNOPSIS\n.B ", stdout);
            line_print(text + sizeof usage - 1, len - (sizeof usage - 1));
        } else if (text[0] == ' ') {
            indented_print(p, text, len);
        } else if (text[len - 1] == ':' && p->open == OPEN_NONE) {
            heading_print(p, text, len);
        } else {
            paragraph_print(p, text, len);
        }
        text += len + (end != NULL ? 1 : 0);
    }
}

void dn_guide_man(const char *name, const char *summary, const char *const *parts, size_t n_parts)
{
    struct page p = {0};

    (void)fputs(".TH ", stdout);
    for (const char *c = name; *c != '\0'; c++) {
        (void)putchar(toupper((unsigned char)*c));
    }
    (void)fputs(" 1 \"\" \"" DN_PROGRAM " " DN_VERSION "\" \"User Commands\"\n.SH NAME\n", stdout);
    text_print(name, strlen(name));
    (void)fputs(" \\- ", stdout);
    line_print(summary, strlen(summary));
    for (size_t i = 0; i < n_parts && parts[i] != NULL; i++) {
        part_print(&p, parts[i]);
    }
    example_end(&p);
}
