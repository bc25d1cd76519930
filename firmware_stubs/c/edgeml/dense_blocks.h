/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers whose sums are 32-bit lanes, 16 outputs to a vector of 64 bytes, with the thresholds behind them.

   How the outputs lie in blocks of vectors is said in blocks.h. start: 32-bit [vector][16 lanes], what the sums begin
   with: bias, less the centre of the thresholds. How weights are packed: dense_quads.h,
   dense_crumbs.h. x holds zeros behind the last input, up to a multiple of 64. */
#ifndef EDGEML_DENSE_BLOCKS_H
#define EDGEML_DENSE_BLOCKS_H

#include "amx.h"
#include "blocks.h"
#include "dense_crumbs.h"
#include "dense_quads.h"
#include "levels.h"

/* How the weights are packed. */
#define EDGEML_QUADS 0
#define EDGEML_CRUMBS 1

#if defined(EDGEML_AVX512)

/* Packs the sums of a block to bytes, saturating, and counts levels; bytes behind the block are those of base. */
EDGEML_INLINE __m512i edgeml_blocks_count8(const __m512i *sum, size_t vectors, const int8_t *gt, const uint8_t *base,
                                           size_t levels)
{
    __m512i d;
    if (vectors == 4) {
        d = _mm512_packs_epi16(_mm512_packs_epi32(sum[0], sum[1]), _mm512_packs_epi32(sum[2], sum[3]));
    } else if (vectors == 2) {
        d = _mm512_zextsi256_si512(_mm512_cvtsepi16_epi8(_mm512_packs_epi32(sum[0], sum[1])));
    } else {
        d = _mm512_zextsi128_si512(_mm512_cvtsepi32_epi8(sum[0]));
    }
    return edgeml_levels8_avx512(d, gt, base, levels);
}

/* The same with 16 bits. */
EDGEML_INLINE __m512i edgeml_blocks_count16(const __m512i *sum, size_t vectors, const int16_t *gt, const uint8_t *base,
                                            size_t levels)
{
    if (vectors == 4) {
        return edgeml_levels16_halves(_mm512_packs_epi32(sum[0], sum[1]), _mm512_packs_epi32(sum[2], sum[3]), gt, base,
                                      levels);
    }
    const __m512i d = vectors == 2 ? _mm512_packs_epi32(sum[0], sum[1])
                                   : _mm512_zextsi256_si512(_mm512_cvtsepi32_epi16(sum[0]));
    const __m512i y = _mm512_zextsi256_si512(_mm512_cvtepi16_epi8(edgeml_levels16_avx512(d, gt, levels)));
    return base ? _mm512_add_epi8(y, _mm512_loadu_si512(base)) : y;
}

/* What becomes of the sums of a block of one sample. width: bits of the thresholds, 0 without. */
EDGEML_INLINE void edgeml_blocks_give(int width, const __m512i *sum, size_t vectors, const int8_t *gt8,
                                      const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc, uint8_t *y)
{
    if (width == 8) {
        _mm512_storeu_si512(y, edgeml_blocks_count8(sum, vectors, gt8, base, levels));
    } else if (width == 16) {
        _mm512_storeu_si512(y, edgeml_blocks_count16(sum, vectors, gt16, base, levels));
    } else {
        EDGEML_UNROLL
        for (size_t m = 0; m < vectors; m++) {
            _mm512_storeu_si512(acc + m * 16, sum[m]);
        }
    }
}

