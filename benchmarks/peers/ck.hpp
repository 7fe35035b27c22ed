/* ck.hpp - Concurrency Kit. Its locks and barriers only spin; its event count can sleep. */

#ifndef PEERS_CK_HPP
#define PEERS_CK_HPP

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {
#include <ck_ec.h>
#include <spinlock/fas.h>
}

#include "harness/row.hpp"

namespace peers::ck {

struct spin_lock : bench::other<"CK spin"> {
    ck_spinlock_fas_t inner = CK_SPINLOCK_FAS_INITIALIZER;
    void acquire()
    {
        ck_spinlock_fas_lock(&inner);
    }
    void release()
    {
        ck_spinlock_fas_unlock(&inner);
    }
};

/* What the event count wants to know of the system. */
inline int clock_now(const ck_ec_ops *, timespec *out)
{
    return clock_gettime(CLOCK_MONOTONIC, out);
}
inline void wait32(const ck_ec_wait_state *, const uint32_t *word, uint32_t value, const timespec *deadline)
{
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}
inline void wait64(const ck_ec_wait_state *state, const uint64_t *word, uint64_t value, const timespec *deadline)
{
    wait32(state, reinterpret_cast<const uint32_t *>(word), uint32_t(value), deadline);
}
inline void wake32(const ck_ec_ops *, const uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}
inline void wake64(const ck_ec_ops *ops, const uint64_t *word)
{
    wake32(ops, reinterpret_cast<const uint32_t *>(word));
}

/* An event out of an event count. */
struct event : bench::peer<"CK"> {
    static inline const ck_ec_ops ops = {clock_now, wait32, wait64, wake32, wake64, 0, 0, 0, 0};
    static inline const ck_ec_mode mode = {&ops, false};
    ck_ec32 count = CK_EC_INITIALIZER;
    int flag = 0;
    void set()
    {
        __atomic_store_n(&flag, 1, __ATOMIC_SEQ_CST);
        ck_ec32_inc(&count, &mode);
    }
    void clear()
    {
        __atomic_store_n(&flag, 0, __ATOMIC_SEQ_CST);
    }
    void wait()
    {
        for (;;) {
            uint32_t seen = ck_ec32_value(&count);
            if (__atomic_load_n(&flag, __ATOMIC_SEQ_CST))
                return;
            ck_ec32_wait(&count, &mode, seen, nullptr);
        }
    }
};

} // namespace peers::ck

#endif
