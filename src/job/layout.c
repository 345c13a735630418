#include "job/layout.h"

#include "base/memory.h"
#include "base/strings.h"

#include <string.h>
#include <time.h>

static const char k_ingest_date[] = "ingest_date";

/* The day on which the rows are written is known before they are read. */
static enum dn_status entry_check(const struct dn_yaml_doc *doc, const struct dn_yaml_node *entry,
                                  bool is_first, struct dn_error *err)
{
    if (is_first && entry->kind == DN_YAML_SCALAR && strcmp(entry->text, k_ingest_date) == 0) {
        return DN_OK;
    }
    (void)dn_yaml_error_at(
        doc, entry->line, entry->column, err,
        "partitioning by \"%s\" is not supported by this version, only by %s; set "
        "target.partitioning: [] in the job to write one file per table",
        entry->kind == DN_YAML_SCALAR ? dn_yaml_shown(entry) : "...", k_ingest_date);
    if (err != NULL) {
        err->code = DN_ERR_UNSUPPORTED;
    }
    return DN_ERR_UNSUPPORTED;
}

static enum dn_status partition_add(struct dn_buffer *path, const struct dn_yaml_doc *job,
                                    const struct dn_recipe *target, struct dn_error *err)
{
    const struct dn_yaml_doc *doc = job;
    const struct dn_yaml_node *list = dn_yaml_get(dn_yaml_get(job->root, "target"), "partitioning");
    const time_t now = time(NULL);
    struct tm today = {0};

    if (list == NULL) {
        doc = &target->doc;
        list = dn_yaml_get(doc->root, "partitioning_default");
    }
    if (dn_yaml_is_null(list) || list->n == 0) {
        return DN_OK;
    }
    for (const struct dn_yaml_entry *e = list->first; e != NULL; e = e->next) {
        DN_TRY(entry_check(doc, e->value, e == list->first, err));
    }
    (void)localtime_r(&now, &today);
    return dn_text_appendf(path, err, "/%s=%04d-%02d-%02d", k_ingest_date, today.tm_year + 1900,
                           today.tm_mon + 1, today.tm_mday);
}

enum dn_status dn_layout_path(const char **out, struct dn_arena *arena, const char *directory,
                              const struct dn_asset *asset, const char *table, const char *format,
                              const struct dn_yaml_doc *job, const struct dn_recipe *target,
                              struct dn_error *err)
{
    struct dn_buffer path = {0};
    enum dn_status st = DN_OK;
    size_t len = strlen(directory);

    while (len > 1 && directory[len - 1] == '/') {
        len--;
    }
    DN_TRY_GOTO(st,
                dn_text_appendf(&path, err, "%.*s/%s/%s/%s", (int)len, directory, asset->domain,
                                asset->data_product, table),
                cleanup);
    DN_TRY_GOTO(st, partition_add(&path, job, target, err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(&path, err, "/%s_000000.%s", table, format), cleanup);
    *out = dn_arena_strndup(arena, (const char *)path.data, path.len);
    if (*out == NULL) {
        st = dn_error_memory(err, path.len + 1);
    }
cleanup:
    dn_buffer_finish(&path);
    return st;
}

/*
 * Replacing the file would lose the rows that are left out.  Runs of one state follow each other, so no two have the same time; should the clock have been set back, nothing is replaced.
 */
enum dn_status dn_layout_part_path(const char *path, char **out, struct dn_error *err)
{
    const char *number = strrchr(path, '_');
    struct dn_buffer name = {0};
    struct timespec now;
    struct tm utc = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    enum dn_status st =
        dn_text_appendf(&name, err, "%.*s_%04d%02d%02dT%02d%02d%02d%03d%s", (int)(number - path),
                        path, utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                        utc.tm_min, utc.tm_sec, (int)(now.tv_nsec / 1000000), number);
    if (st == DN_OK) {
        *out = dn_text_take(&name);
        st = *out != NULL ? DN_OK : dn_error_memory(err, name.len);
    }
    dn_buffer_finish(&name);
    return st;
}
