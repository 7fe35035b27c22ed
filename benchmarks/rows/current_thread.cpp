/* Which thread is this? */

#include "harness/timing.hpp"
#include "peers/bare.hpp"
#include "peers/c11.hpp"
#include "peers/glib.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/sdl.hpp"

using namespace peers;
using all = bench::list<ours::self, bare::self, posix::self, c11::self, glib::self, sdl::self>;

static auto measure = []<class Self>(bench::effort effort) {
    return bench::sample{bench::each(effort, [] {
        bench::use(Self::get());
    })};
};

static bench::row current_thread("current-thread", "current thread", "ns", all(), measure);
