/* link.h - what the library and the laboratory hand each other, when the library loads it (load.c).
 *
 * The laboratory is a shared object of its own. It is not linked to the library, of which the program may have a static
 * or a shared copy: all it needs it finds in `struct lab_link`. Both sides are built from the same sources; `version` and
 * `size` are there to notice when they were not. */

#ifndef LAB_LINK_H
#define LAB_LINK_H

#include "thread/sight.h"
#include "threading/lab.h"
#include "wait/hook.h"
#include "wait/wait.h"

enum { LAB_LINK_VERSION = 2, LAB_INTERNAL_MAX = 4 };

/* What the library hands over. It stays valid. */
struct lab_link {
    uint32_t version;
    uint32_t size; /* of this struct */
    const char *library_version;

    void (*hook)(enum hook_purpose purpose); /* hook_set */
    const struct wait_system **system;       /* wait_system */
    const struct wait_system *os;            /* wait_system_os */

    /* Locks that are no objects of the program's, such as the registry's; NULL ends the list. */
    const void *internal[LAB_INTERNAL_MAX];

    struct wait_record *(*record)(void); /* of the calling thread; NULL before it has one */
    bool (*look)(uint32_t number, struct sight *sight);
    enum sight_holder (*holder)(const struct wait_record *wait, uint32_t *number);
    size_t (*name)(const thr_thread *thread, char *buffer, size_t size);
    bool (*daemon)(const thr_thread *thread);
    bool (*failed)(const thr_thread *thread);
    int (*failure)(const thr_thread *thread, char *message, size_t size);
    thr_result (*shutdown)(void);
    /* Gives the calling thread a record and a number, if it has none yet; NULL: no memory, or it has ended already. */
    struct wait_record *(*stranger)(void);
    bool (*peek)(const uint32_t *word, uint32_t *value); /* os_peek */
};

/* What the laboratory hands back. */
struct lab_entry {
    /* thr_lab_fail, with its message; returns only when nothing is explored. */
    void (*fail)(const char *message);
    thr_result (*explore)(void (*body)(void *arg), const thr_explore_options *options, thr_verdict *verdict);
};

/* The one function that the library looks up in the laboratory. `asked`: by the environment, before the program's main,
 * which may be the place where programs are explored: it then returns in the process of one schedule only. NULL: the two
 * do not fit. */
typedef const struct lab_entry *lab_attach(const struct lab_link *link, bool asked);
#define LAB_ATTACH "thr_lab_attach"

/* The environment variables that `threading explore` and its like set: the laboratory's file, what to do (explore, replay,
 * check), and the options of that, as NAME=VALUE separated by newlines. */
#define LAB_VARIABLE "THREADING_LAB"
#define LAB_MODE_VARIABLE "THREADING_LAB_MODE"
#define LAB_OPTIONS_VARIABLE "THREADING_LAB_OPTIONS"

/* What the laboratory tells the command, in memory that both map; the option `news` is its file. The program may close that,
 * and all others. */
enum { NEWS_TEXT = 1 << 20 };

struct lab_news {
    uint32_t there;       /* the library is */
    int stopped;          /* the process that was stopped before its first thread; 0: none has been */
    int ended;            /* the status of the search, and 1 */
    uint32_t others;      /* more of the program's processes came so far */
    uint32_t reported;    /* `check` has something */
    uint32_t length;      /* of the text; there may be no room for its end */
    char text[NEWS_TEXT]; /* what could not be written to standard error, as that was at the start */
};

#endif
