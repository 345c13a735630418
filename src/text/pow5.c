#include "text/pow5.h"

const struct dn_pow5 dn_pow5_table[DN_POW5_MAX - DN_POW5_MIN + 1] = {
#include "text/pow5_table.h"
};
