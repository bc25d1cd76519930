/* Dense layers on bytes: every 32-bit lane of a vector is one output, and takes four inputs at a time.

   weight: 8-bit, for each block of up to 64 outputs [quad of inputs][vector][16 lanes][4 inputs]; the vectors of a
   block are four, of the last block one, two or four. start: 32-bit [vector][16 lanes], what the sums begin with.
   Lane l of vector m of a block of n vectors is output 16 m + l of the block, or, where the sums are packed to bytes
   (spread), output 4 n (l / 4) + 4 m + l % 4: saturating packs then leave the outputs in order. */
#ifndef EDGEML_DENSE_QUADS_H
#define EDGEML_DENSE_QUADS_H

#include "common.h"
#include "levels.h"

/* Number of vectors in the block of `vectors` that begins at vector `first`. */
EDGEML_INLINE size_t edgeml_quads_in_block(size_t vectors, size_t first)
{
    return vectors - first < 4 ? vectors - first : 4;
}

#if defined(EDGEML_AVX512)

/* Four bytes as one word. */
EDGEML_INLINE int32_t edgeml_quads_load(const uint8_t *bytes)
{
    typedef int32_t __attribute__((may_alias, aligned(1))) word;
    return *(const word *)(const void *)bytes;
}

/* The sums of one block for so many samples: sum [sample][vector]. Where these are few, each is split into several,
   to keep the multipliers busy during the latency of an addition. */
