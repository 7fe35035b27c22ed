/* pipes.c - pipes that the program made before its first thread: each run gets its own.
 *
 * Runs are forked from one process, so they would share them, and take what another has written. Where both ends are the
 * program's own, a run begins with fresh pipes at the same numbers, with the same contents; a pipe to another process stays
 * as it is. Nothing is allocated here (S3 of search.c). */

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/job.h"

enum { FILES = 1024 /* numbers that are looked at */, ENDS = 64, READS = 0, WRITES = 1 };

static struct end {
    int file;
    int side; /* READS or WRITES */
    int status;
    int flags;
    ino_t pipe;
} ends[ENDS];

static size_t count;

void pipes_record(void)
{
    count = 0;
    for (int file = 0; file < FILES && count < ENDS; file++) {
        struct stat about;
        if (fstat(file, &about) != 0 || !S_ISFIFO(about.st_mode))
            continue;
        int status = fcntl(file, F_GETFL);
        int way = status & O_ACCMODE;
        if (way == O_RDONLY || way == O_WRONLY)
            ends[count++] =
                (struct end){file, way == O_WRONLY ? WRITES : READS, status, fcntl(file, F_GETFD), about.st_ino};
    }
}

/* The first of an end of this kind of the pipe; NULL: that is elsewhere. */
static const struct end *end_of(ino_t pipe, int side)
{
    for (size_t i = 0; i < count; i++) {
        if (ends[i].pipe == pipe && ends[i].side == side)
            return &ends[i];
    }
    return NULL;
}

static void replace(const struct end *end, int file)
{
    (void)dup3(file, end->file, end->flags & FD_CLOEXEC ? O_CLOEXEC : 0);
}

static void renew(const struct end *reader)
{
    int fresh[2];
    int bytes = 0;
    if (pipe2(fresh, O_CLOEXEC) != 0)
        return;
    if (ioctl(reader->file, FIONREAD, &bytes) == 0 && bytes > 0)
        (void)tee(reader->file, fresh[WRITES], (size_t)bytes, SPLICE_F_NONBLOCK);
    (void)fcntl(fresh[READS], F_SETFL, reader->status);
    (void)fcntl(fresh[WRITES], F_SETFL, end_of(reader->pipe, WRITES)->status);
    for (size_t i = 0; i < count; i++) {
        if (ends[i].pipe == reader->pipe)
            replace(&ends[i], fresh[ends[i].side]);
    }
    (void)close(fresh[READS]);
    (void)close(fresh[WRITES]);
}

void pipes_serve(void)
{
    for (size_t i = 0; i < count; i++) {
        if (end_of(ends[i].pipe, READS) == &ends[i] && end_of(ends[i].pipe, WRITES))
            renew(&ends[i]);
    }
}
