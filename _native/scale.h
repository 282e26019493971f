/* One plane of 8 bit samples made smaller.  Included by scale.pyx, which has checked every size and stride.
 *
 * Two ways, both in integers, so that the portable rows and those in AVX2 give the same bytes:
 *
 * box   both factors whole, at most 256 samples a mean.  S is their sum, moved left until a mean of one level weighs
 *       129 to 256; then v = (S * multiplier / 65536 + addend) / 64, all rounded down.  A mean is rounded to the
 *       nearest (exactly of up to 31 samples), and the range step is in the multiplier and the addend.
 * area  any other size.  What an output sample covers is divided in 256 parts down and in `gain` parts across; a
 *       source sample weighs as many as lie in it.  Columns first, to 15 bits: t = (sum of weight * sample + 1) / 2;
 *       then v = (sum of weight * t + addend) / 2^21.
 */
#ifndef FANAL_SCALE_H
#define FANAL_SCALE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_AVX2_ROWS 1
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#else
#define HAS_AVX2_ROWS 0
#endif

enum { WAY_COPY, WAY_BOX, WAY_AREA };
enum { MOST_IN_BOX = 256, DOWN = 256, SPARE = 16 };

struct plan {
    int in_width, in_height, out_width, out_height;
    int way, avx2;
    int across, down;     /* box: the factors */
    int shift;            /* box */
    int multiplier;       /* box */
    int addend;
    int gain;             /* area: what the weights across add up to */
    int taps;             /* across: source samples an output sample has weights for, a multiple of 4 */
    int32_t *first;       /* across: the first of them */
    int16_t *weights;     /* across: taps for each output sample; 0 after the last that counts */
    uint8_t *picks;       /* AVX2, 4 taps: where those of every second sample and of the next lie, from the first on */
    uint16_t *down_weights;
    uint16_t *columns;    /* a row of sums; SPARE + taps zeros behind it */
};

static int cpu_has_avx2(void) {
#if HAS_AVX2_ROWS
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}

static inline uint8_t clip(int value) { return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value; }

/* ---- weights ---- */

/* How many source samples output sample `at` of `out` touches, of `in`; `first` is the first. */
static int touched(int in, int out, int at, int *first) {
    int64_t start = (int64_t)at * in / out, end = ((int64_t)(at + 1) * in + out - 1) / out;
    *first = (int)start;
    return (int)(end - start);
}

/* The parts, of `whole`, of output sample `at` that lie before the end of source sample `sample`. */
static int parts_until(int in, int out, int at, int64_t sample, int whole) {
    int64_t covered = (sample + 1) * out - (int64_t)at * in;
    if (covered > in) covered = in;
    return (int)((2 * covered * whole + in) / (2 * (int64_t)in));
}

static int down_weights(const struct plan *p, int y, int *first) {
    int count = touched(p->in_height, p->out_height, y, first), before = 0;
    for (int i = 0; i < count; i++) {
        int until = parts_until(p->in_height, p->out_height, y, *first + i, DOWN);
        p->down_weights[i] = (uint16_t)(until - before);
        before = until;
    }
    return count;
}

static void plan_free(struct plan *p) {
    free(p->first);
    free(p->weights);
    free(p->picks);
    free(p->down_weights);
    free(p->columns);
    memset(p, 0, sizeof *p);
}

static int weights_across(struct plan *p) {
    int most = 0, first;
    for (int x = 0; x < p->out_width; x++) {
        int count = touched(p->in_width, p->out_width, x, &first);
        if (count > most) most = count;
    }
    p->taps = (most + 3) / 4 * 4;
    p->first = calloc((size_t)p->out_width, sizeof *p->first);
    p->weights = calloc((size_t)p->out_width * p->taps, sizeof *p->weights);
    if (!p->first || !p->weights) return -1;
    for (int x = 0; x < p->out_width; x++) {
        int count = touched(p->in_width, p->out_width, x, &first), before = 0;
        p->first[x] = first;
        for (int i = 0; i < count; i++) {
            int until = parts_until(p->in_width, p->out_width, x, first + i, p->gain);
            p->weights[(size_t)x * p->taps + i] = (int16_t)(p->way == WAY_BOX ? 1 : until - before);
            before = until;
        }
    }
    if (!p->avx2 || p->taps != 4) return 0;
    p->picks = calloc((size_t)p->out_width, 8);
    if (!p->picks) return -1;
    for (int x = 0; x < p->out_width; x++)
        for (int i = 0; i < 8; i++) p->picks[8 * x + i] = (uint8_t)(2 * (p->first[x] - p->first[x - x % 2]) + i);
    return 0; /* with 4 taps a step is 4 at most, so that both lie within 8 */
}

