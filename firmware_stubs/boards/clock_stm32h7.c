/* SPDX-License-Identifier: Apache-2.0 */
/* STM32H743: PLL1 on the internal 64 MHz oscillator, which every board has, at the voltage of scale 1 (ST RM0433, chapters
   4, 6 and 8; table 17 for flash). The factory trims that oscillator to 1 % at 25 °C, which a UART bears. The
   instruction cache is switched on (ST PM0253, section 4.8); the data cache stays off. */
#include "board.h"

#define RCC(offset) EDGEML_REGISTER(0x58024400u + (offset))
#define CONTROL RCC(0x00u)
#define CONFIGURATION RCC(0x10u)
#define DOMAIN1 RCC(0x18u)
#define DOMAIN2 RCC(0x1Cu)
#define DOMAIN3 RCC(0x20u)
#define PLL_SOURCE RCC(0x28u)
#define PLL_CONFIGURATION RCC(0x2Cu)
#define PLL1_DIVIDERS RCC(0x30u)
#define VOLTAGE_STATE EDGEML_REGISTER(0x58024804u) /* PWR_CSR1 */
#define SUPPLY EDGEML_REGISTER(0x5802480Cu)        /* PWR_CR3 */
#define VOLTAGE EDGEML_REGISTER(0x58024818u)       /* PWR_D3CR */
#define FLASH_ACCESS EDGEML_REGISTER(0x52002000u)  /* FLASH_ACR */
#define INVALIDATE_INSTRUCTIONS EDGEML_REGISTER(0xE000EF50u)
#define CORE_CONFIGURATION EDGEML_REGISTER(0xE000ED14u) /* CCR */

#define INTERNAL_HZ 64000000u
#define PLL1_ON (1u << 24)
#define PLL1_READY (1u << 25)
#define FROM_PLL1 3u
#define SWITCHED (7u << 3)
#define SWITCHED_TO_PLL1 (3u << 3)
#define SUPPLY_CHOICES 7u
#define REGULATOR 2u
#define VOLTAGE_READY (1u << 13)
#define SCALE_1 (3u << 14)
#define BUS_HALF 8u
#define QUARTER_BUSES 4u
#define TWO_WAIT_STATES (2u << 4 | 2u) /* and the write delay, for a bus of 185 to 210 MHz at scale 1 */
#define INSTRUCTION_CACHE (1u << 17)

#if EDGEML_CLOCK_HZ != 400000000u
#error "clock_hz of an STM32H743: 400 MHz"
#endif

/* Waits for bits; 0 if they do not come. */
static uint32_t comes(volatile uint32_t *where, uint32_t bits)
{
    for (uint32_t i = 0; i < EDGEML_PATIENCE; i++) {
        if (*where & bits) {
            return 1u;
        }
    }
    return 0u;
}

edgeml_clock_rates edgeml_clock_start(void)
{
    const edgeml_clock_rates reset = {INTERNAL_HZ, INTERNAL_HZ};
    const edgeml_clock_rates rates = {EDGEML_CLOCK_HZ, EDGEML_CLOCK_HZ / 4u};
    INVALIDATE_INSTRUCTIONS = 0u;
    __asm__ volatile("dsb\n isb" ::: "memory");
    CORE_CONFIGURATION |= INSTRUCTION_CACHE;
    __asm__ volatile("dsb\n isb" ::: "memory");
    SUPPLY = (SUPPLY & ~SUPPLY_CHOICES) | REGULATOR; /* written once after power-on; the voltage cannot be changed before */
    if (!comes(&VOLTAGE_STATE, VOLTAGE_READY)) {
        return reset;
    }
    VOLTAGE = SCALE_1;
    if (!comes(&VOLTAGE, VOLTAGE_READY)) {
        return reset;
    }
    PLL_SOURCE = 4u << 4;                              /* 64 MHz / 4 */
    PLL_CONFIGURATION = 1u << 16 | 3u << 2;            /* output P alone; an input of 8 to 16 MHz */
    PLL1_DIVIDERS = (50u - 1u) | (2u - 1u) << 9 | 1u << 16 | 1u << 24; /* times 50, / 2 */
    CONTROL |= PLL1_ON;
    if (!comes(&CONTROL, PLL1_READY)) {
        return reset;
    }
    FLASH_ACCESS = TWO_WAIT_STATES;
    while (FLASH_ACCESS != TWO_WAIT_STATES) {
    }
    DOMAIN1 = QUARTER_BUSES << 4 | BUS_HALF;
    DOMAIN2 = QUARTER_BUSES << 8 | QUARTER_BUSES << 4;
    DOMAIN3 = QUARTER_BUSES << 4;
    CONFIGURATION = FROM_PLL1;
    while ((CONFIGURATION & SWITCHED) != SWITCHED_TO_PLL1) {
    }
    return rates;
}
