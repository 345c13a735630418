#include "store/s3/ledger.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/send.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_ENTRY_BYTES 8192
#define FORGOTTEN_SECONDS ((int64_t)30 * 86400)
#define CREATE_SECONDS 180 /* no request to begin an upload is on its way for longer */

struct dn_s3_entry {
    int folder;
    int fd;
    bool none; /* no upload was begun */
    char name[40];
};

/* What an entry says; texts within `text`. */
struct said {
    char text[MOST_ENTRY_BYTES + 1];
    const char *place;
    const char *bucket;
    const char *key;
    const char *id; /* "": not known */
    int64_t begun;
};

/* What is done with each entry; false ends it. */
typedef bool (*visitor)(void *ctx, int folder, const char *name, bool alive,
                        const struct said *said);

static void place_of(const struct dn_s3_client *c, char out[512])
{
    (void)snprintf(out, 512, "%s%s", c->place.given ? c->place.host : "aws",
                   c->place.given ? c->place.base : "");
}

static bool make_folders(char *path, size_t from)
{
    for (char *p = path + from; *p != '\0'; p++) {
        if (*p == '/' && p != path) {
            *p = '\0';
            const bool made = mkdir(path, 0700) == 0 || access(path, X_OK) == 0;
            *p = '/';
            if (!made) {
                return false;
            }
        }
    }
    return mkdir(path, 0700) == 0 || access(path, W_OK) == 0;
}

/* The environment's, or what the system has for this user; NULL: none. */
static const char *home_of(char *room, size_t size)
{
    const char *home = dn_s3_environment("HOME");
    struct passwd entry;
    struct passwd *found = NULL;

    if (home == NULL && getpwuid_r(getuid(), &entry, room, size, &found) == 0 && found != NULL) {
        home = found->pw_dir;
    }
    return home;
}

