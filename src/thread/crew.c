/* crew.c - the threads of the timer service: a leader and its followers.
 *
 *  a thread is  what it does                                    becomes
 *  the leader   sleeps until somebody has to look at the queue  RUNNING, when a timer is due: before, it hands the
 *                                                               leadership on; ended, when nothing is armed for long
 *  running      is in a callback                                RUNNING again, when another timer is due and there is a
 *                                                               leader; the leader, if there is none; else parked
 *  parked       sleeps until it is needed                       the leader; ended, when it was not needed for long
 *
 * The leadership goes to the thread that parked last (so that the others come to their end), else to a new one. It is
 * handed on only while timers are armed: without any, whoever arms the next one sees to it.
 *
 * Growth is held back while callbacks come to their ends: then the threads that run them take the next timers too, and
 * only if none has ended for GRACE, all of them being stuck, another thread is added. So a burst of 100,000 quick
 * callbacks runs on about as many threads as there are processors, and a blocked one delays others by GRACE at most.
 *
 * C1  No leader => wake_at is THR_FOREVER. The leader awake, or about to be => AWAKE. Else it sleeps until wake_at.
 * C2  Something is armed => there is a leader, or all threads are running and no other could be had: callbacks then run
 *     late, but whoever comes back first is the leader.
 * C3  A leader asleep looks again at wake_at or earlier, and wake_at is not after wheel_next (crew_expect).
 * C4  A leader that was woken for an earlier time looks at that time, even if that timer is cancelled by then: else a
 *     program that arms and cancels the first one again and again would wake it each time. */

#include "thread/crew.h"

#include "os/os.h"

enum { LIMIT = 64, CHUNK = 256 /* timers moved in the wheel between two looks */ };

#define AWAKE INT64_MIN
#define IDLE ((thr_time)5000000000) /* after which a thread that is not needed ends */
#define GRACE ((thr_time)100000)
#define RETRY 0.01 /* seconds */

static struct {
    struct seat seats[LIMIT];
    uint64_t taken; /* bit: somebody sits there */
    unsigned threads;
    unsigned running;
    struct seat *leader;
    struct seat *parked; /* a stack */
    thr_time wake_at;    /* C1 */
    thr_time asked;      /* when it was last asked to look; C4 */
    thr_time last_end;   /* of a callback */
} crew = {.wake_at = THR_FOREVER, .asked = THR_FOREVER};

unsigned crew_threads(void)
{
    return crew.threads;
}

/* -- Who leads ---------------------------------------------------------------------------------------------------- */

static void wake(struct seat *seat)
{
    store_relaxed(&seat->word, seat->word + 1); /* ordered by the lock; atomic for the system, which compares it */
    service_wake(&seat->word);
}

static void lead_by(struct seat *seat, thr_time wake_at)
{
    crew.leader = seat;
    crew.wake_at = wake_at;
}

/* Starts a thread, to be the leader. */
static bool hire(void)
{
    if (crew.threads == LIMIT)
        return false;
    unsigned i = (unsigned)__builtin_ctzll(~crew.taken);
    os_thread thread;
    if (wait_system->start(&thread, thr_get_stack_size(), true, serve, &crew.seats[i]) != THR_OK)
        return false;
    os_thread_detach(thread);
    crew.taken |= (uint64_t)1 << i;
    crew.threads++;
    lead_by(&crew.seats[i], AWAKE);
    return true;
}

/* There is no leader, and should be one. False if none can be had. */
static bool appoint(void)
{
    struct seat *seat = crew.parked;
    if (!seat)
        return hire();
    crew.parked = seat->below;
    seat->parked = false;
    lead_by(seat, AWAKE);
    wake(seat);
    return true;
}

thr_result crew_ready(void)
{
    return crew.threads > 0 || hire() ? THR_OK : THR_NO_THREAD;
}

void crew_expect(thr_time when)
{
    if (when >= crew.wake_at)
        return;
    if (!crew.leader) {
        (void)appoint();
        return;
    }
    crew.asked = when;
    crew.wake_at = AWAKE;
    wake(crew.leader);
}

/* -- What a thread does ------------------------------------------------------------------------------------------- */

