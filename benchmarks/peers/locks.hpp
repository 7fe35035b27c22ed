/* locks.hpp - all locks. */

#ifndef PEERS_LOCKS_HPP
#define PEERS_LOCKS_HPP

#include "peers/absl.hpp"
#include "peers/apr.hpp"
#include "peers/bare.hpp"
#include "peers/c11.hpp"
#include "peers/ck.hpp"
#include "peers/glib.hpp"
#include "peers/nsync.hpp"
#include "peers/omp.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/sdl.hpp"
#include "peers/std.hpp"
#include "peers/tbb.hpp"
#include "peers/uv.hpp"

namespace peers {

using plain_locks = bench::list<posix::lock, posix::adaptive_lock, c11::lock, nsync::lock, glib::lock, sdl::lock,
                                uv::lock, apr::lock, absl::lock, tbb::lock, cxx::lock>;
using all_locks = decltype(plain_locks() + bench::list<absl::debug_lock, omp::lock>());
using spin_locks = bench::list<posix::spin_lock, tbb::spin_lock, ck::spin_lock>;
using rlocks =
    bench::list<posix::rlock, c11::rlock, glib::rlock, sdl::rlock, uv::rlock, apr::rlock, omp::rlock, cxx::rlock>;

} // namespace peers

#endif
