// consumer.cpp - the same in C++, which has no designated initialisers and so uses thr_spawn_with.
// Its argument is the version that the package says it has.

#include <cstring>
#include <threading.h>

static thr_lock lock = THR_LOCK_INIT;
static thr_event ready = THR_EVENT_INIT;
static int counter;
static bool destroyed;

struct Witness {
    ~Witness()
    {
        destroyed = true;
    }
};

static void *count(void *arg)
{
    (void)thr_event_wait(&ready);
    for (int i = 0; i < 1000; i++) {
        THR_HOLD(&lock);
        counter++;
    }
    return arg;
}

static void *fail(void *)
{
    Witness witness;
    thr_fail(1, "on purpose");
}

static void quiet(thr_thread *, int, const char *)
{
}

int main(int argc, char **argv)
{
    thr_thread_options options = {};
    options.name = "counter";
    thr_thread *threads[4];
    for (auto &thread : threads)
        if (thr_spawn_with(&thread, count, &thread, &options) != THR_OK)
            return 1;
    thr_event_set(&ready);
    for (auto &thread : threads) {
        void *result = nullptr;
        if (thr_thread_join(thread, &result) != THR_OK || result != &thread)
            return 2;
        thr_thread_unref(thread);
    }
    if (counter != 4000)
        return 3;

    thr_thread *failing;
    thr_set_excepthook(quiet);
    if (thr_spawn_with(&failing, fail, nullptr, nullptr) != THR_OK || thr_thread_join(failing, nullptr) != THR_FAILED)
        return 4;
    thr_thread_unref(failing);
    if (!destroyed)
        return 5;

    return argc == 2 && std::strcmp(argv[1], thr_version()) == 0 ? 0 : 6;
}
