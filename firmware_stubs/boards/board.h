/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a board give to its start-up code: a clock (clock_*.c), a UART (uart_*.c) and a counter of cycles
 * (counter_*.c). Which of them a board takes, with all addresses, pins and rates, is in its board_config.h.
 */
#ifndef EDGEML_BOARD_H
#define EDGEML_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "board_config.h"

#define EDGEML_REGISTER(address) (*(volatile uint32_t *)(address))

/* Looks at a bit that an oscillator or a PLL sets before it is given up: some 0.1 s of the slowest reset clock. */
#define EDGEML_PATIENCE 100000u

/* Hertz of the core and of what the UART divides. */
typedef struct {
    uint32_t core;
    uint32_t uart;
} edgeml_clock_rates;

/* Starts the clock that the configuration asks for. Where it does not come, the part stays on the clock that it has
   after reset: the rates are always those in force. */
edgeml_clock_rates edgeml_clock_start(void);

/* Pins and EDGEML_BAUD, 8 data bits, no parity. read and write wait. */
void edgeml_uart_start(uint32_t clock_hz);
uint8_t edgeml_uart_read(void);
void edgeml_uart_write(uint8_t byte);

/* start: counts per second, 0 if unknown. read: a counter that counts up in 32 bits. */
uint32_t edgeml_counter_start(uint32_t core_hz);
uint32_t edgeml_counter_read(void);

/* The commands of MLPerf Tiny (mlperf_tiny.c), in images that have room for them. */
void edgeml_commands_start(uint32_t counts_per_second);
void edgeml_commands_receive(uint8_t byte);

int edgeml_board_main(void);
void edgeml_start(void);
void edgeml_reset(void);

#endif
