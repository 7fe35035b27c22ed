/* symbols.h - where an address is in the program: function, file, line. Asks addr2line and nm (binutils); without them, or
 * without debugging information, there is less to say. */

#ifndef LAB_SYMBOLS_H
#define LAB_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looks these addresses of code up, all at once. */
void symbols_resolve(void *const *addresses, size_t n);

/* The call of the library that a stack ends in (innermost first), as "file.c:12 in function"; false where that is not
 * known. The stack's addresses were resolved. */
bool symbols_call(void *const *frames, size_t n, char *text, size_t size);

/* The function of the library that was called there, without its prefix: "event_is_set". False: it is not known. */
bool symbols_entry(void *const *frames, size_t n, char *text, size_t size);

/* Whether the library called it for itself: of a lock, say, that is part of an executor. False where that is not known. */
bool symbols_internal(void *const *frames, size_t n);

/* The innermost place that is neither the library's nor the C library's: of a crash. */
bool symbols_crash(void *const *frames, size_t n, char *text, size_t size);

/* The place of one call, given by an address in it: the library's inlined functions are looked through. False where it is
 * not known. Resolves the address by itself. */
bool symbols_place(void *address, char *text, size_t size);

/* The program's places of a stack, innermost first, one a line, each after `indent`. The stack's addresses were resolved. */
void symbols_stack(void *const *frames, size_t n, const char *indent, char *text, size_t size);

/* A part of the memory: start <= address < end. */
struct symbols_range {
    uintptr_t start;
    uintptr_t end;
};

/* Finds the program or shared object that this address is in, and stores the functions of it whose names begin so, up to
 * `room`. Returns how many; `module` is empty where there is none. */
size_t symbols_functions(const void *address, const char *prefix, struct symbols_range *module,
                         struct symbols_range *functions, size_t room);

/* The name of an object, `name` or `name+8`; false where it has none. */
bool symbols_object(const void *address, char *text, size_t size);

#endif
