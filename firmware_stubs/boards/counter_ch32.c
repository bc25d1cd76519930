/* SPDX-License-Identifier: Apache-2.0 */
/* The system timer of WCH's QingKe V4 cores, at the core's rate: its low 32 bits (WCH QingKe V4 Microprocessor Manual,
   chapter 4; CH32FV2x_V3xRM). They have no mcycle. */
#include "board.h"

#define CONTROL EDGEML_REGISTER(0xE000F000u)
#define COUNT EDGEML_REGISTER(0xE000F008u)
#define ENABLE_AT_CORE_CLOCK 5u

uint32_t edgeml_counter_start(uint32_t core_hz)
{
    CONTROL = ENABLE_AT_CORE_CLOCK;
    return core_hz;
}

uint32_t edgeml_counter_read(void)
{
    return COUNT;
}
