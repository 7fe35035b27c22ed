/* simple - five threads, each prints a line. */

#include <stdio.h>
#include <threading.h>

static void *worker(void *arg)
{
    (void)arg;
    puts("Worker");
    return NULL;
}

int main(void)
{
    for (int i = 0; i < 5; i++) {
        if (thr_spawn(NULL, worker, NULL) != THR_OK)
            return 1;
    }
    return 0;
}
