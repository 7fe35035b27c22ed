/* philosophers_ok.c - the correct twin of philosophers.c: the
 * last one takes the right fork first. */

#include "broken.h"

enum { FEWEST = 2, MOST = 7 };

static thr_lock forks[MOST];
static int number = 5;
static int seats[MOST];

static void *philosopher(void *arg)
{
    int seat = *(int *)arg;
    int left = seat;
    int right = (seat + 1) % number;
    if (left > right) {
        left = right;
        right = seat;
    }

    THR_HOLD(&forks[left]);
    THR_HOLD(&forks[right]);
    return NULL;
}

int main(int argc, char **argv)
{
    thr_thread *threads[MOST];

    if (argc > 1)
        number = (int)strtol(argv[1], NULL, 10);
    if (number < FEWEST || number > MOST) {
        fprintf(stderr, "usage: %s [NUMBER, %d to %d]\n", argv[0], FEWEST, MOST);
        return 2;
    }
    for (int i = 0; i < number; i++) {
        seats[i] = i;
        threads[i] = START(philosopher, &seats[i]);
    }
    for (int i = 0; i < number; i++)
        finish(threads[i]);
    return 0;
}
