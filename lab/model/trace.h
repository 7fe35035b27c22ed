/* trace.h - what happened, as columns: one a thread, one line a step. */

#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include "model/world.h"

/* A name for an address: of a field that the object under test has named, a place in a stack, ... */
const char *trace_name(uintptr_t at);

/* Recording is on while a violation is played back. */
extern bool tracing;

/* The thread's pending operation was made: what it found, what it stored, and how many newer values there were. */
void trace_operation(int thread, uint64_t old, uint64_t stored, bool stores, int newer);

/* Anything else that a thread does, or that happens to it (thread -1: to nobody). */
void trace_note(int thread, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints what was recorded, with the places in the source. */
void trace_print(void);
void trace_clear(void);

#endif
