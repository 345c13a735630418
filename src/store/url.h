/**
 * Which place a name means: a path, standard input or output, an object of an S3 service, or an address of the web.
 *
 *   a/b.csv  C:\x  odd:name     a path, taken as it is; so is `file:/x`, which has one slash
 *   -                           standard input or output
 *   file:///a/b%20c.csv         a path, percent-decoded; the host is empty or `localhost`
 *   s3://bucket/key             the key is taken as it is: nothing is decoded, `?`, `#` and `%` are letters of it
 *   http://... https://...      sent as it is; bytes outside ASCII are percent-encoded
 *
 * Schemes are told without case.  `word://` of any other word is refused, with what to write instead, and
 * so is one with a blank or a quote in front.
 */
#ifndef DN_STORE_URL_H
#define DN_STORE_URL_H

#include "base/buffer.h"

#include <stdbool.h>

enum dn_url_kind {
    DN_URL_PATH = 0,
    DN_URL_STANDARD,
    DN_URL_S3,
    DN_URL_HTTP,
};

/** Texts that do not belong to the kind are NULL.  All are owned; zero-initialise, or let dn_url_parse() do it. */
struct dn_url {
    enum dn_url_kind kind;
    bool secure;  /**< DN_URL_HTTP: https */
    char *path;   /**< DN_URL_PATH */
    char *bucket; /**< DN_URL_S3 */
    char *
        key; /**< DN_URL_S3: may be empty, or end in '/' for a folder; at most 1024 bytes of UTF-8 */
    char *address; /**< DN_URL_HTTP: what is asked for, without a fragment */
    char *
        shown; /**< every kind: the name for messages, without the query of a web address, which may be a secret */
};

/** The kind alone, without looking whether the rest is well-formed; names that are refused count as DN_URL_PATH.  NULL: a path. */
enum dn_url_kind dn_url_kind_of(const char *name);
/** Is it on another machine: at S3 or on the web? */
bool dn_url_is_remote(const char *name);
/**
 * The length of `word` in `word://`, at least two letters so that a drive is none; 0: there is no scheme.  Java writes two words,
 * `jdbc:postgresql://`, and secrets behind them.
 */
size_t dn_url_scheme_len(const char *name);

/**
 * `word://` at the beginning of a name, with what may stand in front of it by mistake, a blank or a quote: its length without `://`.
 * 0: there is none, or a folder is in front of it.
 */
size_t dn_url_address_len(const char *name);

/**
 * What of a name is for everybody: its bytes [0, scheme) and [host, end).  Between them are a user and a password, of whatever scheme, and
 * behind them the query; either may be a secret.  Of a path, a file:// and the key of an object all is shown,
 * but a path whose first folder ends in a colon could be an address that was written wrongly.
 */
struct dn_url_open {
    size_t scheme;
    size_t host;
    size_t end;
};
struct dn_url_open dn_url_open_of(const char *name);

/**
 * Take a name apart.  DN_ERR_INVALID: an S3 name without bucket or with one that cannot be, a host that cannot be, a user or a
 * password in it (which the message does not repeat), a scheme that is none of ours; DN_ERR_MEMORY.  *out holds nothing then.
 */
DN_NODISCARD enum dn_status dn_url_parse(struct dn_url *out, const char *name,
                                         struct dn_error *err);
void dn_url_finish(struct dn_url *u);

/** Append `text` percent-encoded as RFC 3986 has it: all but A-Z a-z 0-9 - . _ ~ become %XX.  `keep` holds more bytes that stay. */
DN_NODISCARD enum dn_status dn_url_encode(struct dn_buffer *out, const char *text, const char *keep,
                                          struct dn_error *err);
/** Decode %XX in place; returns false, with the text half done, if one is cut, no hexadecimal number, or %00. */
bool dn_url_decode(char *text);

#endif
