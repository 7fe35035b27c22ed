/* holders.c - see holders.h.
 *
 * A lock says itself who has it, and an rwlock who writes. Who reads is written down here.
 *
 *  a thread waits for              those who let it wait
 *  a lock, an rlock                who has it
 *  an rwlock, to write              who writes; else all who read, itself included
 *  an rwlock, to read               who writes; else those who wait to write: it is behind them
 *  the end of a thread             that one */

#include "lab/holders.h"

#include <stdio.h>

#include "lab/control.h"
#include "lab/unseen.h"

enum { NAMES = 8 /* then only how many more */ };

/* -- Readers ------------------------------------------------------------------------------------------------------ */

/* More than there is room for are not known. */
void holders_read(struct strand *self, const void *lock)
{
    unseen_begin();
    if (self->read_count < READ_LOCKS)
        self->read_locks[self->read_count++] = lock;
    unseen_end();
}

static bool drop(struct strand *strand, const void *lock)
{
    for (uint32_t i = strand->read_count; i > 0; i--) {
        if (strand->read_locks[i - 1] != lock)
            continue;
        strand->read_locks[i - 1] = strand->read_locks[--strand->read_count];
        return true;
    }
    return false;
}

void holders_read_end(struct strand *self, const void *lock)
{
    struct run *run = control_run;
    unseen_begin();
    bool dropped = drop(self, lock);
    for (uint32_t i = 0; i < run->strands && !dropped; i++)
        dropped = drop(&run->strand[i], lock);
    unseen_end();
}

bool holders_reads(const struct strand *strand, const void *lock)
{
    for (uint32_t i = 0; i < strand->read_count; i++) {
        if (strand->read_locks[i] == lock)
            return true;
    }
    return false;
}

/* -- Who lets it wait --------------------------------------------------------------------------------------------- */

static strand_set strand_of_number(const struct run *run, uint32_t number)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct wait_record *record = run->strand[i].record;
        if (run->strand[i].state != STRAND_UNUSED && record && record->number == number)
            return set_of(i);
    }
    return 0;
}

static strand_set strand_of_system_id(const struct run *run, pid_t thread)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        if (thread != 0 && run->strand[i].state != STRAND_GONE && run->strand[i].system_id == thread)
            return set_of(i);
    }
    return 0;
}

static strand_set readers_of(const struct run *run, const void *lock)
{
    strand_set set = 0;
    for (uint32_t i = 0; i < run->strands; i++)
        set |= holders_reads(&run->strand[i], lock) ? set_of(i) : 0;
    return set;
}

static strand_set writers_waiting(const struct run *run, const void *lock)
{
    strand_set set = 0;
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        bool waits = strand->state == STRAND_WAITING && strand->waits_kind == WAIT_WRITE;
        set |= waits && strand->waits_object == lock ? set_of(i) : 0;
    }
    return set;
}

static strand_set one_holder(const struct run *run, const struct strand *strand)
{
    uint32_t number = 0;
    if (strand->state == STRAND_JOINING)
        return set_of(strand->target);
    if (strand->waits_kind == WAIT_NOTHING)
        return strand->owner ? strand_of_system_id(run, *strand->owner) : 0;
    if (!strand->record || lab_library->holder(strand->record, &number) != HELD_BY)
        return 0;
    return strand_of_number(run, number);
}

void holders_find(const struct run *run, struct strand *strand)
{
    bool outside = strand->waits_kind == WAIT_NOTHING && strand->owner;
    strand->behind = false;
    strand->holders = one_holder(run, strand);
    if (strand->holders == 0 && (strand->waits_kind == WAIT_WRITE || outside))
        strand->holders = readers_of(run, strand->waits_object);
    if (strand->holders == 0 && strand->waits_kind == WAIT_READ) {
        strand->holders = writers_waiting(run, strand->waits_object);
        strand->behind = strand->holders != 0;
    }
}

/* -- Circles ------------------------------------------------------------------------------------------------------ */

/* Breadth first, back from each to who waits for it: the shortest one. */
uint32_t holders_circle(const struct run *run, uint32_t first, uint32_t *circle)
{
    uint32_t found[STRANDS];
    uint32_t from[STRANDS];
    strand_set seen = 0;
    uint32_t n = 0;
    found[n++] = first;
    for (uint32_t i = 0; i < n; i++) {
        const struct strand *strand = &run->strand[found[i]];
        strand_set next = holders_waits_for_ever(strand) ? strand->holders & ~seen : 0;
        if (next & set_of(first)) {
            uint32_t length = 1;
            for (uint32_t at = found[i]; at != first; at = from[at])
                length++;
            uint32_t place = length;
            for (uint32_t at = found[i]; place > 0; at = from[at])
                circle[--place] = at;
            return length;
        }
        for (; next != 0; next &= next - 1) {
            uint32_t other = set_first(next);
            from[other] = found[i];
            found[n++] = other;
            seen |= set_of(other);
        }
    }
    return 0;
}

/* -- Names -------------------------------------------------------------------------------------------------------- */

void holders_names(const struct run *run, const struct strand *strand, char *text, size_t size)
{
    strand_set set = strand->holders;
    uint32_t n = set_count(set);
    uint32_t shown = n > NAMES + 1 ? NAMES : n;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < shown && length < size; i++, set &= set - 1) {
        uint32_t holder = set_first(set);
        const char *name = holder == strand->id ? "itself" : run->strand[holder].name;
        const char *before = i == 0 ? "" : i + 1 == n ? " and " : ", ";
        length +=
            (size_t)snprintf(text + length, size - length, "%s%s", before, *name ? name : "a thread without a name");
    }
    if (shown < n && length < size)
        (void)snprintf(text + length, size - length, " and %u others", n - shown);
}
