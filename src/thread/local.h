/* local.h - what the ends of threads and of the process need of local.c. */

#ifndef THREAD_LOCAL_H
#define THREAD_LOCAL_H

#include "threading/local.h"

/* Destroys the calling thread's values. May be called again when more have been set; the rounds are counted over all
 * calls. Foreign threads need not call it. */
void local_thread_end(void);

#endif
