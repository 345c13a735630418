#include "job/services.h"

#include "base/clock.h"
#include "base/os_process.h"
#include "job/events.h"

#include <string.h>

/* The reader gets one part in so many of the memory, the writer the rest. */
#define READER_SHARE 4
#define READER_DEFAULT ((uint64_t)64 << 20)

/* Readers are opened again, for a look and with other types: what does not depend on that is said once. */
static bool was_told(struct dn_services *s, const char *event_type)
{
    if (strcmp(event_type, "dialect") == 0) {
        return s->dialect_told;
    }
    bool *told = strcmp(event_type, "reader_options") == 0   ? &s->reader_options_told
                 : strcmp(event_type, "writer_options") == 0 ? &s->writer_options_told
                                                             : NULL;
    if (told == NULL) {
        return false;
    }
    const bool before = *told;
    *told = true;
    return before;
}

static void on_log(void *ctx, int32_t level, const char *event_type, const char *message)
{
    struct dn_services *s = ctx;
    const enum dn_event_level mapped = level >= DATIVO_LOG_ERROR     ? DN_EVENT_ERROR
                                       : level >= DATIVO_LOG_WARNING ? DN_EVENT_WARNING
                                       : level >= DATIVO_LOG_NOTE    ? DN_EVENT_NOTE
                                       : level >= DATIVO_LOG_INFO    ? DN_EVENT_DETAIL
                                                                     : DN_EVENT_DEBUG;

    if (event_type != NULL && was_told(s, event_type)) {
        return;
    }
    dn_events_emit(s->events, mapped, event_type != NULL ? event_type : "plugin", NULL, "%s",
                   message != NULL ? message : "");
}

static int32_t on_cancelled(void *ctx)
{
    const struct dn_services *s = ctx;
    return dn_events_cancelled(s->events) ? 1 : 0;
}

/* A plugin that waits tells this, so that whoever watches sees the time pass. */
static void on_progress(void *ctx, const struct dativo_progress *p)
{
    const struct dn_services *s = ctx;

    if (s->events != NULL && s->events->progress != NULL) {
        const struct dn_progress told = {
            .seconds = dn_clock_seconds() - s->started,
            .rows = p->rows_done,
            .bytes_in = p->bytes_done,
            .bytes_total = p->bytes_total,
            .peak_rss_bytes = dn_os_peak_rss_bytes(),
        };
        s->events->progress(s->events->ctx, &told);
    }
}

static int32_t on_submit(void *ctx, void (*fn)(void *arg), void *arg)
{
    const struct dn_services *s = ctx;
    return s->executor.submit(s->executor.ctx, fn, arg);
}

enum dn_status dn_services_init(struct dn_services *s, const struct dn_events *events,
                                uint32_t n_threads, uint64_t memory_bytes, struct dn_error *err)
{
    DN_TRY(dn_pool_create(&s->pool, n_threads, err));
    s->executor = dn_pool_executor(s->pool);
    s->events = events;
    s->started = dn_clock_seconds();
    const uint64_t reader_bytes = memory_bytes > 0 ? memory_bytes / READER_SHARE : READER_DEFAULT;
    s->reader_host = (struct dativo_host){
        .struct_size = sizeof s->reader_host,
        .n_threads = s->executor.n_threads,
        .ctx = s,
        .log = on_log,
        .cancelled = on_cancelled,
        .submit = on_submit,
        .memory_budget_bytes =
            memory_bytes / READER_SHARE, /* 0: its default, or what columns need */
        .memory_total_bytes = reader_bytes * READER_SHARE,
    };
    s->writer_host = s->reader_host;
    s->reader_host.progress = on_progress;
    s->writer_host.memory_budget_bytes = memory_bytes - memory_bytes / READER_SHARE;
    s->writer_host.memory_total_bytes = memory_bytes;
    return DN_OK;
}

void dn_services_finish(struct dn_services *s)
{
    dn_pool_destroy(s->pool);
    *s = (struct dn_services){0};
}
