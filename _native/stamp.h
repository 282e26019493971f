/* Light writing with a dark edge, or on a dark box, blended into 4:2:0 planes.  Included by scale.pyx. */
#ifndef FANAL_STAMP_H
#define FANAL_STAMP_H

#include <stddef.h>
#include <stdint.h>

/* Of the picture `keep`/256 stays; `add`/256 comes.  One sample wider than the writing on each side, for the edge. */
struct stamp {
    int width, height;
    uint16_t *keep, *add;
};

static int alpha_at(const uint8_t *alpha, int width, int height, int x, int y) {
    return x < 0 || y < 0 || x >= width || y >= height ? 0 : alpha[(ptrdiff_t)y * width + x];
}

/* alpha: (stamp width - 2) x (stamp height - 2).  The edge is where the writing or one of its eight neighbours is. */
static void stamp_make(struct stamp *t, const uint8_t *alpha, int light, int dark, int box) {
    int width = t->width - 2, height = t->height - 2;
    for (int y = 0; y < t->height; y++) {
        for (int x = 0; x < t->width; x++) {
            int edge = box, writing = alpha_at(alpha, width, height, x - 1, y - 1);
            for (int i = 0; i < 9; i++) {
                int near = alpha_at(alpha, width, height, x - 2 + i % 3, y - 2 + i / 3);
                if (near > edge) edge = near;
            }
            int keep = (255 - edge) * (255 - writing), come = dark * edge * (255 - writing) + light * writing * 255;
            ptrdiff_t at = (ptrdiff_t)y * t->width + x;
            t->keep[at] = (uint16_t)((keep * 256 + 32512) / 65025);
            t->add[at] = (uint16_t)((come * 256LL + 32512) / 65025);
        }
    }
}

/* Columns (or rows) `from` to `to` of the stamp lie on the picture. */
static int stamp_meets(int size, int stamp_size, int at, int *from, int *to) {
    *from = at < 0 ? -at : 0;
    *to = at > size - stamp_size ? size - at : stamp_size;
    return *from < *to;
}

/* Both at once, as chroma fades to grey by the most that any of its luma samples fades. */
static void stamp_put(const struct stamp *t, uint8_t *luma, ptrdiff_t stride, uint8_t *const chroma[2],
                      const ptrdiff_t chroma_stride[2], int width, int height, int at_x, int at_y) {
    int left, right, top, bottom;
    if (!stamp_meets(width, t->width, at_x, &left, &right) || !stamp_meets(height, t->height, at_y, &top, &bottom))
        return;
    for (int y = top; y < bottom; y++) {
        uint8_t *d = luma + (at_y + y) * stride + at_x;
        const uint16_t *keep = t->keep + (ptrdiff_t)y * t->width, *add = t->add + (ptrdiff_t)y * t->width;
        for (int x = left; x < right; x++) {
            int value = (d[x] * keep[x] + add[x] + 128) >> 8;
            d[x] = value > 255 ? 255 : (uint8_t)value;
        }
    }
    for (int cy = (at_y + top) / 2; cy <= (at_y + bottom - 1) / 2; cy++) {
        for (int cx = (at_x + left) / 2; cx <= (at_x + right - 1) / 2; cx++) {
            int least = 256;
            for (int i = 0; i < 4; i++) {
                int x = 2 * cx + i % 2 - at_x, y = 2 * cy + i / 2 - at_y;
                if (x < left || x >= right || y < top || y >= bottom) continue;
                int keep = t->keep[(ptrdiff_t)y * t->width + x];
                if (keep < least) least = keep;
            }
            for (int plane = 0; plane < 2; plane++) {
                uint8_t *d = chroma[plane] + cy * chroma_stride[plane] + cx;
                *d = (uint8_t)((*d * least + 128 * (256 - least) + 128) >> 8);
            }
        }
    }
}

#endif
