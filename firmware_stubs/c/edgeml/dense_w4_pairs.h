/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 4-bit weights on cores with SMLAD, where sums are small: four multiply-accumulates for two instructions.
 *
 * A 16-bit half of a masked word holds the weights of two outputs for one input: output a as the code w + 8 in bits
 * 0-3, output b as two's complement in bits 12-15. SMLAD multiplies both halves with their inputs and adds: the
 * accumulator is A + 2^12 * B. It starts with -8 * (sum of the inputs), which takes the code's offset back, and a shift
 * that makes A positive; the generator proves for each segment of inputs that A fits 12 bits and B 20 (signed).
 * A word holds two such masks' worth, the second found by rotating it by 8 bits: four inputs, two outputs.
 * Weights: [blocks of 8 outputs][groups of 8 inputs][4 pairs of outputs][2]; inputs as edgeml_widen_u8 writes them.
 */
#ifndef EDGEML_DENSE_W4_PAIRS_H
#define EDGEML_DENSE_W4_PAIRS_H

#include "widen.h"

#if defined(EDGEML_THUMB_DSP)

/* Four inputs, two outputs: r2 holds the mask. */
#define EDGEML_W4_PAIR_WORD(acc, word, x0, x1)                       \
    "and   lr, r2, " word "\n"                                       \
    "smlad " acc ", lr, " x0 ", " acc "\n"                           \
    "and   lr, r2, " word ", ror #8\n"                               \
    "smlad " acc ", lr, " x1 ", " acc "\n"

#define EDGEML_W4_PAIR(acc)                                          \
    "ldmia r1!, {r11, r12}\n"                                        \
    EDGEML_W4_PAIR_WORD(acc, "r11", "r3", "r4")                      \
    EDGEML_W4_PAIR_WORD(acc, "r12", "r5", "r6")

/* A and B of one accumulator onto the sums of two outputs. */
#define EDGEML_W4_PAIR_SUMS(acc)                                     \
    "ldrd  r5, r6, [r3], #8\n"                                       \
    "ubfx  lr, " acc ", #0, #12\n"                                   \
    "add   r5, r5, lr\n"                                             \
    "add   r6, r6, " acc ", asr #12\n"                               \
    "strd  r5, r6, [r4], #8\n"

EDGEML_NAKED void edgeml_dense_w4_pairs_segment(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    __asm__ volatile(
        ".syntax unified\n"
        "push  {r4-r11, lr}\n"
        "sub   sp, #28\n"
        "ldmia r0, {r3-r9}\n"
        /* 0: x, 4: block bytes, 8: start, 12: from, 16: to, 20: blocks, 24: end of the block */
        "strd  r3, r8, [sp, #0]\n"
        "strd  r7, r5, [sp, #8]\n"
        "strd  r6, r9, [sp, #16]\n"
        "mov   r1, r4\n"
        "mov   r2, #0xF000F000\n"
        "orr   r2, r2, #0x000F000F\n"
        "1:\n"
        "ldr   r7, [sp, #8]\n"
        "ldrd  r0, r3, [sp, #0]\n"
        "add   r4, r1, r3\n"
        "str   r4, [sp, #24]\n"
        "mov   r8, r7\n"
        "mov   r9, r7\n"
        "mov   r10, r7\n"
        "2:\n"
        "ldmia r0!, {r3-r6}\n"
        EDGEML_W4_PAIR("r7")
        EDGEML_W4_PAIR("r8")
        EDGEML_W4_PAIR("r9")
        EDGEML_W4_PAIR("r10")
        "ldr   lr, [sp, #24]\n"
        "cmp   r1, lr\n"
        "bne   2b\n"
        "ldrd  r3, r4, [sp, #12]\n"
        EDGEML_W4_PAIR_SUMS("r7")
        EDGEML_W4_PAIR_SUMS("r8")
        EDGEML_W4_PAIR_SUMS("r9")
        EDGEML_W4_PAIR_SUMS("r10")
        "strd  r3, r4, [sp, #12]\n"
        "ldr   r3, [sp, #20]\n"
        "subs  r3, #1\n"
        "str   r3, [sp, #20]\n"
        "bne   1b\n"
        "add   sp, #28\n"
        "pop   {r4-r11, pc}\n" ::: "memory");
}

#else

/* The same on the same packed weights, for other compilers and for tests on a host. */
static EDGEML_MAYBE_UNUSED void edgeml_dense_w4_pairs_segment(const edgeml_dense_call *call)
{
    const int16_t *const x = (const int16_t *)call->x;
    const uint32_t *w = call->w;
    for (size_t block = 0; block < call->blocks; block++, w += call->block_bytes / 4u) {
        for (size_t pair = 0; pair < 4; pair++) {
            uint32_t acc = (uint32_t)call->start;
            for (size_t turn = 0; turn < call->block_bytes / 8u; turn++) { /* two of each word; a word: four inputs */
                const uint32_t word = w[8 * (turn / 4) + 2 * pair + turn / 2 % 2];
                const uint32_t both = (turn % 2 ? word >> 8 | word << 24 : word) & 0xF00FF00Fu;
                acc += (uint32_t)((int32_t)(int16_t)(both & 0xFFFFu) * x[2 * turn]);
                acc += (uint32_t)((int32_t)(int16_t)(both >> 16) * x[2 * turn + 1]);
            }
            const uint32_t a = acc & 0xFFFu;
            const int32_t b = (int32_t)(acc - a) / 4096;
            const size_t output = 8 * block + 2 * pair;
            call->to[output] = (int32_t)((uint32_t)call->from[output] + a);
            call->to[output + 1] = (int32_t)((uint32_t)call->from[output + 1] + (uint32_t)b);
        }
    }
}

#endif

/* y = bias + weights * x for inputs (a multiple of 8) in segments; shift is folded into the bias of the outputs a. */
EDGEML_INLINE void edgeml_dense_w4_pairs(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                         uint32_t segment, uint32_t blocks, int32_t shift, int32_t *y, uint8_t *scratch)
{
    int16_t *const wide = (int16_t *)(void *)scratch;
    edgeml_dense_call call = {wide, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.start = shift - 8 * edgeml_widen_u8(x + first, count, wide);
        call.block_bytes = 4 * count;
        edgeml_dense_w4_pairs_segment(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

#endif
