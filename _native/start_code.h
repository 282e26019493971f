/* Start codes of the byte stream formats (ITU-T H.264 and H.265, Annex B; ISO/IEC 14496-2 §5.2.3). */
#ifndef FANAL_START_CODE_H
#define FANAL_START_CODE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Where the next 00 00 01 at or after `position` begins, or -1: memchr for the 01, then a look back. */
static inline ptrdiff_t next_start_code(const uint8_t *data, ptrdiff_t position, ptrdiff_t size)
{
    position += 2;
    while (position < size) {
        const uint8_t *one = memchr(data + position, 1, (size_t)(size - position));
        if (one == NULL)
            return -1;
        ptrdiff_t at = one - data;
        if (data[at - 1] == 0 && data[at - 2] == 0)
            return at - 2;
        position = at + 1;
    }
    return -1;
}

#endif
