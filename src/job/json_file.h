/** Files that hold one JSON value. */
#ifndef DN_JOB_JSON_FILE_H
#define DN_JOB_JSON_FILE_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/**
 * Write a value, indented, in ASCII; the file has its name when it is complete and durable.  Missing folders are made.
 * @param overwrite  what is there gives way; else it is DN_ERR_EXISTS
 * @param err        Not NULL.
 */
DN_NODISCARD enum dn_status dn_json_file_write(const char *path, const json_t *value,
                                               bool overwrite, struct dn_error *err);
/**
 * Read one object.
 * @param what  what it is, for messages
 * @param out   a new reference
 * @return DN_OK; DN_ERR_NOT_FOUND: there is no such file; DN_ERR_IO; DN_ERR_DATA: it holds no JSON object.
 */
DN_NODISCARD enum dn_status dn_json_file_read(const char *path, const char *what, json_t **out,
                                              struct dn_error *err);

#endif
