#include "job/format.h"

#include "base/strings.h"
#include "job/foreign.h"
#include "job/keys.h"
#include "job/transfer.h"

#include <string.h>

/* Such as jsonl or json.gz. */
static bool is_ending(const char *format)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const size_t len = strlen(format);

    return len > 0 && len <= 16 && format[0] != '.' && format[len - 1] != '.' &&
           strspn(format, letters) == len;
}

enum dn_status dn_format_read(const char **out, const struct dn_yaml_doc *job,
                              struct dn_arena *arena, struct dn_error *err)
{
    static const char *const formats[] = {DN_FORMAT_PARQUET, DN_FORMAT_CSV};
    const struct dn_yaml_node *target = dn_yaml_get(job->root, "target");
    const struct dn_yaml_node *at = dn_yaml_get(target, "file_format");
    const char *format = dn_keys_text(target, "file_format");

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (format == NULL || dn_text_equal_nocase(format, formats[i])) {
            *out = formats[i];
            return DN_OK;
        }
    }
    if (dn_keys_text(target, "custom_writer") == NULL) {
        return dn_foreign_refuse(job, target, "file_format",
                                 "the file format is parquet or csv, or what a custom_writer makes",
                                 err);
    }
    if (!is_ending(format)) {
        return dn_yaml_error_at(
            job, at->line, at->column, err,
            "file_format \"%s\" is no ending of a file's name: it needs 1 to 16 "
            "letters, digits and the characters . _ -",
            dn_yaml_shown(at));
    }
    *out = dn_arena_strdup(arena, format);
    return *out != NULL ? DN_OK : dn_error_memory(err, strlen(format) + 1);
}
