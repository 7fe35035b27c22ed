/* word_count - counts the lines, words and bytes of all files below some directories, as `wc` does.
 *
 *     word_count [DIRECTORY]...          "." if there is none
 *
 * One thread finds the files; the workers of an executor count them; a third thread prints what they bring. A line on the
 * terminal says how far it is. Ctrl-C ends it: what was counted until then is printed, and the status is 130. A second
 * Ctrl-C does not wait for that.
 *
 *     finder --- submit ---> executor's queue, <= FILES_ON_THE_WAY ---> workers --- put ---> results ---> printer
 *
 * A word is what stands between white space. Symbolic links are not followed. What cannot be read is said on standard error,
 * and makes the status 1. */

#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <threading.h>
#include <unistd.h>

enum { FILES_ON_THE_WAY = 200, LINES_TO_PRINT = 100, OPEN_DIRECTORIES = 32, INTERRUPTED = 130 };

/* A file, from its discovery to its line. Who has the pointer owns it: first the finder, then a task, then the printer. */
struct file {
    char *path;
    int error;    /* an errno: it could not be read */
    bool skipped; /* Ctrl-C came first */
    uintmax_t lines;
    uintmax_t words;
    uintmax_t bytes;
};

static thr_event stop = THR_EVENT_INIT; /* Ctrl-C */
static thr_semaphore room = THR_SEMAPHORE_INIT(FILES_ON_THE_WAY);
static thr_executor *executor;
static thr_queue *results;

static void on_interrupt(int signal)
{
    (void)signal;
    thr_event_set(&stop); /* One of the few calls that a handler may make. */
}

static void die(const char *what, thr_result result)
{
    fprintf(stderr, "word_count: %s: %s\n", what, thr_strerror(result));
    _exit(EXIT_FAILURE); /* exit() would wait for the other threads. */
}

static struct file *new_file(const char *path, int error)
{
    struct file *file = calloc(1, sizeof *file);
    char *copy = strdup(path);
    if (!file || !copy)
        die(path, THR_NO_MEMORY);
    file->path = copy;
    file->error = error;
    return file;
}

static void free_file(struct file *file)
{
    free(file->path);
    free(file);
}

/* -- Counting: tasks of the executor ------------------------------------------------------------------------------ */

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void count_block(struct file *file, const unsigned char *block, size_t size, bool *in_word)
{
    for (size_t i = 0; i < size; i++) {
        bool space = is_space(block[i]);
        file->lines += block[i] == '\n';
        file->words += !space && !*in_word;
        *in_word = !space;
    }
    file->bytes += size;
}

static void count_content(struct file *file, int fd)
{
    unsigned char block[65536];
    bool in_word = false;
    while (!thr_event_is_set(&stop)) {
        ssize_t size = read(fd, block, sizeof block);
        if (size == 0)
            return;
        if (size > 0)
            count_block(file, block, (size_t)size, &in_word);
        else if (errno != EINTR)
            file->error = errno;
        if (file->error != 0)
            return;
    }
    file->skipped = true;
}

static void *count_file(void *arg)
{
    struct file *file = arg;
    int fd = thr_event_is_set(&stop) ? -1 : open(file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        count_content(file, fd);
        close(fd);
    } else if (thr_event_is_set(&stop)) {
        file->skipped = true;
    } else {
        file->error = errno;
    }
    thr_queue_put(results, file); /* Waits while the printer is behind. */
    thr_semaphore_release(&room, 1);
    return NULL;
}

/* -- Finding: a thread --------------------------------------------------------------------------------------------- */

static void found_file(const char *path)
{
    thr_semaphore_acquire(&room); /* Waits while too many are on the way. */
    thr_result result = thr_executor_submit(executor, NULL, count_file, new_file(path, 0));
    if (result != THR_OK)
        die(path, result);
}

static int found(const char *path, const struct stat *about, int what, struct FTW *where)
{
    (void)where;
    if (what == FTW_F && S_ISREG(about->st_mode))
        found_file(path);
    else if (what == FTW_DNR || what == FTW_NS)
        thr_queue_put(results, new_file(path, errno));
    return thr_event_is_set(&stop); /* Not 0: no further. */
}

