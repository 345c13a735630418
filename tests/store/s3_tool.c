/*
 * The client of S3 from outside, for the tests: s3_tool [--NAME=VALUE ...] COMMAND ...
 *
 *   head NAME | get NAME FILE [PIECE [THREADS]] | put FILE NAME | upload FILE NAME PART THREADS | list NAME [DELIMITER]
 *   write FILE NAME CHUNK (with --part, --memory, --at-once, --alone)
 *   read NAME FILE CHUNK (with --memory, --at-once)
 *   uploads NAME | abort NAME | delete NAME | keys | fetch ADDRESS FILE [PIECE]
 *   source NAME FILE CHUNK | sink FILE NAME CHUNK | find NAME, by what readers and writers use
 *
 * Exit code: the status (dativo/status.h); the message is on stderr.  SIGTERM asks to stop.
 * --fail-at=N: the N-th allocation fails.  --sweep=yes: all of it again and again, with the first one failing, then the second, until all is
 * well; anything but DN_OK and DN_ERR_MEMORY ends it.
 */
#include "base/memory.h"
#include "store/glob.h"
#include "store/http/pieces.h"
#include "store/http/web.h"
#include "store/s3/client.h"
#include "store/s3/send.h"
#include "store/s3/writer.h"
#include "store/sink.h"
#include "store/source.h"
#include "store/url.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct dn_stop stop;
static struct dn_store_options options;
static struct dn_store_pair metadata[40];
static struct dn_store_pair tags[12];
static bool overwrite = true;
static struct dn_s3_writer_options writing;
static unsigned long fail_at; /* the allocation that fails; 0: none */
static bool sweeping;         /* every one, in turn */
static struct dn_s3_client *client;

static void ask_to_stop(int number)
{
    (void)number;
    dn_stop_ask(&stop);
}

static void add_pair(struct dn_store_pair *pairs, size_t *n, char *text)
{
    char *colon = strchr(text, ':');

    if (colon != NULL) {
        *colon = '\0';
        pairs[(*n)++] = (struct dn_store_pair){text, colon + 1};
    }
}

static enum dn_store_choice choice(const char *text)
{
    return strcmp(text, "yes") == 0 ? DN_STORE_YES : DN_STORE_NO;
}

static bool take_text(const char *name, char *value)
{
    const struct {
        const char *name;
        const char **place;
    } texts[] = {
        {"key-id", &options.access_key_id},
        {"secret", &options.secret_access_key},
        {"token", &options.session_token},
        {"profile", &options.profile},
        {"region", &options.region},
        {"endpoint", &options.endpoint},
        {"ca-file", &options.ca_file},
        {"content-type", &options.content_type},
        {"storage-class", &options.storage_class},
        {"encryption", &options.encryption},
        {"kms-key-id", &options.kms_key_id},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].place = value;
            return true;
        }
    }
    return false;
}

static bool take_option(const char *name, char *value)
{
    if (strcmp(name, "meta") == 0) {
        add_pair(metadata, &options.n_metadata, value);
    } else if (strcmp(name, "tag") == 0) {
        add_pair(tags, &options.n_tags, value);
    } else if (strcmp(name, "path-style") == 0) {
        options.path_style = choice(value);
    } else if (strcmp(name, "secure") == 0) {
        options.secure = choice(value);
    } else if (strcmp(name, "anonymous") == 0) {
        options.anonymous = choice(value) == DN_STORE_YES;
    } else if (strcmp(name, "checksums") == 0) {
        options.no_checksums = choice(value) == DN_STORE_NO;
    } else if (strcmp(name, "overwrite") == 0) {
        overwrite = choice(value) == DN_STORE_YES;
    } else if (strcmp(name, "alone") == 0) {
        writing.alone = choice(value) == DN_STORE_YES;
    } else if (strcmp(name, "part") == 0) {
        writing.part_bytes = strtoul(value, NULL, 10);
    } else if (strcmp(name, "memory") == 0) {
        writing.memory_bytes = strtoul(value, NULL, 10);
    } else if (strcmp(name, "at-once") == 0) {
        writing.most_parts_at_once = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "fail-at") == 0) {
        fail_at = strtoul(value, NULL, 10);
    } else if (strcmp(name, "sweep") == 0) {
        sweeping = choice(value) == DN_STORE_YES;
    } else if (strcmp(name, "tries") == 0) {
        options.retry_most_tries = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "backoff-ms") == 0) {
        options.retry_backoff_ms = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "retry-seconds") == 0) {
        options.retry_seconds = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "stall-seconds") == 0) {
        options.stall_seconds = (uint32_t)strtoul(value, NULL, 10);
    } else {
        return take_text(name, value);
    }
    return true;
}

