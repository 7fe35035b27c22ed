/* server.h - the process that forks the runs of one job, and what it shares with the searching one. */

#ifndef LAB_SERVER_H
#define LAB_SERVER_H

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lab/run.h"
#include "lab/watch.h"

enum order_state { ORDER_NONE, ORDER_GIVEN, ORDER_DONE };

struct order {
    uint32_t state; /* its futex: see server.c */
    int status;     /* of the process, as waitpid gives it */
    bool late;      /* it was ended by the watchdog */
    bool none;      /* no process could be had */
};

struct job;

/* The processors that this process may run on. */
uint32_t server_processors(void);

/* The calling process, just forked for it, is the server of this job from now on. Returns in processes of runs only. */
void server_run(struct job *job);

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
