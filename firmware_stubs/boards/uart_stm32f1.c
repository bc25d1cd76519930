/* SPDX-License-Identifier: Apache-2.0 */
/* USART of the STM32F1 (ST RM0041, chapters 6, 7 and 23), and of WCH's CH32V2 and CH32V3, which have the same registers
   at the same addresses (WCH CH32FV2x_V3xRM, chapters 3, 10 and 18). The bit that lets the clock into a USART is its
   place on its bus: USART1 at 0x40013800 is number 14. */
#include "board.h"

#define BUS2_CLOCKS EDGEML_REGISTER(0x40021018u)                                           /* RCC_APB2ENR */
#define CLOCKS EDGEML_REGISTER(EDGEML_UART_BASE < 0x40010000u ? 0x4002101Cu : 0x40021018u) /* RCC_APB1ENR, APB2ENR */
#define CLOCK_BIT ((EDGEML_UART_BASE & 0xFFFFu) / 0x400u)
#define PORT_CLOCK(port) (1u << (2u + (port)))
#define PORT(port) (0x40010800u + 0x400u * (port))
#define CONFIGURATION(port, number) EDGEML_REGISTER(PORT(port) + 4u * ((number) / 8u)) /* GPIOx_CRL, CRH */
#define SET(port) EDGEML_REGISTER(PORT(port) + 0x10u)                                 /* GPIOx_BSRR */
#define FAST_FUNCTION_OUTPUT 11u /* alternate function, push-pull, 50 MHz */
#define PULLED_INPUT 8u
#define STATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x00u)
#define DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x04u)
#define BAUD_RATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x08u)
#define CONTROL EDGEML_REGISTER(EDGEML_UART_BASE + 0x0Cu)
#define RECEIVED (1u << 5)
#define SEND_EMPTY (1u << 7)
#define ENABLE_BOTH (1u << 13 | 1u << 3 | 1u << 2)

static void pin(uint32_t port, uint32_t number, uint32_t kind)
{
    const uint32_t place = 4u * (number % 8u);
    BUS2_CLOCKS |= PORT_CLOCK(port);
    SET(port) = 1u << number; /* an input's pull goes up: idle is high */
    CONFIGURATION(port, number) = (CONFIGURATION(port, number) & ~(15u << place)) | kind << place;
}

void edgeml_uart_start(uint32_t clock_hz)
{
    CLOCKS |= 1u << CLOCK_BIT;
    pin(EDGEML_UART_TX_PORT, EDGEML_UART_TX_NUMBER, FAST_FUNCTION_OUTPUT);
    pin(EDGEML_UART_RX_PORT, EDGEML_UART_RX_NUMBER, PULLED_INPUT);
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
