/* scenario.c - the objects, and what their operations ask of the search; see scenario.h. */

#include "model/scenario.h"

#include "model/race.h"
#include "model/step.h"

extern const struct object model_lock, model_rlock, model_event, model_event_end, model_semaphore, model_semaphore_end,
    model_permit, model_latch, model_latch_end, model_once, model_condition, model_condition_end, model_barrier,
    model_barrier_action, model_barrier_end, model_rwlock, model_bitlock, model_queue, model_queue_two, model_future,
    model_rwlock_pass, model_condition_other, model_condition_again, model_condition_wrong, model_future_end,
    model_deque, model_deque_two, model_deque_shared, model_hungry, model_watch, model_watch_future, model_watch_queue,
    model_queue_pass, model_queue_room, model_queue_segments, model_watch_segments, model_queue_recycle,
    model_semaphore_crowd, model_condition_twice;

const struct object *const objects[] = {&model_bitlock,
                                        &model_lock,
                                        &model_rlock,
                                        &model_condition,
                                        &model_condition_end,
                                        &model_semaphore,
                                        &model_permit,
                                        &model_semaphore_end,
                                        &model_event,
                                        &model_event_end,
                                        &model_latch,
                                        &model_latch_end,
                                        &model_once,
                                        &model_barrier,
                                        &model_barrier_action,
                                        &model_barrier_end,
                                        &model_rwlock,
                                        &model_queue,
                                        &model_queue_two,
                                        &model_future,
                                        &model_rwlock_pass,
                                        &model_condition_other,
                                        &model_condition_again,
                                        &model_condition_wrong,
                                        &model_condition_twice,
                                        &model_future_end,
                                        &model_deque,
                                        &model_deque_two,
                                        &model_deque_shared,
                                        &model_hungry,
                                        &model_watch,
                                        &model_watch_future,
                                        &model_watch_queue,
                                        &model_queue_pass,
                                        &model_queue_room,
                                        &model_queue_segments,
                                        &model_watch_segments,
                                        &model_queue_recycle,
                                        &model_semaphore_crowd};
const int objects_count = sizeof objects / sizeof objects[0];

struct scenario scenario;

void scenario_point(void)
{
    step_pending()->operation = OPERATION_POINT;
    (void)step_wait();
}

void scenario_free(void *at, size_t size)
{
    step_aside(race_free, (uintptr_t)at, size);
}

/* In place of calloc and free, in all that is searched. */
void *model_calloc(size_t count, size_t size);
void model_free(void *at);

void *model_calloc(size_t count, size_t size)
{
    check(scenario.object->allocate, "something is allocated");
    return scenario.object->allocate(count * size);
}

void model_free(void *at)
{
    if (!at)
        return;
    check(scenario.object->release, "something is freed");
    scenario.object->release(at);
}

void scenario_worker(struct thr__deque *deque, struct thr__frame *frame)
{
    thr__here.deque = deque;
    thr__here.top = frame;
}

bool scenario_freed(const void *at)
{
    return race_freed((uintptr_t)at);
}

bool scenario_asleep(int thread)
{
    return world.threads[thread].state == ASLEEP;
}

int scenario_runs(void (*run)(int thread))
{
    int count = 0;
    for (int i = 0; i < scenario.threads; i++)
        count += scenario.operations[i]->run == run;
    return count;
}

void scenario_body(int thread)
{
    scenario.operations[thread]->run(thread);
    world.done[thread]++;
}
