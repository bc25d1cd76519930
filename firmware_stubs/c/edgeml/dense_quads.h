/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers on bytes: every 32-bit lane of a vector is one output, and takes four inputs ("quad") at a time.
   weight: 8-bit, for each block [quad][vector][16 lanes][4 inputs]. Blocks, lanes and quarters: blocks.h. */
#ifndef EDGEML_DENSE_QUADS_H
#define EDGEML_DENSE_QUADS_H

#include "blocks.h"

#if defined(EDGEML_AVX512)

/* The sums of one block for so many samples: sum [sample][vector]. Where these are few, each is split into several,
   to keep the multipliers busy during the latency of an addition. A weight is read once for all samples. */
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
                __m512i w[4];
                EDGEML_UNROLL
                for (size_t m = 0; m < vectors; m++) {
                    w[m] = _mm512_loadu_si512(weight + ((first + i) * vectors + m) * 64);
                    if (samples > 1) {
                        EDGEML_IN_PLACE(w[m]);
                    }
                }
                EDGEML_UNROLL
                for (size_t s = 0; s < samples; s++) {
                    const __m512i four = _mm512_set1_epi32(edgeml_word(x + s * x_stride + (first + i) * 4));
                    EDGEML_UNROLL
                    for (size_t m = 0; m < vectors; m++) {
                        part[i * sums + s * vectors + m] =
                            _mm512_dpbusd_epi32(part[i * sums + s * vectors + m], four, w[m]);
                    }
                }
                EDGEML_UNROLL
                for (size_t j = 0; j < sums; j++) {
                    EDGEML_IN_PLACE(part[i * sums + j]);
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
   inputs in each lane; at least one. */
EDGEML_INLINE void edgeml_quads_half(const uint8_t *x, const uint8_t *weight, const int32_t *start, size_t quads,
                                     size_t run, size_t vectors, __m256i *sum)
{
    EDGEML_UNROLL
    for (size_t m = 0; m < vectors; m++) {
        sum[m] = _mm256_loadu_si256((const __m256i *)(const void *)(start + m * 16));
    }
    for (size_t first = 0; first < quads; first += run) {
        const size_t end = first + run < quads ? first + run : quads;
        __m256i pairs[4];
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
            sum[m] = _mm256_add_epi32(sum[m], _mm256_madd_epi16(pairs[m], _mm256_set1_epi16(1)));
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

/* Four numbers of 16 bits as one. */
EDGEML_INLINE int64_t edgeml_quads_four(const int16_t *numbers)
{
    typedef int64_t __attribute__((may_alias, aligned(1))) four;
    return *(const four *)(const void *)numbers;
}

/* Of eight outputs, whose sums lie in two lanes each, first those of four: the sums in order. */
EDGEML_INLINE __m256i edgeml_quads_add_pairs(__m256i first, __m256i last)
{
    const __m256i even = _mm256_add_epi32(first, _mm256_shuffle_epi32(first, 0xf5));
    const __m256i odd = _mm256_add_epi32(last, _mm256_shuffle_epi32(last, 0xa0));
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    return _mm256_permutevar8x32_epi32(_mm256_blend_epi32(even, odd, 0xaa), order);
}

/* 16 bytes as numbers of 16 bits; weights are signed. */
EDGEML_INLINE __m256i edgeml_quads_inputs(const uint8_t *bytes)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

EDGEML_INLINE __m256i edgeml_quads_weights(const uint8_t *bytes)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

/* The sums of one block for up to four samples, where not even two products may fit 16 bits: sum [sample][64 lanes].
   Products of 16 bits are summed in pairs, so that an output has two lanes; 128 quads at a time: their weights stay in
   the fastest cache, and the inputs are widened once for all outputs. */
EDGEML_INLINE void edgeml_quads_wide(const uint8_t *x, size_t x_stride, const uint8_t *weight, const int32_t *start,
                                     size_t quads, size_t vectors, size_t samples, int32_t *sum)
{
    for (size_t first = 0; first < quads; first += 128) {
        const size_t count = quads - first < 128 ? quads - first : 128;
        EDGEML_ALIGNED(32) int16_t wide[4 * 512];
        for (size_t s = 0; s < samples; s++) {
            for (size_t i = 0; i < count * 4; i += 16) {
                const __m256i sixteen = edgeml_quads_inputs(x + s * x_stride + first * 4 + i);
                _mm256_storeu_si256((__m256i *)(void *)(wide + s * 512 + i), sixteen);
            }
        }
        for (size_t eight = 0; eight < vectors * 2; eight++) { /* outputs at a time */
            const uint8_t *const w = weight + first * vectors * 64 + eight * 32;
            __m256i part[8]; /* [sample][four outputs] */
            EDGEML_UNROLL
            for (size_t i = 0; i < samples * 2; i++) {
                part[i] = _mm256_setzero_si256();
            }
            for (size_t q = 0; q < count; q++) {
                __m256i w0 = edgeml_quads_weights(w + q * vectors * 64);
                __m256i w1 = edgeml_quads_weights(w + q * vectors * 64 + 16);
                EDGEML_IN_PLACE(w0);
                EDGEML_IN_PLACE(w1);
                EDGEML_UNROLL
                for (size_t s = 0; s < samples; s++) {
                    const __m256i four = _mm256_set1_epi64x(edgeml_quads_four(wide + s * 512 + q * 4));
                    part[2 * s] = _mm256_add_epi32(part[2 * s], _mm256_madd_epi16(w0, four));
                    part[2 * s + 1] = _mm256_add_epi32(part[2 * s + 1], _mm256_madd_epi16(w1, four));
                    EDGEML_IN_PLACE(part[2 * s]);
                    EDGEML_IN_PLACE(part[2 * s + 1]);
                }
            }
            EDGEML_UNROLL
            for (size_t s = 0; s < samples; s++) {
                __m256i total = edgeml_quads_add_pairs(part[2 * s], part[2 * s + 1]);
                if (first == 0) {
                    total = _mm256_add_epi32(total, edgeml_load256((const uint8_t *)(start + eight * 8)));
                } else {
                    total = _mm256_add_epi32(total, edgeml_load256((const uint8_t *)(sum + s * 64 + eight * 8)));
                }
                _mm256_storeu_si256((__m256i *)(void *)(sum + s * 64 + eight * 8), total);
            }
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
