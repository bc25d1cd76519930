/* SPDX-License-Identifier: Apache-2.0 */
/* From the raw counts of sensors to input integers, without floating point and without error: what a count stands for
   is rounded half to even, as a rational number, and clipped. */
#ifndef EDGEML_COUNTS_H
#define EDGEML_COUNTS_H

#include "common.h"

/* floor((gain * count + start) / 2^shift) is the integer of each count that lies between low and high; less 1 where the
   remainder is below `tie` and the integer an odd number of steps from the zero point: the count was halfway. */
typedef struct {
    int64_t gain;
    int64_t start;
    int64_t tie;
    int32_t shift;
} edgeml_count;

EDGEML_INLINE int32_t edgeml_quantize_count(int16_t count, const edgeml_count *feature, int32_t zero_point, int32_t low,
                                            int32_t high)
{
    /* 2^62 is added, so that nothing negative is shifted. */
    const uint64_t level = ((uint64_t)1 << 62) + (uint64_t)(feature->gain * count + feature->start);
    const int64_t rest = (int64_t)(level & (((uint64_t)1 << feature->shift) - 1));
    int64_t whole = (int64_t)(level >> feature->shift) - ((int64_t)1 << (62 - feature->shift));
    if (rest < feature->tie && (whole - zero_point) % 2 != 0) {
        whole--;
    }
    return whole < low ? low : whole > high ? high : (int32_t)whole;
}

#endif
