/* SPDX-License-Identifier: Apache-2.0 */
/* How the outputs of a dense layer lie in blocks of vectors of 16 lanes of 32 bits.

   A block has four vectors; the last block may have one, two or four. Lane l of vector m of a block of n vectors is
   output 16 m + l of the block, or, where sums are packed to bytes afterwards (spread), output
   4 n (l / 4) + 4 m + l % 4: packing instructions then leave the outputs in order. */
#ifndef EDGEML_BLOCKS_H
#define EDGEML_BLOCKS_H

#include "common.h"

/* Four bytes as one word. */
EDGEML_INLINE int32_t edgeml_word(const uint8_t *bytes)
{
#if defined(__GNUC__) || defined(__clang__)
    typedef int32_t __attribute__((may_alias, aligned(1))) word;
    return *(const word *)(const void *)bytes;
#else
    union {
        uint8_t bytes[4];
        int32_t word;
    } value = {{bytes[0], bytes[1], bytes[2], bytes[3]}};
    return value.word;
#endif
}

/* Which output of the block begins quarter i (lanes 4 i ... 4 i + 3) of vector m. */
EDGEML_INLINE size_t edgeml_quarter(size_t i, size_t m, size_t vectors, int spread)
{
    return spread ? 4 * vectors * i + 4 * m : 16 * m + 4 * i;
}

#if defined(EDGEML_AVX2)
EDGEML_INLINE __m256i edgeml_load256(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

/* Stores two quarters of a vector, i and i + 1. */
EDGEML_INLINE void edgeml_store_quarters(__m256i lanes, size_t i, size_t m, size_t vectors, int spread, int32_t *sum)
{
    int32_t *const first = sum + edgeml_quarter(i, m, vectors, spread);
    int32_t *const second = sum + edgeml_quarter(i + 1, m, vectors, spread);
    _mm_storeu_si128((__m128i *)(void *)first, _mm256_castsi256_si128(lanes));
    _mm_storeu_si128((__m128i *)(void *)second, _mm256_extracti128_si256(lanes, 1));
}
#endif

#endif
