/* philosophers.c - dining philosophers, 2 to 7 of them (the argument; 5 without one), who all take the left fork first.
 *
 * Each takes the left fork before any has taken the right one; then each waits for the right one. */

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
