/* line.c - see line.h. */

#include "thread/line.h"

static void flush(struct line *line)
{
    os_write(line->fd, line->text, line->length);
    line->length = 0;
}

void line_char(struct line *line, char c)
{
    if (line->length == LINE_SIZE)
        flush(line);
    line->text[line->length++] = c;
    line->column++;
}

void line_text(struct line *line, const char *text)
{
    for (; *text; text++)
        line_char(line, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void in_base(struct line *line, uint64_t number, unsigned base)
{
    char digits[64];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (n > 0)
        line_char(line, digits[--n]);
}

void line_number(struct line *line, uint64_t number)
{
    in_base(line, number, 10);
}

void line_hex(struct line *line, uint64_t number)
{
    line_text(line, "0x");
    in_base(line, number, 16);
}

void line_seconds(struct line *line, thr_time time)
{
    enum { MILLISECOND = 1000000, SECOND = 1000 };
    uint64_t milliseconds = time > 0 ? (uint64_t)time / MILLISECOND : 0;
    line_number(line, milliseconds / SECOND);
    line_char(line, '.');
    for (uint64_t place = SECOND / 10; place > 0; place /= 10)
        line_char(line, (char)('0' + milliseconds / place % 10));
    line_text(line, " s");
}

void line_column(struct line *line, size_t column)
{
    do {
        line_char(line, ' ');
    } while (line->column < column);
}

void line_end(struct line *line)
{
    line_char(line, '\n');
    flush(line);
    line->column = 0;
}
