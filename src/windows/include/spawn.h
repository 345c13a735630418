/** Starting programs: not yet, ENOSYS. */
#ifndef DN_WINDOWS_SPAWN_H
#define DN_WINDOWS_SPAWN_H

#include <signal.h>
#include <sys/types.h>

typedef int posix_spawn_file_actions_t;
typedef int posix_spawnattr_t;
#define POSIX_SPAWN_SETSIGMASK 1
#define POSIX_SPAWN_SETPGROUP 2
#define posix_spawn_file_actions_init(actions) ((void)(*(actions) = 0))
#define posix_spawn_file_actions_destroy(actions) ((void)(actions))
#define posix_spawn_file_actions_addopen(actions, fd, path, flags, mode) ((void)(actions), 0)
#define posix_spawn_file_actions_adddup2(actions, from, to) ((void)(actions), 0)
#define posix_spawnattr_init(attributes) ((void)(*(attributes) = 0))
#define posix_spawnattr_destroy(attributes) ((void)(attributes))
#define posix_spawnattr_setsigmask(attributes, mask) ((void)(attributes), (void)(mask))
#define posix_spawnattr_setpgroup(attributes, group) ((void)(attributes))
#define posix_spawnattr_setflags(attributes, flags) ((void)(attributes))
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const environment[]);

#endif
