/* SPDX-License-Identifier: Apache-2.0 */
/* STM32F4: the PLL on the internal 16 MHz oscillator, which every board has (ST RM0090, chapters 3 and 7; RM0390). The
   factory trims that oscillator to 1 % at 25 °C, which a UART bears. The core's voltage is at its highest scale after
   reset. */
#include "board.h"

#define CONTROL EDGEML_REGISTER(0x40023800u)       /* RCC_CR */
#define PLL EDGEML_REGISTER(0x40023804u)           /* RCC_PLLCFGR */
#define CONFIGURATION EDGEML_REGISTER(0x40023808u) /* RCC_CFGR */
#define FLASH_ACCESS EDGEML_REGISTER(0x40023C00u)  /* FLASH_ACR */

#define INTERNAL_HZ 16000000u
#define PLL_ON (1u << 24)
#define PLL_READY (1u << 25)
#define FROM_PLL 2u
#define SWITCHED (3u << 2)
#define SWITCHED_TO_PLL (2u << 2)
#define APB1_QUARTER (5u << 10)
#define APB2_HALF (4u << 13)
#define CACHES_AND_PREFETCH (7u << 8)
#define WAIT_STATE_HZ 30000000u /* one more wait state for each, at 2.7 to 3.6 V */

#if EDGEML_CLOCK_HZ % 1000000u || EDGEML_CLOCK_HZ < 50000000u || EDGEML_CLOCK_HZ > 168000000u
#error "clock_hz of an STM32F4: whole MHz, 50 to 168"
#endif

edgeml_clock_rates edgeml_clock_start(void)
{
    const edgeml_clock_rates reset = {INTERNAL_HZ, INTERNAL_HZ};
    const edgeml_clock_rates rates = {EDGEML_CLOCK_HZ, EDGEML_CLOCK_HZ / (EDGEML_UART_BASE < 0x40010000u ? 4u : 2u)};
    /* 16 MHz / 8 = 2 MHz, times the MHz wanted, / 2. */
    PLL = 8u | (EDGEML_CLOCK_HZ / 1000000u) << 6 | 7u << 24;
    CONTROL |= PLL_ON;
    for (uint32_t i = 0; !(CONTROL & PLL_READY); i++) {
        if (i == EDGEML_PATIENCE) {
            return reset;
        }
    }
    FLASH_ACCESS = CACHES_AND_PREFETCH | (EDGEML_CLOCK_HZ - 1u) / WAIT_STATE_HZ;
    (void)FLASH_ACCESS; /* in force once it reads back */
    CONFIGURATION = APB1_QUARTER | APB2_HALF;
    CONFIGURATION = APB1_QUARTER | APB2_HALF | FROM_PLL;
    while ((CONFIGURATION & SWITCHED) != SWITCHED_TO_PLL) {
    }
    return rates;
}
