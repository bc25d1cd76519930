/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 8-bit weights on cores without SIMD: four outputs share the load of an input.
 * Weights: codes w + 128, [blocks of 4 outputs][inputs][4], a word for each input, the first output in its lowest byte;
 * -128 * (sum of the inputs) takes the code's offset back.
 */
#ifndef EDGEML_DENSE_W8_BLOCK_H
#define EDGEML_DENSE_W8_BLOCK_H

#include "dense_lanes.h"

#if !defined(EDGEML_THUMB_1) /* ARMv6-M has it in dense_lanes_m0.h */
EDGEML_SHARED void edgeml_dense_w8_block_segment(const edgeml_dense_call *call)
{
    const uint8_t *const first_input = (const uint8_t *)call->x;
    const uint8_t *const end = first_input + call->block_bytes / 4u;
#if defined(EDGEML_LITTLE_ENDIAN)
    const uint8_t *w = (const uint8_t *)(const void *)call->w;
#else
    const uint32_t *w = call->w;
#endif
    const int32_t *from = call->from;
    int32_t *to = call->to;
    uint32_t blocks = call->blocks;
    do {
        uint32_t sum0 = (uint32_t)call->start, sum1 = sum0, sum2 = sum0, sum3 = sum0;
        const uint8_t *x = first_input;
        do {
            const uint32_t first = x[0], second = x[1];
#if defined(EDGEML_LITTLE_ENDIAN)
            sum0 += w[0] * first;
            sum1 += w[1] * first;
            sum2 += w[2] * first;
            sum3 += w[3] * first;
            sum0 += w[4] * second;
            sum1 += w[5] * second;
            sum2 += w[6] * second;
            sum3 += w[7] * second;
            w += 8;
#else
            sum0 += (w[0] & 255u) * first;
            sum1 += ((w[0] >> 8) & 255u) * first;
            sum2 += ((w[0] >> 16) & 255u) * first;
            sum3 += (w[0] >> 24) * first;
            sum0 += (w[1] & 255u) * second;
            sum1 += ((w[1] >> 8) & 255u) * second;
            sum2 += ((w[1] >> 16) & 255u) * second;
            sum3 += (w[1] >> 24) * second;
            w += 2;
#endif
            x += 2;
        } while (x != end);
        *to++ = (int32_t)((uint32_t)*from++ + sum0);
        *to++ = (int32_t)((uint32_t)*from++ + sum1);
        *to++ = (int32_t)((uint32_t)*from++ + sum2);
        *to++ = (int32_t)((uint32_t)*from++ + sum3);
    } while (--blocks);
}
#endif

/* y = bias + weights * x; inputs is a multiple of 8, x aligned to 4 bytes. Sums are modulo 2^32. */
EDGEML_INLINE void edgeml_dense_w8_block(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                         uint32_t blocks, int32_t *y)
{
    edgeml_dense_call call = {x, w, bias, y, 0, 4u * inputs, blocks};
    call.start = (int32_t)(0u - 128u * edgeml_sum_u8(x, inputs));
    edgeml_dense_w8_block_segment(&call);
}

#endif
