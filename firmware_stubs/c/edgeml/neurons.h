/* SPDX-License-Identifier: Apache-2.0 */
/* What a neuron's state does in a step: decays and limits, one function for each rule of edgeml/network/spiking. */
#ifndef EDGEML_NEURONS_H
#define EDGEML_NEURONS_H

#include "common.h"

/* x >> bits, rounding down, for negative x too (C99 leaves that to the compiler; this it compiles to one shift). */
EDGEML_INLINE int32_t edgeml_floor_shift(int32_t x, unsigned bits)
{
    return x >= 0 ? (int32_t)((uint32_t)x >> bits) : (int32_t)~(~(uint32_t)x >> bits);
}

EDGEML_INLINE int64_t edgeml_floor_shift_wide(int64_t x, unsigned bits)
{
    return x >= 0 ? (int64_t)((uint64_t)x >> bits) : (int64_t)~(~(uint64_t)x >> bits);
}

/* The nearest integer to x * factor / 2^bits, ties up. */
EDGEML_INLINE int32_t edgeml_decay_multiply(int32_t x, int32_t factor, unsigned bits)
{
    const int64_t half = bits > 0 ? (int64_t)1 << (bits - 1) : 0;
    return (int32_t)edgeml_floor_shift_wide((int64_t)x * factor + half, bits);
}

/* sign(x) * ((|x| * factor) >> bits) */
EDGEML_INLINE int32_t edgeml_decay_toward_zero(int32_t x, int32_t factor, unsigned bits)
{
    const uint64_t magnitude = ((uint64_t)(x < 0 ? -(int64_t)x : (int64_t)x) * (uint32_t)factor) >> bits;
    return x < 0 ? (int32_t)-(int64_t)magnitude : (int32_t)magnitude;
}

/* x - (x >> shift), and one less where that changes nothing and x > 0. */
EDGEML_INLINE int32_t edgeml_decay_shift(int32_t x, unsigned shift)
{
    const int32_t loss = edgeml_floor_shift(x, shift);
    return loss == 0 && x > 0 ? x - 1 : x - loss;
}

/* Toward zero by a constant. */
EDGEML_INLINE int32_t edgeml_decay_subtract(int32_t x, int32_t loss)
{
    if (x > 0) {
        return x > loss ? x - loss : 0;
    }
    return -x > loss ? x + loss : 0;
}

EDGEML_INLINE int32_t edgeml_saturate(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : (x > high ? high : x);
}

/* Once around: above half to the negative side, at or below -half to the positive one. */
EDGEML_INLINE int32_t edgeml_wrap(int32_t x, int32_t half)
{
    return x > half ? x - 2 * half : (x <= -half ? x + 2 * half : x);
}

#endif
