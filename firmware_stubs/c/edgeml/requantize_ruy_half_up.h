/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding rule "ruy_half_up", as the ruy kernels of TensorFlow Lite have it: h = round(acc * 2^max(s, 0) * m * 2^-31), then
   h * 2^-max(-s, 0) to the nearest integer; ties go up both times. acc * 2^max(s, 0) fits 32 bits. */
#ifndef EDGEML_REQUANTIZE_RUY_HALF_UP_H
#define EDGEML_REQUANTIZE_RUY_HALF_UP_H

#include "requantize.h"

EDGEML_INLINE int32_t edgeml_rescale_ruy_half_up(int32_t acc, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int32_t high = edgeml_doubled_high((int32_t)((uint32_t)acc << left), multiplier);
    /* The sum may pass 31 bits; its halves do not. */
    return right == 0 ? high : edgeml_shift_right(edgeml_shift_right(high, right - 1) + 1, 1);
}

EDGEML_INLINE void edgeml_requantize_ruy_half_up(const int32_t *acc, const int32_t *multiplier, const int8_t *shift,
                                                 size_t step, size_t channels, int32_t offset, int32_t span, uint8_t *y)
{
#if defined(EDGEML_AVX512)
    const __m512i zero = _mm512_setzero_si512();
    const __m512i one = _mm512_set1_epi32(1);
    for (size_t c = 0; c < channels; c += 16) {
        const __mmask16 lanes = edgeml_lanes(channels - c);
        const __m512i s = edgeml_load_shifts(shift, step, c, lanes);
        const __m512i x = _mm512_sllv_epi32(_mm512_maskz_loadu_epi32(lanes, acc + c), _mm512_max_epi32(s, zero));
        const __m512i high = edgeml_doubled_high_lanes(x, edgeml_load_factors(multiplier, step, c, lanes));
        const __m512i count = _mm512_sub_epi32(_mm512_sub_epi32(zero, s), one);
        const __m512i halved = _mm512_srai_epi32(_mm512_add_epi32(_mm512_srav_epi32(high, count), one), 1);
        const __mmask16 whole = _mm512_cmplt_epi32_mask(count, zero);
        edgeml_store_clipped(y + c, lanes, _mm512_mask_mov_epi32(halved, whole, high), offset, span);
    }
#else
    for (size_t c = 0; c < channels; c++) {
        const int32_t value = edgeml_rescale_ruy_half_up(acc[c], multiplier[c * step], shift[c * step]);
        y[c] = (uint8_t)edgeml_clip(value, offset, span);
    }
#endif
}

#endif