static enum dn_status file_failed(const char *path, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_INVALID, "%s cannot be used", path);
}

/* A file as memory. */
static enum dn_status map(const char *path, struct dn_span *out, struct dn_error *err)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *data = NULL;

    if (fd < 0 || fstat(fd, &info) != 0) {
        return file_failed(path, err);
    }
    if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            return file_failed(path, err);
        }
    }
    (void)close(fd);
    *out = (struct dn_span){data, (size_t)info.st_size};
    return DN_OK;
}

/* Threads that take piece after piece of one object, until one fails. */
struct transfer {
    struct dn_s3_name name;
    const char *id; /* of an upload; NULL: it is a download */
    struct dn_span body;
    struct dn_s3_part *parts;
    uint8_t *memory;
    const struct dn_s3_object *object;
    size_t piece;
    size_t n_pieces;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock;
    enum dn_status st;
    struct dn_error err;
};

static enum dn_status move_piece(struct transfer *t, size_t i, struct dn_error *err)
{
    const size_t at = i * t->piece;
    const size_t left = t->body.len - at;
    const size_t len = left < t->piece ? left : t->piece;

    if (t->id == NULL) {
        return dn_s3_get(client, t->name, at, len, t->object, t->memory + at, &stop, err);
    }
    return dn_s3_upload_part(client, t->name, t->id, (uint32_t)i + 1,
                             (struct dn_span){t->body.data + at, len}, &t->parts[i], &stop, err);
}

static void *move_pieces(void *arg)
{
    struct transfer *t = arg;

    for (size_t i = atomic_fetch_add(&t->next, 1); i < t->n_pieces && !atomic_load(&t->failed);
         i = atomic_fetch_add(&t->next, 1)) {
        struct dn_error err;
        dn_error_clear(&err);
        const enum dn_status st = move_piece(t, i, &err);
        if (st != DN_OK) {
            pthread_mutex_lock(&t->lock);
            if (!atomic_exchange(&t->failed, true)) {
                t->st = st;
                t->err = err;
            }
            pthread_mutex_unlock(&t->lock);
        }
    }
    return NULL;
}

static enum dn_status move_all(struct transfer *t, size_t piece, size_t n_threads,
                               struct dn_error *err)
{
    pthread_t threads[64];
    size_t n_started = 0;

