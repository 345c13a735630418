#include "job/yaml.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "store/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

/* A collection that is still open, and the anchors seen so far: both die with the parse. */
struct frame {
    struct dn_yaml_node *node;
    struct dn_yaml_entry *last;
    struct dn_yaml_entry *pending; /* map: a key that waits for its value */
};

#define MAX_SHOWN 32 /* bytes of a value in a message */

struct anchor {
    struct anchor *next;
    const char *name;
    struct dn_yaml_node *node;
    bool open; /* its collection is not finished: an alias now would make a cycle */
};

struct builder {
    struct dn_yaml_doc *doc;
    struct frame stack[DN_YAML_MAX_DEPTH];
    size_t depth;
    struct anchor *anchors;
    size_t weight; /* nodes so far, aliases at full size */
    const char *text;
    size_t len;
    struct dn_error *err;
};

enum dn_status dn_yaml_error_at(const struct dn_yaml_doc *doc, int64_t line, int64_t column,
                                struct dn_error *err, const char *format, ...)
{
    char text[800];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    enum dn_status st = dn_error_set(err, DN_ERR_CONFIG, "%s:%" PRId64 ":%" PRId64 ": %s",
                                     doc->name, line, column, text);
    dn_error_locate(err, doc->name, -1, line, -1, NULL);
    return st;
}

static enum dn_status fail_at_mark(struct builder *b, const yaml_mark_t *mark, const char *message)
{
    return dn_yaml_error_at(b->doc, (int64_t)mark->line + 1, (int64_t)mark->column + 1, b->err,
                            "%s", message);
}

/* NULL if memory ran out. */
static struct dn_yaml_node *node_new(struct builder *b, enum dn_yaml_kind kind,
                                     const yaml_mark_t *mark)
{
    struct dn_yaml_node *node = dn_arena_alloc(&b->doc->arena, sizeof *node);

    if (node != NULL) {
        node->kind = kind;
        node->line = (int64_t)mark->line + 1;
        node->column = (int64_t)mark->column + 1;
        node->weight = 1;
    }
    return node;
}

static enum dn_status key_add(struct builder *b, struct frame *f, const char *key,
                              const yaml_mark_t *mark)
{
    if (strcmp(key, "<<") == 0) {
        return fail_at_mark(b, mark, "merge keys (<<) are not supported; write the keys out");
    }
    if (f->node->n >= DN_YAML_MAX_KEYS) {
        return fail_at_mark(b, mark, "too many keys in one map");
    }
    for (const struct dn_yaml_entry *e = f->node->first; e != NULL; e = e->next) {
        if (strcmp(e->key, key) == 0) {
            return dn_yaml_error_at(b->doc, (int64_t)mark->line + 1, (int64_t)mark->column + 1,
                                    b->err, "key \"%s\" is given twice, first in line %" PRId64,
                                    key, e->line);
        }
    }
    struct dn_yaml_entry *e = dn_arena_alloc(&b->doc->arena, sizeof *e);
    if (e == NULL) {
        return dn_error_memory(b->err, sizeof *e);
    }
    e->key = key;
    e->line = (int64_t)mark->line + 1;
    e->column = (int64_t)mark->column + 1;
    f->pending = e;
    return DN_OK;
}

static void entry_link(struct frame *f, struct dn_yaml_entry *e)
{
    if (f->last == NULL) {
        f->node->first = e;
    } else {
        f->last->next = e;
    }
    f->last = e;
    f->node->n++;
}

/* Put a node where the text has it: the root, a list item, a map key or a map value. */
static enum dn_status node_place(struct builder *b, struct dn_yaml_node *node,
                                 const yaml_mark_t *mark)
{
    b->weight += node->weight;
    if (b->weight > DN_YAML_MAX_NODES) {
        return fail_at_mark(b, mark, "the document is too large once its aliases are expanded");
    }
    if (b->depth + node->height > DN_YAML_MAX_DEPTH) { /* an alias brings its own depth */
        return fail_at_mark(b, mark, "the document is nested too deeply");
    }
    if (b->depth == 0) {
        b->doc->root = node;
        return DN_OK;
    }
    struct frame *f = &b->stack[b->depth - 1];
    if (f->node->kind == DN_YAML_MAP) {
        if (f->pending == NULL) {
            if (node->kind != DN_YAML_SCALAR) {
                return fail_at_mark(b, mark, "a key must be a plain text, not a map or a list");
            }
            return key_add(b, f, node->text, mark);
        }
        f->pending->value = node;
        entry_link(f, f->pending);
        f->pending = NULL;
        return DN_OK;
    }
    struct dn_yaml_entry *e = dn_arena_alloc(&b->doc->arena, sizeof *e);
    if (e == NULL) {
        return dn_error_memory(b->err, sizeof *e);
    }
    e->line = node->line;
    e->column = node->column;
    e->value = node;
    entry_link(f, e);
    return DN_OK;
}

