#include "job/contract.h"
#include "job/job.h"
#include "job/names.h"
#include "job/refusal.h"

#include "scratch.h"

/* A good job in a scratch directory; tests replace one part of it. */
static const char k_job[] = "tenant_id: acme\n"
                            "source_connector: csv\n"
                            "source_connector_path: %D/csv.yaml\n"
                            "target_connector: local\n"
                            "target_connector_path: %D/local.yaml\n"
                            "asset_path: %D/asset.yaml\n"
                            "source:\n"
                            "  custom_reader: \"%D/lib.so:create_reader\"\n"
                            "  files: [{path: data.csv, object: Orders}]\n"
                            "  engine: {options: {delimiter: ';'}}\n"
                            "target:\n"
                            "  connection: {path: %D/out/}\n"
                            "  engine: {options: {compression: zstd}}\n"
                            "schema_validation_mode: warn\n"
                            "logging: {level: WARNING, redaction: true}\n"
                            "retry_config: {max_retries: 3}\n";

static const char k_csv[] =
    "type: csv\nroles: [source]\ndefault_engine:\n  type: native\n  options:\n"
    "    native: {chunk_size: 10}\ncredentials: {type: none}\n";
static const char k_local[] =
    "type: local\nconnection_template: {path: elsewhere}\ndefault_engine: {type: native}\n";
static const char k_asset[] =
    "name: Sales Order-Header\nversion: 1.0.0\nsource_type: csv\nobject: o\n"
    "team: {owner: a@b.c}\nunknown_metadata: {anything: [1, 2]}\n"
    "description: {purpose: 'costs ${NOTHING}'}\ndomain: sales\nschema:\n"
    "  - {name: id, type: integer, required: true}\n"
    "  - {name: note}\n"
    "  - {name: at, type: datetime, classification: PII, description: 'uses ${NOTHING}'}\n";

struct fixture {
    char dir[512];
    char job[4096];
    struct dn_plan plan;
    struct dn_error err;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
    scratch_write(scratch_path(f->dir, name), text, strlen(text));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    scratch_make(f->dir);
    put(f, "csv.yaml", k_csv);
    put(f, "local.yaml", k_local);
    put(f, "asset.yaml", k_asset);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    dn_plan_finish(&f->plan);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

/* k_job with `from` replaced by `to` (NULL: as it is) and %D by the directory, written and read. */
static enum dn_status read_job(struct fixture *f, const char *from, const char *to)
{
    char edited[4096];
    size_t used = 0;

    const char *at = from != NULL ? strstr(k_job, from) : NULL;
    assert_true(from == NULL || at != NULL);
    if (at == NULL) {
        (void)snprintf(edited, sizeof(edited), "%s", k_job);
    } else {
        (void)snprintf(edited, sizeof(edited), "%.*s%s%s", (int)(at - k_job), k_job, to,
                       at + strlen(from));
    }
    for (const char *p = edited; *p != '\0'; p++) {
        if (p[0] == '%' && p[1] == 'D') {
            used += (size_t)snprintf(f->job + used, sizeof(f->job) - used, "%s", f->dir);
            p++;
        } else {
            f->job[used++] = *p;
        }
    }
    f->job[used] = '\0';
    put(f, "job.yaml", f->job);
    dn_plan_finish(&f->plan);
    dn_error_clear(&f->err);
    return dn_plan_read(&f->plan, scratch_path(f->dir, "job.yaml"), &f->err);
}

static void refuse(struct fixture *f, const char *from, const char *to, enum dn_status code,
                   const char *message)
{
    assert_int_equal(read_job(f, from, to), code);
    if (strstr(f->err.message, message) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->err.message, message);
    }
}

static const char *text_at(const json_t *object, const char *a, const char *b, const char *c)
{
    object = json_object_get(object, a);
    object = b != NULL ? json_object_get(object, b) : object;
    object = c != NULL ? json_object_get(object, c) : object;
    return json_string_value(object);
}

