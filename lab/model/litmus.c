/* litmus.c - see litmus.h. What runs a program is compiled as the searched sources are.
 *
 *     x=1o    stores 1 in x, with order o       xo      loads x
 *     x+1o    adds 1 to x; the old value is read        |       the next thread
 *     F       the far half of a barrier                 L       its light half
 *
 * The orders are r relaxed, a acquire, l release, b acquire and release, s sequentially consistent. An outcome is what the
 * threads read, one digit a read, in the order of the text, and then what the locations in `last` hold in the end. */

#include "model/litmus.h"

#include <stdio.h>
#include <string.h>

#include "model/search.h"
#include "os/os.h"

enum { READS = 4, OUTCOMES = 32, OUTCOME = 12 };

struct litmus {
    const char *name;
    const char *program;
    const char *last;
    const char *allowed;  /* all that is to be found */
    const char *left_out; /* what C11 allows besides and the model does not have, or NULL */
};

static const struct litmus tests[] = {
    /* Each stores, then looks at the other's (SB): only a single order of all four forbids that both find nothing. */
    {"SB", "x=1r yr | y=1r xr", "", "00 01 10 11", NULL},
    {"SB, release and acquire", "x=1l ya | y=1l xa", "", "00 01 10 11", NULL},
    {"SB, stores in one order", "x=1s ya | y=1s xa", "", "00 01 10 11", NULL},
    {"SB, loads in one order", "x=1l ys | y=1l xs", "", "00 01 10 11", NULL},
    {"SB, one order", "x=1s ys | y=1s xs", "", "01 10 11", NULL},
    /* A message, and the flag that says it is there (MP): both halves of the order are needed. */
    {"MP", "x=1r y=1r | yr xr", "", "00 01 10 11", NULL},
    {"MP, release alone", "x=1r y=1l | yr xr", "", "00 01 10 11", NULL},
    {"MP, acquire alone", "x=1r y=1r | ya xr", "", "00 01 10 11", NULL},
    {"MP, release and acquire", "x=1r y=1l | ya xr", "", "00 01 11", NULL},
    {"MP, one order", "x=1r y=1s | ys xr", "", "00 01 11", NULL},
    {"MP, read-modify-write", "x=1r y+1b | y+1b xr", "", "011 100 101", NULL},
    /* Two stores each, crossed (2+2W). */
    {"2+2W", "x=1r y=2r | y=1r x=2r", "xy", "11 12 21 22", NULL},
    {"2+2W, release", "x=1l y=2l | y=1l x=2l", "xy", "11 12 21 22", NULL},
    {"2+2W, one order", "x=1s y=2s | y=1s x=2s", "xy", "12 21 22", NULL},
    /* One location is coherent whatever the order. */
    {"CoRR", "x=1r x=2r | xr xr", "", "00 01 02 11 12 22", NULL},
    {"CoRR, two writers", "x=1r | x=2r | xr xr", "", "00 01 02 11 12 21 22", NULL},
    {"CoWR", "x=1r xr | x=2r", "x", "11 12 22", NULL},
    {"CoRW", "xr x=1r | x=2r", "x", "01 02 21", NULL},
    {"CoWW", "x=1r x=2r | xr", "x", "02 12 22", NULL},
    /* A store that is to come after one of a message (S), and a store and a load (R). */
    {"S", "x=2r y=1r | yr x=1r", "x", "01 02 11 12", NULL},
    {"S, release and acquire", "x=2r y=1l | ya x=1r", "x", "01 02 11", NULL},
    {"R", "x=1r y=1r | y=2r xr", "y", "01 02 11 12", NULL},
    {"R, release and acquire", "x=1l y=1l | y=2l xa", "y", "01 02 11 12", NULL},
    {"R, half in one order", "x=1r y=1s | y=2s xr", "y", "01 02 11 12", NULL},
    {"R, one order", "x=1s y=1s | y=2s xs", "y", "01 11 12", NULL},
    /* Who reads a store and tells a third (WRC, ISA2); two readers that disagree about what came first (RWC). */
    {"WRC", "x=1r | xr y=1r | yr xr", "", "000 001 010 011 100 101 110 111", NULL},
    {"WRC, release and acquire", "x=1r | xr y=1l | ya xr", "", "000 001 010 011 100 101 111", NULL},
    {"ISA2", "x=1r y=1r | yr z=1r | zr xr", "", "000 001 010 011 100 101 110 111", NULL},
    {"ISA2, release and acquire", "x=1r y=1l | ya z=1l | za xr", "", "000 001 010 011 100 101 111", NULL},
    {"RWC, release and acquire", "x=1l | xa ya | y=1l xa", "", "000 001 010 011 100 101 110 111", NULL},
    {"IRIW, acquire", "x=1r | y=1r | xa ya | ya xa", "",
     "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1010 1011 1100 1101 1110 1111", NULL},
    {"IRIW, one order", "x=1s | y=1s | xs ys | ys xs", "",
     "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1011 1100 1101 1110 1111", NULL},
    {"RWC, one order", "x=1s | xs ys | y=1s xs", "", "000 001 010 011 101 110 111", NULL},
    /* A release goes on through a read-modify-write, not through a store; since C++20 neither through one of the same
     * thread, which C11 still lets through: the model is as weak as the later rule. */
    {"release sequence", "x=1r y=4l | y+1r | ya xr", "", "000 001 010 011 041 400 401 441 451", NULL},
    {"release sequence, ended", "x=1r y=4l | y=5r | ya xr", "", "00 01 41 50 51", NULL},
    {"release sequence, own store", "x=1r y=4l y=5r | ya xr", "", "00 01 41 50 51", NULL},
    {"release sequence, two parts", "x=1r y+1l | z=1r y+2l | ya xr zr", "",
     "01000 01001 01010 01011 01110 01111 01311 "
     "20000 20001 20010 20011 20201 20211 20311",
     NULL},
    /* Nothing comes between the two halves of a read-modify-write. */
    {"two read-modify-writes", "x+1r | x+1r", "x", "012 102", NULL},
    {"read-modify-write and store", "x+1r | x=5r", "x", "05 56", NULL},
    {"three read-modify-writes", "x+1r | x+1r | x+1r", "x", "0123 0213 1023 1203 2013 2103", NULL},
    /* A barrier in halves: one far half and a light one do what two full ones would; neither does it alone. */
    {"SB, far and light", "x=1r F yr | y=1r L xr", "", "01 10 11", NULL},
    {"SB, light and light", "x=1r L yr | y=1r L xr", "", "00 01 10 11", NULL},
    {"SB, far alone", "x=1r F yr | y=1r xr", "", "00 01 10 11", NULL},
    {"SB, far and far", "x=1r F yr | y=1r F xr", "", "01 10 11", NULL},
    {"MP, far and light", "x=1r F y=1r | yr L xr", "", "00 01 11", NULL},
    {"MP, light and far", "x=1r L y=1r | yr F xr", "", "00 01 11", NULL},
    {"MP, far alone", "x=1r F y=1r | yr xr", "", "00 01 10 11", NULL},
    {"RWC, light, far and light", "x=1r | xr L yr | y=1r F xr", "", "000 001 010 011 101 110 111", NULL},
    {"WRC, far", "x=1r | xr L y=1r | yr F xr", "", "000 001 010 011 100 101 111", NULL},
    /* A load that reads what follows from a store after it (LB): C11 lets relaxed ones, the model has none. */
    {"LB", "xr y=1r | yr x=1r", "", "00 01 10", "11"},
    {"LB, release and acquire", "xa y=1l | ya x=1l", "", "00 01 10", NULL},
};

