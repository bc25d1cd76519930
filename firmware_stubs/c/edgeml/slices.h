/* SPDX-License-Identifier: Apache-2.0 */
/* 512 samples at once, each in its own bit: a plane is 512 bits, word s / 64 of it has sample s at bit s % 64. Boolean
   functions of planes are generated (EDGEML_F and EDGEML_PLANE); here are the way in, from bytes, and the way out, to
   sums of 32 bits. */
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
/* Bit 4 a + 2 b + c of a code in two hexadecimal digits, for each bit of three words. */
#if defined(EDGEML_AVX512)
#define EDGEML_F(code, a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x##code)
#else
#define EDGEML_F(code, a, b, c) edgeml_ternary_##code(a, b, c)
#define EDGEML_TERNARY(code, value)                                                                                    \
    EDGEML_INLINE edgeml_slice edgeml_ternary_##code(edgeml_slice a, edgeml_slice b, edgeml_slice c)                   \
    {                                                                                                                  \
        (void)a, (void)b, (void)c;                                                                                     \
        return value;                                                                                                  \
    }
#endif

/* Sixteen bytes in each lane of 128 bits, of rows i and i + 8 in turn; bytes that are larger than one, as that one. */
#if defined(EDGEML_AVX512)
#define EDGEML_LESS(a, most) _mm512_min_epu8(a, _mm512_set1_epi8((char)(most)))
#define EDGEML_LOWER(a, b) _mm512_unpacklo_epi8(a, b)
#define EDGEML_UPPER(a, b) _mm512_unpackhi_epi8(a, b)
#elif defined(EDGEML_AVX2)
#define EDGEML_LESS(a, most) _mm256_min_epu8(a, _mm256_set1_epi8((char)(most)))
#define EDGEML_LOWER(a, b) _mm256_unpacklo_epi8(a, b)
#define EDGEML_UPPER(a, b) _mm256_unpackhi_epi8(a, b)
#elif defined(EDGEML_NEON)
#define EDGEML_LESS(a, most) vreinterpretq_u64_u8(vminq_u8(vreinterpretq_u8_u64(a), vdupq_n_u8(most)))
#define EDGEML_LOWER(a, b) vreinterpretq_u64_u8(vzip1q_u8(vreinterpretq_u8_u64(a), vreinterpretq_u8_u64(b)))
#define EDGEML_UPPER(a, b) vreinterpretq_u64_u8(vzip2q_u8(vreinterpretq_u8_u64(a), vreinterpretq_u8_u64(b)))
#endif

#if defined(EDGEML_LOWER)
/* The bytes of a lane of 16 rows become its columns: four times, rows i and i + 8 byte by byte in turn. */
EDGEML_INLINE void edgeml_slices_turn(edgeml_slice row[16])
{
    EDGEML_UNROLL
    for (size_t turn = 0; turn < 4; turn++) {
        edgeml_slice next[16];
        EDGEML_UNROLL
        for (size_t i = 0; i < 8; i++) {
            next[2 * i] = EDGEML_LOWER(row[i], row[i + 8]);
            next[2 * i + 1] = EDGEML_UPPER(row[i], row[i + 8]);
        }
        EDGEML_UNROLL
        for (size_t i = 0; i < 16; i++) {
            row[i] = next[i];
        }
    }
}

/* Lane l: 16 bytes of the row 16 l below x. */
EDGEML_INLINE edgeml_slice edgeml_slices_row(const uint8_t *x, size_t stride)
{
#if defined(EDGEML_AVX512)
    __m512i row = _mm512_castsi128_si512(_mm_loadu_si128((const void *)x));
    row = _mm512_inserti64x2(row, _mm_loadu_si128((const void *)(x + 16 * stride)), 1);
    row = _mm512_inserti64x2(row, _mm_loadu_si128((const void *)(x + 32 * stride)), 2);
    return _mm512_inserti64x2(row, _mm_loadu_si128((const void *)(x + 48 * stride)), 3);
#elif defined(EDGEML_AVX2)
    const __m256i row = _mm256_castsi128_si256(_mm_loadu_si128((const void *)x));
    return _mm256_inserti128_si256(row, _mm_loadu_si128((const void *)(x + 16 * stride)), 1);
#else
    (void)stride;
    return vreinterpretq_u64_u8(vld1q_u8(x));
#endif
}
#endif

