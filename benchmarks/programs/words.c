/* words - counts the words of its standard input, with four threads: a program with many locks, for benchmarks/check.
 *
 * Main cuts the text into blocks and puts them into a bounded queue (a lock, two conditions). Workers take blocks out, and
 * count each word in a table of 64 parts, each with a lock of its own. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threading.h>

enum { WORKERS = 4, PARTS = 64, ROOM = 8, BLOCK = 65536, BUCKETS = 4096, LONGEST = 64 };

/* -- The queue ---------------------------------------------------------------------------------------------------- */

static thr_lock queue_lock = THR_LOCK_INIT;
static thr_condition not_full = THR_CONDITION_INIT;
static thr_condition not_empty = THR_CONDITION_INIT;
static char *queue[ROOM];
static size_t first, count;

/* NULL is the end. */
static void put(char *block)
{
    THR_HOLD(&queue_lock);
    while (count == ROOM)
        thr_condition_wait(&not_full, &queue_lock);
    queue[(first + count++) % ROOM] = block;
    thr_condition_notify(&not_empty, 1);
}

static char *take(void)
{
    THR_HOLD(&queue_lock);
    while (count == 0)
        thr_condition_wait(&not_empty, &queue_lock);
    char *block = queue[first];
    first = (first + 1) % ROOM;
    count--;
    thr_condition_notify(&not_full, 1);
    return block;
}

/* -- The table ---------------------------------------------------------------------------------------------------- */

struct word {
    struct word *next;
    size_t times;
    char text[];
};

static struct part {
    thr_lock lock;
    struct word *buckets[BUCKETS / PARTS];
} parts[PARTS];

static void count_word(const char *text, size_t length)
{
    size_t hash = 5381;
    for (size_t i = 0; i < length; i++)
        hash = hash * 33 ^ (unsigned char)text[i];
    struct part *part = &parts[hash % PARTS];
    THR_HOLD(&part->lock);
    struct word **at = &part->buckets[hash / PARTS % (BUCKETS / PARTS)];
    while (*at && strcmp((*at)->text, text) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = calloc(1, sizeof **at + length + 1);
        if (!*at)
            exit(1);
        memcpy((*at)->text, text, length + 1);
    }
    (*at)->times++;
}

static void *worker(void *arg)
{
    char word[LONGEST];
    size_t length = 0;
    (void)arg;
    for (char *block = take(); block; block = take()) {
        for (const char *at = block;; at++) {
            if (isalnum((unsigned char)*at) && length < LONGEST - 1) {
                word[length++] = *at;
            } else if (length > 0) {
                word[length] = '\0';
                count_word(word, length);
                length = 0;
            }
            if (*at == '\0')
                break;
        }
        free(block);
    }
    return NULL;
}

/* -- All ---------------------------------------------------------------------------------------------------------- */

static void print_totals(void)
{
    size_t words = 0;
    size_t different = 0;
    for (size_t i = 0; i < PARTS; i++) {
        for (size_t k = 0; k < BUCKETS / PARTS; k++) {
            for (const struct word *word = parts[i].buckets[k]; word; word = word->next) {
                words += word->times;
                different++;
            }
        }
    }
    printf("%zu words, %zu different\n", words, different);
}

int main(void)
{
    thr_thread *threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        if (thr_spawn(&threads[i], worker, NULL) != THR_OK)
            return 1;
    }
    for (;;) {
        char *block = malloc(BLOCK + 1);
        size_t length = block ? fread(block, 1, BLOCK, stdin) : 0;
        if (length == 0) {
            free(block);
            break;
        }
        block[length] = '\0';
        put(block);
    }
    for (int i = 0; i < WORKERS; i++)
        put(NULL);
    for (int i = 0; i < WORKERS; i++) {
        (void)thr_thread_join(threads[i], NULL);
        thr_thread_unref(threads[i]);
    }
    print_totals();
    return 0;
}
