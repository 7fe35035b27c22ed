/* The event is set: nobody has to wait. */

#include "harness/timing.hpp"
#include "peers/events.hpp"

using namespace peers;
using all = decltype(bench::list<ours::event, bare::event, peers::absl::notification, peers::nsync::note>() + events());

static auto measure = []<class Event>(bench::effort effort) {
    static Event flag;
    flag.set();
    return bench::sample{bench::each(effort, [] {
        flag.wait();
    })};
};

static bench::row event("event", "wait for an event that is set", "ns", all(), measure);
