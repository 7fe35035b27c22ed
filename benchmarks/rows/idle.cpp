/* Who waits uses no processor: the time that the worst of seven threads, on each kind of object, has used in ten seconds
 * of waiting (half a second, if quick), its way in and out included. Ours is the worst object's. */

#include <array>

#include "harness/team.hpp"
#include "peers/bare.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"

constexpr unsigned THREADS = 7; /* on each kind of object */

static thr_rlock others_rlock = THR_RLOCK_INIT;
static thr_rwlock written = THR_RWLOCK_INIT;
static thr_event never = THR_EVENT_INIT;
static thr_thread *sleeper;
static thr_timer *timer;

static void *sleep_for_ever(void *)
{
    thr_event_wait(&never);
    return nullptr;
}

static void on_lock(thr_time end)
{
    thr_lock lock = THR_LOCK_INIT;
    thr_lock_acquire(&lock);
    (void)thr_lock_acquire_until(&lock, end);
}
static void on_rlock(thr_time end)
{
    (void)thr_rlock_acquire_until(&others_rlock, end);
}
static void on_condition(thr_time end)
{
    thr_lock lock = THR_LOCK_INIT;
    thr_condition condition = THR_CONDITION_INIT;
    thr_lock_acquire(&lock);
    (void)thr_condition_wait_until(&condition, &lock, end);
}
static void on_semaphore(thr_time end)
{
    thr_semaphore semaphore = THR_SEMAPHORE_INIT(0);
    (void)thr_semaphore_acquire_until(&semaphore, end);
}
static void on_event(thr_time end)
{
    (void)thr_event_wait_until(&never, end);
}
static void on_barrier(thr_time end)
{
    thr_barrier barrier = THR_BARRIER_INIT(2, nullptr, nullptr);
    (void)thr_barrier_wait_until(&barrier, end, nullptr);
}
static void on_latch(thr_time end)
{
    thr_latch latch = THR_LATCH_INIT(1);
    (void)thr_latch_wait_until(&latch, end);
}
static void on_read(thr_time end)
{
    (void)thr_rwlock_acquire_read_until(&written, end);
}
static void on_write(thr_time end)
{
    (void)thr_rwlock_acquire_write_until(&written, end);
}
static void on_join(thr_time end)
{
    (void)thr_thread_join_until(sleeper, end, nullptr);
}
static void on_timer(thr_time end)
{
    (void)thr_timer_join_until(timer, end);
}

struct our_objects : bench::ours {
    static constexpr std::array waits = {on_lock,  on_rlock, on_condition, on_semaphore, on_event, on_barrier,
                                         on_latch, on_read,  on_write,     on_join,      on_timer, thr_sleep_until};
    our_objects()
    {
        thr_rlock_acquire(&others_rlock);
        thr_rwlock_acquire_write(&written);
        if (thr_spawn_with(&sleeper, sleep_for_ever, nullptr, nullptr) != THR_OK ||
            thr_timer_new_with(
                &timer, 1e6, [](void *) {}, nullptr, nullptr) != THR_OK ||
            thr_timer_start(timer) != THR_OK)
            std::abort();
    }
};

static timespec spec(thr_time end)
{
    return {end / 1000000000, end % 1000000000};
}

struct futexes : bench::limit<"bare futex"> {
    static void wait(thr_time end)
    {
        std::atomic<uint32_t> word{0};
        timespec left = spec(end - bench::now());
        peers::bare::futex_wait(word, 0, &left);
    }
    static constexpr std::array waits = {wait};
};

struct conditions : bench::other<"pthread"> {
    static void wait(thr_time end)
    {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        timespec until = spec(end);
        pthread_mutex_lock(&mutex);
        pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
        pthread_mutex_unlock(&mutex);
    }
    static constexpr std::array waits = {wait};
};

static auto measure = []<class Objects>(bench::effort effort) {
    Objects objects;
    std::atomic<int64_t> worst{0};
    unsigned kinds = objects.waits.size();
    thr_time end = bench::now() + (effort.quick ? 500000000ll : 10000000000ll);
    auto wait = [&](unsigned i) {
        int64_t before = bench::thread_time();
        objects.waits[i % kinds](end);
        int64_t used = bench::thread_time() - before;
        for (int64_t seen = worst.load(); seen < used && !worst.compare_exchange_weak(seen, used);)
            ;
    };
    {
        bench::team team(kinds * THREADS, wait);
    }
    return bench::sample{double(worst.load()) / 1e3};
};

static bench::row idle("idle", "processor time of a wait of 10 s", "us",
                       bench::list<our_objects, futexes, conditions>(), measure, {}, true);
