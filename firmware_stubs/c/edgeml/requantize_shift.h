/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding rule "shift": all scales are powers of two, (acc + 2^(k-1)) >> k with k = 1 - shift; ties go up. */
#ifndef EDGEML_REQUANTIZE_SHIFT_H
#define EDGEML_REQUANTIZE_SHIFT_H

#include "requantize.h"

EDGEML_INLINE int32_t edgeml_rescale_shift(int32_t acc, int32_t multiplier, int32_t shift)
{
    const int32_t places = 1 - shift;
    (void)multiplier;
    /* The sum may pass 31 bits; its halves do not. */
    return places == 0 ? acc : edgeml_shift_right(edgeml_shift_right(acc, places - 1) + 1, 1);
}

EDGEML_INLINE void edgeml_requantize_shift(const int32_t *acc, const int32_t *multiplier, const int8_t *shift, size_t step,
                                           size_t channels, int32_t offset, int32_t span, uint8_t *y)
{
#if defined(EDGEML_AVX512)
    const __m512i one = _mm512_set1_epi32(1);
    (void)multiplier;
    for (size_t c = 0; c < channels; c += 16) {
        const __mmask16 lanes = edgeml_lanes(channels - c);
        const __m512i x = _mm512_maskz_loadu_epi32(lanes, acc + c);
        /* -shift = k - 1; with k = 0 a count past 31, which leaves the sign: those lanes keep x. */
        const __m512i count = _mm512_sub_epi32(_mm512_setzero_si512(), edgeml_load_shifts(shift, step, c, lanes));
        const __m512i halved = _mm512_srai_epi32(_mm512_add_epi32(_mm512_srav_epi32(x, count), one), 1);
        const __mmask16 whole = _mm512_cmplt_epi32_mask(count, _mm512_setzero_si512());
        edgeml_store_clipped(y + c, lanes, _mm512_mask_mov_epi32(halved, whole, x), offset, span);
    }
#else
    for (size_t c = 0; c < channels; c++) {
        const int32_t value = edgeml_rescale_shift(acc[c], multiplier[0], shift[c * step]);
        y[c] = (uint8_t)edgeml_clip(value, offset, span);
    }
#endif
}

#endif