static enum dn_status anchor_add(struct builder *b, const yaml_char_t *name,
                                 struct dn_yaml_node *node, bool open)
{
    if (name == NULL) {
        return DN_OK;
    }
    struct anchor *a = dn_arena_alloc(&b->doc->arena, sizeof *a);
    if (a == NULL) {
        return dn_error_memory(b->err, sizeof *a);
    }
    a->name = dn_arena_strdup(&b->doc->arena, (const char *)name);
    if (a->name == NULL) {
        return dn_error_memory(b->err, strlen((const char *)name) + 1);
    }
    a->node = node;
    a->open = open;
    a->next = b->anchors; /* newest first: an anchor may be redefined */
    b->anchors = a;
    return DN_OK;
}

static enum dn_status tag_check(struct builder *b, const yaml_char_t *tag, const yaml_mark_t *mark,
                                const char *core)
{
    if (tag == NULL || strcmp((const char *)tag, "!") == 0 ||
        strcmp((const char *)tag, core) == 0) {
        return DN_OK;
    }
    return dn_yaml_error_at(b->doc, (int64_t)mark->line + 1, (int64_t)mark->column + 1, b->err,
                            "tags are not supported; quote a text that begins with !");
}

static enum dn_status on_scalar(struct builder *b, const yaml_event_t *event)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    const char *value = (const char *)event->data.scalar.value;
    const size_t len = event->data.scalar.length;

    DN_TRY(tag_check(b, tag, &event->start_mark, YAML_STR_TAG));
    if (memchr(value, '\0', len) != NULL) {
        return fail_at_mark(b, &event->start_mark, "a NUL byte in a text is not supported");
    }
    struct dn_yaml_node *node = node_new(b, DN_YAML_SCALAR, &event->start_mark);
    if (node == NULL) {
        return dn_error_memory(b->err, sizeof *node);
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && tag == NULL;
    node->text = dn_arena_strndup(&b->doc->arena, value, len);
    if (node->text == NULL) {
        return dn_error_memory(b->err, len + 1);
    }
    DN_TRY(anchor_add(b, event->data.scalar.anchor, node, false));
    return node_place(b, node, &event->start_mark);
}

static enum dn_status on_alias(struct builder *b, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;

    for (const struct anchor *a = b->anchors; a != NULL; a = a->next) {
        if (strcmp(a->name, name) == 0) {
            if (a->open) {
                return fail_at_mark(b, &event->start_mark, "an alias refers to what it stands in");
            }
            return node_place(b, a->node, &event->start_mark);
        }
    }
    return dn_yaml_error_at(b->doc, (int64_t)event->start_mark.line + 1,
                            (int64_t)event->start_mark.column + 1, b->err,
                            "an alias without an anchor; quote a text that begins with *");
}

static enum dn_status on_start(struct builder *b, const yaml_event_t *event)
{
    const bool map = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *anchor =
        map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;

    DN_TRY(tag_check(b, tag, &event->start_mark, map ? YAML_MAP_TAG : YAML_SEQ_TAG));
    if (b->depth == DN_YAML_MAX_DEPTH) {
        return fail_at_mark(b, &event->start_mark, "the document is nested too deeply");
    }
    struct dn_yaml_node *node = node_new(b, map ? DN_YAML_MAP : DN_YAML_LIST, &event->start_mark);
    if (node == NULL) {
        return dn_error_memory(b->err, sizeof *node);
    }
    DN_TRY(anchor_add(b, anchor, node, true));
    b->stack[b->depth++] = (struct frame){.node = node};
    return DN_OK;
}

static enum dn_status on_end(struct builder *b, const yaml_event_t *event)
{
    struct dn_yaml_node *node = b->stack[--b->depth].node;

