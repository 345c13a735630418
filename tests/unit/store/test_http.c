/* Against a server on loopback that does what the path says, well or badly. */
#include "store/http/http.h"

#include "base/memory.h"
#include "base/strings.h"
#include "forked.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A child of fork() that starts a thread is more than the thread sanitizer dares unless it is told to. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

static int listener;
static uint16_t port;
static atomic_int n_connections;

#define BIG (8 << 20)

static bool put(int fd, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    while (len > 0) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool put_text(int fd, const char *text)
{
    return put(fd, text, strlen(text));
}

static bool put_head(int fd, int status, size_t len)
{
    char head[200];

    (void)snprintf(head, sizeof(head),
                   "HTTP/1.1 %d Word\r\nContent-Length: %zu\r\nETag:  \"x\" \r\n\r\n", status, len);
    return put_text(fd, head);
}

static uint8_t big_byte(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 12));
}

static bool put_big(int fd, size_t announced)
{
    static uint8_t block[1 << 16];
    bool ok = put_head(fd, 200, announced);

    for (size_t at = 0; ok && at < BIG; at += sizeof(block)) {
        uint8_t own[sizeof(block)];
        for (size_t i = 0; i < sizeof(own); i++) {
            own[i] = big_byte(at + i);
        }
        ok = put(fd, own, sizeof(own));
    }
    return ok && announced == BIG;
}

