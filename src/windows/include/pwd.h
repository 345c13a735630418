/** Users. */
#ifndef DN_WINDOWS_PWD_H
#define DN_WINDOWS_PWD_H

#include <stddef.h>

struct passwd {
    const char *pw_dir;
};
/** Of whoever runs this, whatever number is given: the folder of the profile. */
int getpwuid_r(unsigned int user, struct passwd *entry, char *room, size_t size,
               struct passwd **out);

#endif
