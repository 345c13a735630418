#include "parse_cases.h"
