/* input.c - standard input, recorded once and served to each run. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/job.h"

enum { CHUNK = 1 << 16 };

static int input = -1; /* a file from which each child reads all */
static off_t input_start;

static void copy_input(int to)
{
    char chunk[CHUNK];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || write(to, chunk, (size_t)got) != got)
            return;
    }
}

void input_record(void)
{
    struct stat about;
    if (fstat(STDIN_FILENO, &about) != 0)
        return; /* the program has closed it */
    if (S_ISCHR(about.st_mode)) {
        if (isatty(STDIN_FILENO))
            lab_print("threading: standard input is a terminal: the program finds it empty; to give it "
                      "something, use < FILE\n");
        input = lab_out_of_the_way(open("/dev/null", O_RDONLY | O_CLOEXEC));
        return;
    }
    if (S_ISREG(about.st_mode)) {
        input = STDIN_FILENO;
        input_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
        return;
    }
    input = lab_out_of_the_way(memfd_create("input", MFD_CLOEXEC));
    if (input >= 0)
        copy_input(input);
}

void input_serve(void)
{
    char path[64];
    if (input < 0)
        return;
    /* Opened anew, it has a position of its own. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", input);
    int own = open(path, O_RDONLY);
    if (own < 0)
        return;
    (void)lseek(own, input_start, SEEK_SET);
    if (own != STDIN_FILENO) {
        (void)dup2(own, STDIN_FILENO);
        (void)close(own);
    }
}
