/** What fuzz_records_peer counts, for those who make texts for it. */
#ifndef DN_FUZZ_RECORDS_PEER_H
#define DN_FUZZ_RECORDS_PEER_H

#include "fuzz_target.h"

extern size_t records_peer_n_read; /**< texts that both parsers read, and that became columns */

#endif
