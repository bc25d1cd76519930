/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers, one row of 8-bit weights for each output: y[o] = bias[o] + sum_i weight[o][i] * x[i], for inputs of any
   type. The kernels called _wide sum in 64 bits, for layers where a partial sum might pass 32. Sums wrap: what damaged
   weights add up to is defined, too. */
#ifndef EDGEML_DENSE_ROWS_H
#define EDGEML_DENSE_ROWS_H

#include "common.h"

#define EDGEML_DENSE_ROWS(name, input, sum, bits)                                                                      \
    EDGEML_INLINE void name(const input *restrict x, const int8_t *restrict weight, const sum *restrict bias,          \
                            size_t inputs, size_t outputs, int32_t *restrict y)                                        \
    {                                                                                                                  \
        for (size_t o = 0; o < outputs; o++) {                                                                         \
            const int8_t *const row = weight + o * inputs;                                                             \
            bits total = (bits)bias[o];                                                                                \
            for (size_t i = 0; i < inputs; i++) {                                                                      \
                total += (bits)row[i] * (bits)x[i];                                                                    \
            }                                                                                                          \
            y[o] = (int32_t)total;                                                                                     \
        }                                                                                                              \
    }

EDGEML_DENSE_ROWS(edgeml_dense_rows_u8, uint8_t, int32_t, uint32_t)
EDGEML_DENSE_ROWS(edgeml_dense_rows_s16, int16_t, int32_t, uint32_t)
EDGEML_DENSE_ROWS(edgeml_dense_rows_s32, int32_t, int32_t, uint32_t)
EDGEML_DENSE_ROWS(edgeml_dense_rows_u8_wide, uint8_t, int64_t, uint64_t)
EDGEML_DENSE_ROWS(edgeml_dense_rows_s16_wide, int16_t, int64_t, uint64_t)
EDGEML_DENSE_ROWS(edgeml_dense_rows_s32_wide, int32_t, int64_t, uint64_t)

#endif