/* One block for so many samples. */
EDGEML_INLINE void edgeml_blocks_some(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                      const int32_t *start, size_t units, size_t vectors, size_t samples,
                                      const int8_t *gt8, const int16_t *gt16, const uint8_t *base, size_t levels,
                                      int32_t *acc, uint8_t *y, size_t y_stride)
{
    const int width = gt8 ? 8 : gt16 ? 16 : 0; /* a constant, unlike the pointers below */
    __m512i sum[16];
    EDGEML_LOAD_HERE(weight);
    EDGEML_LOAD_HERE(start);
    EDGEML_LOAD_HERE(gt8);
    EDGEML_LOAD_HERE(gt16);
    if (packing == EDGEML_CRUMBS) {
        edgeml_crumbs_block(x, x_stride, weight, start, units, vectors, samples, sum);
    } else {
        edgeml_quads_block(x, x_stride, weight, start, units, vectors, samples, sum);
    }
    EDGEML_UNROLL
    for (size_t s = 0; s < samples; s++) {
        edgeml_blocks_give(width, sum + s * vectors, vectors, gt8, gt16, base, levels, acc ? acc + s * y_stride : NULL,
                           y ? y + s * y_stride : NULL);
    }
}

#if defined(EDGEML_AMX)
/* One block for 16 samples. less [sample]: what its sums are too large by. */
EDGEML_INLINE void edgeml_blocks_sixteen(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                         const int32_t *start, size_t units, size_t vectors, const int32_t *less,
                                         const int8_t *gt8, const int16_t *gt16, const uint8_t *base, size_t levels,
                                         int32_t *acc, uint8_t *y, size_t y_stride)
{
    EDGEML_ALIGNED(64) int32_t lanes[1024]; /* [vector][sample][16] */
    if (packing == EDGEML_CRUMBS) {
        edgeml_amx_crumbs(x, x_stride, weight, start, units, vectors, lanes);
    } else {
        edgeml_amx_quads(x, x_stride, weight, start, units, vectors, lanes);
    }
    for (size_t s = 0; s < 16; s++) {
        __m512i sum[4];
        EDGEML_UNROLL
        for (size_t m = 0; m < vectors; m++) {
            sum[m] = _mm512_loadu_si512(lanes + m * 256 + s * 16);
            if (packing == EDGEML_CRUMBS) {
                sum[m] = _mm512_sub_epi32(sum[m], _mm512_set1_epi32(less[s]));
            }
        }
        edgeml_blocks_give(gt8 ? 8 : gt16 ? 16 : 0, sum, vectors, gt8, gt16, base, levels,
                           acc ? acc + s * y_stride : NULL, y ? y + s * y_stride : NULL);
    }
}
#endif

/* One block for all samples. */
EDGEML_INLINE void edgeml_blocks_one(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                     const int32_t *start, size_t units, size_t run, size_t vectors, int spread,
                                     size_t samples, const int8_t *gt8, const int16_t *gt16, const uint8_t *base,
                                     size_t levels, int32_t *acc, uint8_t *y, size_t y_stride)
{
    size_t s = 0;
    (void)run;
    (void)spread; /* follows from gt8 and gt16 */
    for (; s + 4 <= samples; s += 4) {
        edgeml_blocks_some(packing, x + s * x_stride, x_stride, weight, start, units, vectors, 4, gt8, gt16, base,
                           levels, acc ? acc + s * y_stride : NULL, y ? y + s * y_stride : NULL, y_stride);
    }
    for (; s < samples; s++) {
        edgeml_blocks_some(packing, x + s * x_stride, x_stride, weight, start, units, vectors, 1, gt8, gt16, base,
                           levels, acc ? acc + s * y_stride : NULL, y ? y + s * y_stride : NULL, y_stride);
    }
}

#else

/* What becomes of the sums [64] of a block of one sample. */
EDGEML_INLINE void edgeml_blocks_give(const int32_t *sum, size_t vectors, const int8_t *gt8, const int16_t *gt16,
                                      const uint8_t *base, size_t levels, int32_t *acc, uint8_t *y)
{
    if (gt8) {
        edgeml_levels8(sum, gt8, base, levels, y);
    } else if (gt16) {
        edgeml_levels16(sum, gt16, vectors == 4, base, levels, y);
    } else {
        for (size_t c = 0; c < vectors * 16; c++) {
            acc[c] = sum[c];
        }
    }
}

