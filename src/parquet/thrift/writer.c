#include "parquet/thrift/writer.h"

static void put(struct dn_thrift_writer *w, const void *data, size_t len)
{
    if (w->status == DN_OK) {
        w->status = dn_buffer_append(w->out, data, len, w->err);
    }
}

static void put_byte(struct dn_thrift_writer *w, uint8_t byte)
{
    put(w, &byte, 1);
}

static void put_varint(struct dn_thrift_writer *w, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    if (value < 0x80) {
        put_byte(w, (uint8_t)value);
        return;
    }
    while (value >= 0x80) {
        bytes[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[n++] = (uint8_t)value;
    put(w, bytes, n);
}

static void put_zigzag(struct dn_thrift_writer *w, int64_t value)
{
    put_varint(w, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

/* A field header is one byte while ids ascend by at most 15, which is always so here; else the id follows in full. */
static void put_field(struct dn_thrift_writer *w, int16_t id, enum dn_thrift_type type)
{
    int16_t *last = &w->last_field[w->depth > 0 ? w->depth - 1 : 0];
    const int delta = id - *last;

    if (delta > 0 && delta <= 15) {
        put_byte(w, (uint8_t)((unsigned)delta << 4 | (unsigned)type));
    } else {
        put_byte(w, (uint8_t)type);
        put_zigzag(w, id);
    }
    *last = id;
}

void dn_thrift_init(struct dn_thrift_writer *w, struct dn_buffer *out, struct dn_error *err)
{
    memset(w, 0, sizeof *w);
    w->out = out;
    w->err = err;
    w->status = DN_OK;
}

enum dn_status dn_thrift_finish(struct dn_thrift_writer *w)
{
    if (w->status == DN_OK && w->depth != 0) {
        w->status = dn_error_set(w->err, DN_ERR_INTERNAL, "thrift: %u structs left open", w->depth);
    }
    return w->status;
}

void dn_thrift_struct_begin(struct dn_thrift_writer *w)
{
    if (w->depth == DN_THRIFT_WRITE_DEPTH) {
        if (w->status == DN_OK) {
            w->status = dn_error_set(w->err, DN_ERR_INTERNAL, "thrift: structs nest too deep");
        }
        return;
    }
    w->last_field[w->depth++] = 0;
}

void dn_thrift_struct_end(struct dn_thrift_writer *w)
{
    if (w->depth > 0) {
        w->depth--;
    }
    put_byte(w, DN_THRIFT_STOP);
}

void dn_thrift_field_struct(struct dn_thrift_writer *w, int16_t id)
{
    put_field(w, id, DN_THRIFT_STRUCT);
    dn_thrift_struct_begin(w);
}

void dn_thrift_field_empty_struct(struct dn_thrift_writer *w, int16_t id)
{
    dn_thrift_field_struct(w, id);
    dn_thrift_struct_end(w);
}

void dn_thrift_field_bool(struct dn_thrift_writer *w, int16_t id, bool value)
{
    put_field(w, id, value ? DN_THRIFT_TRUE : DN_THRIFT_FALSE);
}

void dn_thrift_field_i8(struct dn_thrift_writer *w, int16_t id, int8_t value)
{
    put_field(w, id, DN_THRIFT_I8);
    put_byte(w, (uint8_t)value);
}

void dn_thrift_field_i16(struct dn_thrift_writer *w, int16_t id, int16_t value)
{
    put_field(w, id, DN_THRIFT_I16);
    put_zigzag(w, value);
}

void dn_thrift_field_i32(struct dn_thrift_writer *w, int16_t id, int32_t value)
{
    put_field(w, id, DN_THRIFT_I32);
    put_zigzag(w, value);
}

void dn_thrift_field_i64(struct dn_thrift_writer *w, int16_t id, int64_t value)
{
    put_field(w, id, DN_THRIFT_I64);
    put_zigzag(w, value);
}

void dn_thrift_field_binary(struct dn_thrift_writer *w, int16_t id, const void *data, size_t len)
{
    put_field(w, id, DN_THRIFT_BINARY);
    dn_thrift_element_binary(w, data, len);
}

void dn_thrift_field_list(struct dn_thrift_writer *w, int16_t id, enum dn_thrift_type element,
                          size_t n)
{
    put_field(w, id, DN_THRIFT_LIST);
    if (n < 15) {
        put_byte(w, (uint8_t)(n << 4 | (size_t)element));
    } else {
        put_byte(w, (uint8_t)(0xf0U | (unsigned)element));
        put_varint(w, n);
    }
}

void dn_thrift_element_i32(struct dn_thrift_writer *w, int32_t value)
{
    put_zigzag(w, value);
}

void dn_thrift_element_binary(struct dn_thrift_writer *w, const void *data, size_t len)
{
    put_varint(w, len);
    if (len > 0) {
        put(w, data, len);
    }
}

void dn_thrift_raw(struct dn_thrift_writer *w, const void *data, size_t len)
{
    if (len > 0) {
        put(w, data, len);
    }
}