EDGEML_INLINE void edgeml_quads_block(const uint8_t *x, size_t x_stride, const int8_t *weight, const int32_t *start,
                                      size_t quads, size_t vectors, size_t samples, __m512i *sum)
{
    const size_t sums = samples * vectors;
    const size_t splits = sums >= 8 ? 1 : sums >= 4 ? 2 : 4;
    __m512i part[16];
    EDGEML_UNROLL
    for (size_t i = 0; i < splits * sums; i++) {
        part[i] = i < sums ? _mm512_loadu_si512(start + i % vectors * 16) : _mm512_setzero_si512();
    }
    size_t q = 0;
    for (; q + splits <= quads; q += splits) {
        EDGEML_UNROLL
        for (size_t i = 0; i < splits; i++) {
            __m512i w[4];
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                w[m] = _mm512_loadu_si512(weight + ((q + i) * vectors + m) * 64);
            }
            EDGEML_UNROLL
            for (size_t s = 0; s < samples; s++) {
                const __m512i four = _mm512_set1_epi32(edgeml_quads_load(x + s * x_stride + (q + i) * 4));
                EDGEML_UNROLL
                for (size_t m = 0; m < vectors; m++) {
                    part[i * sums + s * vectors + m] =
                        _mm512_dpbusd_epi32(part[i * sums + s * vectors + m], four, w[m]);
                }
            }
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i + 1 < splits; i++) {
        if (q + i < quads) {
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                const __m512i w = _mm512_loadu_si512(weight + ((q + i) * vectors + m) * 64);
                EDGEML_UNROLL
                for (size_t s = 0; s < samples; s++) {
                    const __m512i four = _mm512_set1_epi32(edgeml_quads_load(x + s * x_stride + (q + i) * 4));
                    part[i * sums + s * vectors + m] = _mm512_dpbusd_epi32(part[i * sums + s * vectors + m], four, w);
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

/* Packs the sums of a block to bytes, saturating, and counts levels; bytes behind the block are those of base. */
EDGEML_INLINE __m512i edgeml_quads_levels8(const __m512i *sum, size_t vectors, const int8_t *gt, const uint8_t *base,
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
EDGEML_INLINE __m512i edgeml_quads_levels16(const __m512i *sum, size_t vectors, const int16_t *gt, const uint8_t *base,
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

/* One block for so many samples, with what follows the sums: levels of 8 bits (gt8), of 16 (gt16), or nothing. */
EDGEML_INLINE void edgeml_quads_some(const uint8_t *x, size_t x_stride, const int8_t *weight, const int32_t *start,
                                     size_t quads, size_t vectors, size_t samples, const int8_t *gt8,
                                     const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc,
                                     uint8_t *y, size_t y_stride)
{
    const int width = gt8 ? 8 : gt16 ? 16 : 0;
    __m512i sum[16];
    EDGEML_LOAD_HERE(weight);
    EDGEML_LOAD_HERE(start);
    EDGEML_LOAD_HERE(gt8);
    EDGEML_LOAD_HERE(gt16);
    edgeml_quads_block(x, x_stride, weight, start, quads, vectors, samples, sum);
    EDGEML_UNROLL
    for (size_t s = 0; s < samples; s++) {
        const __m512i *const of_sample = sum + s * vectors;
        if (width == 8) {
            _mm512_storeu_si512(y + s * y_stride, edgeml_quads_levels8(of_sample, vectors, gt8, base, levels));
        } else if (width == 16) {
            _mm512_storeu_si512(y + s * y_stride, edgeml_quads_levels16(of_sample, vectors, gt16, base, levels));
        } else {
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                _mm512_storeu_si512(acc + s * y_stride + m * 16, of_sample[m]);
            }
        }
    }
}

/* Blocks of a constant number of vectors, for all samples. */
EDGEML_INLINE void edgeml_quads_blocks(const uint8_t *x, size_t x_stride, const int8_t *weight, const int32_t *start,
                                       size_t quads, size_t blocks, size_t vectors, size_t samples, const int8_t *gt8,
                                       const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc,
                                       uint8_t *y, size_t y_stride)
{
    for (size_t b = 0; b < blocks; b++) {
        const int8_t *const w = weight + b * quads * 256;
        const int8_t *const near = gt8 ? gt8 + b * levels * 64 : NULL;
        const int16_t *const far = gt16 ? gt16 + b * levels * 64 : NULL;
        const uint8_t *const bottom = base ? base + b * 64 : NULL;
        int32_t *const sums = acc ? acc + b * 64 : NULL;
        uint8_t *const bytes = y ? y + b * 64 : NULL;
        size_t s = 0;
        for (; s + 4 <= samples; s += 4) {
            edgeml_quads_some(x + s * x_stride, x_stride, w, start + b * 64, quads, vectors, 4, near, far, bottom,
                              levels, acc ? sums + s * y_stride : NULL, y ? bytes + s * y_stride : NULL, y_stride);
        }
        for (; s < samples; s++) {
            edgeml_quads_some(x + s * x_stride, x_stride, w, start + b * 64, quads, vectors, 1, near, far, bottom,
                              levels, acc ? sums + s * y_stride : NULL, y ? bytes + s * y_stride : NULL, y_stride);
        }
    }
}

EDGEML_INLINE void edgeml_quads_all(const uint8_t *x, size_t x_stride, const int8_t *weight, const int32_t *start,
                                    size_t quads, size_t vectors, int spread, size_t samples, const int8_t *gt8,
                                    const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc, uint8_t *y,
                                    size_t y_stride)
{
    const size_t whole = vectors / 4;
    const size_t rest = vectors % 4;
    (void)spread; /* how the outputs lie in the vectors is known by what follows the sums */
    EDGEML_IN_MEMORY(); /* a load that broadcasts is quicker than taking words out of a vector */
    edgeml_quads_blocks(x, x_stride, weight, start, quads, whole, 4, samples, gt8, gt16, base, levels, acc, y,
                        y_stride);
    if (rest) {
        const size_t done = whole * 64;
        edgeml_quads_blocks(x, x_stride, weight + done * quads * 4, start + done, quads, 1, rest, samples,
                            gt8 ? gt8 + done * levels : NULL, gt16 ? gt16 + done * levels : NULL,
                            base ? base + done : NULL, levels, acc ? acc + done : NULL, y ? y + done : NULL, y_stride);
    }
}

#else

/* The four outputs of a quarter of a vector: sum[r] = start[r] + sum_i weight[..][r][i] * x[i]. */
EDGEML_INLINE void edgeml_quads_quarter(const uint8_t *restrict x, const int8_t *restrict weight, size_t step,
                                        const int32_t *restrict start, size_t quads, int32_t *restrict sum)
{
    for (size_t r = 0; r < 4; r++) {
        int32_t total = start[r];
        for (size_t q = 0; q < quads; q++) {
            for (size_t i = 0; i < 4; i++) {
                total += (int32_t)weight[q * step + r * 4 + i] * (int32_t)x[q * 4 + i];
            }
        }
        sum[r] = total;
    }
}

EDGEML_INLINE void edgeml_quads_all(const uint8_t *x, size_t x_stride, const int8_t *weight, const int32_t *start,
                                    size_t quads, size_t vectors, int spread, size_t samples, const int8_t *gt8,
                                    const int16_t *gt16, const uint8_t *base, size_t levels, int32_t *acc, uint8_t *y,
                                    size_t y_stride)
{
    for (size_t s = 0; s < samples; s++) {
        for (size_t first = 0; first < vectors; first += 4) {
            const size_t count = edgeml_quads_in_block(vectors, first);
            int32_t sum[64] = {0};
            for (size_t m = 0; m < count; m++) {
                for (size_t i = 0; i < 4; i++) {
                    const size_t output = spread ? 4 * count * i + 4 * m : 16 * m + 4 * i;
                    edgeml_quads_quarter(x + s * x_stride, weight + first * quads * 64 + m * 64 + i * 16, count * 64,
                                         start + (first + m) * 16 + i * 4, quads, sum + output);
                }
            }
            if (gt8) {
                edgeml_levels8(sum, gt8 + first * 16 * levels, base ? base + first * 16 : NULL, levels,
                               y + s * y_stride + first * 16);
            } else if (gt16) {
                edgeml_levels16(sum, gt16 + first * 16 * levels, count == 4, base ? base + first * 16 : NULL, levels,
                                y + s * y_stride + first * 16);
            } else {
                for (size_t c = 0; c < count * 16; c++) {
                    acc[s * y_stride + first * 16 + c] = sum[c];
                }
            }
        }
    }
}

#endif

/* acc [sample][16 * vectors]: the sums. */
EDGEML_INLINE void edgeml_dense_quads(const uint8_t *x, size_t x_stride, const int8_t *weight, const int32_t *start,
                                      size_t quads, size_t vectors, size_t samples, int32_t *acc, size_t acc_stride)
{
    edgeml_quads_all(x, x_stride, weight, start, quads, vectors, 0, samples, NULL, NULL, NULL, 0, acc, NULL,
                     acc_stride);
}

/* y [sample][64 for each block]: the levels of the sums; weights and start lie spread. */
EDGEML_INLINE void edgeml_dense_quads_levels8(const uint8_t *x, size_t x_stride, const int8_t *weight,
                                              const int32_t *start, size_t quads, size_t vectors, size_t samples,
                                              const int8_t *gt, const uint8_t *base, size_t levels, uint8_t *y,
                                              size_t y_stride)
{
    edgeml_quads_all(x, x_stride, weight, start, quads, vectors, 1, samples, gt, NULL, base, levels, NULL, y,
                     y_stride);
}

/* The same with thresholds of 16 bits, in halves for blocks of four vectors. */
EDGEML_INLINE void edgeml_dense_quads_levels16(const uint8_t *x, size_t x_stride, const int8_t *weight,
                                               const int32_t *start, size_t quads, size_t vectors, size_t samples,
                                               const int16_t *gt, const uint8_t *base, size_t levels, uint8_t *y,
                                               size_t y_stride)
{
    edgeml_quads_all(x, x_stride, weight, start, quads, vectors, 1, samples, NULL, gt, base, levels, NULL, y,
                     y_stride);
}

#endif
