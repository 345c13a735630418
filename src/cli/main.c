#include "cli/cli.h"

#include <malloc.h>

int main(int argc, char **argv)
{
    (void)mallopt(M_ARENA_MAX, 2); /* what is freed in one heap is of no use to the others */
    return dn_cli_main(argc, argv);
}