static const struct litmus *current;

static struct outcomes {
    char text[OUTCOMES][OUTCOME];
    int count;
} found;

struct ghost {
    uint8_t read[THREADS][READS];
    uint8_t reads[THREADS];
};

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static uint32_t *location(char name)
{
    return (uint32_t *)world.shared + (name - 'x');
}

/* -- A program, operation by operation ---------------------------------------------------------------------------- */

static uint32_t load(const uint32_t *at, char order)
{
    switch (order) {
    case 's':
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);
    case 'a':
        return __atomic_load_n(at, __ATOMIC_ACQUIRE);
    default:
        return __atomic_load_n(at, __ATOMIC_RELAXED);
    }
}

static void store(uint32_t *at, uint32_t value, char order)
{
    switch (order) {
    case 's':
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
        break;
    case 'l':
        __atomic_store_n(at, value, __ATOMIC_RELEASE);
        break;
    default:
        __atomic_store_n(at, value, __ATOMIC_RELAXED);
        break;
    }
}

static uint32_t add(uint32_t *at, uint32_t value, char order)
{
    switch (order) {
    case 's':
        return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);
    case 'b':
        return __atomic_fetch_add(at, value, __ATOMIC_ACQ_REL);
    case 'a':
        return __atomic_fetch_add(at, value, __ATOMIC_ACQUIRE);
    case 'l':
        return __atomic_fetch_add(at, value, __ATOMIC_RELEASE);
    default:
        return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
    }
}