/* The bytes of each channel of 64 samples, but never more than `most`: x [64][stride] to columns [channels][64].
   Channels come in sixteens. */
EDGEML_INLINE void edgeml_slices_columns(const uint8_t *x, size_t stride, size_t channels, uint8_t most,
                                         uint8_t *columns)
{
#if defined(EDGEML_LOWER)
    for (size_t sample = 0; sample < 64; sample += sizeof(edgeml_slice)) {
        for (size_t first = 0; first < channels; first += 16) {
            const uint8_t *const from = x + sample * stride + first;
            edgeml_slice row[16];
            EDGEML_UNROLL
            for (size_t i = 0; i < 16; i++) {
                row[i] = edgeml_slices_row(from + i * stride, stride);
            }
            edgeml_slices_turn(row);
            EDGEML_UNROLL
            for (size_t i = 0; i < 16; i++) {
                const edgeml_slice column = most < 255u ? EDGEML_LESS(row[i], most) : row[i];
                *(edgeml_slice *)(void *)(columns + (first + i) * 64 + sample) = column;
            }
        }
    }
#else
    for (size_t channel = 0; channel < channels; channel++) {
        for (size_t sample = 0; sample < 64; sample++) {
            const uint8_t value = x[sample * stride + channel];
            columns[channel * 64 + sample] = value < most ? value : most;
        }
    }
#endif
}

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
#endif

/* Word `group` of a plane for each of `count` bits: whether column source[j] passes a test against operand[j], a byte
   four times. */
#if defined(EDGEML_AVX512)
#define EDGEML_SLICES_WORD(test512, test256, testq, test)                                                              \
    test512(_mm512_load_si512(column), _mm512_set1_epi32((int32_t)operand[j]))
#elif defined(EDGEML_AVX2)
#define EDGEML_SLICES_WORD(test512, test256, testq, test)                                                              \
    edgeml_slices_mask(test256(_mm256_load_si256((const void *)column), _mm256_set1_epi32((int32_t)operand[j])),       \
                       test256(_mm256_load_si256((const void *)(column + 32)), _mm256_set1_epi32((int32_t)operand[j])))
EDGEML_INLINE uint64_t edgeml_slices_mask(__m256i low, __m256i high)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 | (uint32_t)_mm256_movemask_epi8(low);
}
#elif defined(EDGEML_NEON)
#define EDGEML_SLICES_WORD(test512, test256, testq, test)                                                              \
    edgeml_slices_mask(testq(vld1q_u8(column), vdupq_n_u8((uint8_t)operand[j])),                                       \
                       testq(vld1q_u8(column + 16), vdupq_n_u8((uint8_t)operand[j])),                                  \
                       testq(vld1q_u8(column + 32), vdupq_n_u8((uint8_t)operand[j])),                                  \
                       testq(vld1q_u8(column + 48), vdupq_n_u8((uint8_t)operand[j])))
#else
#define EDGEML_SLICES_WORD(test512, test256, testq, test) edgeml_##test(column, (uint8_t)operand[j])
#define EDGEML_SLICES_BYTES(name, sign)                                                                                \
    EDGEML_INLINE uint64_t name(const uint8_t *column, uint8_t operand)                                                \
    {                                                                                                                  \
        uint64_t word = 0;                                                                                             \
        for (size_t s = 0; s < 64; s++) {                                                                              \
            word |= (uint64_t)((column[s] sign operand) != 0) << s;                                                    \
        }                                                                                                              \
        return word;                                                                                                   \
    }
EDGEML_SLICES_BYTES(edgeml_at_least, >=)
EDGEML_SLICES_BYTES(edgeml_equal, ==)
EDGEML_SLICES_BYTES(edgeml_has_bit, &)
#endif
#define EDGEML_SLICES_TEST(name, test512, test256, testq, test)                                                        \
    EDGEML_INLINE void name(const uint8_t *columns, const uint32_t *source, const uint32_t *operand, size_t count,     \
                            size_t group, edgeml_slice *planes)                                                        \
    {                                                                                                                  \
        uint64_t *const words = (uint64_t *)(void *)planes + group;                                                    \
        EDGEML_UNROLL_BY_4                                                                                             \
        for (size_t j = 0; j < count; j++) {                                                                           \
            const uint8_t *const column = columns + (size_t)source[j] * 64;                                            \
            words[8 * j] = EDGEML_SLICES_WORD(test512, test256, testq, test);                                          \
        }                                                                                                              \
    }
