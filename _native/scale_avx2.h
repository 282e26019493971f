/* The rows of scale.h in AVX2: the same integers, 8 to 32 output samples at a time.  A part of scale.h. */

#define LOAD128(at) _mm_loadu_si128((const __m128i *)(at))
#define LOAD256(at) _mm256_loadu_si256((const __m256i *)(at))
#define IN_ORDER(v) _mm256_permute4x64_epi64(v, 0xD8) /* packing works in halves; this undoes it */

/* Ask for what the next row of the output is made from: each of its rows would start a stream anew, and pictures come
 * from further away than the caches near this core.  Behind the last row this is a hint that does nothing. */
#define AHEAD(at, rows) _mm_prefetch((const char *)((uintptr_t)(at) + (uintptr_t)((rows) * stride)), _MM_HINT_T0)

/* What means_across() makes of 16 sums. */
AVX2 static inline __m256i means(__m256i sums, __m128i shift, __m256i multiplier, __m256i addend) {
    __m256i scaled = _mm256_mulhi_epu16(_mm256_sll_epi16(sums, shift), multiplier);
    return _mm256_srai_epi16(_mm256_add_epi16(scaled, addend), 6);
}

#define MEAN_CONSTANTS                                                                                                 \
    const __m128i shift = _mm_cvtsi32_si128(p->shift);                                                                 \
    const __m256i multiplier = _mm256_set1_epi16((short)p->multiplier), addend = _mm256_set1_epi16((short)p->addend)

AVX2 static inline void store16(uint8_t *d, __m256i values) {
    __m128i low = _mm256_castsi256_si128(values), high = _mm256_extracti128_si256(values, 1);
    _mm_storeu_si128((__m128i *)d, _mm_packus_epi16(low, high));
}

AVX2 static int box1_avx2(const struct plan *p, const uint8_t *s, ptrdiff_t stride, uint8_t *d) {
    MEAN_CONSTANTS;
    int x = 0;
    for (; x + 16 <= p->out_width; x += 16) {
        __m256i sums = _mm256_cvtepu8_epi16(LOAD128(s + x));
        for (int r = 1; r < p->down; r++)
            sums = _mm256_add_epi16(sums, _mm256_cvtepu8_epi16(LOAD128(s + r * stride + x)));
        store16(d + x, means(sums, shift, multiplier, addend));
    }
    return x;
}

/* Pairs of 64 samples of each of the rows, summed over these. */
AVX2 static inline void pair_sums(const uint8_t *at, ptrdiff_t stride, int rows, __m256i *low, __m256i *high) {
    const __m256i ones = _mm256_set1_epi8(1);
    AHEAD(at, rows);
    *low = _mm256_maddubs_epi16(LOAD256(at), ones);
    *high = _mm256_maddubs_epi16(LOAD256(at + 32), ones);
    for (int r = 1; r < rows; r++) {
        at += stride;
        AHEAD(at, rows);
        *low = _mm256_add_epi16(*low, _mm256_maddubs_epi16(LOAD256(at), ones));
        *high = _mm256_add_epi16(*high, _mm256_maddubs_epi16(LOAD256(at + 32), ones));
    }
}

AVX2 static int box2_avx2(const struct plan *p, const uint8_t *s, ptrdiff_t stride, uint8_t *d) {
    MEAN_CONSTANTS;
    int x = 0;
    for (; x + 32 <= p->out_width; x += 32) {
        __m256i low, high;
        pair_sums(s + 2 * x, stride, p->down, &low, &high);
        low = means(low, shift, multiplier, addend);
        high = means(high, shift, multiplier, addend);
        _mm256_storeu_si256((__m256i *)(d + x), IN_ORDER(_mm256_packus_epi16(low, high)));
    }
    return x;
}

