/* key_events - an event tells a thread that a line was read, another tells it to end.
 *
 * An event is a flag, not a count: two sets before the handler looks would be one. So a third event says that
 * a line has been handled, and the reader waits for it before it reads the next. */

#include <stdbool.h>
#include <stdio.h>
#include <threading.h>

static thr_event key_pressed = THR_EVENT_INIT;
static thr_event finished = THR_EVENT_INIT;
static thr_event handled = THR_EVENT_INIT;

static void *on_key_press(void *arg)
{
    (void)arg;
    while (!thr_event_is_set(&finished)) {
        if (thr_event_wait_until(&key_pressed, thr_after(0.1)) != THR_OK)
            continue;
        puts("key pressed");
        thr_event_clear(&key_pressed);
        thr_event_set(&handled); /* The last thing: now the reader may set key_pressed again. */
    }
    puts("done");
    return NULL;
}

/* Reads a line; false at the end of the input. */
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
    setvbuf(stdout, NULL, _IOLBF, 0); /* Each line goes out at once, into a pipe too. */

    if (thr_spawn(NULL, on_key_press, NULL) != THR_OK)
        return 1;
    for (int i = 0; i < 3 && read_line(); i++) {
        thr_event_set(&key_pressed);
        thr_event_wait(&handled);
        thr_event_clear(&handled);
    }
    thr_event_set(&finished);
    return 0; /* The process waits for the handler. */
}
