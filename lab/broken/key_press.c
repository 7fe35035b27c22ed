/* key_press.c - the program of a tutorial on events: the keys are read before the thread that waits for them is
 * started, and it is told to end as soon as it is.
 *
 * main                           on_key_press
 * reads three lines, sets the event each time
 *                                (an event is a flag, not a count: three sets are one)
 * starts the thread
 * sets finished
 *                                finished is set: ends, and has seen no key at all
 *
 * No schedule handles three keys. In most, the thread finds `finished` set and handles none. */

#include "broken.h"

static thr_event key_pressed = THR_EVENT_INIT;
static thr_event finished = THR_EVENT_INIT;
static int handled;

static void *on_key_press(void *arg)
{
    (void)arg;
    while (!thr_event_is_set(&finished)) {
        if (thr_event_wait_until(&key_pressed, thr_after(0.1)) == THR_OK) {
            handled++;
            thr_event_clear(&key_pressed);
        }
    }
    return NULL;
}

static bool read_line(void)
{
    int c = getchar();
    bool any = c != EOF;

    while (c != EOF && c != '\n')
        c = getchar();
    return any;
}

int main(void)
{
    int pressed = 0;

    for (int i = 0; i < 3 && read_line(); i++) {
        pressed++;
        thr_event_set(&key_pressed);
    }
    thr_thread *t = START(on_key_press, NULL);
    thr_event_set(&finished);
    finish(t);
    if (handled != pressed)
        thr_lab_fail("%d keys were pressed, and %d handled", pressed, handled);
    return 0;
}
