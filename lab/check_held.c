/* check_held.c - which locks each thread holds, in the order in which it took them.
 *
 * A list is changed by its thread alone. Others look at it, under the lock: entries are stored before the count that
 * includes them, and an array that was too small is kept, so what they read is old at worst.
 *
 * H1  Any thread may release a plain lock, or a read lock: the one that took it is then sent a mail, and takes it out of
 *     its list before it next looks at that.
 *
 * Order: `held_count` is stored with release and pairs with the acquire of held_find_other; `mails` likewise with
 * held_read_mail. */

#include <stdlib.h>
#include <string.h>

#include "lab/check.h"

struct held *held_find(const struct watched *thread, const void *lock)
{
    struct held *held = load_acquire(&thread->held);
    for (uint32_t i = load_acquire(&thread->held_count); i > 0; i--) {
        if (load_relaxed(&held[i - 1].lock) == lock)
            return &held[i - 1];
    }
    return NULL;
}

static bool grow(struct watched *me)
{
    uint32_t room = me->held_room ? me->held_room * 2 : 16;
    struct held *held = calloc(room, sizeof *held);
    if (!held)
        return false;
    if (me->held_count > 0)
        memcpy(held, me->held, me->held_count * sizeof *held);
    store_release(&me->held, held); /* the old one is kept: others may read it */
    me->held_room = room;
    return true;
}

void held_add(struct watched *me, const struct held *held)
{
    if (me->held_count == me->held_room) {
        check_enter();
        bool grown = grow(me);
        check_leave();
        if (!grown)
            return;
    }
    struct held *at = &me->held[me->held_count];
    at->id = held->id;
    at->site = held->site;
    at->depth = held->depth;
    at->reads = held->reads;
    store_relaxed(&at->lock, held->lock);
    store_release(&me->held_count, me->held_count + 1);
}

bool held_remove(struct watched *me, const void *lock)
{
    struct held *held = held_find(me, lock);
    if (!held)
        return false;
    if (--held->depth > 0)
        return true;
    struct held *last = &me->held[me->held_count - 1];
    for (; held < last; held++) {
        held->id = held[1].id;
        held->site = held[1].site;
        held->depth = held[1].depth;
        held->reads = held[1].reads;
        store_relaxed(&held->lock, held[1].lock);
    }
    store_release(&me->held_count, me->held_count - 1);
    return true;
}

void held_elsewhere(const struct watched *me, const void *lock)
{
    check_enter();
    for (struct watched *thread = check_threads(); thread; thread = thread->next) {
        if (thread == me || thread->number == 0 || !held_find(thread, lock))
            continue;
        uint32_t mails = thread->mails;
        if (mails < MAILS)
            thread->mail[mails] = lock;
        if (mails <= MAILS)
            store_release(&thread->mails, mails + 1);
        break;
    }
    check_leave();
}

void held_read_mail(struct watched *me)
{
    if (load_acquire(&me->mails) == 0)
        return;
    check_enter();
    if (me->mails > MAILS) /* which they were is lost: rather know of none than of wrong ones */
        store_release(&me->held_count, 0);
    for (uint32_t i = 0; me->mails <= MAILS && i < me->mails; i++)
        (void)held_remove(me, me->mail[i]);
    store_release(&me->mails, 0);
    check_leave();
}
