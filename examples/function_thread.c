/* function_thread - a thread is a function with an argument. */

#include <stdio.h>
#include <threading.h>

static void *task(void *arg)
{
    const char *name = arg;

    thr_sleep(1.0);
    printf("%s done\n", name);
    return NULL;
}

int main(void)
{
    static char name[] = "foo"; /* Static: the thread may look at it after main has returned. */

    return thr_spawn(NULL, task, name) == THR_OK ? 0 : 1;
}
