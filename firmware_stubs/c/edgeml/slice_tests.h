/* SPDX-License-Identifier: Apache-2.0 */
/* The way into planes of bits: 64 tests of a sample's bytes are a row of 64 bits. */
#ifndef EDGEML_SLICE_TESTS_H
#define EDGEML_SLICE_TESTS_H

#include "slices.h"

/* Asks for the lines of a long row before it is read. */
EDGEML_INLINE void edgeml_slices_ahead(const void *row, size_t size)
{
#if defined(__GNUC__) || defined(__clang__)
    EDGEML_UNROLL
    for (size_t i = 0; i < size; i += 64) {
        __builtin_prefetch((const uint8_t *)row + i);
    }
#else
    (void)row, (void)size;
#endif
}

/* All bits of eight bytes. */
EDGEML_INLINE uint64_t edgeml_slices_all_bits(const uint8_t *x)
{
    return (uint64_t)x[0] | (uint64_t)x[1] << 8 | (uint64_t)x[2] << 16 | (uint64_t)x[3] << 24 | (uint64_t)x[4] << 32 |
           (uint64_t)x[5] << 40 | (uint64_t)x[6] << 48 | (uint64_t)x[7] << 56;
}

/* 64 tests of the bytes of a row: test t, a bit of the result, is of byte `place[t]` behind x against operand[t]. Each
   eight of them are of bytes one behind the other, and only so many `eights` are looked at. count: how many bytes there
   are behind x, at most 64. together: whether there are 64, and test t is of byte t. */
#if defined(EDGEML_AVX512)
/* Where bytes are moved first, a comparison would take the same part of the processor. */
#define EDGEML_LOW_LEVELS_512(x, c, together)                                                                          \
    ((together) ? _mm512_cmpge_epu8_mask(x, _mm512_sub_epi8(_mm512_set1_epi8(-128), c))                                \
                : _mm512_movepi8_mask(_mm512_adds_epu8(x, c)))
#define EDGEML_LEVELS_512(x, t, together) _mm512_cmpge_epu8_mask(x, t)
#define EDGEML_HAS_BIT_512(x, c, together) _mm512_test_epi8_mask(x, c)
#define EDGEML_EQUAL_512(x, c, together) _mm512_cmpeq_epi8_mask(x, c)
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, size_t eights, int together, const uint8_t *place,     \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        const __mmask64 there = count < 64 ? ((__mmask64)1 << count) - 1 : ~(__mmask64)0;                              \
        const __m512i against = _mm512_loadu_si512(operand);                                                           \
        __m512i bytes = count < 64 ? _mm512_maskz_loadu_epi8(there, x) : _mm512_loadu_si512(x);                        \
        (void)eights;                                                                                                  \
        if (!together) {                                                                                               \
            bytes = _mm512_permutexvar_epi8(_mm512_loadu_si512(place), bytes);                                         \
        }                                                                                                              \
        return test512(bytes, against, together);                                                                      \
    }
#elif defined(EDGEML_AVX2)
#define EDGEML_LEVELS_256(x, t) _mm256_cmpeq_epi8(_mm256_max_epu8(x, t), x)
#define EDGEML_HAS_BIT_256(x, t) ~_mm256_cmpeq_epi8(_mm256_and_si256(x, t), _mm256_setzero_si256())
/* Four eights, which may lie one behind the other, or be the same one. */
EDGEML_INLINE __m256i edgeml_slices_bytes(const uint8_t *x, const uint8_t *place)
{
    if (place[8] == place[0] + 8 && place[16] == place[0] + 16 && place[24] == place[0] + 24) {
        return _mm256_loadu_si256((const void *)(x + place[0]));
    }
    const __m256i a = _mm256_broadcastq_epi64(_mm_loadl_epi64((const void *)(x + place[0])));
    const __m256i b = _mm256_broadcastq_epi64(_mm_loadl_epi64((const void *)(x + place[8])));
    const __m256i c = _mm256_broadcastq_epi64(_mm_loadl_epi64((const void *)(x + place[16])));
    if (place[8] == place[0] && place[16] == place[0] && place[24] == place[0]) {
        return a;
    }
    const __m256i d = _mm256_broadcastq_epi64(_mm_loadl_epi64((const void *)(x + place[24])));
    return _mm256_blend_epi32(_mm256_blend_epi32(a, b, 0x0c), _mm256_blend_epi32(c, d, 0xc0), 0xf0);
}
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, size_t eights, int together, const uint8_t *place,     \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        uint64_t word = 0;                                                                                             \
        (void)count, (void)together;                                                                                   \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 8 * eights; i += 32) {                                                                  \
            const __m256i bytes = edgeml_slices_bytes(x, place + i);                                         \
            const __m256i passed = test256(bytes, _mm256_loadu_si256((const void *)(operand + i)));                    \
            word |= (uint64_t)(uint32_t)_mm256_movemask_epi8(passed) << i;                                             \
        }                                                                                                              \
        return word;                                                                                                   \
    }
#else
#if defined(EDGEML_NEON)
/* The highest bits of 64 bytes. */
EDGEML_INLINE uint64_t edgeml_slices_mask(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t place = vld1q_u8(places);
    const uint8x16_t ab = vpaddq_u8(vandq_u8(a, place), vandq_u8(b, place));
    const uint8x16_t cd = vpaddq_u8(vandq_u8(c, place), vandq_u8(d, place));
    const uint8x16_t all = vpaddq_u8(ab, cd);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}