static void test_a_good_job(void **state)
{
    struct fixture *f = *state;
    char path[1024];

    if (read_job(f, NULL, NULL) != DN_OK) {
        fail_msg("%s", f->err.message);
    }
    const struct dn_plan *p = &f->plan;
    assert_string_equal(p->tenant_id, "acme");
    assert_false(p->strict);
    assert_int_equal(p->log_level, DN_EVENT_WARNING);
    assert_string_equal(p->reader.path, scratch_path(f->dir, "lib.so"));
    assert_string_equal(p->reader.symbol, "create_reader");
    assert_null(p->writer.path);
    (void)snprintf(path, sizeof(path),
                   "%s/out/sales/default/sales_order_header/sales_order_header_000000.parquet",
                   f->dir);
    assert_string_equal(p->output_path, path);
    assert_int_equal(p->asset.n_columns, 3);
    assert_string_equal(p->asset.columns[0].type, "int64");
    assert_int_equal(p->asset.columns[0].required, 1);
    assert_string_equal(p->asset.columns[1].type, "string");
    assert_string_equal(p->asset.columns[2].type, "timestamp");
    assert_string_equal(text_at(p->reader_config, "type", NULL, NULL), "csv");
    assert_string_equal(text_at(p->reader_config, "credentials", "type", NULL), "none");
    assert_string_equal(text_at(p->reader_config, "engine", "type", NULL), "native");
    assert_string_equal(text_at(p->reader_config, "engine", "options", "delimiter"), ";");
    /* the merge is one level deep: the job's options replace the recipe's */
    assert_null(json_object_get(
        json_object_get(json_object_get(p->reader_config, "engine"), "options"), "native"));
    assert_int_equal(json_object_size(p->reader_config), 8); /* the host's seven, and expanded */
    assert_int_equal(json_object_size(p->writer_config), 8);
    assert_string_equal(text_at(p->writer_config, "asset_name", NULL, NULL), "Sales Order-Header");
    assert_string_equal(text_at(p->writer_config, "engine", "options", "compression"), "zstd");
    assert_string_equal(text_at(p->writer_config, "connection", "path", NULL),
                        scratch_path(f->dir, "out/"));

    const struct dn_transfer t = dn_plan_transfer(p);
    assert_int_equal(t.mode, DN_ASSET_WARN);
    assert_true(t.make_directories);
}

static void test_recipe_options_stay_without_job_engine(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_job(f, "  engine: {options: {delimiter: ';'}}\n", ""), DN_OK);
    const json_t *options =
        json_object_get(json_object_get(f->plan.reader_config, "engine"), "options");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(options, "native"), "chunk_size")), 10);
}

static void test_directory_from_the_recipe(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_job(f, "  connection: {path: %D/out/}\n", ""), DN_OK);
    assert_int_equal(strncmp(f->plan.output_path, "elsewhere/sales/", 16), 0);
    assert_int_equal(read_job(f, "{path: %D/out/}", "{local: {directory: nested}}"), DN_OK);
    assert_int_equal(strncmp(f->plan.output_path, "nested/sales/", 13), 0);
    assert_int_equal(read_job(f, "{path: %D/out/}", "{bucket: lake}"), DN_OK);
    assert_int_equal(strncmp(f->plan.output_path, "lake/sales/", 11), 0);
}

static void test_unknown_keys_have_a_place_and_a_suggestion(void **state)
{
    struct fixture *f = *state;

    refuse(f, "tenant_id", "tenent_id", DN_ERR_CONFIG,
           "job.yaml:1:1: unknown key \"tenent_id\" in the job; did you mean \"tenant_id\"?");
    refuse(f, "  files:", "  fils:", DN_ERR_CONFIG,
           "job.yaml:9:3: unknown key \"fils\" in source; did you mean \"files\"");
    refuse(f, "path: data.csv", "pth: data.csv", DN_ERR_CONFIG,
           "unknown key \"pth\" in an entry of source.files; did you mean \"path\"");
    refuse(f, "{options: {compression", "{optoins: {compression", DN_ERR_CONFIG,
           "unknown key \"optoins\" in target.engine; did you mean \"options\"");
    refuse(f, "redaction", "redact", DN_ERR_CONFIG, "in logging");
    refuse(f, "{path: %D/out/}", "{paht: x}", DN_ERR_CONFIG, "did you mean \"path\"");
    refuse(f, "retry_config:", "zzz:", DN_ERR_CONFIG, "known keys: $schema, tenant_id");
}

