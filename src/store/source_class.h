/** For who makes a source: what one is made of.  Who reads includes store/source.h alone. */
#ifndef DN_STORE_SOURCE_CLASS_H
#define DN_STORE_SOURCE_CLASS_H

#include "store/source.h"

struct dn_source_class {
    /** dn_source_read(). */
    enum dn_status (*read)(struct dn_source *s, void *buf, size_t size, size_t *got,
                           struct dn_error *err);
    /** dn_source_read_at(), where `can_read_at` is set. */
    enum dn_status (*read_at)(struct dn_source *s, uint64_t offset, void *buf, size_t size,
                              size_t *got, struct dn_error *err);
    /** dn_source_peek_cached() and dn_source_pass(); NULL: nothing is ever there. */
    bool (*peek_cached)(struct dn_source *s, void *buf, size_t size);
    void (*pass)(struct dn_source *s, const void *buf, size_t size);
    /** dn_source_range(), where bytes in front need not be read; NULL: they have to be. */
    enum dn_status (*range)(struct dn_source *s, uint64_t from, uint64_t to, struct dn_error *err);
    /** dn_source_check(); NULL: it cannot change. */
    enum dn_status (*check)(const struct dn_source *s, enum dn_source_change *out,
                            struct dn_error *err);
    /** Free what is the class's own, and the memory of the source itself. */
    void (*close)(struct dn_source *s);
};

/** The beginning of every source; the class's own members follow it. */
struct dn_source {
    const struct dn_source_class *class;
    char *path;           /**< as it was given, owned */
    struct dn_stop *stop; /**< borrowed; NULL: nobody can end a wait */
    int64_t size;         /**< of what is read; -1: unknown */
    int64_t stored_size;  /**< of what is stored; -1: unknown */
    int64_t stored_read;  /**< stored bytes that were read in order */
    bool can_read_at;
    bool can_reopen;
    struct dn_source_identity identity; /**< all zero: none */
};

/** Allocate `size` bytes, zeroed, for a source of a class whose sizes are not known yet.  NULL and `err`: no memory. */
struct dn_source *dn_source_make(size_t size, const struct dn_source_class *class, const char *path,
                                 struct dn_stop *stop, struct dn_error *err);
/** An error about it: "'PATH': ..." is the caller's to write; this adds the place. */
enum dn_status dn_source_located(const struct dn_source *s, enum dn_status st,
                                 struct dn_error *err);
/** DN_ERR_CANCELLED. */
enum dn_status dn_source_stopped(const struct dn_source *s, struct dn_error *err);

#endif
