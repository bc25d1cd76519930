/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 8-bit weights on cores with SMLAD: four multiply-accumulates for three instructions.
 *
 * A 16-bit half holds the weights of two outputs for one input: a as the code w + 128 in the low byte, b as two's
 * complement in the high one. SMLAD on the low bytes (UXTB16) gives A, on the word as it is A + 2^8 B modulo 2^32; the
 * difference is the other sum. Both start with -128 * (sum of the inputs), which takes the code's offset back. The
 * generator proves that 2^8 B fits 32 bits.
 * Weights: [blocks of 4 outputs][groups of 4 inputs][2 pairs of inputs][2 pairs of outputs]; inputs as edgeml_widen_u8
 * writes them.
 */
#ifndef EDGEML_DENSE_W8_DSP_H
#define EDGEML_DENSE_W8_DSP_H

#include "widen.h"

#if defined(EDGEML_THUMB_DSP)

/* One word, which is changed: two outputs, two inputs. */
#define EDGEML_W8_WORD(a, ab, word, x)                               \
    "smlad  " ab ", " word ", " x ", " ab "\n"                       \
    "uxtb16 " word ", " word "\n"                                    \
    "smlad  " a ", " word ", " x ", " a "\n"

/* Four inputs, four outputs. */
#define EDGEML_W8_GROUP(x0, x1)                                      \
    "ldmia  r1!, {r8-r11}\n"                                         \
    EDGEML_W8_WORD("r4", "r5", "r8", x0)                             \
    EDGEML_W8_WORD("r6", "r7", "r9", x0)                             \
    EDGEML_W8_WORD("r4", "r5", "r10", x1)                            \
    EDGEML_W8_WORD("r6", "r7", "r11", x1)
#define EDGEML_W8_EIGHT                                              \
    "ldmia  r0!, {r2, r3, r12, lr}\n"                                \
    EDGEML_W8_GROUP("r2", "r3")                                      \
    EDGEML_W8_GROUP("r12", "lr")

EDGEML_NAKED void edgeml_dense_w8_dsp_segment(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    __asm__ volatile(
        ".syntax unified\n"
        ".p2align 2\n"
        "push  {r4-r11, lr}\n"
        "sub   sp, #28\n"
        "ldmia r0, {r3-r9}\n" /* x, w, from, to, start, block bytes, blocks */
        "mov   r1, r4\n"
        "mla   r4, r8, r9, r4\n"
        "mov   r9, r4\n"
        "mov   r4, r7\n"
        "add   r7, r3, r8, lsr #1\n"
        "stmia sp, {r3-r9}\n" /* 0: x, 4: start, 8: from, 12: to, 16: end of x, 20: block bytes, 24: end of w */
        "1:\n"
        "ldr   r0, [sp, #0]\n"
        "ldr   r4, [sp, #4]\n"
        "ldr   r3, [sp, #20]\n"
        "mov   r5, r4\n"
        "mov   r6, r4\n"
        "mov   r7, r4\n"
        "lsls  r3, r3, #26\n" /* 32 inputs a turn; where fewer are left over, they come first */
        "bcs   6f\n"
        "bmi   5f\n"
        ".p2align 2\n"
        "2:\n" EDGEML_W8_EIGHT
        "3:\n" EDGEML_W8_EIGHT
        "4:\n" EDGEML_W8_EIGHT
        "5:\n" EDGEML_W8_EIGHT
        "ldr   r2, [sp, #16]\n"
        "cmp   r0, r2\n"
        "bne   2b\n"
        "ldr   r2, [sp, #8]\n"
        "ldr   r3, [sp, #12]\n"
        "ldr   r12, [sp, #24]\n"
        "sub   r5, r5, r4\n"
        "sub   r7, r7, r6\n"
        "ldmia r2!, {r8-r11}\n"
        "add   r8, r8, r4\n"
        "add   r9, r9, r5, asr #8\n"
        "add   r10, r10, r6\n"
        "add   r11, r11, r7, asr #8\n"
        "stmia r3!, {r8-r11}\n"
        "strd  r2, r3, [sp, #8]\n"
        "cmp   r1, r12\n"
        "bne   1b\n"
        "add   sp, #28\n"
        "pop   {r4-r11, pc}\n"
        "6:\n"
        "bmi   3b\n"
        "b     4b\n" ::: "memory");
}

#else

/* The same on the same packed weights, for other compilers and for tests on a host. */
static EDGEML_MAYBE_UNUSED void edgeml_dense_w8_dsp_segment(const edgeml_dense_call *call)
{
    const uint32_t *w = call->w;
    for (uint32_t block = 0; block < call->blocks; block++) {
        const uint32_t *const end = w + call->block_bytes / 4u;
        const int16_t *x = (const int16_t *)call->x;
        uint32_t acc[4] = {(uint32_t)call->start, 0, (uint32_t)call->start, 0};
        for (; w != end; w += 2, x += 2) {
            for (size_t k = 0; k < 8; k++) { /* word k / 4: outputs 2 (k / 4) and one more; byte k % 4 */
                const uint32_t code = (w[k / 4] >> (8 * (k % 4))) & 255u;
                const int32_t weight = k % 2 ? (int32_t)(code ^ 128u) - 128 : (int32_t)code;
                acc[2 * (k / 4) + k % 2] += (uint32_t)(weight * x[(k / 2) % 2]);
            }
        }
        for (size_t k = 0; k < 4; k++) { /* those of the high bytes wrap to the 24 bits that they have there */
            const uint32_t sum = k % 2 ? ((acc[k] & 0xFFFFFFu) ^ 0x800000u) - 0x800000u : acc[k];
            call->to[4u * block + k] = (int32_t)((uint32_t)call->from[4u * block + k] + sum);
        }
    }
}

#endif

/* y = bias + weights * x for inputs (a multiple of 8) in segments. */
EDGEML_INLINE void edgeml_dense_w8_dsp(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                       uint32_t segment, uint32_t blocks, int32_t *y, uint8_t *scratch)
{
    int16_t *const wide = (int16_t *)(void *)scratch;
    edgeml_dense_call call = {wide, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.start = -128 * edgeml_widen_u8(x + first, count, wide);
        call.block_bytes = 4 * count;
        edgeml_dense_w8_dsp_segment(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

#endif
