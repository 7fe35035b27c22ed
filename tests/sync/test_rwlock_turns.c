/* test_rwlock_turns.c - whose turn it is at an rwlock, alone and in crowds. */

#include "rwlocks.h"

/* -- Whose turn it is ---------------------------------------------------------------------------------------------- */

/* A writer that waits holds new readers back; it does not starve. */
static void writer_holds_readers_back(thr_rwlock *lock)
{
    struct holder first;
    struct holder writer;
    struct holder late[2];
    start(&first, lock, false, THR_FOREVER);
    check_held(&first);
    start_blocked(&writer, lock, true, THR_FOREVER);
    CHECK(!thr_rwlock_try_acquire_read(lock));
    CHECK_RESULT(thr_rwlock_acquire_read_until(lock, 0), THR_TIMEOUT);
    CHECK(!thr_rwlock_try_acquire_write(lock));
    for (int i = 0; i < 2; i++)
        start_blocked(&late[i], lock, false, THR_FOREVER);
    finish(&first, THR_OK);
    check_held(&writer);
    for (int i = 0; i < 2; i++)
        check_not_held(&late[i]);
    finish(&writer, THR_OK);
    for (int i = 0; i < 2; i++)
        check_held(&late[i]); /* both at a time */
    for (int i = 0; i < 2; i++)
        finish(&late[i], THR_OK);
}

/* When a writer leaves, all the readers that wait go before the next writer, wherever they stand; they do not starve. */
static void readers_go_before_the_next_writer(thr_rwlock *lock)
{
    struct holder writers[3];
    struct holder readers[3];
    start(&writers[0], lock, true, THR_FOREVER);
    check_held(&writers[0]);
    start_blocked(&readers[0], lock, false, THR_FOREVER);
    start_blocked(&writers[1], lock, true, THR_FOREVER);
    start_blocked(&readers[1], lock, false, THR_FOREVER);
    start_blocked(&writers[2], lock, true, THR_FOREVER);
    start_blocked(&readers[2], lock, false, THR_FOREVER);
    finish(&writers[0], THR_OK);
    for (int i = 0; i < 3; i++)
        check_held(&readers[i]);
    check_not_held(&writers[1]);
    check_not_held(&writers[2]);
    CHECK(!thr_rwlock_try_acquire_read(lock)); /* writers wait: nobody new */
    for (int i = 0; i < 3; i++)
        finish(&readers[i], THR_OK);
    check_held(&writers[1]); /* the oldest of them */
    check_not_held(&writers[2]);
    finish(&writers[1], THR_OK);
    finish(&writers[2], THR_OK);
}

/* A writer that gives up lets the readers go that it held back; but not while another writer waits. */
static void writer_gives_up(thr_rwlock *lock)
{
    for (int first = 0; first < 2; first++) { /* which of two gives up first */
        struct holder reader;
        struct holder writers[2];
        struct holder late[2];
        support_clock_stop();
        start(&reader, lock, false, THR_FOREVER);
        check_held(&reader);
        start_blocked(&writers[0], lock, true, thr_after(first == 0 ? 1.0 : 2.0));
        start_blocked(&late[0], lock, false, THR_FOREVER);
        start_blocked(&writers[1], lock, true, thr_after(first == 0 ? 2.0 : 1.0));
        start_blocked(&late[1], lock, false, THR_FOREVER);
        support_clock_advance(1.0);
        finish(&writers[first], THR_TIMEOUT);
        check_not_held(&late[0]);
        check_not_held(&late[1]);
        CHECK(!thr_rwlock_try_acquire_read(lock));
        support_clock_advance(1.0);
        finish(&writers[!first], THR_TIMEOUT);
        check_held(&late[0]); /* beside the first reader */
        check_held(&late[1]);
        CHECK(thr_rwlock_try_acquire_read(lock));
        CHECK_OK(thr_rwlock_release_read(lock));
        finish(&late[0], THR_OK);
        finish(&late[1], THR_OK);
        finish(&reader, THR_OK);
        support_clock_go();
    }
}

/* A writer that gives up while another one writes: the readers still wait for that one. */
static void writer_gives_up_behind_a_writer(thr_rwlock *lock)
{
    struct holder writers[2];
    struct holder readers[2];
    support_clock_stop();
    start(&writers[0], lock, true, THR_FOREVER);
    check_held(&writers[0]);
    start_blocked(&writers[1], lock, true, thr_after(1.0));
    start_blocked(&readers[0], lock, false, THR_FOREVER);
    start_blocked(&readers[1], lock, false, thr_after(1.0));
    support_clock_advance(1.0);
    finish(&writers[1], THR_TIMEOUT);
    finish(&readers[1], THR_TIMEOUT);
    check_not_held(&readers[0]);
    finish(&writers[0], THR_OK);
    check_held(&readers[0]);
    finish(&readers[0], THR_OK);
    support_clock_go();
}

