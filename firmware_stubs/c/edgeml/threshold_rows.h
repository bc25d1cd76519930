/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds on processors without vectors: y[c] = number of thresholds of channel c that acc[c] reaches, by a search of
   fixed depth. thresholds: [channels][levels], each row ascending, levels one less than a power of two; what is stored
   is the threshold less centre. acc[c] - centre fits 32 bits, and wraps where damaged weights gave acc; channels is not
   0. */
#ifndef EDGEML_THRESHOLD_ROWS_H
#define EDGEML_THRESHOLD_ROWS_H

#include "common.h"

#define EDGEML_THRESHOLD_ROWS(name, stored)                                                                            \
    EDGEML_SHARED void name(const int32_t *acc, const stored *thresholds, int32_t centre, size_t channels,             \
                            size_t levels, uint8_t *y)                                                                 \
    {                                                                                                                  \
        const int32_t *const end = acc + channels;                                                                     \
        do {                                                                                                           \
            const int32_t value = (int32_t)((uint32_t)*acc++ - (uint32_t)centre);                                      \
            size_t reached = 0;                                                                                        \
            for (size_t step = (levels + 1u) / 2u; step > 0; step /= 2u) {                                             \
                if (value >= (int32_t)thresholds[reached + step - 1u]) {                                               \
                    reached += step;                                                                                   \
                }                                                                                                      \
            }                                                                                                          \
            *y++ = (uint8_t)reached;                                                                                   \
            thresholds += levels;                                                                                      \
        } while (acc != end);                                                                                          \
    }

EDGEML_THRESHOLD_ROWS(edgeml_threshold_rows_s8, int8_t)
EDGEML_THRESHOLD_ROWS(edgeml_threshold_rows_s16, int16_t)
EDGEML_THRESHOLD_ROWS(edgeml_threshold_rows_s32, int32_t)

/* The same for three thresholds a channel, what 2-bit activations have. */
#define EDGEML_THRESHOLD_THREE(name, stored)                                                                           \
    EDGEML_SHARED void name(const int32_t *acc, const stored *thresholds, int32_t centre, size_t channels, uint8_t *y) \
    {                                                                                                                  \
        const int32_t *const end = acc + channels;                                                                     \
        do {                                                                                                           \
            const int32_t value = (int32_t)((uint32_t)*acc++ - (uint32_t)centre);                                      \
            const size_t upper = value >= (int32_t)thresholds[1] ? 2u : 0u;                                            \
            *y++ = (uint8_t)(upper + (value >= (int32_t)thresholds[upper] ? 1u : 0u));                                 \
            thresholds += 3;                                                                                           \
        } while (acc != end);                                                                                          \
    }

EDGEML_THRESHOLD_THREE(edgeml_threshold_three_s8, int8_t)
EDGEML_THRESHOLD_THREE(edgeml_threshold_three_s16, int16_t)
EDGEML_THRESHOLD_THREE(edgeml_threshold_three_s32, int32_t)

#endif
