/* files - a program that closes files which it knows nothing of, as daemons do, and has a deadlock, for the laboratory:
 * files HOW WHEN. See tests/scripts/explore_files.sh. */

#include "support/crossed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILES = 1024 };

static void close_from(int first)
{
    for (int file = first; file < FILES; file++)
        (void)close(file);
}

static void become_daemon(void)
{
    if (fork() != 0)
        _exit(0);
    if (setsid() < 0 || chdir("/") != 0)
        _exit(4);
    close_from(0);
    if (open("/dev/null", O_RDWR) != 0 || dup(0) != 1 || dup(0) != 2)
        _exit(5);
}

static void close_files(const char *how)
{
    if (strcmp(how, "others") == 0)
        close_from(STDERR_FILENO + 1);
    if (strcmp(how, "all") == 0)
        close_from(0);
    if (strcmp(how, "daemon") == 0)
        become_daemon();
}

/* WHEN: `first`; or `last`, with the threads there. With `number`, the status is the number of the next file. */
int main(int argc, char **argv)
{
    thr_thread *one;
    thr_thread *two;
    if (argc != 3)
        return 2;
    if (strcmp(argv[2], "last") != 0)
        close_files(argv[1]);
    if (thr_spawn(&one, left_right, NULL, .name = "one") != THR_OK)
        return 1;
    if (strcmp(argv[2], "number") == 0)
        return open("/dev/null", O_RDONLY);
    if (thr_spawn(&two, right_left, NULL, .name = "two") != THR_OK)
        return 1;
    if (strcmp(argv[2], "last") == 0)
        close_files(argv[1]);
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return 0;
}
