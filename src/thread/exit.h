/* exit.h - what holds back the end of the process. */

#ifndef THREAD_EXIT_H
#define THREAD_EXIT_H

#include "threading/base.h"

/* One more thing that the end of the process waits for, as it waits for a non-daemon thread: THR_NO_MEMORY if the system
 * cannot be made to wait. */
thr_result exit_hold(void);
void exit_release(void);

/* How many of these the calling thread itself would release, and so cannot while it waits for the end: a timer's thread
 * has 1 here while it runs a callback that holds the process. */
extern __thread uint32_t exit_mine __attribute__((tls_model("initial-exec")));

/* Somebody begins to wait for a thread's end: who waits for the end of the process may have to look again. Called after
 * wait_begin. */
void exit_notice_join(void);

/* Waits until nothing holds the process back but what waits for the caller. */
void exit_wait(void);

/* For the floor above. Has `quit` called by a thread that has called exit(), before it waits: it will not come back. And
 * `function` when somebody begins to wait for the end, and when that wait is over: some threads end only when they are
 * told. `held` says whether a thread that thr_shutdown would wait for cannot end before it has returned. */
void exit_notice(void (*function)(bool begins), void (*quit)(void), bool (*held)(void));

/* Main has come to its end: who joins it goes on. Then waits, and ends the process. */
_Noreturn void exit_main(int status);

/* In a fork's child nothing holds the process back any more: holds of threads and timers are gone, and are not to be
 * released. */
void exit_after_fork(void);

#endif