/* Other tools' keys pass, misspelt ones do not. */
static void test_open_files_refuse_near_misses(void **state)
{
    struct fixture *f = *state;

    refuse(
        f, "max_retries", "max_retires", DN_ERR_CONFIG,
        "job.yaml:16:16: unknown key \"max_retires\" in retry_config; did you mean \"max_retries");
    refuse(f, "max_retries", "zzz", DN_ERR_CONFIG, "known keys: max_retries, max_attempts");

    put(f, "asset.yaml", "name: x\ndomian: y\nschema: [{name: id}]\n");
    refuse(f, NULL, NULL, DN_ERR_CONFIG,
           "asset.yaml:2:1: unknown key \"domian\" in the asset; did you mean \"domain\"?");
    put(f, "asset.yaml", "nmae: x\nschema: [{name: id}]\n");
    refuse(f, NULL, NULL, DN_ERR_CONFIG, "did you mean \"name\"?");
    put(f, "asset.yaml",
        "$schema: u\napiVersion: v3.0.2\nkind: DataContract\nid: 1\nname: x\nstatus: s\n"
        "tenant: t\ntags: []\ntarget: {}\nprice: {}\nroles: []\nnames: [y]\nschema: [{name: "
        "id}]\n");
    if (read_job(f, NULL, NULL) != DN_OK) {
        fail_msg("%s", f->err.message);
    }

    put(f, "csv.yaml", "type: csv\ndefault_engin: {}\n");
    refuse(f, NULL, NULL, DN_ERR_CONFIG,
           "csv.yaml:2:1: unknown key \"default_engin\" in the connector recipe; did you mean "
           "\"default_engine\"?");
    put(f, "csv.yaml",
        "type: csv\ndescription: d\nincremental: {}\nrate_limits: {}\ncatalog: c\nfile_format: "
        "f\n");
    assert_int_equal(read_job(f, NULL, NULL), DN_OK);
}

/* What the plugins say, and where the host says it is. */
static void refused(struct fixture *f, const char *side, const char *said, const char *message)
{
    (void)dn_error_set(&f->err, DN_ERR_UNSUPPORTED, "%s", said);
    dn_refusal_locate(&f->plan, NULL, side, &f->err);
    assert_int_equal(f->err.code, DN_ERR_UNSUPPORTED);
    if (strstr(f->err.message, message) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->err.message, message);
    }
}

static void test_refused_options_have_a_place(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        read_job(f, "{delimiter: ';'}", "{strict: 1, nativ: {}, native: {delimeter: x}, strct: 1}"),
        DN_OK);
    refused(f, "source", "unknown option 'delimeter' in engine.options.native",
            "job.yaml:10:53: source: unknown option 'delimeter' in engine.options.native");
    assert_int_equal(f->err.line, 10);
    assert_string_equal(f->err.path, scratch_path(f->dir, "job.yaml"));
    refused(f, "source", "unknown option 'strct' in engine.options: did you mean \"strict\"?",
            "job.yaml:10:68: source: unknown option 'strct'");
    refused(
        f, "source", "unknown option 'nativ' in engine.options",
        "job.yaml:10:33: source: unknown option 'nativ' in engine.options; did you mean \"native");
    refused(f, "source", "engine.options.strict must be", "job.yaml:10:22: source: engine");
    refused(f, "source", "strict reading is not supported", "job.yaml:10:22: source: strict");
    refused(f, "target", "zstd has no level 99", "job.yaml: target: zstd has no level 99");
    assert_int_equal(f->err.line, -1);

    (void)dn_error_set(&f->err, DN_ERR_INVALID, "a.csv: is a directory");
    dn_error_locate(&f->err, "a.csv", -1, -1, -1, NULL);
    dn_refusal_locate(&f->plan, NULL, "source", &f->err);
    assert_string_equal(f->err.message, "a.csv: is a directory");

    assert_int_equal(read_job(f, "  engine: {options: {delimiter: ';'}}\n", ""), DN_OK);
    refused(f, "source", "engine.options.chunk_size must be", "csv.yaml:6:14: source: engine");
}