/* Each half of a register makes eight sums of 24 source bytes: the first two of a triple as a pair, the third alone. */
AVX2 static int box3_avx2(const struct plan *p, const uint8_t *s, ptrdiff_t stride, uint8_t *d) {
#define BOTH_HALVES(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))
    const __m256i pairs = BOTH_HALVES(0, 1, 3, 4, 6, 7, 9, 10, 12, 13, -1, -1, -1, -1, -1, -1);
    const __m256i pairs_on = BOTH_HALVES(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 7, 8, 10, 11, 13, 14);
    const __m256i thirds = BOTH_HALVES(2, -1, 5, -1, 8, -1, 11, -1, 14, -1, -1, -1, -1, -1, -1, -1);
    const __m256i thirds_on = BOTH_HALVES(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 9, -1, 12, -1, 15, -1);
#undef BOTH_HALVES
    MEAN_CONSTANTS;
    const __m256i ones = _mm256_set1_epi8(1);
    int x = 0;
    for (; x + 16 <= p->out_width; x += 16) {
        __m256i sums = _mm256_setzero_si256();
        for (int r = 0; r < p->down; r++) {
            const uint8_t *at = s + r * stride + 3 * x;
            AHEAD(at, p->down);
            __m256i a = _mm256_set_m128i(LOAD128(at + 24), LOAD128(at));
            __m256i b = _mm256_set_m128i(LOAD128(at + 32), LOAD128(at + 8));
            __m256i two = _mm256_or_si256(_mm256_shuffle_epi8(a, pairs), _mm256_shuffle_epi8(b, pairs_on));
            __m256i third = _mm256_or_si256(_mm256_shuffle_epi8(a, thirds), _mm256_shuffle_epi8(b, thirds_on));
            sums = _mm256_add_epi16(sums, _mm256_add_epi16(_mm256_maddubs_epi16(two, ones), third));
        }
        store16(d + x, means(sums, shift, multiplier, addend));
    }
    return x;
}

/* down <= 64, so pairs summed over the rows stay below 32768 */
AVX2 static int box4_avx2(const struct plan *p, const uint8_t *s, ptrdiff_t stride, uint8_t *d) {
    MEAN_CONSTANTS;
    const __m256i ones16 = _mm256_set1_epi16(1);
    int x = 0;
    for (; x + 16 <= p->out_width; x += 16) {
        __m256i low, high;
        pair_sums(s + 4 * x, stride, p->down, &low, &high);
        low = _mm256_packus_epi32(_mm256_madd_epi16(low, ones16), _mm256_madd_epi16(high, ones16));
        store16(d + x, means(IN_ORDER(low), shift, multiplier, addend));
    }
    return x;
}

AVX2 static int sum_columns_avx2(const struct plan *p, const uint8_t *s, ptrdiff_t stride) {
    int x = 0;
    for (; x + 32 <= p->in_width; x += 32) {
        const uint8_t *at = s + x;
        AHEAD(at, p->down);
        __m256i low = _mm256_cvtepu8_epi16(LOAD128(at)), high = _mm256_cvtepu8_epi16(LOAD128(at + 16));
        for (int r = 1; r < p->down; r++) {
            at += stride;
            AHEAD(at, p->down);
            low = _mm256_add_epi16(low, _mm256_cvtepu8_epi16(LOAD128(at)));
            high = _mm256_add_epi16(high, _mm256_cvtepu8_epi16(LOAD128(at + 16)));
        }
        _mm256_storeu_si256((__m256i *)(p->columns + x), low);
        _mm256_storeu_si256((__m256i *)(p->columns + x + 16), high);
    }
    return x;
}

AVX2 static int weigh_columns_avx2(const struct plan *p, const uint8_t *s, ptrdiff_t stride, int rows) {
    const __m256i zero = _mm256_setzero_si256();
    int x = 0;
    for (; x + 32 <= p->in_width; x += 32) {
        const uint8_t *at = s + x;
        __m256i low = zero, high = zero;
        for (int r = 0; r < rows; r++, at += stride) {
            AHEAD(at, rows);
            __m256i weight = _mm256_set1_epi16((short)p->down_weights[r]);
            low = _mm256_add_epi16(low, _mm256_mullo_epi16(_mm256_cvtepu8_epi16(LOAD128(at)), weight));
            high = _mm256_add_epi16(high, _mm256_mullo_epi16(_mm256_cvtepu8_epi16(LOAD128(at + 16)), weight));
        }
        _mm256_storeu_si256((__m256i *)(p->columns + x), _mm256_avg_epu16(low, zero)); /* (t + 1) / 2 */
        _mm256_storeu_si256((__m256i *)(p->columns + x + 16), _mm256_avg_epu16(high, zero));
    }
    return x;
}

