/* SPDX-License-Identifier: Apache-2.0 */
/* A dense layer on packed bits for processors that count the bits of a word.
   A weight w of -1, 0 or 1 is two bits: any (w != 0) and minus (w < 0). Inputs x of 0 and 1 and weights have the sum
   count((x ^ minus) & any) - count(minus); the latter is in start.
   masks: [blocks of 8 outputs][words of 64 bits][any, minus][8 outputs][two halves, the lower first]; y and start have
   room for whole blocks. */
#ifndef EDGEML_BITS_ROWS_H
#define EDGEML_BITS_ROWS_H

#include "common.h"

#define EDGEML_BITS_ROWS 8u

/* 64 bits of x, lowest first, whatever the order of bytes. */
EDGEML_INLINE uint64_t edgeml_bits_word64(const uint8_t *x)
{
    uint64_t word = 0;
    EDGEML_UNROLL
    for (size_t i = 0; i < 8; i++) {
        word |= (uint64_t)x[i] << (8 * i);
    }
    return word;
}

/* How many bits are 1. */
EDGEML_INLINE uint32_t edgeml_bits_ones(uint64_t word)
{
#if (defined(__GNUC__) || defined(__clang__)) && !defined(EDGEML_PORTABLE)
    return (uint32_t)__builtin_popcountll(word);
#else
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (uint32_t)(word * 0x0101010101010101u >> 56);
#endif
}

/* The counts of eight outputs, added to start; `times` times through x with other masks. */
EDGEML_INLINE const uint32_t *edgeml_bits_eight_rows(const uint8_t *bits, size_t words, size_t times,
                                                     const uint32_t *masks, const int32_t *start, int32_t *y)
{
#if defined(EDGEML_AVX512) && defined(__AVX512VPOPCNTDQ__)
    __m512i sum = _mm512_setzero_si512();
    for (size_t t = 0; t < times; t++) {
        for (size_t w = 0; w < words; w++, masks += 32) {
            const __m512i x = _mm512_set1_epi64((long long)edgeml_bits_word64(bits + 8 * w));
            const __m512i any = _mm512_loadu_si512(masks);
            const __m512i minus = _mm512_loadu_si512(masks + 16);
            const __m512i counted = _mm512_ternarylogic_epi64(x, minus, any, 0x28); /* (x ^ minus) & any */
            sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(counted));
        }
    }
    const __m256i begin = _mm256_loadu_si256((const __m256i *)(const void *)start);
    _mm256_storeu_si256((__m256i *)(void *)y, _mm256_add_epi32(begin, _mm512_cvtepi64_epi32(sum)));
#elif defined(EDGEML_AVX2)
    const __m256i ones_of = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4)); /* of four bits */
    const __m256i low = _mm256_set1_epi8(0x0f);
    __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}; /* four outputs each */
    for (size_t t = 0; t < times; t++) {
        for (size_t w = 0; w < words; w++, masks += 32) {
            const __m256i x = _mm256_set1_epi64x((long long)edgeml_bits_word64(bits + 8 * w));
            EDGEML_UNROLL
            for (size_t i = 0; i < 2; i++) {
                const __m256i any = _mm256_loadu_si256((const __m256i *)(const void *)(masks + 8 * i));
                const __m256i minus = _mm256_loadu_si256((const __m256i *)(const void *)(masks + 16 + 8 * i));
                const __m256i counted = _mm256_and_si256(_mm256_xor_si256(x, minus), any);
                const __m256i high = _mm256_and_si256(_mm256_srli_epi16(counted, 4), low);
                const __m256i bytes = _mm256_add_epi8(_mm256_shuffle_epi8(ones_of, _mm256_and_si256(counted, low)),
                                                      _mm256_shuffle_epi8(ones_of, high));
                sum[i] = _mm256_add_epi64(sum[i], _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
            }
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < 2; i++) {
        const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6); /* the lower halves of 64 bits */
        const __m128i four = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(sum[i], even));
        const __m128i begin = _mm_loadu_si128((const __m128i *)(const void *)(start + 4 * i));
        _mm_storeu_si128((__m128i *)(void *)(y + 4 * i), _mm_add_epi32(begin, four));
    }
#elif defined(EDGEML_NEON)
    uint16x8_t sum[4]; /* two outputs each; a lane holds the counts of 4095 words */
    EDGEML_UNROLL
    for (size_t i = 0; i < 4; i++) {
        sum[i] = vdupq_n_u16(0);
    }
    for (size_t t = 0; t < times; t++) {
        for (size_t w = 0; w < words; w++, masks += 32) {
            const uint8x16_t x = vreinterpretq_u8_u64(vdupq_n_u64(edgeml_bits_word64(bits + 8 * w)));
            EDGEML_UNROLL
            for (size_t i = 0; i < 4; i++) {
                const uint8x16_t any = vreinterpretq_u8_u32(vld1q_u32(masks + 4 * i));
                const uint8x16_t minus = vreinterpretq_u8_u32(vld1q_u32(masks + 16 + 4 * i));
                sum[i] = vpadalq_u8(sum[i], vcntq_u8(vandq_u8(veorq_u8(x, minus), any)));
            }
        }
    }
    EDGEML_UNROLL
    for (size_t i = 0; i < 4; i++) {
        const uint32x4_t four = vpaddlq_u16(sum[i]);
        const uint32x2_t two = vpadd_u32(vget_low_u32(four), vget_high_u32(four));
        vst1_s32(y + 2 * i, vadd_s32(vld1_s32(start + 2 * i), vreinterpret_s32_u32(two)));
    }
#else
    uint32_t sum[EDGEML_BITS_ROWS] = {0};
    for (size_t t = 0; t < times; t++) {
        for (size_t w = 0; w < words; w++, masks += 32) {
            const uint64_t x = edgeml_bits_word64(bits + 8 * w);
            EDGEML_UNROLL
            for (size_t r = 0; r < EDGEML_BITS_ROWS; r++) {
                const uint64_t any = masks[2 * r] | (uint64_t)masks[2 * r + 1] << 32;
                const uint64_t minus = masks[16 + 2 * r] | (uint64_t)masks[17 + 2 * r] << 32;
                sum[r] += edgeml_bits_ones((x ^ minus) & any);
            }
        }
    }
    for (size_t r = 0; r < EDGEML_BITS_ROWS; r++) {
        y[r] = (int32_t)((uint32_t)start[r] + sum[r]);
    }
#endif
    return masks;
}

EDGEML_INLINE void edgeml_bits_rows(const uint8_t *bits, size_t words, size_t times, const uint32_t *masks,
                                    const int32_t *start, size_t blocks, int32_t *y)
{
    for (size_t b = 0; b < blocks; b++) {
        masks = edgeml_bits_eight_rows(bits, words, times, masks, start + EDGEML_BITS_ROWS * b,
                                       y + EDGEML_BITS_ROWS * b);
    }
}

#endif