/* All who wait give up, one way or the other round: the lock is as if nobody had come. */
static void all_give_up(thr_rwlock *lock)
{
    for (int writes = 0; writes < 2; writes++) {
        for (unsigned set = 0; set < 8; set++) { /* who of the three is a writer */
            struct holder holder;
            struct holder others[3];
            support_clock_stop();
            start(&holder, lock, writes, THR_FOREVER);
            check_held(&holder);
            for (unsigned i = 0; i < 3; i++) {
                bool wants_to_write = set >> i & 1;
                start(&others[i], lock, wants_to_write, thr_after(1.0));
                if (writes || (set & ((2u << i) - 1)) != 0) /* it writes, or a writer waits before it */
                    support_wait_thread_blocked(others[i].thread, lock);
                else
                    check_held(&others[i]);
            }
            support_clock_advance(1.0);
            for (unsigned i = 0; i < 3; i++)
                go(&others[i]);
            for (unsigned i = 0; i < 3; i++)
                support_thread_join(others[i].thread);
            for (unsigned i = 0; i < 3; i++) {
                /* A reader behind writers may be let go by their giving up before it gives up itself. */
                if (writes || (set >> i & 1))
                    CHECK_RESULT(others[i].result, THR_TIMEOUT);
                else
                    CHECK(others[i].result == THR_OK || others[i].result == THR_TIMEOUT);
            }
            finish(&holder, THR_OK);
            check_free(lock);
            support_clock_go();
        }
    }
}

/* The oldest writer's time is up when the last reader leaves the lock to it; behind it readers and another writer. */
static void writer_times_out_at_its_turn(thr_rwlock *lock)
{
    for (unsigned behind = 0; behind < 4; behind++) {
        struct holder reader;
        struct holder writers[2];
        struct holder late;
        support_clock_stop();
        start(&reader, lock, false, THR_FOREVER);
        check_held(&reader);
        start_blocked(&writers[0], lock, true, thr_after(1.0));
        if (behind & 1)
            start_blocked(&late, lock, false, THR_FOREVER);
        if (behind & 2)
            start_blocked(&writers[1], lock, true, THR_FOREVER);
        support_stop(SUPPORT_AFTER_SLEEP, lock, writers[0].thread);
        support_clock_advance(1.0);
        support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
        finish(&reader, THR_OK);
        support_go(SUPPORT_AFTER_SLEEP);
        go(&writers[0]);
        support_thread_join(writers[0].thread);
        CHECK(writers[0].result == THR_OK || writers[0].result == THR_TIMEOUT);
        if (behind & 1)
            finish(&late, THR_OK);
        if (behind & 2)
            finish(&writers[1], THR_OK);
        check_free(lock);
        support_clock_go();
    }
}

/* The same with a reader whose time is up when a writer leaves the lock to the readers. */
static void reader_times_out_at_its_turn(thr_rwlock *lock)
{
    for (unsigned behind = 0; behind < 4; behind++) {
        struct holder writers[2];
        struct holder readers[2];
        support_clock_stop();
        start(&writers[0], lock, true, THR_FOREVER);
        check_held(&writers[0]);
        start_blocked(&readers[0], lock, false, thr_after(1.0));
        if (behind & 1)
            start_blocked(&readers[1], lock, false, THR_FOREVER);
        if (behind & 2)
            start_blocked(&writers[1], lock, true, THR_FOREVER);
        support_stop(SUPPORT_AFTER_SLEEP, lock, readers[0].thread);
        support_clock_advance(1.0);
        support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
        finish(&writers[0], THR_OK);
        support_go(SUPPORT_AFTER_SLEEP);
        go(&readers[0]);
        support_thread_join(readers[0].thread);
        CHECK(readers[0].result == THR_OK || readers[0].result == THR_TIMEOUT);
        if (behind & 1)
            finish(&readers[1], THR_OK);
        if (behind & 2)
            finish(&writers[1], THR_OK);
        check_free(lock);
        support_clock_go();
    }
}

/* A writer that was woken and is slow: a faster writer may take the lock once; after a millisecond nobody may. */
static void starved_writer_is_handed_the_lock(thr_rwlock *lock)
{
    struct holder reader;
    struct holder starved;
    struct holder later;
    support_clock_stop();
    start(&reader, lock, false, THR_FOREVER);
    check_held(&reader);
    start_blocked(&starved, lock, true, THR_FOREVER);
    support_stop(SUPPORT_AFTER_SLEEP, lock, starved.thread);
    finish(&reader, THR_OK);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK_OK(thr_rwlock_acquire_write(lock)); /* faster */
    support_clock_advance(0.003);
    support_stop(SUPPORT_BEFORE_SLEEP, lock, starved.thread);
    support_go(SUPPORT_AFTER_SLEEP);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    CHECK_OK(thr_rwlock_release_write(lock));
    CHECK(!thr_rwlock_try_acquire_write(lock));
    CHECK(!thr_rwlock_try_acquire_read(lock));
    start_blocked(&later, lock, true, THR_FOREVER); /* blocked, although the first one has not even woken */
    check_not_held(&starved);
    support_go(SUPPORT_BEFORE_SLEEP);
    check_held(&starved);
    check_not_held(&later);
    finish(&starved, THR_OK);
    finish(&later, THR_OK);
    support_clock_go();
}

