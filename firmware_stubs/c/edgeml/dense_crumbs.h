/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 2-bit weights, four to a byte, on inputs of up to 8 bits.
   weight: for each block [16 inputs][vector][16 lanes][4 bytes]; bits 2 j and 2 j + 1 of byte t hold weight + 2 of
   input 4 j + t. Blocks, lanes and quarters: blocks.h. What the codes are too large by is twice the sum of
   the inputs. */
#ifndef EDGEML_DENSE_CRUMBS_H
#define EDGEML_DENSE_CRUMBS_H

#include "blocks.h"

#if defined(EDGEML_AVX512)

/* The sums of one block for so many samples: sum [sample][vector]. Fields are multiplied where they stand: field j is
   4^j times too large and summed apart. The highest is made signed, as the multiplier takes weights as signed. */
EDGEML_INLINE void edgeml_crumbs_block(const uint8_t *x, size_t x_stride, const uint8_t *weight, const int32_t *start,
                                       size_t sixteens, size_t vectors, size_t samples, __m512i *sum)
{
    const __m512i field0 = _mm512_set1_epi8(0x03);
    const __m512i field1 = _mm512_set1_epi8(0x0c);
    const __m512i field2 = _mm512_set1_epi8(0x30);
    const __m512i field3 = _mm512_set1_epi8((char)0xc0);
    const __m512i sign = _mm512_set1_epi8((char)0x80);
    /* -2 for the inputs of fields 0, 1 and 2 */
    const __m512i minus_twice = _mm512_maskz_set1_epi32(0x7777, (int)0xfefefefeu);
    const size_t together = samples > 1 ? 1 : vectors; /* vectors at a time: 16 sums fit the registers */
    __m512i offset[4];
    EDGEML_UNROLL
    for (size_t s = 0; s < samples; s++) {
        __m512i excess = _mm512_setzero_si512();
        EDGEML_UNROLL_BY_4
        for (size_t g = 0; g < sixteens; g += 4) {
            excess = _mm512_dpbusd_epi32(excess, _mm512_loadu_si512(x + s * x_stride + g * 16), minus_twice);
        }
        offset[s] = _mm512_set1_epi32(_mm512_reduce_add_epi32(excess));
    }
    EDGEML_UNROLL
    for (size_t first = 0; first < vectors; first += together) {
        __m512i part[16]; /* [field][sample][vector] */
        EDGEML_UNROLL
        for (size_t i = 0; i < 16; i++) {
            part[i] = _mm512_setzero_si512();
        }
        for (size_t g = 0; g < sixteens; g++) {
            EDGEML_UNROLL
            for (size_t m = 0; m < together; m++) {
                const __m512i w = _mm512_loadu_si512(weight + (g * vectors + first + m) * 64);
                const __m512i w0 = _mm512_and_si512(w, field0);
                const __m512i w1 = _mm512_and_si512(w, field1);
                const __m512i w2 = _mm512_and_si512(w, field2);
                const __m512i w3 = _mm512_ternarylogic_epi32(w, field3, sign, 0x6a); /* (w & field3) ^ sign */
                EDGEML_UNROLL
                for (size_t s = 0; s < samples; s++) {
                    const uint8_t *const in = x + s * x_stride + g * 16;
                    __m512i *const p = part + s * together + m;
                    p[0] = _mm512_dpbusd_epi32(p[0], _mm512_set1_epi32(edgeml_word(in)), w0);
                    p[4] = _mm512_dpbusd_epi32(p[4], _mm512_set1_epi32(edgeml_word(in + 4)), w1);
                    p[8] = _mm512_dpbusd_epi32(p[8], _mm512_set1_epi32(edgeml_word(in + 8)), w2);
                    p[12] = _mm512_dpbusd_epi32(p[12], _mm512_set1_epi32(edgeml_word(in + 12)), w3);
                }
            }
            EDGEML_UNROLL
            for (size_t i = 0; i < 16; i++) {
                EDGEML_IN_PLACE(part[i]);
            }
        }
        EDGEML_UNROLL
        for (size_t s = 0; s < samples; s++) {
            EDGEML_UNROLL
            for (size_t m = 0; m < together; m++) {
                const size_t i = s * together + m;
                const __m512i begin = _mm512_add_epi32(_mm512_loadu_si512(start + (first + m) * 16), offset[s]);
                const __m512i low = _mm512_add_epi32(part[i], _mm512_srai_epi32(part[4 + i], 2));
                const __m512i field2_sum = _mm512_srai_epi32(part[8 + i], 4);
                const __m512i high = _mm512_add_epi32(field2_sum, _mm512_srai_epi32(part[12 + i], 6));
                sum[s * vectors + first + m] = _mm512_add_epi32(begin, _mm512_add_epi32(low, high));
            }
        }
    }
}

#else

EDGEML_INLINE int32_t edgeml_crumbs_twice(const uint8_t *x, size_t sixteens)
{
    int32_t sum = 0;
    for (size_t i = 0; i < sixteens * 16; i++) {
        sum += x[i];
    }
    return 2 * sum;
}

