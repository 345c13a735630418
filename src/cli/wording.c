#include "cli/wording.h"

#include "base/strings.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *option;
    const char *flag;
    const char *of_target; /**< NULL: the same */
} k_options[] = {
    {"delimiter", "--delimiter", "--writer-option delimiter"},
    {"quote", "--quote", "--writer-option quote"},
    {"quote_char", "--quote", "--writer-option quote_char"},
    {"escape", "--escape", NULL},
    {"comment", "--comment", NULL},
    {"skip_rows", "--skip-rows", NULL},
    {"skip_after_header", "--skip-after-header", NULL},
    {"skip_footer", "--skip-footer", NULL},
    {"line_end", "--writer-option line_end", NULL},
    {"null_text", "--writer-option null_text", NULL},
    {"header", "--header", NULL},
    {"names", "--names", NULL},
    {"rename", "--columns", NULL},
    {"exclude", "--columns", NULL},
    {"union_by_name", "--union-by-name", NULL},
    {"max_row_size", "--max-row-size", NULL},
    {"limit", "--limit", NULL},
    {"row_number", "--row-number-column", NULL},
    {"types", "--types", NULL},
    {"null_values", "--null-values", NULL},
    {"decimal", "--decimal", NULL},
    {"thousands", "--thousands", NULL},
    {"date_format", "--date-format", NULL},
    {"time_format", "--time-format", NULL},
    {"timestamp_format", "--timestamp-format", NULL},
    {"true_values", "--true-values", NULL},
    {"false_values", "--false-values", NULL},
    {"trim", "--trim", NULL},
    {"quoted", "--quoted", NULL},
    {"quoted_nulls", "--quoted-nulls", NULL},
    {"n_threads", "--threads", NULL},
    {"strict", "--reader-option strict=true", NULL},
    {"encoding", "--encoding", NULL},
    {"on_invalid", "--on-invalid", NULL},
    {"max_rejects", "--max-rejects", NULL},
    {"rejects", "--rejects", NULL},
    {"ragged", "--ragged", NULL},
    {"file_name", "--file-name-column", NULL},
    {"hive_partitioning", "--hive-partitioning", NULL},
    {"inference", "--reader-option inference", NULL},
    {"columns", "--columns", NULL},
    {"query", "--query", NULL},
    {"where", "--where", NULL},
    {"required", "--reader-option required", NULL},
    {"missing_as_null", "--reader-option missing_as_null", NULL},
    {"chunk_size", "--reader-option chunk_size", NULL},
    {"batch_size", "--reader-option batch_size", NULL},
    {"block_bytes", "--reader-option block_bytes", NULL},
    {"compression", "--compression", NULL},
    {"compression_level", "--writer-option compression_level", NULL},
    {"row_group_size", "--row-group-size", NULL},
    {"row_group_bytes", "--writer-option row_group_bytes", NULL},
    {"page_rows", "--writer-option page_rows", NULL},
    {"page_size", "--writer-option page_size", NULL},
    {"arrow_schema", "--writer-option arrow_schema", NULL},
    {"intervals", "--writer-option intervals", NULL},
    {"field_ids", "--writer-option field_ids", NULL},
    {"overwrite", "--overwrite", NULL},
    {"verify", "--verify", NULL},
    {"output_dir", "--writer-option output_dir", NULL},
    {"content_type", "--writer-option content_type", NULL},
    {"metadata", "--writer-option metadata", NULL},
    {"tags", "--writer-option tags", NULL},
    {"storage_class", "--writer-option storage_class", NULL},
    {"encryption", "--writer-option encryption", NULL},
    {"sse", "--writer-option sse", NULL},
    {"kms_key_id", "--writer-option kms_key_id", NULL},
    {"endpoint", "--s3-endpoint", NULL},
    {"region", "--s3-region", NULL},
    {"profile", "--s3-profile", NULL},
    {"anonymous", "--s3-anonymous", NULL},
    {"ca_file", "--ca-file", NULL},
};

