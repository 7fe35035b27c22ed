/* service.h - the timer service: the timers' states, the queue and its lock. crew.h has its threads.
 *
 *  state bit  meaning                              set by                       cleared by
 *  STARTED    it was started                       start                        -
 *  ARMED      it will run                          start, reset; the end of a   its run begins, cancel
 *                                                  run of a repeating one
 *  RUNNING    a thread is in its callback          its run begins               its run ends, however
 *  CANCELLED  it was cancelled since it was armed  cancel, where it had effect  reset
 *  HELD       it is counted in service.holding     it becomes ARMED; the end    it is not ARMED any more, or
 *                                                  of a run, if it is ARMED     its run begins
 *
 * A timer is idle when it is neither ARMED nor RUNNING. All this is guarded by the service's lock.
 *
 *  bits of word  meaning                             changed by
 *  0  SLEEPERS   somebody may sleep on the word      a joiner that found it busy; cleared when it becomes idle
 *  1  BUSY       it is not idle                      service_arm, service_settle
 *  2..31         how often it has become idle        service_settle
 *
 * It is stored under the lock, too, but read without by joiners and by who drops the last reference.
 *
 * S1  ARMED => it is in the wheel; or it is RUNNING and was due: then it is put back when the run ends. So no callback
 *     runs twice at a time.
 * S2  HELD <=> it is ARMED, not RUNNING, and no daemon. All these together hold the end of the process back once, each
 *     RUNNING one that is no daemon once more: that is its thread's exit_mine.
 * S3  references == 0 => it is not idle; it is freed when it becomes so.
 * S4  That it is not BUSY any more is the last thing that the service says of a timer: it does not touch it afterwards. So
 *     who has the last reference, and finds it idle, needs no lock to free it: nobody is left to arm it. */

#ifndef THREAD_SERVICE_H
#define THREAD_SERVICE_H

#include "thread/wheel.h"
#include "threading/lock.h"
#include "threading/timer.h"
#include "wait/wait.h"

enum { TIMER_SLEEPERS = 1, TIMER_BUSY = 2, TIMER_GENERATION = 4 };
enum { TIMER_STARTED = 1, TIMER_ARMED = 2, TIMER_RUNNING = 4, TIMER_CANCELLED = 8, TIMER_HELD = 16 };

struct thr_timer {
    struct timer_node node; /* first */
    uint32_t word;          /* below */
    uint32_t state;
    uint32_t references; /* of the program; becomes 0 only under the lock */
    bool repeat;
    bool daemon;
    thr_time delay;
    void (*function)(void *);
    void *arg;
};

extern struct service {
    thr_lock lock;
    bool forked;    /* this is the child of a fork that has not looked at the queue yet */
    bool forkable;  /* the handlers of forks are registered */
    bool owing;     /* service_pay has something to do */
    size_t holding; /* S2 */
    struct wheel wheel;
} service;

/* For a holder of the lock that is in the child of a fork: what was armed there is gone. */
void service_sweep(void);

/* Frees the lock and then does what was put off until then: wakes, and the end of a timer. */
void service_pay(void);

static inline void service_lock(void)
{
    (void)thr_lock_acquire(&service.lock);
    if (THR__UNLIKELY(service.forked))
        service_sweep();
}

static inline void service_unlock(void)
{
    if (THR__UNLIKELY(service.owing))
        service_pay();
    else
        (void)thr_lock_release(&service.lock);
}

/* The rest is for holders of the lock. */

/* Has service_unlock wake the sleepers of this word. */
void service_wake(const uint32_t *word);

/* Arms it. THR_NO_THREAD, THR_NO_MEMORY: nothing has changed. */
thr_result service_arm(thr_timer *timer, thr_time delay, thr_time now);

/* It will not run (again). */
void service_disarm(thr_timer *timer);

/* What a change of the state owes if it made the timer idle: joiners go on, and one without a handle is freed. */
void service_settle(thr_timer *timer);

/* A timer that should run now, or NULL. */
thr_timer *service_due(thr_time now);

/* Its run begins, on this thread; ends. */
void service_begin(thr_timer *timer);
void service_end(thr_timer *timer, thr_time now);

#endif
