/* Thresholds on processors without vectors: y[c] = number of thresholds of channel c that acc[c] reaches, by a search of
   fixed depth. thresholds: [channels][levels], each row ascending, levels one less than a power of two. */
#ifndef EDGEML_THRESHOLD_ROWS_H
#define EDGEML_THRESHOLD_ROWS_H

#include "common.h"

EDGEML_INLINE void edgeml_threshold_rows_s16(const int32_t *acc, const int16_t *thresholds, size_t channels,
                                             size_t levels, uint8_t *y)
{
    const int32_t *const end = acc + channels;
    for (; acc != end; acc++, thresholds += levels) {
        const int32_t value = *acc;
        size_t reached = 0;
        for (size_t step = (levels + 1u) / 2u; step > 0; step /= 2u) {
            if (value >= (int32_t)thresholds[reached + step - 1u]) {
                reached += step;
            }
        }
        *y++ = (uint8_t)reached;
    }
}

EDGEML_INLINE void edgeml_threshold_rows_s32(const int32_t *acc, const int32_t *thresholds, size_t channels,
                                             size_t levels, uint8_t *y)
{
    const int32_t *const end = acc + channels;
    for (; acc != end; acc++, thresholds += levels) {
        const int32_t value = *acc;
        size_t reached = 0;
        for (size_t step = (levels + 1u) / 2u; step > 0; step /= 2u) {
            if (value >= thresholds[reached + step - 1u]) {
                reached += step;
            }
        }
        *y++ = (uint8_t)reached;
    }
}

#endif