static void test_wrong_values(void **state)
{
    struct fixture *f = *state;

    refuse(f, "mode: warn", "mode: lenient", DN_ERR_CONFIG,
           "job.yaml:14:25: schema_validation_mode \"lenient\"");
    refuse(f, "tenant_id: acme\n", "", DN_ERR_CONFIG, "the job lacks the key \"tenant_id\"");
    refuse(f, "level: WARNING", "level: LOUD", DN_ERR_CONFIG, "none of DEBUG, INFO");
    refuse(f, "[{path: data.csv, object: Orders}]", "data.csv", DN_ERR_CONFIG,
           "\"files\" in source must be a list");
    refuse(f, "[{path: data.csv, object: Orders}]", "[]", DN_ERR_CONFIG,
           "source.files names no file");
    refuse(f, "[{path: data.csv, object: Orders}]", "[data.csv]", DN_ERR_CONFIG,
           "must be a map such as");
    refuse(f, "[{path: data.csv, object: Orders}]", "[{object: Orders}]", DN_ERR_CONFIG,
           "lacks the key \"path\"");
    refuse(f, "lib.so:create_reader", "lib.so", DN_ERR_CONFIG,
           "is not of the form path/library.so:function");
    refuse(f, "lib.so:create_reader", "reader.py:Reader", DN_ERR_UNSUPPORTED, "is a Python plugin");
    refuse(f, "path: data.csv", "path: '${DN_T_NOT_SET}'", DN_ERR_CONFIG,
           "environment variable DN_T_NOT_SET");
    refuse(f, "%D/asset.yaml", "%D/none.yaml", DN_ERR_NOT_FOUND, "none.yaml");
    refuse(f, "redaction: true", "redaction: maybe", DN_ERR_CONFIG, "must be true or false");
}

/* `key: ${EMPTY}` is `key:`, also where the key must be there. */
static void test_empty_variables_unset_keys(void **state)
{
    struct fixture *f = *state;

    (void)setenv("DN_T_EMPTY", "", 1);
    refuse(f, "tenant_id: acme", "tenant_id: ${DN_T_EMPTY}", DN_ERR_CONFIG,
           "job.yaml:1:1: the job lacks the key \"tenant_id\"");
    refuse(f, "asset_path: %D/asset.yaml", "asset_path: ${DN_T_EMPTY}", DN_ERR_CONFIG,
           "the job lacks the key \"asset_path\"");
    refuse(f, "{path: data.csv, object: Orders}", "{path: \"${DN_T_EMPTY}\"}", DN_ERR_CONFIG,
           "lacks the key \"path\"");
    put(f, "local.yaml", "type: local\nconnection_template: {path: \"${DN_T_EMPTY}\"}\n");
    refuse(f, "  connection: {path: %D/out/}\n", "", DN_ERR_CONFIG,
           "the directory of the local target is empty");
    put(f, "local.yaml", "type: local\n");
    refuse(f, "  connection: {path: %D/out/}\n", "", DN_ERR_CONFIG,
           "job.yaml:1:1: the local target has no directory");
    refuse(f, "{path: %D/out/}", "{}", DN_ERR_CONFIG,
           "job.yaml:12:15: the local target has no directory");
    assert_int_equal(f->err.line, 12);
    put(f, "asset.yaml", "name: ${DN_T_EMPTY}\nschema: [{name: x}]\n");
    refuse(f, NULL, NULL, DN_ERR_CONFIG, "asset.yaml:1:1: the asset lacks the key \"name\"");
    put(f, "asset.yaml", "name: a\ndomain: ${DN_T_EMPTY}\nschema: [{name: x}]\n");
    assert_int_equal(read_job(f, NULL, NULL), DN_OK);
    assert_string_equal(f->plan.asset.domain, "default");
}

static void test_what_this_version_cannot_do(void **state)
{
    struct fixture *f = *state;

    put(f, "mysql.yaml", "type: mysql\n");
    refuse(f, "target_connector: local\ntarget_connector_path: %D/local.yaml",
           "target_connector: mysql\ntarget_connector_path: %D/mysql.yaml", DN_ERR_UNSUPPORTED,
           "set target_connector: local, s3, minio");
    refuse(f, "source_connector: csv\nsource_connector_path: %D/csv.yaml",
           "source_connector: mysql", DN_ERR_UNSUPPORTED,
           "source connector \"mysql\" is not supported");
    refuse(f, "  engine: {options: {delimiter: ';'}}\n", "  incremental: {strategy: updated_at}\n",
           DN_ERR_UNSUPPORTED,
           "job.yaml:10:16: incremental strategy \"updated_at\" is not one of files");
    refuse(f, "  engine: {options: {compression: zstd}}\n",
           "  partitioning: [ingest_date, region]\n", DN_ERR_UNSUPPORTED,
           "job.yaml:13:31: partitioning by \"region\" is not supported");
    refuse(f, "  engine: {options: {compression: zstd}}\n", "  file_format: orc\n",
           DN_ERR_UNSUPPORTED, "the file format is parquet");
    refuse(f, "source_connector: csv", "source_connector: parquet", DN_ERR_CONFIG,
           "but its recipe");
    put(f, "csv.yaml", "type: csv\nroles: [target]\n");
    refuse(f, NULL, NULL, DN_ERR_CONFIG, "cannot be a source");
}

