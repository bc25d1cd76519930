/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds: y[c] = number of thresholds of channel c that acc[c] reaches. */
#ifndef EDGEML_THRESHOLD_H
#define EDGEML_THRESHOLD_H

#include "common.h"

/* Compares with all of them. thresholds: [levels][channels]. */
EDGEML_INLINE void edgeml_threshold_compare(const int32_t *restrict acc, const int32_t *restrict thresholds,
                                            size_t channels, size_t levels, uint8_t *restrict y)
{
    for (size_t c = 0; c < channels; c++) {
        y[c] = (uint8_t)(acc[c] >= thresholds[c]);
    }
    for (size_t k = 1; k < levels; k++) {
        const int32_t *const level = thresholds + k * channels;
        for (size_t c = 0; c < channels; c++) {
            y[c] = (uint8_t)(y[c] + (acc[c] >= level[c]));
        }
    }
}

/* Binary search. thresholds: [channels][levels], each row ascending. */
EDGEML_INLINE void edgeml_threshold_search(const int32_t *restrict acc, const int32_t *restrict thresholds,
                                           size_t channels, size_t levels, uint8_t *restrict y)
{
    for (size_t c = 0; c < channels; c++) {
        const int32_t *const row = thresholds + c * levels;
        size_t below = 0; /* so many are known to be reached */
        size_t left = levels;
        while (left > 0) {
            const size_t half = left / 2;
            if (acc[c] >= row[below + half]) {
                below += half + 1;
                left -= half + 1;
            } else {
                left = half;
            }
        }
        y[c] = (uint8_t)below;
    }
}

#endif
