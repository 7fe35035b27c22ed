/* key_press_ok.c - the correct twin of key_press.c: the
 * thread is there first, and main waits until a key has been handled before it reads the next. */

#include "broken.h"

static thr_event key_pressed = THR_EVENT_INIT;
static thr_event finished = THR_EVENT_INIT;
static thr_event handled_one = THR_EVENT_INIT;
static int handled;

static void *on_key_press(void *arg)
{
    (void)arg;
    while (!thr_event_is_set(&finished)) {
        if (thr_event_wait_until(&key_pressed, thr_after(0.1)) == THR_OK) {
            handled++;
            thr_event_clear(&key_pressed);
            thr_event_set(&handled_one);
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

    thr_thread *t = START(on_key_press, NULL);
    for (int i = 0; i < 3 && read_line(); i++) {
        pressed++;
        thr_event_set(&key_pressed);
        thr_event_wait(&handled_one);
        thr_event_clear(&handled_one);
    }
    thr_event_set(&finished);
    finish(t);
    if (handled != pressed)
        thr_lab_fail("%d keys were pressed, and %d handled", pressed, handled);
    return 0;
}
