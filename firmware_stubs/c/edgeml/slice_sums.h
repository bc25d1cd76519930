/* SPDX-License-Identifier: Apache-2.0 */
/* The way out of planes of bits: sums of 32 bits of each sample.

   Planes of sums are a row of 64 bits of each sample when they are turned. A row has two words of 32 bits, and each of
   those as many sums of `length` bits as fit, one above the other: of outputs 2 n and 2 n + 1 one is in either word, so
   that the words of a row lie as int32_t outputs do. */
#ifndef EDGEML_SLICE_SUMS_H
#define EDGEML_SLICE_SUMS_H

#include "slices.h"

/* Outputs of a row. */
#define EDGEML_SLICE_FIELDS(length) (2u * (32u / (length)))
/* Words of 64 bits from a sample's row to its next. */
#define EDGEML_SLICE_NEXT (EDGEML_SLICES_ROWS * EDGEML_SLICES_WORDS)

#if defined(EDGEML_AVX512)
/* Outputs of eight samples are a few whole vectors: each lane takes its word, of two rows at most. */
#define EDGEML_SLICE_PACKED(outputs, length) ((outputs) <= 16u && (outputs) <= 2u * EDGEML_SLICE_FIELDS(length))
EDGEML_INLINE void edgeml_slices_packed(const uint64_t *words, size_t outputs, size_t length, const int32_t *base,
                                        size_t samples, int32_t *y)
{
    const __m512i step = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i bases = _mm512_maskz_loadu_epi32((__mmask16)((1u << outputs) - 1u), base);
    const __m512i field = _mm512_set1_epi32((int)((1u << length) - 1u));
    const __m512i fields = _mm512_set1_epi32((int)EDGEML_SLICE_FIELDS(length));
    const size_t vectors = (outputs + 1u) / 2u;
    const int two_rows = outputs > EDGEML_SLICE_FIELDS(length);
    __m512i place[8], shift[8], start[8];
    EDGEML_UNROLL
    for (size_t k = 0; k < vectors; k++) {
        const __m512i at = _mm512_add_epi32(step, _mm512_set1_epi32((int)(16 * k)));
        /* at / outputs, of at < 128 */
        const __m512i factor = _mm512_set1_epi32((int)(65536u / outputs + 1u));
        const __m512i sample = _mm512_srli_epi32(_mm512_mullo_epi32(at, factor), 16);
        const __m512i o = _mm512_sub_epi32(at, _mm512_mullo_epi32(sample, _mm512_set1_epi32((int)outputs)));
        const __mmask16 second = _mm512_cmpge_epi32_mask(o, fields);
        const __m512i inside = _mm512_mask_sub_epi32(o, second, o, fields);
        const __m512i word = _mm512_add_epi32(_mm512_slli_epi32(sample, 1), _mm512_and_si512(o, _mm512_set1_epi32(1)));
        place[k] = _mm512_mask_add_epi32(word, second, word, _mm512_set1_epi32(16));
        shift[k] = _mm512_mullo_epi32(_mm512_srli_epi32(inside, 1), _mm512_set1_epi32((int)length));
        start[k] = _mm512_permutexvar_epi32(o, bases);
    }
    for (size_t first = 0; first < samples; first += 8, words += 8, y += 8 * outputs) {
        const size_t count = (samples - first < 8 ? samples - first : 8) * outputs;
        const __m512i sums = _mm512_loadu_si512(words);
        const __m512i more = two_rows ? _mm512_loadu_si512(words + EDGEML_SLICE_NEXT) : sums;
        EDGEML_UNROLL
        for (size_t k = 0; k < vectors; k++) {
            const __m512i word = two_rows ? _mm512_permutex2var_epi32(sums, place[k], more)
                                          : _mm512_permutexvar_epi32(place[k], sums);
            const __m512i sum = _mm512_and_si512(_mm512_srlv_epi32(word, shift[k]), field);
            const __m512i value = _mm512_add_epi32(sum, start[k]);
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
/* Eight outputs of a row from `first` on: its words again and again, each of them shifted. */
EDGEML_INLINE __m256i edgeml_slices_eight(uint64_t word, size_t first, size_t length, const int32_t *base)
{
    const __m256i step = _mm256_set_epi32(3, 3, 2, 2, 1, 1, 0, 0);
    const __m256i field = _mm256_set1_epi32((int)((1u << length) - 1u));
    const __m256i number = _mm256_add_epi32(step, _mm256_set1_epi32((int)(first / 2u)));
    const __m256i shift = _mm256_mullo_epi32(number, _mm256_set1_epi32((int)length));
    const __m256i sums = _mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi64x((int64_t)word), shift), field);
    return _mm256_add_epi32(sums, _mm256_loadu_si256((const void *)base));
}

/* Sample after sample: what is written behind a sample's outputs is that of the next ones, or not at all. base: eight
   more than there are outputs. */
EDGEML_INLINE void edgeml_slices_unpacked(const uint64_t *words, size_t outputs, size_t length, const int32_t *base,
                                          size_t samples, int32_t *y)
{
    const size_t fields = EDGEML_SLICE_FIELDS(length);
    const __m256i step = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    for (size_t sample = 0; sample < samples; sample++, words++, y += outputs) {
        EDGEML_UNROLL
        for (size_t row = 0; row < outputs; row += fields) {
            const uint64_t word = words[row / fields * EDGEML_SLICE_NEXT];
            const size_t end = outputs - row < fields ? outputs : row + fields;
            EDGEML_UNROLL
            for (size_t o = row; o < end; o += 8) {
                const __m256i sums = edgeml_slices_eight(word, o - row, length, base + o);
                if (o + 8 <= (samples - sample) * outputs) {
                    _mm256_storeu_si256((void *)(y + o), sums);
                } else {
                    const __m256i left = _mm256_set1_epi32((int)(outputs - o));
                    _mm256_maskstore_epi32((void *)(y + o), _mm256_cmpgt_epi32(left, step), sums);
                }
            }
        }
    }
}
#else
EDGEML_INLINE void edgeml_slices_unpacked(const uint64_t *words, size_t outputs, size_t length, const int32_t *base,
                                          size_t samples, int32_t *y)
{
    const size_t fields = EDGEML_SLICE_FIELDS(length);
    const uint32_t field = ((uint32_t)1 << length) - 1u;
    for (size_t sample = 0; sample < samples; sample++, words++, y += outputs) {
        EDGEML_UNROLL
        for (size_t o = 0; o < outputs; o++) {
            const size_t shift = o % 2u * 32u + o % fields / 2u * length;
            const uint32_t sum = (uint32_t)(words[o / fields * EDGEML_SLICE_NEXT] >> shift) & field;
            y[o] = (int32_t)((uint32_t)base[o] + sum);
        }
    }
}
#endif

/* Sums whose bits are planes from p on: output o of sample s is base[o] + its sum of `length` bits, as int32_t, y
   [samples][outputs]. Of the eights of the planes of a row those are turned whose bit is in `eights`. */
EDGEML_INLINE void edgeml_slices_sums(edgeml_slice *p, size_t outputs, size_t length, unsigned eights,
                                      const int32_t *base, size_t samples, int32_t *y)
{
    const uint64_t *const words = (const uint64_t *)(const void *)p;
    for (size_t first = 0; first < outputs; first += EDGEML_SLICE_FIELDS(length)) {
        edgeml_slices_to_rows(p, eights);
        p += EDGEML_SLICES_ROWS * EDGEML_SLICES;
    }
#if defined(EDGEML_AVX512)
    if (EDGEML_SLICE_PACKED(outputs, length)) {
        edgeml_slices_packed(words, outputs, length, base, samples, y);
        return;
    }
#endif
    edgeml_slices_unpacked(words, outputs, length, base, samples, y);
}

#endif
