/* SPDX-License-Identifier: Apache-2.0 */
/* What the boot ROM of an RP2350 looks for in the first 4096 bytes of flash: a block that says that this is a program
   for its Arm cores, whose vector table is at the beginning of flash (RP2350 Datasheet, section 5.9.5.1). The ROM lets
   flash be read as memory itself. */
#include "board.h"

extern const uint32_t edgeml_rp2350[5];

__attribute__((section(".image_def"), used)) const uint32_t edgeml_rp2350[5] = {
    0xFFFFDED3u, /* begin of a block */
    0x10210142u, /* image type: a program, secure, Arm, RP2350 */
    0x000001FFu, /* end of the items, which take one word */
    0x00000000u, /* the next block is this one: there is no other */
    0xAB123579u, /* end of the block */
};
