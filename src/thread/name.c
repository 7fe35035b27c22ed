/* name.c - the names of threads.
 *
 * The first 63 bytes are kept in the place, for thr_dump and the system; a longer name is also kept whole, allocated.
 *
 *  name_sequence   meaning
 *  odd             somebody (under the registry lock) changes the name
 *  even            name[] is whole; the number differs from that before each change
 *
 * N1  Every thread is named when it is made. So who reads the same even sequence before and after has looked at one
 *     thread, whatever became of the place meanwhile.
 *
 * Order: as in wait.c: the fields are stored with release, so that the odd sequence does not sink below them, and loaded
 * with acquire, so that the second look at the sequence does not rise above them. */

#include <stdlib.h>
#include <string.h>

#include "thread/thread.h"

enum { WORDS = NAME_INLINE / sizeof(uint64_t), DIGITS = 10 };

/* Under the lock. */
static void inline_set(thr_thread *thread, const char *name, size_t length)
{
    uint64_t words[WORDS] = {0};
    memcpy(words, name, length < NAME_INLINE ? length : NAME_INLINE - 1);
    uint32_t sequence = thread->name_sequence;
    store_relaxed(&thread->name_sequence, sequence + 1);
    for (int i = 0; i < WORDS; i++)
        store_release(&thread->name[i], words[i]);
    store_release(&thread->name_sequence, sequence + 2);
}

static size_t copy_parts(char *to, const char *const parts[], size_t n)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        size_t part = strlen(parts[i]);
        if (to)
            memcpy(to + length, parts[i], part + 1);
        length += part;
    }
    return length;
}

static bool set_parts(thr_thread *thread, const char *const parts[], size_t n)
{
    int saved = errno;
    char buffer[NAME_INLINE];
    char *whole = buffer;
    size_t length = copy_parts(NULL, parts, n);
    if (length >= NAME_INLINE)
        whole = malloc(length + 1);
    if (whole) {
        (void)copy_parts(whole, parts, n);
        registry_lock();
        tsan_acquire(&thread->long_name);
        char *old = thread->long_name;
        thread->long_name = whole == buffer ? NULL : whole;
        inline_set(thread, whole, length);
        tsan_release(&thread->long_name);
        registry_unlock();
        free(old);
    }
    os_errno_restore(saved);
    return whole != NULL;
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
    thread->long_name = NULL; /* the old one leaks, if it was long */
    inline_set(thread, name, strlen(name));
}

void name_drop(thr_thread *thread)
{
    int saved = errno;
    tsan_acquire(&thread->long_name);
    free(thread->long_name);
    thread->long_name = NULL;
    os_errno_restore(saved);
}

bool name_look(const thr_thread *thread, char text[NAME_INLINE], uint32_t *sequence)
{
    enum { ATTEMPTS = 1000 }; /* a thread stopped half-way in a change must not stop us */
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t words[WORDS];
        *sequence = load_acquire(&thread->name_sequence);
        for (int i = 0; i < WORDS; i++)
            words[i] = load_acquire(&thread->name[i]);
        memcpy(text, words, sizeof words);
        text[NAME_INLINE - 1] = '\0';
        if ((*sequence & 1) == 0 && load_relaxed(&thread->name_sequence) == *sequence)
            return true;
    }
    return false;
}

void name_show(thr_thread *thread)
{
    char text[NAME_INLINE];
    uint32_t sequence;
    do {
        (void)name_look(thread, text, &sequence);
        os_thread_set_name(os_thread_self(), text);
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
    uint64_t native = load_relaxed(&thread->native);
    if (thread->in_list && native != 0) /* T3 */
        os_thread_set_name((os_thread)native, name);
    registry_unlock();
    return THR_OK;
}
