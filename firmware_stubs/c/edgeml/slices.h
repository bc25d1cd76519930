/* SPDX-License-Identifier: Apache-2.0 */
/* 512 samples at once, each in its own bit: a plane is 512 bits, word s % 8 of it has sample s at bit s / 8. Boolean
   functions of planes are generated (EDGEML_F and EDGEML_PLANE); here are the way in, from bytes, and the way out, to
   sums of 32 bits. Both go by rows of 64 bits, a row of each sample, that become columns: 64 tests of a sample's bytes,
   and eight bytes of sums. */
#ifndef EDGEML_SLICES_H
#define EDGEML_SLICES_H

#include "common.h"

#if defined(EDGEML_AVX512)
typedef __m512i edgeml_slice;
#elif defined(EDGEML_AVX2)
typedef __m256i edgeml_slice;
#elif defined(EDGEML_NEON)
typedef uint64x2_t edgeml_slice;
#else
typedef uint64_t edgeml_slice;
#endif

/* How many vectors a plane is. */
#define EDGEML_SLICES (64u / sizeof(edgeml_slice))
/* The planes around plane 256 n + 128, and plane 256 n + 128 + k of them: near to a pointer addresses are short. */
#define EDGEML_NEAR(n) (p + (256u * (n) + 128u) * EDGEML_SLICES)
#define EDGEML_PLANE(n, k) p##n[(k) * (int)EDGEML_SLICES]
/* Bit 4 a + 2 b + c of a code in two hexadecimal digits, for each bit of three words; of two of them alone as a pair. */
#if defined(EDGEML_AVX512)
#define EDGEML_F(code, a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x##code)
#else
#define EDGEML_F(code, a, b, c) edgeml_ternary_##code(a, b, c)
#endif
#define EDGEML_PAIR(code, a, b, c) edgeml_ternary_##code(a, b, c)
#define EDGEML_TERNARY(code, value)                                                                                    \
    EDGEML_INLINE edgeml_slice edgeml_ternary_##code(edgeml_slice a, edgeml_slice b, edgeml_slice c)                   \
    {                                                                                                                  \
        (void)a, (void)b, (void)c;                                                                                     \
        return value;                                                                                                  \
    }

/* Words of a plane; the rows of eight samples lie as one does. Planes from 64 rows to the next: rows that are written and
   read together would lie in the same set of a cache if those were 64. */
#define EDGEML_SLICES_WORDS 8u
#define EDGEML_SLICES_ROWS 65u

/* A stage of what turns 64 rows of 64 bits into columns: the upper halves of 2 * shift bits of `a` change places with
   the lower halves of `b`. mask: the lower halves. */
#if defined(EDGEML_AVX512)
#define EDGEML_SLICE_MASK(mask) _mm512_set1_epi64((int64_t)(mask))
#define EDGEML_SLICE_SWAP(a, b, shift, mask)                                                                           \
    do {                                                                                                               \
        const __m512i lower = EDGEML_SLICE_MASK(mask);                                                                 \
        const __m512i upper = _mm512_srli_epi64(a, shift);                                                             \
        a = _mm512_ternarylogic_epi64(lower, a, _mm512_slli_epi64(b, shift), 0xca);                                    \
        b = _mm512_ternarylogic_epi64(lower, upper, b, 0xca);                                                          \
    } while (0)
/* The same of whole bytes: each byte of the other halves takes the place of the one so far from it. */
#define EDGEML_SLICE_SWAP_BYTES(a, b, shift, mask)                                                                     \
    do {                                                                                                               \
        const __mmask64 lower = _mm512_movepi8_mask(EDGEML_SLICE_MASK(mask));                                          \
        const __m512i places = _mm512_set_epi64(EDGEML_SLICE_PLACES);                                                  \
        const __m512i change = _mm512_xor_si512(places, _mm512_set1_epi8((shift) / 8));                                \
        const __m512i before = a;                                                                                      \
        a = _mm512_mask_shuffle_epi8(a, ~lower, b, change);                                                            \
        b = _mm512_mask_shuffle_epi8(b, lower, before, change);                                                        \
    } while (0)
