/* SPDX-License-Identifier: Apache-2.0 */
/* 512 samples at once, each in its own bit: a plane is 512 bits, word s % 8 of it has sample s at bit s / 8. Boolean
   functions of planes are generated (EDGEML_F and EDGEML_PLANE). The way in, from bytes (slice_tests.h), and the way
   out, to sums of 32 bits (slice_sums.h), go by rows of 64 bits, a row of each sample, that become columns here. */
#ifndef EDGEML_SLICES_H
#define EDGEML_SLICES_H

#include "common.h"

/* Vectors of 16 bytes that the compiler itself makes instructions of. Define EDGEML_SCALAR to leave them out, too. */
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON)) && !defined(EDGEML_SCALAR)
#define EDGEML_VECTORS 1
#endif

#if defined(EDGEML_AVX512)
typedef __m512i edgeml_slice;
#elif defined(EDGEML_AVX2)
typedef __m256i edgeml_slice;
#elif defined(EDGEML_NEON)
typedef uint64x2_t edgeml_slice;
#elif defined(EDGEML_VECTORS)
typedef uint64_t edgeml_slice __attribute__((vector_size(16), may_alias));
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
#define EDGEML_SLICE_ZERO _mm512_setzero_si512()
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
#define EDGEML_SLICE_ZERO _mm256_setzero_si256()
#define EDGEML_SLICE_MASK(mask) _mm256_set1_epi64x((int64_t)(mask))
#define EDGEML_SLICE_LEFT(a, shift) _mm256_slli_epi64(a, shift)
#define EDGEML_SLICE_RIGHT(a, shift) _mm256_srli_epi64(a, shift)
#elif defined(EDGEML_NEON)
#define EDGEML_SLICE_ZERO vdupq_n_u64(0)
#define EDGEML_SLICE_MASK(mask) vdupq_n_u64(mask)
#define EDGEML_SLICE_LEFT(a, shift) vshlq_n_u64(a, shift)
#define EDGEML_SLICE_RIGHT(a, shift) vshrq_n_u64(a, shift)
#else
#define EDGEML_SLICE_ZERO ((edgeml_slice){0})
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

/* 64 planes' worth of rows to columns, in place: bit c of row r becomes bit r of row c, in each word of 64 bits. Bits
   go by eights: those whose bit is in `eights` are there of the rows, or are wanted of the columns. */
EDGEML_INLINE void edgeml_slices_turn_bytes(edgeml_slice *planes)
{
    for (size_t first = 0; first < 8 * EDGEML_SLICES; first++) {
        EDGEML_SLICE_EIGHT(EDGEML_SLICE_SWAP_BYTES, planes + first, 8u, 32, 0x00000000ffffffffu, 0x0000ffff0000ffffu,
                           0x00ff00ff00ff00ffu);
    }
}

EDGEML_INLINE void edgeml_slices_turn_bits(edgeml_slice *planes, unsigned eights)
{
    for (; eights; eights >>= 1, planes += 8 * EDGEML_SLICES) {
        for (size_t slice = 0; (eights & 1u) && slice < EDGEML_SLICES; slice++) {
            EDGEML_SLICE_EIGHT(EDGEML_SLICE_SWAP, planes + slice, 1u, 4, 0x0f0f0f0f0f0f0f0fu, 0x3333333333333333u,
                               0x5555555555555555u);
        }
    }
}

EDGEML_SEPARATE EDGEML_UNUSED void edgeml_slices_to_columns(edgeml_slice *planes, unsigned eights)
{
    edgeml_slices_turn_bytes(planes);
    edgeml_slices_turn_bits(planes, eights);
}

EDGEML_SEPARATE EDGEML_UNUSED void edgeml_slices_to_rows(edgeml_slice *planes, unsigned eights)
{
    edgeml_slices_turn_bits(planes, eights);
    edgeml_slices_turn_bytes(planes);
}

#endif
