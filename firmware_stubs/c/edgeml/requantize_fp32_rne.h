/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding rule "fp32_rne", as XNNPACK and so LiteRT's default have it: float32(acc) * float32(eff) in float32, then to the
   nearest integer, ties to even. A float32 has 24 significant bits, so the multiplier has too, and the product of the
   integers is exact in 48: portable C computes without floating point. */
#ifndef EDGEML_REQUANTIZE_FP32_RNE_H
#define EDGEML_REQUANTIZE_FP32_RNE_H

#include "requantize.h"

EDGEML_INLINE int32_t edgeml_rescale_fp32_rne(int32_t acc, int32_t multiplier, int32_t shift)
{
    const uint32_t whole = acc < 0 ? 0u - (uint32_t)acc : (uint32_t)acc;
    const uint64_t magnitude = whole >> 24 == 0 ? whole : edgeml_to_significand(whole, 24);
    const int32_t places = 24 - shift;
    const uint64_t half = (uint64_t)1 << (places - 1);
    uint64_t product = magnitude * ((uint32_t)multiplier >> 7);
    uint64_t rest = product & (2u * half - 1u);
    uint64_t kept = product >> places;
    /* Rounding to 24 bits moves a product below 2^9 * 2^places by half * 2^-15 at most: it matters next to a tie only. */
    if (kept > 511u || (rest > half ? rest - half : half - rest) <= (half >> 15)) {
        product = edgeml_to_significand(product, 24);
        rest = product & (2u * half - 1u);
        kept = product >> places;
    }
    kept += (uint64_t)(rest > half || (rest == half && (kept & 1u) != 0u));
    const int32_t value = kept > 0x3fffffffu ? 0x3fffffff : (int32_t)kept;
    return acc < 0 ? -value : value;
}

EDGEML_INLINE void edgeml_requantize_fp32_rne(const int32_t *acc, const int32_t *multiplier, const int8_t *shift,
                                              size_t step, size_t channels, int32_t offset, int32_t span, uint8_t *y)
{
#if defined(EDGEML_AVX512)
    const __m512i bias = _mm512_set1_epi32(127 - 31);
    const __m512 limit = _mm512_set1_ps(1073741824.0f);
    for (size_t c = 0; c < channels; c += 16) {
        const __mmask16 lanes = edgeml_lanes(channels - c);
        const __m512i x = _mm512_maskz_loadu_epi32(lanes, acc + c);
        const __m512i m = edgeml_load_factors(multiplier, step, c, lanes);
        const __m512i power = _mm512_slli_epi32(_mm512_add_epi32(edgeml_load_shifts(shift, step, c, lanes), bias), 23);
        /* The multiplier has 24 significant bits: it and its product with a power of two are exact. */
        const __m512 eff = _mm512_mul_ps(_mm512_cvtepi32_ps(m), _mm512_castsi512_ps(power));
        const __m512 real = _mm512_cvt_roundepi32_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        __m512 product = _mm512_mul_round_ps(real, eff, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        product = _mm512_max_ps(_mm512_min_ps(product, limit), _mm512_sub_ps(_mm512_setzero_ps(), limit));
        const __m512i values = _mm512_cvt_roundps_epi32(product, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        edgeml_store_clipped(y + c, lanes, values, offset, span);
    }
#else
    size_t c = 0;
#if defined(EDGEML_AVX2)
    const __m256 limit = _mm256_set1_ps(1073741824.0f);
    for (; c + 8 <= channels; c += 8) {
        const __m256i m = step ? edgeml_load_eight(multiplier + c) : _mm256_set1_epi32(multiplier[0]);
        const __m256i shifts = step ? _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(shift + c)))
                                    : _mm256_set1_epi32(shift[0]);
        const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(shifts, _mm256_set1_epi32(127 - 31)), 23);
        /* As above; the processor rounds to the nearest, ties to even, unless a program asks it for another way. */
        const __m256 eff = _mm256_mul_ps(_mm256_cvtepi32_ps(m), _mm256_castsi256_ps(power));
        __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(edgeml_load_eight(acc + c)), eff);
        product = _mm256_max_ps(_mm256_min_ps(product, limit), _mm256_set1_ps(-1073741824.0f));
        edgeml_store_clipped_eight(y + c, _mm256_cvtps_epi32(product), offset, span);
    }
#endif
    for (; c < channels; c++) {
        const int32_t value = edgeml_rescale_fp32_rne(acc[c], multiplier[c * step], shift[c * step]);
        y[c] = (uint8_t)edgeml_clip(value, offset, span);
    }
#endif
}

#endif
