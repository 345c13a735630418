#include "cli/conform_sample.h"

static const int64_t k_ids[] = {1, 2, 3};
static const int32_t k_offsets[] = {0, 3, 3, 8};
static const char k_text[] = "oneth\xc3\xa9"
                             "e";
static const uint8_t k_valid[] = {0x05}; /* the second name is null */

static void schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) {
            schema->children[i]->release(schema->children[i]);
        }
    }
    schema->release = NULL;
}

static void array_release(struct ArrowArray *array)
{
    if (array->private_data != NULL) {
        ++*(int *)array->private_data;
    }
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) {
            array->children[i]->release(array->children[i]);
        }
    }
    array->release = NULL;
}

void dn_sample_init(struct dn_sample *s)
{
    *s = (struct dn_sample){0};
    s->columns[0] = (struct ArrowSchema){.format = "l", .name = "id", .release = schema_release};
    s->columns[1] = (struct ArrowSchema){
        .format = "u", .name = "name", .flags = ARROW_FLAG_NULLABLE, .release = schema_release};
    s->id_buffers[1] = k_ids;
    s->name_buffers[0] = k_valid;
    s->name_buffers[1] = k_offsets;
    s->name_buffers[2] = k_text;
    s->arrays[0] = (struct ArrowArray){
        .length = 3, .n_buffers = 2, .buffers = s->id_buffers, .release = array_release};
    s->arrays[1] = (struct ArrowArray){.length = 3,
                                       .null_count = 1,
                                       .n_buffers = 3,
                                       .buffers = s->name_buffers,
                                       .release = array_release};
    for (size_t i = 0; i < 2; i++) {
        s->column_list[i] = &s->columns[i];
        s->array_list[i] = &s->arrays[i];
    }
    s->schema = (struct ArrowSchema){.format = "+s",
                                     .name = "",
                                     .n_children = 2,
                                     .children = s->column_list,
                                     .release = schema_release};
    s->batch = (struct ArrowArray){.length = 3,
                                   .n_buffers = 1,
                                   .buffers = s->no_buffers,
                                   .n_children = 2,
                                   .children = s->array_list,
                                   .release = array_release,
                                   .private_data = &s->n_released};
}

enum dn_verdict dn_sample_released_once(struct dn_conform *c, const struct dn_sample *s)
{
    static const char remedy[] =
        "call batch->release(batch) once its rows are taken, or have failed, and in close() at the "
        "latest: it sets release to NULL itself";

    if (s->n_released == 1 && s->batch.release == NULL) {
        return DN_VERDICT_PASS;
    }
    return s->n_released == 0
               ? DN_CONFORM_FAIL(c, remedy, "the batch was not released%s",
                                 s->batch.release == NULL ? ", and its release set to NULL" : "")
               : DN_CONFORM_FAIL(c, remedy, "the batch was released %d times%s", s->n_released,
                                 s->batch.release != NULL ? ", and the caller's left as it was"
                                                          : "");
}
