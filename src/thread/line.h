/* line.h - writing a line of text, piece by piece, with nothing that a signal handler may not call. */

#ifndef THREAD_LINE_H
#define THREAD_LINE_H

#include "os/os.h"

enum { LINE_SIZE = 512 }; /* a longer one is written in several pieces */

struct line {
    int fd;
    size_t length; /* 0 at the beginning */
    size_t column;
    char text[LINE_SIZE];
};

void line_char(struct line *line, char c);

/* Control characters become question marks. */
void line_text(struct line *line, const char *text);

void line_number(struct line *line, uint64_t number);
void line_hex(struct line *line, uint64_t number);
void line_seconds(struct line *line, thr_time time);

/* Blanks up to this column, and one at least. */
void line_column(struct line *line, size_t column);

/* Writes it. */
void line_end(struct line *line);

#endif
