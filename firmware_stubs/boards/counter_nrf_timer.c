/* SPDX-License-Identifier: Apache-2.0 */
/* TIMER0 of Nordic's nRF51 and nRF52, 16 MHz in 32 bits: the nRF51's Cortex-M0 has neither SysTick nor CYCCNT, and runs
   at the same 16 MHz (nRF51 Series Reference Manual 3.0, chapter 18). */
#include "board.h"

#define TIMER 0x40008000u
#define TASK_START EDGEML_REGISTER(TIMER + 0x000u)
#define TASK_CAPTURE EDGEML_REGISTER(TIMER + 0x040u)
#define MODE EDGEML_REGISTER(TIMER + 0x504u)
#define BIT_MODE EDGEML_REGISTER(TIMER + 0x508u)
#define PRESCALER EDGEML_REGISTER(TIMER + 0x510u)
#define CAPTURED EDGEML_REGISTER(TIMER + 0x540u)
#define TIMER_HZ 16000000u

uint32_t edgeml_counter_start(uint32_t core_hz)
{
    (void)core_hz;
    MODE = 0u;
    BIT_MODE = 3u; /* 32 bits */
    PRESCALER = 0u;
    TASK_START = 1u;
    return TIMER_HZ;
}

uint32_t edgeml_counter_read(void)
{
    TASK_CAPTURE = 1u;
    return CAPTURED;
}
