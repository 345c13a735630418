#include "store/s3/profile.h"

#include "base/memory.h"
#include "base/os_memory.h"
#include "base/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_FILE_BYTES ((size_t)1 << 20)

const char *dn_s3_environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

void dn_s3_free_secret(char *text)
{
    if (text != NULL) {
        dn_os_wipe(text, strlen(text));
    }
    dn_free(text);
}

static enum dn_status refuse_file(struct dn_error *err, const char *path, int failure)
{
    const enum dn_status st =
        dn_error_set_errno(err, failure == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO, failure,
                           "'%s', a file for S3's credentials, cannot be read", path);

    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_s3_read_file(const char *path, bool may_miss, struct dn_buffer *out,
                               struct dn_error *err)
{
    enum dn_status st = DN_OK;
    ssize_t n = 0;

    dn_buffer_reset(out);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        return may_miss && missing ? DN_OK : refuse_file(err, path, errno);
    }
    do {
        DN_TRY_GOTO(st, dn_buffer_reserve(out, (size_t)4 << 10, err), cleanup);
        n = read(fd, out->data + out->len, out->capacity - out->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            st = refuse_file(err, path, errno);
            goto cleanup;
        }
        out->len += (size_t)n;
        if (out->len > MOST_FILE_BYTES) {
            st = refuse_file(err, path, EFBIG);
            goto cleanup;
        }
    } while (n != 0);
    out->data[out->len] = '\0'; /* buffers have room for it behind them */
cleanup:
    (void)close(fd);
    return st;
}

/* Where a file is: by a variable, with ~/ as the home, or below the home; NULL in *out: there is no home. */
static enum dn_status find_file(char **out, const char *variable, const char *below_home,
                                struct dn_error *err)
{
    const char *said = dn_s3_environment(variable);
    const char *home = dn_s3_environment("HOME");
    struct dn_buffer path = {0};
    enum dn_status st = DN_OK;

    *out = NULL;
    if (said != NULL && strncmp(said, "~/", 2) != 0) {
        *out = dn_strdup(said);
        return *out != NULL ? DN_OK : dn_error_memory(err, strlen(said) + 1);
    }
    if (home == NULL) {
        return DN_OK;
    }
    st = dn_text_appendf(&path, err, "%s/%s", home, said != NULL ? said + 2 : below_home);
    if (st == DN_OK) {
        *out = dn_text_take(&path);
        st = *out != NULL ? DN_OK : dn_error_memory(err, path.len + 1);
    }
    dn_buffer_finish(&path);
    return st;
}

enum dn_status dn_s3_profile_open(struct dn_s3_profile *p, const char *name, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    if (name == NULL) {
        name = dn_s3_environment("AWS_PROFILE");
    }
    if (name == NULL) {
        name = dn_s3_environment("AWS_DEFAULT_PROFILE");
    }
    *p = (struct dn_s3_profile){.asked_for = name != NULL};
    p->name = dn_strdup(name != NULL ? name : "default");
    if (p->name == NULL) {
        return dn_error_memory(err, 8);
    }
    DN_TRY_GOTO(
        st, find_file(&p->credentials_path, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", err),
        cleanup);
    DN_TRY_GOTO(st, find_file(&p->config_path, "AWS_CONFIG_FILE", ".aws/config", err), cleanup);
    if (p->credentials_path != NULL) {
        DN_TRY_GOTO(st, dn_s3_read_file(p->credentials_path, true, &p->credentials, err), cleanup);
    }
    if (p->config_path != NULL) {
        DN_TRY_GOTO(st, dn_s3_read_file(p->config_path, true, &p->config, err), cleanup);
    }
cleanup:
    if (st != DN_OK) {
        dn_s3_profile_close(p);
    }
    return st;
}

static void finish_secret(struct dn_buffer *b)
{
    if (b->data != NULL) {
        dn_os_wipe(b->data, b->capacity);
    }
    dn_buffer_finish(b);
}

void dn_s3_profile_close(struct dn_s3_profile *p)
{
    dn_free(p->name);
    dn_free(p->credentials_path);
    dn_free(p->config_path);
    finish_secret(&p->credentials);
    finish_secret(&p->config);
    *p = (struct dn_s3_profile){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A part of a text without the blanks around it. */
struct word {
    const char *text;
    size_t len;
};

static struct word trimmed(const char *text, size_t len)
{
    while (len > 0 && is_blank(*text)) {
        text++;
        len--;
    }
    while (len > 0 && is_blank(text[len - 1])) {
        len--;
    }
    return (struct word){text, len};
}

static bool word_is(struct word w, const char *text)
{
    return w.len == strlen(text) && memcmp(w.text, text, w.len) == 0;
}

/* "[name]"; in the file of configuration "[profile name]", but "[default]". */
static bool is_section_of(const char *line, size_t len, const char *name, bool config)
{
    const char *end = memchr(line, ']', len);
    struct word w = {0};

    if (end == NULL) {
        return false;
    }
    w = trimmed(line + 1, (size_t)(end - line) - 1);
    if (config && w.len > 8 && memcmp(w.text, "profile", 7) == 0 && is_blank(w.text[7])) {
        w = trimmed(w.text + 8, w.len - 8);
        return word_is(w, name);
    }
    return word_is(w, name) && (!config || strcmp(name, "default") == 0);
}

/* The value of a key in a section; with key NULL whether there is the section.  Indented lines belong to the value above them. */
static bool find(const struct dn_buffer *file, bool config, const char *name, const char *key,
                 struct word *out)
{
    const char *line = (const char *)file->data;
    bool inside = false;

    while (file->len > 0 && *line != '\0') {
        const size_t len = strcspn(line, "\n");
        const char *equals = memchr(line, '=', len);
        if (line[0] == '[') {
            inside = is_section_of(line, len, name, config);
            if (inside && key == NULL) {
                return true;
            }
        } else if (inside && key != NULL && equals != NULL && !is_blank(line[0]) &&
                   line[0] != '#' && line[0] != ';' &&
                   word_is(trimmed(line, (size_t)(equals - line)), key)) {
            *out = trimmed(equals + 1, len - (size_t)(equals - line) - 1);
            return out->len > 0;
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return false;
}

bool dn_s3_profile_exists(const struct dn_s3_profile *p)
{
    return find(&p->credentials, false, p->name, NULL, NULL) ||
           find(&p->config, true, p->name, NULL, NULL);
}

enum dn_status dn_s3_profile_value(const struct dn_s3_profile *p, const char *key, char **out,
                                   struct dn_error *err)
{
    struct word w = {0};

    *out = NULL;
    if (!find(&p->credentials, false, p->name, key, &w) &&
        !find(&p->config, true, p->name, key, &w)) {
        return DN_OK;
    }
    *out = dn_strndup(w.text, w.len);
    return *out != NULL ? DN_OK : dn_error_memory(err, w.len + 1);
}
