/* omp.hpp - OpenMP's locks. */

#ifndef PEERS_OMP_HPP
#define PEERS_OMP_HPP

#include <omp.h>

#include "harness/row.hpp"

namespace peers::omp {

using name = bench::peer<"OpenMP">;

struct lock : name {
    omp_lock_t inner;
    lock()
    {
        omp_init_lock(&inner);
    }
    void acquire()
    {
        omp_set_lock(&inner);
    }
    void release()
    {
        omp_unset_lock(&inner);
    }
};

struct rlock : name {
    omp_nest_lock_t inner;
    rlock()
    {
        omp_init_nest_lock(&inner);
    }
    void acquire()
    {
        omp_set_nest_lock(&inner);
    }
    void release()
    {
        omp_unset_nest_lock(&inner);
    }
};

} // namespace peers::omp

#endif
