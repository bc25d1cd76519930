/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 2- and 4-bit weights on cores without SIMD: a multiplication serves several outputs at once.
 *
 * A word is cut into lanes, one for each output: 4 lanes of 8 bits or 2 of 16. A lane holds the codes (w + 2 or w + 8) of
 * lane bits / weight bits inputs, least significant first. Shifted and masked, one code is left in each lane, and one
 * multiplication with the input gives all lanes' products. Accumulators start with -offset * (sum of the inputs) in
 * each lane, which takes the codes' offset back, and a shift that makes every lane's sum positive; the generator proves
 * for each segment of inputs that the shifted sums fit their lanes.
 * Weights: [blocks of 4 words' outputs][groups of inputs][4 words].
 */
#ifndef EDGEML_DENSE_LANES_H
#define EDGEML_DENSE_LANES_H

#include "dense_call.h"

#if defined(__GNUC__) || defined(__clang__)
typedef uint32_t __attribute__((may_alias)) edgeml_bytes;
#endif

/* One step after the other: a compiler that computes all shifts first runs out of registers. */
#if defined(__riscv) || defined(__thumb2__)
#define EDGEML_KEEP_ORDER(a, b, c, d) __asm__("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d))
#else
#define EDGEML_KEEP_ORDER(a, b, c, d) ((void)0)
#endif

/* So many bytes may be added up in the two halves of a word: each half takes every second byte, and holds 257 times 255.
   A multiple of 8, as bytes are taken eight at a time. */
#define EDGEML_SUM_RUN 512u

/* Sum of count bytes (a multiple of 8, not 0; x aligned to 4 bytes), modulo 2^32. */
EDGEML_INLINE uint32_t edgeml_sum_u8(const uint8_t *x, uint32_t count)
{
    uint32_t sum = 0;
#if defined(__GNUC__) || defined(__clang__)
    const edgeml_bytes *word = (const edgeml_bytes *)(const void *)x;
    const edgeml_bytes *const end = word + count / 4u;
    do {
        const edgeml_bytes *const last = count > EDGEML_SUM_RUN ? word + EDGEML_SUM_RUN / 4u : end;
        uint32_t halves = 0;
        do {
            halves += (word[0] & 0x00FF00FFu) + ((word[0] >> 8) & 0x00FF00FFu);
            halves += (word[1] & 0x00FF00FFu) + ((word[1] >> 8) & 0x00FF00FFu);
            word += 2;
        } while (word != last);
        sum += (halves & 0xFFFFu) + (halves >> 16);
        count -= EDGEML_SUM_RUN;
    } while (word != end);
#else
    for (uint32_t i = 0; i < count; i++) {
        sum += x[i];
    }
#endif
    return sum;
}

#if defined(EDGEML_THUMB_1)
#include "dense_lanes_m0.h"
#else

EDGEML_INLINE void edgeml_dense_lanes_segment(const edgeml_dense_call *call, uint32_t bits, uint32_t lanes)
{
    const uint32_t width = 32u / lanes;
    const uint32_t ones = lanes == 4u ? 0x01010101u : 0x00010001u;
    const uint32_t mask = ones * ((1u << bits) - 1u);
    const uint32_t *w = call->w;
    const int32_t *from = call->from;
    int32_t *to = call->to;
    uint32_t blocks = call->blocks;
    do {
        const uint32_t *const end = w + call->block_bytes / 4u;
        const uint8_t *x = (const uint8_t *)call->x;
        uint32_t acc[4];
        acc[0] = acc[1] = acc[2] = acc[3] = (uint32_t)call->start;
        do {
            uint32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
            EDGEML_UNROLL
            for (uint32_t step = 0; step < width; step += bits) {
                const uint32_t value = *x++;
                acc[0] += ((w0 >> step) & mask) * value;
                acc[1] += ((w1 >> step) & mask) * value;
                acc[2] += ((w2 >> step) & mask) * value;
                acc[3] += ((w3 >> step) & mask) * value;
                EDGEML_KEEP_ORDER(w0, w1, w2, w3);
            }
            w += 4;
        } while (w != end);
        for (uint32_t word = 0; word < 4u; word++) {
            uint32_t left = acc[word];
            for (uint32_t lane = 0; lane < lanes; lane++) {
                *to++ = (int32_t)((uint32_t)*from++ + (left & (lanes == 4u ? 0xFFu : 0xFFFFu)));
                left >>= width;
            }
        }
    } while (--blocks);
}

EDGEML_SHARED void edgeml_dense_w2_lanes4_segment(const edgeml_dense_call *call)
{
    edgeml_dense_lanes_segment(call, 2, 4);
}

EDGEML_SHARED void edgeml_dense_w2_lanes2_segment(const edgeml_dense_call *call)
{
    edgeml_dense_lanes_segment(call, 2, 2);
}

EDGEML_SHARED void edgeml_dense_w4_lanes2_segment(const edgeml_dense_call *call)
{
    edgeml_dense_lanes_segment(call, 4, 2);
}

#endif

/* y = bias + weights * x for inputs (a multiple of 8) in segments; shift is folded into the bias. */
EDGEML_INLINE void edgeml_dense_lanes(void (*kernel)(const edgeml_dense_call *), uint32_t bits, uint32_t lanes,
                                      const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                      uint32_t segment, uint32_t blocks, int32_t shift, int32_t *y)
{
    const uint32_t ones = lanes == 4u ? 0x01010101u : 0x00010001u;
    const uint32_t offset = 1u << (bits - 1u);
    edgeml_dense_call call = {x, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.x = x + first;
        call.start = (int32_t)(((uint32_t)shift - offset * edgeml_sum_u8(x + first, count)) * ones);
        call.block_bytes = count * bits * lanes / 2u;
        kernel(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

#endif
