/* SPDX-License-Identifier: Apache-2.0 */
/* Nordic nRF51 and nRF52: the crystal oscillator in place of the internal one, which is off by up to 6 % and too far for
   a UART (nRF52840 Product Specification 1.7, section 5.4; nRF51 Series Reference Manual 3.0, chapter 13). The core's
   rate is the same on both; the UART divides a fixed 16 MHz. */
#include "board.h"

#define START EDGEML_REGISTER(0x40000000u)
#define STARTED EDGEML_REGISTER(0x40000100u)
#define UART_HZ 16000000u

edgeml_clock_rates edgeml_clock_start(void)
{
    const edgeml_clock_rates rates = {EDGEML_CLOCK_HZ, UART_HZ};
    STARTED = 0u;
    START = 1u;
    for (uint32_t i = 0; i < EDGEML_PATIENCE && !STARTED; i++) {
    }
    return rates;
}
