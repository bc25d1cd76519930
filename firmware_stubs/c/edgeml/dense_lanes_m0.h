/* SPDX-License-Identifier: Apache-2.0 */
/* The lane kernels of dense_lanes.h for ARMv6-M (Cortex-M0, M0+): four instructions for one input and all lanes of a word.
   Only r0 to r7 take part in most instructions there; accumulators, which are only added to, live in r8 to r11. */
#ifndef EDGEML_DENSE_LANES_M0_H
#define EDGEML_DENSE_LANES_M0_H

#include "dense_call.h"

#if defined(EDGEML_THUMB_1)

/* r0 is the input, r2 the mask, r3-r6 the words of the four accumulators. */
#define EDGEML_LANES_MAC(acc, word, shift)                           \
    "lsrs r1, " word ", #" shift "\n"                                \
    "ands r1, r2\n"                                                  \
    "muls r1, r0, r1\n"                                              \
    "add  " acc ", r1\n"
#define EDGEML_LANES_MAC_0(acc, word)                                \
    "mov  r1, r2\n"                                                  \
    "ands r1, " word "\n"                                            \
    "muls r1, r0, r1\n"                                              \
    "add  " acc ", r1\n"
/* One input (byte `at` from r7) on four words. */
#define EDGEML_LANES_INPUT(at, shift)                                \
    "ldrb r0, [r7, #" at "]\n"                                       \
    EDGEML_LANES_MAC("r8", "r3", shift)                              \
    EDGEML_LANES_MAC("r9", "r4", shift)                              \
    EDGEML_LANES_MAC("r10", "r5", shift)                             \
    EDGEML_LANES_MAC("r11", "r6", shift)
#define EDGEML_LANES_INPUT_0(at)                                     \
    "ldrb r0, [r7, #" at "]\n"                                       \
    EDGEML_LANES_MAC_0("r8", "r3")                                   \
    EDGEML_LANES_MAC_0("r9", "r4")                                   \
    EDGEML_LANES_MAC_0("r10", "r5")                                  \
    EDGEML_LANES_MAC_0("r11", "r6")
#define EDGEML_LANES_WORDS                                           \
    "mov   r1, r12\n"                                                \
    "ldmia r1!, {r3-r6}\n"                                           \
    "mov   r12, r1\n"

/* Lowest lane (taken by `extend`) onto one sum, and out of the accumulator in r3. */
#define EDGEML_LANES_TAKE(extend, width, sum)                        \
    extend " r1, r3\n"                                               \
    "adds  " sum ", " sum ", r1\n"                                   \
    "lsrs  r3, r3, #" width "\n"
#define EDGEML_LANES_TAKE_4(acc)                                     \
    "mov   r3, " acc "\n"                                            \
    "ldmia r0!, {r4-r7}\n"                                           \
    EDGEML_LANES_TAKE("uxtb", "8", "r4")                             \
    EDGEML_LANES_TAKE("uxtb", "8", "r5")                             \
    EDGEML_LANES_TAKE("uxtb", "8", "r6")                             \
    "adds  r7, r7, r3\n"                                             \
    "ldr   r1, [sp, #12]\n"                                          \
    "stmia r1!, {r4-r7}\n"                                           \
    "str   r1, [sp, #12]\n"
#define EDGEML_LANES_TAKE_2(low, high)                               \
    "ldmia r0!, {r4-r7}\n"                                           \
    "mov   r3, " low "\n"                                            \
    EDGEML_LANES_TAKE("uxth", "16", "r4")                            \
    "adds  r5, r5, r3\n"                                             \
    "mov   r3, " high "\n"                                           \
    EDGEML_LANES_TAKE("uxth", "16", "r6")                            \
    "adds  r7, r7, r3\n"                                             \
    "ldr   r1, [sp, #12]\n"                                          \
    "stmia r1!, {r4-r7}\n"                                           \
    "str   r1, [sp, #12]\n"

/* A kernel: `mask` builds the mask in r2, `turn` computes eight inputs from r7 on and repeats itself until the weights
   of the block end at lr, `take` adds the lanes to the sums. */
