// exit_cpp.cpp - the end of a C++ program: static and thread-local objects, and unwinding; scripts/exit.sh says what each
// case prints.
//
//     exit_cpp CASE

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <pthread.h>
#include <unistd.h>

#include "threading.h"

namespace {

thr_event ending = THR_EVENT_INIT;

void say(const char *what, const char *name)
{
    char line[128];
    int length = std::snprintf(line, sizeof line, "%s%s\n", what, name);
    if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) != length)
        _exit(99);
}

struct Object {
    const char *name;
    explicit Object(const char *its_name) : name(its_name)
    {
    }
    ~Object()
    {
        say("end of the ", name);
        if (std::strcmp(name, "late static") == 0)
            thr_event_set(&ending);
    }
};

Object global("global"); // before any thread: destroyed after the wait

thr_thread *start(thr_target *target, void *arg = nullptr)
{
    thr_thread *thread;
    if (thr_spawn_with(&thread, target, arg, nullptr) != THR_OK)
        _exit(98);
    return thread;
}

void *at_the_end(void *)
{
    thread_local Object local("thread-local");
    (void)local; // made now
    (void)thr_event_wait(&ending);
    say("thread", "");
    return nullptr;
}

void set_up()
{
    (void)start(at_the_end);
    static Object late("late static"); // after the first thread: destroyed before the wait
    (void)late;
}

void in_return()
{
    set_up();
}

void in_exit()
{
    set_up();
    std::exit(5);
}

void *exit_7(void *)
{
    std::exit(7);
}

void in_worker()
{
    set_up();
    (void)thr_thread_join(start(exit_7), nullptr);
}

void *join_main(void *)
{
    (void)thr_thread_join(thr_main_thread(), nullptr);
    say("joined main", "");
    return nullptr;
}

// Main's own thread-local objects and its stack are gone before the others are waited for; the statics after it.
void in_pthread_exit()
{
    Object local("local of main");
    (void)start(join_main);
    pthread_exit(nullptr);
}

void in_fail()
{
    Object local("local of main");
    (void)start(join_main);
    thr_fail(1, "main fails");
}

void *fail_with_objects(void *)
{
    thread_local Object thread_local_object("thread-local");
    Object local("local");
    (void)thread_local_object; // made now
    try {
        thr_fail(2, "a thread fails");
    } catch (...) {
        say("caught", "");
        throw;
    }
}

void in_failing_thread()
{
    thr_set_excepthook([](thr_thread *, int, const char *message) {
        say("hook: ", message);
    });
    thr_thread *thread = start(fail_with_objects);
    thr_result joined = thr_thread_join(thread, nullptr);
    say("joined: ", thr_strerror(joined)); // after both objects
    thr_thread_unref(thread);
}

// An exception that leaves a task: no handler beyond it is reached. Nothing is unwound, but where a wait has called the task: there
// it is as with an exception that leaves a noexcept function, and the compiler decides.
thr_executor *executor;

void *throw_with_object(void *)
{
    Object local("local");
    throw 1;
}

void *throw_plainly(void *)
{
    throw 1;
}

void *catch_all(void *)
{
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    try {
        if (thr_group_spawn(&group, &task, throw_plainly, nullptr) == THR_OK)
            (void)thr_group_wait(&group); // runs it on this stack
    } catch (...) {
        say("caught", "");
    }
    return nullptr;
}

void run_task(void *(*function)(void *))
{
    thr_executor_options options = {};
    options.max_workers = 1;
    thr_future *future;
    std::set_terminate([] {
        say("terminated", "");
        _exit(3);
    });
    if (thr_executor_new_with(&executor, &options) != THR_OK ||
        thr_executor_submit(executor, &future, function, nullptr) != THR_OK)
        _exit(98);
    say("the task: ", thr_strerror(thr_future_result(future, nullptr)));
}

void in_throwing_task()
{
    run_task(throw_with_object);
}

void in_throwing_on_a_stack()
{
    run_task(catch_all);
}

const struct {
    const char *name;
    void (*run)();
} cases[] = {
    {"throwing_task", in_throwing_task},
    {"throwing_on_a_stack", in_throwing_on_a_stack},
    {"return", in_return},
    {"exit", in_exit},
    {"worker", in_worker},
    {"pthread_exit", in_pthread_exit},
    {"fail", in_fail},
    {"failing_thread", in_failing_thread},
};

} // namespace

int main(int argc, char **argv)
{
    for (const auto &one : cases) {
        if (argc == 2 && std::strcmp(argv[1], one.name) == 0) {
            one.run();
            return 0;
        }
    }
    say("no such case", "");
    return 96;
}
