/**
 * What a process has in memory and on its command line, and nobody else is to see.
 *
 * Keys come by the environment, files and connections, and are in memory from the start: in the environment's own block, in buffers of
 * libraries, in the stacks of threads.  So cores of this process, and of what it starts, have no memory but that of its program: threads,
 * registers and mapped files are in them.  The query and the user of an address on the command line are overwritten there.
 */
#ifndef DN_CLI_SECRECY_H
#define DN_CLI_SECRECY_H

/** Before anything else; addresses in argv are copies afterwards.  Where memory cannot be kept out of cores there are none. */
void dn_secrecy_begin(int argc, char **argv);

#endif
