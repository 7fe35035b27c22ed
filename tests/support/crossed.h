/* crossed.h - two locks, and two threads that take them in two orders: a deadlock, where each has one.
 *
 * left_right                     right_left
 * takes left
 *                                takes right
 * waits for right                waits for left */

#ifndef SUPPORT_CROSSED_H
#define SUPPORT_CROSSED_H

#include "threading.h"

static thr_lock left = THR_LOCK_INIT;
static thr_lock right = THR_LOCK_INIT;

static void *left_right(void *arg)
{
    thr_lock_acquire(&left);
    thr_lock_acquire(&right);
    thr_lock_release(&right);
    thr_lock_release(&left);
    return arg;
}

static void *right_left(void *arg)
{
    thr_lock_acquire(&right);
    thr_lock_acquire(&left);
    thr_lock_release(&left);
    thr_lock_release(&right);
    return arg;
}

#endif