/* `expand`: from 16..235 (chroma 16..240) to 0..255.  -1: no memory; plan_free() is due in any case. */
static int plan_make(struct plan *p, int in_width, int in_height, int out_width, int out_height, int is_chroma,
                     int expand, int portable) {
    int range = is_chroma ? 224 : 219, above = 0; /* above: 2^21 times what the range step takes off */
    *p = (struct plan){.in_width = in_width, .in_height = in_height, .out_width = out_width,
                       .out_height = out_height, .avx2 = !portable && cpu_has_avx2(), .gain = 16384};
    if (expand) {
        int64_t scaled = (int64_t)(is_chroma ? 128 * 31 : 16 * 255) << 22;
        above = (int)((scaled + range) / (2 * range));
        p->gain = (16384 * 255 + range / 2) / range;
    }
    p->across = in_width / out_width;
    p->down = in_height / out_height;
    if (in_width % out_width || in_height % out_height || (int64_t)p->across * p->down > MOST_IN_BOX) {
        p->way = WAY_AREA;
        p->addend = (1 << 20) - above;
    } else if (in_width == out_width && in_height == out_height && !expand) {
        p->way = WAY_COPY;
        return 0;
    } else {
        int64_t level = p->across * p->down, one = expand ? 255 : range;
        p->way = WAY_BOX;
        while (level << (p->shift + 1) <= 256) p->shift++;
        level <<= p->shift;
        p->multiplier = (int)(((one << 22) + range * level - 1) / (range * level)); /* up, so that halves stay halves */
        p->addend = 32 - ((above + (1 << 14)) >> 15);
    }
    if ((p->way == WAY_AREA || p->across > 4) && weights_across(p)) return -1;
    p->down_weights = calloc((size_t)(in_height / out_height) + 3, sizeof *p->down_weights);
    p->columns = calloc((size_t)in_width + p->taps + SPARE, sizeof *p->columns);
    return p->down_weights && p->columns ? 0 : -1;
}

/* ---- rows, portable; each begins at output or source sample `x` ---- */

static void sum_columns(const uint8_t *s, ptrdiff_t stride, int rows, uint16_t *restrict t, int x, int width) {
    for (int i = x; i < width; i++) t[i] = s[i];
    for (int row = 1; row < rows; row++) {
        const uint8_t *restrict r = s + row * stride;
        for (int i = x; i < width; i++) t[i] = (uint16_t)(t[i] + r[i]);
    }
}

static void weigh_columns(const struct plan *p, const uint8_t *s, ptrdiff_t stride, int rows, int x) {
    uint16_t *restrict t = p->columns;
    const int width = p->in_width;
    for (int i = x; i < width; i++) t[i] = 0;
    for (int row = 0; row < rows; row++) {
        const uint8_t *restrict r = s + row * stride;
        uint16_t weight = p->down_weights[row];
        for (int i = x; i < width; i++) t[i] = (uint16_t)(t[i] + r[i] * weight);
    }
    for (int i = x; i < width; i++) t[i] = (uint16_t)((t[i] + 1) >> 1);
}

/* Inlined for the common factors, with what is in `p` at hand: a store to `d` might have changed it. */
static inline void means_across(const struct plan *p, const uint16_t *restrict t, uint8_t *restrict d, int count,
                                int across) {
    const int shift = p->shift, addend = p->addend;
    const unsigned multiplier = (unsigned)p->multiplier;
    for (int x = 0; x < count; x++) {
        unsigned sum = 0;
        for (int i = 0; i < across; i++) sum += t[x * across + i];
        d[x] = clip(((int)(((sum << shift) * multiplier) >> 16) + addend) >> 6);
    }
}

static void box_across(const struct plan *p, uint8_t *d, int x) {
    const uint16_t *t = p->columns + (ptrdiff_t)x * p->across;
    int count = p->out_width - x;
    switch (p->across) {
        case 1: means_across(p, t, d + x, count, 1); break;
        case 2: means_across(p, t, d + x, count, 2); break;
        case 3: means_across(p, t, d + x, count, 3); break;
        case 4: means_across(p, t, d + x, count, 4); break;
        default: means_across(p, t, d + x, count, p->across);
    }
}