static void refuse_asset(struct fixture *f, const char *asset, const char *message)
{
    put(f, "asset.yaml", asset);
    refuse(f, NULL, NULL, DN_ERR_CONFIG, message);
}

static void test_assets_are_checked(void **state)
{
    struct fixture *f = *state;

    refuse_asset(f, "name: a\nschema: []\n", "schema has no columns");
    refuse_asset(f, "name: a\n", "the asset lacks the key \"schema\"");
    refuse_asset(f, "asset:\n  name: a\n  schema: []\n", "asset.yaml:3:11: schema has no columns");
    refuse_asset(f, "name: a\nschema: [{name: x}, {name: x}]\n",
                 "asset.yaml:2:21: column \"x\" is in schema twice");
    refuse_asset(
        f, "name: a\nschema: [{name: x, type: intger}]\n",
        "asset.yaml:2:26: unknown type \"intger\" of column \"x\"; did you mean \"integer\"?");
    refuse_asset(f, "name: a\nschema: [{name: x, requird: true}]\n", "did you mean \"required\"?");
    refuse_asset(f, "name: a\nschema: [{type: string}]\n", "lacks the key \"name\"");
    refuse_asset(f, "name: a\nschema: [x]\n", "must be a map such as");
    refuse_asset(f, "name: a\nschema: [{name: x, required: 'yes'}]\n", "must be true or false");
    refuse_asset(f, "name: a\ndomain: ../../etc\nschema: [{name: x}]\n",
                 "cannot be a directory name");
    refuse_asset(f, "name: ..\nschema: [{name: x}]\n", "cannot be a directory name");
    put(f, "asset.yaml", "name: a\nschema: [{name: 12, type: bigint}]\n");
    assert_int_equal(read_job(f, NULL, NULL), DN_OK);
    assert_string_equal(f->plan.asset.columns[0].name, "12");
    assert_true(json_is_string(json_object_get(json_array_get(f->plan.asset.schema, 0), "name")));
}

static void test_asset_types(void **state)
{
    static const char *const pairs[][2] = {{"string", "string"},
                                           {"integer", "int64"},
                                           {"bigint", "int64"},
                                           {"float", "float64"},
                                           {"double", "float64"},
                                           {"number", "float64"},
                                           {"decimal", "string"},
                                           {"boolean", "bool"},
                                           {"date", "date"},
                                           {"timestamp", "timestamp"},
                                           {"datetime", "timestamp"},
                                           {"array", "string"},
                                           {"INTEGER", "int64"},
                                           {"timestamptz", "timestamptz"},
                                           {"uuid", "string"},
                                           {"object", "string"},
                                           {"JSON", "string"},
                                           {"text", "string"},
                                           {"int", "int64"},
                                           {"long", "int64"},
                                           {"time", "time[us]"},
                                           {"smallint", "int16"},
                                           {"numeric(9,2)", "decimal(9, 2)"},
                                           {"blob", "binary"}};
    char room[DN_COLTYPE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_string_equal(dn_coltype_of_asset(pairs[i][0], room), pairs[i][1]);
    }
    assert_null(dn_coltype_of_asset("xyzzy", room));
    assert_null(dn_coltype_of_asset("binary:hex", room));
    assert_string_equal(dn_coltype_suggest("boolan", room), "boolean");
    assert_string_equal(dn_coltype_suggest("obect", room), "object");
    assert_null(dn_coltype_suggest("xyzzy", room));
}

static void test_which_types_are_found(void **state)
{
    static const char *const found[] = {"bool",          "int64",       "uint64",   "float64",
                                        "date",          "time[us]",    "time[ns]", "timestamp",
                                        "timestamp[ns]", "timestamptz", "string"};
    static const char *const others[] = {"int32", "decimal(9, 2)", "timestamp[ms]", "time[s]",
                                         "uuid",  "json",          "binary",        "float32",
                                         "null",  "nothing"};

    (void)state;
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        assert_true(dn_coltype_is_found(found[i]));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(dn_coltype_is_found(others[i]));
    }
}

