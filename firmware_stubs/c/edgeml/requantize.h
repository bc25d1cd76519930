/* SPDX-License-Identifier: Apache-2.0 */
/* What the requantizing kernels share. Each of them computes, for one rounding rule named in its header,

       y[c] = min(max(round(acc[c] * multiplier[c] * 2^(shift[c] - 31)) + offset, 0), span)

   with step 1, or with one multiplier and shift for all channels with step 0. The result is the stored form of the
   output: offset is its zero point less the value that 0 stands for. Everything is computed on integers; where a rule is
   defined in floating point, bodies for vector processors may use the instructions that define it. */
#ifndef EDGEML_REQUANTIZE_H
#define EDGEML_REQUANTIZE_H

#include "common.h"

/* min(max(value + offset, 0), span), without overflow for any value. */
EDGEML_INLINE int32_t edgeml_clip(int32_t value, int32_t offset, int32_t span)
{
    return value < -offset ? 0 : value > span - offset ? span : value + offset;
}

/* Shifts right by count places toward minus infinity, also where the compiler would shift zeros in. */
EDGEML_INLINE int32_t edgeml_shift_right(int32_t value, int32_t count)
{
    return value < 0 ? ~(~value >> count) : value >> count;
}

/* round(acc * multiplier * 2^-31), ties up: the high word of the doubled product. */
EDGEML_INLINE int32_t edgeml_doubled_high(int32_t acc, int32_t multiplier)
{
    const int64_t product = (int64_t)acc * multiplier + ((int64_t)1 << 30);
    return (int32_t)(product < 0 ? ~(~product >> 31) : product >> 31);
}

/* Number of bits of value. */
EDGEML_INLINE int32_t edgeml_bit_length(uint64_t value)
{
    int32_t bits = 0;
    while (value != 0) {
        value >>= 1;
        bits++;
    }
    return bits;
}

/* magnitude rounded to so many significant bits, ties to even: what a floating-point product keeps. */
EDGEML_INLINE uint64_t edgeml_to_significand(uint64_t magnitude, int32_t bits)
{
    const int32_t excess = edgeml_bit_length(magnitude) - bits;
    if (excess <= 0) {
        return magnitude;
    }
    const uint64_t half = (uint64_t)1 << (excess - 1);
    const uint64_t odd = (magnitude >> excess) & 1u;
    return ((magnitude + half - 1u + odd) >> excess) << excess;
}

#if defined(EDGEML_AVX512)
/* The first count (at most 16) of 16 lanes. */
EDGEML_INLINE __mmask16 edgeml_lanes(size_t count)
{
    return count >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << count) - 1u);
}

EDGEML_INLINE __m512i edgeml_load_factors(const int32_t *factors, size_t step, size_t first, __mmask16 lanes)
{
    return step ? _mm512_maskz_loadu_epi32(lanes, factors + first) : _mm512_set1_epi32(factors[0]);
}

EDGEML_INLINE __m512i edgeml_load_shifts(const int8_t *shifts, size_t step, size_t first, __mmask16 lanes)
{
    return step ? _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, shifts + first)) : _mm512_set1_epi32(shifts[0]);
}

/* Stores edgeml_clip(values, offset, span). */
EDGEML_INLINE void edgeml_store_clipped(uint8_t *y, __mmask16 lanes, __m512i values, int32_t offset, int32_t span)
{
    const __m512i low = _mm512_set1_epi32(-offset);
    const __m512i clipped = _mm512_min_epi32(_mm512_max_epi32(values, low), _mm512_set1_epi32(span - offset));
    _mm_mask_storeu_epi8(y, lanes, _mm512_cvtepi32_epi8(_mm512_sub_epi32(clipped, low)));
}

/* edgeml_doubled_high in 16 lanes. */
EDGEML_INLINE __m512i edgeml_doubled_high_lanes(__m512i acc, __m512i multiplier)
{
    const __m512i nudge = _mm512_set1_epi64((long long)1 << 30);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(acc, multiplier), nudge);
    const __m512i odd =
        _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(acc, 32), _mm512_srli_epi64(multiplier, 32)), nudge);
    return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
}
#elif defined(EDGEML_AVX2)
EDGEML_INLINE __m256i edgeml_load_eight(const int32_t *numbers)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)numbers);
}

/* Stores edgeml_clip of eight values: a byte of each. */
EDGEML_INLINE void edgeml_store_clipped_eight(uint8_t *y, __m256i values, int32_t offset, int32_t span)
{
    const __m256i low = _mm256_set1_epi32(-offset);
    const __m256i clipped = _mm256_min_epi32(_mm256_max_epi32(values, low), _mm256_set1_epi32(span - offset));
    const __m256i lowest = _mm256_set1_epi32(0x0c080400); /* bytes of each half */
    const __m256i fours = _mm256_shuffle_epi8(_mm256_sub_epi32(clipped, low), lowest);
    const __m256i eight = _mm256_permutevar8x32_epi32(fours, _mm256_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4));
    _mm_storel_epi64((__m128i *)(void *)y, _mm256_castsi256_si128(eight));
}
#endif

#endif
