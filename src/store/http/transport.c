/* The thread that all transfers run on. */
#include "base/memory.h"
#include "base/thread.h"
#include "store/http/call.h"

/*
 * Never freed: the thread lasts as long as the process.  A child of fork() finds that of its parent, whose lock may be held for ever, and
 * makes one of its own.
 */
struct transport {
    struct dn_owner owner;
    const struct dn_curl *curl;
    CURLM *multi;
    pthread_mutex_t lock;
    struct dn_http_call *queue;
    bool started;
};

static _Atomic(struct transport *) current;

#define MOST_IDLE_CONNECTIONS 32L
#define IDLE_POLL_MS 60000
#define BUSY_POLL_MS 1000

static void finish(struct dn_http_call *call, CURLcode result)
{
    pthread_mutex_lock(&call->lock);
    call->result = result;
    call->has_headers = true;
    call->done = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock); /* the caller may free it from here on */
}

static void leave(struct transport *t, struct dn_http_call *call)
{
    if (call->in_multi) {
        (void)t->curl->multi_remove_handle(t->multi, call->easy);
        call->in_multi = false;
    }
}

static void fulfil(struct transport *t, struct dn_http_call *call)
{
    const bool start = call->wants_start;
    const bool resume = call->wants_resume;
    const bool end = call->wants_end;

    call->wants_start = call->wants_resume = call->wants_end = false;
    if (start && !end) {
        call->in_multi = t->curl->multi_add_handle(t->multi, call->easy) == CURLM_OK;
        if (!call->in_multi) {
            finish(call, CURLE_OUT_OF_MEMORY);
            return;
        }
    }
    if (end && !call->done) { /* only this thread sets it */
        leave(t, call);
        finish(call, CURLE_ABORTED_BY_CALLBACK);
    } else if (resume && call->in_multi) {
        (void)t->curl->easy_pause(call->easy, CURLPAUSE_CONT);
    }
}

/* All under the lock, so that a call which is not in the queue is not in use here either. */
static void fulfil_wishes(struct transport *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->queue != NULL) {
        struct dn_http_call *call = t->queue;
        t->queue = call->next;
        call->queued = false;
        fulfil(t, call);
    }
    pthread_mutex_unlock(&t->lock);
}

static void collect_results(struct transport *t)
{
    CURLMsg *message = NULL;
    int n_left = 0;

    while ((message = t->curl->multi_info_read(t->multi, &n_left)) != NULL) {
        struct dn_http_call *call = NULL;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        const CURLcode result = message->data.result;
        (void)t->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        leave(t, call);
        finish(call, result);
    }
}

static void *work(void *arg)
{
    struct transport *t = arg;
    int n_running = 0;

    for (;;) {
        fulfil_wishes(t);
        (void)t->curl->multi_perform(t->multi, &n_running);
        collect_results(t);
        (void)t->curl->multi_poll(t->multi, NULL, 0, n_running > 0 ? BUSY_POLL_MS : IDLE_POLL_MS,
                                  NULL);
    }
    return NULL;
}

static void transport_destroy(struct transport *t)
{
    if (t->multi != NULL) {
        (void)t->curl->multi_cleanup(t->multi);
    }
    pthread_mutex_destroy(&t->lock);
    dn_free(t);
}

static enum dn_status transport_create(struct transport **out, const struct dn_curl *curl,
                                       struct dn_error *err)
{
    struct transport *t = dn_calloc(1, sizeof(*t));

    if (t == NULL) {
        return dn_error_memory(err, sizeof(*t));
    }
    dn_owner_init(&t->owner);
    pthread_mutex_init(&t->lock, NULL);
    t->curl = curl;
    t->multi = curl->multi_init();
    if (t->multi == NULL) {
        transport_destroy(t);
        return dn_error_memory(err, sizeof(*t));
    }
    (void)curl->multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, MOST_IDLE_CONNECTIONS);
    (void)curl->multi_setopt(t->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    *out = t;
    return DN_OK;
}

/* The one of this process. */
static enum dn_status transport_get(struct transport **out, const struct dn_curl *curl,
                                    struct dn_error *err)
{
    struct transport *t = atomic_load(&current);

    *out = t;
    if (t != NULL && dn_owner_is_here(&t->owner)) {
        return DN_OK;
    }
    DN_TRY(transport_create(out, curl, err));
    if (!atomic_compare_exchange_strong(&current, &t, *out)) {
        transport_destroy(*out); /* another thread was first */
        *out = t;
    }
    return DN_OK;
}

/* Under the lock. */
static enum dn_status start_thread(struct transport *t, struct dn_error *err)
{
    pthread_t thread;

    if (t->started) {
        return DN_OK;
    }
    const int failure = dn_thread_start(&thread, "dn-http", work, t);
    if (failure != 0) {
        return dn_error_set_errno(err, DN_ERR_IO, failure,
                                  "no thread can be started for transfers over the network; raise "
                                  "the limit of processes (ulimit -u)");
    }
    (void)pthread_detach(thread);
    t->started = true;
    return DN_OK;
}

enum dn_status dn_http_transport_wish(struct dn_http_call *call, enum dn_http_wish wish,
                                      struct dn_error *err)
{
    struct transport *t = NULL;

    DN_TRY(transport_get(&t, call->curl, err));
    pthread_mutex_lock(&t->lock);
    const enum dn_status st = start_thread(t, err);
    if (st == DN_OK) {
        call->wants_start = call->wants_start || wish == DN_HTTP_START;
        call->wants_resume = call->wants_resume || wish == DN_HTTP_RESUME;
        call->wants_end = call->wants_end || wish == DN_HTTP_END;
        if (!call->queued) {
            call->queued = true;
            call->next = t->queue;
            t->queue = call;
        }
        (void)t->curl->multi_wakeup(t->multi);
    }
    pthread_mutex_unlock(&t->lock);
    return st;
}

void dn_http_transport_forget(struct dn_http_call *call)
{
    struct transport *t = atomic_load(&current);

    pthread_mutex_lock(&t->lock);
    for (struct dn_http_call **at = &t->queue; *at != NULL; at = &(*at)->next) {
        if (*at == call) {
            *at = call->next;
            call->queued = false;
            break;
        }
    }
    pthread_mutex_unlock(&t->lock);
}
