#include "job/refusal.h"

#include "base/strings.h"
#include "job/local.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* How a message can name an option, the surest first. */
enum naming {
    NAMED_QUOTED, /* unknown option 'delimeter' */
    NAMED_DOTTED, /* engine.options.delimiter must be */
    NAMED_WORD,   /* encoding 'utf-9' is not supported */
    N_NAMINGS
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '_';
}

/* Whether the `len` bytes at `at` stand there as the name of an option. */
static bool is_named(const char *message, const char *at, size_t len, enum naming how)
{
    const char before = at > message ? at[-1] : ' ';
    const char after = at[len];

    switch (how) {
    case NAMED_QUOTED:
        return (before == '\'' || before == '"') && after == before;
    case NAMED_DOTTED:
        return before == '.' && !is_word(after);
    case NAMED_WORD:
    case N_NAMINGS:
    default:
        return !is_word(before) && !is_word(after);
    }
}

static const char *key_find(const char *message, const char *key, enum naming how)
{
    const size_t len = strlen(key);
    const char *at = len > 0 ? strstr(message, key) : NULL;

    while (at != NULL && !is_named(message, at, len, how)) {
        at = strstr(at + 1, key);
    }
    return at;
}

/* The entry that is named first: the next one may be a suggestion. */
static const struct dn_yaml_entry *entry_named(const struct dn_yaml_node *map, const char *message,
                                               enum naming how)
{
    const bool empty = dn_yaml_is_null(map) || map->kind != DN_YAML_MAP;
    const struct dn_yaml_entry *found = NULL;
    const char *first = NULL;

    for (const struct dn_yaml_entry *e = empty ? NULL : map->first; e != NULL; e = e->next) {
        const char *at = key_find(message, e->key, how);
        if (at != NULL && (first == NULL || at < first)) {
            found = e;
            first = at;
        }
    }
    return found;
}

static const struct dn_yaml_entry *entry_find(const struct dn_yaml_node *map, const char *key)
{
    const bool empty = dn_yaml_is_null(map) || map->kind != DN_YAML_MAP;
    const struct dn_yaml_entry *e = empty ? NULL : map->first;

    while (e != NULL && strcmp(e->key, key) != 0) {
        e = e->next;
    }
    return e;
}

/* The option that is wrong: the plugin says which, or, if it does not, its message may; NULL if there is none. */
static const struct dn_yaml_entry *option_find(const struct dn_yaml_node *options,
                                               const struct dn_error *said)
{
    const struct dn_yaml_node *native = dn_yaml_get(options, "native");
    const char *message = said->message;

    if (said->option[0] != '\0') {
        const struct dn_yaml_entry *e = entry_find(options, said->option);
        return e != NULL ? e : entry_find(native, said->option);
    }
    const bool inner = strstr(message, "options.native") != NULL;

    for (int how = NAMED_QUOTED; how < N_NAMINGS; how++) {
        const struct dn_yaml_entry *e =
            entry_named(inner ? native : options, message, (enum naming)how);
        if (e == NULL) {
            e = entry_named(inner ? options : native, message, (enum naming)how);
        }
        if (e != NULL) {
            return e;
        }
    }
    return NULL;
}

/* A map under a name like "native" is more likely that than an option of the plugin. */
static const char *native_advice(const struct dn_yaml_entry *e, const char *message)
{
    static const char *const native[] = {"native"};
    const bool close = e->value->kind == DN_YAML_MAP && strcmp(e->key, "native") != 0 &&
                       dn_text_suggest(e->key, native, 1) != NULL;

    return close && strstr(message, "did you mean") == NULL ? "; did you mean \"native\"?" : "";
}

static const struct dn_yaml_node *options_of(const struct dn_yaml_node *engine)
{
    return dn_yaml_get(engine, "options");
}

/* Does a name of the job stand for what a message calls `text`?  Queries of the web are not in messages. */
static bool stands_for(const char *name, const char *text)
{
    const char *path = NULL;

    if (dn_is_remote(name)) {
        const size_t len = strlen(text);
        return strncmp(name, text, len) == 0 && (name[len] == '\0' || name[len] == '?');
    }
    return dn_local_path(name, &path) && strcmp(path, text) == 0;
}

