/* check_outside.h - calls of pthreads while a program is checked, and where nobody looks on. */

#ifndef LAB_CHECK_OUTSIDE_H
#define LAB_CHECK_OUTSIDE_H

#include <pthread.h>
#include <stdbool.h>

#include "threading/base.h"

int check_mutex_lock(pthread_mutex_t *mutex, const void *site);
int check_mutex_unlock(pthread_mutex_t *mutex);
/* It was tried for, until this deadline, with this result; or a wait on a condition has it again. */
void check_mutex_taken(const pthread_mutex_t *mutex, int result, thr_time deadline, const void *site);
void check_mutex_waited(const pthread_mutex_t *mutex);
int check_rwlock(pthread_rwlock_t *lock, bool reads, int (*try)(pthread_rwlock_t *), int (*take)(pthread_rwlock_t *),
                 const void *site);
void check_rwlock_taken(const pthread_rwlock_t *lock, bool reads, int result, thr_time deadline, const void *site);
void check_rwlock_released(const pthread_rwlock_t *lock);

/* Where our stand-in was called. */
#define OUTSIDE_SITE __builtin_return_address(0)

#endif
