/** For who makes a sink: what one is made of.  Who writes includes store/sink.h alone. */
#ifndef DN_STORE_SINK_CLASS_H
#define DN_STORE_SINK_CLASS_H

#include "store/sink.h"

enum dn_sink_state {
    DN_SINK_WRITING,
    DN_SINK_FINISHED,
    DN_SINK_COMMITTED,
    DN_SINK_FAILED /**< what is stored is unknown: only closing is legal */
};

/** Called in the order of store/sink.h, which sees to it.  A failure of `write` or `finish` is for good. */
struct dn_sink_class {
    enum dn_status (*write)(struct dn_sink *s, const void *data, size_t len, struct dn_error *err);
    enum dn_status (*spill_open)(const struct dn_sink *s, struct dn_spill **out,
                                 struct dn_error *err);
    enum dn_status (*finish)(struct dn_sink *s, struct dn_error *err);
    /** Of what gives way: not called without `overwrite`. */
    enum dn_status (*replaced_head)(struct dn_sink *s, uint8_t *head, size_t size, size_t *len,
                                    struct dn_error *err);
    /** NULL: what is not committed cannot be read. */
    enum dn_status (*reading_path)(const struct dn_sink *s, char out[DN_SINK_READING_PATH_SIZE],
                                   struct dn_error *err);
    enum dn_status (*commit)(struct dn_sink *s, struct dn_error *err);
    /** Take back what was not committed, and free what is the class's own and the memory of the sink. */
    void (*close)(struct dn_sink *s);
};

/** The beginning of every sink; the class's own members follow it. */
struct dn_sink {
    const struct dn_sink_class *class;
    char *path; /**< as it was given, owned */
    bool overwrite;
    uint64_t position; /**< bytes taken so far */
    enum dn_sink_state state;
};

/** Allocate `size` bytes, zeroed, for a sink of a class.  NULL and `err`: no memory. */
struct dn_sink *dn_sink_make(size_t size, const struct dn_sink_class *class, const char *path,
                             bool overwrite, struct dn_error *err);
/** Adds the place to an error about it. */
enum dn_status dn_sink_located(const struct dn_sink *s, enum dn_status st, struct dn_error *err);
/** DN_ERR_EXISTS. */
enum dn_status dn_sink_exists(const struct dn_sink *s, struct dn_error *err);

#endif
