/**
 * Where the files of a plan stand: a folder of this machine or of a shared file system, or objects below a prefix of a bucket.
 * What is `staged` is below `_staging-<id>/` of it.  Threads: read(), mark() and put() may be called by several at a time.
 */
#ifndef DN_JOB_PARTS_PLACE_H
#define DN_JOB_PARTS_PLACE_H

#include "job/parts_internal.h"

struct dn_parts_place;

struct dn_parts_place_class {
    /** One object; DN_ERR_NOT_FOUND, DN_ERR_DATA: it is none; what keeps it from being read. */
    enum dn_status (*read)(struct dn_parts_place *l, bool staged, const char *name, json_t **out,
                           struct dn_error *err);
    /** It has its name when it is complete; what is there gives way. */
    enum dn_status (*write)(struct dn_parts_place *l, bool staged, const char *name,
                            const json_t *value, struct dn_error *err);
    /** {name: {"bytes", and "etag" of an object}} of what is there, folders left out; a new reference.  Nothing is there: {}. */
    enum dn_status (*list)(struct dn_parts_place *l, bool staged, json_t **out,
                           struct dn_error *err);
    /** {"bytes","crc32c"} of a file, which is read for that, {"bytes","etag"} of an object; DN_ERR_NOT_FOUND. */
    enum dn_status (*mark)(struct dn_parts_place *l, bool staged, const char *name, json_t **out,
                           struct dn_error *err);
    /** Give a staged part its final name.  @param mark  what it is, or nothing is done; it may have its name already. */
    enum dn_status (*put)(struct dn_parts_place *l, const char *name, const json_t *mark,
                          struct dn_error *err);
    /** All names that were given are safe. */
    enum dn_status (*sync)(struct dn_parts_place *l, struct dn_error *err);
    /** DN_OK too if there is none. */
    enum dn_status (*remove)(struct dn_parts_place *l, bool staged, const char *name,
                             struct dn_error *err);
    /** What is staged goes, whatever it is, and what was begun and is in no list. */
    enum dn_status (*clear)(struct dn_parts_place *l, struct dn_error *err);
    /**
     * Of a folder: wait for commits and aborts that are under way, and keep others out.  Of a bucket: only commits of other plans are kept out
     * (DN_ERR_EXISTS), until the claim is given up, also if this process is killed.
     */
    enum dn_status (*claim)(struct dn_parts_place *l, struct dn_error *err);
    /** @param is_over  nothing of a commit is left half done */
    void (*release)(struct dn_parts_place *l, bool is_over);
    void (*close)(struct dn_parts_place *l);
};

struct dn_parts_place {
    const struct dn_parts_place_class *class;
    const struct dn_parts *plan;    /**< borrowed */
    const struct dn_events *events; /**< borrowed */
};

/** The one of a plan, which outlives it.  Nothing is asked yet. */
DN_NODISCARD enum dn_status dn_parts_place_open(struct dn_parts_place **out,
                                                const struct dn_parts *p,
                                                const struct dn_events *events,
                                                struct dn_error *err);
/** NULL is allowed. */
void dn_parts_place_close(struct dn_parts_place *l);
DN_NODISCARD enum dn_status dn_parts_folder_open(struct dn_parts_place **out, struct dn_error *err);
DN_NODISCARD enum dn_status dn_parts_bucket_open(struct dn_parts_place **out,
                                                 const struct dn_parts *p, struct dn_error *err);

#define DN_PARTS_NAME_SIZE 64
/** "part-00007-ID.parquet", "part-00007-ID.json" */
void dn_parts_part_name(char out[DN_PARTS_NAME_SIZE], const struct dn_parts *p, size_t index);
void dn_parts_manifest_name(char out[DN_PARTS_NAME_SIZE], const struct dn_parts *p, size_t index);
/** Is the result there, complete? */
DN_NODISCARD enum dn_status dn_parts_is_committed(struct dn_parts_place *l, bool *out,
                                                  struct dn_error *err);
/** Is a file that says a plan, such as _SUCCESS, there, and of this one? */
DN_NODISCARD enum dn_status dn_parts_is_own(struct dn_parts_place *l, const char *name, bool *out,
                                            struct dn_error *err);
/** DN_ERR_EXISTS if the place has files that are no part of this result: rows of two would look like those of one. */
DN_NODISCARD enum dn_status dn_parts_check_place(struct dn_parts_place *l, struct dn_error *err);

/**
 * Call each(ctx, i) for all i below n, by a few threads at a time, until one fails; its failure.  None is called any more once this returns.
 */
DN_NODISCARD enum dn_status
dn_parts_each(size_t n, enum dn_status (*each)(void *ctx, size_t i, struct dn_error *err),
              void *ctx, struct dn_error *err);

#endif
