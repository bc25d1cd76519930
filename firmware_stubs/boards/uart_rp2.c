/* SPDX-License-Identifier: Apache-2.0 */
/* The UART of the RP2040 and RP2350, Arm's PrimeCell PL011 (Arm DDI 0183; RP2040 Datasheet, sections 2.19 and 4.2; RP2350
   Datasheet, sections 9 and 12.1). */
#include "rp2.h"

#define DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x00u)
#define FLAGS EDGEML_REGISTER(EDGEML_UART_BASE + 0x18u)
#define WHOLE_DIVIDER EDGEML_REGISTER(EDGEML_UART_BASE + 0x24u)
#define PART_DIVIDER EDGEML_REGISTER(EDGEML_UART_BASE + 0x28u)
#define LINE EDGEML_REGISTER(EDGEML_UART_BASE + 0x2Cu)
#define CONTROL EDGEML_REGISTER(EDGEML_UART_BASE + 0x30u)
#define RECEIVE_EMPTY (1u << 4)
#define SEND_FULL (1u << 5)
#define EIGHT_BITS_WITH_FIFO (3u << 5 | 1u << 4)
#define ENABLE_BOTH (1u << 9 | 1u << 8 | 1u << 0)
#define PIN_FUNCTION(number) EDGEML_REGISTER(RP2_PINS + 8u * (number) + 4u)
#define PAD(number) EDGEML_REGISTER(RP2_PADS + 4u * (number) + 4u)
#define PAD_INPUT (1u << 6)
#define PAD_PULLED_UP (1u << 3)
#define PAD_REST (1u << 4 | 1u << 1) /* 4 mA, Schmitt trigger; not isolated (RP2350), output not disabled */

static void pin(uint32_t number)
{
    PAD(number) = PAD_INPUT | PAD_PULLED_UP | PAD_REST;
    PIN_FUNCTION(number) = EDGEML_UART_FUNCTION;
}

void edgeml_uart_start(uint32_t clock_hz)
{
    /* In 64ths of the 16-fold baud rate. */
    const uint32_t divider = (clock_hz * 4u + EDGEML_BAUD / 2u) / EDGEML_BAUD;
    rp2_out_of_reset(RP2_RESET_PINS | RP2_RESET_PADS | RP2_RESET_UART);
    WHOLE_DIVIDER = divider / 64u;
    PART_DIVIDER = divider % 64u;
    LINE = EIGHT_BITS_WITH_FIFO; /* takes the dividers over, too */
    CONTROL = ENABLE_BOTH;
    pin(EDGEML_UART_TX_NUMBER);
    pin(EDGEML_UART_RX_NUMBER);
}

uint8_t edgeml_uart_read(void)
{
    while (FLAGS & RECEIVE_EMPTY) {
    }
    return (uint8_t)DATA;
}

void edgeml_uart_write(uint8_t byte)
{
    while (FLAGS & SEND_FULL) {
    }
    DATA = byte;
}
