/* A look at the source without a transfer: its columns, and what the reader sees in it. */
#include "job/events.h"
#include "job/json_text.h"
#include "job/names.h"
#include "job/session.h"
#include "job/watch.h"

static enum dn_status explain(const struct dn_session *s, const char *what, json_t **out,
                              struct dn_error *err)
{
    struct dn_buffer config = {0};
    struct dativo_error e;
    char *text = NULL;
    enum dn_status st = dn_json_write(s->t->reader_config, &config, err);

    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const int32_t code =
            s->rv->explain((const char *)config.data, what, &s->services.reader_host, &text, &e);
        if (code != DATIVO_OK) {
            st = dn_plugin_error_take(err, &e, code, "the reader could not look at the source");
        }
    }
    dn_buffer_finish(&config);
    DN_TRY(st);
    *out = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    dn_plugin_text_free(&s->reader_plugin, text);
    if (*out == NULL) {
        return dn_error_set(err, DN_ERR_INTERNAL,
                            "%s: what the reader tells of the source is not JSON",
                            s->reader_plugin.path);
    }
    json_t *columns = json_object_get(*out, "columns");
    return columns != NULL ? dn_schema_name_columns(columns, err) : DN_OK;
}

static enum dn_status ask_to_explain(const struct dn_session *s, const char *what, json_t **out,
                                     struct dn_error *err)
{
    return DN_PLUGIN_HAS(s->rv, explain)
               ? explain(s, what, out, err)
               : dn_error_set(
                     err, DN_ERR_UNSUPPORTED,
                     "%s: this reader does not tell what it sees in a source; leave --why and "
                     "--sniff out, which are of CSV",
                     s->reader_plugin.path);
}

static enum dn_status probe(const struct dn_session *s, const char *what, json_t **out,
                            struct dn_error *err)
{
    (void)what;
    return dn_session_probe(s, s->t->reader_config, out, err);
}

/* With the reader, and what the host offers it, there. */
static enum dn_status look(const struct dn_transfer *t,
                           enum dn_status (*ask)(const struct dn_session *s, const char *what,
                                                 json_t **out, struct dn_error *err),
                           const char *what, json_t **out, struct dn_error *err)
{
    struct dn_transfer watched = *t;
    struct dn_session s = {.t = &watched};
    enum dn_status st = DN_OK;
    struct dn_watch watch;

    dn_watch_init(&watch, t->events);
    watched.events = &watch.events;
    DN_TRY_GOTO(st, dn_session_open_reader_plugin(&s, err), cleanup);
    DN_TRY_GOTO(st,
                dn_services_init(&s.services, &watch.events, t->n_threads, t->memory_bytes, err),
                cleanup);
    st = ask(&s, what, out, err);
cleanup:
    if (st == DN_ERR_CANCELLED && dn_events_cancelled(t->events)) {
        st = dn_session_stopped(err);
    }
    dn_session_finish(&s);
    dn_watch_finish(&watch);
    return st;
}

enum dn_status dn_transfer_schema(const struct dn_transfer *t, json_t **out, struct dn_error *err)
{
    return look(t, probe, NULL, out, err);
}

enum dn_status dn_transfer_explain(const struct dn_transfer *t, const char *what, json_t **out,
                                   struct dn_error *err)
{
    return look(t, ask_to_explain, what, out, err);
}
