/* The same cases through the 64-bit words that compilers without SSE2 use. */
#define DN_TEXT_PORTABLE
#include "parse_cases.h"
