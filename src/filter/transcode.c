/* Encodings into UTF-8, by iconv(3). */
#include "filter/encoding.h"
#include "filter/filter.h"
#include "filter/text.h"

#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>

/* Output comes in pieces of at least so many bytes, which any character fits. */
#define ROOM ((size_t)64)
#define HELD_BACK ((size_t)24)     /* the most that iconv() keeps until it knows what follows */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+() "

struct transcoder {
    iconv_t cd;
    bool replace;
    _Atomic int64_t *n_replaced;
    size_t unit;  /* bytes of which characters are made: 1, 2 or 4 */
    bool shifts;  /* some bytes change what later ones are, until others do */
    bool flushed; /* the text has ended, and what iconv() held back was made */
    char name[DN_ENCODING_NAME_SIZE];
    uint8_t pending[ROOM]; /* made, and not handed out */
    size_t pending_at;
    size_t pending_len;
};

static enum dn_status unknown(const char *encoding, struct dn_error *err)
{
    return dn_error_set(
        err, DN_ERR_INVALID,
        "the encoding \"%.60s\" is not known here; `iconv -l` lists the names, utf-8, "
        "utf-16, latin1 and windows-1252 among them",
        encoding);
}

/* What iconv() says to `bytes` at the start of a text; true: it takes all of them and makes nothing. */
static bool swallows(iconv_t cd, const char *bytes, int *why)
{
    char *in = (char *)(uintptr_t)bytes; /* iconv only reads it */
    size_t left = strlen(bytes);
    char out[ROOM];
    char *at = out;
    size_t room = sizeof(out);

    *why = iconv(cd, &in, &left, &at, &room) == (size_t)-1 ? errno : 0;
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    return left == 0 && room == sizeof(out);
}

/* How the encoding is made is found by trying: it has too many names. */
static size_t unit_of(iconv_t cd)
{
    static const char *const letters[] = {"A", "AA"};
    int why;

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        (void)swallows(cd, letters[i], &why);
        if (why != EINVAL) {
            return i + 1;
        }
    }
    return 4;
}

/* Can it shift, as ISO-2022, EBCDIC and UTF-7 do with what is text elsewhere? */
static bool can_shift(iconv_t cd)
{
    static const char *const ways[] = {"\x1b$B", "\x1b$)A", "\x1b$)C", "\x0e", "+A"};
    bool found = false;
    int why;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        found |= swallows(cd, ways[i], &why);
    }
    return found;
}

static enum dn_status transcode_open(void **out_state, const void *how, struct dn_error *err)
{
    const struct dn_transcode *h = how;
    struct transcoder *t = dn_calloc(1, sizeof(*t));

    if (t == NULL) {
        return dn_error_memory(err, sizeof(*t));
    }
    (void)snprintf(t->name, sizeof(t->name), "%s", h->encoding);
    t->cd = iconv_open("UTF-8", t->name);
    if (t->cd == (iconv_t)-1 && errno == EINVAL) {
        dn_encoding_with_dashes(t->name);
        t->cd = iconv_open("UTF-8", t->name);
    }
    if (t->cd == (iconv_t)-1) {
        const enum dn_status st =
            errno == ENOMEM ? dn_error_memory(err, sizeof(*t)) : unknown(h->encoding, err);
        dn_free(t);
        return st;
    }
    t->replace = h->replace;
    t->n_replaced = h->n_replaced;
    t->unit = unit_of(t->cd);
    t->shifts = can_shift(t->cd);
    *out_state = t;
    return DN_OK;
}

static bool hand_out(struct transcoder *t, struct dn_filter_io *io)
{
    const size_t held = t->pending_len - t->pending_at;
    const size_t n = held < io->out_len - io->made ? held : io->out_len - io->made;

    memcpy(io->out + io->made, t->pending + t->pending_at, n);
    t->pending_at += n;
    io->made += n;
    return n > 0;
}

static void count(const struct transcoder *t)
{
    if (t->n_replaced != NULL) {
        (void)atomic_fetch_add(t->n_replaced, 1);
    }
}

/* iconv() takes bytes for characters behind U+10FFFF, the last one that UTF-8 has.  Where text[0, *end) ends without them. */
static uint8_t *replace_beyond(const struct transcoder *t, uint8_t *text, const uint8_t *end)
{
    uint8_t *to = text;

    for (const uint8_t *at = text; at < end;) {
        if (*at < 0xf4 || (*at == 0xf4 && at[1] < 0x90)) {
            *to++ = *at++;
            continue;
        }
        at += *at < 0xf8 ? 4 : *at < 0xfc ? 5 : 6;
        memcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        to += sizeof(REPLACEMENT) - 1;
        count(t);
    }
    return to;
}

