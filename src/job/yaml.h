/**
 * YAML texts as small trees that remember where every node stood.
 *
 * What is read: one document of maps, lists and scalars, block or flow style, comments, anchors and aliases.  What is
 * refused, with file, line and column: duplicate keys, keys that are not scalars, merge keys (`<<`), tags other than the
 * core ones, more than one document, and texts larger or deeper than the limits below.  JSON is YAML and is read too.
 *
 * Threads: a document belongs to one thread at a time.
 */
#ifndef DN_JOB_YAML_H
#define DN_JOB_YAML_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_YAML_MAX_BYTES ((size_t)16 << 20)
#define DN_YAML_MAX_DEPTH 64      /* aliases counted at their full height */
#define DN_YAML_MAX_NODES 1000000 /* with every alias counted at its full size */
#define DN_YAML_MAX_KEYS 4096     /* of one map */

enum dn_yaml_kind {
    DN_YAML_SCALAR = 0,
    DN_YAML_LIST = 1,
    DN_YAML_MAP = 2
};

struct dn_yaml_entry;

/** One node.  Memory belongs to the document.  Lines and columns count from 1. */
struct dn_yaml_node {
    enum dn_yaml_kind kind;
    bool
        plain; /**< scalar: written without quotes, so `true`, `12` and `~` mean more than their text */
    bool expanded;         /**< ${...} in it has been replaced */
    bool from_environment; /**< scalar: it had ${...}, so its text may be a secret */
    const char *
        unset; /**< scalar: a variable that it was nothing but, and that is not set; it counts as absent */
    int64_t line;
    int64_t column;
    const char *text;            /**< scalar: NUL-terminated UTF-8, without NUL bytes inside */
    struct dn_yaml_entry *first; /**< list and map: the children, in the order of the text */
    size_t n;                    /**< how many */
    size_t weight;               /**< nodes in this subtree, aliases counted at their full size */
    size_t height; /**< collections above each other in it, itself counted; scalar: 0 */
};

/** One child of a list (key is NULL) or of a map. */
struct dn_yaml_entry {
    struct dn_yaml_entry *next;
    const char *key;
    int64_t line; /**< of the key */
    int64_t column;
    struct dn_yaml_node *value;
};

struct dn_yaml_doc {
    struct dn_arena arena;
    const char *name; /**< the file's name, for messages */
    struct dn_yaml_node *root;
};

/**
 * Read a file.
 * @param doc  Filled on success only; free with dn_yaml_finish().
 * @return DN_OK; DN_ERR_NOT_FOUND, DN_ERR_IO; DN_ERR_CONFIG with the position: the text is not acceptable.
 */
DN_NODISCARD enum dn_status dn_yaml_read_file(struct dn_yaml_doc *doc, const char *path,
                                              struct dn_error *err);
/** The same from memory; `name` stands for the file in messages. */
DN_NODISCARD enum dn_status dn_yaml_read_text(struct dn_yaml_doc *doc, const char *name,
                                              const char *text, size_t len, struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_yaml_finish(struct dn_yaml_doc *doc);

/** The value of a key; NULL if `map` is NULL, not a map, or lacks it. */
struct dn_yaml_node *dn_yaml_get(const struct dn_yaml_node *map, const char *key);
/** Absent (NULL) or written as nothing, `~` or `null`. */
bool dn_yaml_is_null(const struct dn_yaml_node *node);
/** A plain true or false (YAML 1.2 core forms, and yes/no/on/off, which the stock host's YAML 1.1 reads so). */
bool dn_yaml_as_bool(const struct dn_yaml_node *node, bool *out);
/** A plain decimal integer. */
bool dn_yaml_as_int(const struct dn_yaml_node *node, int64_t *out);
/** "a map", "a list", "text", "null": for messages. */
const char *dn_yaml_kind_name(const struct dn_yaml_node *node);

/** An error DN_ERR_CONFIG at a place of the document: "file:line:column: message". */
enum dn_status dn_yaml_error_at(const struct dn_yaml_doc *doc, int64_t line, int64_t column,
                                struct dn_error *err, const char *format, ...) DN_PRINTF(5, 6);

/**
 * What a message may show of a scalar: its text if it stands in the file, short and plain; else "...", for a password can
 * stand in any place.
 */
const char *dn_yaml_shown(const struct dn_yaml_node *node);

#endif
