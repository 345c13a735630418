#include "job/watch.h"

#include "job/events.h"

#define MAX_REMEMBERED 4096 /* behind them repetitions are counted and said again */

/* Whether this warning is a new one. */
static bool remember(struct dn_watch *w, const char *message)
{
    bool is_new = true;

    (void)pthread_mutex_lock(&w->lock);
    if (w->said != NULL && json_object_get(w->said, message) != NULL) {
        is_new = false;
    } else {
        w->warnings++;
        if (json_object_size(w->said) < MAX_REMEMBERED) {
            (void)json_object_set_new(w->said, message, json_null());
        }
    }
    (void)pthread_mutex_unlock(&w->lock);
    return is_new;
}

static void on_event(void *ctx, enum dn_event_level level, const char *type, const char *message,
                     const char *extra)
{
    struct dn_watch *w = ctx;

    if (level == DN_EVENT_WARNING && !remember(w, message)) {
        return;
    }
    if (w->outer != NULL && w->outer->event != NULL) {
        w->outer->event(w->outer->ctx, level, type, message, extra);
    }
}

static void on_progress(void *ctx, const struct dn_progress *now)
{
    const struct dn_watch *w = ctx;

    if (w->outer != NULL && w->outer->progress != NULL) {
        w->outer->progress(w->outer->ctx, now);
    }
}

static int on_cancelled(void *ctx)
{
    const struct dn_watch *w = ctx;

    return dn_events_cancelled(w->outer) ? 1 : 0;
}

void dn_watch_init(struct dn_watch *w, const struct dn_events *outer)
{
    *w = (struct dn_watch){
        .outer = outer,
        .events = {.ctx = w, .event = on_event, .progress = on_progress, .cancelled = on_cancelled},
        .said = json_object(), /* NULL: repetitions are said and counted again */
    };
    (void)pthread_mutex_init(&w->lock, NULL);
}

void dn_watch_finish(struct dn_watch *w)
{
    json_decref(w->said);
    (void)pthread_mutex_destroy(&w->lock);
}
