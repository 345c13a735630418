#include "store/s3/credentials.h"

#include "base/memory.h"
#include "base/os_wait.h"
#include "store/s3/sources.h"

#include <pthread.h>
#include <time.h>

#define REFRESH_SECONDS 300

struct dn_s3_chain {
    const struct dn_s3_profile *profile;
    const struct dn_s3_place *place;
    bool anonymous;
    bool own_profile; /* named by the connection, so that it counts before the environment */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct dn_s3_keys *keys; /* or NULL: not fetched yet */
    struct dn_s3_keys *own;  /* of the connection, or NULL */
    bool fetching;
};

enum dn_status dn_s3_chain_open(struct dn_s3_chain **out, const struct dn_store_options *options,
                                const struct dn_s3_profile *profile,
                                const struct dn_s3_place *place, struct dn_error *err)
{
    const bool has_id = options->access_key_id != NULL && options->access_key_id[0] != '\0';
    const bool has_secret =
        options->secret_access_key != NULL && options->secret_access_key[0] != '\0';
    struct dn_s3_chain *c = NULL;

    *out = NULL;
    if (has_id != has_secret && !options->anonymous) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "the connection to S3 has %s without %s; give both or none",
                            has_id ? "an access key" : "a secret key",
                            has_id ? "its secret key" : "its access key");
    }
    c = dn_calloc(1, sizeof(*c));
    if (c == NULL) {
        return dn_error_memory(err, sizeof(*c));
    }
    pthread_mutex_init(&c->lock, NULL);
    dn_os_condition_init(&c->changed);
    c->profile = profile;
    c->place = place;
    c->anonymous = options->anonymous;
    c->own_profile = options->profile != NULL;
    if (has_id && !options->anonymous) {
        const enum dn_status st =
            dn_s3_keys_create(&c->own, options->access_key_id, options->secret_access_key,
                              options->session_token, 0, "the connection", err);
        if (st != DN_OK) {
            dn_s3_chain_close(c);
            return st;
        }
    }
    *out = c;
    return DN_OK;
}

void dn_s3_chain_close(struct dn_s3_chain *chain)
{
    if (chain != NULL) {
        dn_s3_keys_release(chain->keys);
        dn_s3_keys_release(chain->own);
        pthread_cond_destroy(&chain->changed);
        pthread_mutex_destroy(&chain->lock);
        dn_free(chain);
    }
}

static struct dn_s3_keys *one_more(struct dn_s3_keys *keys)
{
    if (keys != NULL) {
        atomic_fetch_add(&keys->n_users, 1);
    }
    return keys;
}

static enum dn_status refuse_none(const struct dn_s3_chain *c, struct dn_error *err)
{
    return dn_error_set(
        err, DN_ERR_CONFIG,
        "there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give "
        "a profile (AWS_PROFILE; '%s' has none), or keys in the connection; looked for were also a "
        "web identity, a container's endpoint and an instance's role; public objects are read with "
        "the connection's anonymous",
        c->profile->name);
}

/* The first source that has some. */
static enum dn_status fetch(struct dn_s3_chain *c, struct dn_stop *stop, struct dn_s3_keys **out,
                            struct dn_error *err)
{
    *out = one_more(c->own);
    if (*out == NULL && !c->own_profile) {
        DN_TRY(dn_s3_keys_of_environment(out, err));
    }
    if (*out == NULL) {
        DN_TRY(dn_s3_keys_of_profile(out, c->profile, c->place, stop, err));
    }
    if (*out == NULL) {
        DN_TRY(dn_s3_keys_of_web_identity(out, NULL, NULL, c->place, stop, err));
    }
    if (*out == NULL) {
        DN_TRY(dn_s3_keys_of_container(out, stop, err));
    }
    if (*out == NULL) {
        DN_TRY(dn_s3_keys_of_instance(out, stop, err));
    }
    return *out != NULL ? DN_OK : refuse_none(c, err);
}

static bool expires_within(const struct dn_s3_keys *keys, int64_t seconds)
{
    return keys->expires != 0 && keys->expires < (int64_t)time(NULL) + seconds;
}

static bool are_good(const struct dn_s3_keys *keys, const struct dn_s3_keys *refused)
{
    return keys != NULL && keys != refused && !expires_within(keys, REFRESH_SECONDS);
}

/* Under the lock: until nobody else fetches. */
static enum dn_status wait_for_others(struct dn_s3_chain *c, struct dn_stop *stop,
                                      struct dn_error *err)
{
    while (c->fetching) {
        if (dn_stop_wait_condition(&c->changed, &c->lock)) {
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        const bool asked = dn_stop_asked(stop);
        pthread_mutex_lock(&c->lock);
        if (asked) {
            return dn_error_set(err, DN_ERR_CANCELLED,
                                "it was asked to stop while credentials were fetched");
        }
    }
    return DN_OK;
}

enum dn_status dn_s3_chain_get(struct dn_s3_chain *chain, const struct dn_s3_keys *refused,
                               struct dn_stop *stop, struct dn_s3_keys **out, struct dn_error *err)
{
    struct dn_s3_keys *fresh = NULL;

    *out = NULL;
    if (chain->anonymous) {
        return DN_OK;
    }
    pthread_mutex_lock(&chain->lock);
    enum dn_status st = wait_for_others(chain, stop, err);
    if (st != DN_OK || are_good(chain->keys, refused)) {
        *out = st == DN_OK ? one_more(chain->keys) : NULL;
        pthread_mutex_unlock(&chain->lock);
        return st;
    }
    chain->fetching = true;
    pthread_mutex_unlock(&chain->lock);
    st = fetch(chain, stop, &fresh, err);
    pthread_mutex_lock(&chain->lock);
    if (st == DN_OK) {
        dn_s3_keys_release(chain->keys);
        chain->keys = fresh;
    } else if (st != DN_ERR_CANCELLED && chain->keys != NULL && chain->keys != refused &&
               !expires_within(chain->keys, 0)) {
        st = DN_OK; /* what there is still works */
    }
    if (st == DN_OK) {
        *out = one_more(chain->keys);
    }
    chain->fetching = false;
    pthread_cond_broadcast(&chain->changed);
    pthread_mutex_unlock(&chain->lock);
    return st;
}
