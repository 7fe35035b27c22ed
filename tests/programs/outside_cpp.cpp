// outside_cpp - what C++ does by itself, for the laboratory. See tests/scripts/outside.sh.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <threading.h>

namespace {

void expect(bool holds)
{
    if (!holds)
        std::exit(3);
}

std::atomic<int> flag;
std::once_flag once;
std::mutex mutex;
int tries;

// Long enough for the other to be asleep: until then it yields, and lets this one go first.
void store_later()
{
    std::this_thread::sleep_for(std::chrono::hours(1));
    flag.store(1);
}

void wait_of_atomic()
{
    std::thread other([] {
        store_later();
        flag.notify_one();
    });
    flag.wait(0);
    other.join();
}

void wait_without_notify()
{
    std::thread other(store_later);
    flag.wait(0);
    other.join();
}

// The first two fail.
void fail_twice()
{
    const std::scoped_lock hold(mutex);
    if (++tries < 3)
        throw tries;
}

void call_until_done()
{
    for (;;) {
        try {
            std::call_once(once, fail_twice);
            return;
        } catch (int) {
        }
    }
}

void once_fails()
{
    std::thread one(call_until_done);
    std::thread two(call_until_done);
    one.join();
    two.join();
    expect(tries == 3);
}

int slow()
{
    const std::scoped_lock hold(mutex);
    return ++tries;
}

void use_static()
{
    static const int value = slow();
    expect(value == 1);
}

void static_guarded()
{
    std::thread one(use_static);
    std::thread two(use_static);
    one.join();
    two.join();
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2 || !*thr_version())
        return 2;
    if (std::strcmp(argv[1], "wait_of_atomic") == 0)
        wait_of_atomic();
    else if (std::strcmp(argv[1], "wait_without_notify") == 0)
        wait_without_notify();
    else if (std::strcmp(argv[1], "once_fails") == 0)
        once_fails();
    else if (std::strcmp(argv[1], "static_guarded") == 0)
        static_guarded();
    else
        return 2;
    return 0;
}
