/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's integers into the arena, clipped to the range of the network's input and stored from 0 up: an integer
   outside that range would select outside of a kernel's table. */
#ifndef EDGEML_INPUT_H
#define EDGEML_INPUT_H

#include "common.h"

#if defined(EDGEML_AVX512)

EDGEML_INLINE __mmask64 edgeml_input_inside(size_t count, size_t first)
{
    return count >= first + 64 ? ~(__mmask64)0 : count > first ? ((__mmask64)1 << (count - first)) - 1 : 0;
}

/* Whole vectors where there is room: what reads them as such need not wait. */
EDGEML_INLINE void edgeml_input_store(uint8_t *y, size_t room, __m512i value)
{
    if (room >= 64) {
        _mm512_storeu_si512(y, value);
    } else {
        _mm512_mask_storeu_epi8(y, edgeml_input_inside(room, 0), value);
    }
}

/* y = min(x, high), zeros from count up to padded. */
EDGEML_INLINE void edgeml_input_u8(const uint8_t *x, size_t count, size_t padded, uint8_t high, uint8_t *y)
{
    const __m512i highest = _mm512_set1_epi8((char)high);
    for (size_t i = 0; i < padded; i += 64) {
        const __mmask64 inside = edgeml_input_inside(count, i);
        const __m512i value = _mm512_maskz_loadu_epi8(inside, x + i);
        edgeml_input_store(y + i, padded - i, _mm512_min_epu8(value, highest));
    }
}

/* y = min(max(x, low), -1 - low) - low for low = -2^n, zeros from count up to padded. */
EDGEML_INLINE void edgeml_input_s8(const int8_t *x, size_t count, size_t padded, int8_t low, uint8_t *y)
{
    const __m512i lowest = _mm512_set1_epi8(low);
    const __m512i highest = _mm512_set1_epi8((char)~low);
    for (size_t i = 0; i < padded; i += 64) {
        const __mmask64 inside = edgeml_input_inside(count, i);
        const __m512i above = _mm512_max_epi8(_mm512_maskz_loadu_epi8(inside, x + i), lowest);
        const __m512i value = _mm512_min_epi8(above, highest);
        edgeml_input_store(y + i, padded - i, _mm512_maskz_sub_epi8(inside, value, lowest));
    }
}

#else

EDGEML_INLINE void edgeml_input_u8(const uint8_t *restrict x, size_t count, size_t padded, uint8_t high,
                                   uint8_t *restrict y)
{
    for (size_t i = 0; i < count; i++) {
        y[i] = x[i] < high ? x[i] : high;
    }
    edgeml_zero(y + count, padded - count);
}

EDGEML_INLINE void edgeml_input_s8(const int8_t *restrict x, size_t count, size_t padded, int8_t low,
                                   uint8_t *restrict y)
{
    const int8_t high = (int8_t)~low;
    for (size_t i = 0; i < count; i++) {
        const int8_t above = x[i] > low ? x[i] : low;
        const int8_t value = above < high ? above : high;
        y[i] = (uint8_t)(value - low);
    }
    edgeml_zero(y + count, padded - count);
}

#endif

#endif