#define EDGEML_SLICE_PLACES                                                                                            \
    0x0f0e0d0c0b0a0908, 0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x0706050403020100, 0x0f0e0d0c0b0a0908,                \
        0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x0706050403020100
#else
#if defined(EDGEML_AVX2)
#define EDGEML_SLICE_MASK(mask) _mm256_set1_epi64x((int64_t)(mask))
#define EDGEML_SLICE_LEFT(a, shift) _mm256_slli_epi64(a, shift)
#define EDGEML_SLICE_RIGHT(a, shift) _mm256_srli_epi64(a, shift)
#elif defined(EDGEML_NEON)
#define EDGEML_SLICE_MASK(mask) vdupq_n_u64(mask)
#define EDGEML_SLICE_LEFT(a, shift) vshlq_n_u64(a, shift)
#define EDGEML_SLICE_RIGHT(a, shift) vshrq_n_u64(a, shift)
#else
#define EDGEML_SLICE_MASK(mask) (mask)
#define EDGEML_SLICE_LEFT(a, shift) ((a) << (shift))
#define EDGEML_SLICE_RIGHT(a, shift) ((a) >> (shift))
#endif
#define EDGEML_SLICE_SWAP(a, b, shift, mask)                                                                           \
    do {                                                                                                               \
        const edgeml_slice change = (EDGEML_SLICE_RIGHT(a, shift) ^ (b)) & EDGEML_SLICE_MASK(mask);                    \
        b ^= change;                                                                                                   \
        a ^= EDGEML_SLICE_LEFT(change, shift);                                                                         \
    } while (0)
#endif

#if !defined(EDGEML_AVX512)
#define EDGEML_SLICE_SWAP_BYTES EDGEML_SLICE_SWAP
#endif

/* Eight rows, so far apart, by three stages; `wide` is the largest shift, which rows i and i + 4 have. */
#define EDGEML_SLICE_EIGHT(swap, p, apart, wide, mask4, mask2, mask1)                                                  \
    do {                                                                                                               \
        edgeml_slice eight[8];                                                                                         \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 8; i++) {                                                                               \
            eight[i] = (p)[i * (apart)*EDGEML_SLICES];                                                                 \
        }                                                                                                              \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 4; i++) {                                                                               \
            swap(eight[i], eight[i + 4], wide, mask4);                                                                 \
        }                                                                                                              \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 4; i++) {                                                                               \
            swap(eight[i + i / 2 * 2], eight[i + i / 2 * 2 + 2], (wide) / 2, mask2);                                   \
        }                                                                                                              \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 8; i += 2) {                                                                            \
            swap(eight[i], eight[i + 1], (wide) / 4, mask1);                                                           \
        }                                                                                                              \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 8; i++) {                                                                               \
            (p)[i * (apart)*EDGEML_SLICES] = eight[i];                                                                 \
        }                                                                                                              \
    } while (0)

/* 64 planes' worth of rows to columns, in place: bit c of row r becomes bit r of row c, in each word of 64 bits. Rows go
   by eights: `some` of them are there of the rows, the others being 0, or are wanted of the columns. */
EDGEML_INLINE void edgeml_slices_turn_bytes(edgeml_slice *planes)
{
    for (size_t first = 0; first < 8 * EDGEML_SLICES; first++) {
        EDGEML_SLICE_EIGHT(EDGEML_SLICE_SWAP_BYTES, planes + first, 8u, 32, 0x00000000ffffffffu, 0x0000ffff0000ffffu,
                           0x00ff00ff00ff00ffu);
    }
}

EDGEML_INLINE void edgeml_slices_turn_bits(edgeml_slice *planes, size_t some)
{
    for (size_t first = 0; first < 8 * some; first += 8) {
        for (size_t slice = 0; slice < EDGEML_SLICES; slice++) {
            edgeml_slice *const row = planes + first * EDGEML_SLICES + slice;
            EDGEML_SLICE_EIGHT(EDGEML_SLICE_SWAP, row, 1u, 4, 0x0f0f0f0f0f0f0f0fu, 0x3333333333333333u,
                               0x5555555555555555u);
        }
    }
}