#if defined(EDGEML_AVX2)
/* One block of quads for all samples, where not even two products may fit 16 bits. */
EDGEML_INLINE void edgeml_blocks_wide(const uint8_t *x, size_t x_stride, const uint8_t *weight, const int32_t *start,
                                      size_t quads, size_t vectors, int spread, size_t samples, const int8_t *gt8,
                                      const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc, uint8_t *y,
                                      size_t y_stride)
{
    size_t done = 0;
    while (done < samples) {
        const size_t together = samples - done < 4 ? 1 : 4;
        int32_t lanes[256];
        if (together == 4) {
            edgeml_quads_wide(x + done * x_stride, x_stride, weight, start, quads, vectors, 4, lanes);
        } else {
            edgeml_quads_wide(x + done * x_stride, x_stride, weight, start, quads, vectors, 1, lanes);
        }
        for (size_t s = 0; s < together; s++, done++) {
            int32_t sum[64] = {0};
            for (size_t i = 0; i < vectors * 2; i++) {
                const __m256i eight = edgeml_load256((const uint8_t *)(lanes + s * 64 + i * 8));
                edgeml_store_quarters(eight, i % 2 * 2, i / 2, vectors, spread, sum);
            }
            edgeml_blocks_give(sum, vectors, gt8, gt16, base, levels, acc ? acc + done * y_stride : NULL,
                               y ? y + done * y_stride : NULL);
        }
    }
}
#endif

EDGEML_INLINE void edgeml_blocks_one(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                     const int32_t *start, size_t units, size_t run, size_t vectors, int spread,
                                     size_t samples, const int8_t *gt8, const int16_t *gt16, const uint8_t *base,
                                     size_t levels, int32_t *acc, uint8_t *y, size_t y_stride)
{
#if defined(EDGEML_AVX2)
    if (packing == EDGEML_QUADS && run == 0) {
        edgeml_blocks_wide(x, x_stride, weight, start, units, vectors, spread, samples, gt8, gt16, base, levels, acc, y,
                           y_stride);
        return;
    }
#endif
    for (size_t done = 0; done < samples; done++) {
        int32_t sum[64] = {0};
        if (packing == EDGEML_CRUMBS) {
            edgeml_crumbs_block(x + done * x_stride, weight, start, units, vectors, spread, sum);
        } else {
            edgeml_quads_block(x + done * x_stride, weight, start, units, run, vectors, spread, sum);
        }
        edgeml_blocks_give(sum, vectors, gt8, gt16, base, levels, acc ? acc + done * y_stride : NULL,
                           y ? y + done * y_stride : NULL);
    }
}

#endif

#if defined(EDGEML_AMX)
/* All blocks for 16 samples. */
EDGEML_INLINE void edgeml_blocks_amx(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                     const int32_t *start, size_t units, size_t vectors, const int8_t *gt8,
                                     const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc, uint8_t *y,
                                     size_t y_stride)
{
    const size_t inputs = packing == EDGEML_CRUMBS ? units * 16 : units * 4;
    const size_t whole = vectors / 4 * 4;
    int32_t less[16];
    for (size_t s = 0; s < 16 && packing == EDGEML_CRUMBS; s++) {
        less[s] = edgeml_amx_twice(x + s * x_stride, inputs);
    }
    edgeml_amx_begin(inputs / 4 % 16);
    for (size_t v = 0; v < vectors; v += 4) {
        const uint8_t *const w = weight + v * units * 64;
        const int8_t *const near = gt8 ? gt8 + v * 16 * levels : NULL;
        const int16_t *const far = gt16 ? gt16 + v * 16 * levels : NULL;
        const uint8_t *const bottom = base ? base + v * 16 : NULL;
        int32_t *const sums = acc ? acc + v * 16 : NULL;
        uint8_t *const target = y ? y + v * 16 : NULL;
        if (v < whole) {
            edgeml_blocks_sixteen(packing, x, x_stride, w, start + v * 16, units, 4, less, near, far, bottom, levels,
                                  sums, target, y_stride);
        } else {
            edgeml_blocks_sixteen(packing, x, x_stride, w, start + v * 16, units, vectors - whole, less, near, far,
                                  bottom, levels, sums, target, y_stride);
        }
    }
    _tile_release();
}
#endif

