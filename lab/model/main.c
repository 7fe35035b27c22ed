/* main.c - the program `model`: searches all pairs, or triples, of the operations of each object. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/litmus.h"
#include "model/search.h"
#include "model/step.h"

static const char usage[] =
    "model - searches all that threads can do with the library's objects, each atomic operation a step\n"
    "\n"
    "    model [OPTION]... [OBJECT]...\n"
    "\n"
    "    --threads N     how many threads, each with one operation (2; up to 4)\n"
    "    --messages N    the newest N values of a location may be read (4; 1 is sequential consistency)\n"
    "    --ticks N       time moves on N times (1); deadlines pass, and patience ends, with the first\n"
    "    --strays N      N sleeps end for no reason (any number)\n"
    "    --budget N      no more than N unlikely steps: a switch away from a thread that could go on, an old value, a\n"
    "                    stray wake, time that moves on too early (any number)\n"
    "    --states N      ends a case that has more states, which is then said\n"
    "    --match TEXT    only cases with this in their line, as --list prints it\n"
    "    --first         ends with the first violation\n"
    "    --list          only says what would be searched\n"
    "    --litmus        tries the search itself, on small programs of which C11 says what they may do, and no object\n"
    "    --summary       a line for each object instead of one for each case\n"
    "\n"
    "A violation is printed as columns, one a thread; the status is then 1.\n";

static struct options {
    const char *match;
    uint64_t states;
    int threads;
    int budget;
    bool list;
    bool summary;
    bool first;
    bool litmus;
} options = {"", UINT64_MAX, 2, NO_BUDGET, false, false, false, false};

static struct totals {
    struct search_count count;
    double seconds;
    int cases, cut, failed;
} totals;

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* "lock: acquire | try_acquire" */
static void describe(char *line, size_t size)
{
    int used = snprintf(line, size, "%s:", scenario.object->name);
    for (int i = 0; i < scenario.threads; i++)
        used += snprintf(line + used, size - (size_t)used, "%s%s", i > 0 ? " | " : " ", scenario.operations[i]->name);
}

static void print_counts(const struct search_count *count, double seconds)
{
    printf("%llu states, %llu steps, %.2f s%s\n", (unsigned long long)count->states, (unsigned long long)count->steps,
           seconds, count->complete ? "" : "; CUT SHORT");
}

static void run_case(void)
{
    char line[128];
    struct search_count count;
    const struct object *object = scenario.object;
    describe(line, sizeof line);
    if ((object->makes_sense && !object->makes_sense()) || !strstr(line, options.match) ||
        (options.first && totals.failed > 0))
        return;
    totals.cases++;
    if (options.list) {
        printf("%s\n", line);
        return;
    }
    double before = now();
    bool good = search_run(options.states, options.budget, &count);
    double took = now() - before;
    totals.count.states += count.states;
    totals.count.steps += count.steps;
    totals.seconds += took;
    totals.cut += !count.complete;
    totals.failed += !good;
    if (!good)
        printf("FAILED  %s\n        %s\n", line, failure);
    else if (!options.summary) {
        printf("%-60s ", line);
        print_counts(&count, took);
    }
    (void)fflush(stdout);
}

/* All multisets of operations: from `first` on, for thread `thread` and those after it. */
static void run_cases(int first, int thread)
{
    if (thread == options.threads) {
        run_case();
        return;
    }
    for (int i = first; i < scenario.object->count; i++) {
        scenario.operations[thread] = &scenario.object->operations[i];
        run_cases(i, thread + 1);
    }
}

static bool is_wanted(const struct object *object, char **names, int count)
{
    bool wanted = count == 0 && (!object->large || options.budget != NO_BUDGET);
    for (int i = 0; i < count; i++)
        wanted = wanted || strcmp(names[i], object->name) == 0;
    return wanted;
}

