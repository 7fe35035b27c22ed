/* wheel.c - the hierarchical wheel; see wheel.h.
 *
 *  node.place        where the node is
 *  0                 nowhere
 *  1                 in the heap
 *  2 + slot          in that slot; slot = level * 64 + digit, or NEVER
 *
 * A tick is read as 8 digits of 6 bits. The level of a timer is the highest digit in which its tick differs from the
 * position; its slot in that level is the tick's digit there.
 *
 * I1  A timer whose tick is not after the position is in the heap, or in the slot that is being moved.
 * I2  In a level, the digits of filled slots are above the position's digit; only the moving slot's is equal to it.
 *     So the lowest filled level's first filled slot begins first, and levels below hold earlier timers.
 * I3  The position enters a slot only to move it, and stays until it is empty; it may go anywhere before the first slot.
 *     (It differs from a later slot's ticks in the same digit as before, so I2 stays true.)
 * I4  filled and levels say exactly which slots are not empty, of those that begin at some time. */

#include "thread/wheel.h"

enum { NOWHERE = 0, NEAR = 1, SLOT = 2, NEVER = WHEEL_LEVELS * WHEEL_SLOTS };

/* wheel->moving: 0 is none, so that a zeroed wheel is an empty one. */
#define MOVING(slot) ((slot) + 1)

static uint64_t tick_of(thr_time time)
{
    return (uint64_t)time >> WHEEL_TICK_BITS;
}

/* The tick up to which timers should be near, now. */
static uint64_t horizon(thr_time now)
{
    return ((uint64_t)now + WHEEL_LEAD) >> WHEEL_TICK_BITS;
}

/* The first tick of a slot, as seen from the position. */
static uint64_t slot_tick(const struct wheel *wheel, uint32_t slot)
{
    uint32_t shift = slot / WHEEL_SLOTS * WHEEL_DIGIT_BITS;
    uint64_t above = wheel->position >> shift & ~(uint64_t)(WHEEL_SLOTS - 1);
    return (above | slot % WHEEL_SLOTS) << shift;
}

static thr_time slot_time(const struct wheel *wheel, uint32_t slot)
{
    return (thr_time)(slot_tick(wheel, slot) << WHEEL_TICK_BITS) - WHEEL_LEAD;
}

/* The slot that begins first (I2); levels != 0. */
static uint32_t first_slot(const struct wheel *wheel)
{
    if (wheel->moving)
        return wheel->moving - MOVING(0);
    uint32_t level = (uint32_t)__builtin_ctz(wheel->levels);
    return level * WHEEL_SLOTS + (uint32_t)__builtin_ctzll(wheel->filled[level]);
}

static void slot_put(struct wheel *wheel, uint32_t slot, struct timer_node *node)
{
    struct timer_node *head = wheel->slots[slot];
    node->prev = NULL;
    node->next = head;
    if (head)
        head->prev = node;
    wheel->slots[slot] = node;
    node->place = SLOT + slot;
    if (slot == NEVER)
        return;
    wheel->filled[slot / WHEEL_SLOTS] |= (uint64_t)1 << slot % WHEEL_SLOTS;
    wheel->levels |= 1u << slot / WHEEL_SLOTS;
}

static void slot_remove(struct wheel *wheel, struct timer_node *node)
{
    uint32_t slot = node->place - SLOT;
    if (node->next)
        node->next->prev = node->prev;
    if (node->prev) {
        node->prev->next = node->next;
        return;
    }
    wheel->slots[slot] = node->next;
    if (node->next || slot == NEVER)
        return;
    uint32_t level = slot / WHEEL_SLOTS;
    wheel->filled[level] &= ~((uint64_t)1 << slot % WHEEL_SLOTS);
    if (!wheel->filled[level])
        wheel->levels &= ~(1u << level);
    if (wheel->moving == MOVING(slot))
        wheel->moving = 0;
}

/* Puts it where the position says; when somebody has to look at it. */
static thr_time place(struct wheel *wheel, struct timer_node *node)
{
    uint64_t tick = tick_of(node->deadline);
    if (tick <= wheel->position) {
        heap_put(&wheel->near, node);
        node->place = NEAR;
        return node->deadline;
    }
    if (node->deadline == THR_FOREVER) {
        slot_put(wheel, NEVER, node);
        return THR_FOREVER;
    }
    uint32_t highest = 63 - (uint32_t)__builtin_clzll(tick ^ wheel->position);
    uint32_t level = highest / WHEEL_DIGIT_BITS;
    uint32_t digit = (uint32_t)(tick >> level * WHEEL_DIGIT_BITS) % WHEEL_SLOTS;
    uint32_t slot = level * WHEEL_SLOTS + digit;
    slot_put(wheel, slot, node);
    return slot_time(wheel, slot);
}

/* Lets the position follow the time as far as that moves nothing (I3). */
static void follow(struct wheel *wheel, thr_time now)
{
    uint64_t tick = horizon(now);
    if (tick > wheel->position && (!wheel->levels || slot_tick(wheel, first_slot(wheel)) > tick))
        wheel->position = tick;
}

thr_time wheel_put(struct wheel *wheel, struct timer_node *node, thr_time now)
{
    follow(wheel, now);
    wheel->count++;
    return place(wheel, node);
}

void wheel_remove(struct wheel *wheel, struct timer_node *node)
{
    if (node->place == NOWHERE)
        return;
    if (node->place == NEAR)
        heap_remove(&wheel->near, node);
    else
        slot_remove(wheel, node);
    node->place = NOWHERE;
    wheel->count--;
}

bool wheel_turn(struct wheel *wheel, thr_time now, unsigned budget)
{
    uint64_t limit = horizon(now);
    while (wheel->levels) {
        uint32_t slot = first_slot(wheel);
        uint64_t begin = slot_tick(wheel, slot);
        if (begin > limit)
            break;
        if (budget-- == 0)
            return true;
        wheel->position = begin;
        wheel->moving = MOVING(slot);
        struct timer_node *node = wheel->slots[slot];
        slot_remove(wheel, node);
        (void)place(wheel, node);
    }
    follow(wheel, now);
    return false;
}

thr_time wheel_next(const struct wheel *wheel)
{
    thr_time next = wheel->near ? wheel->near->deadline : THR_FOREVER;
    if (wheel->levels) {
        thr_time slot = slot_time(wheel, first_slot(wheel));
        if (slot < next)
            next = slot;
    }
    return next;
}

struct timer_node *wheel_due(const struct wheel *wheel, thr_time now)
{
    return wheel->near && wheel->near->deadline <= now ? wheel->near : NULL;
}

struct timer_node *wheel_any(const struct wheel *wheel)
{
    if (wheel->near)
        return wheel->near;
    return wheel->slots[wheel->levels ? first_slot(wheel) : NEVER];
}