EDGEML_INLINE void edgeml_blocks_all(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                     const int32_t *start, size_t units, size_t run, size_t vectors, int spread,
                                     size_t samples, const int8_t *gt8, const int16_t *gt16, const uint8_t *base,
                                     size_t levels, int32_t *acc, uint8_t *y, size_t y_stride)
{
    const size_t whole = vectors / 4 * 4;
#if defined(EDGEML_AMX)
    /* Of fewer products, tiles would be set up for longer than they multiply. */
    if (samples == 16 && units * vectors * (packing == EDGEML_CRUMBS ? 4 : 1) >= 96 && edgeml_amx_allowed()) {
        edgeml_blocks_amx(packing, x, x_stride, weight, start, units, vectors, gt8, gt16, base, levels, acc, y,
                          y_stride);
        return;
    }
#endif
    EDGEML_IN_MEMORY(); /* loads that broadcast are quicker than taking words out of a vector */
    for (size_t v = 0; v < whole; v += 4) {
        edgeml_blocks_one(packing, x, x_stride, weight + v * units * 64, start + v * 16, units, run, 4, spread, samples,
                          gt8 ? gt8 + v * 16 * levels : NULL, gt16 ? gt16 + v * 16 * levels : NULL,
                          base ? base + v * 16 : NULL, levels, acc ? acc + v * 16 : NULL, y ? y + v * 16 : NULL,
                          y_stride);
    }
    if (vectors > whole) {
        edgeml_blocks_one(packing, x, x_stride, weight + whole * units * 64, start + whole * 16, units, run,
                          vectors - whole, spread, samples, gt8 ? gt8 + whole * 16 * levels : NULL,
                          gt16 ? gt16 + whole * 16 * levels : NULL, base ? base + whole * 16 : NULL, levels,
                          acc ? acc + whole * 16 : NULL, y ? y + whole * 16 : NULL, y_stride);
    }
}

/* acc [sample][16 for each vector]: the sums. units: of inputs, as the packing takes them: 4 or 16. run: so many quads
   of inputs may be multiplied and summed in 16 bits, pairs of inputs together; 0 if not even one. */
EDGEML_INLINE void edgeml_blocks_sums(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                      const int32_t *start, size_t units, size_t run, size_t vectors, size_t samples,
                                      int32_t *acc, size_t acc_stride)
{
    edgeml_blocks_all(packing, x, x_stride, weight, start, units, run, vectors, 0, samples, NULL, NULL, NULL, 0, acc,
                      NULL, acc_stride);
}

/* y [sample][64 for each block]: the levels of the sums. Weights and start lie spread. */
EDGEML_INLINE void edgeml_blocks_levels8(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                         const int32_t *start, size_t units, size_t run, size_t vectors,
                                         size_t samples, const int8_t *gt, const uint8_t *base, size_t levels,
                                         uint8_t *y, size_t y_stride)
{
    edgeml_blocks_all(packing, x, x_stride, weight, start, units, run, vectors, 1, samples, gt, NULL, base, levels,
                      NULL, y, y_stride);
}

/* The same with thresholds of 16 bits, in halves for blocks of four vectors. */
EDGEML_INLINE void edgeml_blocks_levels16(int packing, const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                          const int32_t *start, size_t units, size_t run, size_t vectors,
                                          size_t samples, const int16_t *gt, const uint8_t *base, size_t levels,
                                          uint8_t *y, size_t y_stride)
{
    edgeml_blocks_all(packing, x, x_stride, weight, start, units, run, vectors, 1, samples, NULL, gt, base, levels,
                      NULL, y, y_stride);
}

#endif
