/* name.c - the names of threads.
 *
 * The first 63 bytes are kept in the place, for thr_dump and the system; a longer name is also kept whole, allocated.
 *
 *  name_sequence   meaning
 *  odd             somebody changes the name: under the registry lock, but for who has just taken a free place
 *  even            name[] is whole; the number differs from that before each change
 *
 * N1  Every thread is named when it is made. So who reads the same even sequence before and after has looked at one
 *     thread, whatever became of the place meanwhile.
 * N2  Who has changed a name then tells the system, and under the lock: not its own name, but the one of now. So of two who
 *     name a thread at once, whoever tells last tells the last name.
 *
 * Order: as in wait.c: the fields are stored with release, so that the odd sequence does not sink below them, and loaded
 * with acquire, so that the second look at the sequence does not rise above them. */

#include <stdlib.h>
#include <string.h>

#include "thread/thread.h"

enum {
    WORDS = NAME_INLINE / sizeof(uint64_t),
    SHOWN = OS_NAME_SIZE / sizeof(uint64_t), /* words of what the system shows */
    DIGITS = 10
};

union inline_name {
    uint64_t words[WORDS];
    char text[NAME_INLINE];
};

/* Under the lock, or in a place that nobody else has yet. */
static void inline_set(thr_thread *thread, const union inline_name *name)
{
    uint32_t sequence = thread->name_sequence;
    store_relaxed(&thread->name_sequence, sequence + 1);
    for (int i = 0; i < WORDS; i++)
        store_release(&thread->name[i], name->words[i]);
    store_release(&thread->name_sequence, sequence + 2);
}

/* Puts the parts into `to`, as far as there is room, but no 0 behind them; returns how long they are. */
static size_t join_parts(char *to, size_t room, const char *const parts[], size_t n)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        for (const char *from = parts[i]; *from != '\0'; from++, length++) {
            if (length < room)
                to[length] = *from;
        }
    }
    return length;
}

/* Where inline_set may be called. Returns the long name from before. */
static char *replace(thr_thread *thread, const union inline_name *name, char *whole)
{
    tsan_acquire(&thread->long_name);
    char *old = thread->long_name;
    thread->long_name = whole;
    inline_set(thread, name);
    tsan_release(&thread->long_name);
    return old;
}

static char *long_copy(const char *const parts[], size_t n, size_t length)
{
    int saved = errno;
    char *whole = malloc(length + 1);
    os_errno_restore(saved);
    if (whole) {
        (void)join_parts(whole, length, parts, n);
        whole[length] = '\0';
    }
    return whole;
}

static void long_free(char *name)
{
    int saved = errno;
    free(name);
    os_errno_restore(saved);
}

static bool set_parts(thr_thread *thread, const char *const parts[], size_t n)
{
    union inline_name start = {{0}};
    size_t length = join_parts(start.text, NAME_INLINE - 1, parts, n);
    char *whole = length >= NAME_INLINE ? long_copy(parts, n, length) : NULL;
    if (length >= NAME_INLINE && !whole)
        return false;
    bool shared = thread_life(thread) != LIFE_FREE;
    if (shared)
        registry_lock();
    char *old = replace(thread, &start, whole);
    if (shared)
        registry_unlock();
    if (old)
        long_free(old);
    return true;
}

bool name_set(thr_thread *thread, const char *name)
{
    return set_parts(thread, &name, 1);
}

bool name_number(thr_thread *thread, const char *word, const char *about)
{
    char digits[DIGITS + 1] = {0};
    char *digit = digits + DIGITS;
    uint32_t number = registry_count();
    do {
        *--digit = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    const char *parts[] = {word, digit, " (", about, ")"};
    return set_parts(thread, parts, about ? 5 : 2);
}

void name_put(thr_thread *thread, const char *name)
{
    union inline_name start = {{0}};
    (void)join_parts(start.text, NAME_INLINE - 1, &name, 1);
    thread->long_name = NULL; /* the old one leaks, if it was long */
    inline_set(thread, &start);
}

void name_drop(thr_thread *thread)
{
    tsan_acquire(&thread->long_name);
    if (thread->long_name)
        long_free(thread->long_name);
    thread->long_name = NULL;
}

/* The first `n` words of the name; else as name_look. */
static inline bool look(const thr_thread *thread, uint64_t words[], int n, uint32_t *sequence)
{
    enum { ATTEMPTS = 1000 }; /* a thread stopped half-way in a change must not stop us */
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        *sequence = load_acquire(&thread->name_sequence);
        for (int i = 0; i < n; i++)
            words[i] = load_acquire(&thread->name[i]);
        if ((*sequence & 1) == 0 && load_relaxed(&thread->name_sequence) == *sequence)
            return true;
    }
    return false;
}

bool name_look(const thr_thread *thread, char text[NAME_INLINE], uint32_t *sequence)
{
    uint64_t words[WORDS];
    bool whole = look(thread, words, WORDS, sequence);
    memcpy(text, words, sizeof words);
    text[NAME_INLINE - 1] = '\0';
    return whole;
}

void name_show(thr_thread *thread)
{
    union inline_name shown;
    uint32_t sequence;
    do {
        (void)look(thread, shown.words, SHOWN, &sequence);
        os_thread_name_self(shown.text);
    } while (load_acquire(&thread->name_sequence) != sequence); /* else another's newer name could be overwritten */
}

size_t thr_thread_name(const thr_thread *thread, char *buffer, size_t size)
{
    char text[NAME_INLINE];
    registry_lock(); /* nobody changes the name, or frees the long one */
    tsan_acquire(&thread->long_name);
    const char *name = thread->long_name;
    if (!name) {
        memcpy(text, thread->name, sizeof text);
        name = text;
    }
    size_t length = strlen(name);
    if (size > 0) {
        size_t copied = length < size ? length : size - 1;
        memcpy(buffer, name, copied);
        buffer[copied] = '\0';
    }
    tsan_release(&thread->long_name);
    registry_unlock();
    return length;
}

thr_result thr_thread_set_name(thr_thread *thread, const char *name)
{
    if (!name)
        return THR_INVALID;
    if (!name_set(thread, name))
        return THR_NO_MEMORY;
    registry_lock();
    /* Pairs with registry_adopt: either its number is there, or the thread shows the new name itself. */
    bool begun = add_acq_rel(&thread->begun, 0) == 1;
    if (thread->in_list && begun)                                                         /* T3 */
        os_thread_set_name(load_relaxed(&thread->native_id), (const char *)thread->name); /* N2 */
    registry_unlock();
    return THR_OK;
}
