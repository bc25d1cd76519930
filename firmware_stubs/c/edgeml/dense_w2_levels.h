/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 2-bit weights on cores with SMLAD, beyond `dense_w2_dsp.h`, whose accumulators of two outputs each
 * they share:
 *
 * - `words`: the weights of two inputs and two outputs as the very word that SMLAD takes, four times the flash of packed
 *   ones and no instruction to take them apart;
 * - `levels`: up to three thresholds behind the layer, two outputs at a time (SSUB16 compares both halves, SEL chooses by
 *   halves), so that sums are in no memory. A block of eight outputs is outputs 0 and 2, 1 and 3, 4 and 6, 5 and 7; after
 *   its weights come twelve words of thresholds, three for each pair, as its accumulator holds them: output a from 0 up,
 *   output b with its sign. What no sum reaches is one more than the largest sum.
 *
 * The inputs of `levels` are one segment.
 */
#ifndef EDGEML_DENSE_W2_LEVELS_H
#define EDGEML_DENSE_W2_LEVELS_H

#include "dense_w2_dsp.h"

#if defined(EDGEML_THUMB_DSP)

/* Four words of weights as they lie there: r3-r6 hold eight inputs. */
#define EDGEML_W2_WIDE_WORDS(acc)                                    \
    "ldmia r1!, {r2, r11, r12, lr}\n"                                \
    "smlad " acc ", r2, r3, " acc "\n"                               \
    "smlad " acc ", r11, r4, " acc "\n"                              \
    "smlad " acc ", r12, r5, " acc "\n"                              \
    "smlad " acc ", lr, r6, " acc "\n"

/* Eight inputs, eight outputs. */
#define EDGEML_W2_WIDE_GROUP                                         \
    "ldmia r0!, {r3-r6}\n"                                           \
    EDGEML_W2_WIDE_WORDS("r7")                                       \
    EDGEML_W2_WIDE_WORDS("r8")                                       \
    EDGEML_W2_WIDE_WORDS("r9")                                       \
    EDGEML_W2_WIDE_WORDS("r10")

/* How many of three thresholds each of two outputs reaches, in its half of the accumulator: r3-r6 hold 0, 1, 2, 3
   twice. */
#define EDGEML_W2_REACHED(acc)                                       \
    "ubfx   r0, " acc ", #0, #14\n"                                  \
    "ldmia  r1!, {r11, r12, lr}\n"                                   \
    "pkhbt  r0, r0, " acc ", lsl #2\n"                               \
    "ssub16 r11, r0, r11\n"                                          \
    "sel    r11, r4, r3\n"                                           \
    "ssub16 r12, r0, r12\n"                                          \
    "sel    r11, r5, r11\n"                                          \
    "ssub16 lr, r0, lr\n"                                            \
    "sel    " acc ", r6, r11\n"

#define EDGEML_W2_ALL_LEVELS                                         \
    "movs   r3, #0\n"                                                \
    "mov    r4, #0x00010001\n"                                       \
    "mov    r5, #0x00020002\n"                                       \
    "mov    r6, #0x00030003\n"                                       \
    EDGEML_W2_REACHED("r7")                                          \
    EDGEML_W2_REACHED("r8")                                          \
    EDGEML_W2_REACHED("r9")                                          \
    EDGEML_W2_REACHED("r10")                                         \
    "ldr    r0, [sp, #12]\n"                                         \
    "orr    r7, r7, r8, lsl #8\n"                                    \
    "orr    r9, r9, r10, lsl #8\n"                                   \
    "stmia  r0!, {r7, r9}\n"                                         \
    "str    r0, [sp, #12]\n"

EDGEML_W2_SEGMENT(edgeml_dense_w2_words_segment, "", EDGEML_W2_WIDE_GROUP, "64", EDGEML_W2_ALL_SUMS)
EDGEML_W2_SEGMENT(edgeml_dense_w2_words_levels, "", EDGEML_W2_WIDE_GROUP, "64", EDGEML_W2_ALL_LEVELS)
EDGEML_W2_SEGMENT(edgeml_dense_w2_packed_levels, EDGEML_W2_MASK, EDGEML_W2_GROUP, "16", EDGEML_W2_ALL_LEVELS)

#else

/* The same on the same weights, for other compilers and for tests on a host. Word k of a pair is for inputs 2 k and
   2 k + 1; the words of a pair are four apart where they are packed. */