static void reset_when_closed(int fd)
{
    const struct linger now = {.l_onoff = 1};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static bool misbehave(int fd, const char *path)
{
    if (strcmp(path, "/cut") == 0) {
        (void)!(put_head(fd, 200, 100) && put_text(fd, "only some"));
    } else if (strcmp(path, "/reset") == 0) {
        reset_when_closed(fd);
    } else if (strcmp(path, "/garbage") == 0) {
        (void)put_text(fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    } else if (strcmp(path, "/hang") == 0) {
        char byte;
        (void)!recv(fd, &byte, 1, 0); /* until the other side goes */
    } else if (strcmp(path, "/half") == 0) {
        char byte;
        (void)!(put_head(fd, 200, 100) && put_text(fd, "only some"));
        (void)!recv(fd, &byte, 1, 0);
    } else if (strcmp(path, "/manyheaders") == 0) {
        (void)put_text(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0;
             i < 900 &&
             put_text(fd, "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
             i++) {
        }
        (void)put_text(fd, "Content-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/untilclosed") == 0) {
        (void)put_text(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
    } else if (strcmp(path, "/bigcut") == 0) {
        (void)put_big(fd, BIG + 1);
    } else {
        (void)put_head(fd, 500, 0);
    }
    return false;
}

/* Does the connection stay open? */
static bool answer(int fd, const char *method, const char *path, const char *body, size_t len)
{
    if (strcmp(path, "/ok") == 0) {
        return put_head(fd, 200, 5) && (strcmp(method, "HEAD") == 0 || put_text(fd, "hello"));
    }
    if (strcmp(path, "/echo") == 0) {
        return put_head(fd, 200, len) && put(fd, body, len);
    }
    if (strcmp(path, "/method") == 0) {
        return put_head(fd, 200, strlen(method)) && put_text(fd, method);
    }
    if (strcmp(path, "/missing") == 0) {
        return put_head(fd, 404, 7) && put_text(fd, "no such");
    }
    if (strcmp(path, "/moved") == 0) {
        return put_text(fd, "HTTP/1.1 301 Gone\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    }
    if (strcmp(path, "/big") == 0) {
        return put_big(fd, BIG);
    }
    if (strcmp(path, "/bigerror") == 0) {
        char block[100000];
        memset(block, 'e', sizeof(block));
        return put_head(fd, 503, sizeof(block)) && put(fd, block, sizeof(block));
    }
    if (strcmp(path, "/chunked") == 0) {
        return put_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Behind: 1\r\n\r\n");
    }
    if (strcmp(path, "/continue") == 0) {
        return put_text(fd, "HTTP/1.1 100 Continue\r\nX-First: 1\r\n\r\n") && put_head(fd, 200, 0);
    }
    return misbehave(fd, path);
}

static void *serve_one(void *arg)
{
    const int fd = (int)(intptr_t)arg;
    char *text = calloc(1, 1 << 22); /* cmocka's allocators are not for threads of a server */
    bool open = text != NULL;

    while (open) {
        size_t len = 0;
        char *end = NULL;
        while (end == NULL) {
            const ssize_t n = recv(fd, text + len, (1 << 22) - 1 - len, 0);
            if (n <= 0) {
                goto cleanup;
            }
            len += (size_t)n;
            text[len] = '\0';
            end = strstr(text, "\r\n\r\n");
        }
        char method[10];
        char path[100];
        const char *length = strcasestr(text, "\r\nContent-Length: ");
        const size_t body_len = length != NULL && length < end ? strtoul(length + 18, NULL, 10) : 0;
        if (sscanf(text, "%9s %99s", method, path) != 2) {
            break;
        }
        path[strcspn(path, "?")] = '\0';
        const size_t head = (size_t)(end + 4 - text);
        while (len < head + body_len) {
            const ssize_t n = recv(fd, text + len, head + body_len - len, 0);
            if (n <= 0) {
                goto cleanup;
            }
            len += (size_t)n;
        }
        open = answer(fd, method, path, text + head, body_len);
    }
cleanup:
    (void)close(fd);
    free(text);
    return NULL;
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_t thread;
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        atomic_fetch_add(&n_connections, 1);
        if (pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd) == 0) {
            (void)pthread_detach(thread);
        }
    }
}

static int start_server(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    pthread_t thread;

    (void)state;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&at, len) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0) {
        return -1;
    }
    port = ntohs(at.sin_port);
    if (pthread_create(&thread, NULL, serve, NULL) != 0) {
        return -1;
    }
    return pthread_detach(thread);
}

static const char *url(const char *path)
{
    static _Thread_local char text[200];

    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u%s", port, path);
    return text;
}

static struct dn_http_request get(const char *path)
{
    return (struct dn_http_request){.method = "GET", .url = url(path), .direct = true};
}

static enum dn_status fetch(const char *path, struct dn_http_response *r, struct dn_error *err)
{
    const struct dn_http_request request = get(path);

    return dn_http_send(&request, NULL, NULL, r, err);
}

static void assert_body(const struct dn_http_response *r, const char *text)
{
    assert_int_equal(r->body.len, strlen(text));
    assert_int_equal(r->n_bytes, strlen(text));
    if (r->body.len > 0) {
        assert_memory_equal(r->body.data, text, strlen(text));
    }
}

static void answers_come_whole(void **state)
{
    struct dn_http_response r = {0};

    (void)state;
    assert_int_equal(fetch("/ok", &r, NULL), DN_OK);
    assert_int_equal(r.status, 200);
    assert_body(&r, "hello");
    assert_string_equal(dn_http_header_value(&r, "etag"), "\"x\"");
    assert_string_equal(dn_http_header_value(&r, "content-length"), "5");
    assert_null(dn_http_header_value(&r, "date"));
    assert_int_equal(fetch("/missing", &r, NULL), DN_OK);
    assert_int_equal(r.status, 404);
    assert_body(&r, "no such");
    assert_int_equal(fetch("/moved", &r, NULL), DN_OK);
    assert_int_equal(r.status, 301);
    assert_string_equal(dn_http_header_value(&r, "location"), "/ok");
    assert_int_equal(fetch("/chunked", &r, NULL), DN_OK);
    assert_body(&r, "hello world");
    assert_null(dn_http_header_value(&r, "x-behind"));
    assert_int_equal(fetch("/continue", &r, NULL), DN_OK);
    assert_int_equal(r.status, 200);
    assert_null(dn_http_header_value(&r, "x-first"));
    assert_int_equal(fetch("/untilclosed", &r, NULL), DN_OK);
    assert_body(&r, "all of it");
    /* of an answer that is no success as much as there is room for */
    assert_int_equal(fetch("/bigerror", &r, NULL), DN_OK);
    assert_int_equal(r.status, 503);
    assert_int_equal(r.body.len, 64 << 10);
    assert_int_equal(r.n_bytes, 100000);
    dn_http_response_finish(&r);
}

static void methods_and_bodies_are_sent(void **state)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE"};
    static char body[1 << 20];
    struct dn_http_response r = {.body = {.cap = 2 << 20}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct dn_http_request request = get("/method");
        request.method = methods[i];
        request.has_body = methods[i][0] == 'P';
        assert_int_equal(dn_http_send(&request, NULL, NULL, &r, NULL), DN_OK);
        assert_body(&r, methods[i]);
    }
    struct dn_http_request head = get("/ok");
    head.method = "HEAD";
    assert_int_equal(dn_http_send(&head, NULL, NULL, &r, NULL), DN_OK);
    assert_int_equal(r.body.len, 0);
    assert_string_equal(dn_http_header_value(&r, "content-length"), "5");
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)big_byte(i);
    }
    struct dn_http_request echo = get("/echo");
    echo.method = "PUT";
    echo.has_body = true;
    echo.body = (struct dn_span){(const uint8_t *)body, sizeof(body)};
    assert_int_equal(dn_http_send(&echo, NULL, NULL, &r, NULL), DN_OK);
    assert_int_equal(r.body.len, sizeof(body));
    assert_memory_equal(r.body.data, body, sizeof(body));
    dn_http_response_finish(&r);
}

