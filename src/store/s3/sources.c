/* Credentials that are on this machine: the environment, the profile, a process. */
#include "store/s3/sources.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/os_memory.h"
#include "base/os_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_PROCESS_BYTES ((size_t)64 << 10)
#define MOST_PROCESS_SECONDS 60.0

extern char **environ;

void dn_s3_keys_release(struct dn_s3_keys *keys)
{
    if (keys != NULL && atomic_fetch_sub(&keys->n_users, 1) == 1) {
        dn_free(keys->id);
        dn_s3_free_secret(keys->secret);
        dn_s3_free_secret(keys->token);
        dn_free(keys);
    }
}

enum dn_status dn_s3_keys_create(struct dn_s3_keys **out, const char *id, const char *secret,
                                 const char *token, int64_t expires, const char *source,
                                 struct dn_error *err)
{
    struct dn_s3_keys *keys = dn_calloc(1, sizeof(*keys));
    const bool has_token = token != NULL && token[0] != '\0';

    *out = NULL;
    if (keys == NULL) {
        return dn_error_memory(err, sizeof(*keys));
    }
    atomic_init(&keys->n_users, 1);
    keys->id = dn_strdup(id);
    keys->secret = dn_strdup(secret);
    keys->token = has_token ? dn_strdup(token) : NULL;
    keys->expires = expires;
    keys->source = source;
    if (keys->id == NULL || keys->secret == NULL || (has_token && keys->token == NULL)) {
        dn_s3_keys_release(keys);
        return dn_error_memory(err, strlen(id) + strlen(secret));
    }
    *out = keys;
    return DN_OK;
}