#define EDGEML_AT_LEAST_256(x, t) _mm256_cmpeq_epi8(_mm256_max_epu8(x, t), x)
#define EDGEML_HAS_BIT_256(x, t) _mm256_cmpeq_epi8(_mm256_and_si256(x, t), t)

EDGEML_SLICES_TEST(edgeml_slices_levels, _mm512_cmpge_epu8_mask, EDGEML_AT_LEAST_256, vcgeq_u8, at_least)
EDGEML_SLICES_TEST(edgeml_slices_equalities, _mm512_cmpeq_epi8_mask, _mm256_cmpeq_epi8, vceqq_u8, equal)
EDGEML_SLICES_TEST(edgeml_slices_bits, _mm512_test_epi8_mask, EDGEML_HAS_BIT_256, vtstq_u8, has_bit)

/* Bits 0 ... 7 of a byte as bytes. */
EDGEML_INLINE uint64_t edgeml_slices_spread(uint64_t byte)
{
    const uint64_t bits = byte * 0x0101010101010101u & 0x8040201008040201u;
    return (bits + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
}

/* Sums whose bits are planes: output o of sample s is base[o] plus the number of bits[o] planes from first[o] on.
   y [samples][outputs]. */
EDGEML_INLINE void edgeml_slices_sums_any(const edgeml_slice *planes, const uint32_t *first, const uint8_t *bits,
                                          const int32_t *base, size_t outputs, size_t samples, int32_t *y)
{
    for (size_t o = 0; o < outputs; o++) {
        const uint64_t *const plane = (const uint64_t *)(const void *)(planes + first[o] * EDGEML_SLICES);
        for (size_t eight = 0; 8 * eight < samples; eight++) {
            const size_t group = eight / 8, shift = eight % 8 * 8;
            const size_t left = samples - 8 * eight < 8 ? samples - 8 * eight : 8;
            int32_t *const to = y + 8 * eight * outputs + o;
            for (size_t s = 0; s < left; s++) {
                to[s * outputs] = base[o];
            }
            for (size_t b = 0; b < bits[o]; b += 8) {
                uint64_t sum = 0;
                for (size_t k = b; k < bits[o] && k < b + 8; k++) {
                    sum += edgeml_slices_spread(plane[8 * k + group] >> shift & 255u) << (k - b);
                }
                for (size_t s = 0; s < left; s++) {
                    to[s * outputs] += (int32_t)((uint32_t)(sum >> 8 * s & 255u) << b);
                }
            }
        }
    }
}

/* The same where no sum has more than 8 bits. */
EDGEML_INLINE void edgeml_slices_sums(const edgeml_slice *planes, const uint32_t *first, const uint8_t *bits,
                                      const int32_t *base, size_t outputs, size_t samples, int32_t *y)
{
#if defined(EDGEML_AVX512)
    for (size_t o = 0; o < outputs; o += 16) {
        const size_t some = outputs - o < 16 ? outputs - o : 16;
        const __mmask16 taken = (__mmask16)((1u << some) - 1u);
        const __m512i bases = _mm512_maskz_loadu_epi32(taken, base + o);
        for (size_t group = 0; 64 * group < samples; group++) {
            __m512i row[16];
            for (size_t i = 0; i < 16; i++) {
                row[i] = _mm512_setzero_si512();
                for (size_t k = 0; i < some && k < bits[o + i]; k++) {
                    const uint64_t *const plane = (const uint64_t *)(const void *)(planes + first[o + i] + k);
                    row[i] = _mm512_mask_add_epi8(row[i], plane[group], row[i], _mm512_set1_epi8((char)(1u << k)));
                }
            }
            edgeml_slices_turn(row);
            for (size_t i = 0; i < 16; i++) {
                uint8_t bytes[64];
                _mm512_storeu_si512(bytes, row[i]);
                for (size_t sample = 64 * group + i; sample < 64 * group + 64 && sample < samples; sample += 16) {
                    const __m128i values = _mm_loadu_si128((const void *)(bytes + (sample - 64 * group - i)));
                    const __m512i sum = _mm512_add_epi32(_mm512_cvtepu8_epi32(values), bases);
                    _mm512_mask_storeu_epi32(y + sample * outputs + o, taken, sum);
                }
            }
        }
    }
#else
    edgeml_slices_sums_any(planes, first, bits, base, outputs, samples, y);
#endif
}

#endif
