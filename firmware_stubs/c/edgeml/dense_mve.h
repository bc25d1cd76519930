/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers on cores with the M-profile vector extension (Helium): 16 inputs of four outputs for every four VMLADAVA.
 *
 * A vector holds 16 bytes, each with FIELDS codes of BITS bits: field k of byte b is the weight of input 16 k + b of a
 * group of 16 FIELDS inputs. An AND takes the lowest field out, a shift brings the next one down; VMLADAVA.U8 multiplies
 * 16 codes by 16 inputs and adds all products to one register. A weight is (code << doubled) - offset, so that
 *     sum of weight * x = (sum of code * x << doubled) - offset * sum of x,
 * modulo 2^32 in any order; the generator proves that the result fits 32 bits.
 * Weights: [blocks of 4 outputs][groups][4 outputs][16 bytes]; 12 + 12 + 16 + 8 instructions for 256 products of 2 bits.
 */
#ifndef EDGEML_DENSE_MVE_H
#define EDGEML_DENSE_MVE_H

#include "dense_call.h"

#if !defined(EDGEML_PORTABLE) && defined(__thumb2__) && defined(__ARM_FEATURE_MVE) && defined(EDGEML_NAKED)
#define EDGEML_MVE 1
#endif

#if defined(EDGEML_MVE)

#define EDGEML_MVE_PRODUCT(acc, codes) "vmladava.u8 " acc ", " codes ", q5\n"

/* The lowest fields of the four outputs times the next 16 inputs, then the next fields in their place. */
#define EDGEML_MVE_FIELD(bits)                                                                          \
    "vldrb.u8 q5, [r3], #16\n"                                                                          \
    "vand q6, q0, q4\n"                                                                                 \
    "vand q7, q1, q4\n" EDGEML_MVE_PRODUCT("r4", "q6") EDGEML_MVE_PRODUCT("r6", "q7")                   \
    "vand q6, q2, q4\n"                                                                                 \
    "vand q7, q3, q4\n" EDGEML_MVE_PRODUCT("r8", "q6") EDGEML_MVE_PRODUCT("r10", "q7")                  \
    "vshr.u8 q0, q0, #" #bits "\n"                                                                      \
    "vshr.u8 q1, q1, #" #bits "\n"                                                                      \
    "vshr.u8 q2, q2, #" #bits "\n"                                                                      \
    "vshr.u8 q3, q3, #" #bits "\n"

/* What is left of the codes is the highest field. */
#define EDGEML_MVE_LAST_FIELD                                                                           \
    "vldrb.u8 q5, [r3], #16\n"                                                                          \
    EDGEML_MVE_PRODUCT("r4", "q0") EDGEML_MVE_PRODUCT("r6", "q1")                                       \
    EDGEML_MVE_PRODUCT("r8", "q2") EDGEML_MVE_PRODUCT("r10", "q3")

#define EDGEML_MVE_SUMS(first, second, doubled)                                                         \
    "ldrd r3, r12, [r0], #8\n"                                                                          \
    "add  r3, r3, r7\n"                                                                                 \
    "add  r12, r12, r7\n"                                                                               \
    "add  r3, r3, " first ", lsl #" #doubled "\n"                                                       \
    "add  r12, r12, " second ", lsl #" #doubled "\n"                                                    \
    "strd r3, r12, [r2], #8\n"

/* r0 = from, r1 = w, r2 = to, r5 = groups, r7 = start, r9 = blocks, r11 = x; sums in r4, r6, r8, r10. */
#define EDGEML_MVE_BODY(mask, fields, doubled)                                                          \
    __asm__ volatile(                                                                                   \
        ".syntax unified\n"                                                                             \
        "push  {r4-r11, lr}\n"                                                                          \
        "vpush {d8-d15}\n"                                                                              \
        "ldr   r11, [r0, #0]\n"                                                                         \
        "ldr   r1, [r0, #4]\n"                                                                          \
        "ldr   r2, [r0, #12]\n"                                                                         \
        "ldr   r7, [r0, #16]\n"                                                                         \
        "ldr   r5, [r0, #20]\n"                                                                         \
        "ldr   r9, [r0, #24]\n"                                                                         \
        "ldr   r0, [r0, #8]\n"                                                                          \
        "lsrs  r5, r5, #6\n" /* bytes of a block: 64 for each group */                                  \
        "vmov.i8 q4, #" #mask "\n"                                                                      \
        "1:\n"                                                                                          \
        "mov   r3, r11\n"                                                                               \
        "movs  r4, #0\n"                                                                                \
        "movs  r6, #0\n"                                                                                \
        "mov   r8, r4\n"                                                                                \
        "mov   r10, r4\n"                                                                               \
        "dls   lr, r5\n"                                                                                \
        "2:\n"                                                                                          \
        "vldrb.u8 q0, [r1], #16\n"                                                                      \
        "vldrb.u8 q1, [r1], #16\n"                                                                      \
        "vldrb.u8 q2, [r1], #16\n"                                                                      \
        "vldrb.u8 q3, [r1], #16\n" fields EDGEML_MVE_LAST_FIELD                                         \
        "le    lr, 2b\n" EDGEML_MVE_SUMS("r4", "r6", doubled) EDGEML_MVE_SUMS("r8", "r10", doubled)     \
        "subs  r9, #1\n"                                                                                \
        "bne   1b\n"                                                                                    \
        "vpop  {d8-d15}\n"                                                                              \
        "pop   {r4-r11, pc}\n" ::: "memory")

