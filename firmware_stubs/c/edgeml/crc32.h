/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 (IEEE 802.3, reflected, as zlib computes it), four bits at a time with a table of 64 bytes. */
#ifndef EDGEML_CRC32_H
#define EDGEML_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues crc (0 to begin with) over count bytes. They are read as volatile: a compiler that knows constants would
   else compute their sum itself, and memory would never be looked at. */
static inline uint32_t edgeml_crc32(uint32_t crc, const volatile void *data, size_t count)
{
    static const uint32_t table[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
                                       0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                       0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
    const volatile uint8_t *const bytes = (const volatile uint8_t *)data;
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return ~crc;
}

/* The same over count integers of so many bytes (1, 2, 4 or 8), each with its lowest byte first however the machine keeps
   it. */
static inline uint32_t edgeml_crc32_integers(uint32_t crc, const volatile void *data, size_t count, size_t bytes)
{
    const volatile uint16_t one = 1;
    const volatile uint8_t *const first = (const volatile uint8_t *)data;
    if (bytes == 1 || *(const volatile uint8_t *)&one == 1) {
        return edgeml_crc32(crc, data, count * bytes);
    }
    for (size_t i = 0; i < count * bytes; i++) {
        crc = edgeml_crc32(crc, first + (i ^ (bytes - 1u)), 1);
    }
    return crc;
}

#endif