EDGEML_INLINE uint32_t edgeml_dense_w2_pair(const edgeml_dense_call *call, const uint32_t *w, size_t pair, int packed)
{
    const int16_t *const x = (const int16_t *)call->x;
    uint32_t acc = (uint32_t)call->start;
    for (size_t group = 0; group < call->block_bytes / (packed ? 16u : 64u); group++) {
        for (size_t k = 0; k < 4; k++) {
            uint32_t word = packed ? w[4 * group + pair] : w[16 * group + 4 * pair + k];
            if (packed) {
                word = (k ? word >> (4 * k) | word << (32 - 4 * k) : word) & 0xC003C003u;
            }
            acc += (uint32_t)((int32_t)(int16_t)(word & 0xFFFFu) * x[8 * group + 2 * k]);
            acc += (uint32_t)((int32_t)(int16_t)(word >> 16) * x[8 * group + 2 * k + 1]);
        }
    }
    return acc;
}

static EDGEML_MAYBE_UNUSED void edgeml_dense_w2_words_segment(const edgeml_dense_call *call)
{
    for (uint32_t pair = 0; pair < 4 * call->blocks; pair++) {
        const uint32_t *const w = call->w + (pair / 4) * (call->block_bytes / 4u);
        const uint32_t acc = edgeml_dense_w2_pair(call, w, pair % 4, 0), a = acc & 0x3FFFu;
        call->to[2 * pair] = (int32_t)((uint32_t)call->from[2 * pair] + a);
        call->to[2 * pair + 1] = (int32_t)((uint32_t)call->from[2 * pair + 1] + (uint32_t)((int32_t)(acc - a) / 16384));
    }
}

EDGEML_INLINE void edgeml_dense_w2_levels_of(const edgeml_dense_call *call, int packed)
{
    const uint32_t *w = call->w;
    uint8_t *y = (uint8_t *)(void *)call->to;
    for (uint32_t block = 0; block < call->blocks; block++, y += 8) {
        const uint32_t *const levels = w + call->block_bytes / 4u;
        for (size_t pair = 0; pair < 4; pair++) {
            const uint32_t acc = edgeml_dense_w2_pair(call, w, pair, packed), a = acc & 0x3FFFu;
            const int32_t b = (int32_t)(acc - a) / 16384;
            uint8_t *const to = y + 4 * (pair / 2) + pair % 2;
            to[0] = to[2] = 0;
            for (size_t level = 3 * pair; level < 3 * pair + 3; level++) {
                to[0] = (uint8_t)(to[0] + ((int32_t)a >= (int16_t)(levels[level] & 0xFFFFu)));
                to[2] = (uint8_t)(to[2] + (b >= (int16_t)(levels[level] >> 16)));
            }
        }
        w = levels + 12;
    }
}

static EDGEML_MAYBE_UNUSED void edgeml_dense_w2_words_levels(const edgeml_dense_call *call)
{
    edgeml_dense_w2_levels_of(call, 0);
}

static EDGEML_MAYBE_UNUSED void edgeml_dense_w2_packed_levels(const edgeml_dense_call *call)
{
    edgeml_dense_w2_levels_of(call, 1);
}

#endif

/* As edgeml_dense_w2_dsp, with words. */
EDGEML_INLINE void edgeml_dense_w2_words(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                         uint32_t segment, uint32_t blocks, int32_t shift, int32_t *y, uint8_t *scratch)
{
    int16_t *const wide = (int16_t *)(void *)scratch;
    edgeml_dense_call call = {wide, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.start = shift - 2 * edgeml_widen_u8(x + first, count, wide);
        call.block_bytes = 8 * count;
        edgeml_dense_w2_words_segment(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

/* y = how many thresholds each output reaches; y aligned to 4 bytes, of whole blocks. */
#define EDGEML_DENSE_W2_LEVELS(name, function, bytes)                                                                  \
    EDGEML_INLINE void name(const uint8_t *x, const uint32_t *w, uint32_t inputs, uint32_t blocks, int32_t shift,      \
                            uint8_t *y, uint8_t *scratch)                                                              \
    {                                                                                                                  \
        int16_t *const wide = (int16_t *)(void *)scratch;                                                              \
        edgeml_dense_call call = {wide, w, NULL, (int32_t *)(void *)y, 0, bytes * inputs, blocks};                     \
        call.start = shift - 2 * edgeml_widen_u8(x, inputs, wide);                                                     \
        function(&call);                                                                                               \
    }

EDGEML_DENSE_W2_LEVELS(edgeml_dense_w2_levels, edgeml_dense_w2_packed_levels, 2u)
EDGEML_DENSE_W2_LEVELS(edgeml_dense_w2_words_and_levels, edgeml_dense_w2_words_levels, 8u)

#endif