/* What iconv() held back, since what follows could have changed it, as in windows-1258, goes behind *out. */
static void flush(struct transcoder *t, uint8_t **out)
{
    char *at = (char *)*out;
    size_t room = HELD_BACK;

    (void)iconv(t->cd, NULL, NULL, &at, &room);
    *out = (uint8_t *)at;
}

/* Bytes of what is no text. */
static size_t fault_len(const struct transcoder *t, uint8_t first, size_t left)
{
    /* ISO-2022 has shifted to pairs: else the first of these would be no fault */
    const bool pair = t->shifts && strstr(t->name, "2022") != NULL && first > ' ' && first < 0x7f;
    const size_t n = pair ? 2 : t->unit;

    return left < n ? left : n;
}

/* What stands at the front of the input is no text. */
static enum dn_status not_text(struct transcoder *t, struct dn_filter_io *io, size_t left,
                               uint8_t **out, struct dn_error *err)
{
    char bytes[3 * 4 + 1] = "";
    const size_t n = fault_len(t, io->in[io->used], left);

    if (!t->shifts) { /* which this would undo */
        flush(t, out);
    }
    if (t->replace) {
        memcpy(*out, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        *out += sizeof(REPLACEMENT) - 1;
        io->used += n;
        count(t);
        return DN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(bytes + 3 * i, 4, " %02x", io->in[io->used + i]);
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "the bytes%s are no text in %s; set the encoding of the file, or "
                        "the option on_invalid to replace",
                        bytes, t->name);
}

/* One call of iconv() into `out`, which has at least ROOM bytes; *end is where it got to. */
static enum dn_status convert(struct transcoder *t, struct dn_filter_io *io, uint8_t *out,
                              size_t room, uint8_t **end, struct dn_error *err)
{
    char *in = (char *)(uintptr_t)(io->in + io->used); /* iconv only reads it */
    size_t left = io->in_len - io->used;
    char *at = (char *)out;
    size_t free_bytes = room - HELD_BACK - (sizeof(REPLACEMENT) - 1); /* which may have to follow */

    const size_t result = iconv(t->cd, &in, &left, &at, &free_bytes);
    const int why = result == (size_t)-1 ? errno : 0;
    io->used = io->in_len - left;
    *end = t->replace ? replace_beyond(t, out, (uint8_t *)at) : (uint8_t *)at;
    if (why == EILSEQ || (why == EINVAL && io->in_end)) {
        return not_text(t, io, left, end, err);
    }
    return DN_OK;
}

static enum dn_status transcode_step(void *state, struct dn_filter_io *io, struct dn_error *err)
{
    struct transcoder *t = state;
    uint8_t *end = NULL;
    enum dn_status st;

    if (hand_out(t, io)) {
        return DN_OK;
    }
    if (io->in_len == 0) {
        if (io->in_end && !t->flushed) {
            end = t->pending;
            flush(t, &end);
            t->flushed = true;
            t->pending_at = 0;
            t->pending_len = (size_t)(end - t->pending);
            (void)hand_out(t, io);
        }
        io->member_ended = io->in_end && t->pending_at == t->pending_len;
        return DN_OK;
    }
    if (io->out_len >= ROOM) {
        st = convert(t, io, io->out, io->out_len, &end, err);
        io->made = (size_t)(end - io->out);
    } else {
        st = convert(t, io, t->pending, sizeof(t->pending), &end, err);
        t->pending_at = 0;
        t->pending_len = (size_t)(end - t->pending);
        (void)hand_out(t, io);
    }
    /* what is in front of a fault goes out first: then its place is known */
    return io->made > 0 ? DN_OK : st;
}

/* NULL is allowed. */
static void transcode_close(void *state)
{
    struct transcoder *t = state;

    if (t != NULL) {
        (void)iconv_close(t->cd);
        dn_free(t);
    }
}

const struct dn_filter_class dn_filter_transcode = {
    .name = "text", .open = transcode_open, .step = transcode_step, .close = transcode_close};

enum dn_status dn_text_encoding_check(const char *encoding, struct dn_error *err)
{
    struct dn_transcode how = {0};
    char name[DN_ENCODING_NAME_SIZE];
    void *state = NULL;

    /* "//" and what follows it would tell iconv to drop or to guess characters; a name of which it takes nothing is that of the locale */
    if (!isalnum((unsigned char)encoding[0]) || strlen(encoding) >= sizeof(name) ||
        strspn(encoding, NAME_BYTES) != strlen(encoding)) {
        return unknown(encoding, err);
    }
    how.encoding = dn_encoding_name(name, encoding);
    DN_TRY(transcode_open(&state, &how, err));
    transcode_close(state);
    return DN_OK;
}
