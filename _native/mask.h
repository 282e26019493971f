/* Privacy masks: which samples of a scaled plane have to be filled.  Included by scale.pyx.
 *
 * A sample is filled where any source sample that it was made from is touched by a polygon, and a chroma sample also
 * where it colours a filled luma sample.  So what leaves does not depend on anything inside.  All in integers: points
 * are in 1/65536 of a source sample.
 */
#ifndef FANAL_MASK_H
#define FANAL_MASK_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POLYGONS = 64, MOST_POINTS = 512, ONE = 1 << 16 };

struct point { int64_t x, y; };

struct polygons {
    int count;
    int ends[MOST_POLYGONS]; /* the index behind the last point of each */
    struct point points[MOST_POINTS];
};

struct span { int32_t row, start, end; };

struct mask {
    struct span *spans;
    size_t count;
};

/* From samples of one axis of the source's luma to those of one plane of the output. */
struct axis { int step, in, out; };

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); } /* b > 0 */
static inline int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b > 0); }

/* Luma samples start <= x < end, in units of ONE, touch which output samples? */
static void mark(uint8_t *line, struct axis across, int64_t start, int64_t end) {
    start = floor_div(start, ONE);
    end = ceil_div(end, ONE);
    if (end <= start) return; /* a line between two samples */
    start /= across.step;
    end = ceil_div(end, across.step);
    if (end > across.in) end = across.in;
    start = start * across.out / across.in;
    end = ceil_div(end * across.out, across.in);
    if (end > start) memset(line + start, 1, (size_t)(end - start));
}

/* What one polygon touches of luma row `row`: what its edges cross, and what lies between them on the middle line. */
static void mark_row(uint8_t *line, struct axis across, const struct point *points, int count, int64_t row) {
    const int64_t top = row * ONE, middle = top + ONE / 2, bottom = top + ONE;
    int64_t crossings[MOST_POINTS];
    int found = 0;
    for (int i = 0; i < count; i++) {
        struct point a = points[i], b = points[i + 1 < count ? i + 1 : 0], swap;
        if (a.y > b.y) swap = a, a = b, b = swap;
        if (b.y <= top || a.y >= bottom) continue; /* at most a border in common */
        int64_t wide = b.x - a.x, high = b.y - a.y, from = a.x, to = b.x;
        if (high) {
            int64_t enters = wide * ((a.y > top ? a.y : top) - a.y), leaves = wide * ((b.y < bottom ? b.y : bottom) - a.y);
            from = a.x + floor_div(enters < leaves ? enters : leaves, high);
            to = a.x + ceil_div(enters < leaves ? leaves : enters, high);
        } else if (from > to) {
            from = b.x, to = a.x;
        }
        mark(line, across, from, to);
        if (a.y <= middle && middle < b.y) {
            int64_t x = a.x + floor_div(wide * (middle - a.y), high);
            int at = found++;
            for (; at > 0 && crossings[at - 1] > x; at--) crossings[at] = crossings[at - 1];
            crossings[at] = x;
        }
    }
    for (int i = 0; i + 1 < found; i += 2) mark(line, across, crossings[i], crossings[i + 1]);
}

/* A byte for each sample of the plane: 1 where it has to be filled. */
static void mask_bitmap(uint8_t *bitmap, const struct polygons *all, struct axis across, struct axis down, int height) {
    for (int y = 0; y < down.out; y++, bitmap += across.out) {
        int64_t row = (int64_t)y * down.in / down.out * down.step;
        int64_t end = ceil_div((int64_t)(y + 1) * down.in, down.out) * down.step;
        for (; row < end && row < height; row++) {
            int start = 0;
            for (int i = 0; i < all->count; start = all->ends[i++])
                mark_row(bitmap, across, all->points + start, all->ends[i] - start, row);
        }
    }
}

/* Chroma samples that colour a filled luma sample. */
static void mask_chroma(uint8_t *chroma, int chroma_width, const uint8_t *luma, int width, int height) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) chroma[(size_t)(y / 2) * chroma_width + x / 2] |= luma[(size_t)y * width + x];
}

static int mask_spans(struct mask *m, const uint8_t *bitmap, int width, int height) {
    size_t room = 0;
    for (int y = 0; y < height; y++, bitmap += width) {
        for (int x = 0; x < width;) {
            const uint8_t *found = memchr(bitmap + x, 1, (size_t)(width - x)), *after;
            if (!found) break;
            int start = (int)(found - bitmap);
            after = memchr(found, 0, (size_t)(width - start));
            x = after ? (int)(after - bitmap) : width;
            if (m->count == room) {
                struct span *more = realloc(m->spans, (room = 2 * room + 64) * sizeof *more);
                if (!more) return -1;
                m->spans = more;
            }
            m->spans[m->count++] = (struct span){y, start, x};
        }
    }
    return 0;
}

static void mask_fill(const struct mask *m, uint8_t *d, ptrdiff_t stride, uint8_t value) {
    for (size_t i = 0; i < m->count; i++) {
        struct span s = m->spans[i];
        memset(d + s.row * stride + s.start, value, (size_t)(s.end - s.start));
    }
}

#endif
