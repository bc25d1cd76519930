/* SPDX-License-Identifier: Apache-2.0 */
/* Dense layers of 2-bit weights on cores with SMLAD, beyond `dense_w2_dsp.h`, whose accumulators of two outputs each
 * they share:
 *
 * - `words`: the weights of two inputs and two outputs as the very word that SMLAD takes, four times the flash of
 *   packed ones and no instruction to take them apart;
 * - `levels`: up to three thresholds behind the layer, so that sums are in no memory; a block of eight outputs is
 *   outputs 0 and 2, 1 and 3, 4 and 6, 5 and 7, either of which may be the one that 14 bits hold. The inputs are one
 *   segment.
 */
#ifndef EDGEML_DENSE_W2_LEVELS_H
#define EDGEML_DENSE_W2_LEVELS_H

#include "dense_w2_dsp.h"

#if defined(EDGEML_THUMB_DSP)

/* Four words of weights as they lie there: r3-r6 hold eight inputs. */
#define EDGEML_W2_WIDE_WORDS(acc)                                    \
    "ldmia r1!, {r2, r11, r12, lr}\n"                                \
    "smlad " acc ", r2, r3, " acc "\n"                               \
    "smlad " acc ", r11, r4, " acc "\n"                              \
    "smlad " acc ", r12, r5, " acc "\n"                              \
    "smlad " acc ", lr, r6, " acc "\n"

/* Eight inputs, eight outputs. */
#define EDGEML_W2_WIDE_GROUP                                         \
    "ldmia r0!, {r3-r6}\n"                                           \
    EDGEML_W2_WIDE_WORDS("r7")                                       \
    EDGEML_W2_WIDE_WORDS("r8")                                       \
    EDGEML_W2_WIDE_WORDS("r9")                                       \
    EDGEML_W2_WIDE_WORDS("r10")

EDGEML_W2_SEGMENT(edgeml_dense_w2_words_segment, "", EDGEML_W2_WIDE_GROUP, "64")

#else

static EDGEML_MAYBE_UNUSED void edgeml_dense_w2_words_segment(const edgeml_dense_call *call)
{
    edgeml_dense_w2_blocks(call, 0);
}

#endif

/* As edgeml_dense_w2_dsp, with words. */
EDGEML_INLINE void edgeml_dense_w2_words(const uint8_t *x, const uint32_t *w, const int32_t *bias, uint32_t inputs,
                                         uint32_t segment, uint32_t blocks, int32_t shift, int32_t *y, uint8_t *scratch)
{
    int16_t *const wide = (int16_t *)(void *)scratch;
    edgeml_dense_call call = {wide, w, bias, y, 0, 0, blocks};
    for (uint32_t first = 0; first < inputs; first += segment) {
        const uint32_t count = inputs - first < segment ? inputs - first : segment;
        call.start = shift - 2 * edgeml_widen_u8(x + first, count, wide);
        call.block_bytes = 8 * count;
        edgeml_dense_w2_words_segment(&call);
        call.w += blocks * call.block_bytes / 4u;
        call.from = y;
    }
}

/* y = how many thresholds each output reaches; y aligned to 4 bytes, of whole blocks. */
#define EDGEML_DENSE_W2_LEVELS(name, function, bytes)                                                                  \
    EDGEML_INLINE void name(const uint8_t *x, const uint32_t *w, uint32_t inputs, uint32_t blocks, uint8_t *y,         \
                            uint8_t *scratch)                                                                          \
    {                                                                                                                  \
        int16_t *const wide = (int16_t *)(void *)scratch;                                                              \
        edgeml_dense_call call = {wide, w, NULL, (int32_t *)(void *)y, 0, bytes * inputs, blocks};                     \
        call.start = -2 * edgeml_widen_u8(x, inputs, wide);                                                             \
        function(&call);                                                                                               \
    }

EDGEML_DENSE_W2_LEVELS(edgeml_dense_w2_levels, edgeml_dense_w2_dsp_segment, 2u)
EDGEML_DENSE_W2_LEVELS(edgeml_dense_w2_words_and_levels, edgeml_dense_w2_words_segment, 8u)

#endif