/* The node under one of the keys whose text is `text`; NULL: there is none. */
static const struct dn_yaml_node *text_find(const struct dn_yaml_node *map, const char *text)
{
    static const char *const keys[] = {"path", "file", "directory", "bucket"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct dn_yaml_node *node = dn_yaml_get(map, keys[i]);
        if (!dn_yaml_is_null(node) && node->kind == DN_YAML_SCALAR &&
            stands_for(node->text, text)) {
            return node;
        }
    }
    return NULL;
}

/* The last part of "schema.table" in a message, or all of it: readers show the name with the schema that they found. */
static bool names_table(const char *message, const char *name)
{
    const char *dot = strrchr(name, '.');

    return strstr(message, name) != NULL ||
           (dot != NULL && dot[1] != '\0' && strstr(message, dot + 1) != NULL);
}

/* The key of the table's entry that the option is of, else the entry; NULL: the error is not about the table. */
static const struct dn_yaml_node *table_find(const struct dn_job_table *t,
                                             const struct dn_error *said)
{
    const struct dn_yaml_node *key = dn_yaml_get(t->at, said->option);
    const bool is_named = t->name != NULL ? names_table(said->message, t->name)
                                          : strcmp(said->option, "query") == 0 ||
                                                strstr(said->message, "query") != NULL;

    return !dn_yaml_is_null(key) ? key : is_named ? t->at : NULL;
}

/* Where a database is said to be, and the key of it that an error is about; NULL: it is about something else. */
static const struct dn_yaml_node *database_find(const struct dn_plan *plan,
                                                const struct dn_error *said)
{
    const struct dn_yaml_node *source = dn_yaml_get(plan->job.root, "source");
    const struct dn_yaml_node *connection = dn_yaml_get(source, "connection");
    const struct dn_yaml_node *const maps[] = {dn_yaml_get(connection, "postgres"), connection,
                                               dn_yaml_get(source, "credentials"), source};

    for (size_t i = 0; said->option[0] != '\0' && i < sizeof maps / sizeof maps[0]; i++) {
        const struct dn_yaml_node *node = dn_yaml_get(maps[i], said->option);
        if (!dn_yaml_is_null(node)) {
            return node;
        }
    }
    if (said->option[0] != '\0') {
        return NULL;
    }
    return !dn_yaml_is_null(connection) ? connection : dn_yaml_get(source, "dsn");
}

