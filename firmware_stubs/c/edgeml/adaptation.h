/* SPDX-License-Identifier: Apache-2.0 */
/* What networks that adapt share: levels in few bits, numbers in a saved state, steps within bounds. */
#ifndef EDGEML_ADAPTATION_H
#define EDGEML_ADAPTATION_H

#include "common.h"
#include "crc32.h"

/* Takes offsets from count sums, and, where totals is not NULL, adds the sums to it before. */
EDGEML_INLINE void edgeml_take_offsets(int32_t *sums, const int16_t *offsets, int32_t *totals, size_t count)
{
    if (totals) {
        for (size_t i = 0; i < count; i++) {
            totals[i] += sums[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        sums[i] -= offsets[i];
    }
}

/* value between -most - 1 and most. */
EDGEML_INLINE int32_t edgeml_within(int32_t value, int32_t most)
{
    return value > most ? most : value < -most - 1 ? -most - 1 : value;
}

/* Levels of so many bits (1, 2, 4 or 8), the first in the lowest bits of a byte; packed begins as zeros. */
EDGEML_INLINE void edgeml_pack_levels(const uint8_t *levels, uint8_t *packed, size_t count, unsigned bits)
{
    const size_t each = 8u / bits;
    for (size_t i = 0; i < (count + each - 1u) / each; i++) {
        packed[i] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        packed[i / each] = (uint8_t)(packed[i / each] | (unsigned)levels[i] << bits * (unsigned)(i % each));
    }
}

EDGEML_INLINE void edgeml_unpack_levels(const uint8_t *packed, uint8_t *levels, size_t count, unsigned bits)
{
    const size_t each = 8u / bits;
    for (size_t i = 0; i < count; i++) {
        levels[i] = (uint8_t)((unsigned)packed[i / each] >> bits * (unsigned)(i % each) & ((1u << bits) - 1u));
    }
}

/* Whether count levels of a window are at most `most`, and no bit is set behind them. */
EDGEML_INLINE int edgeml_sound_levels(const uint8_t *packed, size_t count, unsigned bits, unsigned most)
{
    const size_t each = 8u / bits, places = (count + each - 1u) / each * each;
    for (size_t i = 0; i < places; i++) {
        const unsigned level = (unsigned)packed[i / each] >> bits * (unsigned)(i % each) & ((1u << bits) - 1u);
        if (level > (i < count ? most : 0u)) {
            return 0;
        }
    }
    return 1;
}

/* Numbers of so many bytes, the lowest first; both go on behind them. */
EDGEML_INLINE void edgeml_put_number(uint8_t **place, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *(*place)++ = (uint8_t)(value >> 8u * i);
    }
}

EDGEML_INLINE uint32_t edgeml_get_number(const uint8_t **place, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint32_t)*(*place)++ << 8u * i;
    }
    return value;
}

/* A signed number of so many bytes in two's complement. */
EDGEML_INLINE int32_t edgeml_get_signed(const uint8_t **place, unsigned bytes)
{
    const uint32_t value = edgeml_get_number(place, bytes), sign = (uint32_t)1 << (8u * bytes - 1u);
    return value & sign ? -(int32_t)(sign - (value ^ sign) - 1u) - 1 : (int32_t)value;
}

#endif