EDGEML_INLINE uint8x16_t edgeml_slices_bytes(const uint8_t *x, const uint8_t *place)
{
    return vcombine_u8(vld1_u8(x + place[0]), vld1_u8(x + place[8]));
}
#define EDGEML_LOW_LEVELS_128(x, c) vcgeq_u8(x, vsubq_u8(vdupq_n_u8(128), c))
#define EDGEML_SLICES_PART(test128, i)                                                                                 \
    test128(edgeml_slices_bytes(x, place + (i)), vld1q_u8(operand + (i)))
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, size_t eights, int together, const uint8_t *place,     \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        (void)count, (void)eights, (void)together;                                                                     \
        return edgeml_slices_mask(EDGEML_SLICES_PART(test128, 0), EDGEML_SLICES_PART(test128, 16),                     \
                                  EDGEML_SLICES_PART(test128, 32), EDGEML_SLICES_PART(test128, 48));                   \
    }
#else
#if defined(EDGEML_VECTORS)
/* Bytes of two eights as one of the compiler's vectors; what passes is all ones. */
typedef uint8_t edgeml_sixteen __attribute__((vector_size(16)));
#define EDGEML_LOW_LEVELS_64(x, c) ((x) >= 128 - (c))
#define EDGEML_LEVELS_64(x, t) ((x) >= (t))
#define EDGEML_EQUAL_64(x, t) ((x) == (t))
#define EDGEML_HAS_BIT_64(x, t) (((x) & (t)) != 0)
typedef uint64_t edgeml_two_eights __attribute__((vector_size(16)));
EDGEML_INLINE edgeml_sixteen edgeml_slices_sixteen(const uint8_t *low, const uint8_t *high)
{
    uint64_t a, b;
    __builtin_memcpy(&a, low, 8);
    __builtin_memcpy(&b, high, 8);
    return (edgeml_sixteen)(edgeml_two_eights){a, b};
}
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, size_t eights, int together, const uint8_t *place,     \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        const edgeml_sixteen bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};                         \
        uint64_t word = 0;                                                                                             \
        (void)count, (void)together;                                                                                   \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 8 * eights; i += 16) {                                                                  \
            const edgeml_sixteen bytes = edgeml_slices_sixteen(x + place[i], x + place[i + 8]);                        \
            const edgeml_sixteen against = edgeml_slices_sixteen(operand + i, operand + i + 8);                        \
            const edgeml_sixteen passed = (edgeml_sixteen)(test64(bytes, against)) & bit;                              \
            const edgeml_two_eights sums = (edgeml_two_eights)passed;                                                  \
            word |= (sums[0] * 0x0101010101010101u >> 56) << i;                                                        \
            word |= (sums[1] * 0x0101010101010101u >> 56) << (i + 8);                                                  \
        }                                                                                                              \
        return word;                                                                                                   \
    }
#else
#define EDGEML_LOW_SEVEN 0x7f7f7f7f7f7f7f7fu
/* Bit 7 of each of eight bytes: whether it passes. */
#define EDGEML_LOW_LEVELS_64(x, c) ((((x)&EDGEML_LOW_SEVEN) + (c)) | (x))
#define EDGEML_LEVELS_64(x, t)                                                                                         \
    (((x) & ~(t)) | (~((x) ^ (t)) & (((x) | ~(uint64_t)EDGEML_LOW_SEVEN) - ((t)&EDGEML_LOW_SEVEN))))
#define EDGEML_NOT_ZERO_64(x) ((((x)&EDGEML_LOW_SEVEN) + EDGEML_LOW_SEVEN) | (x))
#define EDGEML_EQUAL_64(x, t) (~EDGEML_NOT_ZERO_64((x) ^ (t)))
#define EDGEML_HAS_BIT_64(x, t) EDGEML_NOT_ZERO_64((x) & (t))

#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, size_t eights, int together, const uint8_t *place,     \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        uint64_t word = 0;                                                                                             \
        (void)count, (void)together;                                                                                   \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 8 * eights; i += 8) {                                                                   \
            const uint64_t bytes = edgeml_slices_all_bits(x + place[i]);                                               \
            const uint64_t against = edgeml_slices_all_bits(operand + i);                                              \
            const uint64_t passed = test64(bytes, against) >> 7 & 0x0101010101010101u;                                 \
            word |= (passed * 0x0102040810204080u >> 56) << i;                                                         \
        }                                                                                                              \
        return word;                                                                                                   \
    }
#endif
#endif
#endif

/* Levels up to 128, of which the operand is what is left up to there. */
EDGEML_SLICES_TEST(edgeml_slices_low_levels, EDGEML_LOW_LEVELS_512, _mm256_adds_epu8, EDGEML_LOW_LEVELS_128,
                   EDGEML_LOW_LEVELS_64)
EDGEML_SLICES_TEST(edgeml_slices_levels, EDGEML_LEVELS_512, EDGEML_LEVELS_256, vcgeq_u8, EDGEML_LEVELS_64)
EDGEML_SLICES_TEST(edgeml_slices_equalities, EDGEML_EQUAL_512, _mm256_cmpeq_epi8, vceqq_u8, EDGEML_EQUAL_64)
EDGEML_SLICES_TEST(edgeml_slices_bits, EDGEML_HAS_BIT_512, EDGEML_HAS_BIT_256, vtstq_u8, EDGEML_HAS_BIT_64)

#endif
