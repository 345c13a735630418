/** What of connections and credentials may be shown and written down, and what may not. */
#ifndef DN_JOB_SECRETS_H
#define DN_JOB_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

/** Is the value of that key of a connection no secret?  Of a map: those in it are asked one by one. */
bool dn_secrets_is_open(const char *key, const json_t *value);
/**
 * Take everything out of a connection, in place, that may be a secret.
 * @return Something was, and is not what the variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and PGPASSWORD have, which
 *         are looked at where nothing else is said.
 */
bool dn_secrets_strip(json_t *connection);
/** Put what was taken out of `into` back from a whole connection.  @return false: memory ran out */
bool dn_secrets_restore(json_t *into, json_t *from);

#endif
