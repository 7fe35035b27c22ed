/* exit.c - the end of the process, in all the ways there are; scripts/exit.sh says what each prints.
 *
 *     exit CASE
 *
 * Every line is written at once, so that the order of the lines is that of the steps. Where a thread must still be at
 * work when the process begins to end, it waits for `ending`: a handler sets it that is registered after the library's
 * own, and so runs before the wait. */

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "say.h"

static thr_event ending = THR_EVENT_INIT;
static thr_event never = THR_EVENT_INIT;

static thr_thread *start(thr_target *target, void *arg)
{
    thr_thread *thread;
    must(thr_spawn_with(&thread, target, arg, &(thr_thread_options){.daemon = THR_DAEMON_NO}));
    return thread;
}

/* A thread that is given a text. */
static thr_thread *start_with(thr_target *target, const char *text)
{
    return start(target, (void *)(uintptr_t)text);
}

static void early_handler(void)
{
    say("early handler");
}

static void late_handler(void)
{
    say("late handler");
    thr_event_set(&ending);
}

static void *at_the_end(void *arg)
{
    (void)thr_event_wait(&ending);
    say(arg);
    return NULL;
}

/* A thread that ends only during the end of the process, and handlers around it. */
static void set_up(void)
{
    if (atexit(early_handler) != 0)
        _exit(97);
    (void)start_with(at_the_end, "thread");
    if (atexit(late_handler) != 0)
        _exit(97);
}

static void *join_main(void *arg)
{
    thr_result joined = thr_thread_join(thr_main_thread(), NULL);
    if (thr_thread_is_alive(thr_main_thread()))
        say("wrong");
    say(joined == THR_OK ? "joined main" : joined == THR_FAILED ? "joined main, which failed" : "wrong");
    return arg;
}

/* -- In main ---------------------------------------------------------------------------------------------------------- */

static void in_return(void)
{
    set_up();
}

static void in_exit(void)
{
    set_up();
    exit(5);
}

static void in_join_main(void)
{
    (void)start(join_main, NULL);
    say("end of main");
}

static void in_pthread_exit(void)
{
    (void)start(join_main, NULL);
    say("end of main");
    pthread_exit(NULL);
}

static void in_pthread_exit_alone(void)
{
    say("end of main");
    pthread_exit(NULL);
}

static void cleanup(void *arg)
{
    say(arg);
}

static void in_fail(void)
{
    (void)start(join_main, NULL);
    static char text[] = "cleanup of main";
    pthread_cleanup_push(cleanup, text);
    thr_fail(3, "main has had enough");
    pthread_cleanup_pop(1);
}

static void *say_it(void *arg)
{
    say(arg);
    return NULL;
}

static void in_shutdown(void)
{
    (void)start_with(say_it, "thread");
    thr_shutdown();
    say(thr_active_count() == 1 ? "only main" : "wrong");
    thr_shutdown();
    say("end of main");
}

/* A thread that joins main is not waited for by a shutdown in main, which goes on to live. */
static void in_shutdown_joined(void)
{
    (void)start(join_main, NULL);
    thr_shutdown();
    say("end of main");
}

static void *block_for_ever(void *arg)
{
    (void)thr_event_wait(&never);
    return arg;
}

static void in_daemons(void)
{
    set_up();
    for (int i = 0; i < 4; i++)
        must(thr_spawn(NULL, block_for_ever, NULL, .daemon = THR_DAEMON_YES));
}

/* -- Threads that start threads ------------------------------------------------------------------------------------------ */

static void *start_next(void *arg)
{
    int n = *(int *)arg;
    (void)thr_event_wait(&ending);
    if (n == 0) {
        say("last");
        return NULL;
    }
    static int left[8];
    left[n] = n - 1;
    (void)start(start_next, &left[n]);
    return NULL;
}

static void in_chain(void)
{
    static int length = 7;
    (void)start(start_next, &length);
    if (atexit(late_handler) != 0)
        _exit(97);
}

static void *slowly(void *arg)
{
    thr_sleep(0.02); /* so that it is seen when nobody waits for it */
    say(arg);
    return NULL;
}

static void start_in_handler(void)
{
    say("early handler");
    (void)start_with(slowly, "thread of a handler");
}

/* A handler that runs after the wait starts a thread. */
static void in_handler(void)
{
    if (atexit(early_handler) != 0 || atexit(start_in_handler) != 0)
        _exit(97);
    set_up();
}

/* -- exit() in a thread --------------------------------------------------------------------------------------------------- */

static void *exit_7(void *arg)
{
    (void)arg;
    exit(7);
}

/* Main joins it. */
static void in_worker(void)
{
    set_up();
    (void)thr_thread_join(start(exit_7, NULL), NULL);
}

static thr_event may_exit = THR_EVENT_INIT;

