/* SPDX-License-Identifier: Apache-2.0 */
/* The distance between bytes and a prototype: sum of |x[i] * 2^shift - prototype[i]|. */
#ifndef EDGEML_DISTANCE_H
#define EDGEML_DISTANCE_H

#include "common.h"

/* x * 2^shift fits a byte for every x. Of cores with USADA8 count is a multiple of 4, and both are aligned to 4 bytes:
   no byte is shifted into its neighbour then, and four differences take one instruction. */
EDGEML_INLINE uint32_t edgeml_distance_u8(const uint8_t *x, const uint8_t *prototype, size_t count, uint32_t shift)
{
    uint32_t sum = 0;
#if defined(EDGEML_THUMB_DSP)
    typedef uint32_t __attribute__((may_alias)) word;
    const word *a = (const word *)(const void *)x;
    const word *b = (const word *)(const void *)prototype;
    EDGEML_UNROLL_BY_4
    for (size_t i = 0; i < count / 4u; i++) {
        __asm__("usada8 %0, %1, %2, %0" : "+r"(sum) : "r"(a[i] << shift), "r"(b[i]));
    }
#else
    for (size_t i = 0; i < count; i++) {
        const uint32_t scaled = (uint32_t)x[i] << shift;
        sum += scaled > prototype[i] ? scaled - prototype[i] : prototype[i] - scaled;
    }
#endif
    return sum;
}

#endif
