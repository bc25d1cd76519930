/* Dense layers, one row of 8-bit weights for each output: y[o] = bias[o] + sum_i weight[o][i] * x[i].
   The kernels called _wide sum in 64 bits, for layers where a partial sum might pass 32. */
#ifndef EDGEML_DENSE_ROWS_H
#define EDGEML_DENSE_ROWS_H

#include "common.h"

EDGEML_INLINE void edgeml_dense_rows_u8(const uint8_t *restrict x, const int8_t *restrict weight,
                                        const int32_t *restrict bias, size_t inputs, size_t outputs, int32_t *restrict y)
{
    for (size_t o = 0; o < outputs; o++) {
        const int8_t *const row = weight + o * inputs;
        int32_t sum = bias[o];
        for (size_t i = 0; i < inputs; i++) {
            sum += (int32_t)row[i] * (int32_t)x[i];
        }
        y[o] = sum;
    }
}

EDGEML_INLINE void edgeml_dense_rows_u8_wide(const uint8_t *restrict x, const int8_t *restrict weight,
                                             const int64_t *restrict bias, size_t inputs, size_t outputs, int32_t *restrict y)
{
    for (size_t o = 0; o < outputs; o++) {
        const int8_t *const row = weight + o * inputs;
        int64_t sum = bias[o];
        for (size_t i = 0; i < inputs; i++) {
            sum += (int64_t)row[i] * (int64_t)x[i];
        }
        y[o] = (int32_t)sum;
    }
}

EDGEML_INLINE void edgeml_dense_rows_s16(const int16_t *restrict x, const int8_t *restrict weight,
                                         const int32_t *restrict bias, size_t inputs, size_t outputs, int32_t *restrict y)
{
    for (size_t o = 0; o < outputs; o++) {
        const int8_t *const row = weight + o * inputs;
        int32_t sum = bias[o];
        for (size_t i = 0; i < inputs; i++) {
            sum += (int32_t)row[i] * (int32_t)x[i];
        }
        y[o] = sum;
    }
}

EDGEML_INLINE void edgeml_dense_rows_s16_wide(const int16_t *restrict x, const int8_t *restrict weight,
                                              const int64_t *restrict bias, size_t inputs, size_t outputs, int32_t *restrict y)
{
    for (size_t o = 0; o < outputs; o++) {
        const int8_t *const row = weight + o * inputs;
        int64_t sum = bias[o];
        for (size_t i = 0; i < inputs; i++) {
            sum += (int64_t)row[i] * (int64_t)x[i];
        }
        y[o] = (int32_t)sum;
    }
}

EDGEML_INLINE void edgeml_dense_rows_s32(const int32_t *restrict x, const int8_t *restrict weight,
                                         const int32_t *restrict bias, size_t inputs, size_t outputs, int32_t *restrict y)
{
    for (size_t o = 0; o < outputs; o++) {
        const int8_t *const row = weight + o * inputs;
        int32_t sum = bias[o];
        for (size_t i = 0; i < inputs; i++) {
            sum += (int32_t)row[i] * (int32_t)x[i];
        }
        y[o] = sum;
    }
}

EDGEML_INLINE void edgeml_dense_rows_s32_wide(const int32_t *restrict x, const int8_t *restrict weight,
                                              const int64_t *restrict bias, size_t inputs, size_t outputs, int32_t *restrict y)
{
    for (size_t o = 0; o < outputs; o++) {
        const int8_t *const row = weight + o * inputs;
        int64_t sum = bias[o];
        for (size_t i = 0; i < inputs; i++) {
            sum += (int64_t)row[i] * (int64_t)x[i];
        }
        y[o] = (int32_t)sum;
    }
}

#endif