    t->piece = piece;
    t->n_pieces = (t->body.len + piece - 1) / piece;
    pthread_mutex_init(&t->lock, NULL);
    for (; n_started < n_threads && n_started < 64; n_started++) {
        if (pthread_create(&threads[n_started], NULL, move_pieces, t) != 0) {
            break;
        }
    }
    for (size_t i = 0; i < n_started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (t->st != DN_OK) {
        *err = t->err;
    }
    return t->st;
}

static enum dn_status upload(struct dn_s3_name name, const char *path, size_t part,
                             size_t n_threads, struct dn_error *err)
{
    struct transfer t = {.name = name};
    char *id = NULL;

    DN_TRY(map(path, &t.body, err));
    DN_TRY(dn_s3_upload_create(client, name, &options, NULL, &id, &stop, err));
    t.id = id;
    t.parts = calloc(t.body.len / part + 1, sizeof(*t.parts));
    enum dn_status st = move_all(&t, part, n_threads, err);
    if (st == DN_OK) {
        st = dn_s3_upload_complete(client, name, id, t.parts, t.n_pieces, overwrite, NULL, &stop,
                                   err);
    }
    if (st != DN_OK) { /* whoever asked to stop has to wait for this much */
        (void)!dn_s3_upload_abort(client, name, id, NULL, NULL);
    }
    free(t.parts);
    dn_free(id);
    return st;
}

static enum dn_status download(struct dn_s3_name name, const char *path, size_t piece,
                               size_t n_threads, struct dn_error *err)
{
    struct transfer t = {.name = name};
    struct dn_s3_object object;

    DN_TRY(dn_s3_head(client, name, &stop, &object, err));
    t.object = &object;
    t.body.len = (size_t)object.size;
    t.memory = dn_malloc(t.body.len);
    if (t.memory == NULL) {
        return dn_error_memory(err, t.body.len);
    }
    enum dn_status st = move_all(&t, piece, n_threads, err);
    if (st == DN_OK && strcmp(path, "null:") != 0) {
        FILE *f = fopen(path, "w");
        if (f == NULL || fwrite(t.memory, 1, t.body.len, f) != t.body.len || fclose(f) != 0) {
            st = file_failed(path, err);
        }
    }
    dn_free(t.memory);
    return st;
}

struct object_read {
    struct dn_s3_name name;
    struct dn_s3_object object;
};

static enum dn_status get_piece(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                struct dn_stop *asked, struct dn_error *err)
{
    const struct object_read *r = ctx;

    return dn_s3_get(client, r->name, offset, size, &r->object, out, asked, err);
}

/* In order, as a source would be read. */
static enum dn_status read_object(struct dn_s3_name name, const char *path, size_t chunk,
                                  struct dn_error *err)
{
    struct object_read r = {.name = name};
    struct dn_pieces *p = NULL;
    uint8_t *bytes = malloc(chunk);
    size_t got = 0;

    enum dn_status st = dn_s3_head(client, name, &stop, &r.object, err);
    const struct dn_pieces_options how = {.size = (uint64_t)r.object.size,
                                          .memory_bytes = writing.memory_bytes,
                                          .most_at_once = writing.most_parts_at_once};
    if (st == DN_OK) {
        st = dn_pieces_open(&p, get_piece, &r, &how, &stop, err);
    }
    FILE *f = st == DN_OK ? fopen(path, "w") : NULL;
    while (f != NULL && st == DN_OK) {
        st = dn_pieces_read(p, bytes, chunk, &got, err);
        (void)fwrite(bytes, 1, got, f);
        if (got == 0) {
            break;
        }
    }
    if (f != NULL && (fclose(f) != 0 || st != DN_OK)) {
        (void)unlink(path);
    }
    dn_pieces_close(p);
    free(bytes);
    return st;
}

static void print_items(const struct dn_s3_page *page)
{
    for (size_t i = 0; i < page->n_items; i++) {
        const struct dn_s3_item *item = &page->items[i];
        if (item->upload_id != NULL) {
            printf("%s %s\n", item->key, item->upload_id);
        } else {
            printf("%s %lld %s\n", item->key, (long long)item->size, item->etag);
        }
    }
}

static enum dn_status list(struct dn_s3_name name, const char *delimiter, struct dn_error *err)
{
    struct dn_s3_page page = {0};
    char *from = NULL;
    enum dn_status st = DN_OK;

    do {
        st = dn_s3_list(client, name, delimiter, from, &page, &stop, err);
        print_items(&page);
        dn_free(from);
        from = page.next;
        page.next = NULL;
        dn_s3_page_finish(&page);
    } while (st == DN_OK && from != NULL);
    dn_free(from);
    return st;
}

static enum dn_status uploads(struct dn_s3_name name, bool abort_them, struct dn_error *err)
{
    struct dn_s3_page before = {0};
    enum dn_status st = DN_OK;

