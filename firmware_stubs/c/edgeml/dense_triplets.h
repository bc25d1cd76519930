/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 2-bit weights on 2-bit inputs by table: one byte holds the weights of three inputs and selects the
   sum of their products in a table of 64, which the three inputs select among 64 tables.

   table [16 x2 + 4 x1 + x0][16 c2 + 4 c1 + c0] = sum_j (c_j - 2) x_j + 3 offset, modulo 256, for codes c = weight + 2.
   The offset makes all entries that occur positive; up to `run` of them are summed in a byte.
   weight: for each block of 64 outputs [group][64]; byte 16 i + 2 e + h of a block holds output 16 i + 8 h + e.
   start: 16-bit, for each block [h][8 i + e], what the sums begin with: bias, less the centre of the thresholds, less
   the offsets. Groups take the inputs as edgeml_triplets_stride says. y: 64 bytes for each block. */
#ifndef EDGEML_DENSE_TRIPLETS_H
#define EDGEML_DENSE_TRIPLETS_H

#include "common.h"
#include "levels.h"

/* Inputs are grouped 192 at a time: group g of these takes inputs g, g + stride and g + 2 stride. */
EDGEML_INLINE size_t edgeml_triplets_stride(size_t inputs)
{
    return inputs > 128 ? 64 : (inputs + 2) / 3;
}

#if defined(EDGEML_AVX512)

#include "dense_triplets_avx512.h"

#else

/* Which table each group takes. */
EDGEML_INLINE void edgeml_triplets_codes(const uint8_t *restrict x, size_t inputs, uint8_t *restrict codes)
{
    for (size_t done = 0; done < inputs; done += 192) {
        const size_t left = inputs - done < 192 ? inputs - done : 192;
        const size_t stride = edgeml_triplets_stride(left);
        for (size_t g = 0; g < stride; g++) {
            const uint32_t x0 = g < left ? x[done + g] : 0u;
            const uint32_t x1 = g + stride < left ? x[done + g + stride] : 0u;
            const uint32_t x2 = g + 2 * stride < left ? x[done + g + 2 * stride] : 0u;
            codes[done / 3 + g] = (uint8_t)(x0 + 4 * x1 + 16 * x2);
        }
    }
}

#if defined(EDGEML_AVX2) || defined(EDGEML_NEON)

/* Registers hold 16 bytes of a table: the first two weights look up in the 16 bytes for a third code of 0, and the
   third weight adds code times input. */
static const EDGEML_ALIGNED(16) uint8_t edgeml_triplets_third[64] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 2, 4, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 6, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

#endif

/* edgeml_triplets_block: the sums of one block less their centres, sum [64 outputs]. */
#if defined(EDGEML_AVX2)

EDGEML_INLINE __m256i edgeml_triplets_row(const uint8_t *row)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)row));
}

EDGEML_INLINE void edgeml_triplets_block(const uint8_t *codes, const uint8_t *weight, const uint8_t *table,
                                         const int16_t *start, size_t groups, size_t run, int32_t *sum)
{
    __m256i total[4]; /* [half of the block][h], 16 bits */
    EDGEML_UNROLL
    for (size_t i = 0; i < 4; i++) {
        total[i] = _mm256_loadu_si256((const __m256i *)(const void *)(start + i % 2 * 32 + i / 2 * 16));
    }
    for (size_t first = 0; first < groups; first += run) {
        const size_t end = first + run < groups ? first + run : groups;
        __m256i part[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        for (size_t g = first; g < end; g++) {
            const __m256i pair = edgeml_triplets_row(table + (size_t)codes[g] * 64);
            const __m256i third = edgeml_triplets_row(edgeml_triplets_third + codes[g] / 16 * 16);
            EDGEML_UNROLL
            for (size_t k = 0; k < 2; k++) {
                const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(weight + g * 64 + k * 32));
                const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(w, 4), _mm256_set1_epi8(0x03));
                part[k] = _mm256_add_epi8(part[k], _mm256_shuffle_epi8(pair, w));
                part[k] = _mm256_add_epi8(part[k], _mm256_shuffle_epi8(third, upper));
            }
        }
        EDGEML_UNROLL
        for (size_t k = 0; k < 2; k++) {
            total[2 * k] = _mm256_add_epi16(total[2 * k], _mm256_and_si256(part[k], _mm256_set1_epi16(0x00ff)));
            total[2 * k + 1] = _mm256_add_epi16(total[2 * k + 1], _mm256_srli_epi16(part[k], 8));
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < 4; i++) {
        const __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(total[i]));
        const __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(total[i], 1));
        _mm256_storeu_si256((__m256i *)(void *)(sum + i / 2 * 32 + i % 2 * 8), low);
        _mm256_storeu_si256((__m256i *)(void *)(sum + i / 2 * 32 + i % 2 * 8 + 16), high);
    }
}

#elif defined(EDGEML_NEON)

