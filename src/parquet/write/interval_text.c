#include "parquet/write/interval_text.h"

#include "arrow/bits.h"
#include "base/memory.h"
#include "values/value_text.h"

/* One block: this, a view per row, a bit per row, the text. */
struct texts {
    struct dn_pq_made made;
    const void *buffer;
    int64_t len;
    struct dn_string_view views[];
};

static void put_view(struct dn_string_view *v, const char *text, size_t len, size_t offset)
{
    *v = (struct dn_string_view){.len = (int32_t)len};
    if (len <= DN_VIEW_INLINE) {
        memcpy(v->u.inlined, text, len);
    } else {
        memcpy(v->u.ref.prefix, text, sizeof v->u.ref.prefix);
        v->u.ref.offset = (int32_t)offset;
    }
}

enum dn_status dn_pq_interval_texts(struct dn_column_view *view, struct dn_pq_made **made,
                                    struct dn_error *err)
{
    const size_t n = (size_t)view->n_rows;
    const size_t room = dn_value_text_room(view->type);
    size_t size = 0;

    if (n > INT32_MAX / room || !dn_mul_size(n, sizeof(struct dn_string_view) + room + 1, &size) ||
        !dn_add_size(size, sizeof(struct texts) + room, &size)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "a batch of %zu rows with intervals is too large; append fewer rows at "
                            "a time",
                            n);
    }
    struct texts *t = dn_malloc(size);
    if (t == NULL) {
        return dn_error_memory(err, size);
    }
    uint8_t *validity = (uint8_t *)(t->views + n);
    char *text = (char *)validity + (n + 7) / 8;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const bool valid = dn_column_is_valid(view, (int64_t)i);
        const size_t len = valid ? dn_value_text(text + at, view, (int64_t)i) : 0;
        put_view(&t->views[i], text + at, len, at);
        at += len;
    }
    t->made = (struct dn_pq_made){*made, size};
    t->buffer = text;
    t->len = (int64_t)at;
    *made = &t->made;
    if (view->validity != NULL) {
        dn_bits_copy(validity, 0, view->validity, (size_t)view->offset, n);
        view->validity = validity;
    }
    view->offset = 0;
    view->type = DN_TYPE(UTF8_VIEW);
    view->layout = dn_type_layout(view->type);
    view->width = dn_type_width(view->type);
    view->values = t->views;
    view->variadic = &t->buffer;
    view->variadic_lens = &t->len;
    view->n_variadic = 1;
    view->longest_text = (int64_t)at;
    return DN_OK;
}

void dn_pq_made_free(struct dn_pq_made *made)
{
    while (made != NULL) {
        struct dn_pq_made *next = made->next;
        dn_free(made);
        made = next;
    }
}