/* What stands before the name of an option, the longest first. */
static const char *const k_leads[] = {"engine.options.native.", "engine.options.",
                                      "the connection's ", "the option ", "option "};

static const struct {
    const char *from;
    const char *to;
} k_phrases[] = {
    {"the memory budget", "--memory"},
    {"the options true_values and false_values", "--true-values and --false-values"},
    {"the options decimal and thousands", "--decimal and --thousands"},
    {"ask for overwriting", "use --overwrite"},
    {"or give a profile (AWS_PROFILE;", "or give --s3-profile (or AWS_PROFILE;"},
    {", or keys in the connection;", ";"},
};

static const char *flag_of(const char *name, size_t len, const char *refused_by)
{
    for (size_t i = 0; i < sizeof k_options / sizeof k_options[0]; i++) {
        if (strlen(k_options[i].option) == len && strncmp(k_options[i].option, name, len) == 0) {
            return k_options[i].of_target != NULL && refused_by != NULL &&
                           strcmp(refused_by, "target") == 0
                       ? k_options[i].of_target
                       : k_options[i].flag;
        }
    }
    return NULL;
}

/* The length of the reference to an option that begins at `p`, and its flag; 0: none begins here. */
static size_t option_at(const char *p, bool in_word, const char *refused_by, const char **flag)
{
    for (size_t i = 0; !in_word && i < sizeof k_leads / sizeof k_leads[0]; i++) {
        const size_t lead = strlen(k_leads[i]);
        if (strncmp(p, k_leads[i], lead) != 0) {
            continue;
        }
        const char *name = p + lead;
        const char quote = *name == '\'' || *name == '"' ? *name : '\0';
        name += quote != '\0' ? 1 : 0;
        size_t len = 0;
        while (islower((unsigned char)name[len]) || name[len] == '_') {
            len++;
        }
        *flag = flag_of(name, len, refused_by);
        if (*flag != NULL && dn_text_starts_with(name + len, " in a job")) {
            return 0; /* the flag stands beside it */
        }
        if (*flag != NULL && (quote == '\0' || name[len] == quote)) {
            const char *end = name + len + (quote != '\0' ? 1 : 0);
            if (strcmp(*flag, "--reader-option strict=true") == 0 &&
                strncmp(end, "=true", 5) == 0) {
                end += 5;
            }
            return (size_t)(end - p);
        }
    }
    return 0;
}

static size_t phrase_at(const char *p, const char *refused_by, const char **to)
{
    for (size_t i = 0; i < sizeof k_phrases / sizeof k_phrases[0]; i++) {
        if (dn_text_starts_with(p, k_phrases[i].from)) {
            *to = k_phrases[i].to;
            return strlen(k_phrases[i].from);
        }
    }
    if (refused_by != NULL && dn_text_starts_with(p, "in engine.options")) {
        *to = strcmp(refused_by, "source") == 0 ? "in --reader-option" : "in --writer-option";
        return strlen("in engine.options");
    }
    return 0;
}

void dn_wording_of(const char *message, const char *refused_by, char *out, size_t size)
{
    size_t used = 0;
    bool in_word = false;

    for (const char *p = message; *p != '\0';) {
        const char *to = NULL;
        size_t len = option_at(p, in_word, refused_by, &to);
        len = len > 0 ? len : phrase_at(p, refused_by, &to);
        in_word = len == 0 && (isalnum((unsigned char)*p) != 0 || *p == '-');
        const size_t n = len > 0 ? strlen(to) : 1;
        if (n >= size - used) {
            break;
        }
        memcpy(out + used, len > 0 ? to : p, n);
        used += n;
        p += len > 0 ? len : 1;
    }
    out[used] = '\0';
}

void dn_wording_flags(struct dn_error *err, const char *refused_by)
{
    char text[2 * sizeof err->message]; /* flags are longer than options, but not twice as long */

    dn_wording_of(err->message, refused_by, text, sizeof text);
    dn_error_copy_text(err->message, sizeof err->message, text);
}
