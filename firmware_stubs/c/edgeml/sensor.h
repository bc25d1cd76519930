/* SPDX-License-Identifier: Apache-2.0 */
/* From real numbers to input integers, exactly: clip(round_half_even((x - offset) / scale) + zero_point, low, high) as
   IEEE double precision gives it, for every float. Most numbers need single precision alone. */
#ifndef EDGEML_SENSOR_H
#define EDGEML_SENSOR_H

#include <float.h>

#include "common.h"

#if FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53
#error "integers are made of real numbers in IEEE float and double; make them elsewhere on this processor"
#endif
#if defined(__FAST_MATH__) || (defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD > 1)
#error "compile this file without -ffast-math, and without the x87's wider numbers"
#endif

/* How a feature's real number becomes an integer. (x - offset) / scale + zero_point is gain * x + shift within the
   margin that the caller names; where that cannot be said, gain is 0 and shift lies halfway between two integers. */
typedef struct {
    double offset;
    double scale;
    float gain;
    float shift;
} edgeml_feature;

/* As the definition says, in double precision. What is not a number becomes the zero point. */
EDGEML_SHARED int32_t edgeml_quantize_exactly(float x, const edgeml_feature *feature, int32_t zero_point, int32_t low,
                                              int32_t high)
{
    const double steps = ((double)x - feature->offset) / feature->scale;
    if (!(steps > (double)(low - zero_point - 1))) {
        return steps <= 0.0 ? low : zero_point;
    }
    if (steps >= (double)(high - zero_point + 1)) {
        return high;
    }
    int32_t whole = (int32_t)steps; /* toward zero */
    const double rest = steps - (double)whole;
    if (rest >= 0.5 && (rest > 0.5 || whole % 2)) {
        whole++;
    } else if (rest <= -0.5 && (rest < -0.5 || whole % 2)) {
        whole--;
    }
    whole += zero_point;
    return whole < low ? low : whole > high ? high : whole;
}

/* The same integer; double precision is asked only where gain * x + shift lies within `margin` of halfway between two
   integers. low >= -128, high <= 255. */
EDGEML_INLINE int32_t edgeml_quantize_one(float x, const edgeml_feature *feature, float margin, int32_t zero_point,
                                          int32_t low, int32_t high)
{
    const float level = x * feature->gain + feature->shift;
    if (level <= (float)(low - 1)) {
        return low;
    }
    if (level >= (float)(high + 1)) {
        return high;
    }
    if (level > (float)(low - 1)) { /* a number */
        const int32_t nearest = (int32_t)(level + 256.5f) - 256;
        const float distance = level - (float)nearest;
        if (distance > margin - 0.5f && distance < 0.5f - margin) {
            return nearest < low ? low : nearest > high ? high : nearest;
        }
    }
    return edgeml_quantize_exactly(x, feature, zero_point, low, high);
}

#endif
