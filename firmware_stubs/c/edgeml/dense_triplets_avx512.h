/* SPDX-License-Identifier: Apache-2.0 */
/* The body of dense_triplets.h, which says how all lies, for AVX-512; for sixteen samples at once with AMX. */
#ifndef EDGEML_DENSE_TRIPLETS_AVX512_H
#define EDGEML_DENSE_TRIPLETS_AVX512_H

#include "amx.h"
#include "common.h"
#include "levels.h"

EDGEML_INLINE __m512i edgeml_triplets_merge(__m512i x0, __m512i x1, __m512i x2)
{
    /* 4 x1 and 16 x2 do not pass the byte: x <= 3 */
    const __m512i upper = _mm512_or_si512(_mm512_slli_epi16(x1, 2), _mm512_slli_epi16(x2, 4));
    return _mm512_or_si512(x0, upper);
}

/* Which table each group takes. The loads meet stores of whole vectors: other strides are made by permutation. */
EDGEML_INLINE void edgeml_triplets_codes(const uint8_t *x, size_t inputs, uint8_t *codes)
{
    const size_t chunks = (inputs + 63) / 192; /* those of more than 128 inputs */
    const size_t done = chunks * 192;
    for (size_t c = 0; c < chunks; c++) {
        const uint8_t *const chunk = x + c * 192;
        const __m512i merged = edgeml_triplets_merge(_mm512_loadu_si512(chunk), _mm512_loadu_si512(chunk + 64),
                                                     _mm512_loadu_si512(chunk + 128));
        _mm512_storeu_si512(codes + c * 64, merged);
    }
    if (inputs > done) {
        static const EDGEML_ALIGNED(64) uint8_t lanes[64] = {
            0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
            22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
            44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
        const size_t stride = edgeml_triplets_stride(inputs - done);
        const __m512i lane = _mm512_load_si512(lanes);
        const __m512i second = _mm512_add_epi8(lane, _mm512_set1_epi8((char)stride));
        const __m512i third = _mm512_add_epi8(lane, _mm512_set1_epi8((char)(2 * stride)));
        const __m512i low = _mm512_loadu_si512(x + done);
        __m512i merged;
        if (inputs - done > 64) {
            const __m512i high = _mm512_loadu_si512(x + done + 64);
            merged = edgeml_triplets_merge(low, _mm512_permutex2var_epi8(low, second, high),
                                           _mm512_permutex2var_epi8(low, third, high));
        } else {
            merged = edgeml_triplets_merge(low, _mm512_permutexvar_epi8(second, low),
                                           _mm512_permutexvar_epi8(third, low));
        }
        _mm512_storeu_si512(codes + chunks * 64, merged);
    }
}

/* Adds `count` groups, summed in bytes first, for some blocks and samples. both: 16-bit sums of h = 0 and, 2^8 times,
   of h = 1, modulo 2^16; high: of h = 1. */
EDGEML_INLINE void edgeml_triplets_run(const uint8_t *codes, size_t codes_stride, const uint8_t *weight,
                                       const uint8_t *table, size_t groups, size_t count, size_t blocks,
                                       size_t samples, __m512i *both, __m512i *high)
{
    __m512i part[8];
    EDGEML_UNROLL
    for (size_t i = 0; i < samples * blocks; i++) {
        part[i] = _mm512_setzero_si512();
    }
    EDGEML_UNROLL_BY_4
    for (size_t g = 0; g < count; g++) {
        __m512i row[4];
        EDGEML_UNROLL
        for (size_t s = 0; s < samples; s++) {
            row[s] = _mm512_loadu_si512(table + (size_t)codes[s * codes_stride + g] * 64);
        }
        EDGEML_UNROLL
        for (size_t b = 0; b < blocks; b++) {
            const __m512i w = _mm512_loadu_si512(weight + (b * groups + g) * 64);
            EDGEML_UNROLL
            for (size_t s = 0; s < samples; s++) {
                const __m512i products = _mm512_permutexvar_epi8(w, row[s]);
                part[s * blocks + b] = _mm512_add_epi8(part[s * blocks + b], products);
            }
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < samples * blocks; i++) {
        both[i] = _mm512_add_epi16(both[i], part[i]);
        high[i] = _mm512_add_epi16(high[i], _mm512_srli_epi16(part[i], 8));
    }
}

/* Some blocks for some samples: the sums less their centres, h = 0 and 1 as vectors of 32. */
EDGEML_INLINE void edgeml_triplets_sums(const uint8_t *codes, size_t codes_stride, const uint8_t *weight,
                                        const uint8_t *table, const int16_t *start, size_t groups, size_t run,
                                        size_t blocks, size_t samples, __m512i *sum0, __m512i *sum1)
{
    __m512i both[8];
    __m512i high[8];
    EDGEML_UNROLL
    for (size_t i = 0; i < samples * blocks; i++) {
        both[i] = _mm512_loadu_si512(start + i % blocks * 64);
        high[i] = _mm512_setzero_si512();
    }
    for (size_t r = 0; r < groups / run; r++) {
        edgeml_triplets_run(codes + r * run, codes_stride, weight + r * run * 64, table, groups, run, blocks, samples,
                            both, high);
    }
    if (groups % run) {
        const size_t done = groups - groups % run;
        edgeml_triplets_run(codes + done, codes_stride, weight + done * 64, table, groups, groups % run, blocks,
                            samples, both, high);
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < samples * blocks; i++) {
        sum0[i] = _mm512_sub_epi16(both[i], _mm512_slli_epi16(high[i], 8));
        sum1[i] = _mm512_add_epi16(high[i], _mm512_loadu_si512(start + i % blocks * 64 + 32));
    }
}

/* The levels of the sums of a block; width: bits of its thresholds. */
EDGEML_INLINE __m512i edgeml_triplets_count(int width, __m512i sum0, __m512i sum1, const int8_t *gt8,
                                            const int16_t *gt16, const uint8_t *base, size_t levels)
{
    if (width == 8) {
        return edgeml_levels8_avx512(_mm512_packs_epi16(sum0, sum1), gt8, base, levels);
    }
    return edgeml_levels16_halves(sum0, sum1, gt16, base, levels);
}

EDGEML_INLINE void edgeml_triplets_some(const uint8_t *codes, size_t codes_stride, const uint8_t *weight,
                                        const uint8_t *table, const int16_t *start, size_t groups, size_t run,
                                        size_t blocks, size_t samples, const int8_t *gt8, const int16_t *gt16,
                                        const uint8_t *base, size_t levels, uint8_t *y, size_t y_stride)
{
    const int width = gt8 ? 8 : 16;
    __m512i sum0[8];
    __m512i sum1[8];
    EDGEML_LOAD_HERE(weight);
    EDGEML_LOAD_HERE(table);
    EDGEML_LOAD_HERE(start);
    EDGEML_LOAD_HERE(gt8);
    EDGEML_LOAD_HERE(gt16);
    edgeml_triplets_sums(codes, codes_stride, weight, table, start, groups, run, blocks, samples, sum0, sum1);
    EDGEML_UNROLL
    for (size_t s = 0; s < samples; s++) {
        EDGEML_UNROLL
        for (size_t b = 0; b < blocks; b++) {
            const uint8_t *const bottom = base ? base + b * 64 : NULL;
            const size_t i = s * blocks + b;
            const size_t skip = b * levels * 64;
            const __m512i count = edgeml_triplets_count(width, sum0[i], sum1[i], width == 8 ? gt8 + skip : NULL,
                                                        width == 8 ? NULL : gt16 + skip, bottom, levels);
            _mm512_storeu_si512(y + s * y_stride + b * 64, count);
        }
    }
}

#if defined(EDGEML_AMX)
/* Codes of the weights of 64 groups: [three inputs of a group][vector][quad of groups][16 outputs][4 groups]; lane l of
   vector m holds byte 16 (l / 4) + 4 m + l % 4 of the block. */
EDGEML_INLINE void edgeml_triplets_unpack(const uint8_t *weight, uint8_t *codes)
{
    const __m512i field = _mm512_set1_epi8(0x03);
    for (size_t q = 0; q < 16; q++) {
        const uint8_t *const w = weight + q * 256;
        const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
        const __m512i w2 = _mm512_loadu_si512(w + 128), w3 = _mm512_loadu_si512(w + 192);
        const __m512i low01 = _mm512_unpacklo_epi8(w0, w1), high01 = _mm512_unpackhi_epi8(w0, w1);
        const __m512i low23 = _mm512_unpacklo_epi8(w2, w3), high23 = _mm512_unpackhi_epi8(w2, w3);
        const __m512i quad[4] = {_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                                 _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
        EDGEML_UNROLL
        for (size_t m = 0; m < 4; m++) {
            uint8_t *const to = codes + m * 1024 + q * 64;
            _mm512_storeu_si512(to, _mm512_and_si512(quad[m], field));
            _mm512_storeu_si512(to + 4096, _mm512_and_si512(_mm512_srli_epi16(quad[m], 2), field));
            _mm512_storeu_si512(to + 8192, _mm512_and_si512(_mm512_srli_epi16(quad[m], 4), field));
        }
    }
    EDGEML_IN_MEMORY();
}

/* Sums of one sample [vector][16 samples][16 lanes], as 16 bits of h = 0 and 1. */
EDGEML_INLINE void edgeml_triplets_narrow(const int32_t *lanes, __m512i *sum0, __m512i *sum1)
{
    static const EDGEML_ALIGNED(64) uint16_t words[32] = {0,  4,  32, 36, 2,  6,  34, 38, 8,  12, 40,
                                                          44, 10, 14, 42, 46, 16, 20, 48, 52, 18, 22,
                                                          50, 54, 24, 28, 56, 60, 26, 30, 58, 62};
    const __m512i place = _mm512_load_si512(words);
    const __m512i lanes0 = _mm512_loadu_si512(lanes), lanes1 = _mm512_loadu_si512(lanes + 256);
    const __m512i lanes2 = _mm512_loadu_si512(lanes + 512), lanes3 = _mm512_loadu_si512(lanes + 768);
    const __m512i first = _mm512_permutex2var_epi16(lanes0, place, lanes1);
    const __m512i last = _mm512_permutex2var_epi16(lanes2, place, lanes3);
    *sum0 = _mm512_unpacklo_epi64(first, last);
    *sum1 = _mm512_unpackhi_epi64(first, last);
}

/* All blocks for 16 samples: whole chunks of 192 inputs by AMX, those left over by table. What chunks give is too large
   by twice the sum of a sample's inputs there, and without the table's offsets, which start takes back. */
EDGEML_INLINE void edgeml_triplets_sixteen(const uint8_t *x, size_t x_stride, const uint8_t *weight,
                                           const uint8_t *table, const int16_t *start, size_t inputs, size_t groups,
                                           size_t blocks, const int8_t *gt8, const int16_t *gt16, const uint8_t *base,
                                           size_t levels, uint8_t *y, size_t y_stride, uint8_t *scratch)
{
    const size_t chunks = (inputs + 63) / 192, done = chunks * 64, codes_stride = (groups + 63) / 64 * 64;
    const int32_t offsets = (int32_t)done * table[42]; /* of weights of 0 and inputs of 0 */
    EDGEML_ALIGNED(64) uint8_t codes[2][12288];
    EDGEML_ALIGNED(64) int32_t lanes[1024];
    int16_t more[16];
    for (size_t s = 0; s < 16; s++) {
        more[s] = (int16_t)(offsets - edgeml_amx_twice(x + s * x_stride, chunks * 192));
        if (groups > done) {
            edgeml_triplets_codes(x + s * x_stride + chunks * 192, inputs - chunks * 192, scratch + s * codes_stride);
        }
    }
    edgeml_amx_begin(0);
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *const w = weight + b * groups * 64;
        edgeml_amx_zero();
        edgeml_triplets_unpack(w, codes[0]);
        for (size_t c = 0; c < chunks; c++) {
            const uint8_t *const here = codes[c % 2];
            if (c + 1 < chunks) { /* ahead: tiles are not loaded from what is only just stored */
                edgeml_triplets_unpack(w + (c + 1) * 4096, codes[(c + 1) % 2]);
            }
            for (size_t j = 0; j < 3; j++) {
                edgeml_amx_add(x + c * 192 + j * 64, x_stride, here + j * 4096, 64, 1024, 4);
            }
        }
        edgeml_amx_store(lanes, 4);
        for (size_t s = 0; s < 16; s += 4) {
            __m512i sum0[4], sum1[4];
            /* eight entries fit a byte whatever they are: `run` is for groups counted from the first */
            edgeml_triplets_sums(scratch + s * codes_stride, codes_stride, w + done * 64, table, start + b * 64,
                                 groups - done, 8, 1, 4, sum0, sum1);
            EDGEML_UNROLL
            for (size_t i = 0; i < 4; i++) {
                const __m512i one = _mm512_set1_epi16(more[s + i]);
                __m512i by_tiles0, by_tiles1;
                edgeml_triplets_narrow(lanes + (s + i) * 16, &by_tiles0, &by_tiles1);
                const __m512i all0 = _mm512_add_epi16(_mm512_add_epi16(sum0[i], by_tiles0), one);
                const __m512i all1 = _mm512_add_epi16(_mm512_add_epi16(sum1[i], by_tiles1), one);
                const __m512i count =
                    edgeml_triplets_count(gt8 ? 8 : 16, all0, all1, gt8 ? gt8 + b * levels * 64 : NULL,
                                          gt16 ? gt16 + b * levels * 64 : NULL, base ? base + b * 64 : NULL, levels);
                _mm512_storeu_si512(y + (s + i) * y_stride + b * 64, count);
            }
        }
    }
    _tile_release();
}
#endif
EDGEML_INLINE void edgeml_triplets_all(const uint8_t *x, size_t x_stride, const uint8_t *weight, const uint8_t *table,
                                       const int16_t *start, size_t inputs, size_t groups, size_t run, size_t blocks,
                                       size_t samples, const int8_t *gt8, const int16_t *gt16, const uint8_t *base,
                                       size_t levels, uint8_t *y, size_t y_stride, uint8_t *codes)
{
    const size_t codes_stride = (groups + 63) / 64 * 64;
#if defined(EDGEML_AMX)
    if (samples == 16 && inputs > 128 && edgeml_amx_allowed()) {
        edgeml_triplets_sixteen(x, x_stride, weight, table, start, inputs, groups, blocks, gt8, gt16, base, levels, y,
                                y_stride, codes);
        return;
    }
#endif
    /* together: four blocks of one sample, or one block of four samples */
    const size_t wide = samples < 4 ? 4 : 1;
    for (size_t s = 0; s < samples; s++) {
        edgeml_triplets_codes(x + s * x_stride, inputs, codes + s * codes_stride);
    }
    for (size_t b = 0; b < blocks; b += wide) {
        const uint8_t *const w = weight + b * groups * 64;
        const int8_t *const near = gt8 ? gt8 + b * levels * 64 : NULL;
        const int16_t *const far = gt16 ? gt16 + b * levels * 64 : NULL;
        const uint8_t *const bottom = base ? base + b * 64 : NULL;
        const size_t count = blocks - b < wide ? blocks - b : wide;
        size_t s = 0;
        for (; s + 4 <= samples; s += 4) {
            edgeml_triplets_some(codes + s * codes_stride, codes_stride, w, table, start + b * 64, groups, run, 1, 4,
                                 near, far, bottom, levels, y + s * y_stride + b * 64, y_stride);
        }
        for (; s < samples; s++) {
            uint8_t *const target = y + s * y_stride + b * 64;
            const uint8_t *const source = codes + s * codes_stride;
            switch (count) {
            case 1:
                edgeml_triplets_some(source, 0, w, table, start + b * 64, groups, run, 1, 1, near, far, bottom, levels,
                                     target, 0);
                break;
            case 2:
                edgeml_triplets_some(source, 0, w, table, start + b * 64, groups, run, 2, 1, near, far, bottom, levels,
                                     target, 0);
                break;
            case 3:
                edgeml_triplets_some(source, 0, w, table, start + b * 64, groups, run, 3, 1, near, far, bottom, levels,
                                     target, 0);
                break;
            default:
                edgeml_triplets_some(source, 0, w, table, start + b * 64, groups, run, 4, 1, near, far, bottom, levels,
                                     target, 0);
                break;
            }
        }
    }
}

#endif