    for (const struct dn_yaml_entry *e = node->first; e != NULL; e = e->next) {
        node->weight += e->value->weight;
        node->height = e->value->height > node->height ? e->value->height : node->height;
    }
    node->height++;
    for (struct anchor *a = b->anchors; a != NULL; a = a->next) {
        if (a->node == node) {
            a->open = false;
        }
    }
    b->weight -= node->weight - 1; /* its children were counted when they were placed */
    return node_place(b, node, &event->start_mark);
}

static enum dn_status on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->doc->root != NULL) {
            return fail_at_mark(b, &event->start_mark, "a second document is not supported");
        }
        return DN_OK;
    case YAML_ALIAS_EVENT:
        return on_alias(b, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_start(b, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(b, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    default:
        return DN_OK;
    }
}

/* Does line `line` (from 0) hold the text? */
static bool line_has(const struct builder *b, size_t line, const char *text)
{
    const char *p = b->text;
    const char *end = b->text + b->len;

    for (size_t i = 0; i < line && p < end; i++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline != NULL ? newline + 1 : end;
    }
    const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    return p < end &&
           memmem(p, (size_t)((newline != NULL ? newline : end) - p), text, strlen(text)) != NULL;
}

static enum dn_status syntax_error(struct builder *b, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return dn_error_memory(b->err, 0);
    }
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR) {
        enum dn_status st =
            dn_error_set(b->err, DN_ERR_CONFIG, "%s: byte %zu: %s; the file must be UTF-8",
                         b->doc->name, parser->problem_offset, problem);
        dn_error_locate(b->err, b->doc->name, -1, -1, (int64_t)parser->problem_offset, NULL);
        return st;
    }
    const char *context = parser->context != NULL ? parser->context : "";
    /* two stumbling blocks worth naming */
    const char *advice = line_has(b, parser->problem_mark.line, "${")
                             ? "; inside {} and [] write \"${...}\" with quotes"
                         : line_has(b, parser->problem_mark.line, "\t")
                             ? "; YAML is indented with spaces, not tabs"
                             : "";
    return dn_yaml_error_at(b->doc, (int64_t)parser->problem_mark.line + 1,
                            (int64_t)parser->problem_mark.column + 1, b->err, "%s%s%s%s", problem,
                            context[0] != '\0' ? ", " : "", context, advice);
}

static enum dn_status parse(struct builder *b, const char *text, size_t len)
{
    yaml_parser_t parser;
    enum dn_status st = DN_OK;
    bool done = false;

