/* test_timer_wheel.c - the queue of the timers, against a plain array, with a time of its own. */

#include "support/support.h"

#include <stdlib.h>

#include "thread/wheel.h"

enum { NODES = 500, STEPS = 40000, BUDGET = 7 };

struct model {
    struct wheel wheel;
    struct timer_node nodes[NODES];
    thr_time now;
    uint64_t random;
};

static struct model *model_new(void)
{
    struct model *model = calloc(1, sizeof *model);
    CHECK(model != NULL);
    model->random = support_seed();
    model->now = (thr_time)(support_random(&model->random) >> 20);
    return model;
}

/* Delays of all sizes, from nanoseconds to centuries. */
static thr_time random_delay(struct model *model)
{
    uint32_t bits = support_random_below(&model->random, 62);
    return (thr_time)(support_random(&model->random) & (((uint64_t)1 << bits) - 1));
}

static thr_time later(thr_time time, thr_time by)
{
    return by >= THR_FOREVER - time ? THR_FOREVER : time + by;
}

static struct timer_node *first_of(struct model *model)
{
    struct timer_node *first = NULL;
    for (size_t i = 0; i < NODES; i++) {
        struct timer_node *node = &model->nodes[i];
        if (wheel_has(node) && (!first || node->deadline < first->deadline))
            first = node;
    }
    return first;
}

static size_t count_of(struct model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < NODES; i++)
        n += wheel_has(&model->nodes[i]);
    return n;
}

static void check(struct model *model)
{
    const struct timer_node *first = first_of(model);
    CHECK_EQUAL(model->wheel.count, count_of(model));
    CHECK((wheel_any(&model->wheel) != NULL) == (first != NULL));
    thr_time next = wheel_next(&model->wheel);
    if (!first || first->deadline == THR_FOREVER)
        CHECK_EQUAL(next, THR_FOREVER);
    else
        CHECK(next <= first->deadline);
}

/* Looks at the queue as the service does, and takes out what is due: exactly that, and in order. */
static void look(struct model *model)
{
    while (wheel_turn(&model->wheel, model->now, 1 + support_random_below(&model->random, BUDGET)))
        continue;
    struct timer_node *node;
    while ((node = wheel_due(&model->wheel, model->now)) != NULL) {
        CHECK_EQUAL(node->deadline, first_of(model)->deadline);
        CHECK(node->deadline <= model->now);
        wheel_remove(&model->wheel, node);
        CHECK(!wheel_has(node));
    }
    const struct timer_node *first = first_of(model);
    CHECK(!first || first->deadline > model->now);
}

static void change_one(struct model *model)
{
    struct timer_node *node = &model->nodes[support_random_below(&model->random, NODES)];
    bool was_in = wheel_has(node);
    wheel_remove(&model->wheel, node);
    CHECK(!wheel_has(node));
    if (was_in && support_random_below(&model->random, 2) == 0)
        return;
    node->deadline = later(model->now, random_delay(model));
    if (support_random_below(&model->random, 50) == 0)
        node->deadline = THR_FOREVER;
    thr_time when = wheel_put(&model->wheel, node, model->now);
    CHECK(when <= node->deadline);
    CHECK(wheel_has(node));
}

static void test_random(void **state)
{
    (void)state;
    struct model *model = model_new();
    for (int step = 0; step < STEPS; step++) {
        change_one(model);
        if (support_random_below(&model->random, 20) != 0)
            continue;
        check(model);
        /* Half of the time to where the queue says that somebody should look, as the leader does; else anywhere. */
        thr_time next = wheel_next(&model->wheel);
        if (support_random_below(&model->random, 2) == 0 && next > model->now && next < THR_FOREVER / 2)
            model->now = next;
        else if (model->now < THR_FOREVER / 4)
            model->now = later(model->now, random_delay(model) >> 3);
        for (uint32_t changes = support_random_below(&model->random, 4); changes > 0; changes--)
            change_one(model); /* before the service has come to look */
        look(model);
        check(model);
    }
    free(model);
}

/* Whoever only looks when he was told to misses nothing and is not late. */
static void test_told_when(void **state)
{
    (void)state;
    struct model *model = model_new();
    for (size_t i = 0; i < NODES; i++) {
        model->nodes[i].deadline = model->now + random_delay(model) / 4;
        (void)wheel_put(&model->wheel, &model->nodes[i], model->now);
    }
    size_t looks = 0;
    while (model->wheel.count > 0) {
        thr_time next = wheel_next(&model->wheel);
        thr_time due = first_of(model)->deadline;
        CHECK(next <= due);
        if (next > model->now)
            model->now = next;
        look(model);
        looks++;
    }
    CHECK(looks <= NODES * (WHEEL_LEVELS + 1));
    free(model);
}

/* Timers that all go off together are moved before their time, in steps. */
static void test_many_in_one_slot(void **state)
{
    (void)state;
    struct model *model = model_new();
    thr_time due = model->now + 1000000000;
    for (size_t i = 0; i < NODES; i++) {
        model->nodes[i].deadline = due + (thr_time)i;
        (void)wheel_put(&model->wheel, &model->nodes[i], model->now);
    }
    while (wheel_next(&model->wheel) < due) {
        model->now = wheel_next(&model->wheel);
        while (wheel_turn(&model->wheel, model->now, BUDGET))
            CHECK(wheel_next(&model->wheel) <= model->now); /* more to do, at once */
    }
    CHECK(model->now <= due - WHEEL_LEAD / 2);
    model->now = due + NODES;
    look(model);
    CHECK_EQUAL(model->wheel.count, 0);
    free(model);
}

static void test_never(void **state)
{
    (void)state;
    struct model *model = model_new();
    for (int i = 0; i < 3; i++) {
        model->nodes[i].deadline = THR_FOREVER;
        CHECK_EQUAL(wheel_put(&model->wheel, &model->nodes[i], model->now), THR_FOREVER);
    }
    CHECK_EQUAL(wheel_next(&model->wheel), THR_FOREVER);
    model->now = THR_FOREVER - 2 * (thr_time)WHEEL_LEAD;
    look(model);
    check(model);
    CHECK_EQUAL(model->wheel.count, 3);
    for (size_t n = 3; n > 0; n--) {
        struct timer_node *node = wheel_any(&model->wheel);
        CHECK(node != NULL);
        wheel_remove(&model->wheel, node);
        check(model);
    }
    CHECK_EQUAL(model->wheel.count, 0);
    free(model);
}

SUPPORT_MAIN(cmocka_unit_test(test_never), cmocka_unit_test(test_random), cmocka_unit_test(test_told_when),
             cmocka_unit_test(test_many_in_one_slot))
