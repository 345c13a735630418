/** Manual pages, made of the help texts. */
#ifndef DN_CLI_GUIDE_H
#define DN_CLI_GUIDE_H

#include "cli/cli.h"

/**
 * Print a page in man(7) of `help`, whose lines are: paragraphs, headings that end in a colon, rows that are indented, a flag or a word with what
 * it means behind two blanks, and lines that go on with a row, indented further.
 * @param name     of the page, "dativo-native-convert"
 * @param summary  one line
 * @param parts    the text; n_parts of them, NULL: left out
 */
void dn_guide_man(const char *name, const char *summary, const char *const *parts, size_t n_parts);

#endif
