/* https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
#include "parquet/thrift/reader.h"

#include <inttypes.h>

static const char *type_name(unsigned type)
{
    static const char *const names[] = {"stop",   "bool",   "bool", "i8",  "i16", "i32",    "i64",
                                        "double", "binary", "list", "set", "map", "struct", "uuid"};

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

static enum dn_status located(const struct dn_thrift_reader *r, size_t pos, struct dn_error *err)
{
    dn_error_locate(err, NULL, -1, -1, (int64_t)(r->base + pos), NULL);
    return DN_ERR_DATA;
}

static enum dn_status fail_short(struct dn_thrift_reader *r, uint64_t wanted, struct dn_error *err)
{
    r->ran_out = true;
    dn_error_set(err, DN_ERR_DATA,
                 "%s is damaged at byte %" PRIu64 ": %" PRIu64
                 " more bytes are expected and %zu are left",
                 r->what, r->base + r->pos, wanted, r->len - r->pos);
    return located(r, r->pos, err);
}

static enum dn_status fail_type(const struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                const char *wanted, struct dn_error *err)
{
    dn_error_set(err, DN_ERR_DATA,
                 "%s is damaged at byte %" PRIu64 ": field %d is of type %s, not %s", r->what,
                 r->base + r->pos, f->id, type_name((unsigned)f->type), wanted);
    return located(r, r->pos, err);
}

void dn_thrift_reader_init(struct dn_thrift_reader *r, struct dn_span in, uint64_t base,
                           const char *what)
{
    *r = (struct dn_thrift_reader){.data = in.data, .len = in.len, .base = base, .what = what};
}

static enum dn_status read_byte(struct dn_thrift_reader *r, uint8_t *out, struct dn_error *err)
{
    if (r->pos == r->len) {
        return fail_short(r, 1, err);
    }
    *out = r->data[r->pos++];
    return DN_OK;
}

static enum dn_status read_varint(struct dn_thrift_reader *r, uint64_t max, uint64_t *out,
                                  struct dn_error *err)
{
    const size_t start = r->pos;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = 0;
        DN_TRY(read_byte(r, &byte, err));
        if (shift == 63 && (byte & 0x7e) != 0) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (value > max) {
                break;
            }
            *out = value;
            return DN_OK;
        }
    }
    r->pos = start;
    dn_error_set(err, DN_ERR_DATA, "%s is damaged at byte %" PRIu64 ": a number is out of range",
                 r->what, r->base + start);
    return located(r, start, err);
}

static enum dn_status read_zigzag(struct dn_thrift_reader *r, uint64_t max, int64_t *out,
                                  struct dn_error *err)
{
    uint64_t raw = 0;

    DN_TRY(read_varint(r, max, &raw, err));
    *out = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return DN_OK;
}

static enum dn_status deeper(struct dn_thrift_reader *r, struct dn_error *err)
{
    if (r->depth == DN_THRIFT_MAX_DEPTH) {
        dn_error_set(err, DN_ERR_DATA,
                     "%s is damaged at byte %" PRIu64 ": structures are nested more than %d deep",
                     r->what, r->base + r->pos, DN_THRIFT_MAX_DEPTH);
        return located(r, r->pos, err);
    }
    r->depth++;
    return DN_OK;
}

enum dn_status dn_thrift_begin(struct dn_thrift_reader *r, struct dn_thrift_field *f,
                               struct dn_error *err)
{
    *f = (struct dn_thrift_field){0};
    return deeper(r, err);
}

enum dn_status dn_thrift_next(struct dn_thrift_reader *r, struct dn_thrift_field *f,
                              struct dn_error *err)
{
    const size_t start = r->pos;
    uint8_t head = 0;
    int64_t id = 0;

    DN_TRY(read_byte(r, &head, err));
    const unsigned type = head & 15;
    if (type == DN_THRIFT_STOP) {
        f->type = DN_THRIFT_STOP;
        r->depth--;
        return DN_OK;
    }
    if ((head >> 4) != 0) {
        id = f->id + (head >> 4);
    } else {
        DN_TRY(read_zigzag(r, UINT16_MAX, &id, err));
    }
    if (type > DN_THRIFT_UUID || id > INT16_MAX) {
        dn_error_set(err, DN_ERR_DATA,
                     "%s is damaged at byte %" PRIu64 ": no field has id %" PRId64 " and type %u",
                     r->what, r->base + start, id, type);
        return located(r, start, err);
    }
    f->id = (int16_t)id;
    f->type = (enum dn_thrift_type)type;
    return DN_OK;
}

static enum dn_status take(struct dn_thrift_reader *r, uint64_t len, struct dn_span *out,
                           struct dn_error *err)
{
    if (len > r->len - r->pos) {
        return fail_short(r, len, err);
    }
    *out = (struct dn_span){r->data + r->pos, (size_t)len};
    r->pos += (size_t)len;
    return DN_OK;
}

static enum dn_status read_list_head(struct dn_thrift_reader *r, unsigned *element, uint64_t *n,
                                     struct dn_error *err)
{
    uint8_t head = 0;

    DN_TRY(read_byte(r, &head, err));
    *element = head & 15;
    *n = head >> 4;
    if (*n == 15) {
        DN_TRY(read_varint(r, INT32_MAX, n, err));
    }
    return DN_OK;
}

static enum dn_status skip_value(struct dn_thrift_reader *r, unsigned type, bool in_list,
                                 struct dn_error *err);

static enum dn_status skip_struct(struct dn_thrift_reader *r, struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        DN_TRY(skip_value(r, (unsigned)f.type, false, err));
    }
}

/* Every element takes at least one byte, so that a count beyond the input ends with it. */
static enum dn_status skip_list(struct dn_thrift_reader *r, struct dn_error *err)
{
    unsigned element = 0;
    uint64_t n = 0;

