/* SPDX-License-Identifier: Apache-2.0 */
/* From memory as C expects it to the endless loop that answers `edgeml hil`. Nothing here is on the invoke path. */
#include "board.h"

extern uint8_t edgeml_bss_start[], edgeml_bss_end[], edgeml_data_start[], edgeml_data_end[], edgeml_data_load[];

static void send(void *context, uint8_t byte)
{
    (void)context;
    edgeml_uart_write(byte);
}

static uint32_t count(void *context)
{
    (void)context;
    return edgeml_counter_read();
}

int edgeml_board_main(void)
{
    const edgeml_clock_rates clock = edgeml_clock_start();
    edgeml_uart_start(clock.uart);
    const edgeml_hil_board board = {send, count, NULL, edgeml_counter_start(clock.core)};
    EDGEML_HIL_START(&board);
#if defined(EDGEML_MLPERF_TINY)
    edgeml_commands_start(board.cycles_per_second);
#endif
    for (;;) {
        const uint8_t byte = edgeml_uart_read();
        EDGEML_HIL_RECEIVE(&byte, 1);
#if defined(EDGEML_MLPERF_TINY)
        edgeml_commands_receive(byte);
#endif
    }
}

__attribute__((used, noinline)) void edgeml_start(void)
{
    const volatile uint8_t *from = edgeml_data_load;
    for (volatile uint8_t *to = edgeml_data_start; to != edgeml_data_end; to++) {
        *to = *from++;
    }
    for (volatile uint8_t *to = edgeml_bss_start; to != edgeml_bss_end; to++) {
        *to = 0;
    }
    edgeml_board_main();
}