    if (yaml_parser_initialize(&parser) == 0) {
        return dn_error_memory(b->err, 0);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (!done && st == DN_OK) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            st = syntax_error(b, &parser);
            break;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        st = on_event(b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return st;
}

enum dn_status dn_yaml_read_text(struct dn_yaml_doc *doc, const char *name, const char *text,
                                 size_t len, struct dn_error *err)
{
    struct dn_yaml_doc made = {0};
    enum dn_status st = DN_OK;

    struct builder *b = dn_calloc(1, sizeof *b);
    if (b == NULL) {
        return dn_error_memory(err, sizeof *b);
    }
    b->doc = &made;
    b->text = text;
    b->len = len;
    b->err = err;
    made.name = dn_arena_strdup(&made.arena, name);
    if (made.name == NULL) {
        st = dn_error_memory(err, strlen(name) + 1);
        goto cleanup;
    }
    if (len > DN_YAML_MAX_BYTES) {
        st = dn_error_set(err, DN_ERR_CONFIG,
                          "%s: %zu bytes are more than a configuration file may have (%zu)", name,
                          len, DN_YAML_MAX_BYTES);
        goto cleanup;
    }
    DN_TRY_GOTO(st, parse(b, text, len), cleanup);
    if (made.root == NULL) {
        st = dn_yaml_error_at(&made, 1, 1, err, "the file is empty");
        goto cleanup;
    }
    *doc = made;
    made = (struct dn_yaml_doc){0};
cleanup:
    dn_free(b);
    dn_yaml_finish(&made);
    return st;
}

static enum dn_status read_all(int fd, const char *path, struct dn_buffer *out,
                               struct dn_error *err)
{
    for (;;) {
        DN_TRY(dn_buffer_reserve(out, 65536, err));
        const ssize_t got = read(fd, out->data + out->len, 65536);
        if (got == 0) {
            return DN_OK;
        }
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            if (errno == EAGAIN) { /* a pipe that does not wait */
                (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
                continue;
            }
            const int saved = errno;
            enum dn_status st =
                dn_error_set_errno(err, DN_ERR_IO, saved, "%s: cannot be read", path);
            dn_error_locate(err, path, -1, -1, -1, NULL);
            return st;
        }
        out->len += (size_t)got;
        if (out->len > DN_YAML_MAX_BYTES) {
            return dn_error_set(err, DN_ERR_CONFIG,
                                "%s: larger than a configuration file may be (%zu bytes)", path,
                                DN_YAML_MAX_BYTES);
        }
    }
}

enum dn_status dn_yaml_read_file(struct dn_yaml_doc *doc, const char *path, struct dn_error *err)
{
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;

    int fd = -1;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        const int saved = errno;
        char room[DN_SHOWN_PATH_SIZE];
        path = dn_source_shown_path(room, path); /* an address may hold a password */
        st = dn_error_set_errno(err, saved == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO, saved,
                                "%s: cannot be opened", path);
        dn_error_locate(err, path, -1, -1, -1, NULL);
        return st;
    }
    DN_TRY_GOTO(st, read_all(fd, path, &text, err), cleanup);
    DN_TRY_GOTO(st, dn_yaml_read_text(doc, path, (const char *)text.data, text.len, err), cleanup);
cleanup:
    (void)close(fd);
    dn_buffer_finish(&text);
    dn_error_locate(st == DN_OK ? NULL : err, path, -1, -1, -1, NULL);
    return st;
}

void dn_yaml_finish(struct dn_yaml_doc *doc)
{
    dn_arena_finish(&doc->arena);
    *doc = (struct dn_yaml_doc){0};
}

struct dn_yaml_node *dn_yaml_get(const struct dn_yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != DN_YAML_MAP) {
        return NULL;
    }
    for (const struct dn_yaml_entry *e = map->first; e != NULL; e = e->next) {
        if (strcmp(e->key, key) == 0) {
            return e->value;
        }
    }
    return NULL;
}

bool dn_yaml_is_null(const struct dn_yaml_node *node)
{
    if (node == NULL) {
        return true;
    }
    if (node->kind != DN_YAML_SCALAR || !node->plain) {
        return false;
    }
    return node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
           strcmp(node->text, "null") == 0 || strcmp(node->text, "Null") == 0 ||
           strcmp(node->text, "NULL") == 0;
}

bool dn_yaml_as_bool(const struct dn_yaml_node *node, bool *out)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};

    if (node == NULL || node->kind != DN_YAML_SCALAR || !node->plain) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(node->text, words[i]) == 0) {
            *out = i >= 3;
            return true;
        }
    }
    return false;
}

bool dn_yaml_as_int(const struct dn_yaml_node *node, int64_t *out)
{
    if (node == NULL || node->kind != DN_YAML_SCALAR || !node->plain) {
        return false;
    }
    const char *digits = node->text + (node->text[0] == '-' || node->text[0] == '+' ? 1 : 0);
    const size_t n = strspn(digits, "0123456789");
    if (n == 0 || digits[n] != '\0' || (n > 1 && digits[0] == '0')) {
        return false; /* 007 is an octal to one reader and a text to another: a text here */
    }
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(node->text, &end, 10);
    if (errno != 0 || *end != '\0') {
        return false;
    }
    *out = value;
    return true;
}

const char *dn_yaml_kind_name(const struct dn_yaml_node *node)
{
    if (dn_yaml_is_null(node)) {
        return "nothing";
    }
    switch (node->kind) {
    case DN_YAML_MAP:
        return "a map";
    case DN_YAML_LIST:
        return "a list";
    case DN_YAML_SCALAR:
    default:
        return "a text";
    }
}

const char *dn_yaml_shown(const struct dn_yaml_node *node)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";
    const bool shown = node->kind == DN_YAML_SCALAR && !node->from_environment &&
                       strlen(node->text) <= MAX_SHOWN &&
                       node->text[strspn(node->text, plain)] == '\0';

    return shown ? node->text : "...";
}
