/* Where writers may write while they are checked, and what they left elsewhere. */
#include "cli/conform.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Entries of the folder that are not the check's own; the name of the last of them. */
static int entries_count(const char *folder, bool (*is_own)(const char *name), char last[256])
{
    int n = 0;

    DIR *dir = opendir(folder);
    for (struct dirent *e = NULL; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (!is_dots(e->d_name) && (is_own == NULL || !is_own(e->d_name))) {
            (void)snprintf(last, 256, "%.255s", e->d_name);
            n++;
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}

int dn_conform_count_outputs(const struct dn_conform *c)
{
    char last[256];

    return entries_count(c->out, NULL, last);
}

const char *dn_conform_out_path(const struct dn_conform *c, const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", c->out, name);
    return out;
}

/* "in-...": what a check has made itself. */
static bool is_of_check(const char *name)
{
    return strncmp(name, "in-", 3) == 0 || strcmp(name, "out") == 0 || strcmp(name, "work") == 0;
}

static const char k_remedy[] = "write nothing but below output_base (at Level 1: to \"path\", and "
                               "beside it until commit()), by names that begin with it";

static enum dn_verdict strays_find(struct dn_conform *c, const char *work)
{
    char name[256];

    if (entries_count(c->dir, is_of_check, name) > 0) {
        return DN_CONFORM_FAIL(c, k_remedy, "a file was written outside of output_base: %s/%s",
                               c->dir, name);
    }
    if (entries_count(work, NULL, name) > 0) {
        return DN_CONFORM_FAIL(c, k_remedy, "a file was written to the working directory: %s",
                               name);
    }
    return DN_VERDICT_PASS;
}

/* The check, in a working directory of its own. */
static enum dn_verdict run_in(struct dn_conform *c, enum dn_verdict (*run)(struct dn_conform *c),
                              const char *work)
{
    char home[PATH_MAX];
    char there[PATH_MAX];
    char now[PATH_MAX] = "";

    if (getcwd(home, sizeof home) == NULL || chdir(work) != 0 ||
        getcwd(there, sizeof there) == NULL) {
        return dn_conform_fail(c, "the working directory cannot be changed");
    }
    const enum dn_verdict v = run(c);
    const bool is_there = getcwd(now, sizeof now) != NULL && strcmp(now, there) == 0;
    return is_there && chdir(home) != 0 /* where the plugin went elsewhere, that is found later */
               ? dn_conform_fail(c, "the working directory cannot be changed")
               : v;
}

enum dn_verdict dn_conform_writing(struct dn_conform *c,
                                   enum dn_verdict (*run)(struct dn_conform *c))
{
    char out[512];
    char work[512];

    if (mkdir(dn_conform_path(c, "out", out), 0700) != 0 ||
        mkdir(dn_conform_path(c, "work", work), 0700) != 0) {
        return dn_conform_fail(c, "no temporary directory");
    }
    c->out = out;
    const enum dn_verdict v = c->run_config == NULL ? run_in(c, run, work) : run(c);
    c->out = NULL;
    return v != DN_VERDICT_FAIL && strays_find(c, work) == DN_VERDICT_FAIL ? DN_VERDICT_FAIL : v;
}