static void test_which_types_hold_others(void **state)
{
    static const char *const pairs[][2] = {
        {"int64", "int64"},   {"int64", "int8"},           {"int64", "uint32"},
        {"int32", "int16"},   {"uint64", "uint32"},        {"int16", "uint8"},
        {"float64", "float"}, {"float64", "float32"},      {"float64", "float16"},
        {"uuid", "uuid"},     {"timestamp", "timestamptz"}};
    static const char *const others[][2] = {{"int64", "uint64"},
                                            {"int32", "int64"},
                                            {"uint64", "int8"},
                                            {"int8", "uint8"},
                                            {"float64", "int8"},
                                            {"float32", "float64"},
                                            {"string", "int64"},
                                            {"int64", "nothing"},
                                            {"date", "timestamp"},
                                            {"timestamptz", "timestamp"},
                                            {"timestamp", "timestamptz[ns]"}};

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_true(dn_coltype_holds(pairs[i][0], pairs[i][1]));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(dn_coltype_holds(others[i][0], others[i][1]));
    }
}

/* ---- the asset as a contract ---- */

static const struct dn_column k_columns[] = {{"id", "integer", "int64", 1},
                                             {"note", "string", "string", 0}};

static struct dn_transfer transfer(enum dn_asset_mode mode)
{
    return (struct dn_transfer){.mode = mode, .columns = k_columns, .n_columns = 2};
}

struct heard {
    char last[1200];
};

static void hear(void *ctx, enum dn_event_level level, const char *type, const char *message,
                 const char *extra)
{
    struct heard *heard = ctx;

    (void)level;
    (void)type;
    (void)extra;
    (void)snprintf(heard->last, sizeof(heard->last), "%s", message);
}

static void test_strict_contract(void **state)
{
    const struct dn_transfer t = transfer(DN_ASSET_STRICT);
    json_t *config = json_pack("{s:{s:{s:{s:s}}}}", "engine", "options", "types", "note", "date");
    json_t *file = json_pack("[{s:s},{s:s}]", "name", "extra", "name", "id");
    struct dn_error err;
    int64_t warnings = 0;

    (void)state;
    dn_error_clear(&err);
    assert_int_equal(dn_contract_apply(&t, config, file, &warnings, &err), DN_OK);
    json_t *wanted = json_loads(
        "{\"engine\":{\"options\":{\"types\":{\"id\":\"int64\",\"note\":\"date\"},"
        "\"columns\":[\"id\",\"note\"],\"required\":[\"id\"],\"missing_as_null\":true}}}",
        0, NULL);
    assert_true(json_equal(config, wanted));
    assert_int_equal(warnings, 0);
    json_decref(wanted);
    json_decref(config);
    json_decref(file);

    config = json_object();
    file = json_pack("[{s:s},{s:s}]", "name", "Id", "name", "note");
    assert_int_equal(dn_contract_apply(&t, config, file, &warnings, &err), DN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "no column \"id\""));
    assert_non_null(strstr(err.message, "Id, note"));
    json_decref(config);
    json_decref(file);
}

/* Of a repeated name the asset gets the first column; the others cannot be named, and nothing goes without a word. */
static void test_repeated_names(void **state)
{
    struct heard heard = {0};
    const struct dn_events events = {.ctx = &heard, .event = hear};
    const struct dn_column columns[] = {{.name = "a", .type = "int64", .asset_type = "integer"},
                                        {.name = "a_1", .type = "int64", .asset_type = "integer"}};
    struct dn_transfer t = {
        .mode = DN_ASSET_STRICT, .columns = columns, .n_columns = 1, .events = &events};
    json_t *file = json_pack("[{s:s}, {s:s}, {s:s}, {s:s}]", "name", "a", "name", "a", "name",
                             "a_2", "name", "a");
    json_t *config = json_object();
    struct dn_error err;
    int64_t warnings = 0;

    (void)state;
    assert_int_equal(dn_schema_name_columns(file, &err), DN_OK);
    assert_null(json_object_get(json_array_get(file, 0), "unique_name"));
    assert_string_equal(text_at(json_array_get(file, 1), "unique_name", NULL, NULL), "a_1");
    assert_null(json_object_get(json_array_get(file, 2), "unique_name"));
    assert_string_equal(text_at(json_array_get(file, 3), "unique_name", NULL, NULL), "a_3");

    assert_int_equal(dn_contract_apply(&t, config, file, &warnings, &err), DN_OK);
    assert_non_null(
        strstr(heard.last, "left out: a (column 2, a repeated name), a_2, a (column 4"));
    t.n_columns = 2;
    json_object_clear(config); /* what was applied to it is no wish of the user's */
    assert_int_equal(dn_contract_apply(&t, config, file, &warnings, &err), DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "\"a_1\" is column 2 of the file"));
    t.mode = DN_ASSET_WARN;
    json_object_clear(config);
    assert_int_equal(dn_contract_apply(&t, config, file, &warnings, &err), DN_OK);
    assert_non_null(strstr(heard.last, "column \"a_1\" is not checked"));
    assert_int_equal(warnings, 0);
    json_decref(file);
    json_decref(config);
}