static void connections_are_used_again(void **state)
{
    struct dn_http_response r = {0};

    (void)state;
    assert_int_equal(fetch("/ok", &r, NULL), DN_OK);
    const int before = atomic_load(&n_connections);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fetch(i % 2 == 0 ? "/ok" : "/missing", &r, NULL), DN_OK);
    }
    assert_int_equal(atomic_load(&n_connections), before);
    dn_http_response_finish(&r);
}

struct failing {
    const char *path;
    enum dn_status status;
    const char *says;
};

static void failures_are_told_apart(void **state)
{
    static const struct failing all[] = {
        {"/cut", DN_ERR_TEMPORARY, "broken connection"},
        {"/reset", DN_ERR_TEMPORARY, "broken connection"},
        {"/garbage", DN_ERR_DATA, "no HTTP from 127.0.0.1"},
        {"/manyheaders", DN_ERR_DATA, "65536"},
        {"/big?secret", DN_ERR_DATA, "65536"},
    };
    struct dn_http_response r = {0};
    struct dn_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const enum dn_status st = fetch(all[i].path, &r, &err);
        if (st != all[i].status || strstr(err.message, all[i].says) == NULL ||
            strstr(err.message, "secret") != NULL) {
            fail_msg("%s: %d %s", all[i].path, st, err.message);
        }
        assert_int_equal(r.status, 0);
    }
    struct dn_http_request request = {
        .method = "GET", .url = "http://127.0.0.1:1/x?secret", .direct = true};
    assert_int_equal(dn_http_send(&request, NULL, NULL, &r, &err), DN_ERR_TEMPORARY);
    assert_non_null(strstr(err.message, "no connection to 127.0.0.1:1"));
    assert_null(strstr(err.message, "secret"));
    assert_int_equal(err.os_errno, ECONNREFUSED);
    request = get("/ok");
    const struct dn_http_header bad = {"X-A", "b\r\nX-C: d"};
    request.headers = &bad;
    request.n_headers = 1;
    assert_int_equal(dn_http_send(&request, NULL, NULL, &r, &err), DN_ERR_INVALID);
    request.n_headers = 0;
    request.url = "ftp://127.0.0.1/x";
    assert_int_equal(dn_http_send(&request, NULL, NULL, &r, &err), DN_ERR_INVALID);
    request = get("/hang");
    request.most_ms = 50;
    assert_int_equal(dn_http_send(&request, NULL, NULL, &r, &err), DN_ERR_TEMPORARY);
    assert_non_null(strstr(err.message, "no answer in time"));
    request.most_ms = 0;
    request.stall_seconds = 1;
    assert_int_equal(dn_http_send(&request, NULL, NULL, &r, &err), DN_ERR_TEMPORARY);
    dn_http_response_finish(&r);
}

