#include "base/os_memory.h"
#include "base/os_process.h"
#include "cli/cli.h"
#include "cli/secrecy.h"

#include <fcntl.h>
#include <unistd.h>

/*
 * Whatever is opened next gets the lowest free number: with a standard stream closed, a file or an event of ours would be
 * read as standard input or printed into.  What stands in its place is open the wrong way round, so that its use still fails.
 */
static int fill_standard_streams(void)
{
    static int filled[3]; /* open until the process ends */

    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            filled[fd] = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
            if (filled[fd] != fd) {
                return -1;
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    dn_os_process_begin(&argc, &argv);
    dn_secrecy_begin(argc, argv);
    if (fill_standard_streams() != 0) {
        return DN_EXIT_FAILED; /* without /dev/null, and perhaps without a place to say so */
    }
    dn_os_heaps_limit(2);
    return dn_cli_main(argc, argv);
}