static void note(int thread, uint32_t value)
{
    ghost()->read[thread][ghost()->reads[thread]++] = (uint8_t)value;
}

/* Runs the operation at the start of the text; returns what follows. */
static const char *operate(const char *text, int thread)
{
    if (*text == 'F' || *text == 'L') {
        if (*text == 'F')
            os_barrier_all();
        else
            os_barrier_light();
        return text + 1;
    }
    uint32_t *at = location(text[0]);
    uint32_t value = (uint32_t)(text[2] - '0');
    if (text[1] == '=') {
        store(at, value, text[3]);
        return text + 4;
    }
    if (text[1] == '+') {
        note(thread, add(at, value, text[3]));
        return text + 4;
    }
    note(thread, load(at, text[1]));
    return text + 2;
}

static const char *text_of(int thread)
{
    const char *text = current->program;
    for (; thread > 0; text++)
        thread -= *text == '|';
    return text;
}

static void run(int thread)
{
    const char *text = text_of(thread);
    while (*text && *text != '|') {
        if (*text == ' ')
            text++;
        else
            text = operate(text, thread);
    }
}

/* -- Its outcomes ------------------------------------------------------------------------------------------------- */

static void prepare(void)
{
}

static bool is_found(const char *outcome)
{
    for (int i = 0; i < found.count; i++) {
        if (strcmp(found.text[i], outcome) == 0)
            return true;
    }
    return false;
}

static void finish(void)
{
    char outcome[OUTCOME] = "";
    size_t used = 0;
    for (int i = 0; i < scenario.threads; i++) {
        for (int j = 0; j < ghost()->reads[i]; j++)
            outcome[used++] = (char)('0' + ghost()->read[i][j]);
    }
    for (const char *last = current->last; *last; last++)
        outcome[used++] = (char)('0' + *location(*last));
    if (is_found(outcome))
        return;
    if (found.count == OUTCOMES)
        fail("more outcomes than there is room for");
    else
        memcpy(found.text[found.count++], outcome, OUTCOME);
}

static const struct named_field fields[] = {{"x", 0, 4}, {"y", 4, 4}, {"z", 8, 4}, {0}};
static const struct model_operation operation = {"run", run};
static const struct object object = {
    .name = "litmus", .operations = &operation, .count = 1, .fields = fields, .prepare = prepare, .finish = finish};

/* -- The comparison ----------------------------------------------------------------------------------------------- */

static int threads_of(const char *program)
{
    int count = 1;
    for (; *program; program++)
        count += *program == '|';
    return count;
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (; words && *words; words += strcspn(words, " "), words += strspn(words, " ")) {
        if (strcspn(words, " ") == length && strncmp(words, word, length) == 0)
            return true;
    }
    return false;
}

/* Says of each outcome that should have been found that it was not. */
static bool has_all(const char *allowed)
{
    bool all = true;
    char outcome[OUTCOME];
    for (int length; sscanf(allowed, "%11s%n", outcome, &length) == 1; allowed += length) {
        if (is_found(outcome))
            continue;
        printf("FAILED  %s: %s: %s is allowed, and not found\n", current->name, current->program, outcome);
        all = false;
    }
    return all;
}

/* Says of each outcome that was found that it should not have been. */
static bool has_no_more(const char *allowed)
{
    bool good = true;
    for (int i = 0; i < found.count; i++) {
        if (has_word(allowed, found.text[i]))
            continue;
        printf("FAILED  %s: %s: %s is found, and must not be\n", current->name, current->program, found.text[i]);
        good = false;
    }
    return good;
}

static bool check_one(const struct litmus *test)
{
    struct search_count count;
    current = test;
    found.count = 0;
    scenario = (struct scenario){.object = &object, .threads = threads_of(test->program)};
    for (int i = 0; i < scenario.threads; i++)
        scenario.operations[i] = &operation;
    bool good = search_run(UINT64_MAX, NO_BUDGET, &count);
    if (!good)
        printf("FAILED  %s: %s: %s\n", test->name, test->program, failure);
    good = good && has_all(test->allowed);
    good = has_no_more(test->allowed) && good;
    if (good)
        printf("%-30s %-36s %s%s%s\n", test->name, test->program, test->allowed, test->left_out ? "; not: " : "",
               test->left_out ? test->left_out : "");
    return good;
}

bool litmus_check(void)
{
    bool good = true;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        good = check_one(&tests[i]) && good;
    return good;
}
