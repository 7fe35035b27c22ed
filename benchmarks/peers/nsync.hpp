/* nsync.hpp - nsync. Its conditions, too, know their waiters. */

#ifndef PEERS_NSYNC_HPP
#define PEERS_NSYNC_HPP

#include <nsync.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"
#include "peers/queues.hpp"

namespace peers::nsync {

using name = bench::peer<"nsync">;

struct lock : name {
    ::nsync::nsync_mu inner = NSYNC_MU_INIT;
    void acquire()
    {
        ::nsync::nsync_mu_lock(&inner);
    }
    void release()
    {
        ::nsync::nsync_mu_unlock(&inner);
    }
};

struct monitor : lock {
    ::nsync::nsync_cv changed = NSYNC_CV_INIT;
    void wait()
    {
        ::nsync::nsync_cv_wait(&changed, &inner);
    }
    void notify()
    {
        ::nsync::nsync_cv_signal(&changed);
    }
    void notify_all()
    {
        ::nsync::nsync_cv_broadcast(&changed);
    }
};

using event = flag_event<monitor>;

/* Can be set once. */
struct note : bench::peer<"nsync_note"> {
    ::nsync::nsync_note inner = ::nsync::nsync_note_new(nullptr, ::nsync::nsync_time_no_deadline);
    void set()
    {
        ::nsync::nsync_note_notify(inner);
    }
    void wait()
    {
        ::nsync::nsync_note_wait(inner, ::nsync::nsync_time_no_deadline);
    }
};

struct queue : bench::peer<"nsync ring"> {
    plain_ring ring;
    ::nsync::nsync_mu lock = NSYNC_MU_INIT;
    ::nsync::nsync_cv not_full = NSYNC_CV_INIT, not_empty = NSYNC_CV_INIT;
    explicit queue(std::size_t n) : ring(n)
    {
    }
    void put(void *item)
    {
        ::nsync::nsync_mu_lock(&lock);
        while (ring.is_full())
            ::nsync::nsync_cv_wait(&not_full, &lock);
        ring.push(item);
        ::nsync::nsync_mu_unlock(&lock);
        ::nsync::nsync_cv_signal(&not_empty);
    }
    void *get()
    {
        ::nsync::nsync_mu_lock(&lock);
        while (ring.size == 0)
            ::nsync::nsync_cv_wait(&not_empty, &lock);
        void *item = ring.pop();
        ::nsync::nsync_mu_unlock(&lock);
        ::nsync::nsync_cv_signal(&not_full);
        return item;
    }
};

} // namespace peers::nsync

#endif