EDGEML_SEPARATE EDGEML_UNUSED void edgeml_slices_to_columns(edgeml_slice *planes, size_t some)
{
    edgeml_slices_turn_bytes(planes);
    edgeml_slices_turn_bits(planes, some);
}

EDGEML_SEPARATE EDGEML_UNUSED void edgeml_slices_to_rows(edgeml_slice *planes, size_t some)
{
    edgeml_slices_turn_bits(planes, some);
    edgeml_slices_turn_bytes(planes);
}

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
   eight of them are of bytes one behind the other. count: how many bytes there are behind x, at most 64. together:
   whether there are 64, and test t is of byte t. */
#if defined(EDGEML_AVX512)
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, int together, const uint8_t *place,                    \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        const __mmask64 there = count < 64 ? ((__mmask64)1 << count) - 1 : ~(__mmask64)0;                              \
        __m512i bytes = count < 64 ? _mm512_maskz_loadu_epi8(there, x) : _mm512_loadu_si512(x);                        \
        if (!together) {                                                                                               \
            bytes = _mm512_permutexvar_epi8(_mm512_loadu_si512(place), bytes);                                         \
        }                                                                                                              \
        return test512(bytes, _mm512_loadu_si512(operand));                                                            \
    }
#elif defined(EDGEML_AVX2)
#define EDGEML_AT_LEAST_256(x, t) _mm256_cmpeq_epi8(_mm256_max_epu8(x, t), x)
#define EDGEML_HAS_BIT_256(x, t) ~_mm256_cmpeq_epi8(_mm256_and_si256(x, t), _mm256_setzero_si256())
EDGEML_INLINE __m256i edgeml_slices_bytes(const uint8_t *x, int together, const uint8_t *place)
{
    if (together) {
        return _mm256_loadu_si256((const void *)(x + place[0]));
    }
    const __m128i low = _mm_loadl_epi64((const void *)(x + place[0]));
    const __m128i high = _mm_loadl_epi64((const void *)(x + place[16]));
    const __m128 lower = _mm_loadh_pi(_mm_castsi128_ps(low), (const void *)(x + place[8]));
    const __m128 upper = _mm_loadh_pi(_mm_castsi128_ps(high), (const void *)(x + place[24]));
    return _mm256_castps_si256(_mm256_insertf128_ps(_mm256_castps128_ps256(lower), upper, 1));
}
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, int together, const uint8_t *place,                    \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        uint64_t word = 0;                                                                                             \
        (void)count;                                                                                                   \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 64; i += 32) {                                                                          \
            const __m256i bytes = edgeml_slices_bytes(x, together, place + i);                                         \
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
#define EDGEML_SLICES_PART(test128, i)                                                                                 \
    test128(edgeml_slices_bytes(x, place + (i)), vld1q_u8(operand + (i)))
#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, int together, const uint8_t *place,                    \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        (void)count, (void)together;                                                                                   \
        return edgeml_slices_mask(EDGEML_SLICES_PART(test128, 0), EDGEML_SLICES_PART(test128, 16),                     \
                                  EDGEML_SLICES_PART(test128, 32), EDGEML_SLICES_PART(test128, 48));                   \
    }
#else
#define EDGEML_LOW_SEVEN 0x7f7f7f7f7f7f7f7fu
/* Bit 7 of each of eight bytes: whether it passes. */
#define EDGEML_AT_LEAST_64(x, t)                                                                                       \
    (((x) & ~(t)) | (~((x) ^ (t)) & (((x) | ~(uint64_t)EDGEML_LOW_SEVEN) - ((t)&EDGEML_LOW_SEVEN))))
#define EDGEML_NOT_ZERO_64(x) ((((x)&EDGEML_LOW_SEVEN) + EDGEML_LOW_SEVEN) | (x))
#define EDGEML_EQUAL_64(x, t) (~EDGEML_NOT_ZERO_64((x) ^ (t)))
#define EDGEML_HAS_BIT_64(x, t) EDGEML_NOT_ZERO_64((x) & (t))