EDGEML_NAKED void edgeml_mve_blocks_1(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    EDGEML_MVE_BODY(1, EDGEML_MVE_FIELD(1) EDGEML_MVE_FIELD(1) EDGEML_MVE_FIELD(1) EDGEML_MVE_FIELD(1)
                    EDGEML_MVE_FIELD(1) EDGEML_MVE_FIELD(1) EDGEML_MVE_FIELD(1), 1);
}

EDGEML_NAKED void edgeml_mve_blocks_2(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    EDGEML_MVE_BODY(3, EDGEML_MVE_FIELD(2) EDGEML_MVE_FIELD(2) EDGEML_MVE_FIELD(2), 0);
}

EDGEML_NAKED void edgeml_mve_blocks_4(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    EDGEML_MVE_BODY(15, EDGEML_MVE_FIELD(4), 0);
}

EDGEML_NAKED void edgeml_mve_blocks_8(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)
{
    EDGEML_MVE_BODY(255, "", 0);
}

#endif

/* Copies count inputs to `to`, zeros behind them up to `padded`; returns their sum. */
EDGEML_SHARED uint32_t edgeml_mve_inputs(const uint8_t *x, uint32_t count, uint32_t padded, uint8_t *to)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        to[i] = x[i];
        sum += x[i];
    }
    for (uint32_t i = count; i < padded; i++) {
        to[i] = 0;
    }
    return sum;
}

/* The same on the same packed weights, for other compilers and for tests on a host. */
static EDGEML_MAYBE_UNUSED void edgeml_mve_blocks_portable(const edgeml_dense_call *call, uint32_t bits,
                                                           uint32_t doubled)
{
    const uint32_t *w = call->w;
    for (uint32_t block = 0; block < call->blocks; block++) {
        uint32_t acc[4] = {0, 0, 0, 0};
        const uint8_t *x = (const uint8_t *)call->x;
        for (uint32_t group = 0; group < call->block_bytes / 64u; group++, w += 16, x += 16u * (8u / bits)) {
            for (uint32_t place = 0; place < 64u; place++) { /* output place / 16, byte place % 16 */
                const uint32_t codes = (w[place / 4u] >> (8u * (place % 4u))) & 255u;
                for (uint32_t field = 0; field < 8u / bits; field++) {
                    const uint32_t code = (codes >> (bits * field)) & ((1u << bits) - 1u);
                    acc[place / 16u] += code * x[16u * field + place % 16u];
                }
            }
        }
        for (uint32_t k = 0; k < 4; k++) {
            call->to[4u * block + k] =
                (int32_t)((uint32_t)call->from[4u * block + k] + (uint32_t)call->start + (acc[k] << doubled));
        }
    }
}

/* y = bias + weights * x. groups: of 128 / bits inputs each; scratch: room for the inputs of all groups. */
EDGEML_INLINE void edgeml_dense_mve(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                    uint32_t groups, uint32_t blocks, uint32_t bits, uint32_t offset, int32_t *y,
                                    uint8_t *scratch)
{
    const uint32_t sum = edgeml_mve_inputs(x, inputs, groups * (128u / bits), scratch);
    const edgeml_dense_call call = {scratch, w, bias, y, (int32_t)(0u - offset * sum), 64u * groups, blocks};
#if defined(EDGEML_MVE)
    if (bits == 1u) {
        edgeml_mve_blocks_1(&call);
    } else if (bits == 2u) {
        edgeml_mve_blocks_2(&call);
    } else if (bits == 4u) {
        edgeml_mve_blocks_4(&call);
    } else {
        edgeml_mve_blocks_8(&call);
    }
#else
    edgeml_mve_blocks_portable(&call, bits, bits == 1u);
#endif
}

#endif