enum dn_status dn_s3_keys_from_json(struct dn_s3_keys **out, struct dn_span json,
                                    const char *token_name, const char *source,
                                    struct dn_error *err)
{
    char *id = NULL;
    char *secret = NULL;
    char *token = NULL;
    char *expires = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY_GOTO(st, dn_s3_json_text(json, "AccessKeyId", &id, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_json_text(json, "SecretAccessKey", &secret, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_json_text(json, token_name, &token, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_json_text(json, "Expiration", &expires, err), cleanup);
    if (id == NULL || secret == NULL) {
        st = dn_error_set(err, DN_ERR_DATA,
                          "%s answers without AccessKeyId and SecretAccessKey, or not in JSON",
                          source);
        goto cleanup;
    }
    st = dn_s3_keys_create(out, id, secret, token, expires != NULL ? dn_s3_time_of_iso(expires) : 0,
                           source, err);
cleanup:
    dn_free(id);
    dn_s3_free_secret(secret);
    dn_s3_free_secret(token);
    dn_free(expires);
    return st;
}

enum dn_status dn_s3_keys_of_environment(struct dn_s3_keys **out, struct dn_error *err)
{
    const char *id = dn_s3_environment("AWS_ACCESS_KEY_ID");
    const char *secret = dn_s3_environment("AWS_SECRET_ACCESS_KEY");

    *out = NULL;
    if (id == NULL && secret == NULL) {
        return DN_OK;
    }
    if (id == NULL || secret == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "the environment has %s without %s; set both or none",
                            id != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                            id != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    }
    return dn_s3_keys_create(out, id, secret, dn_s3_environment("AWS_SESSION_TOKEN"), 0,
                             "the environment (AWS_ACCESS_KEY_ID)", err);
}

/* What is in a profile and is not done here. */
static enum dn_status refuse_unsupported(const struct dn_s3_profile *p, struct dn_error *err)
{
    static const char *const keys[] = {"source_profile", "credential_source", "sso_session",
                                       "sso_start_url"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char *value = NULL;
        DN_TRY(dn_s3_profile_value(p, keys[i], &value, err));
        if (value != NULL) {
            dn_free(value);
            return dn_error_set(
                err, DN_ERR_UNSUPPORTED,
                "the profile '%s' has its credentials by '%s', which is not done here; set in it "
                "credential_process = aws configure export-credentials --profile %s",
                p->name, keys[i], p->name);
        }
    }
    return DN_OK;
}

static enum dn_status refuse_profile(const struct dn_s3_profile *p, const char *what,
                                     struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_CONFIG, "the profile '%s' %s (%s, %s)", p->name, what,
                        p->credentials_path != NULL ? p->credentials_path : "no home",
                        p->config_path != NULL ? p->config_path : "no home");
}

static enum dn_status static_keys(struct dn_s3_keys **out, const struct dn_s3_profile *p,
                                  struct dn_error *err)
{
    char *id = NULL;
    char *secret = NULL;
    char *token = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_s3_profile_value(p, "aws_access_key_id", &id, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_profile_value(p, "aws_secret_access_key", &secret, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_profile_value(p, "aws_session_token", &token, err), cleanup);
    if (id != NULL && secret != NULL) {
        st = dn_s3_keys_create(out, id, secret, token, 0, "the profile's keys", err);
    } else if (id != NULL || secret != NULL) {
        st = refuse_profile(
            p, "has one of aws_access_key_id and aws_secret_access_key without the other", err);
    }
cleanup:
    dn_free(id);
    dn_s3_free_secret(secret);
    dn_s3_free_secret(token);
    return st;
}

enum dn_status dn_s3_keys_of_profile(struct dn_s3_keys **out, const struct dn_s3_profile *profile,
                                     const struct dn_s3_place *place, struct dn_stop *stop,
                                     struct dn_error *err)
{
    char *command = NULL;
    char *token_file = NULL;
    char *role = NULL;
    enum dn_status st = static_keys(out, profile, err);

    if (st != DN_OK || *out != NULL) {
        return st;
    }
    DN_TRY_GOTO(st, dn_s3_profile_value(profile, "credential_process", &command, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_profile_value(profile, "web_identity_token_file", &token_file, err),
                cleanup);
    DN_TRY_GOTO(st, dn_s3_profile_value(profile, "role_arn", &role, err), cleanup);
    if (command != NULL) {
        st = dn_s3_keys_of_process(out, command, stop, err);
    } else if (token_file != NULL && role != NULL) {
        st = dn_s3_keys_of_web_identity(out, token_file, role, place, stop, err);
    } else {
        st = refuse_unsupported(profile, err);
    }
    if (st == DN_OK && *out == NULL && profile->asked_for && !dn_s3_profile_exists(profile)) {
        st = refuse_profile(profile, "is in neither file of profiles", err);
    }
cleanup:
    dn_free(command);
    dn_free(token_file);
    dn_free(role);
    return st;
}

/* Start the command with its output at *out_fd, no input and no messages. */
static int spawn(const char *command, pid_t *pid, int *out_fd)
{
    char shell[] = "sh";
    char dash_c[] = "-c";
    char *text = dn_strdup(command);
    char *argv[] = {shell, dash_c, text, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int ends[2];

    if (text == NULL || !dn_os_pipe(ends)) {
        dn_free(text);
        return text == NULL ? ENOMEM : errno;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none); /* this thread may have blocked them */
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failure =
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failure == 0) {
        failure = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    }
    if (failure == 0) {
        failure =
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    if (failure == 0) {
        failure = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (failure != 0) {
        (void)close(ends[0]);
    }
    *out_fd = ends[0];
    dn_free(text);
    return failure;
}

/* All of its output, before the time is over and before it is asked to stop. */
static enum dn_status read_output(int fd, struct dn_buffer *out, struct dn_stop *stop,
                                  struct dn_error *err)
{
    const double until = dn_clock_seconds() + MOST_PROCESS_SECONDS;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (dn_stop_asked(stop)) {
            return dn_error_set(err, DN_ERR_CANCELLED,
                                "it was asked to stop while credential_process ran");
        }
        if (dn_clock_seconds() > until) {
            return dn_error_set(err, DN_ERR_TEMPORARY,
                                "credential_process of the profile takes longer than a minute");
        }
        if (poll(&p, 1, DN_STOP_POLL_MS) <= 0) {
            continue;
        }
        DN_TRY(dn_buffer_reserve(out, (size_t)4 << 10, err));
        const ssize_t n = read(fd, out->data + out->len, out->capacity - out->len);
        if (n == 0) {
            return DN_OK;
        }
        out->len += n > 0 ? (size_t)n : 0;
        if (out->len > MOST_PROCESS_BYTES) {
            return dn_error_set(err, DN_ERR_DATA,
                                "credential_process of the profile prints more than 64 KiB");
        }
    }
}

enum dn_status dn_s3_keys_of_process(struct dn_s3_keys **out, const char *command,
                                     struct dn_stop *stop, struct dn_error *err)
{
    struct dn_buffer text = {0};
    pid_t pid = 0;
    int fd = -1;
    int status = 0;

    *out = NULL;
    const int failure = spawn(command, &pid, &fd);
    if (failure != 0) {
        return failure == ENOMEM
                   ? dn_error_memory(err, strlen(command) + 1)
                   : dn_error_set_errno(err, DN_ERR_IO, failure,
                                        "credential_process of the profile cannot be started");
    }
    enum dn_status st = read_output(fd, &text, stop, err);
    (void)close(fd);
    if (st != DN_OK) {
        (void)kill(-pid, SIGKILL);
    }
    pid_t ended = 0;
    do {
        ended = waitpid(pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    /* a host that ignores SIGCHLD leaves nothing to be waited for: then the output decides */
    if (st == DN_OK && ended == pid && status != 0) {
        st = dn_error_set(err, DN_ERR_IO,
                          "credential_process of the profile failed (exit status %d); run it by "
                          "hand to see why",
                          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    if (st == DN_OK) {
        st = dn_s3_keys_from_json(out, dn_buffer_span(&text), "SessionToken",
                                  "credential_process of the profile", err);
    }
    if (text.data != NULL) {
        dn_os_wipe(text.data, text.capacity);
    }
    dn_buffer_finish(&text);
    return st;
}