/* -- Many ---------------------------------------------------------------------------------------------------------- */

/* Two values that only writers change, both: readers see them equal. Not atomic: the lock orders them. */
struct table {
    thr_rwlock lock;
    uint64_t one;
    uint64_t two;
    uint64_t writes;
};

static void read_and_write(void *arg)
{
    struct table *table = arg;
    uint64_t random = support_seed() + support_index();
    uint64_t writes = 0;
    for (int i = 0; i < 5000; i++) {
        switch (support_random_below(&random, 6)) {
        case 0:
            CHECK_OK(thr_rwlock_acquire_write(&table->lock));
            break;
        case 1:
            if (!thr_rwlock_try_acquire_write(&table->lock))
                continue;
            break;
        case 2:
            if (!thr_rwlock_try_acquire_read(&table->lock))
                continue;
            CHECK_EQUAL(table->one, table->two);
            CHECK_OK(thr_rwlock_release_read(&table->lock));
            continue;
        default:
            CHECK_OK(thr_rwlock_acquire_read_until(&table->lock, support_limit()));
            CHECK_EQUAL(table->one, table->two);
            CHECK_OK(thr_rwlock_release_read(&table->lock));
            continue;
        }
        writes++;
        table->one++;
        table->two++;
        CHECK_OK(thr_rwlock_release_write(&table->lock));
    }
    (void)__atomic_fetch_add(&table->writes, writes, __ATOMIC_RELAXED);
}

static void test_keeps_writers_apart(void **state)
{
    (void)state;
    for (int hooked = 0; hooked < 2; hooked++) {
        struct table table = {.one = 0};
        struct support_bunch bunch;
        thr__hooked = hooked;
        support_bunch_start(&bunch, 4, read_and_write, &table);
        support_bunch_join(&bunch);
        thr__hooked = 0;
        CHECK_EQUAL(table.one, table.writes);
        check_free(&table.lock);
    }
}

/* Readers that overlap all the time do not keep a writer out, nor writers a reader. */
struct crowd {
    thr_rwlock lock;
    bool write;
    uint32_t stop;
    struct support_count turns;
};

static void come_and_go(void *arg)
{
    struct crowd *crowd = arg;
    while (!load_relaxed(&crowd->stop)) {
        CHECK_OK(crowd->write ? thr_rwlock_acquire_write(&crowd->lock) : thr_rwlock_acquire_read(&crowd->lock));
        for (int i = 0; i < 5000; i++)
            __asm__ volatile("");
        CHECK_OK(crowd->write ? thr_rwlock_release_write(&crowd->lock) : thr_rwlock_release_read(&crowd->lock));
        support_count_add(&crowd->turns);
    }
}

static void test_crowds_starve_nobody(void **state)
{
    (void)state;
    for (int write = 0; write < 2; write++) {
        struct crowd crowd = {.write = write};
        struct support_bunch bunch;
        support_bunch_start(&bunch, 4, come_and_go, &crowd);
        support_count_wait(&crowd.turns, 10);
        for (int i = 0; i < 20; i++) {
            if (write) {
                CHECK_OK(thr_rwlock_acquire_read_until(&crowd.lock, support_limit()));
                CHECK_OK(thr_rwlock_release_read(&crowd.lock));
            } else {
                CHECK_OK(thr_rwlock_acquire_write_until(&crowd.lock, support_limit()));
                CHECK_OK(thr_rwlock_release_write(&crowd.lock));
            }
        }
        store_relaxed(&crowd.stop, 1);
        support_bunch_join(&bunch);
    }
}

BOTH_WAYS(writer_holds_readers_back)
BOTH_WAYS(readers_go_before_the_next_writer)
BOTH_WAYS(writer_gives_up)
BOTH_WAYS(writer_gives_up_behind_a_writer)
BOTH_WAYS(all_give_up)
BOTH_WAYS(writer_times_out_at_its_turn)
BOTH_WAYS(reader_times_out_at_its_turn)
BOTH_WAYS(starved_writer_is_handed_the_lock)

SUPPORT_MAIN(cmocka_unit_test(test_writer_holds_readers_back), cmocka_unit_test(test_readers_go_before_the_next_writer),
             cmocka_unit_test(test_writer_gives_up), cmocka_unit_test(test_writer_gives_up_behind_a_writer),
             cmocka_unit_test(test_all_give_up), cmocka_unit_test(test_writer_times_out_at_its_turn),
             cmocka_unit_test(test_reader_times_out_at_its_turn),
             cmocka_unit_test(test_starved_writer_is_handed_the_lock), cmocka_unit_test(test_keeps_writers_apart),
             cmocka_unit_test(test_crowds_starve_nobody))