    do {
        struct dn_s3_page page = {0};
        st = dn_s3_list_uploads(client, name, &before, &page, &stop, err);
        dn_s3_page_finish(&before);
        for (size_t i = 0; st == DN_OK && abort_them && i < page.n_items; i++) {
            const struct dn_s3_name one = {name.bucket, page.items[i].key};
            st = dn_s3_upload_abort(client, one, page.items[i].upload_id, &stop, err);
        }
        print_items(&page);
        before = page;
    } while (st == DN_OK && before.next != NULL);
    dn_s3_page_finish(&before);
    return st;
}

static enum dn_status put(struct dn_s3_name name, const char *path, struct dn_error *err)
{
    struct dn_span body;

    DN_TRY(map(path, &body, err));
    return dn_s3_put(client, name, body, &options, overwrite, &stop, err);
}

/* In pieces, as a sink would be written to. */
static enum dn_status write_object(struct dn_s3_name name, const char *path, size_t chunk,
                                   struct dn_error *err)
{
    struct dn_span body;
    struct dn_s3_writer *w = NULL;

    DN_TRY(map(path, &body, err));
    writing.attributes = &options;
    writing.overwrite = overwrite;
    DN_TRY(dn_s3_writer_open(&w, client, name, &writing, &stop, err));
    enum dn_status st = DN_OK;
    for (size_t at = 0; at < body.len && st == DN_OK; at += chunk) {
        const size_t left = body.len - at;
        st = dn_s3_writer_write(w, body.data + at, left < chunk ? left : chunk, err);
    }
    if (st == DN_OK) {
        st = dn_s3_writer_finish(w, err);
    }
    if (st == DN_OK) {
        st = dn_s3_writer_commit(w, err);
    }
    dn_s3_writer_close(w);
    return st;
}

static enum dn_status head(struct dn_s3_name name, struct dn_error *err)
{
    struct dn_s3_object object;

    DN_TRY(dn_s3_head(client, name, &stop, &object, err));
    printf("%lld %s %s\n", (long long)object.size, object.etag, object.modified);
    return DN_OK;
}

static enum dn_status show_keys(struct dn_error *err)
{
    struct dn_s3_keys *keys = NULL;

    DN_TRY(dn_s3_chain_get(client->chain, NULL, &stop, &keys, err));
    if (keys == NULL) {
        puts("anonymous");
    } else {
        printf("%s %s %s %lld %s\n", keys->id, keys->secret,
               keys->token != NULL ? keys->token : "-", (long long)keys->expires, keys->source);
    }
    dn_s3_keys_release(keys);
    return DN_OK;
}

/* All of it as a stream, or piece after piece; FILE exists only if all is well. */
static enum dn_status fetch_into(FILE *f, const struct dn_web *w, size_t piece,
                                 struct dn_error *err)
{
    uint8_t *memory = malloc(piece > 0 ? piece : (size_t)1 << 16);
    struct dn_http_call *call = NULL;
    size_t got = 0;
    enum dn_status st = DN_OK;

    if (piece > 0) {
        for (int64_t at = 0; st == DN_OK && at < w->size; at += (int64_t)got) {
            got = (size_t)(w->size - at) < piece ? (size_t)(w->size - at) : piece;
            st = dn_web_get(w, (uint64_t)at, got, memory, &stop, err);
            (void)fwrite(memory, 1, st == DN_OK ? got : 0, f);
        }
    } else {
        st = dn_web_stream(w, 0, &call, &stop, err);
        do {
            if (st == DN_OK) {
                st = dn_http_read(call, &stop, memory, (size_t)1 << 16, &got, err);
                (void)fwrite(memory, 1, got, f);
            }
        } while (st == DN_OK && got > 0);
        dn_http_close(call);
    }
    free(memory);
    return st;
}

static enum dn_status fetch(const struct dn_url *url, const char *path, size_t piece,
                            struct dn_error *err)
{
    struct dn_web w;