static void a_body_goes_where_it_shall(void **state)
{
    static uint8_t memory[BIG + 1];
    struct dn_http_response r = {0};
    struct dn_http_request request = get("/big");
    struct dn_http_place place = {.data = memory, .size = BIG};

    (void)state;
    memory[BIG] = 77;
    assert_int_equal(dn_http_send(&request, &place, NULL, &r, NULL), DN_OK);
    assert_int_equal(r.n_bytes, BIG);
    for (size_t i = 0; i < BIG; i++) {
        if (memory[i] != big_byte(i)) {
            fail_msg("byte %zu", i);
        }
    }
    place.size = BIG - 1;
    assert_int_equal(dn_http_send(&request, &place, NULL, &r, NULL), DN_ERR_DATA);
    assert_int_equal(memory[BIG], 77);
    request.url = url("/missing");
    assert_int_equal(dn_http_send(&request, &place, NULL, &r, NULL), DN_OK);
    assert_body(&r, "no such"); /* and not over what is there */
    assert_int_equal(memory[0], big_byte(0));
    dn_http_response_finish(&r);
}

static void a_stream_waits_for_its_reader(void **state)
{
    struct dn_http_request request = get("/big");
    const struct dn_http_place place = {.stream_bytes = 1};
    const struct dn_http_response *r = NULL;
    struct dn_http_call *call = NULL;
    uint8_t block[100003];
    size_t at = 0;
    size_t got = 0;

    (void)state;
    assert_int_equal(dn_http_start(&call, &request, &place, 0, NULL), DN_OK);
    assert_int_equal(dn_http_wait_headers(call, NULL, &r, NULL), DN_OK);
    assert_int_equal(r->status, 200);
    do {
        assert_int_equal(dn_http_read(call, NULL, block, sizeof(block), &got, NULL), DN_OK);
        for (size_t i = 0; i < got; i++, at++) {
            if (block[i] != big_byte(at)) {
                fail_msg("byte %zu", at);
            }
        }
    } while (got > 0);
    assert_int_equal(at, BIG);
    assert_int_equal(dn_http_wait(call, NULL, &r, NULL), DN_OK);
    assert_int_equal(r->n_bytes, BIG);
    dn_http_close(call);
    request.url = url("/bigcut");
    assert_int_equal(dn_http_start(&call, &request, &place, 0, NULL), DN_OK);
    enum dn_status st = DN_OK;
    for (at = 0; st == DN_OK; at += got) {
        st = dn_http_read(call, NULL, block, sizeof(block), &got, NULL);
        assert_true(got > 0 || st != DN_OK); /* never the end of a body that was cut */
    }
    assert_int_equal(st, DN_ERR_TEMPORARY);
    assert_int_equal(at, BIG);
    dn_http_close(call);
    request.url = url("/missing");
    assert_int_equal(dn_http_start(&call, &request, &place, 0, NULL), DN_OK);
    assert_int_equal(dn_http_wait(call, NULL, &r, NULL), DN_OK);
    assert_body(r, "no such");
    dn_http_close(call);
}

