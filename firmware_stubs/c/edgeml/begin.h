/* What the sums of a dense layer begin with, from a bias in the narrowest type that holds it. even is added to outputs
   0, 2, 4 ..., odd to the others: what packed sums are too large by. count is a multiple of 4 and not 0. */
#ifndef EDGEML_BEGIN_H
#define EDGEML_BEGIN_H

#include "common.h"

#if defined(__GNUC__) || defined(__clang__)
typedef uint32_t __attribute__((may_alias)) edgeml_begin_word;

/* bias is aligned to 4 bytes: its bytes come four at a time. */
EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_begin_s8(const int8_t *bias, uint32_t count, int32_t even, int32_t odd,
                                                   int32_t *sum)
{
    const edgeml_begin_word *word = (const edgeml_begin_word *)(const void *)bias;
    int32_t *const end = sum + count;
    do {
        const uint32_t four = *word++;
        sum[0] = even + (int8_t)(four & 255u);
        sum[1] = odd + (int8_t)((four >> 8) & 255u);
        sum[2] = even + (int8_t)((four >> 16) & 255u);
        sum[3] = odd + (int8_t)(four >> 24);
        sum += 4;
    } while (sum != end);
}
#else
EDGEML_SHARED void edgeml_begin_s8(const int8_t *bias, uint32_t count, int32_t even, int32_t odd, int32_t *sum)
{
    for (uint32_t i = 0; i < count; i++) {
        sum[i] = (int32_t)bias[i] + (i % 2u ? odd : even);
    }
}
#endif

EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_begin_s16(const int16_t *bias, uint32_t count, int32_t even, int32_t odd,
                                                    int32_t *sum)
{
    int32_t *const end = sum + count;
    do {
        const int32_t first = bias[0], second = bias[1];
        sum[0] = first + even;
        sum[1] = second + odd;
        bias += 2;
        sum += 2;
    } while (sum != end);
}

/* A layer without bias. */
EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_begin_none(uint32_t count, int32_t even, int32_t odd, int32_t *sum)
{
    int32_t *const end = sum + count;
    do {
        sum[0] = even;
        sum[1] = odd;
        sum += 2;
    } while (sum != end);
}

#endif
