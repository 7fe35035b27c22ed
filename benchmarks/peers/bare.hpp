/* bare.hpp - the limits: the same work with bare atomics, and with a bare futex where somebody has to sleep. They know
 * no deadlines, fairness, errors or records. */

#ifndef PEERS_BARE_HPP
#define PEERS_BARE_HPP

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/row.hpp"

namespace peers::bare {

inline void futex_wait(std::atomic<uint32_t> &word, uint32_t value, const timespec *timeout = nullptr)
{
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, timeout, nullptr, 0);
}

inline void futex_wake(std::atomic<uint32_t> &word, int n)
{
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, n, nullptr, nullptr, 0);
}

inline void relax()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
}

/* For one thread alone: nobody else comes. */
struct lock : bench::limit<"CAS + xchg"> {
    std::atomic<uint32_t> word{0};
    void acquire()
    {
        uint32_t expected = 0;
        if (!word.compare_exchange_strong(expected, 1, std::memory_order_acquire))
            std::abort();
    }
    void release()
    {
        word.exchange(0, std::memory_order_release);
    }
};

/* The textbook's: 0 free, 1 held, 2 held and somebody may sleep. It never spins. */
struct futex_lock : bench::other<"bare futex"> {
    std::atomic<uint32_t> word{0};
    void acquire()
    {
        uint32_t seen = 0;
        if (word.compare_exchange_strong(seen, 1, std::memory_order_acquire))
            return;
        while (word.exchange(2, std::memory_order_acquire) != 0)
            futex_wait(word, 2);
    }
    void release()
    {
        if (word.exchange(0, std::memory_order_release) == 2)
            futex_wake(word, 1);
    }
};

struct rlock : bench::limit<"CAS + xchg, owner"> {
    lock inner;
    uint32_t depth = 0;
    std::atomic<void *> owner{nullptr};
    static void *me()
    {
        static constinit thread_local char here = 0;
        return &here;
    }
    void acquire()
    {
        if (owner.load(std::memory_order_relaxed) != me()) {
            inner.acquire();
            owner.store(me(), std::memory_order_relaxed);
        }
        depth++;
    }
    void release()
    {
        if (--depth == 0) {
            owner.store(nullptr, std::memory_order_relaxed);
            inner.release();
        }
    }
};

struct semaphore : bench::limit<"two CAS"> {
    std::atomic<uint32_t> word{0};
    void acquire()
    {
        uint32_t seen = word.load(std::memory_order_relaxed);
        while (!word.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire))
            ;
    }
    void release()
    {
        uint32_t seen = word.load(std::memory_order_relaxed);
        while (!word.compare_exchange_weak(seen, seen + 1, std::memory_order_release))
            ;
    }
};

struct event : bench::limit<"load"> {
    std::atomic<uint32_t> flag{0};
    void set()
    {
        flag.store(1, std::memory_order_release);
    }
    void wait()
    {
        if (!flag.load(std::memory_order_acquire))
            std::abort();
    }
};

/* The event that can sleep: all sleepers are woken at once. */
struct futex_event : bench::limit<"bare futex"> {
    std::atomic<uint32_t> flag{0};
    void set()
    {
        if (flag.exchange(1) == 0)
            futex_wake(flag, INT_MAX);
    }
    void clear()
    {
        flag.store(0);
    }
    void wait()
    {
        while (!flag.load())
            futex_wait(flag, 0);
    }
};

/* As a semaphore: one word of permits; a release always wakes. */
struct futex_semaphore : bench::limit<"bare futex"> {
    std::atomic<uint32_t> permits{0};
    void acquire()
    {
        uint32_t seen = permits.load();
        for (;;) {
            if (seen == 0) {
                futex_wait(permits, 0);
                seen = permits.load();
            } else if (permits.compare_exchange_weak(seen, seen - 1)) {
                return;
            }
        }
    }
    void release(uint32_t n = 1)
    {
        permits.fetch_add(n);
        futex_wake(permits, int(n));
    }
};

/* The least that has the shape of a lock and a condition, for two threads: a lock that only spins, and a word of the
 * waiter's own, in a line of its own, that the release writes after a notify. It has no queue and cannot sleep. */
