#include "job/labels.h"

#include "base/strings.h"
#include "job/asset.h"
#include "job/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MOST_TAGS 10
#define MOST_TAG_VALUE 256

/* ---- what the asset says ---- */

static enum dn_status add(json_t *object, const char *key, json_t *value, struct dn_error *err)
{
    return value != NULL && json_object_set_new(object, key, value) == 0 ? DN_OK
                                                                         : dn_error_memory(err, 64);
}

static enum dn_status add_text(json_t *object, const char *key, const char *text,
                               struct dn_error *err)
{
    return text != NULL && text[0] != '\0' ? add(object, key, json_string(text), err) : DN_OK;
}

/* A text, or the texts of a list with commas between them. */
static enum dn_status add_texts(json_t *object, const char *key, const struct dn_yaml_node *node,
                                struct dn_error *err)
{
    struct dn_buffer all = {0};
    enum dn_status st = DN_OK;

    if (dn_yaml_is_null(node) || node->kind == DN_YAML_MAP) {
        return DN_OK;
    }
    if (node->kind == DN_YAML_SCALAR) {
        return add_text(object, key, node->text, err);
    }
    for (const struct dn_yaml_entry *e = node->first; e != NULL; e = e->next) {
        if (e->value->kind == DN_YAML_SCALAR) {
            DN_TRY_GOTO(st,
                        dn_text_appendf(&all, err, "%s%s", all.len > 0 ? "," : "", e->value->text),
                        cleanup);
        }
    }
    DN_TRY_GOTO(st, dn_buffer_append_byte(&all, 0, err), cleanup);
    st = add_text(object, key, (const char *)all.data, err);
cleanup:
    dn_buffer_finish(&all);
    return st;
}

/* The first one alone: a set of tags has each name once. */
static const char *first_text(const struct dn_yaml_node *node)
{
    const bool is_list = node != NULL && node->kind == DN_YAML_LIST && node->first != NULL;
    const struct dn_yaml_node *value = is_list ? node->first->value : node;

    return value == NULL || dn_yaml_is_null(value) || value->kind != DN_YAML_SCALAR ? NULL
                                                                                    : value->text;
}

enum dn_status dn_labels_read(const struct dn_yaml_node *asset, json_t **out, struct dn_error *err)
{
    const struct dn_yaml_node *compliance = dn_yaml_get(asset, "compliance");
    enum dn_status st = DN_OK;
    json_t *made = json_object();

    if (made == NULL) {
        return dn_error_memory(err, 64);
    }
    DN_TRY_GOTO(st, add_text(made, "tenant", dn_keys_text(asset, "tenant"), err), cleanup);
    DN_TRY_GOTO(st, add_text(made, "owner", dn_keys_text(dn_yaml_get(asset, "team"), "owner"), err),
                cleanup);
    DN_TRY_GOTO(st, add_text(made, "tag", first_text(dn_yaml_get(asset, "tags")), err), cleanup);
    DN_TRY_GOTO(st,
                add_text(made, "retention_days", dn_keys_text(compliance, "retention_days"), err),
                cleanup);
    st = add_texts(made, "classification", dn_yaml_get(compliance, "classification"), err);
cleanup:
    if (st != DN_OK) {
        json_decref(made);
        return st;
    }
    *out = made;
    return DN_OK;
}

/* ---- what the object gets ---- */

static enum dn_status add_metadata(json_t *metadata, const char *name, const char *value,
                                   struct dn_error *err)
{
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;

    for (const char *p = value; p != NULL && *p != '\0' && st == DN_OK; p++) {
        const unsigned char c = (unsigned char)*p;
        st = c < 0x20 || c > 0x7e ? dn_text_appendf(&text, err, "%%%02X", c)
                                  : dn_buffer_append_byte(&text, c, err);
    }
    if (st == DN_OK && text.len > 0) {
        st = add(metadata, name, json_stringn((const char *)text.data, text.len), err);
    }
    dn_buffer_finish(&text);
    return st;
}

