/* events.hpp - all events, those made of a lock, a condition and a flag among them; all conditions; all semaphores. */

#ifndef PEERS_EVENTS_HPP
#define PEERS_EVENTS_HPP

#include "peers/absl.hpp"
#include "peers/apr.hpp"
#include "peers/bare.hpp"
#include "peers/c11.hpp"
#include "peers/ck.hpp"
#include "peers/glib.hpp"
#include "peers/nsync.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/sdl.hpp"
#include "peers/std.hpp"
#include "peers/uv.hpp"

namespace peers {

using semaphores = bench::list<posix::semaphore, sdl::semaphore, uv::semaphore, cxx::semaphore>;
using monitors = bench::list<posix::monitor, c11::monitor, nsync::monitor, glib::monitor, sdl::monitor, uv::monitor,
                             apr::monitor, absl::monitor, cxx::monitor>;
using events = bench::list<posix::event, c11::event, nsync::event, glib::event, sdl::event, uv::event, apr::event,
                           absl::event, cxx::event, cxx::atomic_event, ck::event>;

} // namespace peers

#endif
