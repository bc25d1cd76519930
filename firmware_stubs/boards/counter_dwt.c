/* SPDX-License-Identifier: Apache-2.0 */
/* CYCCNT of the Data Watchpoint and Trace unit: cycles in 32 bits, on Armv7-M and Armv8-M Mainline. It is an option of
   the core (DWT_CTRL.NOCYCCNT) and absent from emulators: where it does not move, SysTick is taken, whose 24 bits are
   enough for fewer than 2^24 cycles. */
#include "board.h"

#define TRACE_CONTROL EDGEML_REGISTER(0xE000EDFCu) /* DEMCR */
#define TRACE_ENABLE (1u << 24)
#define CONTROL EDGEML_REGISTER(0xE0001000u)
#define COUNT EDGEML_REGISTER(0xE0001004u)
#define UNLOCK EDGEML_REGISTER(0xE0001FB0u) /* needed on the Cortex-M7, ignored elsewhere */
#define UNLOCK_KEY 0xC5ACCE55u
#define TICK_CONTROL EDGEML_REGISTER(0xE000E010u)
#define TICK_RELOAD EDGEML_REGISTER(0xE000E014u)
#define TICK_VALUE EDGEML_REGISTER(0xE000E018u)
#define MOST_TICKS 0xFFFFFFu
#define TICK_ENABLE_FROM_CORE_CLOCK 5u

static uint32_t counted; /* ticks up to the last look */
static uint32_t last;
static uint8_t ticks; /* SysTick is taken */

uint32_t edgeml_counter_start(uint32_t core_hz)
{
    TRACE_CONTROL |= TRACE_ENABLE;
    UNLOCK = UNLOCK_KEY;
    COUNT = 0u;
    CONTROL |= 1u;
    const uint32_t before = COUNT;
    ticks = COUNT == before;
    if (ticks) {
        TICK_RELOAD = MOST_TICKS;
        TICK_VALUE = 0u;
        TICK_CONTROL = TICK_ENABLE_FROM_CORE_CLOCK;
    }
    return core_hz;
}

uint32_t edgeml_counter_read(void)
{
    if (!ticks) {
        return COUNT;
    }
    const uint32_t value = TICK_VALUE & MOST_TICKS;
    counted += (last - value) & MOST_TICKS;
    last = value;
    return counted;
}
