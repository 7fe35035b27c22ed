/* fibre.c - see fibre.h. What depends on the processor is in fibre_PROCESSOR.S. */

#include "model/fibre.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Read on x86-64 only: whether programs may set the thread pointer themselves (FSGSBASE), without a system call. */
int fibre_by_instruction;

/* fibre_PROCESSOR.S: */
extern uintptr_t fibre_thread_pointer(void);
extern void *fibre_first_frame(char *top, void (*function)(void));

struct lender {
    struct fibre *fibre;
    void (*prepare)(void *arg);
    void *arg;
    sem_t ready;
};

static void *lend(void *arg)
{
    struct lender *lender = arg;
    lender->fibre->thread_pointer = fibre_thread_pointer();
    lender->prepare(lender->arg);
    (void)sem_post(&lender->ready);
    for (;;)
        (void)pause();
    return NULL;
}

void fibre_new(struct fibre *fibre, void (*prepare)(void *arg), void *arg)
{
    struct lender lender = {.fibre = fibre, .prepare = prepare, .arg = arg};
    pthread_t thread;
    (void)sem_init(&lender.ready, 0, 0);
    if (pthread_create(&thread, NULL, lend, &lender) != 0) {
        (void)fputs("model: the system would not start a thread\n", stderr);
        exit(2);
    }
    (void)pthread_detach(thread);
    while (sem_wait(&lender.ready) != 0)
        continue;
    (void)sem_destroy(&lender.ready);
}

void fibre_adopt(struct fibre *fibre)
{
    const unsigned long fsgsbase = 2;
    fibre_by_instruction = (getauxval(AT_HWCAP2) & fsgsbase) != 0;
    fibre->thread_pointer = fibre_thread_pointer();
}

void fibre_reset(struct fibre *fibre, char *top, void (*function)(void))
{
    fibre->stack_pointer = fibre_first_frame(top, function);
}
