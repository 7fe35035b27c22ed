/* nsync.hpp - nsync. Its conditions, too, know their waiters. */

#ifndef PEERS_NSYNC_HPP
#define PEERS_NSYNC_HPP

#include <nsync.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

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

} // namespace peers::nsync

#endif