#define EDGEML_LANES_KERNEL(name, mask, turn, take)                                                       \
    EDGEML_NAKED void name(const edgeml_dense_call *call EDGEML_MAYBE_UNUSED)                                   \
    {                                                                                                     \
        __asm__ volatile(                                                                                 \
            ".syntax unified\n"                                                                           \
            "push  {r4-r7, lr}\n"                                                                         \
            "mov   r4, r8\n"                                                                              \
            "mov   r5, r9\n"                                                                              \
            "mov   r6, r10\n"                                                                             \
            "mov   r7, r11\n"                                                                             \
            "push  {r4-r7}\n"                                                                             \
            "sub   sp, #28\n" /* the call: 0 x, 4 w, 8 from, 12 to, 16 start, 20 block bytes, 24 blocks */ \
            "mov   r1, sp\n"                                                                              \
            "ldmia r0!, {r2-r7}\n"                                                                        \
            "stmia r1!, {r2-r7}\n"                                                                        \
            "mov   r12, r3\n"                                                                             \
            "ldr   r2, [r0]\n"                                                                            \
            "str   r2, [r1]\n" mask                                                                       \
            "1:\n"                                                                                        \
            "ldr   r7, [sp, #0]\n"                                                                        \
            "ldr   r0, [sp, #20]\n"                                                                       \
            "add   r0, r12\n"                                                                             \
            "mov   lr, r0\n"                                                                              \
            "ldr   r0, [sp, #16]\n"                                                                       \
            "mov   r8, r0\n"                                                                              \
            "mov   r9, r0\n"                                                                              \
            "mov   r10, r0\n"                                                                             \
            "mov   r11, r0\n" turn                                                                        \
            "ldr   r0, [sp, #8]\n" take                                                                   \
            "str   r0, [sp, #8]\n"                                                                        \
            "ldr   r0, [sp, #24]\n"                                                                       \
            "subs  r0, #1\n"                                                                              \
            "str   r0, [sp, #24]\n"                                                                       \
            "beq   4f\n"                                                                                  \
            "b     1b\n"                                                                                  \
            "4:\n"                                                                                        \
            "add   sp, #28\n"                                                                             \
            "pop   {r4-r7}\n"                                                                             \
            "mov   r8, r4\n"                                                                              \
            "mov   r9, r5\n"                                                                              \
            "mov   r10, r6\n"                                                                             \
            "mov   r11, r7\n"                                                                             \
            "pop   {r4-r7, pc}\n" ::: "memory");                                                          \
    }

/* Eight inputs a turn, which is more code than a conditional branch passes. */
#define EDGEML_LANES_TURNS(turn)                                     \
    "2:\n" turn                                                      \
    "adds  r7, #8\n"                                                 \
    "cmp   r12, lr\n"                                                \
    "beq   3f\n"                                                     \
    "b     2b\n"                                                     \
    "3:\n"

/* One input on four 8-bit codes: bytes `first` to `first` + 3 from r3 on. */
#define EDGEML_BYTES_MAC(acc, at)                                    \
    "ldrb r1, [r3, #" at "]\n"                                       \
    "muls r1, r0, r1\n"                                              \
    "add  " acc ", r1\n"
#define EDGEML_BYTES_INPUT(input, at0, at1, at2, at3)                \
    "ldrb r0, [r7, #" input "]\n"                                    \
    EDGEML_BYTES_MAC("r8", at0)                                      \
    EDGEML_BYTES_MAC("r9", at1)                                      \
    EDGEML_BYTES_MAC("r10", at2)                                     \
    EDGEML_BYTES_MAC("r11", at3)
