/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds right behind a dense layer: y = base + number of levels k with d > gt[k], for 64 channels at once.
   d is the accumulator less a centre of its channel, which the layer subtracts by way of its bias; gt is the
   threshold less that centre, less 1. d saturates to 8 or 16 bits: gt is one less than the largest such integer at
   most then, or the largest for a threshold that no accumulator reaches; one that all reach is counted in base.
   Thresholds of 16 bits may lie in halves: first, for i = 0 ... 3 and e = 0 ... 7, those of channels 16 i + e, then
   those of channels 16 i + 8 + e, which is how packing instructions want them. */
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

/* The same for thresholds that lie farther apart. */
EDGEML_INLINE void edgeml_levels16(const int32_t *restrict d, const int16_t *restrict gt, int halves,
                                   const uint8_t *restrict base, size_t levels, uint8_t *restrict y)
{
    for (size_t eight = 0; eight < 8; eight++) {
        const size_t place = halves ? eight % 2 * 32 + eight / 2 * 8 : eight * 8;
        const int32_t *const value = d + eight * 8;
        uint8_t count[8];
        for (size_t e = 0; e < 8; e++) {
            count[e] = base ? base[eight * 8 + e] : 0;
        }
        for (size_t k = 0; k < levels; k++) {
            for (size_t e = 0; e < 8; e++) {
                const int32_t near = value[e] > 32767 ? 32767 : value[e];
                count[e] = (uint8_t)(count[e] + (near > gt[k * 64 + place + e]));
            }
        }
        for (size_t e = 0; e < 8; e++) {
            y[eight * 8 + e] = count[e];
        }
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

/* d: 32 channels of 16 bits, with the first 32 or the last 32 of each level's thresholds; counts of 16 bits. */
EDGEML_INLINE __m512i edgeml_levels16_avx512(__m512i d, const int16_t *gt, size_t levels)
{
    const __m512i one = _mm512_set1_epi16(1);
    __m512i y = _mm512_setzero_si512();
    EDGEML_UNROLL
    for (size_t k = 0; k < levels; k++) {
        y = _mm512_mask_add_epi16(y, _mm512_cmpgt_epi16_mask(d, _mm512_loadu_si512(gt + k * 64)), y, one);
    }
    return y;
}

/* d: 64 channels of 16 bits, in halves, as are the thresholds. */
EDGEML_INLINE __m512i edgeml_levels16_halves(__m512i d0, __m512i d1, const int16_t *gt, const uint8_t *base,
                                             size_t levels)
{
    const __m512i y = _mm512_packus_epi16(edgeml_levels16_avx512(d0, gt, levels),
                                          edgeml_levels16_avx512(d1, gt + 32, levels));
    return base ? _mm512_add_epi8(y, _mm512_loadu_si512(base)) : y;
}
#endif

#endif
