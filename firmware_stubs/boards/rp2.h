/* SPDX-License-Identifier: Apache-2.0 */
/* Where the RP2040 and the RP2350 have what their clock and UART files use (RP2040 Datasheet, section 2.2; RP2350
   Datasheet, section 2.2). The blocks themselves are the same in both. */
#ifndef EDGEML_RP2_H
#define EDGEML_RP2_H

#include "board.h"

#if defined(__ARM_ARCH_6M__)
#define RP2_CLOCKS 0x40008000u
#define RP2_RESETS 0x4000C000u
#define RP2_PINS 0x40014000u
#define RP2_PADS 0x4001C000u
#define RP2_CRYSTAL 0x40024000u
#define RP2_PLL 0x40028000u
#define RP2_RESET_PINS (1u << 5)
#define RP2_RESET_PADS (1u << 8)
#define RP2_RESET_PLL (1u << 12)
#define RP2_RESET_UART (1u << (22u + (EDGEML_UART_BASE - 0x40034000u) / 0x4000u))
#else
#define RP2_CLOCKS 0x40010000u
#define RP2_RESETS 0x40020000u
#define RP2_PINS 0x40028000u
#define RP2_PADS 0x40038000u
#define RP2_CRYSTAL 0x40048000u
#define RP2_PLL 0x40050000u
#define RP2_RESET_PINS (1u << 6)
#define RP2_RESET_PADS (1u << 9)
#define RP2_RESET_PLL (1u << 14)
#define RP2_RESET_UART (1u << (26u + (EDGEML_UART_BASE - 0x40070000u) / 0x8000u))
#endif

/* Takes blocks out of reset and waits until they are. */
static inline void rp2_out_of_reset(uint32_t blocks)
{
    EDGEML_REGISTER(RP2_RESETS + 0x0u) &= ~blocks;
    while ((EDGEML_REGISTER(RP2_RESETS + 0x8u) & blocks) != blocks) {
    }
}

#endif