static void area_across(const struct plan *p, uint8_t *restrict d, int x) {
    const int width = p->out_width, taps = p->taps, addend = p->addend;
    for (; x < width; x++) {
        const uint16_t *t = p->columns + p->first[x];
        const int16_t *w = p->weights + (ptrdiff_t)x * taps;
        int sum = addend;
        for (int i = 0; i < taps; i += 4) /* taps are a multiple of 4 */
            sum += t[i] * w[i] + t[i + 1] * w[i + 1] + t[i + 2] * w[i + 2] + t[i + 3] * w[i + 3];
        d[x] = clip(sum >> 21);
    }
}

/* ---- rows in AVX2; each says how far it came, and reads nothing that the portable row would not ---- */
#if HAS_AVX2_ROWS
#include "scale_avx2.h"
#endif

/* ---- planes ---- */

static void box_row(const struct plan *p, const uint8_t *s, ptrdiff_t stride, uint8_t *d) {
    int x = 0, column = 0;
#if HAS_AVX2_ROWS
    if (p->avx2 && p->across <= 4) {
        x = p->across == 1 ? box1_avx2(p, s, stride, d) : p->across == 2 ? box2_avx2(p, s, stride, d)
          : p->across == 3 ? box3_avx2(p, s, stride, d) : box4_avx2(p, s, stride, d);
        if (x == p->out_width) return;
        column = x * p->across;
    } else if (p->avx2) {
        column = sum_columns_avx2(p, s, stride);
    }
#endif
    sum_columns(s, stride, p->down, p->columns, column, p->in_width);
#if HAS_AVX2_ROWS
    if (p->avx2 && p->across > 4 && p->down <= 128) x = box_across_avx2(p, d);
#endif
    box_across(p, d, x);
}

static void area_row(const struct plan *p, const uint8_t *s, ptrdiff_t stride, int rows, uint8_t *d) {
    int x = 0, column = 0;
#if HAS_AVX2_ROWS
    if (p->avx2) column = weigh_columns_avx2(p, s, stride, rows);
#endif
    weigh_columns(p, s, stride, rows, column);
#if HAS_AVX2_ROWS
    if (p->avx2) x = area_across_avx2(p, d);
#endif
    area_across(p, d, x);
}

static void plan_run(const struct plan *p, const uint8_t *s, ptrdiff_t s_stride, uint8_t *d, ptrdiff_t d_stride) {
    for (int y = 0; y < p->out_height; y++, d += d_stride) {
        if (p->way == WAY_COPY) {
            memcpy(d, s + y * s_stride, (size_t)p->out_width);
        } else if (p->way == WAY_BOX) {
            box_row(p, s + (ptrdiff_t)y * p->down * s_stride, s_stride, d);
        } else {
            int first, rows = down_weights(p, y, &first);
            area_row(p, s + first * s_stride, s_stride, rows, d);
        }
    }
}

/* U and V of NV12, apart. */
static void part(const uint8_t *s, ptrdiff_t s_stride, uint8_t *restrict u, uint8_t *restrict v, int width,
                 int height) {
    for (int y = 0; y < height; y++, s += s_stride, u += width, v += width) {
        for (int x = 0; x < width; x++) {
            u[x] = s[2 * x];
            v[x] = s[2 * x + 1];
        }
    }
}

/* ---- turning: `width` x `height` samples, clockwise, in squares that stay in the cache ---- */

enum { SQUARE = 16 };

static void turn_quarter(const uint8_t *s, ptrdiff_t s_stride, uint8_t *d, ptrdiff_t d_stride, int width, int height,
                         int clockwise) {
    for (int top = 0; top < height; top += SQUARE) {
        int bottom = top + SQUARE < height ? top + SQUARE : height;
        for (int left = 0; left < width; left += SQUARE) {
            int right = left + SQUARE < width ? left + SQUARE : width;
            for (int x = left; x < right; x++) {
                uint8_t *row = d + (clockwise ? x : width - 1 - x) * d_stride;
                if (clockwise)
                    for (int y = top; y < bottom; y++) row[height - 1 - y] = s[y * s_stride + x];
                else
                    for (int y = top; y < bottom; y++) row[y] = s[y * s_stride + x];
            }
        }
    }
}

static void turn_half(const uint8_t *s, ptrdiff_t s_stride, uint8_t *restrict d, ptrdiff_t d_stride, int width,
                      int height) {
    for (int y = 0; y < height; y++) {
        const uint8_t *from = s + (height - 1 - y) * s_stride;
        uint8_t *to = d + y * d_stride;
        int x = 0;
        for (uint64_t eight; x + 8 <= width; x += 8) {
            memcpy(&eight, from + width - 8 - x, 8);
            eight = __builtin_bswap64(eight);
            memcpy(to + x, &eight, 8);
        }
        for (; x < width; x++) to[x] = from[width - 1 - x];
    }
}

#endif