#if defined(EDGEML_AVX2)

EDGEML_INLINE void edgeml_crumbs_block(const uint8_t *x, const uint8_t *weight, const int32_t *start, size_t sixteens,
                                       size_t vectors, int spread, int32_t *sum)
{
    const __m256i field = _mm256_set1_epi8(0x03);
    const __m256i twice = _mm256_set1_epi32(edgeml_crumbs_twice(x, sixteens));
    EDGEML_UNROLL
    for (size_t h = 0; h < 2; h++) {
        __m256i total[4];
        EDGEML_UNROLL
        for (size_t m = 0; m < vectors; m++) {
            const int32_t *const begin = start + m * 16 + h * 8;
            total[m] = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(const void *)begin), twice);
        }
        for (size_t g = 0; g < sixteens; g++) {
            EDGEML_UNROLL
            for (size_t m = 0; m < vectors; m++) {
                __m256i w = edgeml_load256(weight + (g * vectors + m) * 64 + h * 32);
                __m256i pairs = _mm256_setzero_si256(); /* at most 8 * 3 * 255 in a lane */
                EDGEML_UNROLL
                for (size_t j = 0; j < 4; j++) {
                    const __m256i four = _mm256_set1_epi32(edgeml_word(x + g * 16 + j * 4));
                    pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(four, _mm256_and_si256(w, field)));
                    w = _mm256_srli_epi16(w, 2);
                }
                total[m] = _mm256_add_epi32(total[m], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
            }
        }
        EDGEML_UNROLL
        for (size_t m = 0; m < vectors; m++) {
            edgeml_store_quarters(total[m], 2 * h, m, vectors, spread, sum);
        }
    }
}

#elif defined(EDGEML_NEON)

EDGEML_INLINE void edgeml_crumbs_block(const uint8_t *x, const uint8_t *weight, const int32_t *start, size_t sixteens,
                                       size_t vectors, int spread, int32_t *sum)
{
    const uint8x16_t field = vdupq_n_u8(0x03);
    const int32x4_t twice = vdupq_n_s32(edgeml_crumbs_twice(x, sixteens));
    for (size_t m = 0; m < vectors; m++) {
        EDGEML_UNROLL
        for (size_t i = 0; i < 4; i++) {
            /* lanes: two outputs, four inputs each; a lane holds 85 products of 3 * 255 */
            uint32x4_t low_pairs = vdupq_n_u32(0);
            uint32x4_t high_pairs = vdupq_n_u32(0);
            for (size_t first = 0; first < sixteens; first += 21) {
                const size_t end = first + 21 < sixteens ? first + 21 : sixteens;
                uint16x8_t low = vdupq_n_u16(0);
                uint16x8_t high = vdupq_n_u16(0);
                for (size_t g = first; g < end; g++) {
                    uint8x16_t w = vld1q_u8(weight + (g * vectors + m) * 64 + i * 16);
                    EDGEML_UNROLL
                    for (size_t j = 0; j < 4; j++) {
                        const uint8x8_t four = vreinterpret_u8_s32(vdup_n_s32(edgeml_word(x + g * 16 + j * 4)));
                        const uint8x16_t codes = vandq_u8(w, field);
                        low = vmlal_u8(low, vget_low_u8(codes), four);
                        high = vmlal_u8(high, vget_high_u8(codes), four);
                        w = vshrq_n_u8(w, 2);
                    }
                }
                low_pairs = vpadalq_u16(low_pairs, low);
                high_pairs = vpadalq_u16(high_pairs, high);
            }
            const int32x4_t total = vreinterpretq_s32_u32(vpaddq_u32(low_pairs, high_pairs));
            const int32x4_t begin = vsubq_s32(vld1q_s32(start + m * 16 + i * 4), twice);
            vst1q_s32(sum + edgeml_quarter(i, m, vectors, spread), vaddq_s32(begin, total));
        }
    }
}

#else

EDGEML_INLINE void edgeml_crumbs_block(const uint8_t *restrict x, const uint8_t *restrict weight,
                                       const int32_t *restrict start, size_t sixteens, size_t vectors, int spread,
                                       int32_t *restrict sum)
{
    const int32_t twice = edgeml_crumbs_twice(x, sixteens);
    for (size_t m = 0; m < vectors; m++) {
        for (size_t lane = 0; lane < 16; lane++) {
            int32_t total = start[m * 16 + lane] - twice;
            for (size_t g = 0; g < sixteens; g++) {
                const uint8_t *const w = weight + (g * vectors + m) * 64 + lane * 4;
                for (size_t t = 0; t < 4; t++) {
                    for (size_t j = 0; j < 4; j++) {
                        total += (w[t] >> (2 * j) & 3) * (int32_t)x[g * 16 + j * 4 + t];
                    }
                }
            }
            sum[edgeml_quarter(lane / 4, m, vectors, spread) + lane % 4] = total;
        }
    }
}

#endif

#endif

#endif
