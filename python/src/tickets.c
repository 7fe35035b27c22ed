/* tickets.c - waiters in a queue that the GIL guards.
 *
 *  state     meaning                                  left by
 *  WAITS     not granted; the waiter is awake         the waiter, without the GIL: -> ASLEEP; a grant: -> GRANTED
 *  ASLEEP    not granted; it sleeps on the state      a grant, with the GIL: -> GRANTED; then it is woken
 *  GRANTED   it is in no queue                        -
 *
 * A notifier chooses a ticket, and grants it at once or when the lock is released: until then it is in the queue of the
 * lock (holding.c). What is chosen is not the waiter's any more: it has been notified, however its sleep ends.
 *
 * I1  A ticket is in the queue of its object until it is chosen or removed, and in that of the lock from then until it is
 *     granted or removed, all with the GIL. It lives on its waiter's stack, and the waiter returns only with the GIL, when it
 *     is in no queue.
 * I2  After the grant only the address of the state is used.
 * I3  When the interpreter ends, threads that come back for the GIL are ended inside block_end, and their tickets with
 *     them: nothing in a queue may be looked at then.
 *
 * Order: the grant's swap is a release, the waiter's loads of GRANTED are acquires; the waiter takes the GIL besides. */

#include "core.h"

#include "wait/spin.h"
#include "wait/wait.h"

static bool finalizing(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

void tickets_add(struct tickets *tickets, struct ticket *ticket)
{
    ticket->next = NULL;
    if (!tickets->first)
        tickets->last = &tickets->first;
    *tickets->last = ticket;
    tickets->last = &ticket->next;
    tickets->count++;
}

static void unlink_at(struct tickets *tickets, struct ticket **at)
{
    struct ticket *ticket = *at;
    *at = ticket->next;
    if (!*at)
        tickets->last = at;
    tickets->count--;
}

void tickets_remove(struct tickets *tickets, struct ticket *ticket)
{
    struct ticket **at = &tickets->first;
    while (*at != ticket)
        at = &(*at)->next;
    unlink_at(tickets, at);
}

struct ticket *tickets_choose(struct tickets *tickets)
{
    struct ticket *ticket = tickets->first;
    if (!ticket || finalizing())
        return NULL;
    unlink_at(tickets, &tickets->first);
    ticket->chosen = true;
    return ticket;
}

const uint32_t *ticket_grant(struct ticket *ticket)
{
    const void *object = ticket->object;
    if (swap_release(&ticket->state, TICKET_GRANTED) != TICKET_ASLEEP)
        return NULL;
    spin_waker(object);
    return &ticket->state; /* I2 */
}

void ticket_wake(const uint32_t *word)
{
    if (word)
        wait_wake(word, 1, OS_ANY);
}

/* Sleeps, without the GIL, until it is granted or the wait ends otherwise. */
static void sleep_for(struct ticket *ticket, int kind, const void *object, thr_time deadline)
{
    struct wait wait;
    uint32_t state = TICKET_WAITS;
    if (wait_spin(&ticket->state, UINT32_MAX, TICKET_WAITS, object))
        return;
    wait_begin(&wait, (enum wait_kind)kind, object, deadline);
    (void)cas_strong(&ticket->state, &state, TICKET_ASLEEP);
    while (load_acquire(&ticket->state) != TICKET_GRANTED &&
           wait_block(&wait, &ticket->state, TICKET_ASLEEP, OS_ANY) == THR_OK)
        continue;
    wait_end(&wait);
}

int ticket_wait(struct ticket *ticket, int kind, const void *object, thr_time deadline, const uint32_t *first)
{
    struct blocking blocking;
    if (deadline == 0) {
        ticket_wake(first);
        return ticket->chosen;
    }
    ticket->object = object;
    block_begin(&blocking);
    ticket_wake(first);
    sleep_for(ticket, kind, object, deadline);
    return block_end(&blocking) ? ticket->chosen : -1;
}
