/* SPDX-License-Identifier: Apache-2.0 */
/* A function of one small integer: y[c] = table[x[c]], on stored integers. */
#ifndef EDGEML_LOOKUP_H
#define EDGEML_LOOKUP_H

#include "common.h"

EDGEML_INLINE void edgeml_lookup_u8(const uint8_t *restrict x, const uint8_t *restrict table, size_t channels,
                                    uint8_t *restrict y)
{
    for (size_t c = 0; c < channels; c++) {
        y[c] = table[x[c]];
    }
}

#endif
