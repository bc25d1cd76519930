/* SPDX-License-Identifier: Apache-2.0 */
/* USART of the STM32F4 (ST RM0090, chapters 7, 8 and 30). The bit that lets the clock into a USART is its place on its
   bus: USART2 at 0x40004400 is number 17. */
#include "board.h"

#define PORT_CLOCKS EDGEML_REGISTER(0x40023830u)                                           /* RCC_AHB1ENR */
#define CLOCKS EDGEML_REGISTER(EDGEML_UART_BASE < 0x40010000u ? 0x40023840u : 0x40023844u) /* RCC_APB1ENR, APB2ENR */
#define CLOCK_BIT ((EDGEML_UART_BASE & 0xFFFFu) / 0x400u)
#define PORT(port) (0x40020000u + 0x400u * (port))
#define MODE(port) EDGEML_REGISTER(PORT(port) + 0x00u)
#define PULL(port) EDGEML_REGISTER(PORT(port) + 0x0Cu)
#define FUNCTION(port, number) EDGEML_REGISTER(PORT(port) + 0x20u + 4u * ((number) / 8u))
#define STATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x00u)
#define DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x04u)
#define BAUD_RATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x08u)
#define CONTROL EDGEML_REGISTER(EDGEML_UART_BASE + 0x0Cu)
#define RECEIVED (1u << 5)
#define SEND_EMPTY (1u << 7)
#define ENABLE_BOTH (1u << 13 | 1u << 3 | 1u << 2)

static void pin(uint32_t port, uint32_t number)
{
    PORT_CLOCKS |= 1u << port;
    (void)PORT_CLOCKS; /* the clock is there two cycles later */
    FUNCTION(port, number) =
        (FUNCTION(port, number) & ~(15u << 4u * (number % 8u))) | EDGEML_UART_FUNCTION << 4u * (number % 8u);
    PULL(port) = (PULL(port) & ~(3u << 2u * number)) | 1u << 2u * number; /* up: idle is high */
    MODE(port) = (MODE(port) & ~(3u << 2u * number)) | 2u << 2u * number;
}

void edgeml_uart_start(uint32_t clock_hz)
{
    CLOCKS |= 1u << CLOCK_BIT;
    (void)CLOCKS;
    pin(EDGEML_UART_TX_PORT, EDGEML_UART_TX_NUMBER);
    pin(EDGEML_UART_RX_PORT, EDGEML_UART_RX_NUMBER);
    BAUD_RATE = (clock_hz + EDGEML_BAUD / 2u) / EDGEML_BAUD;
    CONTROL = ENABLE_BOTH;
}

uint8_t edgeml_uart_read(void)
{
    while (!(STATE & RECEIVED)) {
    }
    return (uint8_t)DATA;
}

void edgeml_uart_write(uint8_t byte)
{
    while (!(STATE & SEND_EMPTY)) {
    }
    DATA = byte;
}
