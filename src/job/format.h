/** What a job writes: the key `file_format` of its target. */
#ifndef DN_JOB_FORMAT_H
#define DN_JOB_FORMAT_H

#include "base/arena.h"
#include "job/yaml.h"

/**
 * DN_FORMAT_PARQUET, also if nothing is said, or DN_FORMAT_CSV; with a custom_writer any word, which it is told, and which its file's name ends with.
 * @param out  a constant, or memory of the arena
 * @return DN_OK; DN_ERR_UNSUPPORTED, DN_ERR_CONFIG at its place; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_format_read(const char **out, const struct dn_yaml_doc *job,
                                           struct dn_arena *arena, struct dn_error *err);

#endif
