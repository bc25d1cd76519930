/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding rule "float64_away", as the reference kernels of LiteRT have it: acc * eff in float64, then to the nearest
   integer, ties away from zero. eff is (m + f * 2^-22) * 2^(s - 31) with a fraction f of 22 bits: 53 bits in all. Here
   without floating point: the product of the integers has up to 84 bits, of which float64 keeps 53. */
#ifndef EDGEML_REQUANTIZE_FLOAT64_AWAY_H
#define EDGEML_REQUANTIZE_FLOAT64_AWAY_H

#include "requantize.h"

/* The integer part of high + low * 2^-22, once that is rounded to 53 significant bits, ties to even. */
EDGEML_INLINE uint64_t edgeml_to_float64(uint64_t high, uint32_t low)
{
    const int32_t excess = edgeml_bit_length(high) - 31;
    if (excess <= 0) {
        return high;
    }
    if (excess <= 22) {
        /* Rounding the last bits can carry one into the integer part. */
        const uint32_t half = (uint32_t)1 << (excess - 1);
        const uint32_t odd = excess < 22 ? (low >> excess) & 1u : (uint32_t)(high & 1u);
        return high + ((((low + half - 1u + odd) >> excess) << excess) >> 22);
    }
    const int32_t places = excess - 22;
    const uint64_t half = (uint64_t)1 << (places - 1);
    const uint64_t rest = high & (2u * half - 1u);
    const uint64_t kept = high >> places;
    const uint64_t up = (uint64_t)(rest > half || (rest == half && (low != 0u || (kept & 1u) != 0u)));
    return (kept + up) << places;
}

EDGEML_INLINE int32_t edgeml_rescale_float64_away(int32_t acc, int32_t multiplier, int32_t fraction, int32_t shift)
{
    const uint32_t magnitude = acc < 0 ? 0u - (uint32_t)acc : (uint32_t)acc;
    const int32_t places = 31 - shift;
    const uint64_t half = (uint64_t)1 << (places - 1);
    const uint64_t behind = (uint64_t)magnitude * (uint32_t)fraction;
    uint64_t product = (uint64_t)magnitude * (uint32_t)multiplier + (behind >> 22);
    const uint64_t rest = product & (2u * half - 1u);
    if ((rest > half ? rest - half : half - rest) <= 1024u) {
        /* Rounding to 53 bits moves the product by 2^10 at most: it matters next to a tie only. */
        product = edgeml_to_float64(product, (uint32_t)behind & 0x3fffffu);
    }
    const uint64_t rounded = (product + half) >> places;
    const int32_t value = rounded > 0x3fffffffu ? 0x3fffffff : (int32_t)rounded;
    return acc < 0 ? -value : value;
}

#if defined(EDGEML_AVX512)
/* Eight lanes; the largest float64 below one half is added before the fraction is cut off, which is exact below 2^52. */
EDGEML_INLINE __m256i edgeml_float64_away_lanes(__m256i acc, __m512d eff)
{
    const __m512d sign = _mm512_set1_pd(-0.0);
    const __m512d below_half = _mm512_set1_pd(0.49999999999999994);
    const __m512d limit = _mm512_set1_pd(1073741823.0);
    __m512d product =
        _mm512_mul_round_pd(_mm512_cvtepi32_pd(acc), eff, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    product = _mm512_max_pd(_mm512_min_pd(product, limit), _mm512_xor_pd(limit, sign));
    const __m512d nudge = _mm512_or_pd(_mm512_and_pd(product, sign), below_half);
    return _mm512_cvttpd_epi32(_mm512_add_round_pd(product, nudge, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
#endif

EDGEML_INLINE void edgeml_requantize_float64_away(const int32_t *acc, const int32_t *multiplier, const int32_t *fraction,
                                                  const int8_t *shift, size_t step, size_t channels, int32_t offset,
                                                  int32_t span, uint8_t *y)
{
#if defined(EDGEML_AVX512)
    const __m512i bias = _mm512_set1_epi64(1023 - 53);
    const __m512d places = _mm512_set1_pd(4194304.0);
    for (size_t c = 0; c < channels; c += 16) {
        const __mmask16 lanes = edgeml_lanes(channels - c);
        const __m512i x = _mm512_maskz_loadu_epi32(lanes, acc + c);
        const __m512i m = edgeml_load_factors(multiplier, step, c, lanes);
        const __m512i f = edgeml_load_factors(fraction, step, c, lanes);
        const __m512i s = edgeml_load_shifts(shift, step, c, lanes);
        __m256i parts[2];
        for (int part = 0; part < 2; part++) {
            const __m256i xs = part ? _mm512_extracti64x4_epi64(x, 1) : _mm512_castsi512_si256(x);
            const __m256i ms = part ? _mm512_extracti64x4_epi64(m, 1) : _mm512_castsi512_si256(m);
            const __m256i ss = part ? _mm512_extracti64x4_epi64(s, 1) : _mm512_castsi512_si256(s);
            const __m256i fs = part ? _mm512_extracti64x4_epi64(f, 1) : _mm512_castsi512_si256(f);
            /* All of it exact: m * 2^22 + f has 53 bits, and 2^(s - 53) has one. */
            const __m512i power = _mm512_slli_epi64(_mm512_add_epi64(_mm512_cvtepi32_epi64(ss), bias), 52);
            const __m512d whole = _mm512_fmadd_pd(_mm512_cvtepi32_pd(ms), places, _mm512_cvtepi32_pd(fs));
            const __m512d eff = _mm512_mul_pd(whole, _mm512_castsi512_pd(power));
            parts[part] = edgeml_float64_away_lanes(xs, eff);
        }
        const __m512i values = _mm512_inserti64x4(_mm512_castsi256_si512(parts[0]), parts[1], 1);
        edgeml_store_clipped(y + c, lanes, values, offset, span);
    }
#else
    for (size_t c = 0; c < channels; c++) {
        const size_t i = c * step;
        const int32_t value = edgeml_rescale_float64_away(acc[c], multiplier[i], fraction[i], shift[i]);
        y[c] = (uint8_t)edgeml_clip(value, offset, span);
    }
#endif
}

#endif
