/* SPDX-License-Identifier: Apache-2.0 */
/* The UART without DMA of Nordic's nRF51 and nRF52 (nRF51 Series Reference Manual 3.0, chapter 29; nRF52840 Product
   Specification 1.7, section 6.33). */
#include "board.h"

#define TASK_START_RECEIVING EDGEML_REGISTER(EDGEML_UART_BASE + 0x000u)
#define TASK_START_SENDING EDGEML_REGISTER(EDGEML_UART_BASE + 0x008u)
#define RECEIVED EDGEML_REGISTER(EDGEML_UART_BASE + 0x108u)
#define SENT EDGEML_REGISTER(EDGEML_UART_BASE + 0x11Cu)
#define ENABLE EDGEML_REGISTER(EDGEML_UART_BASE + 0x500u)
#define SELECT_RTS EDGEML_REGISTER(EDGEML_UART_BASE + 0x508u)
#define SELECT_TX EDGEML_REGISTER(EDGEML_UART_BASE + 0x50Cu)
#define SELECT_CTS EDGEML_REGISTER(EDGEML_UART_BASE + 0x510u)
#define SELECT_RX EDGEML_REGISTER(EDGEML_UART_BASE + 0x514u)
#define RECEIVE_DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x518u)
#define SEND_DATA EDGEML_REGISTER(EDGEML_UART_BASE + 0x51Cu)
#define BAUD_RATE EDGEML_REGISTER(EDGEML_UART_BASE + 0x524u)
#define CONFIGURATION EDGEML_REGISTER(EDGEML_UART_BASE + 0x56Cu)
#define ENABLED 4u
#define UART_HZ 16000000u
#define DISCONNECTED 0xFFFFFFFFu

/* Port 0 is at 0x50000000, port 1 (nRF52840, nRF52833) at 0x50000300. */
#define PORT(port) (0x50000000u + 0x300u * (port))
#define OUTPUT_SET(port) EDGEML_REGISTER(PORT(port) + 0x508u)
#define DIRECTION_SET(port) EDGEML_REGISTER(PORT(port) + 0x518u)
#define DIRECTION_CLEAR(port) EDGEML_REGISTER(PORT(port) + 0x51Cu)
#define PIN_CONFIGURATION(port, number) EDGEML_REGISTER(PORT(port) + 0x700u + 4u * (number))

static uint8_t sending; /* a byte has been handed over, and SENT tells when it is out */

void edgeml_uart_start(uint32_t clock_hz)
{
    (void)clock_hz; /* always UART_HZ */
    /* Steps of clock / 2^32, of which the register keeps the upper 20 bits. 115200 baud: 0x01D7E000. */
    const uint32_t steps = (uint32_t)(((uint64_t)EDGEML_BAUD << 32) / UART_HZ);
    OUTPUT_SET(EDGEML_UART_TX_PORT) = 1u << EDGEML_UART_TX_NUMBER; /* idle is high */
    DIRECTION_SET(EDGEML_UART_TX_PORT) = 1u << EDGEML_UART_TX_NUMBER;
    DIRECTION_CLEAR(EDGEML_UART_RX_PORT) = 1u << EDGEML_UART_RX_NUMBER;
    PIN_CONFIGURATION(EDGEML_UART_RX_PORT, EDGEML_UART_RX_NUMBER) = 0u; /* an input that is connected */
    SELECT_TX = 32u * EDGEML_UART_TX_PORT + EDGEML_UART_TX_NUMBER;
    SELECT_RX = 32u * EDGEML_UART_RX_PORT + EDGEML_UART_RX_NUMBER;
    SELECT_RTS = DISCONNECTED;
    SELECT_CTS = DISCONNECTED;
    BAUD_RATE = (steps + 0x800u) & 0xFFFFF000u;
    CONFIGURATION = 0u;
    ENABLE = ENABLED;
    RECEIVED = 0u;
    SENT = 0u;
    TASK_START_SENDING = 1u;
    TASK_START_RECEIVING = 1u;
}

uint8_t edgeml_uart_read(void)
{
    while (!RECEIVED) {
    }
    RECEIVED = 0u; /* before the byte is read: the next one of the FIFO sets it again */
    return (uint8_t)RECEIVE_DATA;
}

void edgeml_uart_write(uint8_t byte)
{
    if (sending) {
        while (!SENT) {
        }
    }
    SENT = 0u;
    SEND_DATA = byte;
    sending = 1u;
}