static void *exit_when_told(void *arg)
{
    (void)arg;
    (void)thr_event_wait(&may_exit);
    exit(7);
}

static void *join_it(void *arg)
{
    (void)thr_thread_join(arg, NULL);
    return NULL;
}

static void *join_it_with_deadline(void *arg)
{
    while (thr_thread_join_until(arg, thr_after(1000), NULL) != THR_OK)
        continue;
    return NULL;
}

static void *join_it_at_the_end(void *arg)
{
    (void)thr_event_wait(&ending);
    return join_it(arg);
}

/* Others join it: before, later, through others, and with a deadline; and one joins main. */
static void in_worker_joined(void)
{
    set_up();
    thr_thread *worker = start(exit_when_told, NULL);
    thr_thread *joiner = start(join_it, worker);
    (void)start(join_it, joiner);
    (void)start(join_it_with_deadline, worker);
    thr_thread *later = start(join_it_at_the_end, worker);
    (void)start(join_it_at_the_end, later);
    (void)start(join_main, NULL);
    thr_event_set(&may_exit);
    (void)block_for_ever(NULL);
}

static void *foreign_exit(void *arg)
{
    (void)arg;
    exit(4);
}

static void in_foreign(void)
{
    pthread_t thread;
    set_up();
    if (pthread_create(&thread, NULL, foreign_exit, NULL) != 0)
        _exit(97);
    (void)block_for_ever(NULL);
}

static void *exit_9_at_the_end(void *arg)
{
    (void)join_main(arg); /* it has come to the library's handler */
    exit(9);
}

/* A second exit() does not wait. */
static void in_second(void)
{
    (void)start(block_for_ever, NULL);
    (void)start(exit_9_at_the_end, NULL);
}

/* -- Several that wait ------------------------------------------------------------------------------------------------------ */

static void *shut_down(void *arg)
{
    (void)arg;
    thr_shutdown();
    return NULL;
}

static void in_two_shutdowns(void)
{
    (void)start_with(say_it, "thread");
    thr_thread *one = start(shut_down, NULL);
    thr_thread *two = start(shut_down, NULL);
    must(thr_thread_join(one, NULL));
    must(thr_thread_join(two, NULL));
    say("end of main");
}

static void *shut_down_then_say(void *arg)
{
    thr_shutdown();
    thr_sleep(0.02);
    say(arg);
    return NULL;
}

/* Main waits for a thread that waits for the others. */
static void in_shutdown_and_return(void)
{
    set_up();
    (void)start_with(shut_down_then_say, "after the shutdown");
}

/* -- Fork --------------------------------------------------------------------------------------------------------------------- */

static void *fork_and_return(void *arg)
{
    pid_t child = fork();
    if (child == 0) {
        (void)start(join_main, NULL); /* the calling thread is main now */
        say("end of the forking thread");
        return arg;
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    say(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "child ended with 0" : "wrong");
    return arg;
}

static void in_fork(void)
{
    must(thr_thread_join(start(fork_and_return, NULL), NULL));
    say("end of main");
}

static void fork_in_handler(void)
{
    say("handler");
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    int status = 0;
    (void)waitpid(child, &status, 0);
    say(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "child ended with 0" : "wrong");
}

static void in_fork_in_handler(void)
{
    if (atexit(fork_in_handler) != 0)
        _exit(97);
    (void)start_with(say_it, "thread");
}

/* The child of a process that was ending waits for its own threads. */
static void *fork_at_the_end(void *arg)
{
    (void)join_main(arg); /* it has come to the library's handler */
    pid_t child = fork();
    if (child == 0) {
        (void)start_with(slowly, "thread of the child");
        exit(0);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    say(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "child ended with 0" : "wrong");
    return arg;
}

static void in_fork_at_the_end(void)
{
    (void)start(fork_at_the_end, NULL);
}

/* ----------------------------------------------------------------------------------------------------------------------------- */

static const struct program_case cases[] = {
    {"return", in_return},
    {"exit", in_exit},
    {"join_main", in_join_main},
    {"pthread_exit", in_pthread_exit},
    {"pthread_exit_alone", in_pthread_exit_alone},
    {"fail", in_fail},
    {"shutdown", in_shutdown},
    {"shutdown_joined", in_shutdown_joined},
    {"daemons", in_daemons},
    {"chain", in_chain},
    {"handler", in_handler},
    {"worker", in_worker},
    {"worker_joined", in_worker_joined},
    {"foreign", in_foreign},
    {"second", in_second},
    {"two_shutdowns", in_two_shutdowns},
    {"shutdown_and_return", in_shutdown_and_return},
    {"fork", in_fork},
    {"fork_in_handler", in_fork_in_handler},
    {"fork_at_the_end", in_fork_at_the_end},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
