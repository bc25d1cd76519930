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

/* A function of all blocks; `finish` leaves the results of a block, `mask` makes what `group` needs in r2, bit `odd` of a
   block's bytes says whether it has an odd number of groups. */
#define EDGEML_W2_SEGMENT(name, mask, group, odd, finish)                                                                   \
    EDGEML_NAKED void name(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)                                          \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            ".syntax unified\n"                                                                                        \
            "push  {r4-r11, lr}\n"                                                                                     \
            "sub   sp, #28\n"                                                                                          \
            "ldmia r0, {r3-r9}\n"                                                                                      \
            "stmia sp, {r3-r9}\n" /* 0: x, 4: end of the block, 8: from, 12: to, 16: start, 20: block bytes, 24: blocks */ \
            "mov   r1, r4\n" mask                                                                                      \
            "1:\n"                                                                                                     \
            "ldr   r0, [sp, #0]\n"                                                                                     \
            "ldr   r3, [sp, #20]\n"                                                                                    \
            "ldr   r7, [sp, #16]\n"                                                                                    \
            "add   r4, r1, r3\n"                                                                                       \
            "str   r4, [sp, #4]\n"                                                                                     \
            "mov   r8, r7\n"                                                                                           \
            "mov   r9, r7\n"                                                                                           \
            "mov   r10, r7\n"                                                                                          \
            "tst   r3, #" odd "\n" /* an odd number of groups: start with the second of the loop */                    \
            "bne   3f\n"                                                                                               \
            "2:\n" group                                                                                               \
            "3:\n" group                                                                                               \
            "ldr   lr, [sp, #4]\n"                                                                                     \
            "cmp   r1, lr\n"                                                                                           \
            "bne   2b\n" finish                                                                                        \
            "ldr   r3, [sp, #24]\n"                                                                                    \
            "subs  r3, #1\n"                                                                                           \
            "str   r3, [sp, #24]\n"                                                                                    \
            "bne   1b\n"                                                                                               \
            "add   sp, #28\n"                                                                                          \
            "pop   {r4-r11, pc}\n" ::: "memory");                                                                      \
    }

#define EDGEML_W2_MASK                                               \
    "mov   r2, #0xC000C000\n"                                        \
    "orr   r2, r2, #0x00030003\n"

/* The sums of a block of eight outputs onto what `from` holds. */
#define EDGEML_W2_ALL_SUMS                                           \
    "ldrd  r3, r4, [sp, #8]\n"                                       \
    EDGEML_W2_SUMS("r7")                                             \
    EDGEML_W2_SUMS("r8")                                             \
    EDGEML_W2_SUMS("r9")                                             \
    EDGEML_W2_SUMS("r10")                                            \
    "strd  r3, r4, [sp, #8]\n"

EDGEML_W2_SEGMENT(edgeml_dense_w2_dsp_segment, EDGEML_W2_MASK, EDGEML_W2_GROUP, "16", EDGEML_W2_ALL_SUMS)

#else

/* The same on the same packed weights, for other compilers and for tests on a host. */
static EDGEML_MAYBE_UNUSED void edgeml_dense_w2_dsp_segment(const edgeml_dense_call *call)
{
    const uint32_t *w = call->w;
    for (uint32_t block = 0; block < call->blocks; block++) {
        const uint32_t *const end = w + call->block_bytes / 4u;
        const int16_t *x = (const int16_t *)call->x;
        uint32_t acc[4];
        for (size_t pair = 0; pair < 4; pair++) {
            acc[pair] = (uint32_t)call->start;
        }
        for (; w != end; w += 4, x += 8) {
            for (size_t pair = 0; pair < 4; pair++) {
                for (size_t k = 0; k < 4; k++) {
                    const uint32_t turned = k ? (w[pair] >> (4 * k)) | (w[pair] << (32 - 4 * k)) : w[pair];
                    const uint32_t masked = turned & 0xC003C003u;
                    acc[pair] += (uint32_t)((int32_t)(int16_t)(masked & 0xFFFFu) * x[2 * k]);
                    acc[pair] += (uint32_t)((int32_t)(int16_t)(masked >> 16) * x[2 * k + 1]);
                }
            }
        }
        for (size_t pair = 0; pair < 4; pair++) {
            const size_t output = 8u * block + 2u * pair;
            const uint32_t a = acc[pair] & 0x3FFFu;
            const int32_t b = (int32_t)(acc[pair] - a) / 16384;
            call->to[output] = (int32_t)((uint32_t)call->from[output] + a);
            call->to[output + 1] = (int32_t)((uint32_t)call->from[output + 1] + (uint32_t)b);
        }
    }
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
