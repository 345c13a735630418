/* plugin new: a folder that builds, tests itself and runs in a job. */
#include "cli/template.h"

#include "base/memory.h"
#include "base/os_process.h"
#include "base/strings.h"
#include "cli/cli.h"
#include "job/output.h"
#include "job/plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names of C and Rust, and of files. */
static enum dn_status name_check(const char *name, struct dn_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    char shown[DN_ESCAPED_VALUE_SIZE];
    const size_t len = strlen(name);

    if (len > 0 && len <= 64 && strspn(name, letters) > 0 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INVALID,
                        "the name %s must begin with a letter from a to z, and have only those, "
                        "digits and underscores, 64 at most",
                        dn_error_escape_value(shown, name, len));
}

/* The command itself, for the Makefile: where it is now. */
static const char *command_path(char out[PATH_MAX])
{
    return dn_os_executable(out, PATH_MAX) && strpbrk(out, " $#'\"\\") == NULL
               ? out
               : DN_PROGRAM; /* what make would read otherwise */
}

/* A copy of the text with its @WORDS@ filled in. */
static enum dn_status fill_in(const struct dn_new_plugin *p, const char *text, size_t len,
                              struct dn_buffer *out, struct dn_error *err)
{
    char command[PATH_MAX];
    char library[128];
    const char *level0 = p->is_reader ? "create_reader" : "create_writer";
    const struct {
        const char *word;
        const char *value;
    } words[] = {{"@NAME@", p->name},
                 {"@DATIVO@", command_path(command)},
                 {"@LIBRARY@", library},
                 {"@FUNCTION@", p->level == 0 ? level0 : DATIVO_PLUGIN_GET_SYMBOL}};

    (void)snprintf(library, sizeof library,
                   p->is_rust ? "target/release/lib%s.so" : "./lib%s_plugin.so", p->name);
    for (const char *at = text; at < text + len;) {
        size_t step = 0;
        for (size_t i = 0; i < sizeof words / sizeof words[0] && step == 0; i++) {
            const size_t n = strlen(words[i].word);
            if ((size_t)(text + len - at) >= n && memcmp(at, words[i].word, n) == 0) {
                DN_TRY(dn_text_append(out, words[i].value, err));
                step = n;
            }
        }
        if (step == 0) {
            DN_TRY(dn_buffer_append_byte(out, (uint8_t)*at, err));
            step = 1;
        }
        at += step;
    }
    return DN_OK;
}

static enum dn_status file_write(const char *path, const struct dn_buffer *data,
                                 struct dn_error *err)
{
    DN_TRY(dn_output_directories_make(path, err));
    FILE *file = fopen(path, "wx");
    bool written = file != NULL && fwrite(data->data, 1, data->len, file) == data->len;
    int saved = errno;
    if (file != NULL && fclose(file) != 0 && written) {
        saved = errno;
        written = false;
    }
    return written ? DN_OK
                   : dn_error_set_errno(err, DN_ERR_IO, saved, "%s: cannot be written", path);
}

/* A set is one of: a language, what a level of it shares, or a role, a role at a level of it, a role in any language, the headers for C. */
static bool is_wanted(const struct dn_new_plugin *p, const struct dn_template *t)
{
    const char *language = p->is_rust ? "rust" : "c";
    const char *role = p->is_reader ? "reader" : "writer";
    char level[32];
    char both[32];
    char own[32];

    (void)snprintf(level, sizeof level, "%s-level%d", language, p->level);
    (void)snprintf(both, sizeof both, "%s-%s", language, role);
    (void)snprintf(own, sizeof own, "%s-%s-%d", language, role, p->level);
    return strcmp(t->set, language) == 0 || strcmp(t->set, level) == 0 ||
           strcmp(t->set, both) == 0 || strcmp(t->set, own) == 0 || strcmp(t->set, role) == 0 ||
           (strcmp(t->set, "header") == 0 && !p->is_rust);
}

static enum dn_status template_write(const struct dn_new_plugin *p, const struct dn_template *t,
                                     struct dn_error *err)
{
    struct dn_buffer path = {0};
    struct dn_buffer data = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_text_appendf(&path, err, "%s/", p->name), cleanup);
    DN_TRY_GOTO(st, fill_in(p, t->name, strlen(t->name), &path, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&path, 0, err), cleanup);
    DN_TRY_GOTO(st, fill_in(p, t->data, t->len, &data, err), cleanup);
    st = file_write((const char *)path.data, &data, err);
cleanup:
    dn_buffer_finish(&path);
    dn_buffer_finish(&data);
    return st;
}

int dn_template_write(const struct dn_new_plugin *p)
{
    struct dn_error err;

    dn_error_clear(&err);
    enum dn_status st = name_check(p->name, &err);
    if (st == DN_OK && mkdir(p->name, 0777) != 0) {
        const int saved = errno;
        st = dn_error_set_errno(&err, saved == EEXIST ? DN_ERR_EXISTS : DN_ERR_IO, saved,
                                "%s: the folder cannot be made", p->name);
    }
    for (size_t i = 0; st == DN_OK && i < dn_n_templates; i++) {
        if (is_wanted(p, &dn_templates[i])) {
            st = template_write(p, &dn_templates[i], &err);
        }
    }
    if (st != DN_OK) {
        return dn_cli_fail(&err);
    }
    (void)fprintf(stderr, "%s: build it, test it and run it in a job with: make -C %s test run\n",
                  p->name, p->name);
    return DN_EXIT_OK;
}
