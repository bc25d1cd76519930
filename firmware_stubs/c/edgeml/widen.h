/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs as 16-bit pairs for SMLAD: four bytes x0 x1 x2 x3 become the words (x0, x2) and (x1, x3), because UXTB16 makes
   those at once; the weights are packed in the same order. */
#ifndef EDGEML_WIDEN_H
#define EDGEML_WIDEN_H

#include "dense_call.h"

#if defined(EDGEML_THUMB_DSP)
/* r0 = x, r1 = wide, r2 = end of x; returns the sum. Eight inputs a turn. */
EDGEML_NAKED int32_t edgeml_widen_words(const uint8_t *x EDGEML_MAYBE_UNUSED, int16_t *wide EDGEML_MAYBE_UNUSED,
                                        const uint8_t *end EDGEML_MAYBE_UNUSED)
{
    __asm__ volatile(
        ".syntax unified\n"
        "push   {r4-r8, lr}\n"
        "movs   r3, #0\n"
        "movs   r8, #0\n"
        "1:\n"
        "ldmia  r0!, {r4, r6}\n"
        "usada8 r3, r4, r8, r3\n"
        "usada8 r3, r6, r8, r3\n"
        "uxtb16 r5, r4, ror #8\n"
        "uxtb16 r4, r4\n"
        "uxtb16 r7, r6, ror #8\n"
        "uxtb16 r6, r6\n"
        "stmia  r1!, {r4-r7}\n"
        "cmp    r0, r2\n"
        "bne    1b\n"
        "mov    r0, r3\n"
        "pop    {r4-r8, pc}\n" ::: "memory");
}
#endif

/* Writes count inputs (a multiple of 8; x aligned to 4 bytes) to wide and returns their sum. */
EDGEML_INLINE int32_t edgeml_widen_u8(const uint8_t *x, size_t count, int16_t *wide)
{
#if defined(EDGEML_THUMB_DSP)
    return edgeml_widen_words(x, wide, x + count);
#else
    int32_t sum = 0;
    for (size_t i = 0; i < count; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            wide[i + 2 * (k % 2) + k / 2] = (int16_t)x[i + k];
            sum += (int32_t)x[i + k];
        }
    }
    return sum;
#endif
}

#endif