static void test_warn_contract(void **state)
{
    const struct dn_transfer t = transfer(DN_ASSET_WARN);
    json_t *config = json_object();
    json_t *file = json_pack("[{s:s},{s:s}]", "name", "extra", "name", "note");
    struct dn_error err;
    int64_t warnings = 0;

    (void)state;
    dn_error_clear(&err);
    assert_int_equal(dn_contract_apply(&t, config, file, &warnings, &err), DN_OK);
    assert_int_equal(warnings, 1); /* "id" is required and missing */
    const json_t *options = dn_contract_options(config);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(options, "widened"), "note")), "string");
    assert_null(json_object_get(options, "types"));
    assert_null(json_object_get(options, "columns"));
    json_decref(file);
    json_decref(config);

    json_t *rows = json_pack("[{s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:s,s:i}]", "name", "id", "type",
                             "float64", "nulls", 2, "name", "note", "type", "string", "nulls", 5,
                             "name", "extra", "type", "date", "nulls", 1);
    assert_int_equal(dn_contract_review(&t, rows), 3); /* one type, two nulls */
    const struct dn_transfer strict = transfer(DN_ASSET_STRICT);
    assert_int_equal(dn_contract_review(&strict, rows), 0);
    json_decref(rows);
}

static void test_required_columns_lose_the_nullable_flag(void **state)
{
    struct ArrowSchema id = {.name = "id", .flags = ARROW_FLAG_NULLABLE};
    struct ArrowSchema note = {.name = "note", .flags = ARROW_FLAG_NULLABLE};
    struct ArrowSchema *list[] = {&id, &note};
    struct ArrowSchema schema = {.n_children = 2, .children = list};
    const struct dn_transfer warn = transfer(DN_ASSET_WARN);
    const struct dn_transfer strict = transfer(DN_ASSET_STRICT);

    (void)state;
    dn_contract_require(&warn, &schema);
    assert_int_equal(id.flags, ARROW_FLAG_NULLABLE);
    dn_contract_require(&strict, &schema);
    assert_int_equal(id.flags, 0);
    assert_int_equal(note.flags, ARROW_FLAG_NULLABLE);
}

static void test_null_counts_from_bitmaps(void **state)
{
    const uint8_t bits[] = {0xa5, 0x01}; /* 10100101 00000001, low bit first */
    const void *buffers[] = {bits};
    struct ArrowArray array = {.length = 9, .null_count = -1, .n_buffers = 1, .buffers = buffers};

    (void)state;
    assert_int_equal(dn_column_null_count(&array), 4);
    array.offset = 1;
    array.length = 7;
    assert_int_equal(dn_column_null_count(&array), 4);
    array.null_count = 3;
    assert_int_equal(dn_column_null_count(&array), 3);
    array.null_count = -1;
    buffers[0] = NULL;
    assert_int_equal(dn_column_null_count(&array), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_good_job, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recipe_options_stay_without_job_engine, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_directory_from_the_recipe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_keys_have_a_place_and_a_suggestion, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_open_files_refuse_near_misses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_options_have_a_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_variables_unset_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_this_version_cannot_do, setup, teardown),
        cmocka_unit_test_setup_teardown(test_assets_are_checked, setup, teardown),
        cmocka_unit_test(test_asset_types),
        cmocka_unit_test(test_which_types_are_found),
        cmocka_unit_test(test_which_types_hold_others),
        cmocka_unit_test(test_strict_contract),
        cmocka_unit_test(test_repeated_names),
        cmocka_unit_test(test_warn_contract),
        cmocka_unit_test(test_required_columns_lose_the_nullable_flag),
        cmocka_unit_test(test_null_counts_from_bitmaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
