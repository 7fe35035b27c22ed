"""Barriers whose parts are elsewhere: those of a subclass that has a condition and two numbers of its own, instead of what
Barrier.__init__() makes. multiprocessing has one, with parts in memory that processes share.

    _state    FILLING    parties come and wait                    the last: -> DRAINING; reset: -> RESETTING; a timeout, an
                                                                  abort, an action that raises: -> BROKEN
              DRAINING   all have come, and go                    the last to go: -> FILLING
              RESETTING  those that wait are told so, and go      the last to go: -> FILLING
              BROKEN     nobody can wait                          reset: -> RESETTING, or FILLING if nobody is there
    _count    how many are between their coming and their going

The numbers are those of the standard library, whose barriers may be in the other processes. All is done with _cond.
"""

import cthreading as _module

FILLING, DRAINING, RESETTING, BROKEN = 0, 1, -1, -2


def _turn(barrier, state):
    barrier._state = state
    barrier._cond.notify_all()


def _fill(barrier, timeout):
    """One party's part in a round, after its coming."""
    if barrier._count == barrier._parties:
        try:
            if barrier._action:
                barrier._action()
        except:
            _turn(barrier, BROKEN)
            raise
        _turn(barrier, DRAINING)
    elif not barrier._cond.wait_for(lambda: barrier._state != FILLING, timeout):
        _turn(barrier, BROKEN)
    if barrier._state != DRAINING:
        raise _module.BrokenBarrierError


def wait(barrier, timeout):
    with barrier._cond:
        barrier._cond.wait_for(lambda: barrier._state in (FILLING, BROKEN))
        if barrier._state == BROKEN:
            raise _module.BrokenBarrierError
        index = barrier._count
        barrier._count += 1
        try:
            _fill(barrier, barrier._timeout if timeout is None else timeout)
            return index
        finally:
            barrier._count -= 1
            if barrier._count == 0 and barrier._state in (DRAINING, RESETTING):
                _turn(barrier, FILLING)


def reset(barrier):
    with barrier._cond:
        if barrier._count == 0:
            _turn(barrier, FILLING)
        elif barrier._state in (FILLING, BROKEN):
            _turn(barrier, RESETTING)


def abort(barrier):
    with barrier._cond:
        _turn(barrier, BROKEN)


def parties(barrier):
    return barrier._parties


def n_waiting(barrier):
    return barrier._count if barrier._state == FILLING else 0


def broken(barrier):
    return barrier._state == BROKEN
