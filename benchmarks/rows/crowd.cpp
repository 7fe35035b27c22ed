/* Many threads wait for one object and are let go: until the last has run. */

#include "harness/crowd.hpp"
#include "peers/events.hpp"
#include "peers/locks.hpp"

using namespace peers;

static auto gathering = [](unsigned n) {
    return [=]<class Crowd>(bench::effort effort) {
        return bench::gather<Crowd>(effort, n);
    };
};

struct any_lock : bare::futex_lock, bench::limit<"bare futex"> {
    using bench::limit<"bare futex">::what;
    using bench::limit<"bare futex">::label;
    using bench::limit<"bare futex">::name;
};

using limit = bench::list<bench::crowd_event<bare::futex_event>>;
static auto with_events = bench::wrapped<bench::crowd_event>(bench::list<ours::event>()) + limit() +
                          bench::wrapped<bench::crowd_event>(events());
static auto with_conditions = bench::wrapped<bench::crowd_condition>(bench::list<ours::monitor>()) + limit() +
                              bench::wrapped<bench::crowd_condition>(monitors());
static auto with_semaphores =
    bench::wrapped<bench::crowd_semaphore>(bench::list<ours::semaphore, bare::futex_semaphore>() + semaphores());
/* (OpenMP's needs two seconds, and the debug mode of Abseil dislikes the two locks.) */
static auto with_locks = bench::wrapped<bench::crowd_lock>(bench::list<ours::lock, any_lock>() + plain_locks());

static bench::row event_64("broadcast-event-64", "an event lets 64 threads go", "us", with_events, gathering(64));
static bench::row condition_64("broadcast-condition-64", "notify_all lets 64 threads go", "us", with_conditions,
                               gathering(64));
static bench::row event_1000("event-1000", "an event lets 1,000 threads go", "us", with_events, gathering(1000));
static bench::row condition_1000("condition-1000", "notify_all lets 1,000 threads go", "us", with_conditions,
                                 gathering(1000));
static bench::row semaphore_1000("semaphore-1000", "1,000 permits let 1,000 threads go", "us", with_semaphores,
                                 gathering(1000));
static bench::row lock_1000("lock-1000", "a lock goes through 1,000 waiting threads", "us", with_locks,
                            gathering(1000));