    DN_TRY(read_list_head(r, &element, &n, err));
    DN_TRY(deeper(r, err));
    for (uint64_t i = 0; i < n; i++) {
        DN_TRY(skip_value(r, element, true, err));
    }
    r->depth--;
    return DN_OK;
}

static enum dn_status skip_map(struct dn_thrift_reader *r, struct dn_error *err)
{
    uint64_t n = 0;
    uint8_t types = 0;

    DN_TRY(read_varint(r, INT32_MAX, &n, err));
    if (n == 0) {
        return DN_OK;
    }
    DN_TRY(read_byte(r, &types, err));
    DN_TRY(deeper(r, err));
    for (uint64_t i = 0; i < n; i++) {
        DN_TRY(skip_value(r, types >> 4, true, err));
        DN_TRY(skip_value(r, types & 15, true, err));
    }
    r->depth--;
    return DN_OK;
}

/* Recursion is bounded by DN_THRIFT_MAX_DEPTH. */
static enum dn_status skip_value(struct dn_thrift_reader *r, unsigned type, bool in_list,
                                 struct dn_error *err)
{
    struct dn_span ignored;
    uint64_t n = 0;

    switch (type) {
    case DN_THRIFT_TRUE:
    case DN_THRIFT_FALSE:
        return in_list ? take(r, 1, &ignored, err) : DN_OK;
    case DN_THRIFT_I8:
        return take(r, 1, &ignored, err);
    case DN_THRIFT_I16:
    case DN_THRIFT_I32:
    case DN_THRIFT_I64:
        return read_varint(r, UINT64_MAX, &n, err);
    case DN_THRIFT_DOUBLE:
        return take(r, 8, &ignored, err);
    case DN_THRIFT_BINARY:
        DN_TRY(read_varint(r, INT32_MAX, &n, err));
        return take(r, n, &ignored, err);
    case DN_THRIFT_LIST:
    case DN_THRIFT_SET:
        return skip_list(r, err);
    case DN_THRIFT_MAP:
        return skip_map(r, err);
    case DN_THRIFT_STRUCT:
        return skip_struct(r, err);
    case DN_THRIFT_UUID:
        return take(r, 16, &ignored, err);
    default:
        dn_error_set(err, DN_ERR_DATA, "%s is damaged at byte %" PRIu64 ": there is no type %u",
                     r->what, r->base + r->pos, type);
        return located(r, r->pos, err);
    }
}

enum dn_status dn_thrift_skip(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                              struct dn_error *err)
{
    return skip_value(r, (unsigned)f->type, false, err);
}

enum dn_status dn_thrift_read_bool(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                   bool *out, struct dn_error *err)
{
    if (f->type != DN_THRIFT_TRUE && f->type != DN_THRIFT_FALSE) {
        return fail_type(r, f, "bool", err);
    }
    *out = f->type == DN_THRIFT_TRUE;
    return DN_OK;
}

enum dn_status dn_thrift_read_i32(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                  int32_t *out, struct dn_error *err)
{
    int64_t value = 0;
    uint8_t byte = 0;

    if (f->type == DN_THRIFT_I8) {
        DN_TRY(read_byte(r, &byte, err));
        *out = byte < 128 ? byte : (int32_t)byte - 256;
        return DN_OK;
    }
    if (f->type != DN_THRIFT_I16 && f->type != DN_THRIFT_I32) {
        return fail_type(r, f, "i32", err);
    }
    DN_TRY(read_zigzag(r, UINT32_MAX, &value, err));
    *out = (int32_t)value;
    return DN_OK;
}

enum dn_status dn_thrift_read_i64(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                  int64_t *out, struct dn_error *err)
{
    if (f->type != DN_THRIFT_I64) {
        return fail_type(r, f, "i64", err);
    }
    return read_zigzag(r, UINT64_MAX, out, err);
}

enum dn_status dn_thrift_read_binary(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                     struct dn_span *out, struct dn_error *err)
{
    uint64_t len = 0;

    if (f->type != DN_THRIFT_BINARY) {
        return fail_type(r, f, "binary", err);
    }
    DN_TRY(read_varint(r, INT32_MAX, &len, err));
    return take(r, len, out, err);
}

enum dn_status dn_thrift_expect_struct(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                       struct dn_error *err)
{
    return f->type == DN_THRIFT_STRUCT ? DN_OK : fail_type(r, f, "struct", err);
}

enum dn_status dn_thrift_read_list(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                   enum dn_thrift_type element, size_t min_bytes, uint32_t *out_n,
                                   struct dn_error *err)
{
    const size_t start = r->pos;
    unsigned found = 0;
    uint64_t n = 0;

    if (f->type != DN_THRIFT_LIST) {
        return fail_type(r, f, "list", err);
    }
    DN_TRY(read_list_head(r, &found, &n, err));
    if (n > 0 && found != (unsigned)element) {
        dn_error_set(err, DN_ERR_DATA,
                     "%s is damaged at byte %" PRIu64 ": field %d is a list of %s, not of %s",
                     r->what, r->base + start, f->id, type_name(found),
                     type_name((unsigned)element));
        return located(r, start, err);
    }
    if (n > (r->len - r->pos) / min_bytes) {
        r->ran_out = true;
        dn_error_set(err, DN_ERR_DATA,
                     "%s is damaged at byte %" PRIu64 ": a list of %" PRIu64
                     " entries cannot fit into the %zu bytes left",
                     r->what, r->base + start, n, r->len - r->pos);
        return located(r, start, err);
    }
    *out_n = (uint32_t)n;
    return DN_OK;
}
