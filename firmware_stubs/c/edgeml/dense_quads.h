/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers on bytes: every 32-bit lane of a vector is one output, and takes four inputs ("quad") at a time.
   weight: 8-bit, for each block [quad][vector][16 lanes][4 inputs]. Blocks, lanes and quarters: blocks.h. */
#ifndef EDGEML_DENSE_QUADS_H
#define EDGEML_DENSE_QUADS_H

#include "blocks.h"

#if defined(EDGEML_AVX512)

/* The sums of one block for so many samples: sum [sample][vector]. Where these are few, each is split into several,
   to keep the multipliers busy during the latency of an addition. */
EDGEML_INLINE void edgeml_quads_block(const uint8_t *x, size_t x_stride, const uint8_t *weight, const int32_t *start,
                                      size_t quads, size_t vectors, size_t samples, __m512i *sum)
{
    const size_t sums = samples * vectors;
    const size_t splits = sums >= 8 ? 1 : sums >= 4 ? 2 : 4;
    const size_t even = quads / splits * splits;
    __m512i part[16];
    EDGEML_UNROLL
    for (size_t i = 0; i < splits * sums; i++) {
        part[i] = i < sums ? _mm512_loadu_si512(start + i % vectors * 16) : _mm512_setzero_si512();
    }
    for (size_t first = 0; first < quads; first += splits) {
        EDGEML_UNROLL
        for (size_t i = 0; i < splits; i++) {
            if (first < even || first + i < quads) {
                EDGEML_UNROLL
                for (size_t s = 0; s < samples; s++) {
                    const __m512i four = _mm512_set1_epi32(edgeml_word(x + s * x_stride + (first + i) * 4));
                    EDGEML_UNROLL
                    for (size_t m = 0; m < vectors; m++) {
                        const __m512i w = _mm512_loadu_si512(weight + ((first + i) * vectors + m) * 64);
                        part[i * sums + s * vectors + m] =
                            _mm512_dpbusd_epi32(part[i * sums + s * vectors + m], four, w);
                    }
                }
            }
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < sums; i++) {
        sum[i] = part[i];
        if (splits == 2) {
            sum[i] = _mm512_add_epi32(part[i], part[sums + i]);
        }
        if (splits == 4) {
            sum[i] = _mm512_add_epi32(_mm512_add_epi32(part[i], part[sums + i]),
                                      _mm512_add_epi32(part[2 * sums + i], part[3 * sums + i]));
        }
    }
}

#elif defined(EDGEML_AVX2)

/* Lanes 8 h ... 8 h + 7 of each vector for one sample: sum [vector]. run: so many quads can be summed in 16 bits, two
   inputs in each lane; 0 if even one pair of products may not fit. */
EDGEML_INLINE void edgeml_quads_half(const uint8_t *x, const uint8_t *weight, const int32_t *start, size_t quads,
                                     size_t run, size_t vectors, __m256i *sum)
{
    const __m256i ones = _mm256_set1_epi16(1);
    EDGEML_UNROLL
    for (size_t m = 0; m < vectors; m++) {
        sum[m] = _mm256_loadu_si256((const __m256i *)(const void *)(start + m * 16));
    }
    for (size_t first = 0; first < quads; first += run ? run : 1) {
        const size_t end = first + run < quads ? first + run : quads;
        __m256i pairs[4];
        if (run) {
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                pairs[m] = _mm256_setzero_si256();
            }
            for (size_t q = first; q < end; q++) {
                const __m256i four = _mm256_set1_epi32(edgeml_word(x + q * 4));
                EDGEML_UNROLL
                for (size_t m = 0; m < vectors; m++) {
                    const __m256i w = edgeml_load256(weight + (q * vectors + m) * 64);
                    pairs[m] = _mm256_add_epi16(pairs[m], _mm256_maddubs_epi16(four, w));
                }
            }
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                sum[m] = _mm256_add_epi32(sum[m], _mm256_madd_epi16(pairs[m], ones));
            }
        } else {
            const __m256i four = _mm256_set1_epi32(edgeml_word(x + first * 4));
            const __m256i low = _mm256_and_si256(four, _mm256_set1_epi16(0x00ff));
            const __m256i high = _mm256_andnot_si256(_mm256_set1_epi16(0x00ff), four);
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                const __m256i w = edgeml_load256(weight + (first * vectors + m) * 64);
                const __m256i products = _mm256_add_epi32(_mm256_madd_epi16(_mm256_maddubs_epi16(low, w), ones),
                                                          _mm256_madd_epi16(_mm256_maddubs_epi16(high, w), ones));
                sum[m] = _mm256_add_epi32(sum[m], products);
            }
        }
    }
}

