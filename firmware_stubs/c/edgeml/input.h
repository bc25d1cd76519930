/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's integers into the arena, clipped to the range of the network's input and stored from 0 up: an integer
   outside that range would select outside of a kernel's table. */
#ifndef EDGEML_INPUT_H
#define EDGEML_INPUT_H

#include "common.h"

#if defined(EDGEML_AVX512)

EDGEML_INLINE __mmask64 edgeml_input_inside(size_t count, size_t first)
{
    return count >= first + 64 ? ~(__mmask64)0 : count > first ? ((__mmask64)1 << (count - first)) - 1 : 0;
}

/* Whole vectors where there is room: what reads them as such need not wait. */
EDGEML_INLINE void edgeml_input_store(uint8_t *y, size_t room, __m512i value)
{
    if (room >= 64) {
        _mm512_storeu_si512(y, value);
    } else {
        _mm512_mask_storeu_epi8(y, edgeml_input_inside(room, 0), value);
    }
}

/* y = min(x, high), zeros from count up to padded. */
EDGEML_INLINE void edgeml_input_u8(const uint8_t *x, size_t count, size_t padded, uint8_t high, uint8_t *y)
{
    const __m512i highest = _mm512_set1_epi8((char)high);
    for (size_t i = 0; i < padded; i += 64) {
        const __mmask64 inside = edgeml_input_inside(count, i);
        const __m512i value = _mm512_maskz_loadu_epi8(inside, x + i);
        edgeml_input_store(y + i, padded - i, _mm512_min_epu8(value, highest));
    }
}

/* y = min(max(x, low), -1 - low) - low for low = -2^n, zeros from count up to padded. */
EDGEML_INLINE void edgeml_input_s8(const int8_t *x, size_t count, size_t padded, int8_t low, uint8_t *y)
{
    const __m512i lowest = _mm512_set1_epi8(low);
    const __m512i highest = _mm512_set1_epi8((char)~low);
    for (size_t i = 0; i < padded; i += 64) {
        const __mmask64 inside = edgeml_input_inside(count, i);
        const __m512i above = _mm512_max_epi8(_mm512_maskz_loadu_epi8(inside, x + i), lowest);
        const __m512i value = _mm512_min_epi8(above, highest);
        edgeml_input_store(y + i, padded - i, _mm512_maskz_sub_epi8(inside, value, lowest));
    }
}

#elif defined(EDGEML_THUMB_DSP) && defined(__ARM_FEATURE_UNALIGNED)

/* Four bytes: those that are at least as large as the highest become it. r3: the highest, four times. */
#define EDGEML_INPUT_WORD(first)                                     \
    "ldr   r4, [r0], #4\n" first                                     \
    "usub8 r5, r4, r3\n"                                             \
    "sel   r4, r3, r4\n"                                             \
    "str   r4, [r1], #4\n"
#define EDGEML_INPUT_FROM_ZERO                                       \
    "eor    r4, r4, #0x80808080\n"                                   \
    "uqsub8 r4, r4, r6\n"

/* Words from x to y, at least one; two a turn. r6: 128 + low, four times. */
#define EDGEML_INPUT_WORDS(name, first)                                                                                \
    EDGEML_NAKED void name(const void *x EDGEML_MAYBE_UNUSED, uint8_t *y EDGEML_MAYBE_UNUSED,                          \
                           size_t words EDGEML_MAYBE_UNUSED, uint32_t high EDGEML_MAYBE_UNUSED,                        \
                           uint32_t low EDGEML_MAYBE_UNUSED)                                                           \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            ".syntax unified\n"                                                                                        \
            "ldr   r12, [sp]\n"                                                                                        \
            "push  {r4-r6, lr}\n"                                                                                      \
            "mov   r6, r12\n"                                                                                          \
            "lsls  r12, r2, #31\n" /* an odd number: begin with the second of the loop */                              \
            "beq   1f\n"                                                                                               \
            "adds  r2, #1\n"                                                                                           \
            "b     2f\n"                                                                                               \
            "1:\n" EDGEML_INPUT_WORD(first)                                                                            \
            "2:\n" EDGEML_INPUT_WORD(first)                                                                            \
            "subs  r2, #2\n"                                                                                           \
            "bne   1b\n"                                                                                               \
            "pop   {r4-r6, pc}\n" ::: "memory");                                                                       \
    }

EDGEML_INPUT_WORDS(edgeml_input_words_u8, "")
EDGEML_INPUT_WORDS(edgeml_input_words_s8, EDGEML_INPUT_FROM_ZERO)

EDGEML_INLINE void edgeml_input_u8(const uint8_t *x, size_t count, size_t padded, uint8_t high, uint8_t *y)
{
    if (count >= 4) {
        edgeml_input_words_u8(x, y, count / 4, high * 0x01010101u, 0);
    }
    for (size_t i = count / 4 * 4; i < count; i++) {
        y[i] = x[i] < high ? x[i] : high;
    }
    edgeml_zero(y + count, padded - count);
}

EDGEML_INLINE void edgeml_input_s8(const int8_t *x, size_t count, size_t padded, int8_t low, uint8_t *y)
{
    const uint32_t least = (uint32_t)(128 + low), highest = (uint32_t)(-1 - 2 * low);
    if (count >= 4) {
        edgeml_input_words_s8(x, y, count / 4, highest * 0x01010101u, least * 0x01010101u);
    }
    for (size_t i = count / 4 * 4; i < count; i++) {
        const int32_t above = x[i] > low ? x[i] - low : 0;
        y[i] = (uint8_t)(above < (int32_t)highest ? above : (int32_t)highest);
    }
    edgeml_zero(y + count, padded - count);
}

#else

#if defined(EDGEML_THUMB_1)
/* y = x with some bits flipped, four bytes a turn; returns how many were written. */
EDGEML_INLINE size_t edgeml_input_fours(const uint8_t *restrict x, size_t count, uint32_t flipped, uint8_t *restrict y)
{
    const uint8_t *const end = x + count / 4 * 4;
    while (x != end) {
        y[0] = (uint8_t)(x[0] ^ flipped);
        y[1] = (uint8_t)(x[1] ^ flipped);
        y[2] = (uint8_t)(x[2] ^ flipped);
        y[3] = (uint8_t)(x[3] ^ flipped);
        x += 4;
        y += 4;
    }
    return count / 4 * 4;
}
#endif

EDGEML_INLINE void edgeml_input_u8(const uint8_t *restrict x, size_t count, size_t padded, uint8_t high,
                                   uint8_t *restrict y)
{
    size_t i = 0;
#if defined(EDGEML_THUMB_1)
    if (high == 255) { /* every byte is an input */
        i = edgeml_input_fours(x, count, 0, y);
    }
#endif
    for (; i < count; i++) {
        y[i] = x[i] < high ? x[i] : high;
    }
    edgeml_zero(y + count, padded - count);
}

EDGEML_INLINE void edgeml_input_s8(const int8_t *restrict x, size_t count, size_t padded, int8_t low,
                                   uint8_t *restrict y)
{
    const int8_t high = (int8_t)~low;
    size_t i = 0;
#if defined(EDGEML_THUMB_1)
    if (low == -128) {
        i = edgeml_input_fours((const uint8_t *)x, count, 128, y);
    }
#endif
    for (; i < count; i++) {
        const int8_t above = x[i] > low ? x[i] : low;
        const int8_t value = above < high ? above : high;
        y[i] = (uint8_t)(value - low);
    }
    edgeml_zero(y + count, padded - count);
}

#endif

#endif
