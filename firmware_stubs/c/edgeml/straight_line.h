/* SPDX-License-Identifier: Apache-2.0 */
/* What sums that are written out term by term are made of. */
#ifndef EDGEML_STRAIGHT_LINE_H
#define EDGEML_STRAIGHT_LINE_H

#include "common.h"

/* Four inputs of one byte, the first in the lowest byte. x is aligned to 4 bytes. */
#if defined(EDGEML_LITTLE_ENDIAN) && !defined(EDGEML_PORTABLE)
typedef uint32_t __attribute__((may_alias)) edgeml_straight_word;

EDGEML_INLINE uint32_t edgeml_word(const uint8_t *x)
{
    return *(const edgeml_straight_word *)(const void *)x;
}
#else
EDGEML_INLINE uint32_t edgeml_word(const uint8_t *x)
{
    return (uint32_t)x[0] | (uint32_t)x[1] << 8 | (uint32_t)x[2] << 16 | (uint32_t)x[3] << 24;
}
#endif

#define EDGEML_BYTE0(word) ((word) & 255u)
#define EDGEML_BYTE1(word) (((word) >> 8) & 255u)
#define EDGEML_BYTE2(word) (((word) >> 16) & 255u)
#define EDGEML_BYTE3(word) ((word) >> 24)

/* One after the other as they are written, so that registers hold all sums that are on the way. */
#define EDGEML_ADD(sum, value) do { (sum) += (value); EDGEML_LOAD_HERE(sum); } while (0)
#define EDGEML_SUBTRACT(sum, value) do { (sum) -= (value); EDGEML_LOAD_HERE(sum); } while (0)

/* 1 if an int32_t is negative, else 0: a shift, or a comparison where that is one instruction. */
#if defined(__riscv)
#define EDGEML_NEGATIVE(value) ((value) < 0 ? 1u : 0u)
#else
#define EDGEML_NEGATIVE(value) ((uint32_t)(value) >> 31)
#endif

#endif