static void *find(void *arg)
{
    char **directories = arg;
    for (; *directories && !thr_event_is_set(&stop); directories++) {
        if (nftw(*directories, found, OPEN_DIRECTORIES, FTW_PHYS) < 0)
            thr_queue_put(results, new_file(*directories, errno));
    }
    return NULL;
}

/* -- Printing: a thread -------------------------------------------------------------------------------------------- */

#define BETWEEN_PROGRESS 0.1 /* seconds */

static struct {
    struct file all;
    uintmax_t files;
    uintmax_t skipped;
    uintmax_t unreadable;
    bool progress; /* a line of progress is on the terminal */
} total;

static void show_progress(void)
{
    fflush(stdout);
    fprintf(stderr, "\r%" PRIuMAX " files, %" PRIuMAX " words ", total.files, total.all.words);
    total.progress = true;
}

static void hide_progress(void)
{
    if (total.progress)
        fputs("\r\033[K", stderr);
    total.progress = false;
}

static void print_counts(const struct file *file, const char *name)
{
    printf("%8" PRIuMAX " %8" PRIuMAX " %10" PRIuMAX " %s\n", file->lines, file->words, file->bytes, name);
}

static void add_up(const struct file *file)
{
    total.files++;
    total.all.lines += file->lines;
    total.all.words += file->words;
    total.all.bytes += file->bytes;
}

static void print_file(const struct file *file)
{
    hide_progress();
    if (file->skipped) {
        total.skipped++;
    } else if (file->error != 0) {
        total.unreadable++;
        fprintf(stderr, "word_count: %s: %s\n", file->path, strerror(file->error));
    } else {
        add_up(file);
        print_counts(file, file->path);
    }
}

/* Until the queue is shut down, and empty. */
static void *print(void *arg)
{
    bool terminal = isatty(STDERR_FILENO);
    thr_time due = terminal ? thr_after(BETWEEN_PROGRESS) : THR_FOREVER;
    thr_result result;
    void *file;
    while ((result = thr_queue_get_until(results, &file, due)) != THR_CLOSED) {
        if (result == THR_OK) {
            print_file(file);
            free_file(file);
        }
        if (thr_now() >= due) {
            show_progress();
            due = thr_after(BETWEEN_PROGRESS);
        }
    }
    hide_progress();
    return arg;
}

/* -- All of it ----------------------------------------------------------------------------------------------------- */

static int print_total(void)
{
    print_counts(&total.all, "total");
    if (fflush(stdout) != 0) {
        perror("word_count: standard output");
        return EXIT_FAILURE;
    }
    if (thr_event_is_set(&stop)) {
        fprintf(stderr, "word_count: interrupted; %" PRIuMAX " of the files that were found are not counted\n",
                total.skipped);
        return INTERRUPTED;
    }
    return total.unreadable == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void must(const char *what, thr_result result)
{
    if (result != THR_OK)
        die(what, result);
}

int main(int argc, char **argv)
{
    char *here[] = {(char[]){"."}, NULL};
    struct sigaction interrupt = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    thr_thread *finder;
    thr_thread *printer;

    sigaction(SIGINT, &interrupt, NULL);
    must("workers", thr_executor_new(&executor, .thread_name_prefix = "counter"));
    must("queue", thr_queue_new(&results, LINES_TO_PRINT));
    must("printer", thr_spawn(&printer, print, NULL));
    must("finder", thr_spawn(&finder, find, argc > 1 ? argv + 1 : here));

    /* Each ends when nothing can come from the one before it. */
    thr_thread_join(finder, NULL);
    thr_executor_shutdown(executor, true, false);
    thr_queue_shutdown(results, false);
    thr_thread_join(printer, NULL);

    thr_thread_unref(finder);
    thr_thread_unref(printer);
    thr_executor_free(executor);
    thr_queue_free(results);
    return print_total();
}