static const struct dn_yaml_node *source_find(const struct dn_plan *plan, const char *path)
{
    const struct dn_yaml_node *files = dn_yaml_get(dn_yaml_get(plan->job.root, "source"), "files");

    for (const struct dn_yaml_entry *e = files != NULL ? files->first : NULL; e != NULL;
         e = e->next) {
        const struct dn_yaml_node *found = text_find(e->value, path);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

/* Where the directory of the output stands, in the job or in its recipe. */
static const struct dn_yaml_node *directory_find(const struct dn_plan *plan,
                                                 const struct dn_yaml_doc **doc)
{
    const struct dn_yaml_node *maps[] = {
        dn_yaml_get(dn_yaml_get(plan->job.root, "target"), "connection"),
        dn_yaml_get(plan->target_recipe.doc.root, "connection_template"),
    };

    if (plan->bucket_at != NULL) {
        *doc = plan->bucket_of_recipe ? &plan->target_recipe.doc : &plan->job;
        return plan->bucket_at;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct dn_yaml_node *found = text_find(maps[i], plan->directory);
        found = found != NULL ? found : text_find(dn_yaml_get(maps[i], "local"), plan->directory);
        if (found != NULL) {
            *doc = i == 0 ? &plan->job : &plan->target_recipe.doc;
            return found;
        }
    }
    return NULL;
}

static const struct dn_yaml_node *plugin_find(const struct dn_plan *plan, const char *message)
{
    const char *const paths[] = {plan->reader.path, plan->writer.path};
    static const char *const places[][2] = {{"source", "custom_reader"},
                                            {"target", "custom_writer"}};

    for (size_t i = 0; i < 2; i++) {
        if (paths[i] != NULL && strstr(message, paths[i]) != NULL) {
            return dn_yaml_get(dn_yaml_get(plan->job.root, places[i][0]), places[i][1]);
        }
    }
    return NULL;
}

void dn_refusal_locate_path(const struct dn_plan *plan, const struct dn_job_table *table,
                            struct dn_error *err)
{
    const struct dn_error said = *err;
    const struct dn_yaml_doc *doc = &plan->job;
    const struct dn_yaml_node *node = NULL;
    const size_t len = strlen(plan->directory);
    const bool below = strncmp(said.path, plan->directory, len) == 0; /* or above: a parent of it */

    if (said.line >= 0 || said.code == DN_ERR_CANCELLED) {
        return;
    }
    const bool of_table = said.code == DN_ERR_NOT_FOUND || said.code == DN_ERR_CONFIG ||
                          said.code == DN_ERR_INVALID || said.code == DN_ERR_UNSUPPORTED;
    if (table != NULL && of_table) {
        node = table_find(table, &said);
        node = node != NULL || said.code == DN_ERR_NOT_FOUND ? node : database_find(plan, &said);
    }
    if (node != NULL) {
        doc = &plan->job;
    } else if (said.path[0] == '\0') {
        node = plugin_find(plan, said.message);
    } else {
        node = source_find(plan, said.path);
        if (node == NULL && (below || dn_text_starts_with(plan->directory, said.path))) {
            node = directory_find(plan, &doc);
        }
    }
    if (node == NULL) {
        return;
    }
    (void)dn_yaml_error_at(doc, node->line, node->column, err, "%s", said.message);
    err->code = said.code;
    err->os_errno = said.os_errno;
    dn_error_locate(err, NULL, -1, -1, -1, said.column);
    (void)dn_error_option(err, (enum dn_status)said.code, said.option);
}

/* Take a quoted value out of a message. */
static void blank(char *message, const char *quoted)
{
    const size_t len = strlen(quoted);
    char *at = message;

    while (len >= 5 && (at = strstr(at, quoted)) != NULL) {
        memcpy(at + 1, "...", 3); /* a value of less than three bytes is no secret */
        at[4] = quoted[0];
        memmove(at + 5, at + len, strlen(at + len) + 1);
        at += 5;
    }
}

/* Plugins do not know which of their options came from an environment variable, and quote them. */
static void blank_environment(const struct dn_yaml_node *node, struct dn_error *said)
{
    char quoted[DN_ESCAPED_VALUE_SIZE + 2];

    if (node == NULL) {
        return;
    }
    if (node->kind == DN_YAML_SCALAR && node->from_environment) {
        blank(said->message, dn_error_escape_value(quoted, node->text, strlen(node->text)));
        if (snprintf(quoted, sizeof quoted, "\"%s\"", node->text) < (int)sizeof quoted) {
            blank(said->message, quoted);
        }
        if (strcmp(said->column, node->text) == 0) {
            said->column[0] = '\0'; /* no column of the source, as they say */
        }
    }
    for (const struct dn_yaml_entry *e = node->first; e != NULL; e = e->next) {
        blank_environment(e->value, said); /* depth is bounded by the parser */
    }
}

void dn_refusal_locate(const struct dn_plan *plan, const struct dn_job_table *table,
                       const char *side, struct dn_error *err)
{
    const struct dn_recipe *recipe =
        strcmp(side, "source") == 0 ? &plan->source_recipe : &plan->target_recipe;
    struct dn_error said = *err;
    const struct dn_yaml_doc *doc = &plan->job;
    const struct dn_yaml_node *options =
        options_of(dn_yaml_get(dn_yaml_get(doc->root, side), "engine"));

    if (options == NULL) { /* the job's options take the place of all of the recipe's */
        doc = &recipe->doc;
        options = options_of(dn_yaml_get(doc->root, "default_engine"));
    }
    const struct dn_yaml_entry *e = option_find(options, &said);
    const bool of_table = strcmp(side, "source") == 0 && table != NULL &&
                          (table_find(table, &said) != NULL || database_find(plan, &said) != NULL);
    blank_environment(options, &said);
    blank_environment(options, err);
    if (e != NULL) {
        (void)dn_yaml_error_at(doc, e->line, e->column, err, "%s: %s%s", side, said.message,
                               native_advice(e, said.message));
    } else if (said.path[0] == '\0' && !of_table) {
        (void)dn_error_set(err, DN_ERR_CONFIG, "%s: %s: %s", plan->job.name, side, said.message);
        dn_error_locate(err, plan->job.name, -1, -1, -1, NULL);
    } else {
        dn_refusal_locate_path(plan, table, err);
        return;
    }
    err->code = said.code;
    err->os_errno = said.os_errno;
    dn_error_locate(err, NULL, -1, -1, -1, said.column);
    (void)dn_error_option(err, (enum dn_status)said.code, said.option);
}