#define EDGEML_SLICES_TEST(name, test512, test256, test128, test64)                                                    \
    EDGEML_INLINE uint64_t name(const uint8_t *x, size_t count, int together, const uint8_t *place,                    \
                                const uint8_t *operand)                                                                \
    {                                                                                                                  \
        uint64_t word = 0;                                                                                             \
        (void)count, (void)together;                                                                                   \
        EDGEML_UNROLL                                                                                                  \
        for (size_t i = 0; i < 64; i += 8) {                                                                           \
            const uint64_t bytes = edgeml_slices_all_bits(x + place[i]);                                               \
            const uint64_t against = edgeml_slices_all_bits(operand + i);                                              \
            const uint64_t passed = test64(bytes, against) >> 7 & 0x0101010101010101u;                                 \
            word |= (passed * 0x0102040810204080u >> 56) << i;                                                         \
        }                                                                                                              \
        return word;                                                                                                   \
    }
#endif
#endif

EDGEML_SLICES_TEST(edgeml_slices_levels, _mm512_cmpge_epu8_mask, EDGEML_AT_LEAST_256, vcgeq_u8, EDGEML_AT_LEAST_64)
EDGEML_SLICES_TEST(edgeml_slices_equalities, _mm512_cmpeq_epi8_mask, _mm256_cmpeq_epi8, vceqq_u8, EDGEML_EQUAL_64)
EDGEML_SLICES_TEST(edgeml_slices_bits, _mm512_test_epi8_mask, EDGEML_HAS_BIT_256, vtstq_u8, EDGEML_HAS_BIT_64)

/* Output o of sample s is base[o] + byte o % 8 of word s of the rows o / 8, as int32_t: y [samples][outputs]. */
#if defined(EDGEML_AVX512)
/* Up to sixteen outputs: those of eight samples are a few whole vectors, whose bytes are two permutations away. */
#define EDGEML_SLICES_PACKED 16u
EDGEML_INLINE void edgeml_slices_packed(const uint64_t *words, size_t outputs, const int32_t *base, size_t samples,
                                        int32_t *y)
{
    const __m512i step = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i bases = _mm512_maskz_loadu_epi32((__mmask16)((1u << outputs) - 1u), base);
    const __m512i first_bytes = _mm512_set1_epi32(255);
    const size_t vectors = (outputs + 1u) / 2u;
    __m512i place[8], start[8];
    __mmask64 low[8], high[8];
    EDGEML_UNROLL
    for (size_t k = 0; k < vectors; k++) {
        const __m512i at = _mm512_add_epi32(step, _mm512_set1_epi32((int)(16 * k)));
        /* at / outputs, of at < 128 */
        const __m512i factor = _mm512_set1_epi32((int)(65536u / outputs + 1u));
        const __m512i sample = _mm512_srli_epi32(_mm512_mullo_epi32(at, factor), 16);
        const __m512i o = _mm512_sub_epi32(at, _mm512_mullo_epi32(sample, _mm512_set1_epi32((int)outputs)));
        const __mmask16 behind = _mm512_cmpgt_epi32_mask(o, _mm512_set1_epi32(7));
        place[k] = _mm512_add_epi32(_mm512_slli_epi32(sample, 3), _mm512_and_si512(o, _mm512_set1_epi32(7)));
        start[k] = _mm512_permutexvar_epi32(o, bases);
        high[k] = _mm512_test_epi8_mask(_mm512_maskz_mov_epi32(behind, first_bytes), first_bytes);
        low[k] = _mm512_test_epi8_mask(_mm512_maskz_mov_epi32((__mmask16)~behind, first_bytes), first_bytes);
    }
    for (size_t first = 0; first < samples; first += 8, words += 8, y += 8 * outputs) {
        const size_t count = (samples - first < 8 ? samples - first : 8) * outputs;
        const __m512i sums = _mm512_loadu_si512(words);
        __m512i more = sums;
        if (outputs > 8) {
            more = _mm512_loadu_si512(words + EDGEML_SLICES_ROWS * EDGEML_SLICES_WORDS);
        }
        EDGEML_UNROLL
        for (size_t k = 0; k < vectors; k++) {
            __m512i value = _mm512_maskz_permutexvar_epi8(low[k], place[k], sums);
            if (outputs > 8) {
                value = _mm512_mask_permutexvar_epi8(value, high[k], place[k], more);
            }
            value = _mm512_add_epi32(value, start[k]);
            if (count >= 16 * k + 16) {
                _mm512_storeu_si512(y + 16 * k, value);
            } else if (count > 16 * k) {
                _mm512_mask_storeu_epi32(y + 16 * k, (__mmask16)((1u << (count - 16 * k)) - 1u), value);
            }
        }
    }
}
#endif