/* The weighted sums of output samples x to x + 7; the columns are below 32768. */
AVX2 static inline __m256i weigh8(const struct plan *p, int x) {
    const int32_t *first = p->first + x;
    const int16_t *w = p->weights + (ptrdiff_t)x * p->taps;
    const int taps = p->taps;
    __m256i low = _mm256_setzero_si256(), high = low;
#define FOUR(at) _mm_loadl_epi64((const __m128i *)(at))
#define FOUR_TIMES_FOUR(from, n, step)                                                                                 \
    _mm256_set_m128i(_mm_unpacklo_epi64(FOUR(from(n + 2) + step), FOUR(from(n + 3) + step)),                           \
                     _mm_unpacklo_epi64(FOUR(from(n) + step), FOUR(from(n + 1) + step)))
#define COLUMNS(n) (p->columns + first[n])
#define WEIGHTS(n) (w + (n) * taps)
    for (int i = 0; i < taps; i += 4) {
        __m256i a = _mm256_madd_epi16(FOUR_TIMES_FOUR(COLUMNS, 0, i), FOUR_TIMES_FOUR(WEIGHTS, 0, i));
        __m256i b = _mm256_madd_epi16(FOUR_TIMES_FOUR(COLUMNS, 4, i), FOUR_TIMES_FOUR(WEIGHTS, 4, i));
        low = _mm256_add_epi32(low, a);
        high = _mm256_add_epi32(high, b);
    }
#undef FOUR
#undef FOUR_TIMES_FOUR
#undef COLUMNS
#undef WEIGHTS
    return IN_ORDER(_mm256_hadd_epi32(low, high));
}

AVX2 static inline void store8(uint8_t *d, __m256i values) {
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    _mm_storel_epi64((__m128i *)d, _mm_packus_epi16(words, words));
}

AVX2 static int area_across_avx2(const struct plan *p, uint8_t *d) {
    const __m256i addend = _mm256_set1_epi32(p->addend);
    int x = 0;
    if (p->picks) { /* the columns of two samples with one load; up to 8 behind the row, which are there */
        const uint16_t *t = p->columns;
        const int32_t *first = p->first;
        const uint8_t *picks = p->picks;
        const int16_t *w = p->weights;
        for (; x + 8 <= p->out_width; x += 8, first += 8, picks += 64, w += 32) {
            __m256i low = _mm256_set_m128i(LOAD128(t + first[2]), LOAD128(t + first[0]));
            __m256i high = _mm256_set_m128i(LOAD128(t + first[6]), LOAD128(t + first[4]));
            low = _mm256_madd_epi16(_mm256_shuffle_epi8(low, LOAD256(picks)), LOAD256(w));
            high = _mm256_madd_epi16(_mm256_shuffle_epi8(high, LOAD256(picks + 32)), LOAD256(w + 16));
            low = _mm256_add_epi32(IN_ORDER(_mm256_hadd_epi32(low, high)), addend);
            store8(d + x, _mm256_srai_epi32(low, 21));
        }
        return x;
    }
    for (; x + 8 <= p->out_width; x += 8)
        store8(d + x, _mm256_srai_epi32(_mm256_add_epi32(weigh8(p, x), addend), 21));
    return x;
}

/* down <= 128, so that the columns are below 32768 */
AVX2 static int box_across_avx2(const struct plan *p, uint8_t *d) {
    const __m128i shift = _mm_cvtsi32_si128(p->shift);
    const __m256i multiplier = _mm256_set1_epi32(p->multiplier), addend = _mm256_set1_epi32(p->addend);
    int x = 0;
    for (; x + 8 <= p->out_width; x += 8) {
        __m256i scaled = _mm256_mullo_epi32(_mm256_sll_epi32(weigh8(p, x), shift), multiplier);
        scaled = _mm256_add_epi32(_mm256_srli_epi32(scaled, 16), addend);
        store8(d + x, _mm256_srai_epi32(scaled, 6));
    }
    return x;
}
