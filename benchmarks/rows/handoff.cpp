/* Two threads pass a ball to and fro. */

#include "harness/handoff.hpp"
#include "peers/events.hpp"

using namespace peers;
using enum bench::court;

/* The limit: a futex, and 200 pauses of spinning first while the two run across, which only it is told.
 *
 *  word  bit 0: who has the ball; bit 1: the other one may sleep */
struct bare_ball : bench::limit<"futex + spin"> {
    std::atomic<uint32_t> word{0};
    void hop(unsigned i)
    {
        unsigned pauses = bench::running_across.load(std::memory_order_relaxed) ? 200 : 0;
        uint32_t seen = word.load();
        while ((seen & 1) != i) {
            if (pauses > 0) {
                pauses--;
                bare::relax();
            } else if ((seen & 2) || word.compare_exchange_strong(seen, seen | 2)) {
                bare::futex_wait(word, seen | 2);
            }
            seen = word.load();
        }
        if (word.exchange(1 - i) & 2)
            bare::futex_wake(word, 1);
    }
};

static auto game = [](bench::court court) {
    return [=]<class Ball>(bench::effort effort) {
        return bench::play<Ball>(effort, court);
    };
};

template <template <class> class Ball, class Ours, class Peers> struct games {
    using balls =
        decltype(bench::wrapped<Ball>(bench::list<Ours>()) + bench::list<bare_ball>() + bench::wrapped<Ball>(Peers()));
    std::string name, title;
    bench::row in_across{name + "-across", title + ", two processors", "k/s", balls(), game(across)};
    bench::row in_together{name + "-together", title + ", one processor", "k/s", balls(), game(together)};
    bench::row in_alternating{name + "-alternating", title + ", two and one in turn", "k/s", balls(),
                              game(alternating)};
    bench::row in_crowded{name + "-crowded", title + ", two and a busy thread", "k/s", balls(), game(crowded)};
};

static games<bench::by_semaphore, ours::semaphore, semaphores> with_semaphores{"handoff-semaphore",
                                                                               "round trips by semaphores"};
static games<bench::by_event, ours::event, events> with_events{"handoff-event", "round trips by events"};
/* Beside the peers, what any lock and condition could do at best. */
static games<bench::by_condition, ours::monitor, decltype(monitors() + bench::list<bare::spin_monitor>())>
    with_conditions{"handoff-condition", "round trips by a condition"};