EDGEML_INLINE void edgeml_quads_block(const uint8_t *x, const uint8_t *weight, const int32_t *start, size_t quads,
                                      size_t run, size_t vectors, int spread, int32_t *sum)
{
    EDGEML_UNROLL
    for (size_t h = 0; h < 2; h++) {
        __m256i half[4];
        edgeml_quads_half(x, weight + h * 32, start + h * 8, quads, run, vectors, half);
        EDGEML_UNROLL
        for (size_t m = 0; m < vectors; m++) {
            edgeml_store_quarters(half[m], 2 * h, m, vectors, spread, sum);
        }
    }
}

#elif defined(EDGEML_NEON)

EDGEML_INLINE void edgeml_quads_block(const uint8_t *x, const uint8_t *weight, const int32_t *start, size_t quads,
                                      size_t run, size_t vectors, int spread, int32_t *sum)
{
    for (size_t m = 0; m < vectors; m++) {
        EDGEML_UNROLL
        for (size_t i = 0; i < 4; i++) {
            int32_t *const quarter = sum + edgeml_quarter(i, m, vectors, spread);
            const uint8_t *const w = weight + m * 64 + i * 16;
            int32x4_t total = vld1q_s32(start + m * 16 + i * 4);
#if defined(__ARM_FEATURE_MATMUL_INT8)
            (void)run;
            for (size_t q = 0; q < quads; q++) {
                const uint8x16_t four = vreinterpretq_u8_s32(vdupq_n_s32(edgeml_word(x + q * 4)));
                total = vusdotq_s32(total, four, vreinterpretq_s8_u8(vld1q_u8(w + q * vectors * 64)));
            }
#else
            /* lanes: two outputs, four inputs each */
            int32x4_t low_pairs = vdupq_n_s32(0);
            int32x4_t high_pairs = vdupq_n_s32(0);
            const size_t step = run ? run : 1;
            for (size_t first = 0; first < quads; first += step) {
                const size_t end = first + step < quads ? first + step : quads;
                int16x8_t low = vdupq_n_s16(0);
                int16x8_t high = vdupq_n_s16(0);
                for (size_t q = first; q < end; q++) {
                    const uint8x8_t bytes = vreinterpret_u8_s32(vdup_n_s32(edgeml_word(x + q * 4)));
                    const int16x8_t four = vreinterpretq_s16_u16(vmovl_u8(bytes));
                    const int8x16_t weights = vreinterpretq_s8_u8(vld1q_u8(w + q * vectors * 64));
                    low = vmlaq_s16(low, vmovl_s8(vget_low_s8(weights)), four);
                    high = vmlaq_s16(high, vmovl_s8(vget_high_s8(weights)), four);
                }
                low_pairs = vpadalq_s16(low_pairs, low);
                high_pairs = vpadalq_s16(high_pairs, high);
            }
            total = vaddq_s32(total, vpaddq_s32(low_pairs, high_pairs));
#endif
            vst1q_s32(quarter, total);
        }
    }
}

#else

EDGEML_INLINE void edgeml_quads_block(const uint8_t *restrict x, const uint8_t *restrict weight,
                                      const int32_t *restrict start, size_t quads, size_t run, size_t vectors,
                                      int spread, int32_t *restrict sum)
{
    (void)run;
    for (size_t m = 0; m < vectors; m++) {
        for (size_t lane = 0; lane < 16; lane++) {
            const int8_t *const w = (const int8_t *)weight + m * 64 + lane * 4;
            int32_t total = start[m * 16 + lane];
            for (size_t q = 0; q < quads; q++) {
                for (size_t i = 0; i < 4; i++) {
                    total += (int32_t)w[q * vectors * 64 + i] * (int32_t)x[q * 4 + i];
                }
            }
            sum[edgeml_quarter(lane / 4, m, vectors, spread) + lane % 4] = total;
        }
    }
}

#endif

#endif
