/** For tests: one scratch folder for the whole program, made and removed by cmocka_run_group_tests(). */
#ifndef DN_TEST_SCRATCH_DIR_H
#define DN_TEST_SCRATCH_DIR_H

#include "scratch.h"

static char dir[512];

static inline int make_dir(void **state)
{
    (void)state;
    scratch_make(dir);
    return 0;
}

static inline int remove_dir(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

#endif