static void check_names(char **names, int count)
{
    for (int i = 0; i < count; i++) {
        bool found = false;
        for (int j = 0; j < objects_count; j++)
            found = found || strcmp(names[i], objects[j]->name) == 0;
        if (found)
            continue;
        (void)fprintf(stderr, "model: no such object: %s; there are:", names[i]);
        for (int j = 0; j < objects_count; j++)
            (void)fprintf(stderr, " %s", objects[j]->name);
        (void)fputc('\n', stderr);
        exit(2);
    }
}

static uint64_t number(const char *name, const char *text, uint64_t least, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end || end == text || value < least || value > most) {
        (void)fprintf(stderr, "model: --%s takes a number from %llu to %llu, not '%s'\n", name,
                      (unsigned long long)least, (unsigned long long)most, text);
        exit(2);
    }
    return value;
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {{"threads", required_argument, NULL, 't'},
                                          {"messages", required_argument, NULL, 'm'},
                                          {"ticks", required_argument, NULL, 'k'},
                                          {"strays", required_argument, NULL, 'r'},
                                          {"budget", required_argument, NULL, 'b'},
                                          {"states", required_argument, NULL, 's'},
                                          {"match", required_argument, NULL, 'o'},
                                          {"first", no_argument, NULL, 'f'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"summary", no_argument, NULL, 'u'},
                                          {"litmus", no_argument, NULL, 'i'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 't':
            options.threads = (int)number("threads", optarg, 1, THREADS);
            break;
        case 'm':
            bounds.messages = (int)number("messages", optarg, 1, LOCATION_MESSAGES - 1);
            break;
        case 'k':
            bounds.ticks = (int)number("ticks", optarg, 0, 100);
            break;
        case 'r':
            bounds.strays = (int)number("strays", optarg, 0, STRAYS_UNBOUNDED - 1);
            break;
        case 'b':
            options.budget = (int)number("budget", optarg, 0, NO_BUDGET - 1);
            break;
        case 's':
            options.states = number("states", optarg, 1, UINT64_MAX);
            break;
        case 'o':
            options.match = optarg;
            break;
        case 'f':
            options.first = true;
            break;
        case 'l':
            options.list = true;
            break;
        case 'u':
            options.summary = true;
            break;
        case 'i':
            options.litmus = true;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            exit(0);
        default:
            (void)fputs("model: see --help\n", stderr);
            exit(2);
        }
    }
}

static void print_bounds(void)
{
    printf("%d threads; of each location, the newest %d values may be read; time moves on %d times; ", options.threads,
           bounds.messages, bounds.ticks);
    if (bounds.strays == STRAYS_UNBOUNDED)
        printf("any sleep may end for no reason\n");
    else
        printf("%d sleeps may end for no reason\n", bounds.strays);
}

static void run_object(const struct object *object)
{
    struct totals before = totals;
    totals = (struct totals){.count.complete = true};
    scenario = (struct scenario){.object = object, .threads = options.threads};
    run_cases(0, 0);
    if (options.summary && !options.list && totals.cases > 0) {
        printf("%-16s %3d cases, ", object->name, totals.cases);
        totals.count.complete = totals.cut == 0;
        print_counts(&totals.count, totals.seconds);
    }
    totals.count.states += before.count.states;
    totals.count.steps += before.count.steps;
    totals.seconds += before.seconds;
    totals.cases += before.cases;
    totals.cut += before.cut;
    totals.failed += before.failed;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    check_names(argv + optind, argc - optind);
    step_setup();
    if (options.litmus)
        return litmus_check() ? 0 : 1;
    if (!options.list)
        print_bounds();
    for (int i = 0; i < objects_count; i++) {
        if (is_wanted(objects[i], argv + optind, argc - optind))
            run_object(objects[i]);
    }
    if (options.list)
        return 0;
    printf("%d cases, %d failed, %d cut short: ", totals.cases, totals.failed, totals.cut);
    totals.count.complete = totals.cut == 0;
    print_counts(&totals.count, totals.seconds);
    return totals.failed > 0;
}