static void *ask_soon(void *stop)
{
    (void)usleep(100000);
    dn_stop_ask(stop);
    return NULL;
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_wait_ends_when_asked_to(void **state)
{
    static const char *const paths[] = {"/hang", "/half", "/big"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct dn_stop stop;
        struct dn_error err = {0};
        pthread_t thread;
        struct dn_http_call *call = NULL;
        const struct dn_http_response *r = NULL;
        const struct dn_http_request request = get(paths[i]);
        const struct dn_http_place place = {.stream_bytes =
                                                i < 2 ? 0 : 1}; /* nobody reads it: it cannot end */

        dn_stop_init(&stop, NULL, NULL);
        assert_int_equal(dn_http_start(&call, &request, &place, 0, NULL), DN_OK);
        assert_int_equal(pthread_create(&thread, NULL, ask_soon, &stop), 0);
        const double begun = now();
        assert_int_equal(dn_http_wait(call, &stop, &r, &err), DN_ERR_CANCELLED);
        dn_http_close(call);
        assert_true(now() - begun < 60); /* else it waits for ever */
        assert_int_equal(dn_http_start(&call, &request, &place, 0, NULL), DN_OK);
        assert_int_equal(dn_http_wait_headers(call, &stop, &r, &err), DN_ERR_CANCELLED);
        dn_http_close(call); /* at once, and before anything came */
        assert_int_equal(pthread_join(thread, NULL), 0);
        dn_stop_finish(&stop);
    }
}

struct worker {
    pthread_t thread;
    size_t n_bad;
};

static void *fetch_many(void *arg)
{
    struct worker *w = arg;
    struct dn_http_response r = {0};

    for (int i = 0; i < 50; i++) {
        const struct dn_http_request request = get(i % 5 == 4 ? "/reset" : "/ok");
        const enum dn_status st = dn_http_send(&request, NULL, NULL, &r, NULL);
        if (i % 5 == 4) {
            w->n_bad += st != DN_ERR_TEMPORARY;
        } else {
            w->n_bad += st != DN_OK || r.body.len != 5;
        }
    }
    dn_http_response_finish(&r);
    return NULL;
}

static void many_threads_share_one(void **state)
{
    struct worker all[8] = {0};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&all[i].thread, NULL, fetch_many, &all[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(all[i].thread, NULL), 0);
        assert_int_equal(all[i].n_bad, 0);
    }
}

static void a_child_has_its_own(void **state)
{
    struct dn_http_call *call = NULL;
    const struct dn_http_request request = get("/half");
    const struct dn_http_response *unused = NULL;

    (void)state;
    if (getenv("QEMU_LD_PREFIX") != NULL) {
        skip(); /* a child that starts a thread hangs now and then under qemu-user */
    }
    assert_int_equal(dn_http_start(&call, &request, NULL, 0, NULL), DN_OK);
    forked_wait();
    const pid_t child = fork();
    if (child == 0) {
        struct dn_http_response r = {0};
        const bool refused = dn_http_wait(call, NULL, &unused, NULL) == DN_ERR_INVALID;
        /* the thread sanitizer knows no threads in a child */
        const bool fetched = (SCRATCH_SANITIZED && !SCRATCH_ADDRESS_SANITIZED) ||
                             (fetch("/ok", &r, NULL) == DN_OK && r.body.len == 5);
        dn_http_close(call);
        _exit(refused && fetched ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    dn_http_close(call);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct dn_http_response r = {0};
        const struct dn_http_header header = {"X-Header", "value"};
        struct dn_http_request request = get("/ok");
        request.headers = &header;
        request.n_headers = 1;
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_http_send(&request, NULL, NULL, &r, NULL);
        const bool done = dn_memory_fail_at(0) < n;
        dn_http_response_finish(&r);
        if (done) {
            assert_int_equal(st, DN_OK);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_whole),
        cmocka_unit_test(methods_and_bodies_are_sent),
        cmocka_unit_test(connections_are_used_again),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(a_body_goes_where_it_shall),
        cmocka_unit_test(a_stream_waits_for_its_reader),
        cmocka_unit_test(a_wait_ends_when_asked_to),
        cmocka_unit_test(many_threads_share_one),
        cmocka_unit_test(a_child_has_its_own),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, start_server, NULL);
}
