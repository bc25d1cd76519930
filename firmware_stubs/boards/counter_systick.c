/* SPDX-License-Identifier: Apache-2.0 */
/* SysTick, which counts the core's clock down in 24 bits: what is counted must take fewer than 2^24 cycles. */
#include "board.h"

#define CONTROL EDGEML_REGISTER(0xE000E010u)
#define RELOAD EDGEML_REGISTER(0xE000E014u)
#define VALUE EDGEML_REGISTER(0xE000E018u)
#define MOST 0xFFFFFFu
#define ENABLE_FROM_CORE_CLOCK 5u

static uint32_t counted; /* up to the last look */
static uint32_t last;

uint32_t edgeml_counter_start(uint32_t core_hz)
{
    RELOAD = MOST;
    VALUE = 0u;
    CONTROL = ENABLE_FROM_CORE_CLOCK;
    return core_hz;
}

uint32_t edgeml_counter_read(void)
{
    const uint32_t value = VALUE & MOST;
    counted += (last - value) & MOST;
    last = value;
    return counted;
}
