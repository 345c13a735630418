/** What keys a map of a configuration may have, as a table. */
#ifndef DN_JOB_KEYS_H
#define DN_JOB_KEYS_H

#include "job/yaml.h"

/** What a value may be; null counts as absent. */
enum dn_key_kind {
    DN_KEY_TEXT = 1,
    DN_KEY_LIST = 2,
    DN_KEY_MAP = 4,
    DN_KEY_BOOL = 8,
    DN_KEY_INT = 16,
    DN_KEY_ANY = 31
};

struct dn_key_rule {
    const char *key;
    unsigned kinds; /**< enum dn_key_kind, or-ed */
    bool required;
};

/**
 * Check the keys of `map` (which may be NULL or null: an empty map) against `rules`.
 * @param where  What the map is, for messages: "the job", "source".
 * @param open   Keys without a rule are accepted, for other tools put theirs here; not those that look like a known key
 *               misspelt, unless that key is there as well.
 * @return DN_OK; DN_ERR_CONFIG with file, line, column, and the known key that comes closest to an unknown one.
 */
DN_NODISCARD enum dn_status dn_keys_check(const struct dn_yaml_doc *doc,
                                          const struct dn_yaml_node *map, const char *where,
                                          const struct dn_key_rule *rules, size_t n_rules,
                                          bool open, struct dn_error *err);

/**
 * Where a document names a file, for a file that cannot be read: its place in front of the message.
 * @param key     The document's key.
 * @param path    Its value.
 * @param st      What reading the file gave; returned.
 */
DN_NODISCARD enum dn_status dn_keys_located(const struct dn_yaml_doc *doc, const char *key,
                                            const char *path, enum dn_status st,
                                            struct dn_error *err);

/** The text of a key; NULL if absent or null.  The caller has checked the kind. */
const char *dn_keys_text(const struct dn_yaml_node *map, const char *key);

#endif
