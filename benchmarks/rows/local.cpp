/* A thread-local value, of few keys and of many. */

#include <memory>

#include "harness/timing.hpp"
#include "peers/apr.hpp"
#include "peers/bare.hpp"
#include "peers/c11.hpp"
#include "peers/glib.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/sdl.hpp"
#include "peers/tbb.hpp"
#include "peers/uv.hpp"

using namespace peers;
using all =
    bench::list<ours::key, bare::key, posix::key, c11::key, glib::key, uv::key, sdl::key, apr::key, peers::tbb::key>;

static auto measure = [](unsigned n) {
    return [n]<class Key>(bench::effort effort) {
        std::unique_ptr<Key[]> keys(new Key[n]);
        for (unsigned i = 0; i < n; i++)
            keys[i].set(&keys[i]);
        auto get_all = [&] {
            for (unsigned i = 0; i < n; i++)
                bench::use(keys[i].get());
        };
        return bench::sample{bench::each(effort, get_all, n)};
    };
};

static bench::row few("local-32", "get of a thread-local value, 32 keys", "ns", all(), measure(32));
static bench::row many("local-1000", "get of a thread-local value, 1,000 keys", "ns", all(), measure(1000));
