/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that runs from power-on and feeds core and UART alike: Arm's MPS2 and MPS3, and boards without a clock of
   their own, whose rate may be unknown (0). */
#include "board.h"

edgeml_clock_rates edgeml_clock_start(void)
{
    const edgeml_clock_rates rates = {EDGEML_CLOCK_HZ, EDGEML_CLOCK_HZ};
    return rates;
}