/* The weights stay in r3 for a block: 107 instructions a turn, which a conditional branch just passes. */
#define EDGEML_BYTES_TURNS                                           \
    "mov   r3, r12\n"                                                \
    "2:\n"                                                           \
    EDGEML_BYTES_INPUT("0", "0", "1", "2", "3")                      \
    EDGEML_BYTES_INPUT("1", "4", "5", "6", "7")                      \
    EDGEML_BYTES_INPUT("2", "8", "9", "10", "11")                    \
    EDGEML_BYTES_INPUT("3", "12", "13", "14", "15")                  \
    EDGEML_BYTES_INPUT("4", "16", "17", "18", "19")                  \
    EDGEML_BYTES_INPUT("5", "20", "21", "22", "23")                  \
    EDGEML_BYTES_INPUT("6", "24", "25", "26", "27")                  \
    EDGEML_BYTES_INPUT("7", "28", "29", "30", "31")                  \
    "adds  r3, #32\n"                                                \
    "adds  r7, #8\n"                                                 \
    "cmp   r3, lr\n"                                                 \
    "bne   2b\n"                                                     \
    "mov   r12, r3\n"
#define EDGEML_BYTES_TAKE                                            \
    "ldmia r0!, {r4-r7}\n"                                           \
    "add   r4, r8\n"                                                 \
    "add   r5, r9\n"                                                 \
    "add   r6, r10\n"                                                \
    "add   r7, r11\n"                                                \
    "ldr   r1, [sp, #12]\n"                                          \
    "stmia r1!, {r4-r7}\n"                                           \
    "str   r1, [sp, #12]\n"

#define EDGEML_LANES_MASK(code, lane_bits)                           \
    "movs  r2, #" code "\n" lane_bits                                \
    "lsls  r1, r2, #16\n"                                            \
    "orrs  r2, r1\n"
#define EDGEML_LANES_MASK_8_BITS                                     \
    "lsls  r1, r2, #8\n"                                             \
    "orrs  r2, r1\n"

EDGEML_LANES_KERNEL(
    edgeml_dense_w2_lanes4_segment, EDGEML_LANES_MASK("3", EDGEML_LANES_MASK_8_BITS),
    EDGEML_LANES_TURNS(EDGEML_LANES_WORDS EDGEML_LANES_INPUT_0("0") EDGEML_LANES_INPUT("1", "2")
        EDGEML_LANES_INPUT("2", "4") EDGEML_LANES_INPUT("3", "6") EDGEML_LANES_WORDS EDGEML_LANES_INPUT_0("4")
            EDGEML_LANES_INPUT("5", "2") EDGEML_LANES_INPUT("6", "4") EDGEML_LANES_INPUT("7", "6")),
    EDGEML_LANES_TAKE_4("r8") EDGEML_LANES_TAKE_4("r9") EDGEML_LANES_TAKE_4("r10") EDGEML_LANES_TAKE_4("r11"))

EDGEML_LANES_KERNEL(
    edgeml_dense_w2_lanes2_segment, EDGEML_LANES_MASK("3", ""),
    EDGEML_LANES_TURNS(EDGEML_LANES_WORDS EDGEML_LANES_INPUT_0("0") EDGEML_LANES_INPUT("1", "2")
        EDGEML_LANES_INPUT("2", "4") EDGEML_LANES_INPUT("3", "6") EDGEML_LANES_INPUT("4", "8")
            EDGEML_LANES_INPUT("5", "10") EDGEML_LANES_INPUT("6", "12") EDGEML_LANES_INPUT("7", "14")),
    EDGEML_LANES_TAKE_2("r8", "r9") EDGEML_LANES_TAKE_2("r10", "r11"))

EDGEML_LANES_KERNEL(
    edgeml_dense_w4_lanes2_segment, EDGEML_LANES_MASK("15", ""),
    EDGEML_LANES_TURNS(EDGEML_LANES_WORDS EDGEML_LANES_INPUT_0("0") EDGEML_LANES_INPUT("1", "4")
        EDGEML_LANES_INPUT("2", "8") EDGEML_LANES_INPUT("3", "12") EDGEML_LANES_WORDS EDGEML_LANES_INPUT_0("4")
            EDGEML_LANES_INPUT("5", "4") EDGEML_LANES_INPUT("6", "8") EDGEML_LANES_INPUT("7", "12")),
    EDGEML_LANES_TAKE_2("r8", "r9") EDGEML_LANES_TAKE_2("r10", "r11"))

EDGEML_LANES_KERNEL(edgeml_dense_w8_block_segment, "", EDGEML_BYTES_TURNS, EDGEML_BYTES_TAKE)

#endif

#endif
