/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of which each channel's are the rounding of one line:

       y[c] = min(max((acc[c] * m + a) >> s, 0), levels)

   is the number of thresholds of channel c that acc[c] reaches, for every accumulator that can occur. The generator
   proves that, and that nothing here overflows; with damaged constants sums wrap. Shifts go toward minus infinity.
   channels is not 0. */
#ifndef EDGEML_THRESHOLD_LINE_H
#define EDGEML_THRESHOLD_LINE_H

#include "common.h"

/* value / 2^count toward minus infinity, also where the compiler would shift zeros in. */
EDGEML_INLINE int32_t edgeml_line_shift(int32_t value, uint32_t count)
{
    return value < 0 ? ~(~value >> count) : value >> count;
}

EDGEML_INLINE uint8_t edgeml_line_clip(int32_t value, int32_t levels)
{
    return (uint8_t)(value < 0 ? 0 : value > levels ? levels : value);
}

/* A word for each channel: m in its low half, and a is the word itself, (int32_t)word >> place. */
EDGEML_INLINE void edgeml_threshold_line_packed(const int32_t *acc, const uint32_t *lines, size_t channels,
                                                uint32_t place, uint32_t shift, int32_t levels, uint8_t *y)
{
    const int32_t *const end = acc + channels;
    do {
        const uint32_t line = *lines++;
        const uint32_t sum = (uint32_t)*acc++ * (line & 0xffffu) + (uint32_t)edgeml_line_shift((int32_t)line, place);
        *y++ = edgeml_line_clip(edgeml_line_shift((int32_t)sum, shift), levels);
    } while (acc != end);
}

/* value * scale * m / 2^32 toward minus infinity, of the lowest 32 bits of value * scale. */
EDGEML_INLINE int32_t edgeml_line_high(int32_t value, int32_t scale, int32_t m)
{
    const int64_t product = (int64_t)(int32_t)((uint32_t)value * (uint32_t)scale) * m;
    return (int32_t)(product < 0 ? ~(~product >> 32) : product >> 32);
}

/* The high word of acc * scale * m, to which offset * step + base is added. */
#if defined(__thumb__)
/* Pointers that move on by themselves, as loads and stores of these cores do for nothing. */
#define EDGEML_THRESHOLD_LINE(name, stored)                                                                            \
    EDGEML_INLINE void name(const int32_t *restrict acc, const int32_t *restrict m, const stored *restrict offset,     \
                            size_t channels, int32_t scale, int32_t step, int32_t base, uint32_t shift,                \
                            int32_t levels, uint8_t *restrict y)                                                       \
    {                                                                                                                  \
        const int32_t *const end = acc + channels;                                                                     \
        do {                                                                                                           \
            const uint32_t a = (uint32_t)*offset++ * (uint32_t)step + (uint32_t)base;                                  \
            const int32_t sum = (int32_t)((uint32_t)edgeml_line_high(*acc++, scale, *m++) + a);                        \
            *y++ = edgeml_line_clip(edgeml_line_shift(sum, shift), levels);                                            \
        } while (acc != end);                                                                                          \
    }
#else
#define EDGEML_THRESHOLD_LINE(name, stored)                                                                            \
    EDGEML_INLINE void name(const int32_t *restrict acc, const int32_t *restrict m, const stored *restrict offset,     \
                            size_t channels, int32_t scale, int32_t step, int32_t base, uint32_t shift,                \
                            int32_t levels, uint8_t *restrict y)                                                       \
    {                                                                                                                  \
        for (size_t c = 0; c < channels; c++) {                                                                        \
            const uint32_t a = (uint32_t)offset[c] * (uint32_t)step + (uint32_t)base;                                  \
            const int32_t sum = (int32_t)((uint32_t)edgeml_line_high(acc[c], scale, m[c]) + a);                        \
            y[c] = edgeml_line_clip(edgeml_line_shift(sum, shift), levels);                                            \
        }                                                                                                              \
    }

#endif

EDGEML_THRESHOLD_LINE(edgeml_threshold_line_s16, int16_t)
EDGEML_THRESHOLD_LINE(edgeml_threshold_line_s32, int32_t)

/* Thresholds that their lines miss, four words each: channel, first, beyond, change. For first <= acc < beyond the number
   of thresholds reached is the line's + change, which is 1 or -1. */
EDGEML_SHARED EDGEML_FOR_SIZE void edgeml_threshold_exceptions(const int32_t *acc, const int32_t *exceptions,
                                                               size_t count, uint8_t *y)
{
    for (const int32_t *one = exceptions; one != exceptions + 4u * count; one += 4) {
        const size_t channel = (size_t)one[0];
        if (acc[channel] >= one[1] && acc[channel] < one[2]) {
            y[channel] = (uint8_t)(y[channel] + one[3]);
        }
    }
}

#endif
