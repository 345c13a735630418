#include "parquet/verify/meta.h"

#include "simd/kernels.h"

#include <inttypes.h>

/* Field of every struct for extensions: BinaryProtocolExtensions.md. */
#define EXTENSION_ID 32767
#define MOST_ID 31 /* a bit of dn_pv_head.has each */

static enum dn_status read_struct(struct dn_pv_meta_reader *m, const struct dn_pv_struct_type *type,
                                  void *out, struct dn_error *err);

void dn_pv_meta_start(struct dn_pv_meta_reader *m, struct dn_span in, uint64_t base,
                      const char *what, struct dn_arena *arena, struct dn_pv_findings *findings,
                      const struct dn_pv_place *place)
{
    *m = (struct dn_pv_meta_reader){.arena = arena, .findings = findings, .place = *place};
    m->memory_left = (in.len + 64) * DN_PV_MAX_GROWTH; /* of a footer, a page header or an index */
    dn_thrift_reader_init(&m->thrift, in, base, what);
}

static struct dn_pv_place here(const struct dn_pv_meta_reader *m, size_t pos)
{
    struct dn_pv_place place = m->place;

    place.byte = (int64_t)(m->thrift.base + pos);
    return place;
}

static unsigned wire_type(enum dn_pv_kind kind)
{
    static const uint8_t types[] = {
        [DN_PV_BOOL] = DN_THRIFT_TRUE,     [DN_PV_I8] = DN_THRIFT_I8,
        [DN_PV_I16] = DN_THRIFT_I16,       [DN_PV_I32] = DN_THRIFT_I32,
        [DN_PV_I64] = DN_THRIFT_I64,       [DN_PV_DOUBLE] = DN_THRIFT_DOUBLE,
        [DN_PV_BINARY] = DN_THRIFT_BINARY, [DN_PV_TEXT] = DN_THRIFT_BINARY,
        [DN_PV_ENUM] = DN_THRIFT_I32,      [DN_PV_STRUCT] = DN_THRIFT_STRUCT,
        [DN_PV_LIST] = DN_THRIFT_LIST};

    return types[kind];
}

static bool has_type(enum dn_pv_kind kind, unsigned found)
{
    return found == wire_type(kind) || (kind == DN_PV_BOOL && found == DN_THRIFT_FALSE);
}

static size_t item_size(const struct dn_pv_field_type *field)
{
    switch (field->element) {
    case DN_PV_BOOL:
        return sizeof(bool);
    case DN_PV_I64:
        return sizeof(int64_t);
    case DN_PV_BINARY:
    case DN_PV_TEXT:
        return sizeof(struct dn_span);
    case DN_PV_STRUCT:
        return field->type->size;
    default:
        return sizeof(int32_t);
    }
}

static void check_enum(const struct dn_pv_meta_reader *m, const struct dn_pv_field_type *field,
                       int32_t value, size_t start)
{
    const struct dn_pv_place at = here(m, start);

    if (value < 0 || value > MOST_ID || (field->values >> value & 1) == 0) {
        dn_pv_error(m->findings, &at, "thrift.enum", "%s is %" PRId32 ", which has no meaning",
                    field->name, value);
    }
}

static void check_text(const struct dn_pv_meta_reader *m, const struct dn_pv_field_type *field,
                       struct dn_span text, size_t start)
{
    const struct dn_pv_place at = here(m, start);

    if (dn_kernels_selected()->utf8_valid_prefix(text.data, text.len) != text.len) {
        dn_pv_error(m->findings, &at, "thrift.utf8", "%s is not UTF-8", field->name);
    }
}

static enum dn_status read_double(struct dn_thrift_reader *r, double *out, struct dn_error *err)
{
    if (r->len - r->pos < sizeof *out) {
        return dn_error_set(err, DN_ERR_DATA, "%s ends within a number at byte %" PRIu64, r->what,
                            r->base + r->pos);
    }
    memcpy(out, r->data + r->pos, sizeof *out);
    r->pos += sizeof *out;
    return DN_OK;
}

/* A boolean of a list is a byte: 1, or 2 (some write 0) for false. */
static enum dn_status read_listed_bool(struct dn_pv_meta_reader *m, bool *out, struct dn_error *err)
{
    struct dn_thrift_reader *r = &m->thrift;
    const struct dn_pv_place at = here(m, r->pos);