/* Letters of any alphabet, digits, blanks and + - = . _ : / @ are what tags may have. */
static enum dn_status add_tag(json_t *tags, const char *name, const char *value,
                              struct dn_error *err)
{
    char text[MOST_TAG_VALUE + 1];
    size_t n = 0;

    if (value == NULL || value[0] == '\0' || json_object_size(tags) == MOST_TAGS) {
        return DN_OK;
    }
    for (; n < MOST_TAG_VALUE && value[n] != '\0'; n++) {
        const unsigned char c = (unsigned char)value[n];
        text[n] = c >= 0x80 || isalnum(c) || strchr(" +-=._:/@", c) != NULL ? value[n] : '_';
    }
    while (n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80) {
        n--; /* no half of a character */
    }
    return add(tags, name, json_stringn(text, n), err);
}

static void now(char *out, size_t size)
{
    struct timespec t;
    struct tm parts;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    (void)gmtime_r(&t.tv_sec, &parts);
    const size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + len, size - len, ".%06ldZ", t.tv_nsec / 1000);
}

static enum dn_status make_metadata(const struct dn_labels_of *of, json_t *metadata,
                                    struct dn_error *err)
{
    const struct dn_asset *a = of->asset;
    char when[64];

    now(when, sizeof when);
    const struct {
        const char *name;
        const char *value;
    } all[] = {
        {"asset-name", a->name},
        {"asset-version", a->version != NULL ? a->version : "1.0"},
        {"asset-domain", a->has_domain ? a->domain : NULL},
        {"data-product", a->has_data_product ? a->data_product : NULL},
        {"tenant-id", json_string_value(json_object_get(a->labels, "tenant"))},
        {"branch", of->branch != NULL ? of->branch : "main"},
        {"owner", json_string_value(json_object_get(a->labels, "owner"))},
        {"retention-days", json_string_value(json_object_get(a->labels, "retention_days"))},
        {"classification", json_string_value(json_object_get(a->labels, "classification"))},
        {"ingest-timestamp", when},
        {"file-format", of->format},
        {"compression", of->compression},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        DN_TRY(add_metadata(metadata, all[i].name, all[i].value, err));
    }
    return DN_OK;
}

static enum dn_status make_tags(const struct dn_labels_of *of, json_t *tags, struct dn_error *err)
{
    const struct dn_asset *a = of->asset;

    DN_TRY(add_tag(tags, "domain", a->has_domain ? a->domain : NULL, err));
    DN_TRY(add_tag(tags, "data-product", a->has_data_product ? a->data_product : NULL, err));
    DN_TRY(add_tag(tags, "tenant", json_string_value(json_object_get(a->labels, "tenant")), err));
    DN_TRY(add_tag(tags, "branch", of->branch != NULL ? of->branch : "main", err));
    DN_TRY(add_tag(tags, "owner", json_string_value(json_object_get(a->labels, "owner")), err));
    return add_tag(tags, "asset-tag", json_string_value(json_object_get(a->labels, "tag")), err);
}

enum dn_status dn_labels_make(const struct dn_labels_of *of, json_t **out, struct dn_error *err)
{
    const char *type = strcmp(of->format, DN_FORMAT_PARQUET) == 0 ? "application/x-parquet"
                       : strcmp(of->format, DN_FORMAT_CSV) == 0   ? "text/csv"
                                                                  : NULL; /* the writer knows */
    json_t *made = json_pack("{s:s*, s:{}, s:{}}", "content_type", type, "metadata", "tags");

    if (made == NULL) {
        return dn_error_memory(err, 64);
    }
    enum dn_status st = make_metadata(of, json_object_get(made, "metadata"), err);
    st = st == DN_OK ? make_tags(of, json_object_get(made, "tags"), err) : st;
    if (st != DN_OK) {
        json_decref(made);
        return st;
    }
    *out = made;
    return DN_OK;
}
