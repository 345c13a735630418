#include "cli/plan_table.h"

#include "base/strings.h"
#include "cli/database.h"
#include "cli/source.h"
#include "job/layout.h"
#include "job/local.h"
#include "store/url.h"

#include <string.h>

#define NAME "table" /* of the writer; files are named by the plan */

static enum dn_status address_check(const char *address, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];

    if (!dn_database_has_password(address)) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INVALID,
                        "%s: the address has a password, which a plan does not keep; put it into "
                        "~/.pgpass or PGPASSWORD, where each task looks for it",
                        dn_database_shown(room, address));
}

/* FOLDER/table.parquet, of which the folder counts. */
static enum dn_status target_take(struct dn_plan *out, const char *target, struct dn_error *err)
{
    struct dn_buffer path = {0};
    size_t len = strlen(target);
    char room[DN_SHOWN_PATH_SIZE];

    if (len == 0 || dn_database_is(target) || dn_url_kind_of(target) == DN_URL_HTTP ||
        dn_text_ends_with(target, ".parquet") || dn_text_ends_with(target, ".csv")) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%s: the parts of a plan go into a folder, or below s3://bucket/prefix",
                            dn_database_shown(room, target));
    }
    while (len > 1 && target[len - 1] == '/') {
        len--;
    }
    enum dn_status st = dn_buffer_append(&path, target, len, err);
    if (st == DN_OK) {
        st = dn_text_append(&path, len == 1 && target[0] == '/' ? NAME : "/" NAME, err);
    }
    if (st == DN_OK) {
        out->output_path = dn_arena_strndup(&out->arena, (const char *)path.data, path.len);
        out->directory = dn_arena_strndup(&out->arena, target, len);
        st = out->output_path != NULL && out->directory != NULL ? DN_OK
                                                                : dn_error_memory(err, path.len);
    }
    dn_buffer_finish(&path);
    return st;
}

static enum dn_status configs_make(struct dn_plan *out, const char *address, const char *query,
                                   const char *where, struct dn_error *err)
{
    const struct dn_source_flags source = {.query = query, .where = where};

    DN_TRY(dn_source_config(&source, &address, 1, &out->reader_config, err));
    out->writer_config =
        json_pack("{s:s, s:[], s:s, s:s, s:{}, s:s, s:{s:s, s:{}}}", "asset_name", NAME, "schema",
                  "output_base", out->directory, "target_type", "local", "connection",
                  "file_format", DN_FORMAT_PARQUET, "engine", "type", "native", "options");
    return out->writer_config != NULL
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID, "the name of the folder is not valid UTF-8");
}

enum dn_status dn_plan_table_make(struct dn_plan *out, const char *address, const char *query,
                                  const char *where, const char *target, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];

    *out = (struct dn_plan){.strict = true, .format = DN_FORMAT_PARQUET};
    out->job_path = dn_arena_strdup(&out->arena, dn_database_shown(room, address));
    if (out->job_path == NULL) {
        return dn_error_memory(err, sizeof room);
    }
    DN_TRY(address_check(address, err));
    DN_TRY(target_take(out, target, err));
    return configs_make(out, address, query, where, err);
}

struct dn_transfer dn_plan_table_transfer(const struct dn_plan *plan)
{
    return (struct dn_transfer){.reader_config = plan->reader_config,
                                .writer_config = plan->writer_config,
                                .output_path = plan->output_path,
                                .mode = DN_ASSET_NONE};
}
