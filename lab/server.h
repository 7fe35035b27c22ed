/* server.h - a process that forks runs, one after the other, and what it shares with the searching one. */

#ifndef LAB_SERVER_H
#define LAB_SERVER_H

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lab/run.h"
#include "lab/watch.h"

struct job;

/* What has come of a run. */
struct ended {
    int status; /* of the process, as waitpid gives it */
    bool late;  /* it was ended by the watchdog */
    bool none;  /* no process could be had */
    thr_time
        used; /* processor time; where it made calls that are not under control, and may sleep in them: real time */
};

enum order_state { ORDER_NONE, ORDER_GIVEN, ORDER_DONE };

struct order {
    uint32_t state;  /* its futex: see server.c */
    struct job *job; /* whose run is asked for */
    struct ended ended;
};

struct server {
    struct order *order;
    pid_t process;      /* 0: none yet */
    uint32_t processor; /* that its runs stay on, counted from 0 */
    int output;         /* what a run writes to standard output and error; -1: it writes where we do */
    struct job *job;    /* whose run was asked for, and not waited for; NULL: none */
};

/* The processors that this process may run on. */
uint32_t server_processors(void);

/* The calling process, just forked for it, is this server from now on. Returns in processes of runs only: whose. */
struct job *server_run(const struct server *server);

static inline void order_set(struct order *order, enum order_state state)
{
    store_release(&order->state, state);
    (void)syscall(SYS_futex, &order->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Sleeps while the state is this one, a second at most. */
static inline void order_await(struct order *order, uint32_t state)
{
    const struct timespec second = {1, 0};
    (void)syscall(SYS_futex, &order->state, FUTEX_WAIT, state, &second, NULL, 0);
}

#endif
