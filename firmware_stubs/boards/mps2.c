/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated boards: Arm's MPS2 and MPS3 (CMSDK UART, SysTick) as QEMU and edgeml's Unicorn board know it, without an SDK.
 *
 * EDGEML_UART is the UART's address. The counter is SysTick, extended by nothing: an inference must take fewer than 2^24
 * ticks, which are not the cycles of a real core. EDGEML_HIL_START and EDGEML_HIL_RECEIVE name the functions of the
 * model.
 */
#include "edgeml_hil.h"

#ifndef EDGEML_UART
#define EDGEML_UART 0x40004000u
#endif

void EDGEML_HIL_START(const edgeml_hil_board *board);
void EDGEML_HIL_RECEIVE(const uint8_t *bytes, size_t count);

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(EDGEML_UART + 0x0u)
#define UART_STATE REGISTER(EDGEML_UART + 0x4u)
#define UART_CONTROL REGISTER(EDGEML_UART + 0x8u)
#define UART_DIVIDER REGISTER(EDGEML_UART + 0x10u)
#define SYSTICK_CONTROL REGISTER(0xE000E010u)
#define SYSTICK_RELOAD REGISTER(0xE000E014u)
#define SYSTICK_VALUE REGISTER(0xE000E018u)
#define COPROCESSORS REGISTER(0xE000ED88u)

void edgeml_reset(void);
int edgeml_board_main(void);

extern uint8_t edgeml_bss_start[], edgeml_bss_end[], edgeml_data_start[], edgeml_data_end[], edgeml_data_load[];
extern uint8_t edgeml_stack_top[];

static uint32_t counted; /* ticks up to the last look at SysTick, which counts down in 24 bits */
static uint32_t last;

static void board_write(void *context, uint8_t byte)
{
    (void)context;
    while (UART_STATE & 1u) {
    }
    UART_DATA = byte;
}

static uint32_t board_cycles(void *context)
{
    (void)context;
    const uint32_t value = SYSTICK_VALUE & 0xFFFFFFu;
    counted += (last - value) & 0xFFFFFFu;
    last = value;
    return counted;
}

int edgeml_board_main(void)
{
    const edgeml_hil_board board = {board_write, board_cycles, NULL, EDGEML_TICKS_PER_SECOND};
    UART_DIVIDER = 16u;
    UART_CONTROL = 3u;
    SYSTICK_RELOAD = 0xFFFFFFu;
    SYSTICK_VALUE = 0u;
    SYSTICK_CONTROL = 5u;
    EDGEML_HIL_START(&board);
    for (;;) {
        while (!(UART_STATE & 2u)) {
        }
        const uint8_t byte = (uint8_t)UART_DATA;
        EDGEML_HIL_RECEIVE(&byte, 1);
    }
}

/* Memory as C expects it, then main. Nothing here is on the invoke path. */
static __attribute__((used, noinline)) void start(void)
{
#if defined(__ARM_FEATURE_MVE)
    COPROCESSORS |= 15u << 20; /* vector instructions fault until coprocessors 10 and 11 are allowed */
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    const volatile uint8_t *from = edgeml_data_load;
    for (volatile uint8_t *to = edgeml_data_start; to != edgeml_data_end; to++) {
        *to = *from++;
    }
    for (volatile uint8_t *to = edgeml_bss_start; to != edgeml_bss_end; to++) {
        *to = 0;
    }
    edgeml_board_main();
}

#if defined(__arm__)
void edgeml_reset(void)
{
    start();
}

static void fault(void)
{
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))(void *)edgeml_stack_top, edgeml_reset, fault, fault, fault, fault, fault, NULL, NULL, NULL, NULL,
    fault, fault, NULL, fault, fault,
};
#else
__attribute__((naked, section(".vectors"), used)) void edgeml_reset(void)
{
    __asm__ volatile(
        ".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
        "la sp, edgeml_stack_top\n"
        "j start\n");
}
#endif