    if (r->pos == r->len) {
        return dn_error_set(err, DN_ERR_DATA, "%s ends within a list at byte %" PRIu64, r->what,
                            r->base + r->pos);
    }
    const uint8_t byte = r->data[r->pos++];
    *out = byte == 1;
    if (byte > 2) {
        dn_pv_error(m->findings, &at, "thrift.bool", "a boolean is stored as %u", byte);
    }
    return DN_OK;
}

/* One value whose type in the file is right; `is_item` in a list. */
static enum dn_status read_value(struct dn_pv_meta_reader *m, const struct dn_pv_field_type *field,
                                 enum dn_pv_kind kind, const struct dn_thrift_field *f,
                                 bool is_item, void *out, struct dn_error *err)
{
    struct dn_thrift_reader *r = &m->thrift;
    const size_t start = r->pos;

    switch (kind) {
    case DN_PV_BOOL:
        return is_item ? read_listed_bool(m, out, err) : dn_thrift_read_bool(r, f, out, err);
    case DN_PV_I64:
        return dn_thrift_read_i64(r, f, out, err);
    case DN_PV_DOUBLE:
        return read_double(r, out, err);
    case DN_PV_BINARY:
        return dn_thrift_read_binary(r, f, out, err);
    case DN_PV_TEXT:
        DN_TRY(dn_thrift_read_binary(r, f, out, err));
        check_text(m, field, *(struct dn_span *)out, start);
        return DN_OK;
    case DN_PV_STRUCT:
        return read_struct(m, field->type, out, err);
    case DN_PV_ENUM:
        DN_TRY(dn_thrift_read_i32(r, f, out, err));
        check_enum(m, field, *(int32_t *)out, start);
        return DN_OK;
    default:
        return dn_thrift_read_i32(r, f, out, err);
    }
}

static enum dn_status allocate(struct dn_pv_meta_reader *m, size_t size, void **out,
                               struct dn_error *err)
{
    if (size > m->memory_left) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s at byte %" PRIu64 " holds lists of structs without fields",
                            m->thrift.what, m->thrift.base + m->thrift.pos);
    }
    m->memory_left -= size;
    *out = dn_arena_alloc(m->arena, size);
    return *out != NULL ? DN_OK : dn_error_memory(err, size);
}

static enum dn_status read_list(struct dn_pv_meta_reader *m, const struct dn_pv_field_type *field,
                                const struct dn_thrift_field *f, struct dn_pv_list *out,
                                struct dn_error *err)
{
    struct dn_thrift_reader *r = &m->thrift;
    const struct dn_pv_place at = here(m, r->pos);
    const size_t size = item_size(field);
    uint32_t n = 0;

    if (r->pos < r->len && r->data[r->pos] >> 4 != 0 &&
        !has_type(field->element, r->data[r->pos] & 15U)) {
        dn_pv_error(m->findings, &at, "thrift.type", "%s is a list of another type (%u)",
                    field->name, r->data[r->pos] & 15U);
        return dn_thrift_skip(r, f, err);
    }
    const struct dn_thrift_field item = {.id = f->id,
                                         .type =
                                             r->pos < r->len && r->data[r->pos] >> 4 != 0
                                                 ? (enum dn_thrift_type)(r->data[r->pos] & 15U)
                                                 : (enum dn_thrift_type)wire_type(field->element)};
    DN_TRY(dn_thrift_read_list(r, f, item.type, 1, &n, err));
    DN_TRY(allocate(m, n * size, &out->items, err));
    out->n = n;
    for (uint32_t i = 0; i < n; i++) {
        DN_TRY(read_value(m, field, field->element, &item, true, (uint8_t *)out->items + i * size,
                          err));
    }
    return DN_OK;
}