static int open_folder(bool make)
{
    char room[2048];
    const char *state = dn_s3_environment("XDG_STATE_HOME");
    const char *home = home_of(room, sizeof(room));
    char path[PATH_MAX];
    const bool by_state = state != NULL && state[0] == '/';
    const char *base = by_state ? state : home;

    if (base == NULL || base[0] != '/') {
        return -1;
    }
    const int n = snprintf(path, sizeof(path), "%s%s/dativo-native/uploads", base,
                           by_state ? "" : "/.local/state");
    if (n < 0 || (size_t)n >= sizeof(path) ||
        (make && !make_folders(path, strlen(base) + (by_state ? 0 : 1)))) {
        return -1;
    }
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool next_text(const char **text, const char *end, const char **at)
{
    const char *nul = memchr(*at, '\0', (size_t)(end - *at));

    *text = *at;
    *at = nul != NULL ? nul + 1 : end;
    return nul != NULL;
}

static bool read_entry(int fd, struct said *s)
{
    const ssize_t n = pread(fd, s->text, MOST_ENTRY_BYTES, 0);
    const char *at = s->text;
    const char *end = s->text + (n > 0 ? n : 0);
    const char *begun = NULL;

    s->text[n > 0 ? n : 0] = '\0';
    if (!next_text(&s->place, end, &at) || !next_text(&s->bucket, end, &at) ||
        !next_text(&s->key, end, &at) || !next_text(&begun, end, &at)) {
        return false;
    }
    s->begun = strtoll(begun, NULL, 10);
    if (!next_text(&s->id, end, &at)) {
        s->id = "";
    }
    return true;
}

/* False: not all of them could be looked at. */
static bool each_entry(visitor visit, void *ctx)
{
    const int folder = open_folder(false);
    DIR *dir = folder >= 0 ? fdopendir(folder) : NULL;
    struct said *said = dn_malloc(sizeof(*said));
    const bool is_open = folder < 0 || (dir != NULL && said != NULL);
    bool more = dir != NULL && said != NULL;

    while (more) {
        const struct dirent *item = readdir(dir);
        if (item == NULL) {
            break;
        }
        const int fd =
            item->d_name[0] == '.' && strlen(item->d_name) < 3
                ? -1
                : openat(folder, item->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat info;
        if (fd < 0) {
            continue;
        }
        const bool alive = flock(fd, LOCK_EX | LOCK_NB) != 0;
        const bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
        if (is_file && read_entry(fd, said) && item->d_name[0] != '.') {
            more = visit(ctx, folder, item->d_name, alive, said);
        } else if (is_file && !alive && info.st_mtime + CREATE_SECONDS < dn_s3_now(NULL)) {
            (void)unlinkat(folder, item->d_name, 0); /* its maker was killed over it */
        }
        (void)close(fd);
    }
    dn_free(said);
    if (dir != NULL) {
        (void)closedir(dir);
    } else if (folder >= 0) {
        (void)close(folder);
    }
    return is_open;
}

static bool write_entry(int fd, struct dn_s3_client *c, struct dn_s3_name name)
{
    char place[512];
    char text[MOST_ENTRY_BYTES];

    place_of(c, place);
    const int n = snprintf(text, sizeof(text), "%s%c%s%c%s%c%lld%c", place, 0, name.bucket, 0,
                           name.key, 0, (long long)dn_s3_now(c), 0);
    return n > 0 && (size_t)n < sizeof(text) && write(fd, text, (size_t)n) == n;
}

/* Nobody sees it before it is under its lock and whole. */
static bool open_entry(struct dn_s3_entry *e, struct dn_s3_client *c, struct dn_s3_name name)
{
    char hidden[sizeof(e->name) + 1];
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(e->name, sizeof(e->name), "%ld-%llx", (long)getpid(),
                   (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    (void)snprintf(hidden, sizeof(hidden), ".%s", e->name);
    e->fd = openat(e->folder, hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (e->fd < 0) {
        return false;
    }
    if (flock(e->fd, LOCK_EX | LOCK_NB) != 0 || !write_entry(e->fd, c, name) ||
        renameat(e->folder, hidden, e->folder, e->name) != 0) {
        (void)unlinkat(e->folder, hidden, 0);
        return false;
    }
    return true;
}

struct dn_s3_entry *dn_s3_ledger_begin(struct dn_s3_client *c, struct dn_s3_name name)
{
    struct dn_s3_entry *e = dn_calloc(1, sizeof(*e));

    if (e == NULL) {
        return NULL;
    }
    e->fd = -1;
    e->folder = open_folder(true);
    if (e->folder < 0 || !open_entry(e, c, name)) {
        dn_s3_ledger_end(e, false);
        return NULL;
    }
    return e;
}

void dn_s3_ledger_asked(struct dn_s3_entry *e)
{
    if (e != NULL) {
        e->none = false;
    }
}

void dn_s3_ledger_know(struct dn_s3_entry *e, const char *id)
{
    if (e != NULL) {
        (void)!write(e->fd, id, strlen(id) + 1); /* one that is cut counts as not known */
    }
}

void dn_s3_ledger_refused(struct dn_s3_entry *e)
{
    if (e != NULL) {
        e->none = true;
    }
}

void dn_s3_ledger_end(struct dn_s3_entry *e, bool is_over)
{
    if (e == NULL) {
        return;
    }
    if (is_over || e->none) {
        (void)unlinkat(e->folder, e->name, 0);
    }
    if (e->fd >= 0) {
        (void)close(e->fd); /* and the lock with it */
    }
    if (e->folder >= 0) {
        (void)close(e->folder);
    }
    dn_free(e);
}

struct looking {
    char place[512];
    struct dn_s3_name name;
    const struct dn_s3_entry *own;
    struct dn_s3_living *out;
    enum dn_status st;
};

static bool note_living(void *ctx, int folder, const char *name, bool alive, const struct said *s)
{
    struct looking *l = ctx;
    struct dn_s3_living *out = l->out;

    (void)folder;
    if (!alive || strcmp(s->place, l->place) != 0 || strcmp(s->bucket, l->name.bucket) != 0 ||
        strcmp(s->key, l->name.key) != 0 || (l->own != NULL && strcmp(name, l->own->name) == 0)) {
        return true;
    }
    if (s->id[0] == '\0') {
        out->has_unknown = true;
        return true;
    }
    char **ids = dn_realloc_array(out->ids, out->n_ids + 1, sizeof(*ids));
    if (ids != NULL) {
        out->ids = ids;
        ids[out->n_ids] = dn_strdup(s->id);
    }
    if (ids == NULL || ids[out->n_ids] == NULL) {
        l->st = DN_ERR_MEMORY;
        return false;
    }
    out->n_ids++;
    return true;
}

enum dn_status dn_s3_ledger_living(struct dn_s3_client *c, struct dn_s3_name name,
                                   const struct dn_s3_entry *own, struct dn_s3_living *out,
                                   struct dn_error *err)
{
    struct looking l = {.name = name, .own = own, .out = out, .st = DN_OK};

    *out = (struct dn_s3_living){0};
    place_of(c, l.place);
    if (!each_entry(note_living, &l) ||
        l.st != DN_OK) { /* what seems to be dead would be removed */
        dn_s3_living_finish(out);
        return dn_error_memory(err, out->n_ids);
    }
    return DN_OK;
}

bool dn_s3_living_has(const struct dn_s3_living *l, const char *id)
{
    for (size_t i = 0; i < l->n_ids; i++) {
        if (strcmp(l->ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

void dn_s3_living_finish(struct dn_s3_living *l)
{
    for (size_t i = 0; i < l->n_ids; i++) {
        dn_free(l->ids[i]);
    }
    dn_free(l->ids);
    *l = (struct dn_s3_living){0};
}

struct clearing {
    char place[512];
    const char *bucket;
    struct dn_s3_client *c;
    struct dn_stop *stop;
};

static bool clear_entry(void *ctx, int folder, const char *name, bool alive, const struct said *s)
{
    const struct clearing *cl = ctx;
    const struct dn_s3_name object = {s->bucket, s->key};
    struct dn_s3_entry self; /* is under the lock of this process now, and would seem to be alive */
    /* killed over the request: what was begun then, and has no other process here */
    const struct dn_s3_abandoned lost = {
        .own = &self, .since = s->begun - 2, .until = s->begun + CREATE_SECONDS};
    bool is_over = s->begun + FORGOTTEN_SECONDS < dn_s3_now(cl->c);

    if (alive || strcmp(s->place, cl->place) != 0 || strcmp(s->bucket, cl->bucket) != 0) {
        return true;
    }
    dn_error_copy_text(self.name, sizeof(self.name), name);
    if (!is_over && s->id[0] != '\0') {
        const enum dn_status st = dn_s3_upload_abort(cl->c, object, s->id, cl->stop, NULL);
        is_over = st == DN_OK || st == DN_ERR_NOT_FOUND;
    } else if (!is_over) {
        size_t n = 0;
        const enum dn_status st = dn_s3_abort_uploads(cl->c, object, &lost, &n, cl->stop, NULL);
        /* what is not there yet may still be on its way */
        is_over = st == DN_OK && (n > 0 || lost.until < dn_s3_now(cl->c));
    }
    if (is_over) {
        (void)unlinkat(folder, name, 0);
    }
    return !dn_stop_asked(cl->stop);
}

void dn_s3_ledger_clear(struct dn_s3_client *c, const char *bucket, struct dn_stop *stop)
{
    struct clearing cl = {.bucket = bucket, .c = c, .stop = stop};

    place_of(c, cl.place);
    (void)each_entry(clear_entry,
                     &cl); /* those that are left have another chance with the next client */
}