    DN_TRY(dn_web_open(&w, url, &options, &stop, err));
    printf("%lld %d %s\n", (long long)w.size, w.has_pieces, w.etag);
    FILE *f = fopen(path, "w");
    enum dn_status st = f != NULL ? fetch_into(f, &w, w.has_pieces ? piece : 0, err) : DN_ERR_IO;
    if (f != NULL && fclose(f) != 0) {
        st = file_failed(path, err);
    }
    if (st != DN_OK) {
        (void)unlink(path);
    }
    dn_web_close(&w);
    return st;
}

/* As a reader does it. */
static enum dn_status read_source(const char *name, const char *path, size_t chunk,
                                  struct dn_error *err)
{
    struct dn_source *s = NULL;
    enum dn_source_change change;
    uint8_t *bytes = malloc(chunk);
    size_t got = chunk;
    enum dn_status st = dn_source_open(&s, name, &options, &stop, err);
    FILE *f = st == DN_OK ? fopen(path, "w") : NULL;

    while (f != NULL && st == DN_OK && got > 0) {
        st = dn_source_read(s, bytes, chunk, &got, err);
        (void)fwrite(bytes, 1, got, f);
    }
    if (st == DN_OK) {
        st = dn_source_check(s, &change, err);
    }
    if (f != NULL && (fclose(f) != 0 || st != DN_OK)) {
        (void)unlink(path);
    }
    dn_source_close(s);
    free(bytes);
    return st;
}

/* As a writer does it. */
static enum dn_status write_sink(const char *path, const char *name, size_t chunk,
                                 struct dn_error *err)
{
    struct dn_span body;
    struct dn_sink *s = NULL;

    DN_TRY(map(path, &body, err));
    DN_TRY(dn_sink_open(&s, name, overwrite, &options, &stop, err));
    enum dn_status st = DN_OK;
    for (size_t at = 0; at < body.len && st == DN_OK; at += chunk) {
        const size_t left = body.len - at;
        st = dn_sink_write(s, body.data + at, left < chunk ? left : chunk, err);
    }
    if (st == DN_OK) {
        st = dn_sink_finish(s, err);
    }
    if (st == DN_OK) {
        st = dn_sink_commit(s, err);
    }
    dn_sink_close(s);
    return st;
}

static enum dn_status find_files(const char *name, struct dn_error *err)
{
    struct dn_file_list files = {0};
    size_t n_left_out = 0;
    enum dn_status st = dn_glob_add(&files, name, &options, &stop, err);

    if (st == DN_OK) {
        st = dn_file_list_once(&files, &n_left_out, err);
    }
    for (size_t i = 0; st == DN_OK && i < files.n; i++) {
        puts(files.names[i]);
    }
    dn_file_list_finish(&files);
    return st;
}

static size_t number(int argc, char **argv, int at, size_t usual)
{
    return at < argc ? strtoull(argv[at], NULL, 10) : usual;
}

static enum dn_status run(int argc, char **argv, struct dn_error *err)
{
    const char *command = argv[0];
    const bool to = strcmp(command, "put") == 0 || strcmp(command, "upload") == 0 ||
                    strcmp(command, "write") == 0;
    struct dn_url url = {0};
    enum dn_status st = DN_OK;

