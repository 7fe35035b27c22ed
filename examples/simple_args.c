/* simple_args - five threads, each with an argument of its own. */

#include <stdio.h>
#include <threading.h>

static void *worker(void *arg)
{
    const int *number = arg;

    printf("Worker: %d\n", *number);
    return NULL;
}

int main(void)
{
    /* Static: a thread may look at its argument after main has returned. One for each: a pointer to i would
     * show every thread the same, changing number. */
    static int numbers[5];

    for (int i = 0; i < 5; i++) {
        numbers[i] = i;
        if (thr_spawn(NULL, worker, &numbers[i]) != THR_OK)
            return 1;
    }
    return 0;
}
