/* log.h - a line of log with the thread's name, like Python's logging with '(%(threadName)-10s) %(message)s'.
 *
 *     log_line("event set: %s", "True");       // (MainThread) event set: True
 */

#ifndef EXAMPLES_SUPPORT_LOG_H
#define EXAMPLES_SUPPORT_LOG_H

/* Logs a line to standard error, in one write(2), so that the lines of several threads never mix. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