EDGEML_INLINE void edgeml_triplets_block(const uint8_t *codes, const uint8_t *weight, const uint8_t *table,
                                         const int16_t *start, size_t groups, size_t run, int32_t *sum)
{
    uint16x8_t total[8]; /* [quarter of the block][h] */
    EDGEML_UNROLL
    for (size_t i = 0; i < 8; i++) {
        total[i] = vreinterpretq_u16_s16(vld1q_s16(start + i % 2 * 32 + i / 2 * 8));
    }
    for (size_t first = 0; first < groups; first += run) {
        const size_t end = first + run < groups ? first + run : groups;
        uint8x16_t part[4] = {vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)};
        for (size_t g = first; g < end; g++) {
            const uint8x16_t pair = vld1q_u8(table + (size_t)codes[g] * 64);
            const uint8x16_t third = vld1q_u8(edgeml_triplets_third + codes[g] / 16 * 16);
            EDGEML_UNROLL
            for (size_t k = 0; k < 4; k++) {
                const uint8x16_t w = vld1q_u8(weight + g * 64 + k * 16);
                part[k] = vaddq_u8(part[k], vqtbl1q_u8(pair, vandq_u8(w, vdupq_n_u8(15))));
                part[k] = vaddq_u8(part[k], vqtbl1q_u8(third, vshrq_n_u8(w, 4)));
            }
        }
        EDGEML_UNROLL
        for (size_t k = 0; k < 4; k++) {
            const uint16x8_t both = vreinterpretq_u16_u8(part[k]);
            total[2 * k] = vaddq_u16(total[2 * k], vandq_u16(both, vdupq_n_u16(0x00ff)));
            total[2 * k + 1] = vsraq_n_u16(total[2 * k + 1], both, 8);
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < 8; i++) {
        const int16x8_t signed_total = vreinterpretq_s16_u16(total[i]);
        vst1q_s32(sum + i * 8, vmovl_s16(vget_low_s16(signed_total)));
        vst1q_s32(sum + i * 8 + 4, vmovl_s16(vget_high_s16(signed_total)));
    }
}

#else

EDGEML_INLINE void edgeml_triplets_block(const uint8_t *restrict codes, const uint8_t *restrict weight,
                                         const uint8_t *restrict table, const int16_t *restrict start, size_t groups,
                                         size_t run, int32_t *restrict sum)
{
    uint32_t total[64] = {0};
    (void)run; /* sums of 32 bits here */
    for (size_t g = 0; g < groups; g++) {
        const uint8_t *const row = table + (size_t)codes[g] * 64;
        for (size_t lane = 0; lane < 64; lane++) {
            total[lane] += row[weight[g * 64 + lane]];
        }
    }
    for (size_t c = 0; c < 64; c++) {
        const size_t h = c / 8 % 2;
        const size_t e = c % 8;
        /* modulo 2^16, as the vectors count */
        const uint32_t value = (uint32_t)(int32_t)start[h * 32 + c / 16 * 8 + e] + total[c / 16 * 16 + 2 * e + h];
        sum[c] = (int32_t)(value & 0x7fffu) - (int32_t)(value & 0x8000u);
    }
}

#endif

EDGEML_INLINE void edgeml_triplets_all(const uint8_t *x, size_t x_stride, const uint8_t *weight, const uint8_t *table,
                                       const int16_t *start, size_t inputs, size_t groups, size_t run, size_t blocks,
                                       size_t samples, const int8_t *gt8, const int16_t *gt16, const uint8_t *base,
                                       size_t levels, uint8_t *y, size_t y_stride, uint8_t *codes)
{
    for (size_t s = 0; s < samples; s++) {
        edgeml_triplets_codes(x + s * x_stride, inputs, codes);
        for (size_t b = 0; b < blocks; b++) {
            uint8_t *const target = y + s * y_stride + b * 64;
            const uint8_t *const bottom = base ? base + b * 64 : NULL;
            int32_t sum[64];
            edgeml_triplets_block(codes, weight + b * groups * 64, table, start + b * 64, groups, run, sum);
            if (gt8) {
                edgeml_levels8(sum, gt8 + b * levels * 64, bottom, levels, target);
            } else {
                edgeml_levels16(sum, gt16 + b * levels * 64, 1, bottom, levels, target);
            }
        }
    }
}

#endif

/* The levels of the sums, where the thresholds lie near each other: gt of 8 bits for each block [levels][64 outputs].
   codes: scratch of `groups` bytes for each sample, rounded up to 64. */
EDGEML_INLINE void edgeml_dense_triplets_levels8(const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                                 const uint8_t *table, const int16_t *start, size_t inputs,
                                                 size_t groups, size_t run, size_t blocks, size_t samples,
                                                 const int8_t *gt, const uint8_t *base, size_t levels, uint8_t *y,
                                                 size_t y_stride, uint8_t *codes)
{
    edgeml_triplets_all(x, x_stride, weight, table, start, inputs, groups, run, blocks, samples, gt, NULL, base, levels,
                        y, y_stride, codes);
}

/* The same for thresholds of 16 bits: gt for each block [levels][h][8 i + e]. */
EDGEML_INLINE void edgeml_dense_triplets_levels16(const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                                  const uint8_t *table, const int16_t *start, size_t inputs,
                                                  size_t groups, size_t run, size_t blocks, size_t samples,
                                                  const int16_t *gt, const uint8_t *base, size_t levels, uint8_t *y,
                                                  size_t y_stride, uint8_t *codes)
{
    edgeml_triplets_all(x, x_stride, weight, table, start, inputs, groups, run, blocks, samples, NULL, gt, base, levels,
                        y, y_stride, codes);
}

#endif
