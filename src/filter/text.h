/** Sources of text in UTF-8, whatever it is packed with and in whatever encoding it is stored.  docs/store.md. */
#ifndef DN_FILTER_TEXT_H
#define DN_FILTER_TEXT_H

#include "base/pool.h"
#include "store/source.h"

#include <stdatomic.h>

/** All borrowed: it has to outlive the sources. */
struct dn_text_options {
    /** As iconv(3) or Python spell it; NULL: UTF-8, or what a byte order mark says. */
    const char *encoding;
    bool replace; /**< bytes that are no text in it become U+FFFD instead of failing */
    _Atomic int64_t *n_replaced;          /**< counts them; NULL: nobody wants to know */
    const struct dn_store_options *store; /**< what the connection says; NULL: nothing */
    const struct dn_executor
        *executor; /**< threads that may unpack; NULL, or while its submit is: the one that reads */
};

/** Is there such an encoding?  DN_ERR_INVALID names it. */
DN_NODISCARD enum dn_status dn_text_encoding_check(const char *encoding, struct dn_error *err);
/** As dn_source_open(), the bytes unpacked and in UTF-8.  A byte order mark in UTF-8 may stand in front of them. */
DN_NODISCARD enum dn_status dn_text_open(struct dn_source **out, const char *path,
                                         const struct dn_text_options *options,
                                         struct dn_stop *stop, struct dn_error *err);
/** As dn_source_open_again(), likewise.  What it replaces is not counted. */
DN_NODISCARD enum dn_status dn_text_open_again(struct dn_source **out, const char *path,
                                               const struct dn_text_options *options,
                                               struct dn_stop *stop, struct dn_error *err);

#endif
