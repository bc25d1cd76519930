/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding rule "double_rounding", as TFLite Micro and CMSIS-NN have it: h = round(acc * 2^max(s, 0) * m * 2^-31), ties up,
   then h * 2^-max(-s, 0) to the nearest integer, ties away from zero. acc * 2^max(s, 0) fits 32 bits. */
#ifndef EDGEML_REQUANTIZE_DOUBLE_ROUNDING_H
#define EDGEML_REQUANTIZE_DOUBLE_ROUNDING_H

#include "requantize.h"

EDGEML_INLINE int32_t edgeml_rescale_double_rounding(int32_t acc, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int32_t high = edgeml_doubled_high((int32_t)((uint32_t)acc << left), multiplier);
    const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1u);
    const int32_t threshold = (mask >> 1) + (high < 0);
    return edgeml_shift_right(high, right) + ((high & mask) > threshold);
}

EDGEML_INLINE void edgeml_requantize_double_rounding(const int32_t *acc, const int32_t *multiplier, const int8_t *shift,
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
        const __m512i right = _mm512_max_epi32(_mm512_sub_epi32(zero, s), zero);
        const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
        const __m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(high, 31));
        const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
        const __m512i kept = _mm512_srav_epi32(high, right);
        edgeml_store_clipped(y + c, lanes, _mm512_mask_add_epi32(kept, up, kept, one), offset, span);
    }
#else
    for (size_t c = 0; c < channels; c++) {
        const int32_t value = edgeml_rescale_double_rounding(acc[c], multiplier[c * step], shift[c * step]);
        y[c] = (uint8_t)edgeml_clip(value, offset, span);
    }
#endif
}

/* The same where every shift is to the right, by right[c] + 1 places, at most 31, and |acc| < 2^30: the product of twice
   the accumulator is rounded by its upper word; h, one less below 0, plus a half is h shifted, plus 1, shifted. Twice the
   rounded value, and twice the offset. */
EDGEML_INLINE int32_t edgeml_double_rounding_twice(int32_t acc, int32_t multiplier, int32_t right, int32_t offset)
{
#if defined(EDGEML_THUMB_DSP)
    int32_t value;
    __asm__("smmulr %0, %1, %2\n\t"
            "add    %0, %0, %0, asr #31\n\t"
            "asr    %0, %0, %3\n\t"
            "add    %0, %0, %4"
            : "=&r"(value)
            : "r"(acc * 2), "r"(multiplier), "r"(right), "rI"(2 * offset + 1));
    return value;
#else
    const int64_t product = (int64_t)(acc * 2) * multiplier + ((int64_t)1 << 31);
    const int32_t high = (int32_t)(uint32_t)((uint64_t)product >> 32);
    return edgeml_shift_right(high - (int32_t)((uint32_t)high >> 31), right) + (2 * offset + 1);
#endif
}

/* min(max(twice / 2, 0), span), toward minus infinity. */
EDGEML_INLINE uint8_t edgeml_half_as_byte(int32_t twice, int32_t span)
{
#if defined(EDGEML_THUMB_DSP)
    uint32_t value;
    if (span == 255) {
        __asm__("usat %0, #8, %1, asr #1" : "=r"(value) : "r"(twice) : "cc");
        return (uint8_t)value;
    }
    if (span == 127) {
        __asm__("usat %0, #7, %1, asr #1" : "=r"(value) : "r"(twice) : "cc");
        return (uint8_t)value;
    }
#endif
    return (uint8_t)(twice < 0 ? 0 : twice > 2 * span ? span : twice >> 1);
}

#if defined(EDGEML_THUMB_DSP)
/* One factor for all channels, two at a time: what layers share. */
#define EDGEML_DOUBLE_ROUNDING_TO(name, span)                                                                        \
    EDGEML_SHARED EDGEML_FOR_SIZE void name(const int32_t *acc, int32_t multiplier, int32_t right, int32_t offset,     \
                                            size_t channels, uint8_t *y)                                               \
    {                                                                                                                  \
        const int32_t *const end = acc + channels;                                                                     \
        if (channels % 2) {                                                                                            \
            *y++ = edgeml_half_as_byte(edgeml_double_rounding_twice(*acc++, multiplier, right, offset), span);         \
        }                                                                                                              \
        if (acc == end) {                                                                                              \
            return;                                                                                                    \
        }                                                                                                              \
        do {                                                                                                           \
            const int32_t first = edgeml_double_rounding_twice(acc[0], multiplier, right, offset);                     \
            const int32_t second = edgeml_double_rounding_twice(acc[1], multiplier, right, offset);                    \
            y[0] = edgeml_half_as_byte(first, span);                                                                   \
            y[1] = edgeml_half_as_byte(second, span);                                                                  \
            acc += 2;                                                                                                  \
            y += 2;                                                                                                    \
        } while (acc != end);                                                                                          \
    }

EDGEML_DOUBLE_ROUNDING_TO(edgeml_double_rounding_to_127, 127)
EDGEML_DOUBLE_ROUNDING_TO(edgeml_double_rounding_to_255, 255)
#endif

EDGEML_INLINE void edgeml_requantize_double_rounding_right(const int32_t *restrict acc, const int32_t *restrict multiplier,
                                                           const uint8_t *restrict right, size_t step, size_t channels,
                                                           int32_t offset, int32_t span, uint8_t *restrict y)
{
#if defined(EDGEML_THUMB_DSP)
    if (step == 0 && span == 127) {
        edgeml_double_rounding_to_127(acc, *multiplier, *right, offset, channels, y);
        return;
    }
    if (step == 0 && span == 255) {
        edgeml_double_rounding_to_255(acc, *multiplier, *right, offset, channels, y);
        return;
    }
#endif
    const int32_t *const end = acc + channels;
    do {
        const int32_t twice = edgeml_double_rounding_twice(*acc++, *multiplier, *right, offset);
        *y++ = edgeml_half_as_byte(twice, span);
        multiplier += step;
        right += step;
    } while (acc != end);
}

#endif
