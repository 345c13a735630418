#include "cli/cli.h"

int main(int argc, char **argv)
{
    return dn_cli_main(argc, argv);
}
