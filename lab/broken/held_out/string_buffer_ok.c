/* string_buffer_ok.c - the correct twin of string_buffer.c: one step, with
 * the lock of the source held. */

#include "../broken.h"

struct buffer {
    thr_rlock lock;
    size_t length;
    char text[16];
};

static struct buffer source = {THR_RLOCK_INIT, 5, "hello"};
static struct buffer target;

static size_t length_of(struct buffer *buffer)
{
    THR_HOLD(&buffer->lock);
    return buffer->length;
}

static void copy(struct buffer *buffer, char *to, size_t n)
{
    THR_HOLD(&buffer->lock);
    if (n > buffer->length)
        thr_lab_fail("%zu characters wanted, %zu are there", n, buffer->length);
    memcpy(to, buffer->text, n);
}

static void cut(struct buffer *buffer)
{
    THR_HOLD(&buffer->lock);
    buffer->length = 0;
}

static void *appender(void *arg)
{
    (void)arg;
    THR_HOLD(&target.lock);
    THR_HOLD(&source.lock);
    size_t n = length_of(&source);
    copy(&source, target.text + target.length, n);
    target.length += n;
    return NULL;
}

int main(void)
{
    thr_thread *t = START(appender, NULL);

    cut(&source);
    finish(t);
    return 0;
}
