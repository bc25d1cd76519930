/* SPDX-License-Identifier: Apache-2.0 */
/* Reset and vector table of an Arm Cortex-M (Armv6-M to Armv8.1-M Architecture Reference Manuals). Interrupts stay off:
   the sixteen vectors of the core are all there are. */
#include "board.h"

#define COPROCESSOR_ACCESS EDGEML_REGISTER(0xE000ED88u) /* CPACR */

extern uint8_t edgeml_stack_top[];

void edgeml_reset(void)
{
#if defined(__ARM_FEATURE_MVE)
    COPROCESSOR_ACCESS |= 15u << 20; /* vector instructions fault until coprocessors 10 and 11 are allowed */
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    edgeml_start();
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
