/* SPDX-License-Identifier: Apache-2.0 */
/* STM32F100, and WCH's CH32V203 with the same registers: the PLL on half of the internal 8 MHz oscillator, which every
   board has (ST RM0041, chapters 3 and 6; WCH CH32FV2x_V3xRM, chapter 3). The factory trims that oscillator to 1 % at
   25 °C, which a UART bears. */
#include "board.h"

#define CONTROL EDGEML_REGISTER(0x40021000u)       /* RCC_CR */
#define CONFIGURATION EDGEML_REGISTER(0x40021004u) /* RCC_CFGR */

#define INTERNAL_HZ 8000000u
#define STEP_HZ 4000000u
#define PLL_ON (1u << 24)
#define PLL_READY (1u << 25)
#define PLL_TIMES ((EDGEML_CLOCK_HZ / STEP_HZ - 2u) << 18)
#define FROM_PLL 2u
#define SWITCHED (3u << 2)
#define SWITCHED_TO_PLL (2u << 2)

#if defined(__riscv)
#define MOST_HZ 64000000u
#else
#define MOST_HZ 24000000u /* flash needs no wait state */
#endif
#if EDGEML_CLOCK_HZ % 4000000u || EDGEML_CLOCK_HZ < 8000000u || EDGEML_CLOCK_HZ > MOST_HZ
#error "clock_hz: from 8 MHz in steps of 4 MHz, to 24 MHz (STM32F100) or 64 MHz (CH32V203)"
#endif

edgeml_clock_rates edgeml_clock_start(void)
{
    const edgeml_clock_rates reset = {INTERNAL_HZ, INTERNAL_HZ};
    const edgeml_clock_rates rates = {EDGEML_CLOCK_HZ, EDGEML_CLOCK_HZ};
    CONFIGURATION = PLL_TIMES;
    CONTROL |= PLL_ON;
    for (uint32_t i = 0; !(CONTROL & PLL_READY); i++) {
        if (i == EDGEML_PATIENCE) {
            return reset;
        }
    }
    CONFIGURATION = PLL_TIMES | FROM_PLL;
    while ((CONFIGURATION & SWITCHED) != SWITCHED_TO_PLL) {
    }
    return rates;
}
