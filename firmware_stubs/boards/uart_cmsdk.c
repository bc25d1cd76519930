/* SPDX-License-Identifier: Apache-2.0 */
/* The APB UART of Arm's Cortex-M System Design Kit (DDI 0479, section 4.3). */
#include "board.h"

#define DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x00u)
#define STATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x04u)
#define CONTROL EDGEML_REGISTER(EDGEML_UART_BASE + 0x08u)
#define DIVIDER EDGEML_REGISTER(EDGEML_UART_BASE + 0x10u)
#define SEND_FULL 1u
#define RECEIVE_FULL 2u
#define SEND_AND_RECEIVE 3u
#define LEAST_DIVIDER 16u

void edgeml_uart_start(uint32_t clock_hz)
{
    const uint32_t divider = (clock_hz + EDGEML_BAUD / 2u) / EDGEML_BAUD;
    DIVIDER = divider < LEAST_DIVIDER ? LEAST_DIVIDER : divider;
    CONTROL = SEND_AND_RECEIVE;
}

uint8_t edgeml_uart_read(void)
{
    while (!(STATE & RECEIVE_FULL)) {
    }
    return (uint8_t)DATA;
}

void edgeml_uart_write(uint8_t byte)
{
    while (STATE & SEND_FULL) {
    }
    DATA = byte;
}