#if defined(EDGEML_AVX512) || defined(EDGEML_AVX2)
/* Eight at a time, sample after sample: what is written behind a sample's outputs is the next one's, or not at all. */
EDGEML_INLINE void edgeml_slices_unpacked(const uint64_t *words, size_t outputs, const int32_t *base, size_t samples,
                                          int32_t *y)
{
    const __m256i step = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    for (size_t sample = 0; sample < samples; sample++, words++, y += outputs) {
        EDGEML_UNROLL
        for (size_t o = 0; o < outputs; o += 8) {
            const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(outputs - o)), step);
            const __m128i bytes = _mm_loadl_epi64((const void *)(words + o * EDGEML_SLICES_ROWS));
            const __m256i start = _mm256_maskload_epi32((const void *)(base + o), there);
            const __m256i sums = _mm256_add_epi32(_mm256_cvtepu8_epi32(bytes), start);
            if (o + 8 <= outputs || (outputs >= 8 && sample + 1 < samples)) {
                _mm256_storeu_si256((void *)(y + o), sums);
            } else {
                _mm256_maskstore_epi32((void *)(y + o), there, sums);
            }
        }
    }
}
#else
EDGEML_INLINE void edgeml_slices_unpacked(const uint64_t *words, size_t outputs, const int32_t *base, size_t samples,
                                          int32_t *y)
{
    for (size_t sample = 0; sample < samples; sample++, words++, y += outputs) {
        EDGEML_UNROLL
        for (size_t o = 0; o < outputs; o++) {
            y[o] = base[o] + (int32_t)(words[o / 8 * EDGEML_SLICES_ROWS * EDGEML_SLICES_WORDS] >> o % 8 * 8 & 255u);
        }
    }
}
#endif

/* Sums whose bits are planes from p on, eight planes each, eight sums to 64 planes that are turned here: output o of
   sample s is base[o] + sum o. y [samples][outputs]. */
EDGEML_INLINE void edgeml_slices_sums(edgeml_slice *p, size_t outputs, const int32_t *base, size_t samples, int32_t *y)
{
    const uint64_t *const words = (const uint64_t *)(const void *)p;
    for (size_t first = 0; first < outputs; first += 8) {
        edgeml_slices_to_rows(p + first / 8 * EDGEML_SLICES_ROWS * EDGEML_SLICES, outputs - first < 8 ? outputs - first : 8);
    }
#if defined(EDGEML_AVX512)
    if (outputs <= EDGEML_SLICES_PACKED) {
        edgeml_slices_packed(words, outputs, base, samples, y);
        return;
    }
#endif
    edgeml_slices_unpacked(words, outputs, base, samples, y);
}

/* The same for sums of more than eight bits: of `bytes` bytes each, one behind the other. */
EDGEML_INLINE void edgeml_slices_long_sums(edgeml_slice *p, size_t outputs, size_t bytes, const int32_t *base,
                                           size_t samples, int32_t *y)
{
    const uint64_t *const words = (const uint64_t *)(const void *)p;
    const size_t places = outputs * bytes;
    for (size_t first = 0; first < places; first += 8) {
        edgeml_slices_to_rows(p + first / 8 * EDGEML_SLICES_ROWS * EDGEML_SLICES, places - first < 8 ? places - first : 8);
    }
    for (size_t sample = 0; sample < samples; sample++) {
        for (size_t o = 0; o < outputs; o++) {
            uint32_t sum = (uint32_t)base[o];
            for (size_t place = o * bytes; place < o * bytes + bytes; place++) {
                const uint64_t word = words[place / 8 * EDGEML_SLICES_ROWS * EDGEML_SLICES_WORDS + sample];
                sum += (uint32_t)(word >> place % 8 * 8 & 255u) << (place - o * bytes) * 8;
            }
            y[sample * outputs + o] = (int32_t)sum;
        }
    }
}

#endif
