/* Thresholds right behind a dense layer: y = base + number of levels k with d > gt[k], for 64 channels at once.
   d is the accumulator less a centre of its channel, which the layer subtracts by way of its bias; gt is the
   threshold less that centre, less 1. In the 8-bit form d saturates to 8 bits: gt is -128 ... 126 then, or 127 for a
   threshold that no accumulator reaches; one that every accumulator reaches is counted in base instead. */
#ifndef EDGEML_LEVELS_H
#define EDGEML_LEVELS_H

#include "common.h"

/* d [64], gt [levels][64], base [64] or NULL for zeros, y [64]. */
EDGEML_INLINE void edgeml_levels8(const int32_t *restrict d, const int8_t *restrict gt, const uint8_t *restrict base,
                                  size_t levels, uint8_t *restrict y)
{
    int8_t near[64];
    uint8_t count[64];
    for (size_t c = 0; c < 64; c++) {
        near[c] = (int8_t)(d[c] > 127 ? 127 : d[c] < -128 ? -128 : d[c]);
        count[c] = base ? base[c] : 0;
    }
    for (size_t k = 0; k < levels; k++) {
        for (size_t c = 0; c < 64; c++) {
            count[c] = (uint8_t)(count[c] + (near[c] > gt[k * 64 + c]));
        }
    }
    for (size_t c = 0; c < 64; c++) {
        y[c] = count[c];
    }
}

/* The same without saturation, for thresholds that lie far apart. */
EDGEML_INLINE void edgeml_levels32(const int32_t *restrict d, const int32_t *restrict gt,
                                   const uint8_t *restrict base, size_t levels, uint8_t *restrict y)
{
    uint8_t count[64];
    for (size_t c = 0; c < 64; c++) {
        count[c] = base ? base[c] : 0;
    }
    for (size_t k = 0; k < levels; k++) {
        for (size_t c = 0; c < 64; c++) {
            count[c] = (uint8_t)(count[c] + (d[c] > gt[k * 64 + c]));
        }
    }
    for (size_t c = 0; c < 64; c++) {
        y[c] = count[c];
    }
}

#if defined(EDGEML_AVX512)
/* d: 64 channels of 8 bits. */
EDGEML_INLINE __m512i edgeml_levels8_avx512(__m512i d, const int8_t *gt, const uint8_t *base, size_t levels)
{
    const __m512i one = _mm512_set1_epi8(1);
    __m512i y = base ? _mm512_loadu_si512(base) : _mm512_setzero_si512();
    EDGEML_UNROLL
    for (size_t k = 0; k < levels; k++) {
        y = _mm512_mask_add_epi8(y, _mm512_cmpgt_epi8_mask(d, _mm512_loadu_si512(gt + k * 64)), y, one);
    }
    return y;
}

/* d: 16 channels of 32 bits; gt: of their first, levels 64 apart. */
EDGEML_INLINE __m128i edgeml_levels32_avx512(__m512i d, const int32_t *gt, const uint8_t *base, size_t levels)
{
    const __m512i one = _mm512_set1_epi32(1);
    __m512i y = _mm512_setzero_si512();
    if (base) {
        y = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)base));
    }
    EDGEML_UNROLL
    for (size_t k = 0; k < levels; k++) {
        y = _mm512_mask_add_epi32(y, _mm512_cmpgt_epi32_mask(d, _mm512_loadu_si512(gt + k * 64)), y, one);
    }
    return _mm512_cvtepi32_epi8(y);
}
#endif

#endif
