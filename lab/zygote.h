/* zygote.h - a program that has come to the point where its first thread is about to be. */

#ifndef LAB_ZYGOTE_H
#define LAB_ZYGOTE_H

#include "lab/run.h"

/* Lets the program run until it is about to start a thread, or to wait for something, and calls `stopped` there; that
 * returns in processes that are under control (control_begin), or go on as ever. To be called before main. */
void zygote_begin(void (*stopped)(void));

/* Whether it is there, and has not stopped. */
bool zygote_runs(void);

/* The program is about to do what is not the library's, and needs control: a thread made with pthread_create. */
void zygote_stop(void);

#endif
