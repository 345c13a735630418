/**
 * The run of a table in a bucket, for those who keep it (writer_objects.c) and for what of it is in the bucket (writer_objects_run.c): a
 * list of the objects of runs that have ended, `.{table}{ending}.run`, and a marker of every run that is under way, that name with one of
 * its own behind it.  See docs/adr/0011-when-a-run-replaces-the-one-before.md.
 */
#ifndef DN_PLUGINS_WRITER_OBJECTS_H
#define DN_PLUGINS_WRITER_OBJECTS_H

#include "writer.h"

#include "store/s3/client.h"
#include "store/url.h"

#include <pthread.h>

/** Names are those of objects, s3://bucket/key; sets of them have `true` behind each. */
struct dn_writer_objects {
    struct dn_writer_objects *next;
    uint32_t n_users;
    char *table;                    /**< the service and what all names of the run begin with */
    struct dn_url url;              /**< of the same */
    struct dn_store_options *store; /**< a copy: the first writer may leave before the last one */
    json_t *earlier;                /**< name -> ETag: what was there */
    json_t *named;                  /**< of these what may be the table's, by its name */
    json_t
        *taken;  /**< names that are this run's, somebody's who came in between, or in the making */
    json_t *own; /**< the run's */
    json_t *passed; /**< what was in the way of its first names */
    bool failed;    /**< a writer has not left well */

    /* what of runs is in the bucket */
    char *key;                /**< of the list */
    char run[DN_S3_RUN_SIZE]; /**< this run's name, which its marker and its objects have */
    char *marker;             /**< the key of the marker */
    pthread_mutex_t marking;
    bool is_marked;
    double marked_at;
    uint32_t n_signs;                /**< how often the marker was written */
    json_t *listed;                  /**< of runs that have ended */
    char list_etag[DN_S3_ETAG_SIZE]; /**< "": there is no list */
    json_t *left;                    /**< of runs that were killed */
    json_t *dead;                    /**< the keys of their markers -> {"run", "etag"} */
    bool others;                     /**< another process writes the table, or may */
};

/** Is a run of this process under way, also if it is one of the same table at another address of the service?  NULL: none. */
bool dn_objects_run_is_open(const char *run);
/** Make up a name that no other run has. */
DN_NODISCARD enum dn_status dn_objects_run_name(struct dn_writer_objects *o, struct dn_error *err);
/** After what is there was listed: the list and the markers. */
DN_NODISCARD enum dn_status dn_objects_run_read(struct dn_writer_objects *o,
                                                struct dn_s3_client *client, struct dn_error *err);
/** Before the first object, and now and then: this run is under way.  DN_ERR_NOT_FOUND: another one has taken it for ended meanwhile. */
DN_NODISCARD enum dn_status dn_objects_run_mark(struct dn_writer_objects *o, struct dn_error *err);
/** The last writer has left. */
DN_NODISCARD enum dn_status dn_objects_run_end(struct dn_writer_objects *o, struct dn_error *err);

#endif
