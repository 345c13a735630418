/** Which kind of source needs which built-in reader, and how a file shows what it is. */
#ifndef DN_JOB_CONNECTOR_H
#define DN_JOB_CONNECTOR_H

#include <stdbool.h>

#define DN_CONNECTOR_CSV "csv"
#define DN_CONNECTOR_PARQUET "parquet"
#define DN_CONNECTOR_POSTGRES "postgres"
#define DN_CONNECTOR_LOCAL "local"
#define DN_CONNECTOR_S3 "s3"
#define DN_CONNECTOR_MINIO "minio"
#define DN_CONNECTOR_ICEBERG "iceberg" /* without a catalog: its files alone */

/** Whether a source of a type is CSV, as one without a type is. */
bool dn_connector_is_csv(const char *type);

/** Whether a source of a type is a database, whose rows come over a connection: there are no files. */
bool dn_connector_is_database(const char *type);
/** The file name of the built-in reader for sources of a type; NULL: there is none. */
const char *dn_connector_reader(const char *type);
/** Whether targets of a type can be written. */
bool dn_connector_is_target(const char *type);
/** Whether they are objects in a bucket. */
bool dn_connector_is_bucket(const char *type);

enum dn_file_kind {
    DN_FILE_UNKNOWN =
        0, /**< it cannot be looked at without taking something away: a pipe, or it is not there */
    DN_FILE_PARQUET, /**< it begins as Parquet files do, and as no text does */
    DN_FILE_OTHER
};
/** By its first bytes.  "-" is standard input, which may be a file, too. */
enum dn_file_kind dn_file_kind(const char *path);
/** Whether a name promises Parquet: .parquet, .parq, .pq, in any case. */
bool dn_file_is_named_parquet(const char *path);

#endif
