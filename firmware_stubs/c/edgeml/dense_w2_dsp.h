/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 2-bit weights on cores with SMLAD: four multiply-accumulates for two instructions.
 *
 * A 16-bit half of a masked word holds the weights of two outputs for one input: output a as the code w + 2 in bits
 * 0-1, output b as two's complement in bits 14-15. SMLAD multiplies both halves with their inputs and adds: the
 * accumulator is A + 2^14 * B. It starts with -2 * (sum of the inputs), which takes the code's offset back, and a shift
 * that makes A positive; the generator proves for each segment of inputs that A fits 14 bits and B 18 (signed).
 * A word holds four such masks' worth, found by rotating it by 0, 4, 8 and 12 bits: eight inputs, two outputs.
 * Weights: [blocks of 8 outputs][groups of 8 inputs][4 pairs of outputs]; inputs as edgeml_widen_u8 writes them.
 */
#ifndef EDGEML_DENSE_W2_DSP_H
#define EDGEML_DENSE_W2_DSP_H

#include "widen.h"

#if defined(EDGEML_THUMB_DSP)

/* One word of weights: r3-r6 hold eight inputs, r2 the mask. */
#define EDGEML_W2_WORD(acc, word)                                    \
    "and   lr, r2, " word "\n"                                       \
    "smlad " acc ", lr, r3, " acc "\n"                               \
    "and   lr, r2, " word ", ror #4\n"                               \
    "smlad " acc ", lr, r4, " acc "\n"                               \
    "and   lr, r2, " word ", ror #8\n"                               \
    "smlad " acc ", lr, r5, " acc "\n"                               \
    "and   lr, r2, " word ", ror #12\n"                              \
    "smlad " acc ", lr, r6, " acc "\n"

/* Eight inputs, eight outputs. */
#define EDGEML_W2_GROUP                                              \
    "ldmia r0!, {r3-r6}\n"                                           \
    "ldmia r1!, {r11, r12}\n"                                        \
    EDGEML_W2_WORD("r7", "r11")                                      \
    EDGEML_W2_WORD("r8", "r12")                                      \
    "ldmia r1!, {r11, r12}\n"                                        \
    EDGEML_W2_WORD("r9", "r11")                                      \
    EDGEML_W2_WORD("r10", "r12")

/* A and B of one accumulator onto the sums of two outputs. */
#define EDGEML_W2_SUMS(acc)                                          \
    "ldrd  r5, r6, [r3], #8\n"                                       \
    "ubfx  lr, " acc ", #0, #14\n"                                   \
    "add   r5, r5, lr\n"                                             \
    "add   r6, r6, " acc ", asr #14\n"                               \
    "strd  r5, r6, [r4], #8\n"

/* The sums of a block of eight outputs onto what `from` (r3) holds, to r4. */
#define EDGEML_W2_ALL_SUMS                                           \
    EDGEML_W2_SUMS("r7")                                             \
    EDGEML_W2_SUMS("r8")                                             \
    EDGEML_W2_SUMS("r9")                                             \
    EDGEML_W2_SUMS("r10")                                            \
    "strd  r3, r4, [sp, #12]\n"

/* How many of three thresholds each of two outputs reaches, in its half of the accumulator: SSUB16 compares both, SEL
   chooses by halves. r3-r6 hold 0, 1, 2, 3 twice. After the weights of a block come twelve words, three for each pair:
   the thresholds of output a as the field holds its sums, from 0 up, those of output b with their sign; then a word
   whose bytes 0 and 1 say how far the four results of each word are rotated, 0 or 16 bits: either half of them may be
   outputs a. */
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
    "ldr    r0, [sp, #16]\n"                                         \
    "ldr    r11, [r1], #4\n"                                         \
    "orr    r7, r7, r8, lsl #8\n"                                    \
    "orr    r9, r9, r10, lsl #8\n"                                   \
    "ror    r7, r7, r11\n"                                           \
    "lsrs   r11, r11, #8\n"                                          \
    "ror    r9, r9, r11\n"                                           \
    "stmia  r0!, {r7, r9}\n"                                         \
    "str    r0, [sp, #16]\n"

/* A function of all blocks; `mask` makes what `group` needs in r2, bit `odd` of a block's bytes says whether it has an
   odd number of groups. Where there is no `from`, the results are thresholds that are reached, and a block begins with
   four halves of words, what each accumulator starts with beside `start`. */
