/* Rounding rule "float64_away", as the reference kernels of LiteRT have it: acc * m * 2^(s - 31) in float64, then to the
   nearest integer, ties away from zero. Here without floating point: the product of the integers is exact in 64 bits, and
   float64 keeps 53 of them. */
#ifndef EDGEML_REQUANTIZE_FLOAT64_AWAY_H
#define EDGEML_REQUANTIZE_FLOAT64_AWAY_H

#include "requantize.h"

EDGEML_INLINE int32_t edgeml_rescale_float64_away(int32_t acc, int32_t multiplier, int32_t shift)
{
    const uint32_t magnitude = acc < 0 ? 0u - (uint32_t)acc : (uint32_t)acc;
    const int32_t places = 31 - shift;
    const uint64_t half = (uint64_t)1 << (places - 1);
    uint64_t product = (uint64_t)magnitude * (uint32_t)multiplier;
    if (product >> 53 != 0) {
        /* Rounding to 53 bits moves the product by 2^8 at most: it matters next to a tie only. */
        const uint64_t rest = product & (2u * half - 1u);
        if ((rest > half ? rest - half : half - rest) <= 256u) {
            product = edgeml_to_significand(product, 53);
        }
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

EDGEML_INLINE void edgeml_requantize_float64_away(const int32_t *acc, const int32_t *multiplier, const int8_t *shift,
                                                  size_t step, size_t channels, int32_t offset, int32_t span, uint8_t *y)
{
#if defined(EDGEML_AVX512)
    const __m512i bias = _mm512_set1_epi64(1023 - 31);
    for (size_t c = 0; c < channels; c += 16) {
        const __mmask16 lanes = edgeml_lanes(channels - c);
        const __m512i x = _mm512_maskz_loadu_epi32(lanes, acc + c);
        const __m512i m = edgeml_load_factors(multiplier, step, c, lanes);
        const __m512i s = edgeml_load_shifts(shift, step, c, lanes);
        __m256i parts[2];
        for (int part = 0; part < 2; part++) {
            const __m256i xs = part ? _mm512_extracti64x4_epi64(x, 1) : _mm512_castsi512_si256(x);
            const __m256i ms = part ? _mm512_extracti64x4_epi64(m, 1) : _mm512_castsi512_si256(m);
            const __m256i ss = part ? _mm512_extracti64x4_epi64(s, 1) : _mm512_castsi512_si256(s);
            /* 2^(s - 31), and eff = m * 2^(s - 31), are exact. */
            const __m512i power = _mm512_slli_epi64(_mm512_add_epi64(_mm512_cvtepi32_epi64(ss), bias), 52);
            const __m512d eff = _mm512_mul_pd(_mm512_cvtepi32_pd(ms), _mm512_castsi512_pd(power));
            parts[part] = edgeml_float64_away_lanes(xs, eff);
        }
        const __m512i values = _mm512_inserti64x4(_mm512_castsi256_si512(parts[0]), parts[1], 1);
        edgeml_store_clipped(y + c, lanes, values, offset, span);
    }
#else
    for (size_t c = 0; c < channels; c++) {
        const int32_t value = edgeml_rescale_float64_away(acc[c], multiplier[c * step], shift[c * step]);
        y[c] = (uint8_t)edgeml_clip(value, offset, span);
    }
#endif
}

#endif
