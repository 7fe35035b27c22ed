/* failure.h - what the floor above has to do with failures: a task's is not its thread's. */

#ifndef THREAD_FAILURE_H
#define THREAD_FAILURE_H

/* Has `function` called by every thr_fail, on its thread, first of all; where it returns, the thread fails. */
void failure_catch(void (*function)(int code, const char *message));

/* Calls the excepthook for the calling thread. */
void failure_report(int code, const char *message);

#endif