#define EDGEML_W2_SEGMENT(name, mask, group, odd)                                                                      \
    EDGEML_NAKED void name(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)                                          \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            ".syntax unified\n"                                                                                        \
            "push  {r4-r11, lr}\n"                                                                                     \
            "sub   sp, #28\n"                                                                                          \
            "ldmia r0, {r3-r9}\n"                                                                                      \
            /* 0: x, 4: block bytes, 8: start, 12: from, 16: to, 20: blocks, 24: end of the block */                   \
            "strd  r3, r8, [sp, #0]\n"                                                                                 \
            "strd  r7, r5, [sp, #8]\n"                                                                                 \
            "strd  r6, r9, [sp, #16]\n"                                                                                \
            "mov   r1, r4\n" mask                                                                                      \
            "1:\n"                                                                                                     \
            "ldrd  r7, r3, [sp, #8]\n"                                                                                 \
            "cbz   r3, 6f\n"                                                                                           \
            "mov   r8, r7\n"                                                                                           \
            "mov   r9, r7\n"                                                                                           \
            "mov   r10, r7\n"                                                                                          \
            "b     7f\n"                                                                                               \
            "6:\n"                                                                                                     \
            "ldmia r1!, {r3, r4}\n"                                                                                    \
            "uxtah r8, r7, r3, ror #16\n"                                                                              \
            "uxtah r9, r7, r4\n"                                                                                       \
            "uxtah r10, r7, r4, ror #16\n"                                                                             \
            "uxtah r7, r7, r3\n"                                                                                       \
            "7:\n"                                                                                                     \
            "ldrd  r0, r3, [sp, #0]\n"                                                                                 \
            "add   r4, r1, r3\n"                                                                                       \
            "str   r4, [sp, #24]\n"                                                                                    \
            "tst   r3, #" odd "\n" /* an odd number of groups: start with the second of the loop */                    \
            "bne   3f\n"                                                                                               \
            "2:\n" group                                                                                               \
            "3:\n" group                                                                                               \
            "ldr   lr, [sp, #24]\n"                                                                                    \
            "cmp   r1, lr\n"                                                                                           \
            "bne   2b\n"                                                                                               \
            "ldrd  r3, r4, [sp, #12]\n"                                                                                \
            "cbz   r3, 4f\n" EDGEML_W2_ALL_SUMS                                                                        \
            "b     5f\n"                                                                                               \
            "4:\n" EDGEML_W2_ALL_LEVELS                                                                                \
            "5:\n"                                                                                                     \
            "ldr   r3, [sp, #20]\n"                                                                                    \
            "subs  r3, #1\n"                                                                                           \
            "str   r3, [sp, #20]\n"                                                                                    \
            "bne   1b\n"                                                                                               \
            "add   sp, #28\n"                                                                                          \
            "pop   {r4-r11, pc}\n" ::: "memory");                                                                      \
    }

#define EDGEML_W2_MASK                                               \
    "mov   r2, #0xC000C000\n"                                        \
    "orr   r2, r2, #0x00030003\n"

EDGEML_W2_SEGMENT(edgeml_dense_w2_dsp_segment, EDGEML_W2_MASK, EDGEML_W2_GROUP, "16")

#else

/* The same on the same weights, for other compilers and for tests on a host. Word k of a pair is for inputs 2 k and
   2 k + 1; where weights are not packed, there is one for each. */
EDGEML_INLINE uint32_t edgeml_dense_w2_pair(const edgeml_dense_call *call, const uint32_t *w, size_t pair, int packed,
                                            uint32_t start)
{
    const int16_t *const x = (const int16_t *)call->x;
    uint32_t acc = (uint32_t)call->start + start;
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

EDGEML_INLINE void edgeml_dense_w2_blocks(const edgeml_dense_call *call, int packed)
{
    const uint32_t *w = call->w;
    uint8_t *const y = (uint8_t *)(void *)call->to;
    for (size_t block = 0; block < call->blocks; block++) {
        const uint32_t *const starts = w, *const levels = w + call->block_bytes / 4u + (call->from ? 0 : 2);
        w += call->from ? 0 : 2;
        for (size_t pair = 0; pair < 4; pair++) {
            const uint32_t start = call->from ? 0 : starts[pair / 2] >> pair % 2 * 16 & 0xFFFFu;
            const uint32_t acc = edgeml_dense_w2_pair(call, w, pair, packed, start);
            const uint32_t a = acc & 0x3FFFu;
            const int32_t b = (int32_t)(acc - a) / 16384;
            const size_t output = 8 * block + 2 * pair, word = 8 * block + 4 * (pair / 2);
            if (call->from) {
                call->to[output] = (int32_t)((uint32_t)call->from[output] + a);
                call->to[output + 1] = (int32_t)((uint32_t)call->from[output + 1] + (uint32_t)b);
                continue;
            }
            const size_t swapped = (levels[12] >> pair / 2 * 8 & 255u) / 8u, first = word + pair % 2 + swapped;
            const size_t second = word + pair % 2 + 2 - swapped;
            y[first] = y[second] = 0;
            for (size_t level = 3 * pair; level < 3 * pair + 3; level++) {
                y[first] = (uint8_t)(y[first] + ((int32_t)a >= (int16_t)(levels[level] & 0xFFFFu)));
                y[second] = (uint8_t)(y[second] + (b >= (int16_t)(levels[level] >> 16)));
            }
        }
        w = levels + (call->from ? 0 : 13);
    }
}

static EDGEML_MAYBE_UNUSED void edgeml_dense_w2_dsp_segment(const edgeml_dense_call *call)
{
    edgeml_dense_w2_blocks(call, 1);
}

#endif

/* y = bias + weights * x for inputs (a multiple of 8) in segments; shift is folded into the bias of the outputs a. */
EDGEML_INLINE void edgeml_dense_w2_dsp(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                       uint32_t segment, uint32_t blocks, int32_t shift, int32_t *y, uint8_t *scratch)
{
    int16_t *const wide = (int16_t *)(void *)scratch;
    edgeml_dense_call call = {wide, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.start = shift - 2 * edgeml_widen_u8(x + first, count, wide);
        call.block_bytes = 2 * count;
        edgeml_dense_w2_dsp_segment(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

#endif
