#include "support/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <threading.h>

void log_line(const char *format, ...)
{
    char name[64];
    char message[256];
    char line[sizeof name + sizeof message + sizeof "() \n"];
    va_list args;

    (void)thr_thread_name(thr_current_thread(), name, sizeof name);
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);

    int length = snprintf(line, sizeof line, "(%-10s) %s\n", name, message);
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written; /* There is nowhere to report that the log cannot be written. */
}
