/* The caller's integers into the arena: y = min(max(x, low), low + span) - low, so that 0 <= y <= span <= 255. */
#ifndef EDGEML_INPUT_H
#define EDGEML_INPUT_H

#include "common.h"

EDGEML_INLINE void edgeml_input_u8(const uint8_t *x, size_t count, int32_t low, int32_t span, uint8_t *y)
{
    for (size_t i = 0; i < count; i++) {
        const int32_t value = (int32_t)x[i] - low;
        y[i] = (uint8_t)(value > span ? span : value < 0 ? 0 : value);
    }
}

EDGEML_INLINE void edgeml_input_s8(const int8_t *x, size_t count, int32_t low, int32_t span, uint8_t *y)
{
    for (size_t i = 0; i < count; i++) {
        const int32_t value = (int32_t)x[i] - low;
        y[i] = (uint8_t)(value > span ? span : value < 0 ? 0 : value);
    }
}

#endif
