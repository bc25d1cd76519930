/* SPDX-License-Identifier: Apache-2.0 */
/* The second stage of boot of an RP2040: the boot ROM reads the first 256 bytes of flash, compares the CRC-32 in their
 * last four, and calls them in RAM, wherever that is (RP2040 Datasheet, section 2.8.1). It lets the SSI read flash as
 * memory by the serial command 03h, which every flash chip knows, at a quarter of the system clock (section 4.10), and
 * goes on at the vector table behind it.
 *
 * Assembly, so that every compiler makes the same bytes, as the CRC asks for: `edgeml` checks it whenever it builds one.
 */
#include "board.h"

/* 0x18000000: SSI. CTRLR0: frames of 32 bits, EEPROM read; CTRLR1: one frame; SPI_CTRLR0: command 03h of 8 bits, 24 bits
   of address. 0xE000ED08: VTOR. */
__attribute__((naked, section(".boot2"), used, aligned(4))) void edgeml_rp2040(void)
{
    __asm__ volatile(
        ".syntax unified\n"
        "ldr r3, 10f\n"
        "movs r0, #0\n"
        "str r0, [r3, #8]\n"    /* SSIENR: off, to be changed */
        "movs r1, #4\n"
        "str r1, [r3, #20]\n"   /* BAUDR */
        "ldr r1, 11f\n"
        "str r1, [r3, #0]\n"    /* CTRLR0 */
        "str r0, [r3, #4]\n"    /* CTRLR1 */
        "ldr r1, 12f\n"
        "ldr r2, 13f\n"
        "str r1, [r3, r2]\n"    /* SPI_CTRLR0 */
        "movs r0, #1\n"
        "str r0, [r3, #8]\n"    /* SSIENR: on */
        "ldr r0, 14f\n"
        "ldr r1, 15f\n"
        "str r0, [r1]\n"        /* VTOR */
        "ldr r1, [r0]\n"
        "mov sp, r1\n"
        "ldr r1, [r0, #4]\n"
        "bx r1\n"
        ".balign 4\n"
        "10: .word 0x18000000\n"
        "11: .word 0x001F0300\n"
        "12: .word 0x03000218\n"
        "13: .word 0x000000F4\n"
        "14: .word 0x10000100\n"
        "15: .word 0xE000ED08\n"
        ".space 188\n"
        ".word 0x2F7B7B43\n"); /* CRC-32 */
}