static const struct dn_pv_field_type *find(const struct dn_pv_struct_type *type, int16_t id)
{
    for (uint16_t i = 0; i < type->n_fields; i++) {
        if (type->fields[i].id == id) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static void check_complete(const struct dn_pv_meta_reader *m, const struct dn_pv_struct_type *type,
                           uint32_t has, const struct dn_pv_place *at, bool has_unknown)
{
    for (uint16_t i = 0; i < type->n_fields; i++) {
        if (type->fields[i].required && (has >> type->fields[i].id & 1) == 0) {
            dn_pv_error(m->findings, at, "thrift.required", "%s has no %s", type->name,
                        type->fields[i].name);
        }
    }
    if (type->is_union && !has_unknown && (has == 0 || (has & (has - 1)) != 0)) {
        dn_pv_error(m->findings, at, "thrift.union", "%s holds %s", type->name,
                    has == 0 ? "nothing" : "more than one thing");
    }
}

/* Readers ignore what they do not know, so that the format can grow; here it is at least told. */
static enum dn_status skip_unknown(struct dn_pv_meta_reader *m,
                                   const struct dn_pv_struct_type *type,
                                   const struct dn_thrift_field *f, size_t start, bool wrong_type,
                                   struct dn_error *err)
{
    const struct dn_pv_place at = here(m, start);

    if (wrong_type) {
        dn_pv_error(m->findings, &at, "thrift.type", "field %d of %s has another type (%u)", f->id,
                    type->name, (unsigned)f->type);
    } else if (f->id != EXTENSION_ID || f->type != DN_THRIFT_BINARY) {
        dn_pv_note(m->findings, &at, "thrift.unknown", "field %d of %s is not known", f->id,
                   type->name);
    }
    return dn_thrift_skip(&m->thrift, f, err);
}

static enum dn_status read_field(struct dn_pv_meta_reader *m, const struct dn_pv_struct_type *type,
                                 const struct dn_thrift_field *f, size_t start, uint8_t *out,
                                 struct dn_pv_head *head, bool *has_unknown, struct dn_error *err)
{
    const struct dn_pv_field_type *field = find(type, f->id);

    if (field == NULL || !has_type(field->kind, (unsigned)f->type)) {
        *has_unknown = *has_unknown || (field == NULL && f->id != EXTENSION_ID);
        return skip_unknown(m, type, f, start, field != NULL, err);
    }
    if ((head->has >> field->id & 1) != 0) {
        const struct dn_pv_place at = here(m, start);
        dn_pv_error(m->findings, &at, "thrift.duplicate", "%s of %s stands there twice",
                    field->name, type->name);
    }
    head->has |= (uint32_t)1 << field->id;
    if (field->kind == DN_PV_LIST) {
        return read_list(m, field, f, (struct dn_pv_list *)(void *)(out + field->offset), err);
    }
    return read_value(m, field, field->kind, f, false, out + field->offset, err);
}

/* The end of a struct is a byte 0; readers look at its lower half alone. */
static void check_stop(const struct dn_pv_meta_reader *m, const struct dn_pv_struct_type *type,
                       size_t start)
{
    const struct dn_pv_place at = here(m, start);

    if (m->thrift.data[start] != 0) {
        dn_pv_error(m->findings, &at, "thrift.stop", "%s ends with a byte %u", type->name,
                    m->thrift.data[start]);
    }
}

/* Recursion is bounded by the tables. */
static enum dn_status read_struct(struct dn_pv_meta_reader *m, const struct dn_pv_struct_type *type,
                                  void *out, struct dn_error *err)
{
    struct dn_thrift_reader *r = &m->thrift;
    struct dn_pv_head head = {.at = r->base + r->pos};
    const struct dn_pv_place at = here(m, r->pos);
    struct dn_thrift_field f;
    bool has_unknown = false;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        const size_t start = r->pos;
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            check_stop(m, type, start);
            break;
        }
        DN_TRY(read_field(m, type, &f, start, out, &head, &has_unknown, err));
    }
    check_complete(m, type, head.has, &at, has_unknown);
    *(struct dn_pv_head *)out = head; /* last: the members of unions lie in the same place */
    return DN_OK;
}

enum dn_status dn_pv_meta_read(struct dn_pv_meta_reader *m, const struct dn_pv_struct_type *type,
                               void *out, struct dn_error *err)
{
    return read_struct(m, type, out, err);
}

enum dn_status dn_pv_struct_length(struct dn_span in, uint64_t base, const char *what, size_t *out,
                                   bool *out_ran_out, struct dn_error *err)
{
    const struct dn_thrift_field f = {.type = DN_THRIFT_STRUCT};
    struct dn_thrift_reader r;

    dn_thrift_reader_init(&r, in, base, what);
    const enum dn_status st = dn_thrift_skip(&r, &f, err);
    *out_ran_out = r.ran_out;
    *out = r.pos;
    return st;
}
