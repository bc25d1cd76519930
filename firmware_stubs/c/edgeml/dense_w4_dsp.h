/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 4-bit weights on cores with SMLAD: eight multiply-accumulates for seven instructions.
 *
 * A 16-bit half holds the weights of four outputs a b c d for one input, as the codes w + 8 for a, b, c and as two's
 * complement for d. SMLAD on nested masks of the word gives A, A + 2^4 B, A + 2^4 B + 2^8 C and, of the whole word,
 * A + 2^4 B + 2^8 C + 2^12 D, each modulo 2^32; their differences are the four sums. The generator proves that each
 * sum times its power of two fits 32 bits.
 * Weights: [blocks of 4 outputs][groups of 8 inputs][4 pairs of inputs]; inputs as edgeml_widen_u8 writes them.
 */
#ifndef EDGEML_DENSE_W4_DSP_H
#define EDGEML_DENSE_W4_DSP_H

#include "widen.h"

#if defined(EDGEML_THUMB_DSP)

#define EDGEML_W4_WORD(word, x)                                      \
    "and    lr, " word ", #0x000F000F\n"                             \
    "smlad  r8, lr, " x ", r8\n"                                     \
    "uxtb16 lr, " word "\n"                                          \
    "smlad  r9, lr, " x ", r9\n"                                     \
    "bic    lr, " word ", #0xF000F000\n"                             \
    "smlad  r10, lr, " x ", r10\n"                                   \
    "smlad  r11, " word ", " x ", r11\n"

/* Eight inputs, four outputs. */
#define EDGEML_W4_GROUP                                              \
    "ldmia r0!, {r2-r5}\n"                                           \
    "ldmia r1!, {r6, r7}\n"                                          \
    EDGEML_W4_WORD("r6", "r2")                                       \
    EDGEML_W4_WORD("r7", "r3")                                       \
    "ldmia r1!, {r6, r7}\n"                                          \
    EDGEML_W4_WORD("r6", "r4")                                       \
    EDGEML_W4_WORD("r7", "r5")

#if defined(__OPTIMIZE_SIZE__)
#define EDGEML_W4_TURN "2:\n" EDGEML_W4_GROUP
#else
/* Two groups a turn, and one of an odd number first. */
#define EDGEML_W4_TURN                                               \
    "tst   r3, #16\n"                                                \
    "bne   3f\n"                                                     \
    "2:\n" EDGEML_W4_GROUP                                           \
    "3:\n" EDGEML_W4_GROUP
#endif

EDGEML_NAKED void edgeml_dense_w4_dsp_segment(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    __asm__ volatile(
        ".syntax unified\n"
        "push  {r4-r11, lr}\n"
        "sub   sp, #28\n"
        "ldmia r0, {r3-r9}\n"
        "stmia sp, {r3-r9}\n" /* 0: x, 8: from, 12: to, 16: start, 20: block bytes, 24: blocks */
        "mov   r1, r4\n"
        "1:\n"
        "ldr   r0, [sp, #0]\n"
        "ldr   r3, [sp, #20]\n"
        "ldr   r8, [sp, #16]\n"
        "add   r12, r1, r3\n"
        "add   r9, r8, r8, lsl #4\n" /* the codes' offset counts once for each output under the mask */
        "add   r10, r9, r8, lsl #8\n"
        "mov   r11, r10\n"
        EDGEML_W4_TURN
        "cmp   r1, r12\n"
        "bne   2b\n"
        "ldrd  r2, r3, [sp, #8]\n"
        "sub   r11, r11, r10\n"
        "sub   r10, r10, r9\n"
        "sub   r9, r9, r8\n"
        "ldmia r2!, {r4-r7}\n"
        "add   r4, r4, r8\n"
        "add   r5, r5, r9, asr #4\n"
        "add   r6, r6, r10, asr #8\n"
        "add   r7, r7, r11, asr #12\n"
        "stmia r3!, {r4-r7}\n"
        "strd  r2, r3, [sp, #8]\n"
        "ldr   r3, [sp, #24]\n"
        "subs  r3, #1\n"
        "str   r3, [sp, #24]\n"
        "bne   1b\n"
        "add   sp, #28\n"
        "pop   {r4-r11, pc}\n" ::: "memory");
}

#else

/* The same on the same packed weights, for other compilers and for tests on a host. */
static EDGEML_MAYBE_UNUSED void edgeml_dense_w4_dsp_segment(const edgeml_dense_call *call)
{
    const uint32_t *w = call->w;
    for (uint32_t block = 0; block < call->blocks; block++) {
        const uint32_t *const end = w + call->block_bytes / 4u;
        const int16_t *x = (const int16_t *)call->x;
        const uint32_t start = (uint32_t)call->start;
        uint32_t acc[4] = {start, start, start, 0};
        for (; w != end; w++, x += 2) {
            for (size_t half = 0; half < 2; half++) {
                const uint32_t codes = (*w >> (16 * half)) & 0xFFFFu;
                acc[0] += (uint32_t)((int32_t)(codes & 15u) * x[half]);
                acc[1] += (uint32_t)((int32_t)((codes >> 4) & 15u) * x[half]);
                acc[2] += (uint32_t)((int32_t)((codes >> 8) & 15u) * x[half]);
                acc[3] += (uint32_t)(((int32_t)((codes >> 12) ^ 8u) - 8) * x[half]);
            }
        }
        for (size_t k = 0; k < 4; k++) { /* each wraps to the 32 - 4 k bits that it has there */
            const uint32_t sign = 0x80000000u >> 4 * k, sum = ((acc[k] & (2u * sign - 1u)) ^ sign) - sign;
            call->to[4u * block + k] = (int32_t)((uint32_t)call->from[4u * block + k] + sum);
        }
    }
}

#endif

/* y = bias + weights * x for inputs (a multiple of 8) in segments. */
EDGEML_INLINE void edgeml_dense_w4_dsp(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                       uint32_t segment, uint32_t blocks, int32_t *y, uint8_t *scratch)
{
    int16_t *const wide = (int16_t *)(void *)scratch;
    edgeml_dense_call call = {wide, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.start = -8 * edgeml_widen_u8(x + first, count, wide);
        call.block_bytes = 2 * count;
        edgeml_dense_w4_dsp_segment(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

#endif
