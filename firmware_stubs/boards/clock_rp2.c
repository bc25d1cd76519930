/* SPDX-License-Identifier: Apache-2.0 */
/* RP2040 and RP2350: the PLL on the board's crystal of 12 MHz (RP2040 Datasheet, sections 2.15, 2.16, 2.18; RP2350
   Datasheet, sections 8.1, 8.2, 8.6). Without a crystal the part stays on its ring oscillator, whose rate is not known
   well enough for a UART; 6.5 MHz and 11 MHz are typical. */
#include "rp2.h"

#define REFERENCE_CONTROL EDGEML_REGISTER(RP2_CLOCKS + 0x30u)
#define REFERENCE_SELECTED EDGEML_REGISTER(RP2_CLOCKS + 0x38u)
#define SYSTEM_CONTROL EDGEML_REGISTER(RP2_CLOCKS + 0x3Cu)
#define SYSTEM_SELECTED EDGEML_REGISTER(RP2_CLOCKS + 0x44u)
#define PERIPHERAL_CONTROL EDGEML_REGISTER(RP2_CLOCKS + 0x48u)
#define CRYSTAL_CONTROL EDGEML_REGISTER(RP2_CRYSTAL + 0x0u)
#define CRYSTAL_STATUS EDGEML_REGISTER(RP2_CRYSTAL + 0x4u)
#define CRYSTAL_DELAY EDGEML_REGISTER(RP2_CRYSTAL + 0xCu)
#define PLL_STATUS EDGEML_REGISTER(RP2_PLL + 0x0u)
#define PLL_POWER EDGEML_REGISTER(RP2_PLL + 0x4u)
#define PLL_TIMES EDGEML_REGISTER(RP2_PLL + 0x8u)
#define PLL_DIVIDERS EDGEML_REGISTER(RP2_PLL + 0xCu)

#define CRYSTAL_HZ 12000000u
#define CRYSTAL_ON 0x00FABAA0u /* for 1 to 15 MHz */
#define CRYSTAL_1_MS 47u       /* in steps of 256 periods */
#define READY (1u << 31)
#define OSCILLATOR_AND_PLL_DOWN (1u << 5 | 1u << 0)
#define DIVIDERS_DOWN (1u << 3)
#define FROM_CRYSTAL 2u
#define SELECTED_CRYSTAL (1u << 2)
#define FROM_PLL 1u
#define SELECTED_PLL (1u << 1)
#define ENABLE (1u << 11)

/* 12 MHz times FACTOR, which the PLL's oscillator has between 750 and 1600 MHz, divided by DIVIDER and by 2. */
#define DIVIDER (EDGEML_CLOCK_HZ > 130000000u ? 5u : 6u)
#define FACTOR (EDGEML_CLOCK_HZ / 1000000u * DIVIDER * 2u / 12u)

#if EDGEML_CLOCK_HZ != 125000000u && EDGEML_CLOCK_HZ != 150000000u
#error "clock_hz of an RP2040 or RP2350: 125 or 150 MHz"
#endif

edgeml_clock_rates edgeml_clock_start(void)
{
    const edgeml_clock_rates rates = {EDGEML_CLOCK_HZ, EDGEML_CLOCK_HZ};
    CRYSTAL_DELAY = CRYSTAL_1_MS;
    CRYSTAL_CONTROL = CRYSTAL_ON;
    while (!(CRYSTAL_STATUS & READY)) { /* nothing else is exact enough for a UART */
    }
    REFERENCE_CONTROL = FROM_CRYSTAL;
    while (!(REFERENCE_SELECTED & SELECTED_CRYSTAL)) {
    }
    SYSTEM_CONTROL &= ~FROM_PLL; /* from the reference, while the PLL is changed */
    while (!(SYSTEM_SELECTED & 1u)) {
    }
    rp2_out_of_reset(RP2_RESET_PLL);
    PLL_STATUS = 1u; /* the crystal is not divided */
    PLL_TIMES = FACTOR;
    PLL_POWER &= ~OSCILLATOR_AND_PLL_DOWN;
    while (!(PLL_STATUS & READY)) {
    }
    PLL_DIVIDERS = DIVIDER << 16 | 2u << 12;
    PLL_POWER &= ~DIVIDERS_DOWN;
    SYSTEM_CONTROL = 0u; /* the auxiliary source is the PLL; the reference still feeds the clock */
    SYSTEM_CONTROL = FROM_PLL;
    while (!(SYSTEM_SELECTED & SELECTED_PLL)) {
    }
    PERIPHERAL_CONTROL = ENABLE; /* from the system clock */
    return rates;
}