    if (strcmp(command, "keys") == 0) {
        return show_keys(err);
    }
    if (strcmp(command, "source") == 0 && argc == 4) {
        return read_source(argv[1], argv[2], number(argc, argv, 3, 1000), err);
    }
    if (strcmp(command, "sink") == 0 && argc == 4) {
        return write_sink(argv[1], argv[2], number(argc, argv, 3, 1000), err);
    }
    if (strcmp(command, "find") == 0 && argc == 2) {
        return find_files(argv[1], err);
    }
    if (argc < (to ? 3 : 2)) {
        return dn_error_set(err, DN_ERR_INVALID, "%s needs more arguments", command);
    }
    DN_TRY(dn_url_parse(&url, argv[to ? 2 : 1], err));
    const struct dn_s3_name name = {url.bucket, url.key};
    if (url.kind == DN_URL_HTTP && argc > 2) {
        st = fetch(&url, argv[2], number(argc, argv, 3, 0), err);
    } else if (url.kind != DN_URL_S3) {
        st = dn_error_set(err, DN_ERR_INVALID, "%s is no s3:// name", url.shown);
    } else if (strcmp(command, "head") == 0) {
        st = head(name, err);
    } else if (strcmp(command, "get") == 0) {
        st = argc > 2 ? download(name, argv[2], number(argc, argv, 3, (size_t)8 << 20),
                                 number(argc, argv, 4, 2), err)
                      : DN_ERR_INVALID;
    } else if (strcmp(command, "read") == 0) {
        st = argc > 3 ? read_object(name, argv[2], number(argc, argv, 3, 1000), err)
                      : DN_ERR_INVALID;
    } else if (strcmp(command, "put") == 0) {
        st = put(name, argv[1], err);
    } else if (strcmp(command, "upload") == 0) {
        st = upload(name, argv[1], number(argc, argv, 3, (size_t)8 << 20), number(argc, argv, 4, 2),
                    err);
    } else if (strcmp(command, "write") == 0) {
        st = write_object(name, argv[1], number(argc, argv, 3, 1000), err);
    } else if (strcmp(command, "list") == 0) {
        st = list(name, argc > 2 ? argv[2] : NULL, err);
    } else if (strcmp(command, "uploads") == 0 || strcmp(command, "abort") == 0) {
        st = uploads(name, command[0] == 'a', err);
    } else if (strcmp(command, "delete") == 0) {
        st = dn_s3_delete(client, name, &stop, err);
    } else {
        st = dn_error_set(err, DN_ERR_INVALID, "%s is no command", command);
    }
    dn_url_finish(&url);
    return st;
}

static enum dn_status run_with_client(int argc, char **argv, struct dn_error *err)
{
    enum dn_status st = dn_s3_client_open(&client, &options, err);

    if (st == DN_OK) {
        st = run(argc, argv, err);
    }
    dn_s3_client_close(client);
    client = NULL;
    return st;
}

static enum dn_status sweep(int argc, char **argv, struct dn_error *err)
{
    unsigned n_failed = 0;

    for (uint64_t n = 1;; n++) {
        dn_error_clear(err);
        (void)dn_memory_fail_at(n);
        const enum dn_status st = run_with_client(argc, argv, err);
        const uint64_t counted = dn_memory_fail_at(0);
        if (counted < n) {
            printf("swept: %u of %u\n", n_failed, (unsigned)n - 1);
            return st;
        }
        if ((st != DN_OK && st != DN_ERR_MEMORY) || (st != DN_OK && err->message[0] == '\0')) {
            printf("allocation %u\n", (unsigned)n);
            return st;
        }
        n_failed += st != DN_OK ? 1 : 0;
    }
}

int main(int argc, char **argv)
{
    struct dn_error err;
    int at = 1;

    dn_error_clear(&err);
    options.struct_size = sizeof(options);
    options.metadata = metadata;
    options.tags = tags;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        char *value = strchr(argv[at], '=');
        if (value == NULL) {
            break;
        }
        *value = '\0';
        if (!take_option(argv[at] + 2, value + 1)) {
            break;
        }
    }
    if (at >= argc || argv[at][0] == '-') {
        (void)fprintf(stderr, "usage: s3_tool [--NAME=VALUE ...] COMMAND ...\n");
        return DN_ERR_INVALID;
    }
    dn_stop_init(&stop, NULL, NULL);
    (void)signal(SIGTERM, ask_to_stop);
    (void)dn_memory_fail_at(fail_at);
    enum dn_status st =
        sweeping ? sweep(argc - at, argv + at, &err) : run_with_client(argc - at, argv + at, &err);
    if (st != DN_OK) {
        (void)fprintf(stderr, "%s: %s\n", dn_status_name(st), err.message);
    }
    if (fail_at > 0) {
        printf("allocations: %llu\n", (unsigned long long)dn_memory_fail_at(0));
    }
    dn_stop_finish(&stop);
    return (int)st;
}
