/* SPDX-License-Identifier: Apache-2.0 */
/* USART of the STM32H7, clocked by its bus (ST RM0433, chapters 8, 11 and 48). The bit that lets the clock into a USART is
   its place on its bus: USART3 at 0x40004800 is number 18. */
#include "board.h"

#define PORT_CLOCKS EDGEML_REGISTER(0x580244E0u)                                           /* RCC_AHB4ENR */
#define CLOCKS EDGEML_REGISTER(EDGEML_UART_BASE < 0x40010000u ? 0x580244E8u : 0x580244F0u) /* RCC_APB1LENR, APB2ENR */
#define CLOCK_BIT ((EDGEML_UART_BASE & 0xFFFFu) / 0x400u)
#define PORT(port) (0x58020000u + 0x400u * (port))
#define MODE(port) EDGEML_REGISTER(PORT(port) + 0x00u)
#define PULL(port) EDGEML_REGISTER(PORT(port) + 0x0Cu)
#define FUNCTION(port, number) EDGEML_REGISTER(PORT(port) + 0x20u + 4u * ((number) / 8u))
#define CONTROL EDGEML_REGISTER(EDGEML_UART_BASE + 0x00u)
#define CONTROL_3 EDGEML_REGISTER(EDGEML_UART_BASE + 0x08u)
#define BAUD_RATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x0Cu)
#define STATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x1Cu)
#define RECEIVE_DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x24u)
#define SEND_DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x28u)
#define RECEIVED (1u << 5)
#define SEND_EMPTY (1u << 7)
#define NO_OVERRUN (1u << 12)
#define ENABLE_BOTH (1u << 3 | 1u << 2 | 1u << 0)

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
    CONTROL_3 = NO_OVERRUN; /* a lost byte is asked for again; it must not stop the port */
    CONTROL = ENABLE_BOTH;
}

uint8_t edgeml_uart_read(void)
{
    while (!(STATE & RECEIVED)) {
    }
    return (uint8_t)RECEIVE_DATA;
}

void edgeml_uart_write(uint8_t byte)
{
    while (!(STATE & SEND_EMPTY)) {
    }
    SEND_DATA = byte;
}