static void sleep_until(struct seat *seat, thr_time deadline)
{
    uint32_t word = seat->word;
    struct wait wait;
    service_unlock();
    wait_begin(&wait, WAIT_SLEEP, &service, deadline);
    wait.interruptible = false;
    (void)wait_block(&wait, &seat->word, word, OS_ANY);
    wait_end(&wait);
    service_lock();
}

static void take(struct seat *seat, thr_timer *timer)
{
    service_begin(timer);
    seat->timer = timer;
    crew.running++;
}

/* Whether those that run callbacks will soon come for the next. */
static bool flowing(thr_time now)
{
    return crew.running > 0 && now - crew.last_end < GRACE && crew.running >= os_processors();
}

static thr_time next_look(thr_time now, thr_time idle_end)
{
    thr_time next = service.wheel.count > 0 ? wheel_next(&service.wheel) : idle_end;
    if (crew.asked <= now)
        crew.asked = THR_FOREVER;
    return crew.asked < next ? crew.asked : next; /* C4 */
}

/* As the leader: true with a timer to run, not the leader any more; false when nothing was armed for long. */
static bool lead(struct seat *seat)
{
    thr_time idle_end = THR_FOREVER;
    for (;;) {
        thr_time now = wait_system->now();
        lead_by(seat, AWAKE);
        bool more = wheel_turn(&service.wheel, now, CHUNK);
        thr_timer *timer = service_due(now);
        bool wait = timer && service.wheel.count > 1 && flowing(now);
        if (timer && !wait) {
            take(seat, timer);
            lead_by(NULL, THR_FOREVER);
            if (service.wheel.count > 0)
                (void)appoint(); /* C2 */
            return true;
        }
        if (more) {
            service_unlock();
            service_lock();
            continue;
        }
        if (service.wheel.count > 0)
            idle_end = THR_FOREVER;
        else if (idle_end == THR_FOREVER)
            idle_end = now + IDLE;
        else if (now >= idle_end)
            break;
        crew.wake_at = wait ? crew.last_end + GRACE : next_look(now, idle_end);
        sleep_until(seat, crew.wake_at);
    }
    lead_by(NULL, THR_FOREVER);
    return false;
}

static void unpark(struct seat *seat)
{
    struct seat **at = &crew.parked;
    while (*at != seat)
        at = &(*at)->below;
    *at = seat->below;
    seat->parked = false;
}

/* True when it is needed again; false when it was not for long. While timers are armed one may stay for ever. */
static bool park(struct seat *seat)
{
    seat->parked = true;
    seat->below = crew.parked;
    crew.parked = seat;
    for (;;) {
        thr_time end = wait_system->now() + IDLE;
        sleep_until(seat, end);
        if (!seat->parked)
            return true;
        bool alone = crew.parked == seat && !seat->below;
        if (!(alone && service.wheel.count > 0) && wait_system->now() >= end)
            break;
    }
    unpark(seat);
    return false;
}

bool crew_next(struct seat *seat)
{
    for (;;) {
        if (!crew.leader || crew.leader == seat)
            return lead(seat);
        thr_timer *timer = service_due(crew.last_end);
        if (timer) {
            take(seat, timer); /* there is a leader, so nothing has to be handed on */
            return true;
        }
        if (!park(seat))
            return false;
    }
}

void crew_finish(struct seat *seat)
{
    thr_timer *timer = seat->timer;
    tsan_release(timer); /* pairs with thr_timer_join */
    thr_time now = wait_system->now();
    seat->timer = NULL;
    crew.running--;
    crew.last_end = now;
    service_end(timer, now);
}

void crew_leave(struct seat *seat, bool urgent)
{
    crew.taken &= ~((uint64_t)1 << (seat - crew.seats));
    crew.threads--;
    /* If no other thread can be had, tries again and again: nobody else would look at the queue any more. */
    while (urgent && service.wheel.count > 0 && !crew.leader && !appoint() && crew.threads == 0) {
        service_unlock();
        thr_sleep(RETRY);
        service_lock();
    }
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

void crew_sweep(void (*gone)(thr_timer *timer))
{
    for (unsigned i = 0; i < LIMIT; i++) {
        thr_timer *timer = crew.seats[i].timer;
        crew.seats[i] = (struct seat){0};
        if (timer)
            gone(timer);
    }
    crew.taken = 0;
    crew.threads = 0;
    crew.running = 0;
    crew.parked = NULL;
    crew.asked = THR_FOREVER;
    lead_by(NULL, THR_FOREVER);
}
