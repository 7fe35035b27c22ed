/* posix.hpp - pthreads, and what else POSIX has. */

#ifndef PEERS_POSIX_HPP
#define PEERS_POSIX_HPP

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <pthread.h>
#include <semaphore.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::posix {

using name = bench::peer<"pthread">;

struct mutex {
    pthread_mutex_t inner;
    explicit mutex(int type)
    {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, type);
        pthread_mutex_init(&inner, &attributes);
    }
    void acquire()
    {
        pthread_mutex_lock(&inner);
    }
    void release()
    {
        pthread_mutex_unlock(&inner);
    }
};

struct lock : name, mutex {
    lock() : mutex(PTHREAD_MUTEX_DEFAULT)
    {
    }
};

struct adaptive_lock : bench::peer<"pthread adaptive">, mutex {
    adaptive_lock() : mutex(PTHREAD_MUTEX_ADAPTIVE_NP)
    {
    }
};

struct rlock : name, mutex {
    rlock() : mutex(PTHREAD_MUTEX_RECURSIVE)
    {
    }
};

struct spin_lock : bench::other<"pthread spin"> {
    pthread_spinlock_t inner;
    spin_lock()
    {
        pthread_spin_init(&inner, PTHREAD_PROCESS_PRIVATE);
    }
    void acquire()
    {
        pthread_spin_lock(&inner);
    }
    void release()
    {
        pthread_spin_unlock(&inner);
    }
};

struct semaphore : bench::peer<"sem_t"> {
    sem_t inner;
    semaphore()
    {
        sem_init(&inner, 0, 0);
    }
    void acquire()
    {
        while (sem_wait(&inner) != 0 && errno == EINTR)
            ;
    }
    void release(unsigned n = 1)
    {
        while (n-- > 0)
            sem_post(&inner);
    }
};

struct monitor : lock {
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    void wait()
    {
        pthread_cond_wait(&changed, &inner);
    }
    void notify()
    {
        pthread_cond_signal(&changed);
    }
    void notify_all()
    {
        pthread_cond_broadcast(&changed);
    }
};

using event = flag_event<monitor>;

struct barrier : name {
    pthread_barrier_t inner;
    explicit barrier(unsigned parties)
    {
        pthread_barrier_init(&inner, nullptr, parties);
    }
    void wait()
    {
        pthread_barrier_wait(&inner);
    }
};

struct thread : name {
    pthread_t handle;
    void start(void *(*function)(void *))
    {
        if (pthread_create(&handle, nullptr, function, nullptr) != 0)
            std::abort();
    }
    void join()
    {
        pthread_join(handle, nullptr);
    }
};

struct key : name {
    pthread_key_t inner;
    key()
    {
        if (pthread_key_create(&inner, nullptr) != 0)
            std::abort();
    }
    void *get()
    {
        return pthread_getspecific(inner);
    }
    void set(void *value)
    {
        pthread_setspecific(inner, value);
    }
};

/* pthread_self without its attribute `const`: a loop would call it once. */
extern "C" pthread_t pthread_self_each_time() noexcept __asm__("pthread_self");

struct self : bench::peer<"pthread_self"> {
    static pthread_t get()
    {
        return pthread_self_each_time();
    }
};

/* As many as may be had: each counts as a pending signal, and of those there is a limit (often a little below 100,000). */
struct timers : bench::peer<"timer_settime"> {
    std::vector<timer_t> all;
    explicit timers(std::size_t n)
    {
        sigevent silent = {};
        silent.sigev_notify = SIGEV_NONE;
        timer_t one;
        while (all.size() < n && timer_create(CLOCK_MONOTONIC, &silent, &one) == 0) {
            all.push_back(one);
            arm(all.size() - 1, 1000 + unsigned(all.size()));
        }
        if (all.size() < 1000)
            std::abort();
    }
    void arm(std::size_t i, unsigned seconds)
    {
        itimerspec in = {};
        in.it_value.tv_sec = seconds;
        timer_settime(all[i], 0, &in, nullptr);
    }
    void cancel(std::size_t i)
    {
        itimerspec never = {};
        timer_settime(all[i], 0, &never, nullptr);
    }
};

} // namespace peers::posix

#endif