struct spin_monitor : bench::other<"spin + word"> {
    struct waiter {
        alignas(64) std::atomic<bool> granted{false};
    };
    std::atomic<bool> held{false};
    waiter *waiting = nullptr, *notified = nullptr;
    void acquire()
    {
        bool expected = false;
        while (!held.compare_exchange_strong(expected, true, std::memory_order_acquire)) {
            relax();
            expected = false;
        }
    }
    void release()
    {
        waiter *let_go = std::exchange(notified, nullptr);
        held.store(false, std::memory_order_release);
        if (let_go)
            let_go->granted.store(true, std::memory_order_release);
    }
    void wait()
    {
        waiter me;
        waiting = &me;
        release();
        while (!me.granted.load(std::memory_order_acquire))
            relax();
        acquire();
    }
    void notify()
    {
        if (waiting)
            notified = std::exchange(waiting, nullptr);
    }
};

/* A central counter; the last one lets the round go. `Wait` is what the others do meanwhile. */
struct barrier {
    uint32_t parties;
    std::atomic<uint32_t> arrived{0};
    std::atomic<uint32_t> round{0};
    explicit barrier(unsigned n) : parties(n)
    {
    }
    template <class Wait> bool arrive(Wait wait)
    {
        uint32_t mine = round.load();
        if (arrived.fetch_add(1) + 1 == parties) {
            arrived.store(0);
            round.store(mine + 1);
            return true;
        }
        while (round.load() == mine)
            wait(mine);
        return false;
    }
};

struct yield_barrier : bench::limit<"yielding">, barrier {
    using barrier::barrier;
    void wait()
    {
        arrive([](uint32_t) {
            sched_yield();
        });
    }
};

struct futex_barrier : bench::other<"bare futex">, barrier {
    using barrier::barrier;
    void wait()
    {
        if (arrive([this](uint32_t mine) {
                futex_wait(round, mine);
            }))
            futex_wake(round, INT_MAX);
    }
};

/* clone() itself, what pthread_create is made of. Stacks are kept for the next thread, as the C library does. */
struct thread : bench::limit<"clone"> {
    static constexpr std::size_t STACK = 64 * 1024;
    static inline std::vector<char *> stacks;
    char *stack = nullptr;
    std::atomic<uint32_t> tid{1};
    void *(*function)(void *) = nullptr;
    static int run(void *self)
    {
        static_cast<thread *>(self)->function(nullptr);
        return 0;
    }
    void start(void *(*f)(void *))
    {
        function = f;
        if (stacks.empty())
            stacks.push_back(static_cast<char *>(mmap(nullptr, STACK, PROT_READ | PROT_WRITE,
                                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0)));
        stack = stacks.back();
        stacks.pop_back();
        int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
        if (stack == MAP_FAILED || clone(run, stack + STACK, flags, this, &tid, nullptr, &tid) < 0)
            std::abort();
    }
    void join()
    {
        /* The kernel wakes the word as a shared one. */
        while (uint32_t living = tid.load())
            syscall(SYS_futex, &tid, FUTEX_WAIT, living, nullptr, nullptr, 0);
        stacks.push_back(stack);
    }
};

/* A value that the compiler knows to be thread-local. */
struct key : bench::limit<"thread_local"> {
    static inline constinit thread_local void *slots[2048] = {};
    static inline std::size_t made;
    std::size_t mine = made++;
    void *get()
    {
        return slots[mine];
    }
    void set(void *value)
    {
        slots[mine] = value;
    }
};

struct self : bench::limit<"thread_local"> {
    static inline constinit thread_local void *me = nullptr;
    static void *get()
    {
        return me;
    }
};

/* A wheel of one level: a list a second. Nothing ever runs. */
struct timers : bench::limit<"bare wheel"> {
    struct node {
        node *next, *previous;
    };
    std::vector<node> slots, all;
    static void put(node &slot, node &one)
    {
        one = {slot.next, &slot};
        slot.next->previous = &one;
        slot.next = &one;
    }
    explicit timers(std::size_t n) : slots(4096), all(n)
    {
        for (node &slot : slots)
            slot = {&slot, &slot};
        for (std::size_t i = 0; i < n; i++)
            put(slots[i % slots.size()], all[i]);
    }
    void arm(std::size_t i, unsigned seconds)
    {
        cancel(i);
        put(slots[seconds % slots.size()], all[i]);
    }
    void cancel(std::size_t i)
    {
        node &one = all[i];
        one.next->previous = one.previous;
        one.previous->next = one.next;
        one = {&one, &one};
    }
};

} // namespace peers::bare

#endif
