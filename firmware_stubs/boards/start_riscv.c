/* SPDX-License-Identifier: Apache-2.0 */
/* Reset of a RISC-V core: it begins at the first address of flash. Interrupts stay off. */
#include "board.h"

__attribute__((naked, section(".vectors"), used)) void edgeml_reset(void)
{
    __asm__ volatile(
        ".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
        "la sp, edgeml_stack_top\n"
        "j edgeml_start\n");
}
