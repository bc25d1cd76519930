/* Thresholds that lie on a line, but for rounding: their number is one multiplication away. slope and offset of each
   channel were shown to give the number of thresholds reached for every accumulator that can occur. */
#ifndef EDGEML_THRESHOLD_LINE_H
#define EDGEML_THRESHOLD_LINE_H

#include "common.h"

EDGEML_INLINE int32_t edgeml_threshold_clipped(int32_t value, int32_t bottom, int32_t top)
{
    const int32_t above = value > bottom ? value : bottom;
    return above < top ? above : top;
}

/* y[c] = (a * slope[c] + offset[c]) >> 24 for a = acc[c] clipped to bottom[c] ... top[c], modulo 2^32: what passes it
   does not reach the eight bits. */
EDGEML_INLINE void edgeml_threshold_line32(const int32_t *restrict acc, const int32_t *restrict bottom,
                                           const int32_t *restrict top, const uint32_t *restrict slope,
                                           const uint32_t *restrict offset, size_t channels, uint8_t *restrict y)
{
    for (size_t c = 0; c < channels; c++) {
        const int32_t value = edgeml_threshold_clipped(acc[c], bottom[c], top[c]);
        y[c] = (uint8_t)(((uint32_t)value * slope[c] + offset[c]) >> 24);
    }
}

/* The same in 64 bits, with any shift; the sum is never negative. */
EDGEML_INLINE void edgeml_threshold_line64(const int32_t *restrict acc, const int32_t *restrict bottom,
                                           const int32_t *restrict top, const int32_t *restrict slope,
                                           const int64_t *restrict offset, unsigned shift, size_t channels,
                                           uint8_t *restrict y)
{
    for (size_t c = 0; c < channels; c++) {
        const int32_t value = edgeml_threshold_clipped(acc[c], bottom[c], top[c]);
        y[c] = (uint8_t)((uint64_t)((int64_t)value * slope[c] + offset[c]) >> shift);
    }
}

#endif
