/* SPDX-License-Identifier: Apache-2.0 */
/* What the sums of a dense layer begin with, from a bias in the narrowest type that holds it. even is added to outputs
   0, 2, 4 ..., odd to the others: what packed sums are too large by. Sums are modulo 2^32, as even and odd may take a
   bias past 32 bits that the packed sums bring back. count is a multiple of 4 and not 0. */
#ifndef EDGEML_BEGIN_H
#define EDGEML_BEGIN_H

#include "common.h"

#if defined(EDGEML_LITTLE_ENDIAN)
typedef uint32_t __attribute__((may_alias)) edgeml_begin_word;

/* bias is aligned to 4 bytes: its bytes come four at a time. */
EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_begin_s8(const int8_t *bias, uint32_t count, uint32_t even, uint32_t odd,
                                                   int32_t *sum)
{
    const edgeml_begin_word *word = (const edgeml_begin_word *)(const void *)bias;
    int32_t *const end = sum + count;
    do {
        const uint32_t four = *word++;
        const int32_t values[4] = {(int8_t)(four & 255u), (int8_t)((four >> 8) & 255u), (int8_t)((four >> 16) & 255u),
                                   (int8_t)(four >> 24)};
        sum[0] = (int32_t)(even + (uint32_t)values[0]);
        sum[1] = (int32_t)(odd + (uint32_t)values[1]);
        sum[2] = (int32_t)(even + (uint32_t)values[2]);
        sum[3] = (int32_t)(odd + (uint32_t)values[3]);
        sum += 4;
    } while (sum != end);
}
#else
EDGEML_SHARED void edgeml_begin_s8(const int8_t *bias, uint32_t count, uint32_t even, uint32_t odd, int32_t *sum)
{
    for (uint32_t i = 0; i < count; i++) {
        sum[i] = (int32_t)((uint32_t)(int32_t)bias[i] + (i % 2u ? odd : even));
    }
}
#endif

EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_begin_s16(const int16_t *bias, uint32_t count, uint32_t even, uint32_t odd,
                                                    int32_t *sum)
{
    int32_t *const end = sum + count;
    do {
        const uint32_t first = (uint32_t)(int32_t)bias[0], second = (uint32_t)(int32_t)bias[1];
        sum[0] = (int32_t)(first + even);
        sum[1] = (int32_t)(second + odd);
        bias += 2;
        sum += 2;
    } while (sum != end);
}

/* A layer without bias. */
EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_begin_none(uint32_t count, uint32_t even, uint32_t odd, int32_t *sum)
{
    int32_t *const end = sum + count;
    do {
        sum[0] = (int32_t)even;
        sum[1] = (int32_t)odd;
        sum += 2;
    } while (sum != end);
}

#endif
